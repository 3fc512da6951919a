//! The machine-to-machine token (RFC 6749 §4.4): fetched by one while the others wait, renewed before it expires.

use std::sync::Arc;
use std::time::Duration;

use edge_auth_policy::time::UnixTime;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;
use url::Url;

use super::Error;
use crate::config::{ManagementSettings, Secret};

/// The token and what it is asked for with.
pub(super) struct Tokens {
    http: reqwest::Client,
    endpoint: Url,
    audience: String,
    client_id: String,
    client_secret: Secret,
    cached: Mutex<Option<Cached>>,
}

struct Cached {
    token: Arc<str>,
    renew_at: UnixTime,
}

/// Shows no token.
impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens(..)")
    }
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    expires_in: u64,
}

/// A token is renewed when this part of its life is left: far from expiring in the middle of a request.
const LEFT: u32 = 10;
/// A token that lives longer is renewed daily all the same.
const LONGEST_LIFETIME: Duration = Duration::from_hours(24);

impl Tokens {
    pub(super) fn new(settings: &ManagementSettings, http: reqwest::Client) -> Self {
        let mut endpoint = settings.url.clone();
        endpoint.set_path("/oauth/token");
        let mut audience = settings.url.clone();
        audience.set_path("/api/v2/");
        Self {
            http,
            endpoint,
            audience: audience.into(),
            client_id: settings.client_id.clone(),
            client_secret: settings.client_secret.clone(),
            cached: Mutex::new(None),
        }
    }

    /// A token that is good for a while.
    pub(super) async fn current(&self, now: UnixTime) -> Result<Arc<str>, Error> {
        let mut cached = self.cached.lock().await;
        if let Some(cached) = cached.as_ref().filter(|cached| now < cached.renew_at) {
            return Ok(Arc::clone(&cached.token));
        }
        let answer = self.fetch().await?;
        let lifetime = Duration::from_secs(answer.expires_in).min(LONGEST_LIFETIME);
        let token: Arc<str> = answer.access_token.into();
        *cached = Some(Cached {
            token: Arc::clone(&token),
            renew_at: now.saturating_add(lifetime.saturating_sub(lifetime / LEFT)),
        });
        Ok(token)
    }

    /// `token` was refused: the next one who asks gets another.
    pub(super) async fn forget(&self, token: &str) {
        let mut cached = self.cached.lock().await;
        cached.take_if(|cached| &*cached.token == token);
    }

    async fn fetch(&self) -> Result<Answer, Error> {
        let unavailable = |what| Error::Unavailable {
            what,
            retry_after: None,
        };
        let body = json!({
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret.expose(),
            "audience": self.audience,
        });
        let response = self
            .http
            .post(self.endpoint.clone())
            .json(&body)
            .send()
            .await
            .map_err(|error| super::out_of_reach(&error))?;
        if !response.status().is_success() {
            // 401 and 403: the client's id, secret or grant is wrong, which an operator has to hear.
            tracing::warn!(
                status = response.status().as_u16(),
                "no token for the Management API"
            );
            return Err(unavailable("no_token"));
        }
        let answer: Answer = super::read_json(response).await?;
        let is_token = (1..=MAX_TOKEN_BYTES).contains(&answer.access_token.len())
            && answer.access_token.bytes().all(|b| b.is_ascii_graphic());
        if is_token {
            Ok(answer)
        } else {
            Err(unavailable("no_token"))
        }
    }
}

const MAX_TOKEN_BYTES: usize = 16 << 10;
