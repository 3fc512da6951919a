//! The browser session cookie, opened at the edge.
