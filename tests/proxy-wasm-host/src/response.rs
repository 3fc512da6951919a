//! Responses: an upstream's, a call's, and Envoy's own ("local reply").

use std::fmt;

use crate::headers::Headers;

/// A response as an upstream sends it, or as the client sees it.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers without `:status`.
    pub headers: Headers,
    /// The whole body.
    pub body: Vec<u8>,
    /// The trailers.
    pub trailers: Headers,
}

/// A response that came from the proxy itself: from the module, or from Envoy because the VM failed.
#[derive(Clone, PartialEq, Eq)]
pub struct LocalReply {
    /// The status.
    pub status: u16,
    /// The headers as the client sees them, without `:status`.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
    /// Envoy's `%RESPONSE_CODE_DETAILS%`; spaces are underscores there.
    pub details: String,
    /// The gRPC status asked for; Envoy sends it to gRPC clients only.
    pub grpc_status: Option<u32>,
}

impl Response {
    /// An empty response.
    pub fn new(status: u16) -> Self {
        let (headers, trailers) = (Headers::new(), Headers::new());
        Self {
            status,
            headers,
            body: Vec::new(),
            trailers,
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.headers.add(name, value);
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Adds a trailer.
    #[must_use]
    pub fn trailer(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.trailers.add(name, value);
        self
    }

    /// The body as text, invalid UTF-8 replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The header map of this response, `:status` first.
    pub(crate) fn head(&self) -> Headers {
        with_status(self.status, &self.headers)
    }
}

impl LocalReply {
    /// The body as text, invalid UTF-8 replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// What Envoy answers when it can't serve a stream at all.
    pub(crate) fn unavailable(details: &str) -> Self {
        Self {
            status: 503,
            headers: Headers::new(),
            body: Vec::new(),
            details: details.to_owned(),
            grpc_status: Some(14),
        }
    }

    /// Completes a reply as Envoy does before it is encoded.
    ///
    /// A body gets its length and, unless the module named a type, `text/plain`; without one there is
    /// neither. The answer to HEAD loses its body. A gRPC client gets a trailers-only response instead.
    pub(crate) fn prepare(&mut self, request: &Headers) {
        if is_grpc(request) {
            let status = self.grpc_status.unwrap_or_else(|| grpc_status(self.status));
            self.headers.set("content-type", "application/grpc");
            self.headers.set("grpc-status", status.to_string());
            if !self.body.is_empty() {
                self.headers
                    .set("grpc-message", percent_encoded(&self.body));
            }
            self.headers.remove("content-length");
            self.status = 200;
            self.body.clear();
        } else if self.body.is_empty() {
            self.headers.remove("content-length");
            self.headers.remove("content-type");
        } else {
            self.headers
                .set("content-length", self.body.len().to_string());
            if !self.headers.contains("content-type") {
                self.headers.set("content-type", "text/plain");
            }
        }
        if request.get(":method") == Some(b"HEAD") {
            self.body.clear();
        }
    }

    /// The header map of this reply, `:status` first.
    pub(crate) fn head(&self) -> Headers {
        with_status(self.status, &self.headers)
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .field("body", &self.text())
            .field("trailers", &self.trailers)
            .finish()
    }
}

impl fmt::Debug for LocalReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalReply")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .field("body", &self.text())
            .field("details", &self.details)
            .field("grpc_status", &self.grpc_status)
            .finish()
    }
}

/// Splits `:status` from a response's map; a missing or unreadable one is 0.
pub(crate) fn split_status(mut headers: Headers) -> (u16, Headers) {
    let status = headers
        .text(":status")
        .and_then(|status| status.parse().ok())
        .unwrap_or(0);
    headers.remove(":status");
    (status, headers)
}

fn with_status(status: u16, headers: &Headers) -> Headers {
    let mut head = Headers::new();
    head.add(":status", status.to_string());
    for (name, value) in headers.iter() {
        head.add(name, value);
    }
    head
}

fn is_grpc(request: &Headers) -> bool {
    request.get("content-type").is_some_and(|content_type| {
        let rest = content_type.strip_prefix(b"application/grpc");
        rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+')))
    })
}

/// The gRPC status of an HTTP status, as gRPC's `http-grpc-status-mapping` has it.
fn grpc_status(status: u16) -> u32 {
    match status {
        400 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        429 | 502..=504 => 14,
        _ => 2,
    }
}

fn percent_encoded(message: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(message.len());
    for byte in message {
        if (b' '..=b'~').contains(byte) && *byte != b'%' {
            encoded.push(*byte);
        } else {
            encoded.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
    encoded
}
