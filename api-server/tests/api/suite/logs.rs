//! The log as an operator reads it: JSON lines, each with the ids of its request, none with a secret.

use std::io;
use std::sync::{Arc, Mutex};

use axum::http::{Method, StatusCode};
use serde_json::Value;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

use super::login::Site;
use super::provider::Misbehaviour;
use super::server::Server;

/// What is logged on this thread, which runs all of a test, at every level.
pub(crate) struct Logs {
    text: Captured,
    _guard: DefaultGuard,
}

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Captured {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

impl Logs {
    pub(crate) fn capture() -> Self {
        let text = Captured::default();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .with_max_level(tracing::Level::TRACE)
            .with_writer(text.clone())
            .finish();
        Self {
            text,
            _guard: tracing::subscriber::set_default(subscriber),
        }
    }

    /// All lines so far, which are then forgotten.
    pub(crate) fn take(&self) -> Vec<Value> {
        let text = std::mem::take(&mut *self.text.0.lock().unwrap());
        String::from_utf8(text)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// Our own lines: libraries log at finer levels than any operator can ask for.
fn ours(lines: Vec<Value>) -> Vec<Value> {
    let is_ours = |line: &Value| {
        let target = line["target"].as_str().unwrap();
        target.starts_with("api_server") || target == "audit"
    };
    lines.into_iter().filter(is_ours).collect()
}

#[tokio::test]
async fn a_refused_id_token_is_logged_with_its_reason_and_nothing_of_what_it_says() {
    let site = Site::start().await;
    let logs = Logs::capture();
    for (misbehaviour, reason) in [
        (Misbehaviour::OtherNonce, "nonce"),
        (Misbehaviour::OtherAudience, "audience"),
        (Misbehaviour::Unsigned, "signature"),
    ] {
        let mut browser = super::login::Browser::default();
        let (code, state) = browser.begin(&site, "auth0|u").await;
        site.provider.misbehave(misbehaviour);
        logs.take();
        let path = format!("/api/v1/auth/callback?code={code}&state={state}");
        let reply = browser.send(site.server.get(&path)).await;
        site.provider.misbehave(Misbehaviour::None);
        assert_eq!(reply.status, StatusCode::FOUND);
        let lines = ours(logs.take());
        let refused: Vec<_> = lines
            .iter()
            .filter(|line| line["message"] == "an ID token was refused")
            .collect();
        assert_eq!(refused.len(), 1, "{misbehaviour:?}: {lines:?}");
        assert_eq!(refused[0]["reason"], reason, "{misbehaviour:?}");
        assert_eq!(refused[0]["level"], "INFO");
        let text = serde_json::to_string(&lines).unwrap();
        for secret in [
            "eyJ",
            "user@example.com",
            "another-client",
            code.as_str(),
            state.as_str(),
        ] {
            assert!(!text.contains(secret), "{misbehaviour:?}: {text}");
        }
    }
}

/// One search by the id of the edge's decision, of a request or of a trace finds everything that happened.
#[tokio::test]
async fn every_line_of_a_request_carries_its_id_and_those_of_the_edges_decision_and_the_trace() {
    let site = Site::start().await;
    let mut browser = site.log_in("auth0|u").await;
    let logs = Logs::capture();
    for (method, path, messages) in [
        (
            Method::POST,
            "/api/v1/auth/refresh",
            ["audit", "request"].as_slice(),
        ),
        (
            Method::POST,
            "/api/v1/auth/logout",
            ["audit", "request"].as_slice(),
        ),
        (
            Method::POST,
            "/api/v1/auth/refresh",
            ["authentication was refused", "request"].as_slice(),
        ),
    ] {
        let call = site
            .server
            .request(method, path)
            .header("x-request-id", "request-1")
            .header(edge_auth_policy::decision_id::HEADER, "decision-1")
            .header("traceparent", TRACEPARENT);
        browser.send(call).await;
        let lines = ours(logs.take());
        let said: Vec<_> = lines.iter().map(|line| &line["message"]).collect();
        assert_eq!(said, messages, "{path}");
        for line in &lines {
            let span = &line["span"];
            assert_eq!(span["request_id"], "request-1", "{line}");
            assert_eq!(span["decision_id"], "decision-1", "{line}");
            assert_eq!(span["trace_id"], TRACE_ID, "{line}");
            assert_eq!(span["parent_span_id"], "b7ad6b7169203331", "{line}");
        }
    }
}

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const TRACE_ID: &str = "0af7651916cd43dd8448eb211c80319c";

/// What a client writes into the header neither fails a request nor reaches the log, unless it is a trace (W3C Trace
/// Context §3.2.2.3).
#[tokio::test]
async fn a_malformed_traceparent_is_ignored() {
    let server = Server::start().await;
    let logs = Logs::capture();
    for value in ["forged-line", &TRACEPARENT.to_uppercase(), "00-forged-01"] {
        let call = server.get("/healthz").header("traceparent", value);
        assert_eq!(call.send().await.status, StatusCode::OK);
        let lines = ours(logs.take());
        assert_eq!(lines.len(), 1, "{lines:?}");
        let span = lines[0]["span"].as_object().unwrap();
        assert!(span.contains_key("request_id"), "{span:?}");
        assert!(!span.contains_key("trace_id"), "{span:?}");
        assert!(!span.contains_key("parent_span_id"), "{span:?}");
        let text = lines[0].to_string().to_lowercase();
        assert!(
            !text.contains("forged") && !text.contains(TRACE_ID),
            "{text}"
        );
    }
}
