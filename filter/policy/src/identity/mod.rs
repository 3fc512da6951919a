//! Identity headers: removed from every request, then set from verified claims.
