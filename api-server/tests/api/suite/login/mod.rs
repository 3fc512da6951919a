//! Login, sessions, logout: what a browser, its user and the provider can do, and what a thief can't.

mod backchannel;
mod callback;
mod lease;
mod logout;
mod refresh;
mod sessions;

use std::collections::BTreeMap;
use std::sync::Arc;

use api_server::clock::ManualClock;
use auth0_sim::{Auth0Sim, Key, Options};
use axum::http::StatusCode;
use edge_auth_policy::session::{Purpose, Session, SessionKeys};
use edge_auth_policy::time::UnixTime;
use serde_json::json;

use super::provider::{CLIENT_ID, CLIENT_SECRET, Provider};
use super::server::{Call, Reply, START, Server, Storage};

pub(super) const SESSION: &str = "__Host-edge-session";
const KEYS: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// Two replicas behind one site, and the provider.
pub(crate) struct Site {
    pub(crate) server: Server,
    pub(crate) provider: Arc<Provider>,
}

impl Site {
    pub(crate) async fn start() -> Self {
        let clock = Arc::new(ManualClock::new(UnixTime::from_secs(START)));
        let keys = json!({"keys": [Key::Rsa1.jwk()]});
        let provider = Provider::start(Arc::clone(&clock), keys).await;
        let server = Self::replica_of(
            &provider,
            Arc::new(Storage::create()),
            Arc::new(Auth0Sim::start(Options::default()).await.unwrap()),
            clock,
            &[],
        )
        .await;
        Self { server, provider }
    }

    async fn replica_of(
        provider: &Provider,
        storage: Arc<Storage>,
        tenant: Arc<Auth0Sim>,
        clock: Arc<ManualClock>,
        others: &[(&str, &str)],
    ) -> Server {
        let mut settings = vec![
            ("API_ISSUER", provider.issuer.as_str()),
            ("API_CLIENT_ID", CLIENT_ID),
            ("API_CLIENT_SECRET", CLIENT_SECRET),
            ("API_PUBLIC_URL", "https://app.pymd.io"),
            ("API_SESSION_KEYS", KEYS),
            ("API_TRUSTED_HOPS", "1"),
        ];
        settings.extend(others);
        let server = Server::start_on(storage, tenant, clock, &settings).await;
        server.until_ready().await;
        server
    }

    /// Another server of the same site.
    pub(super) async fn replica(&self) -> Server {
        self.replica_with(&[]).await
    }

    /// Another server of the same site, with other settings.
    pub(super) async fn replica_with(&self, settings: &[(&str, &str)]) -> Server {
        Self::replica_of(
            &self.provider,
            self.server.storage(),
            Arc::clone(&self.server.tenant),
            Arc::clone(&self.server.clock),
            settings,
        )
        .await
    }

    /// A browser that has just logged in as `subject`.
    pub(crate) async fn log_in(&self, subject: &str) -> Browser {
        let mut browser = Browser::default();
        let reply = browser.log_in(self, subject).await;
        assert_eq!(reply.status, StatusCode::FOUND, "{}", reply.text());
        assert!(
            browser.cookies.contains_key(SESSION),
            "{}",
            reply.header("location")
        );
        browser
    }

    /// What the edge is told to refuse now, as it reads it.
    pub(super) async fn revoked_sessions(&self) -> Vec<String> {
        let reply = self
            .server
            .internal(axum::http::Method::GET, "/internal/edge/feed")
            .send()
            .await;
        assert_eq!(reply.status, StatusCode::OK);
        let page = reply.json();
        assert_eq!(page["snapshot"], true);
        page["entries"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|entry| entry["kind"] == "sid")
            .map(|entry| entry["value"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// A browser: it keeps cookies.
#[derive(Clone, Debug, Default)]
pub(crate) struct Browser {
    pub(super) cookies: BTreeMap<String, String>,
}

impl Browser {
    /// Sends a request with the cookies, keeps those that come back.
    pub(crate) async fn send(&mut self, call: Call) -> Reply {
        let reply = self.peek(call).await;
        for (name, value) in reply.cookies() {
            if value.is_empty() {
                self.cookies.remove(&name);
            } else {
                self.cookies.insert(name, value);
            }
        }
        reply
    }

    /// Sends a request with the cookies; the answer is lost.
    pub(super) async fn peek(&self, call: Call) -> Reply {
        let pairs: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        call.header("cookie", pairs.join("; "))
            .header("user-agent", "Test/1.0")
            .header("x-forwarded-for", "203.0.113.9, 198.51.100.7")
            .send()
            .await
    }

    /// A full-page login up to its end.
    pub(super) async fn log_in(&mut self, site: &Site, subject: &str) -> Reply {
        let (code, state) = self.begin(site, subject).await;
        self.send(
            site.server
                .get(&format!("/api/v1/auth/callback?code={code}&state={state}")),
        )
        .await
    }

    /// A full-page login up to the provider: its code and state.
    pub(crate) async fn begin(&mut self, site: &Site, subject: &str) -> (String, String) {
        let reply = self
            .send(site.server.get("/api/v1/auth/login?return_to=/documents"))
            .await;
        assert_eq!(reply.status, StatusCode::FOUND, "{}", reply.text());
        site.provider.log_in(reply.header("location"), subject)
    }

    /// What the edge reads in the session cookie.
    pub(super) fn session(&self) -> Session {
        let now = UnixTime::from_secs(START);
        let keys = SessionKeys::parse(KEYS).unwrap();
        let cookies = self.cookies.iter().map(|(n, v)| (n.as_str(), v.as_str()));
        let sealed = edge_auth_policy::session::join(SESSION, cookies).unwrap();
        let (payload, _) = keys.open(Purpose::Session, b"", &sealed, now).unwrap();
        Session::from_bytes(&payload).unwrap()
    }
}
