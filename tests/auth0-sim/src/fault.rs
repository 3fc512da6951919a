//! What an identity provider's endpoint can do wrong, on demand.
//!
//! A fault is armed for one path and stays until it is cleared, or for a number of requests. Each one is something a
//! resource server has met in the wild: an outage page, a hanging upstream, a proxy that answers HTML with 200, a
//! body far too large, a key set that contradicts itself.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    http::{HeaderValue, Response, StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
};
use hyper::body::Frame;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Key, SigningKey};

/// One way for an endpoint to misbehave. In the control endpoint's JSON: `"html"`, `{"status": 500}`, ….
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Answers with this status and a small JSON error.
    Status(u16),
    /// Answers 429 as the Management API does, with this many seconds in `Retry-After`.
    TooManyRequests(u64),
    /// Answers as usual after this many milliseconds.
    DelayMs(u64),
    /// Answers 200 with an HTML page.
    Html,
    /// Answers 200 with a valid key set padded to 10 MB.
    Huge,
    /// Answers 200 with a key set in which every `kid` appears twice, the second time with another key.
    DuplicateKid,
    /// Answers 200 with a key set without keys.
    EmptySet,
    /// Answers 200 and `application/json`, with bytes that are neither JSON nor UTF-8.
    Garbage,
    /// Answers as usual under this `Content-Type`.
    ContentType(String),
    /// Answers 200 and `application/json`, with this text.
    Body(String),
    /// Closes the connection without a byte of an answer.
    Close,
    /// Closes the connection in the middle of the body.
    Truncate,
}

impl Fault {
    /// How long the answer is held back.
    pub(crate) fn delay(&self) -> Duration {
        match self {
            Self::DelayMs(millis) => Duration::from_millis(*millis),
            _ => Duration::ZERO,
        }
    }

    /// The answer in place of the endpoint's own, where the fault has one.
    pub(crate) fn response(&self, published: &[SigningKey]) -> Option<Response<Body>> {
        Some(match self {
            Self::DelayMs(_) | Self::ContentType(_) => return None,
            Self::Status(status) => {
                let status =
                    StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                (
                    status,
                    json_body(json!({"error": "simulated_fault"}).to_string()),
                )
                    .into_response()
            }
            Self::TooManyRequests(seconds) => (
                StatusCode::TOO_MANY_REQUESTS,
                [
                    ("retry-after", seconds.to_string()),
                    ("x-ratelimit-limit", "10".to_owned()),
                    ("x-ratelimit-remaining", "0".to_owned()),
                ],
                json_body(
                    json!({"statusCode": 429, "error": "Too Many Requests",
                        "message": "Global limit has been reached", "errorCode": "too_many_requests"})
                    .to_string(),
                ),
            )
                .into_response(),
            Self::Html => axum::response::Html(HTML).into_response(),
            Self::Huge => {
                let mut set = jwk_set(published);
                set["padding"] = "x".repeat(HUGE_BYTES).into();
                json_body(set.to_string())
            }
            Self::DuplicateKid => json_body(with_duplicates(published).to_string()),
            Self::EmptySet => json_body(json!({"keys": []}).to_string()),
            Self::Garbage => json_body(&b"\xff\xfe{\"keys\":[\x00"[..]),
            Self::Body(text) => json_body(text.clone()),
            Self::Close => {
                let mut response = Response::new(Body::empty());
                response.extensions_mut().insert(CloseConnection);
                response
            }
            Self::Truncate => {
                let mut response = json_body("");
                *response.body_mut() = Body::new(Truncated::Start);
                response
            }
        })
    }

    /// Bends the endpoint's own answer, where the fault lets it through.
    pub(crate) fn bend(&self, response: &mut Response<Body>) {
        if let Self::ContentType(value) = self
            && let Ok(value) = HeaderValue::from_str(value)
        {
            response.headers_mut().insert(CONTENT_TYPE, value);
        }
    }
}

/// Marks a response that must never be sent: the connection is closed instead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CloseConnection;

/// A body that breaks off: a chunk, a pause in which it is flushed, an error that ends the connection.
#[derive(Clone, Copy, Debug)]
enum Truncated {
    Start,
    Flush,
    End,
}

impl HttpBody for Truncated {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match *self {
            Self::Start => {
                *self = Self::Flush;
                let chunk = Bytes::from_static(b"{\"keys\":[");
                Poll::Ready(Some(Ok(Frame::data(chunk))))
            }
            Self::Flush => {
                *self = Self::End;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Self::End => Poll::Ready(Some(Err(io::Error::other("truncated on demand")))),
        }
    }
}

/// The published key set (RFC 7517 §5).
pub(crate) fn jwk_set(published: &[SigningKey]) -> Value {
    json!({"keys": published.iter().map(SigningKey::jwk).collect::<Vec<_>>()})
}

fn with_duplicates(published: &[SigningKey]) -> Value {
    let twice = published.iter().flat_map(|key| {
        let other = SigningKey {
            key: Key::RsaUnknown,
            ..key.clone()
        };
        [key.jwk(), other.jwk()]
    });
    json!({"keys": twice.collect::<Vec<_>>()})
}

fn json_body(body: impl Into<Bytes>) -> Response<Body> {
    (
        [(CONTENT_TYPE, "application/json; charset=utf-8")],
        body.into(),
    )
        .into_response()
}

const HUGE_BYTES: usize = 10_000_000;
const HTML: &str = "<!DOCTYPE html><title>Sorry</title><p>We are down for maintenance.</p>";
