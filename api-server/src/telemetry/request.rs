//! The span around every request, its one log line, and the ids that tie ours to the edge's: the request's, the
//! decision's, and the trace's.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use edge_auth_policy::decision_id;
use tracing::Instrument as _;
use uuid::Uuid;

use super::traceparent::TraceParent;
use crate::app::App;

/// The id of one request, chosen by the edge or by us; echoed in the reply.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id under which the edge logged its decision on this request.
pub const X_DECISION_ID: HeaderName = HeaderName::from_static(decision_id::HEADER);

/// Opens the span, times the request, writes the line.
pub async fn observe(State(app): State<App>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let request_id = id(request.headers(), &X_REQUEST_ID).unwrap_or_else(|| new_id().to_string());
    let decision_id = id(request.headers(), &X_DECISION_ID);
    let method = request.method().clone();
    // The template, not the path: bounded, and free of what clients put into paths.
    let route = request.extensions().get::<MatchedPath>().cloned();
    let trace = TraceParent::read(request.headers());
    let span = tracing::info_span!(
        "request",
        request_id,
        decision_id,
        trace_id = trace.map(|trace| trace.trace_id),
        parent_span_id = trace.map(|trace| trace.parent_id),
    );
    async move {
        let mut response = next.run(request).await;
        if let Ok(value) = HeaderValue::try_from(request_id) {
            response.headers_mut().insert(X_REQUEST_ID, value);
        }
        let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
        let (status, took) = (response.status().as_u16(), started.elapsed());
        app.metrics.request(known(&method), route, status, took);
        tracing::info!(
            method = method.as_str(),
            route,
            status,
            duration_ms = took.as_secs_f64() * 1e3,
            "request"
        );
        response
    }
    .instrument(span)
    .await
}

/// A UUID version 4 of this thread's generator: `Uuid::new_v4` asks the system each time.
fn new_id() -> Uuid {
    uuid::Builder::from_random_bytes(rand::random()).into_uuid()
}

/// The method as a label: clients can invent as many as they like.
fn known(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN
        .into_iter()
        .find(|known| *known == method.as_str())
        .unwrap_or("other")
}

/// An id another hop gave, if it is one: it ends up in our log, so nothing but id characters is taken.
fn id(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let id = headers.get(name)?.to_str().ok()?;
    let is_id = (1..=128).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':'));
    is_id.then(|| id.to_owned())
}
