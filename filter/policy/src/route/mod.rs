//! Which rule decides a request.
