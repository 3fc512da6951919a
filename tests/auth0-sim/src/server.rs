//! The listening socket: starting, stopping and coming back on the same port.
//!
//! The simulation accepts connections itself rather than through `axum::serve`, because two things a test needs are
//! below axum: closing a connection without an answer, and ending every connection at once when the tenant goes down.
//! It speaks HTTP/1.1 without TLS.

use std::{io, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{MatchedPath, Request, State},
    http::Response,
    middleware::{self, Next},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};
use tower::ServiceExt;

use crate::{
    Client, Fault, PathStats, SigningKey, TokenBuilder, fault::CloseConnection, routes,
    state::Tenant,
};

/// How a simulated tenant is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// What `iss` says, with the trailing slash Auth0 issues; `None` is `http://<address>/`.
    ///
    /// The endpoints that discovery names lie under it, as with a real tenant.
    pub issuer: Option<String>,
    /// `Cache-Control` of the key set; the default is what Auth0 sends.
    pub jwks_cache_control: Option<String>,
    /// Who may log users in; nobody by default.
    pub clients: Vec<Client>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            issuer: None,
            jwks_cache_control: Some(
                "public, max-age=15, stale-while-revalidate=15, stale-if-error=86400".into(),
            ),
            clients: Vec::new(),
        }
    }
}

/// A tenant that is up. Dropped, it goes down at once, with all its connections.
#[derive(Debug)]
pub struct Auth0Sim {
    address: SocketAddr,
    tenant: Arc<Tenant>,
    serving: JoinHandle<()>,
}

/// A tenant that is down: nobody listens on its port. Keys, faults and counts are kept.
#[derive(Debug)]
pub struct Stopped {
    address: SocketAddr,
    tenant: Arc<Tenant>,
}

impl Auth0Sim {
    /// Starts a tenant.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind(options.listen).await?;
        let address = listener.local_addr()?;
        let issuer = options
            .issuer
            .unwrap_or_else(|| format!("http://{address}/"));
        let tenant = Arc::new(Tenant::new(
            issuer,
            options.jwks_cache_control,
            options.clients,
        ));
        Ok(Self::serve(listener, address, tenant))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What its tokens name as `iss`.
    pub fn issuer(&self) -> &str {
        &self.tenant.issuer
    }

    /// A valid token as the tenant issues it now, with the key it signs with now.
    pub fn token(&self) -> TokenBuilder {
        self.tenant.token()
    }

    /// Publishes a new key and signs with it; the old one stays published.
    pub fn rotate(&self) -> SigningKey {
        self.tenant.lock().keys.rotate()
    }

    /// Publishes a key; what signs stays.
    pub fn publish(&self, key: impl Into<SigningKey>) {
        self.tenant.lock().keys.publish(key.into());
    }

    /// Takes a key out of the published set, and says whether it was there; what signs stays.
    pub fn withdraw(&self, kid: &str) -> bool {
        self.tenant.lock().keys.withdraw(kid)
    }

    /// Signs with this key from now on; what is published stays.
    pub fn sign_with(&self, key: impl Into<SigningKey>) {
        self.tenant.lock().keys.sign_with(key.into());
    }

    /// Breaks a path until [`Self::clear_faults`].
    pub fn fault(&self, path: &str, fault: Fault) {
        self.tenant.lock().arm(path, fault, None);
    }

    /// Breaks a path for its next requests.
    pub fn fault_times(&self, path: &str, fault: Fault, times: u32) {
        self.tenant.lock().arm(path, fault, Some(times));
    }

    /// Mends every path.
    pub fn clear_faults(&self) {
        self.tenant.lock().clear_faults();
    }

    /// The requests a path has seen.
    pub fn requests(&self, path: &str) -> PathStats {
        self.tenant.lock().stats.of(path)
    }

    /// Adds a user to what the Management API knows, or puts another in their place.
    pub fn add_user(&self, user_id: &str, profile: &serde_json::Value) {
        let mut profile = profile.as_object().cloned().unwrap_or_default();
        profile.insert("user_id".into(), user_id.into());
        self.tenant.lock().users.insert(user_id.into(), profile);
    }

    /// What the Management API knows of a user.
    pub fn user(&self, user_id: &str) -> Option<serde_json::Value> {
        self.tenant
            .lock()
            .users
            .get(user_id)
            .cloned()
            .map(Into::into)
    }

    /// Makes every Management API token issued so far worthless, as when its client's grant is changed.
    pub fn revoke_management_tokens(&self) {
        self.tenant.lock().management_tokens.clear();
    }

    /// Goes down: the port is closed and every connection ends.
    pub async fn stop(mut self) -> Stopped {
        self.serving.abort();
        // An aborted task gives an error; what matters is that it, and its listener with it, is gone.
        let _aborted = (&mut self.serving).await;
        Stopped {
            address: self.address,
            tenant: Arc::clone(&self.tenant),
        }
    }

    fn serve(listener: TcpListener, address: SocketAddr, tenant: Arc<Tenant>) -> Self {
        let router = routes::router(Arc::clone(&tenant)).layer(middleware::from_fn_with_state(
            Arc::clone(&tenant),
            count_and_break,
        ));
        let serving = tokio::spawn(accept(listener, router));
        Self {
            address,
            tenant,
            serving,
        }
    }
}

impl Drop for Auth0Sim {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Stopped {
    /// Where it listened, and will again.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A valid token, as [`Auth0Sim::token`] gives it.
    pub fn token(&self) -> TokenBuilder {
        self.tenant.token()
    }

    /// Comes back on the same port.
    pub async fn start(self) -> io::Result<Auth0Sim> {
        let listener = TcpListener::bind(self.address).await?;
        Ok(Auth0Sim::serve(listener, self.address, self.tenant))
    }
}

/// Accepts until it is aborted; the set of connections goes down with it.
async fn accept(listener: TcpListener, router: Router) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(connection(stream, router.clone()));
                }
            }
            Some(_ended) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, router: Router) {
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let router = router.clone();
        async move {
            let Ok(response) = router.oneshot(request).await;
            if response.extensions().get::<CloseConnection>().is_some() {
                return Err(Closed);
            }
            Ok(response)
        }
    });
    // A connection that ends early is the client's business, or the fault that was asked for.
    let _ended = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// The error that makes hyper drop a connection where a response would be due.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("closed on demand")]
struct Closed;

async fn count_and_break(
    State(tenant): State<Arc<Tenant>>,
    path: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let Some((fault, published)) = tenant.arrival(path.as_ref().map(MatchedPath::as_str)) else {
        return next.run(request).await;
    };
    tokio::time::sleep(fault.delay()).await;
    if let Some(response) = fault.response(&published) {
        return response;
    }
    let mut response = next.run(request).await;
    fault.bend(&mut response);
    response
}
