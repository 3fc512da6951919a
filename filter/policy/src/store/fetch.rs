//! An HTTP request that one worker makes for all, and what may come back. Sending it is the adapter's part.

use std::time::Duration;

use crate::request::HeaderField;

/// A GET request to send now; its answer belongs to the state machine that asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// Names this request: handed back with the answer, so that a late answer to an abandoned request is
    /// recognised (CVE-2026-48090 is what happens otherwise).
    pub id: FetchId,
    /// What is asked for.
    pub kind: FetchKind,
    /// The Envoy cluster it goes to; always from the configuration, never from a document.
    pub cluster: String,
    /// The `:authority`: host and, where it is not the default, port.
    pub authority: String,
    /// The `:path`: path and query.
    pub path: String,
    /// After this time without an answer, report a failure.
    pub timeout: Duration,
    /// A larger body is refused: more than one byte beyond this need not be taken from the host.
    pub max_body_bytes: usize,
}

/// What a tick brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Poll {
    /// Another worker fetched another content, and it is loaded here: drop what depends on the old one.
    pub changed: bool,
    /// A fetch ended since the last poll, well or badly: decide the requests that wait for it again.
    pub settled: bool,
    /// Send this request.
    pub fetch: Option<Fetch>,
}

/// What an answer brought; `F` says why it was not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<F> {
    /// Another content is loaded: drop what depends on the old one, decide waiting requests again.
    Changed,
    /// The same content, good for longer.
    Unchanged,
    /// Send the next request of this attempt.
    Continue(Fetch),
    /// Nothing new; what is loaded stays. To be logged, and waiting requests decided again.
    Failed(F),
    /// The answer to a request that was given up; nothing was done with it.
    Ignored,
}

/// Names one request of one state machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FetchId(pub(crate) u64, pub(crate) u8);

/// What a [`Fetch`] asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FetchKind {
    /// OpenID provider metadata (OpenID Connect Discovery 1.0 §4).
    Discovery,
    /// A JSON Web Key Set (RFC 7517 §5).
    Jwks,
    /// The feed of revocations.
    Revocations,
}

/// Where a document is, behind the cluster: `:authority` and `:path` of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// Host, and port where it is not the default one.
    pub authority: String,
    /// Path and query.
    pub path: String,
}

/// What came back, as it came: nothing checked.
#[derive(Clone, Copy, Debug)]
pub struct Response<'a> {
    /// `:status`.
    pub status: u16,
    /// The header fields, in order.
    pub headers: &'a [HeaderField<'a>],
    /// The body; of one that is larger than [`Fetch::max_body_bytes`], its beginning.
    pub body: &'a [u8],
}
