//! Audit: one line of JSON per denial and per sampled allow, and the same facts for Envoy's access log.
//!
//! Nothing is formatted that nobody will read: not when the proxy's log drops the level, not beyond so many lines a
//! second. What is left out is counted, and the next line says how much it was. No token, cookie, query or path
//! is ever in a line: a path can carry a reset code as well as a query can. The rule's name says where it was.

mod line;
mod subject;

pub use line::{Outcome, SCHEMA_VERSION};
pub(crate) use line::{Record, printable};
pub use subject::{SubjectForm, SubjectKey};

use std::num::NonZeroU32;

use crate::jwt::VerifiedClaims;
use crate::sampler::Sampler;
use crate::store::seed::Seed;
use crate::time::UnixTime;
use subject::ShownSubject;

/// What is written, and how.
#[derive(Clone, Debug)]
pub struct AuditSettings {
    /// How many of a hundred requests that are let through get a line.
    pub allowed_sample_percent: u8,
    /// Lines a second per worker; `None` writes none.
    pub max_lines_per_second: Option<NonZeroU32>,
    /// How a subject is shown.
    pub subject: SubjectForm,
    /// The environment variable that holds the key of hashed subjects.
    pub subject_key_env: Option<Box<str>>,
    /// The key, once it was looked up.
    pub subject_key: Option<SubjectKey>,
    /// What Envoy's access log can print.
    pub filter_state: Vec<StateField>,
}

/// A fact that is set as filter state, one host call for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateField {
    /// The rule's name, or `default`.
    Rule,
    /// The reason code of a denial.
    Reason,
    /// The reason code of what a rule in shadow mode would have denied.
    WouldDeny,
    /// The provider's name.
    Provider,
    /// The subject, in the form that audit lines have it.
    Subject,
    /// The decision's name.
    DecisionId,
}

impl StateField {
    /// All of them, by the names the configuration has for them.
    pub const ALL: [(&'static str, Self); 6] = [
        ("rule", Self::Rule),
        ("reason", Self::Reason),
        ("would_deny", Self::WouldDeny),
        ("provider", Self::Provider),
        ("subject", Self::Subject),
        ("decision_id", Self::DecisionId),
    ];

    /// The name an access log uses behind `wasm.`, as in `%FILTER_STATE(wasm.edge_auth.rule:PLAIN)%`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Rule => "edge_auth.rule",
            Self::Reason => "edge_auth.reason",
            Self::WouldDeny => "edge_auth.would_deny",
            Self::Provider => "edge_auth.provider",
            Self::Subject => "edge_auth.subject",
            Self::DecisionId => "edge_auth.decision_id",
        }
    }
}

/// One worker's audit.
#[derive(Debug)]
pub(crate) struct Auditor {
    settings: AuditSettings,
    subject_key: SubjectKey,
    allowed: Sampler,
    second: u64,
    lines: u32,
    suppressed: u64,
    counts: Counts,
    is_read: bool,
}

/// What an audit has counted since it was last asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Lines written.
    pub lines: u64,
    /// Lines left out, because there were too many in one second.
    pub suppressed: u64,
}

impl Auditor {
    /// Without a key of its own, subjects are hashed under the proxy's seed: the same until the proxy restarts.
    pub(crate) fn new(settings: AuditSettings, seed: &Seed) -> Self {
        let subject_key = settings
            .subject_key
            .clone()
            .unwrap_or_else(|| SubjectKey::of_seed(seed));
        Self {
            allowed: Sampler::new(settings.allowed_sample_percent),
            settings,
            subject_key,
            second: 0,
            lines: 0,
            suppressed: 0,
            counts: Counts::default(),
            is_read: true,
        }
    }

    pub(crate) const fn settings(&self) -> &AuditSettings {
        &self.settings
    }

    /// Whether anybody reads the proxy's log at this level.
    pub(crate) const fn set_read(&mut self, is_read: bool) {
        self.is_read = is_read;
    }

    pub(crate) const fn take_counts(&mut self) -> Counts {
        std::mem::replace(
            &mut self.counts,
            Counts {
                lines: 0,
                suppressed: 0,
            },
        )
    }

    /// The subject of these claims as it may be shown.
    pub(crate) fn subject(&self, claims: &VerifiedClaims) -> Option<ShownSubject> {
        let subject = claims.subject()?;
        ShownSubject::new(
            self.settings.subject,
            &self.subject_key,
            claims.issuer(),
            subject,
        )
    }

    /// Whether the decision gets a line, and how many were left out before it.
    pub(crate) fn admits(&mut self, outcome: Outcome, now: UnixTime) -> Option<u64> {
        let most = self.settings.max_lines_per_second?.get();
        if !self.is_read || (outcome == Outcome::Allow && !self.allowed.takes()) {
            return None;
        }
        if self.second != now.as_secs() {
            self.second = now.as_secs();
            self.lines = 0;
        }
        if self.lines >= most {
            self.suppressed += 1;
            self.counts.suppressed += 1;
            return None;
        }
        self.lines += 1;
        self.counts.lines += 1;
        Some(std::mem::take(&mut self.suppressed))
    }
}

#[cfg(test)]
mod tests;
