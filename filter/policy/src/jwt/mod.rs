//! JSON Web Tokens (RFC 7519) in JWS compact serialization (RFC 7515).
