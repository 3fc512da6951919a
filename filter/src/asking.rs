//! The requests of this worker that the rate limit service is asked about: a bounded line.

use std::rc::Rc;
use std::time::Duration;

use edge_auth_policy::pipeline::Held;
use edge_auth_policy::time::UnixTime;

use crate::waiting::{MAX_WAITING, SharedStream};

/// One request whose answer is under way.
#[derive(Debug)]
pub(crate) struct Asked {
    /// The host's name for the call.
    token: u32,
    pub(crate) stream: u32,
    pub(crate) shared: SharedStream,
    pub(crate) held: Box<Held>,
    since: UnixTime,
}

/// All of them, oldest first. An answer that comes twice, or late, or for a stream that is gone, finds nothing here.
#[derive(Debug, Default)]
pub(crate) struct Asking(Vec<Asked>);

impl Asking {
    /// Whether no more may be held.
    pub(crate) fn is_full(&self) -> bool {
        self.0.len() >= MAX_WAITING
    }

    pub(crate) fn push(
        &mut self,
        token: u32,
        stream: u32,
        shared: &SharedStream,
        held: Box<Held>,
        since: UnixTime,
    ) {
        self.0.push(Asked {
            token,
            stream,
            shared: Rc::clone(shared),
            held,
            since,
        });
    }

    /// The request that this call is about.
    pub(crate) fn take(&mut self, token: u32) -> Option<Asked> {
        let place = self.0.iter().position(|asked| asked.token == token)?;
        Some(self.0.remove(place))
    }

    /// Takes out those for which the host should have said long ago that the call timed out, and those from before
    /// the clock stepped back.
    pub(crate) fn take_overdue(&mut self, timeout: Duration, now: UnixTime) -> Vec<Asked> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let longest = timeout.saturating_add(GRACE);
        let (overdue, rest) = std::mem::take(&mut self.0)
            .into_iter()
            .partition(|asked| asked.since.saturating_add(longest) <= now || asked.since > now);
        self.0 = rest;
        overdue
    }

    /// Forgets a request that is gone. Its call goes on, and is counted.
    pub(crate) fn forget(&mut self, stream: u32) {
        self.0.retain(|asked| asked.stream != stream);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// How much later than its timeout an answer may come: the host keeps the timeout, this is for one that does not.
const GRACE: Duration = Duration::from_secs(1);
