//! What to do with a request: forward, wait or reply.
