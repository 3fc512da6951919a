//! What a case expects beside what happened.

use super::case::{DecisionName, Expect};
use crate::edge::{Account, Decided};

/// One line for each difference.
pub(super) fn differences(expect: &Expect, account: &Account) -> Vec<String> {
    let (decision, status, reason) = match &account.decided {
        Decided::Forward { .. } => (DecisionName::Forward, None, None),
        Decided::Wait { reason } => (DecisionName::Wait, None, Some(*reason)),
        Decided::Reply { status, reason, .. } => {
            (DecisionName::Reply, Some(*status), Some(*reason))
        }
    };
    let mut lines = Vec::new();
    let mut compare = |what: &str, expected: Option<&str>, found: Option<&str>| {
        if expected.is_some() && expected != found {
            let shown = |text: Option<&str>| text.unwrap_or("none").to_owned();
            lines.push(format!(
                "{what}: expected {}, got {}",
                shown(expected),
                shown(found)
            ));
        }
    };
    compare(
        "decision",
        expect.decision.map(DecisionName::as_str),
        Some(decision.as_str()),
    );
    let expected = expect.status.map(|status| status.to_string());
    let found = status.map(|status| status.to_string());
    compare("status", expected.as_deref(), found.as_deref());
    compare("reason", expect.reason.as_deref(), reason);
    compare("rule", expect.rule.as_deref(), account.rule.as_deref());
    compare(
        "would_deny",
        expect.would_deny.as_deref(),
        account.would_deny,
    );
    lines.extend(headers(expect, &account.decided));
    lines
}

fn headers(expect: &Expect, decided: &Decided) -> Vec<String> {
    let mut lines = Vec::new();
    let nothing = std::collections::BTreeMap::new();
    let (set, removed) = match decided {
        Decided::Forward { set, removed } => (set, removed.as_slice()),
        Decided::Reply { headers, .. } => (headers, [].as_slice()),
        Decided::Wait { .. } => (&nothing, [].as_slice()),
    };
    for (name, expected) in &expect.headers.set {
        let found = set.get(&name.to_ascii_lowercase());
        if found != expected.as_ref() {
            let shown = |value: Option<&String>| match value {
                Some(value) => format!("{value:?}"),
                None => "not set".to_owned(),
            };
            let (expected, found) = (shown(expected.as_ref()), shown(found));
            lines.push(format!("header {name}: expected {expected}, got {found}"));
        }
    }
    for name in &expect.headers.removed {
        if !removed
            .iter()
            .any(|removed| removed.eq_ignore_ascii_case(name))
        {
            lines.push(format!("header {name}: expected to be removed, is not"));
        }
    }
    lines
}
