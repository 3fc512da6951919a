//! Cross-origin resource sharing on our own replies and preflights.
