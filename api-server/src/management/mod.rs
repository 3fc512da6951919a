//! Auth0's Management API: one user's profile, read and changed with a machine-to-machine token.
//!
//! What may pass (429, 5xx, silence) is told apart from what will not (a refusal), because the caller waits for the
//! one and gives up on the other. After a failure that may pass, [`Management::is_resting`] for a while: an outage
//! costs one request its patience, not all of them.

mod backoff;
mod token;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use edge_auth_policy::time::UnixTime;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Method, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use url::Url;

pub use backoff::backoff;

use crate::clock::Clock;
use crate::config::ManagementSettings;
use crate::login::Profile;
use crate::telemetry::metrics::Metrics;
use token::Tokens;

/// The Management API of one tenant.
#[derive(Debug)]
pub struct Management {
    http: reqwest::Client,
    url: Url,
    tokens: Tokens,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    /// Until when nobody should ask, after a failure.
    rests_until: Mutex<UnixTime>,
}

/// Why a request did not do what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The provider is overloaded, out of reach, or doesn't take our credentials: trying again later may help.
    #[error("the Management API is unavailable: {what}")]
    Unavailable {
        /// What happened; from a bounded set, also a metric's label.
        what: &'static str,
        /// How long the provider asks us to wait.
        retry_after: Option<Duration>,
    },
    /// The provider does not take this change, whenever it comes.
    #[error("the Management API refused with {status}")]
    Refused {
        /// The HTTP status.
        status: u16,
    },
}

/// What of a profile a user can change; `None` leaves it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patch {
    /// 1 to 300 characters.
    pub name: Option<String>,
    /// An https URL.
    pub picture: Option<String>,
}

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long a request to us waits for the provider, retries included.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often a request to us tries.
const ATTEMPTS: u32 = 3;
/// How long nobody asks after a failure that names no time.
const REST: Duration = Duration::from_secs(5);
/// The longest wait a provider may ask for.
const LONGEST_WAIT: Duration = Duration::from_mins(10);
/// A user's profile or a token is some kilobytes.
const MAX_BODY_BYTES: usize = 256 << 10;

impl Management {
    /// # Errors
    /// No HTTP client can be made.
    pub fn new(
        settings: &ManagementSettings,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            // A redirect would take our token where nobody configured it to go.
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .user_agent("edge-auth-api-server")
            .build()?;
        Ok(Self {
            tokens: Tokens::new(settings, http.clone()),
            http,
            url: settings.url.clone(),
            clock,
            metrics,
            rests_until: Mutex::new(UnixTime::default()),
        })
    }

    /// Whether a failure was so recent that asking again makes no sense yet.
    pub fn is_resting(&self) -> bool {
        let until = *self
            .rests_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.clock.now() < until
    }

    /// Changes a user's profile: one attempt. Answers what the provider knows of the user from now on.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn update(&self, subject: &str, patch: &Patch) -> Result<Profile, Error> {
        let mut body = Map::new();
        for (name, value) in [("name", &patch.name), ("picture", &patch.picture)] {
            if let Some(value) = value {
                body.insert(name.to_owned(), value.as_str().into());
            }
        }
        let answer = self.ask(Method::PATCH, subject, Some(&json!(body))).await;
        let user = self.note("update", answer)?;
        Ok(profile(subject, &user))
    }

    /// What the provider knows of a user: one attempt. `None` if it knows nobody of that name.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn read(&self, subject: &str) -> Result<Option<Profile>, Error> {
        let answer = match self.ask(Method::GET, subject, None).await {
            Err(Error::Refused { status: 404 }) => Ok(None),
            answer => answer.map(Some),
        };
        let user = self.note("read", answer)?;
        Ok(user.map(|user| profile(subject, &user)))
    }

    /// [`Management::update`], tried a few times within a request's patience.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn update_patiently(&self, subject: &str, patch: &Patch) -> Result<Profile, Error> {
        self.patiently(|| self.update(subject, patch)).await
    }

    /// [`Management::read`], tried a few times within a request's patience.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn read_patiently(&self, subject: &str) -> Result<Option<Profile>, Error> {
        self.patiently(|| self.read(subject)).await
    }

    async fn patiently<T, F>(&self, attempt: impl Fn() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let tries = async {
            let mut number = 0;
            loop {
                let error = match attempt().await {
                    Err(error @ Error::Unavailable { .. }) => error,
                    done => return done,
                };
                number += 1;
                let asked = match error {
                    Error::Unavailable { retry_after, .. } => retry_after.unwrap_or_default(),
                    Error::Refused { .. } => Duration::ZERO,
                };
                if number >= ATTEMPTS || asked > PATIENCE {
                    return Err(error);
                }
                tokio::time::sleep(asked.max(backoff(FIRST_PAUSE, number, PATIENCE))).await;
            }
        };
        let timed_out = Error::Unavailable {
            what: "timeout",
            retry_after: None,
        };
        let outcome = tokio::time::timeout(PATIENCE, tries)
            .await
            .unwrap_or(Err(timed_out));
        match outcome {
            Ok(_) | Err(Error::Refused { .. }) => self.rest(Duration::ZERO),
            Err(Error::Unavailable { retry_after, .. }) => self.rest(retry_after.unwrap_or(REST)),
        }
        outcome
    }

    /// From now on nobody should ask, for this long.
    pub fn rest(&self, how_long: Duration) {
        *self
            .rests_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = self.clock.now().saturating_add(how_long);
    }

    fn note<T>(&self, operation: &'static str, answer: Result<T, Error>) -> Result<T, Error> {
        let outcome = match &answer {
            Ok(_) => "success",
            Err(Error::Unavailable { what, .. }) => what,
            Err(Error::Refused { .. }) => "refused",
        };
        self.metrics.management_request(operation, outcome);
        if let Err(error) = &answer {
            tracing::warn!(operation, %error, "a profile could not be synchronised");
        }
        answer
    }

    /// One request; with a token that is no longer good, a second one with a new token.
    async fn ask(
        &self,
        method: Method,
        subject: &str,
        body: Option<&Value>,
    ) -> Result<Map<String, Value>, Error> {
        let url = self.user_url(subject)?;
        let mut renewed = false;
        loop {
            let token = self.tokens.current(self.clock.now()).await?;
            let mut request = self
                .http
                .request(method.clone(), url.clone())
                .bearer_auth(&*token);
            if let Some(body) = body {
                request = request.json(body);
            }
            let response = request.send().await.map_err(|error| out_of_reach(&error))?;
            if response.status() == StatusCode::UNAUTHORIZED && !renewed {
                renewed = true;
                self.tokens.forget(&token).await;
                continue;
            }
            return read_user(response, self.clock.now()).await;
        }
    }

    /// Every byte of the subject that could mean something in a path is escaped.
    fn user_url(&self, subject: &str) -> Result<Url, Error> {
        // `.` and `..` are places, not users, however they are spelled.
        if subject.bytes().all(|byte| byte == b'.') {
            return Err(Error::Refused { status: 404 });
        }
        let escaped: String = subject
            .bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' | b'.' => {
                    char::from(byte).to_string()
                }
                byte => format!("%{byte:02X}"),
            })
            .collect();
        let mut url = self.url.clone();
        url.set_path(&format!("/api/v2/users/{escaped}"));
        Ok(url)
    }
}

/// The pause before the second attempt of a request.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

fn out_of_reach(error: &reqwest::Error) -> Error {
    Error::Unavailable {
        what: if error.is_timeout() {
            "timeout"
        } else {
            "unreachable"
        },
        retry_after: None,
    }
}

async fn read_user(
    response: reqwest::Response,
    now: UnixTime,
) -> Result<Map<String, Value>, Error> {
    let unavailable = |what| Error::Unavailable {
        what,
        retry_after: retry_after(response.headers(), now),
    };
    match response.status() {
        StatusCode::OK => {}
        StatusCode::TOO_MANY_REQUESTS => return Err(unavailable("rate_limited")),
        // Our own credentials or their scopes: an operator mends that, and the change is still wanted then.
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(unavailable("forbidden")),
        status if status.is_client_error() => {
            return Err(Error::Refused {
                status: status.as_u16(),
            });
        }
        _ => return Err(unavailable("server_error")),
    }
    // A proxy's page with status 200 is no answer of the Management API.
    read_json(response).await
}

/// A body within its limit, as what it should be.
async fn read_json<T: DeserializeOwned>(mut response: reqwest::Response) -> Result<T, Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| out_of_reach(&error))?
    {
        body.extend_from_slice(&chunk);
        // Cut off, it is JSON no more.
        if body.len() > MAX_BODY_BYTES {
            break;
        }
    }
    serde_json::from_slice(&body).map_err(|_| Error::Unavailable {
        what: "nonsense",
        retry_after: None,
    })
}

/// `Retry-After` in seconds, or Auth0's `x-ratelimit-reset`, a time.
fn retry_after(headers: &HeaderMap, now: UnixTime) -> Option<Duration> {
    let number = |name: &str| -> Option<u64> { headers.get(name)?.to_str().ok()?.parse().ok() };
    let seconds = number(RETRY_AFTER.as_str())
        .map(Duration::from_secs)
        .or_else(|| Some(UnixTime::from_secs(number("x-ratelimit-reset")?).since(now)));
    seconds.map(|wait| wait.min(LONGEST_WAIT))
}

fn profile(subject: &str, user: &Map<String, Value>) -> Profile {
    let text = |name: &str| {
        user.get(name)
            .and_then(Value::as_str)
            .filter(|text| text.len() <= 1_024 && !text.contains(char::is_control))
            .map(str::to_owned)
    };
    Profile {
        subject: subject.to_owned(),
        provider_session: None,
        email: text("email"),
        email_verified: user.get("email_verified") == Some(&Value::Bool(true)),
        name: text("name"),
        picture: text("picture"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_what_the_provider_asks_for_within_bounds() {
        let now = UnixTime::from_secs(1_000);
        for (name, value, expected) in [
            ("retry-after", "7", Some(7)),
            ("retry-after", "86400", Some(600)),
            ("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT", None),
            ("x-ratelimit-reset", "1030", Some(30)),
            ("x-ratelimit-reset", "10", Some(0)),
            ("x-other", "7", None),
        ] {
            let headers = HeaderMap::from_iter([(
                name.parse::<reqwest::header::HeaderName>().unwrap(),
                value.parse().unwrap(),
            )]);
            let expected = expected.map(Duration::from_secs);
            assert_eq!(retry_after(&headers, now), expected, "{name}: {value}");
        }
    }
}
