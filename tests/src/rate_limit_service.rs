//! A rate limit service as Envoy calls one (`envoy/service/ratelimit/v3/rls.proto`): gRPC over plain HTTP/2, one method.
//!
//! What it answers is the test's: a counter, a fixed verdict, an error, or nothing at all.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, Request, Response};
use edge_auth_policy::protobuf::{Fields, Message, Value};
use edge_auth_policy::rate_limit::service::{METHOD, SERVICE};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    body::{Body, Incoming},
    server::conn::http2,
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

/// The entries of one descriptor, in order.
pub type Descriptor = Vec<(String, String)>;

/// A running service. Dropped, it stops.
#[derive(Debug)]
pub struct RateLimitService {
    address: SocketAddr,
    calls: Arc<AtomicU64>,
    serving: JoinHandle<()>,
}

/// What is said of one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A verdict for each descriptor, in their order.
    Verdicts(Vec<Verdict>),
    /// A gRPC status other than 0.
    Status(u32),
    /// Nothing, ever.
    Silence,
}

/// What is said of one descriptor: that its rule allows `requests` an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the limit is used up.
    pub over_limit: bool,
    /// How many the rule allows in an hour.
    pub requests: u32,
    /// How many of them are left.
    pub remaining: u32,
    /// When the window ends, in seconds.
    pub reset_seconds: u32,
}

type Limiter = dyn Fn(&str, &[Descriptor]) -> Answer + Send + Sync;

impl RateLimitService {
    /// Starts a service on a free loopback port, which answers each question (a domain and descriptors) as `limiter`
    /// does.
    pub async fn start(
        limiter: impl Fn(&str, &[Descriptor]) -> Answer + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let calls = Arc::new(AtomicU64::new(0));
        let service = Service {
            limiter: Arc::new(limiter),
            calls: Arc::clone(&calls),
        };
        let serving = tokio::spawn(accept(listener, service));
        Ok(Self {
            address,
            calls,
            serving,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many questions reached it.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }
}

impl Drop for RateLimitService {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

#[derive(Clone)]
struct Service {
    limiter: Arc<Limiter>,
    calls: Arc<AtomicU64>,
}

/// Accepts until it is aborted; the set of connections goes down with it.
async fn accept(listener: TcpListener, service: Service) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(connection(stream, service.clone()));
    }
}

async fn connection(stream: TcpStream, service: Service) {
    let answering = service_fn(move |request: Request<Incoming>| {
        let service = service.clone();
        async move { service.answer(request).await }
    });
    // A connection that ends early is Envoy's business.
    let _ended = http2::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), answering)
        .await;
}

impl Service {
    async fn answer(
        self,
        request: Request<Incoming>,
    ) -> hyper::Result<Response<impl Body<Data = Bytes, Error = Infallible>>> {
        let is_ours = request.uri().path() == format!("/{SERVICE}/{METHOD}");
        let body = request.into_body().collect().await?.to_bytes();
        self.calls.fetch_add(1, Ordering::Relaxed);
        let question = body.get(FRAME_HEAD_BYTES..).and_then(question);
        let answer = match question {
            Some((domain, descriptors)) if is_ours => (self.limiter)(&domain, &descriptors),
            Some(_) => Answer::Status(UNIMPLEMENTED),
            None => Answer::Status(INVALID_ARGUMENT),
        };
        let (status, frame) = match answer {
            Answer::Verdicts(verdicts) => (0, framed(&response(&verdicts))),
            Answer::Status(status) => (status, Bytes::new()),
            Answer::Silence => std::future::pending().await,
        };
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from(status));
        let body = Full::new(frame).with_trailers(std::future::ready(Some(Ok(trailers))));
        let mut response = Response::new(body);
        let content_type = HeaderValue::from_static("application/grpc");
        response.headers_mut().insert("content-type", content_type);
        Ok(response)
    }
}

/// The domain and the descriptors of a `RateLimitRequest`.
fn question(message: &[u8]) -> Option<(String, Vec<Descriptor>)> {
    let domain = texts(message, 1)?.pop()?;
    let descriptors = nested(message, 2)?.into_iter().map(|descriptor| {
        let entries = nested(descriptor, 1)?.into_iter().map(|entry| {
            let key = texts(entry, 1)?.pop()?;
            Some((key, texts(entry, 2)?.pop().unwrap_or_default()))
        });
        entries.collect()
    });
    Some((domain, descriptors.collect::<Option<_>>()?))
}

fn texts(message: &[u8], number: u32) -> Option<Vec<String>> {
    let texts = nested(message, number)?.into_iter();
    texts
        .map(|bytes| String::from_utf8(bytes.to_vec()).ok())
        .collect()
}

fn nested(message: &[u8], number: u32) -> Option<Vec<&[u8]>> {
    let mut found = Vec::new();
    for field in Fields::new(message) {
        match field.ok()? {
            (of, Value::Bytes(bytes)) if of == number => found.push(bytes),
            _ => {}
        }
    }
    Some(found)
}

/// A `RateLimitResponse`.
fn response(verdicts: &[Verdict]) -> Vec<u8> {
    let code = |over_limit| if over_limit { OVER_LIMIT } else { OK };
    let overall = verdicts.iter().any(|verdict| verdict.over_limit);
    let statuses = verdicts.iter().map(|verdict| {
        let limit = Message::default()
            .varint(1, verdict.requests.into())
            .varint(2, HOUR);
        let until_reset = Message::default().varint(1, verdict.reset_seconds.into());
        Message::default()
            .varint(1, code(verdict.over_limit))
            .message(2, &limit)
            .varint(3, verdict.remaining.into())
            .message(4, &until_reset)
    });
    let response = Message::default().varint(1, code(overall));
    statuses
        .fold(response, |response, status| response.message(2, &status))
        .finish()
}

/// A gRPC message in its frame: not compressed, its length, itself.
fn framed(message: &[u8]) -> Bytes {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    [&[0], &length.to_be_bytes()[..], message].concat().into()
}

const FRAME_HEAD_BYTES: usize = 5;
const OK: u64 = 1;
const OVER_LIMIT: u64 = 2;
const HOUR: u64 = 3;
const INVALID_ARGUMENT: u32 = 3;
const UNIMPLEMENTED: u32 = 12;
