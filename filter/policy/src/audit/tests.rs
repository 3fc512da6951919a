//! Which decisions get a line, and what the lines say.

use super::*;
use crate::decision_id::{DecisionIdSettings, DecisionIds};
use crate::rejection::Reason;

const NOW: UnixTime = UnixTime::from_millis(1_800_000_000_123);
const DENIED: Outcome = Outcome::Deny {
    status: 401,
    reason: Reason::Expired,
};

fn auditor(percent: u8, lines: u32) -> Auditor {
    let settings = AuditSettings {
        allowed_sample_percent: percent,
        max_lines_per_second: NonZeroU32::new(lines),
        subject: SubjectForm::Hashed,
        subject_key_env: None,
        subject_key: None,
        filter_state: Vec::new(),
    };
    Auditor::new(settings, &Seed::new([1; 16]))
}

#[test]
fn allowed_requests_get_their_percentage_and_denials_all_of_it() {
    for percent in [0, 1, 7, 50, 99, 100] {
        let mut auditor = auditor(percent, 10_000);
        let mut count = |outcome| {
            (0..1000)
                .filter(|_| auditor.admits(outcome, NOW).is_some())
                .count()
        };
        assert_eq!(count(Outcome::Allow), usize::from(percent) * 10);
        assert_eq!(count(DENIED), 1000);
        assert_eq!(count(Outcome::WouldDeny(Reason::Expired)), 1000);
    }
}

#[test]
fn a_flood_gets_so_many_lines_a_second_and_the_next_one_says_what_was_left_out() {
    let mut auditor = auditor(100, 10);
    let admitted = (0..1000).filter(|_| auditor.admits(DENIED, NOW).is_some());
    assert_eq!(admitted.count(), 10);
    let counts = auditor.take_counts();
    assert_eq!((counts.lines, counts.suppressed), (10, 990));
    let later = NOW.saturating_add(std::time::Duration::from_secs(1));
    assert_eq!(auditor.admits(Outcome::Allow, later), Some(990));
    assert_eq!(auditor.admits(DENIED, later), Some(0));
    // A clock that steps back opens a second of its own and no more.
    let again = (0..1000).filter(|_| auditor.admits(DENIED, NOW).is_some());
    assert_eq!(again.count(), 10);
    assert_eq!(auditor.take_counts().suppressed, 990);
}

#[test]
fn nothing_is_formatted_or_counted_that_nobody_reads() {
    let mut silent = auditor(100, 0);
    assert_eq!(silent.admits(DENIED, NOW), None);
    let mut unread = auditor(100, 10);
    unread.set_read(false);
    assert_eq!(unread.admits(DENIED, NOW), None);
    assert_eq!(unread.take_counts(), Counts::default());
    unread.set_read(true);
    assert_eq!(unread.admits(DENIED, NOW), Some(0));
}

#[track_caller]
fn check(record: &Record<'_>, expected: &str) {
    let line = record.line();
    assert_eq!(line, expected);
    let value: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(value["edge_auth_audit"], SCHEMA_VERSION);
}

#[test]
fn a_line_is_json_of_the_documented_members() {
    let settings = DecisionIdSettings {
        forward: false,
        trust_request_id: false,
    };
    let id = DecisionIds::new(settings, [1; 16]).next(None);
    let subject = ShownSubject {
        member: "subject_hash",
        text: "e775080310631854927a685aaec3abe0".to_owned(),
    };
    let full = Record {
        time: NOW,
        outcome: DENIED,
        rule: Some("read \"all\"\n\u{202e}"),
        id: Some(id),
        client: Some([203, 0, 113, 7].into()),
        provider: Some("auth0"),
        subject: Some(&subject),
        suppressed: 12,
    };
    check(
        &full,
        &format!(
            "{{\"edge_auth_audit\":1,\"time_ms\":1800000000123,\"decision\":\"deny\",\"status\":401,\
             \"reason\":\"expired\",\"rule\":\"read ?all???\",\"decision_id\":\"{}\",\"client\":\"203.0.113.7\",\
             \"provider\":\"auth0\",\"subject_hash\":\"e775080310631854927a685aaec3abe0\",\"suppressed\":12}}",
            id.as_str()
        ),
    );
    let value: serde_json::Value = serde_json::from_str(&full.line()).unwrap();
    for member in value.as_object().unwrap().keys() {
        assert!(
            rows().any(|row| row.starts_with(&format!("| `{member}`"))),
            "{member}"
        );
    }
}

/// What the head of `line.rs` says of the members.
fn rows() -> impl Iterator<Item = &'static str> {
    include_str!("line.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("//! "))
        .filter(|line| line.starts_with("| `"))
}

#[test]
fn the_documentation_says_the_same_of_lines_and_filter_state() {
    let documentation = include_str!("../../../../docs/audit.md");
    assert_eq!(rows().count(), 11);
    for row in rows() {
        assert!(documentation.contains(row), "{row}");
    }
    for (name, field) in StateField::ALL {
        let row = format!(
            "| `{name}` | `%FILTER_STATE(wasm.{}:PLAIN)%` |",
            field.key()
        );
        assert!(documentation.contains(&row), "{row}");
    }
}

#[test]
fn a_line_leaves_out_what_is_not_known() {
    let record = |outcome| Record {
        time: NOW,
        outcome,
        rule: None,
        id: None,
        client: None,
        provider: None,
        subject: None,
        suppressed: 0,
    };
    check(
        &record(Outcome::Allow),
        r#"{"edge_auth_audit":1,"time_ms":1800000000123,"decision":"allow"}"#,
    );
    check(
        &record(Outcome::WouldDeny(Reason::InsufficientScope)),
        r#"{"edge_auth_audit":1,"time_ms":1800000000123,"decision":"would_deny","reason":"insufficient_scope"}"#,
    );
}
