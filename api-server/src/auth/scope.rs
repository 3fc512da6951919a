//! The scopes routes ask for, as types: a handler can't be written without naming one.

/// A scope token (RFC 6749 §3.3) that a route requires.
pub trait RequiredScope: Send + Sync + 'static {
    /// The scope token.
    const SCOPE: &'static str;
}

macro_rules! scopes {
    ($($(#[$doc:meta])* $name:ident = $scope:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub enum $name {}

        impl RequiredScope for $name {
            const SCOPE: &'static str = $scope;
        }
    )*};
}

scopes! {
    /// Lists and reads one's own documents.
    ReadDocuments = "read:documents";
    /// Creates and changes one's own documents.
    WriteDocuments = "write:documents";
    /// Deletes one's own documents.
    DeleteDocuments = "delete:documents";
    /// Reads one's own profile.
    ReadProfile = "read:profile";
    /// Changes one's own profile.
    WriteProfile = "write:profile";
}
