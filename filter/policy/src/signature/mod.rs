//! Where a signature is checked.
