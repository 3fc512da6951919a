//! The form of an audit line: one JSON object of a fixed set of members, its schema's version first.
//!
//! ```json
//! {"edge_auth_audit":1,"time_ms":1800000000123,"decision":"deny","status":401,"reason":"expired","rule":"rules[3]",
//!  "decision_id":"6f1c…","client":"203.0.113.7","provider":"auth0","subject_hash":"e775…","suppressed":12}
//! ```
//!
//! | member | there | means |
//! |---|---|---|
//! | `edge_auth_audit` | always | the schema's version: a member more keeps it, a change of meaning raises it |
//! | `time_ms` | always | when it was decided, in milliseconds since 1970-01-01T00:00:00Z |
//! | `decision` | always | `deny`; `allow`; `would_deny`, which went on because its rule is in shadow mode |
//! | `status` | with `deny` | the status of the answer |
//! | `reason` | with `deny`, `would_deny` | the reason code |
//! | `rule` | once a rule was looked for | the rule's name; `default` where none matched |
//! | `decision_id` | with `decision_id` in the configuration | the name in `x-decision-id` |
//! | `client` | where it is known | the client's address |
//! | `provider` | once the token's provider was found | its name |
//! | `subject_hash` or `subject` | once the token was verified | whose token it is, in the configured form |
//! | `suppressed` | where lines were left out before this one | how many, on this worker |

use std::borrow::Cow;
use std::fmt::Write as _;
use std::net::IpAddr;

use super::subject::ShownSubject;
use crate::decision_id::DecisionId;
use crate::rejection::Reason;
use crate::time::UnixTime;

/// The version of the lines' schema.
pub const SCHEMA_VERSION: u32 = 1;

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It went on.
    Allow,
    /// It went on although its rule denies it: the rule is in shadow mode.
    WouldDeny(Reason),
    /// It was answered here.
    Deny {
        /// With this status.
        status: u16,
        /// For this reason.
        reason: Reason,
    },
}

/// What a line says.
#[derive(Debug)]
pub(crate) struct Record<'r> {
    pub(crate) time: UnixTime,
    pub(crate) outcome: Outcome,
    pub(crate) rule: Option<&'r str>,
    pub(crate) id: Option<DecisionId>,
    pub(crate) client: Option<IpAddr>,
    pub(crate) provider: Option<&'r str>,
    pub(crate) subject: Option<&'r ShownSubject>,
    pub(crate) suppressed: u64,
}

impl Record<'_> {
    /// The line, without its end.
    pub(crate) fn line(&self) -> String {
        let mut line = String::with_capacity(256);
        // Writing to a string does not fail.
        let _ = write!(
            line,
            "{{\"edge_auth_audit\":{SCHEMA_VERSION},\"time_ms\":{}",
            self.time.as_millis()
        );
        let (decision, status, reason) = match self.outcome {
            Outcome::Allow => ("allow", None, None),
            Outcome::WouldDeny(reason) => ("would_deny", None, Some(reason)),
            Outcome::Deny { status, reason } => ("deny", Some(status), Some(reason)),
        };
        text(&mut line, "decision", decision);
        if let Some(status) = status {
            let _ = write!(line, ",\"status\":{status}");
        }
        if let Some(reason) = reason {
            text(&mut line, "reason", reason.code());
        }
        if let Some(rule) = self.rule {
            text(&mut line, "rule", &printable(rule));
        }
        if let Some(id) = &self.id {
            text(&mut line, "decision_id", id.as_str());
        }
        if let Some(client) = self.client {
            let _ = write!(line, ",\"client\":\"{client}\"");
        }
        if let Some(provider) = self.provider {
            text(&mut line, "provider", &printable(provider));
        }
        if let Some(subject) = self.subject {
            text(&mut line, subject.member, &subject.text);
        }
        if self.suppressed > 0 {
            let _ = write!(line, ",\"suppressed\":{}", self.suppressed);
        }
        line.push('}');
        line
    }
}

/// Adds a member whose text needs no escaping.
fn text(line: &mut String, name: &str, text: &str) {
    let _ = write!(line, ",\"{name}\":\"{text}\"");
}

/// An operator's own name as it may stand in a log: printable ASCII without `"` and `\`, the rest as `?`.
pub(crate) fn printable(name: &str) -> Cow<'_, str> {
    let plain = |c: char| matches!(c, ' '..='~') && c != '"' && c != '\\';
    if name.chars().all(plain) {
        Cow::Borrowed(name)
    } else {
        let shown = name.chars().map(|c| if plain(c) { c } else { '?' });
        Cow::Owned(shown.collect())
    }
}
