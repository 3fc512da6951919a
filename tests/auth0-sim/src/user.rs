//! The users who can log in, from `users.json`: one who may do everything, one who may only read. `tests/certified`
//! has the same.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Value, json};

/// A user of the tenant's database connection.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// `sub` of tokens, `user_id` of the Management API.
    pub user_id: String,
    /// What is typed at the login page.
    pub email: String,
    /// The full name.
    pub name: String,
    /// Test-only, as everything here.
    pub password: String,
    /// What the roles claim of tokens says.
    pub roles: Vec<String>,
    /// Scopes of the API that are granted when asked for.
    pub permissions: Vec<String>,
}

static ALL: LazyLock<Vec<User>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../users.json"))
        .expect("the committed users parse, which a test checks")
});

impl User {
    /// Everybody.
    pub fn all() -> &'static [Self] {
        &ALL
    }

    /// The user of this email and password.
    pub(crate) fn with_credentials(email: &str, password: &str) -> Option<&'static Self> {
        let mut users = Self::all().iter();
        users.find(|user| user.email == email && user.password == password)
    }

    pub(crate) fn may(&self, scope: &str) -> bool {
        self.permissions.iter().any(|one| one == scope)
    }

    /// What is told of the user for the scopes `profile` and `email` (OpenID Connect Core §5.4), and what the
    /// Management API knows.
    pub fn profile(&self) -> Value {
        json!({
            "name": self.name,
            "nickname": self.email.split('@').next(),
            "email": self.email,
            "email_verified": true,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DEFAULT_SUBJECT;

    #[test]
    fn the_first_user_is_the_subject_of_every_valid_token() {
        let first = User::all().first();
        assert_eq!(
            first.map(|user| user.user_id.as_str()),
            Some(DEFAULT_SUBJECT)
        );
    }
}
