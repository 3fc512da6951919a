//! Claim paths and the claims a rule can ask for.
