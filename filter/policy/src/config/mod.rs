//! The plugin configuration: raw input, its errors, typed values.
