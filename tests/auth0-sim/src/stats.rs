//! What was asked of the simulation: counts and times by path, so that a test can say "one fetch, not four".

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use serde::{Deserialize, Serialize};

/// The requests one path has seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathStats {
    /// How many requests came, faults included.
    pub count: u64,
    /// When the latest of them came, in milliseconds since the simulation started; at most 10,000 are kept.
    pub at_ms: VecDeque<u64>,
}

/// Requests by path; paths without an endpoint are counted together as `other`.
#[derive(Debug, Default)]
pub(crate) struct Stats(BTreeMap<String, PathStats>);

impl Stats {
    /// Counts a request that came `since_start` after the simulation started.
    pub(crate) fn record(&mut self, path: Option<&str>, since_start: Duration) {
        let of_path = self.0.entry(path.unwrap_or("other").into()).or_default();
        of_path.count += 1;
        if of_path.at_ms.len() == KEPT_TIMES {
            of_path.at_ms.pop_front();
        }
        let millis = u64::try_from(since_start.as_millis()).unwrap_or(u64::MAX);
        of_path.at_ms.push_back(millis);
    }

    pub(crate) fn of(&self, path: &str) -> PathStats {
        self.0.get(path).cloned().unwrap_or_default()
    }

    pub(crate) fn all(&self) -> &BTreeMap<String, PathStats> {
        &self.0
    }
}

const KEPT_TIMES: usize = 10_000;
