//! What handlers share, and the two routers made of it; the same for `main` and for tests.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Keys, Verifier};
use crate::clock::Clock;
use crate::config::{Secret, Settings};
use crate::database::{self, Database};
use crate::error::{self, ApiError};
use crate::login::{self, AuthError, Login};
use crate::management::Management;
use crate::telemetry::metrics::Metrics;
use crate::timestamp::Timestamp;
use crate::users::Seen;
use crate::web;
use crate::{
    documents, feed, health, internal, maintenance, openapi, profile, sessions, sync, telemetry,
};

/// What every handler can reach. Clones share everything, and each request makes some.
#[derive(Clone, Debug)]
pub struct App(Arc<Shared>);

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// The one of its kind in a process.
#[derive(Debug)]
pub struct Shared {
    /// Documents and all else that lasts.
    pub database: Database,
    /// Judges bearer tokens.
    pub verifier: Verifier,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Logs browsers in, if that is configured.
    pub(crate) login: Option<Arc<Login>>,
    /// Reads and changes profiles at the provider, if that is configured.
    pub(crate) management: Option<Arc<Management>>,
    /// The browser app, if it is served here.
    web: Option<Arc<web::Folder>>,
    pub(crate) roles_claim: Arc<str>,
    /// Subjects that have a row.
    pub(crate) seen: Seen,
    pub(crate) internal_token: Option<Secret>,
    pub(crate) trusted_hops: usize,
    request_timeout: Duration,
    stopping: AtomicBool,
}

/// Why a server can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database can't be opened or migrated.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// No HTTP client can be made.
    #[error("no HTTP client: {0}")]
    Client(#[from] reqwest::Error),
    /// The browser app's files can't be read.
    #[error("the browser app: {0}")]
    Web(#[from] web::Error),
    /// Login can't be set up.
    #[error("login: {0}")]
    Login(#[from] AuthError),
}

impl App {
    /// Opens the database and begins to fetch keys.
    ///
    /// # Errors
    /// The database can't be opened or migrated. Keys that can't be fetched are no error: the server is not
    /// ready until they are there.
    pub async fn start(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let database =
            Database::open(&settings.database_url, settings.database_max_connections).await?;
        let keys = Arc::new(Keys::new(&settings.jwks_uri, settings.keys)?);
        tokio::spawn(Arc::clone(&keys).run(Arc::clone(&clock)));
        tokio::spawn(maintenance::run(database.clone(), Arc::clone(&clock)));
        let login = settings
            .login
            .as_ref()
            .map(|login| Login::new(login, &settings.issuer, &settings.audience))
            .transpose()?
            .map(Arc::new);
        let metrics = Arc::<Metrics>::default();
        let management = settings
            .management
            .as_ref()
            .map(|management| Management::new(management, Arc::clone(&clock), Arc::clone(&metrics)))
            .transpose()?
            .map(Arc::new);
        if let Some(management) = &management {
            let management = Arc::clone(management);
            tokio::spawn(profile::run(
                database.clone(),
                management,
                Arc::clone(&clock),
            ));
        }
        let web = settings
            .web_folder
            .as_deref()
            .map(web::Folder::read)
            .transpose()?
            .map(Arc::new);
        Ok(Self(Arc::new(Shared {
            database,
            web,
            login,
            management,
            roles_claim: settings.roles_claim.as_str().into(),
            seen: Seen::default(),
            internal_token: settings.internal_token.clone(),
            trusted_hops: settings.trusted_hops,
            verifier: Verifier::new(keys, settings),
            metrics,
            clock,
            request_timeout: settings.request_timeout,
            stopping: AtomicBool::default(),
        })))
    }

    /// The time now, as it is stored.
    pub fn now(&self) -> Timestamp {
        self.clock.now().into()
    }

    /// From now on `/readyz` answers 503.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether [`App::stop`] was called.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// What the edge reaches.
    pub fn router(&self) -> Router {
        let timeout = self.request_timeout;
        let web = self.web.clone().map(web::router);
        self.finish(public_routes(), move |router| {
            let router = match web {
                Some(web) => router.merge(web),
                None => router,
            };
            router.layer(from_fn(move |request, next| {
                limit_time(timeout, request, next)
            }))
        })
    }

    /// What only operators and the edge's own connections reach, on a listener of its own (CVE-2022-24797).
    pub fn internal_router(&self) -> Router {
        self.finish(internal_routes(), |router| router)
    }

    fn finish(
        &self,
        routes: OpenApiRouter<Self>,
        inner: impl FnOnce(Router<Self>) -> Router<Self>,
    ) -> Router {
        let router = routes
            .split_for_parts()
            .0
            .fallback(error::not_found)
            .method_not_allowed_fallback(error::method_not_allowed);
        inner(router)
            .layer(CatchPanicLayer::custom(panicked))
            .layer(from_fn_with_state(
                self.clone(),
                telemetry::request::observe,
            ))
            .with_state(self.clone())
    }
}

/// The public listener's routes and their document.
pub(crate) fn public_routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::public_base())
        .merge(documents::router())
        .merge(sync::router())
        .merge(profile::router())
        .merge(login::router())
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(openapi::public))
}

/// The internal listener's routes and their document.
pub(crate) fn internal_routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::internal_base())
        .merge(internal::router())
        .routes(routes!(feed::handler))
        .routes(routes!(metrics))
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(openapi::internal))
}

/// `GET /metrics`, for Prometheus.
#[utoipa::path(
    get, path = "/metrics", operation_id = "metrics", tag = "operation",
    responses(
        (status = 200, description = "The metrics, in the OpenMetrics text format", body = String,
            content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8"),
        openapi::Plain
    )
)]
async fn metrics(State(app): State<App>) -> Result<Response, ApiError> {
    let mut connection = app.database.read().await?;
    // Without login there is none.
    let sessions = match &app.login {
        Some(login) => {
            sessions::store::count_live(&mut connection, login.idle_millis(), app.now()).await?
        }
        None => 0,
    };
    let pending = profile::count_pending(&mut connection).await?;
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok((
        [(CONTENT_TYPE, content_type)],
        app.metrics.render(sessions, pending),
    )
        .into_response())
}

async fn limit_time(timeout: Duration, request: Request, next: Next) -> Response {
    tokio::time::timeout(timeout, next.run(request))
        .await
        .unwrap_or_else(|_| ApiError::TimedOut.into_response())
}

/// The panic's own text may quote anything: it is not repeated.
fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    ApiError::Internal("a handler panicked").into_response()
}
