//! Settings of login and sessions; all of them or none.

use std::time::Duration;

use edge_auth_policy::session::SessionKeys;
use url::Url;

use super::reader::Reader;
use super::{Secret, parse};

/// How browsers log in.
#[derive(Clone, Debug)]
pub struct LoginSettings {
    /// Our `client_id` at the provider.
    pub client_id: String,
    /// Our secret there; a public client has none.
    pub client_secret: Option<Secret>,
    /// The site as browsers see it: where callbacks go, whose pages may use sessions.
    pub public_url: Url,
    /// Keys of cookies and stored tokens, newest first; the edge has the same.
    pub session_keys: SessionKeys,
    /// A session that rests longer ends; 1 min to 400 days.
    pub session_idle: Duration,
    /// A session ends after this, used or not; 1 min to 400 days.
    pub session_absolute: Duration,
}

const DAY: Duration = Duration::from_hours(24);

impl LoginSettings {
    /// `Some(None)` where login isn't configured, `None` after a mistake.
    #[expect(
        clippy::option_option,
        reason = "a mistake and left out are different things"
    )]
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Option<Self>> {
        let lifetime = || parse::duration(Duration::from_mins(1)..=DAY * 400);
        let client_id = reader.optional("client_id", parse::text);
        let client_secret =
            reader.optional_secret("client_secret", |text| parse::text(text).map(Secret::new));
        let public_url = reader.optional("public_url", parse::site);
        let session_keys = reader.optional_secret("session_keys", |text| {
            SessionKeys::parse(text).map_err(|error| error.to_string())
        });
        let session_idle = reader.or("session_idle", "720h", lifetime());
        let session_absolute = reader.or("session_absolute", "2160h", lifetime());
        let (client_id, client_secret) = (client_id?, client_secret?);
        let (public_url, session_keys) = (public_url?, session_keys?);
        let (session_idle, session_absolute) = (session_idle?, session_absolute?);
        match (client_id, public_url, session_keys) {
            (None, None, None) if client_secret.is_none() => Some(None),
            (Some(client_id), Some(public_url), Some(session_keys)) => Some(Some(Self {
                client_id,
                client_secret,
                public_url,
                session_keys,
                session_idle,
                session_absolute,
            })),
            (client_id, public_url, session_keys) => {
                for (name, is_missing) in [
                    ("client_id", client_id.is_none()),
                    ("public_url", public_url.is_none()),
                    ("session_keys", session_keys.is_none()),
                ] {
                    if is_missing {
                        reader.mistake::<()>(name, "is required for login");
                    }
                }
                None
            }
        }
    }
}
