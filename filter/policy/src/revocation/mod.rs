//! The feed of revoked tokens, sessions, subjects and blocked addresses.
