//! RSA signature verification.
