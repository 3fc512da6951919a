//! What a profile shows, and what of it a user can change.

use edge_auth_policy::json::Value as Claim;
use edge_auth_policy::jwt::VerifiedClaims;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::{ApiError, Invalid};
use crate::management::Patch;
use crate::timestamp::Timestamp;

/// A user's profile as the user sees it.
#[derive(Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Profile {
    /// `sub` of the user's tokens.
    pub(super) subject: String,
    /// As the provider knows it; null if it has told of none.
    pub(super) email: Option<String>,
    /// Whether the provider has verified it.
    pub(super) email_verified: bool,
    /// What the user is called.
    pub(super) name: Option<String>,
    /// The URL of a picture.
    pub(super) picture: Option<String>,
    /// As the token says.
    pub(super) roles: Vec<String>,
    /// When the user was first seen here.
    pub(super) created_at: Timestamp,
    /// When the profile was last changed here or told of by the provider.
    pub(super) updated_at: Timestamp,
    /// How this profile and the provider's stand to each other.
    pub(super) provider: ProviderState,
}

/// How a profile here and at the provider stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ProviderState {
    /// The provider has every edit made here.
    Synced,
    /// An edit is saved here and will be sent to the provider when it can be reached.
    Pending,
    /// The provider does not take the latest edit; its own values return with the next login.
    Refused,
    /// The provider could not be asked about this user yet.
    Unknown,
    /// An edit is kept here only: no Management API is configured.
    Local,
}

/// Characters of a name at most: the provider's own limit.
const MAX_NAME_CHARS: usize = 300;
/// Bytes of a picture's URL at most.
const MAX_PICTURE_BYTES: usize = 1_024;

/// Reads a merge patch (RFC 7396) of `name` and `picture`.
///
/// # Errors
/// [`ApiError::InvalidContent`] with all members that are wrong.
pub(super) fn patch(mut members: Map<String, Value>) -> Result<Patch, ApiError> {
    let mut errors = Vec::new();
    let mut take = |name: &str, is_valid: fn(&str) -> bool, what: &str| match members.remove(name) {
        None => None,
        Some(Value::String(text)) if is_valid(&text) => Some(text),
        Some(_) => {
            errors.push(Invalid::new(format!("/{name}"), format!("must be {what}")));
            None
        }
    };
    let patch = Patch {
        name: take(
            "name",
            is_name,
            "1 to 300 characters, no control characters",
        ),
        picture: take(
            "picture",
            is_picture,
            "an absolute https URL of at most 1024 bytes",
        ),
    };
    let mut unknown: Vec<_> = members.keys().collect();
    unknown.sort_unstable();
    errors.extend(unknown.into_iter().take(MAX_ERRORS).map(|name| {
        let name = name.chars().take(64).collect::<String>();
        Invalid::new(
            format!("/{}", name.replace('~', "~0").replace('/', "~1")),
            "can't be changed: only name and picture can",
        )
    }));
    if errors.is_empty() {
        Ok(patch)
    } else {
        Err(ApiError::InvalidContent(errors))
    }
}

const MAX_ERRORS: usize = 20;

fn is_name(text: &str) -> bool {
    (1..=MAX_NAME_CHARS).contains(&text.chars().count())
        && !text.contains(char::is_control)
        && !text.trim().is_empty()
}

/// Shown by other people's browsers: nothing but https, and no credentials.
fn is_picture(text: &str) -> bool {
    text.len() <= MAX_PICTURE_BYTES
        && text.starts_with("https://")
        && !text.contains(|c: char| c.is_control() || c.is_whitespace())
        && url::Url::parse(text).is_ok_and(|url| {
            url.has_host() && url.username().is_empty() && url.password().is_none()
        })
}

/// Roles of a token at most, and characters of each.
const MAX_ROLES: usize = 64;
const MAX_ROLE_CHARS: usize = 128;

/// The roles in the claim `name`: an array of strings. Anything else grants nothing.
pub(super) fn roles(claims: &VerifiedClaims, name: &str) -> Vec<String> {
    let values = claims
        .claims()
        .get(name)
        .and_then(Claim::as_array)
        .unwrap_or_default();
    values
        .iter()
        .filter_map(Claim::as_str)
        .filter(|role| (1..=MAX_ROLE_CHARS).contains(&role.chars().count()))
        .take(MAX_ROLES)
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(body: &Value, wrong: &[&str]) {
        let found: Vec<_> = match patch(body.as_object().unwrap().clone()) {
            Ok(_) => Vec::new(),
            Err(ApiError::InvalidContent(errors)) => errors.into_iter().map(|e| e.at).collect(),
            Err(error) => panic!("{error}"),
        };
        assert_eq!(found, wrong, "{body}");
    }

    #[test]
    fn a_name_and_a_picture_can_be_changed_and_nothing_else() {
        check(&json!({}), &[]);
        check(
            &json!({"name": "Ada", "picture": "https://x.example/a.png"}),
            &[],
        );
        check(&json!({"email": "x@y", "roles": []}), &["/email", "/roles"]);
        check(&json!({"name": null, "picture": 1}), &["/name", "/picture"]);
        check(
            &json!({"name": "", "picture": "http://x.example/"}),
            &["/name", "/picture"],
        );
        check(
            &json!({"name": " ", "picture": "javascript:alert(1)"}),
            &["/name", "/picture"],
        );
        check(
            &json!({"name": "a\u{0}", "picture": "https://u:p@x.example/"}),
            &["/name", "/picture"],
        );
        check(&json!({"name": "é".repeat(300)}), &[]);
        check(&json!({"name": "é".repeat(301)}), &["/name"]);
    }
}
