//! One HTTP stream: what of it the module may see now, and how far each direction has come.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use crate::headers::Headers;
use crate::response::{LocalReply, Response, split_status};

/// The state of a stream; the module's hostcalls and the test's handle look at the same one.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct StreamState {
    pub(crate) context: u32,
    pub(crate) generation: u64,
    pub(crate) request: Direction,
    pub(crate) response: Direction,
    /// Attributes the test set, keyed by their NUL-separated path.
    pub(crate) properties: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Filter state written by `proxy_set_property`, keyed by its path (Envoy prefixes `wasm.`).
    pub(crate) filter_state: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(crate) source: (String, u16),
    pub(crate) tls: bool,
    pub(crate) connection_id: u64,
    pub(crate) started: u64,
    /// The module asked for a local reply; a second one is refused.
    pub(crate) local_reply_held: bool,
    /// The reply that is being, or was, sent.
    pub(crate) local_reply: Option<LocalReply>,
    pub(crate) in_access_log: bool,
    pub(crate) reset: bool,
    pub(crate) finished: bool,
    pub(crate) fuel: u64,
}

/// One direction of a stream.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Direction {
    pub(crate) headers: Headers,
    pub(crate) headers_open: bool,
    pub(crate) trailers: Headers,
    pub(crate) trailers_open: bool,
    /// What the body hostcalls see: the current piece, and what was held back before it.
    pub(crate) buffer: Vec<u8>,
    pub(crate) body_open: bool,
    pub(crate) pieces: VecDeque<Vec<u8>>,
    /// The body that went on.
    pub(crate) passed: Vec<u8>,
    pub(crate) step: Step,
    /// Waits for `proxy_continue_stream`.
    pub(crate) stopped: bool,
    /// The body callback held its piece back.
    pub(crate) holding: bool,
}

/// What the filter sees next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Step {
    #[default]
    Idle,
    Headers,
    Body,
    Trailers,
    Done,
}

/// Where a stream stands.
#[derive(Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The whole request went on to the upstream.
    Continued {
        /// The headers the upstream sees.
        headers: Headers,
        /// The body the upstream sees.
        body: Vec<u8>,
        /// The trailers the upstream sees.
        trailers: Headers,
    },
    /// The module holds the stream until it calls `proxy_continue_stream` or replies.
    Paused,
    /// The proxy answered itself.
    LocalReply(LocalReply),
    /// The stream was reset (`proxy_close_stream`): the client sees a broken connection.
    Reset,
}

impl Outcome {
    /// The status of a local reply.
    pub fn status(&self) -> Option<u16> {
        self.local_reply().map(|reply| reply.status)
    }

    /// The local reply, if it is one.
    pub fn local_reply(&self) -> Option<&LocalReply> {
        if let Self::LocalReply(reply) = self {
            Some(reply)
        } else {
            None
        }
    }

    /// The headers the upstream sees, if the request went on.
    pub fn upstream_headers(&self) -> Option<&Headers> {
        if let Self::Continued { headers, .. } = self {
            Some(headers)
        } else {
            None
        }
    }
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Continued {
                headers,
                body,
                trailers,
            } => f
                .debug_struct("Continued")
                .field("headers", headers)
                .field("body", &String::from_utf8_lossy(body))
                .field("trailers", trailers)
                .finish(),
            Self::Paused => f.write_str("Paused"),
            Self::LocalReply(reply) => reply.fmt(f),
            Self::Reset => f.write_str("Reset"),
        }
    }
}

impl Direction {
    /// Sets up a message for the filter to see.
    pub(crate) fn load(&mut self, headers: Headers, pieces: Vec<Vec<u8>>, trailers: Headers) {
        let pieces = pieces
            .into_iter()
            .filter(|piece| !piece.is_empty())
            .collect();
        *self = Self {
            headers,
            pieces,
            trailers,
            step: Step::Headers,
            ..Self::default()
        };
    }

    /// Whether nothing is left to see and nothing is held back.
    pub(crate) fn complete(&self) -> bool {
        self.step == Step::Done && !self.stopped && !self.holding
    }

    /// The step after the current one.
    pub(crate) fn following(&self) -> Step {
        if !self.pieces.is_empty() {
            Step::Body
        } else if self.trailers.is_empty() || self.step == Step::Trailers {
            Step::Done
        } else {
            Step::Trailers
        }
    }

    /// Lets what is held back go on.
    pub(crate) fn release(&mut self) {
        self.stopped = false;
        self.holding = false;
        self.body_open = false;
        let held = std::mem::take(&mut self.buffer);
        self.passed.extend(held);
    }

    /// Hides the message from the module.
    pub(crate) fn close(&mut self) {
        self.headers_open = false;
        self.body_open = false;
        self.trailers_open = false;
    }
}

impl StreamState {
    /// Whether no further callback of the request direction may come.
    pub(crate) fn is_over(&self) -> bool {
        self.local_reply.is_some() || self.reset || self.finished
    }

    /// Where the stream stands.
    pub(crate) fn outcome(&self) -> Outcome {
        if self.reset {
            Outcome::Reset
        } else if let Some(reply) = &self.local_reply {
            if !self.response.complete() {
                return Outcome::Paused;
            }
            let (status, headers) = split_status(self.response.headers.clone());
            let body = self.response.passed.clone();
            Outcome::LocalReply(LocalReply {
                status,
                headers,
                body,
                ..reply.clone()
            })
        } else if self.request.complete() {
            Outcome::Continued {
                headers: self.request.headers.clone(),
                body: self.request.passed.clone(),
                trailers: self.request.trailers.clone(),
            }
        } else {
            Outcome::Paused
        }
    }

    /// What the client has been sent, once it has been sent completely.
    pub(crate) fn client_response(&self) -> Option<Response> {
        if self.reset || !self.response.complete() {
            return None;
        }
        let (status, headers) = split_status(self.response.headers.clone());
        let (body, trailers) = (self.response.passed.clone(), self.response.trailers.clone());
        Some(Response {
            status,
            headers,
            body,
            trailers,
        })
    }
}
