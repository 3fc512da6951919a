//! Placeholder of the room; the first commit of its content replaces it.
