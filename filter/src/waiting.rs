//! The requests of this worker that wait for keys: a bounded line, each with the time it gives up.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use edge_auth_policy::pipeline::ResponsePlan;
use edge_auth_policy::time::UnixTime;

/// A request waits at most this long for the first keys, or for the key its token names.
///
/// Long enough for one fetch with its timeout of 5 s by default, short enough that a client has not hung up.
pub(crate) const MAX_WAIT: Duration = Duration::from_secs(6);

/// At most this many requests wait on one worker: each holds a stream and its buffers in Envoy.
pub(crate) const MAX_WAITING: usize = 1024;

/// What a stream and the lines of requests that are held look at together.
pub(crate) type SharedStream = Rc<StreamState>;

/// What became of a request so far.
#[derive(Debug, Default)]
pub(crate) struct StreamState {
    /// Whether the decision to forward was carried out.
    pub(crate) released: Cell<bool>,
    /// What to do to its answer.
    pub(crate) response: RefCell<ResponsePlan>,
}

/// One request that waits.
#[derive(Debug)]
pub(crate) struct Waiter {
    pub(crate) stream: u32,
    pub(crate) shared: SharedStream,
    pub(crate) until: UnixTime,
}

impl Waiter {
    /// Whether its time is up. A clock that stepped back must not make it wait longer than it ever may.
    pub(crate) fn is_due(&self, now: UnixTime) -> bool {
        self.until <= now || self.until > now.saturating_add(MAX_WAIT)
    }
}

/// The line of waiting requests, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Waiting(Vec<Waiter>);

impl Waiting {
    /// Adds a request; `false` where the line is full.
    pub(crate) fn push(&mut self, stream: u32, shared: &SharedStream, now: UnixTime) -> bool {
        if self.0.len() >= MAX_WAITING {
            return false;
        }
        self.0.push(Waiter {
            stream,
            shared: Rc::clone(shared),
            until: now.saturating_add(MAX_WAIT),
        });
        true
    }

    /// Puts back a request that goes on waiting, with the time it already has.
    pub(crate) fn keep(&mut self, waiter: Waiter) {
        self.0.push(waiter);
    }

    /// Takes out everybody, because keys changed, or else those whose time is up.
    pub(crate) fn take(&mut self, everybody: bool, now: UnixTime) -> Vec<Waiter> {
        if everybody {
            return std::mem::take(&mut self.0);
        }
        let (due, rest) = std::mem::take(&mut self.0)
            .into_iter()
            .partition(|waiter| waiter.is_due(now));
        self.0 = rest;
        due
    }

    /// Forgets a request that is gone.
    pub(crate) fn forget(&mut self, stream: u32) {
        self.0.retain(|waiter| waiter.stream != stream);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
