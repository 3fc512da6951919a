//! The order of decisions.
