//! JSON Web Keys (RFC 7517).
