//! One server from start to end.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::watch;

use crate::app::{App, StartError};
use crate::clock::SystemClock;
use crate::config::Settings;
use crate::server::Listener;

/// Why a server did not run to a clean end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// An address can't be listened on.
    #[error("can't listen on {address}: {source}")]
    Bind {
        /// The address of the settings.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// Requests were still running when the deadline passed.
    #[error("requests were still running after the shutdown deadline")]
    Deadline,
}

/// Serves until `stop` turns true. `ready` is told the public and the internal address that were bound.
///
/// # Errors
/// The server can't start, or doesn't stop in time.
pub async fn run(
    settings: Settings,
    stop: watch::Receiver<bool>,
    ready: impl FnOnce(SocketAddr, SocketAddr),
) -> Result<(), Error> {
    let app = App::start(&settings, Arc::new(SystemClock)).await?;
    let (public, public_address) =
        bind(settings.listen, app.router(), settings.max_connections).await?;
    let (internal, internal_address) = bind(
        settings.internal_listen,
        app.internal_router(),
        INTERNAL_MAX_CONNECTIONS,
    )
    .await?;
    tracing::info!(
        %public_address,
        %internal_address,
        database = settings.database_url.engine(),
        "serving"
    );
    ready(public_address, internal_address);
    let stopping = {
        let (app, mut stop) = (app.clone(), stop.clone());
        async move {
            let _ = stop.wait_for(|stop| *stop).await;
            tracing::info!("stopping");
            app.stop();
        }
    };
    let deadline = settings.shutdown_timeout;
    let (public, internal, ()) = tokio::join!(
        public.serve(stop.clone(), deadline),
        internal.serve(stop, deadline),
        stopping
    );
    app.database.close().await;
    if public && internal {
        tracing::info!("stopped");
        Ok(())
    } else {
        Err(Error::Deadline)
    }
}

async fn bind(
    address: SocketAddr,
    router: axum::Router,
    max_connections: usize,
) -> Result<(Listener, SocketAddr), Error> {
    let bound = async {
        let listener = Listener::bind(address, router, max_connections).await?;
        let address = listener.address()?;
        Ok((listener, address))
    };
    bound
        .await
        .map_err(|source| Error::Bind { address, source })
}

/// A few probes, scrapers and edges; they must get through when the public listener is full.
const INTERNAL_MAX_CONNECTIONS: usize = 256;
