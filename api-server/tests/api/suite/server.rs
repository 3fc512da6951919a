//! A server for one test: its own database, a simulated tenant, a clock that moves only when told to.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use api_server::app::App;
use api_server::clock::ManualClock;
use api_server::config::Settings;
use auth0_sim::{Auth0Sim, Options, TokenBuilder};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use edge_auth_policy::time::UnixTime;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt as _;

use super::postgres;

/// A database for one test, gone with it.
pub(crate) enum Storage {
    Sqlite(TempDir),
    Postgres(postgres::Database),
}

impl Storage {
    pub(crate) fn create() -> Self {
        if crate::ON_POSTGRES {
            Self::Postgres(postgres::Database::create())
        } else {
            Self::Sqlite(tempfile::tempdir().unwrap())
        }
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(directory) => format!("sqlite:{}/api.db", directory.path().display()),
            Self::Postgres(database) => database.url(),
        }
    }
}

/// When every test begins, in seconds since the epoch.
pub(crate) const START: u64 = 1_800_000_000;

pub(crate) const ALL_SCOPES: &str =
    "read:documents write:documents delete:documents read:profile write:profile";

/// A server under test.
pub(crate) struct Server {
    pub(crate) app: App,
    pub(crate) tenant: Arc<Auth0Sim>,
    pub(crate) clock: Arc<ManualClock>,
    router: Router,
    internal: Router,
    storage: Arc<Storage>,
}

impl Server {
    /// A server that has its keys.
    pub(crate) async fn start() -> Self {
        let tenant = Auth0Sim::start(Options::default()).await.unwrap();
        let server = Self::start_with(tenant, &[]).await;
        server.until_ready().await;
        server
    }

    /// A server with other settings, ready or not.
    pub(crate) async fn start_with(tenant: Auth0Sim, settings: &[(&str, &str)]) -> Self {
        let clock = Arc::new(ManualClock::new(UnixTime::from_secs(START)));
        Self::start_on(
            Arc::new(Storage::create()),
            Arc::new(tenant),
            clock,
            settings,
        )
        .await
    }

    /// Another server on the same database, tenant and clock.
    pub(crate) async fn replica(&self) -> Self {
        self.replica_with(&[]).await
    }

    /// Another server on the same database, tenant and clock, with other settings.
    pub(crate) async fn replica_with(&self, settings: &[(&str, &str)]) -> Self {
        let replica = Self::start_on(
            Arc::clone(&self.storage),
            Arc::clone(&self.tenant),
            Arc::clone(&self.clock),
            settings,
        )
        .await;
        replica.until_ready().await;
        replica
    }

    pub(crate) async fn start_on(
        storage: Arc<Storage>,
        tenant: Arc<Auth0Sim>,
        clock: Arc<ManualClock>,
        settings: &[(&str, &str)],
    ) -> Self {
        let mut map = BTreeMap::from([
            ("API_ISSUER".to_owned(), tenant.issuer().to_owned()),
            ("API_DATABASE_URL".to_owned(), storage.url()),
            ("API_DATABASE_MAX_CONNECTIONS".to_owned(), "4".to_owned()),
        ]);
        map.extend(
            settings
                .iter()
                .map(|&(name, value)| (name.to_owned(), value.to_owned())),
        );
        let settings = Settings::read(&map).unwrap();
        let app = App::start(&settings, Arc::clone(&clock) as Arc<_>)
            .await
            .unwrap();
        Self {
            router: app.router(),
            internal: app.internal_router(),
            app,
            tenant,
            clock,
            storage,
        }
    }

    pub(crate) fn storage(&self) -> Arc<Storage> {
        Arc::clone(&self.storage)
    }

    pub(crate) async fn until_ready(&self) {
        for _ in 0..6_000 {
            if self.get("/readyz").send().await.status == StatusCode::OK {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the server does not get ready");
    }

    /// Lets time pass until the server has what it failed to fetch. How many attempts have failed by now is not
    /// known, nor how long it pauses before the next.
    pub(crate) async fn until_recovered(&self) {
        for _ in 0..3_000 {
            self.advance(Duration::from_secs(1));
            if self.get("/readyz").send().await.status == StatusCode::OK {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the server does not recover");
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// A valid token as of the server's own clock, with every scope.
    pub(crate) fn token(&self) -> TokenBuilder {
        use api_server::clock::Clock as _;
        TokenBuilder::valid(self.tenant.issuer(), self.clock.now().as_secs()).scope(ALL_SCOPES)
    }

    /// The bearer token of a user.
    pub(crate) fn user(&self, subject: &str) -> String {
        self.token().subject(subject).build()
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> Call {
        Call {
            router: self.router.clone(),
            method,
            path: path.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// A request to the internal listener.
    pub(crate) fn internal(&self, method: Method, path: &str) -> Call {
        Call {
            router: self.internal.clone(),
            ..self.request(method, path)
        }
    }

    pub(crate) fn get(&self, path: &str) -> Call {
        self.request(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Call {
        self.request(Method::POST, path).json(body)
    }

    pub(crate) fn put(&self, path: &str, body: &Value) -> Call {
        self.request(Method::PUT, path).json(body)
    }

    pub(crate) fn patch(&self, path: &str, body: &Value) -> Call {
        self.request(Method::PATCH, path).json(body)
    }

    pub(crate) fn delete(&self, path: &str) -> Call {
        self.request(Method::DELETE, path)
    }

    /// Creates a document and gives its id.
    pub(crate) async fn create(&self, token: &str, document: &Value) -> String {
        let reply = self
            .post("/api/v1/documents", document)
            .bearer(token)
            .send()
            .await;
        assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text());
        reply.json()["id"].as_str().unwrap().to_owned()
    }
}

/// A request to be sent.
#[derive(Clone)]
pub(crate) struct Call {
    router: Router,
    method: Method,
    pub(crate) path: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Call {
    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers
            .push((name.to_owned(), value.as_ref().to_owned()));
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    pub(crate) fn if_match(self, etag: &str) -> Self {
        self.header("if-match", etag)
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json")
            .body(body.to_string())
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) async fn send(self) -> Reply {
        let mut request = Request::builder().method(self.method).uri(self.path);
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Body::from(self.body)).unwrap();
        let response = self.router.oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        Reply {
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await.unwrap().to_bytes().to_vec(),
        }
    }
}

/// What came back.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    body: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The cookies the reply sets, those it clears with an empty value.
    pub(crate) fn cookies(&self) -> BTreeMap<String, String> {
        let values = self.headers.get_all("set-cookie").iter();
        values
            .map(|value| {
                let value = value.to_str().unwrap();
                let (pair, attributes) = value.split_once("; ").unwrap();
                let (name, value) = pair.split_once('=').unwrap();
                let max_age = if value.is_empty() {
                    "Max-Age=0"
                } else {
                    "Max-Age="
                };
                assert!(name.starts_with("__Host-"), "{name}");
                assert!(attributes.starts_with("Path=/; "), "{attributes}");
                assert!(attributes.contains(max_age), "{attributes}");
                assert!(
                    attributes.ends_with("; Secure; HttpOnly; SameSite=Lax"),
                    "{attributes}"
                );
                // CVE-2025-48947, CVE-2025-64762: no cache may keep what sets a cookie.
                assert_eq!(self.header("cache-control"), "no-store");
                (name.to_owned(), value.to_owned())
            })
            .collect()
    }

    /// Asserts problem details with this status and code.
    #[track_caller]
    pub(crate) fn assert_problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["code"], code);
        assert_eq!(problem["status"], status);
        assert_eq!(
            problem["type"],
            format!("urn:problem-type:edge-auth:{code}")
        );
        problem
    }
}
