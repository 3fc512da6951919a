//! The application behind the edge: an echo that tells what reached it.
//!
//! It answers every request with 200 and, as JSON, the method, the request target and all header fields it saw, so
//! that a test can look at what the edge forwarded; and it counts, so that a test can say that nothing reached it.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{Json, Router, extract::Request, http::request::Parts};
use serde::{Deserialize, Serialize};
use tokio::{net::TcpListener, task::JoinHandle};

/// A running echo. Dropped, it stops.
#[derive(Debug)]
pub struct Echo {
    address: SocketAddr,
    requests: Arc<AtomicU64>,
    serving: JoinHandle<io::Result<()>>,
}

impl Echo {
    /// Starts an echo on a free loopback port.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let requests = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&requests);
        let router = Router::new().fallback(move |request: Request| {
            counted.fetch_add(1, Ordering::Relaxed);
            async move { Json(Seen::new(&request.into_parts().0)) }
        });
        let serving = tokio::spawn(axum::serve(listener, router).into_future());
        Ok(Self {
            address,
            requests,
            serving,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many requests reached it.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// A request as it reached the application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The method.
    pub method: String,
    /// Path and query, as they stood in the request line.
    pub path: String,
    /// The header fields in order, names in lower case; bytes that are not ASCII as the Latin-1 letters they are.
    pub headers: Vec<(String, String)>,
}

impl Seen {
    /// All values of a header, named in lower case.
    pub fn header(&self, name: &str) -> Vec<&str> {
        let fields = self.headers.iter().filter(|(field, _)| field == name);
        fields.map(|(_, value)| value.as_str()).collect()
    }

    fn new(request: &Parts) -> Self {
        let headers = request.headers.iter().map(|(name, value)| {
            let value = value.as_bytes().iter().copied().map(char::from).collect();
            (name.as_str().to_owned(), value)
        });
        Self {
            method: request.method.to_string(),
            path: request.uri.to_string(),
            headers: headers.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client;

    #[tokio::test]
    async fn tells_what_reached_it_and_counts() {
        let echo = Echo::start().await.unwrap();
        let request = client::Request::get("/a%2Fb?c=d")
            .header("x-twice", "1")
            .header("X-Twice", b"\xe9");
        let seen: Seen = request.send(echo.address()).await.unwrap().json().unwrap();
        assert_eq!(
            (seen.method.as_str(), seen.path.as_str()),
            ("GET", "/a%2Fb?c=d")
        );
        assert_eq!(seen.header("x-twice"), ["1", "é"]);
        assert_eq!(echo.requests(), 1);
    }
}
