//! The table from reason to reply.

use std::collections::BTreeSet;

use super::*;

#[test]
fn every_reason_has_its_row_and_its_own_code() {
    let codes: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
    assert_eq!(codes.len(), Reason::ALL.len());
    // A reason missing from ALL would be invisible to metrics.
    let mut sorted = Reason::ALL;
    sorted.sort_unstable();
    assert_eq!(sorted, Reason::ALL);
    assert_eq!(*Reason::ALL.last().unwrap() as usize + 1, Reason::ALL.len());
}

#[test]
fn texts_need_no_escaping_in_json_and_in_quoted_strings() {
    for reason in Reason::ALL {
        let row = reason.row();
        for text in [row.description, row.error.unwrap_or(""), reason.code()] {
            assert!(
                text.bytes()
                    .all(|byte| (b' '..=b'~').contains(&byte) && !b"\"\\".contains(&byte)),
                "{reason:?}: {text}"
            );
        }
    }
}

#[test]
fn the_statuses_are_those_of_the_rfcs() {
    let of = |status: u16| {
        Reason::ALL
            .iter()
            .filter(|r| r.row().status == status)
            .map(|r| r.code())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        of(400),
        ["invalid_path", "invalid_authority", "several_tokens"]
    );
    assert_eq!(
        of(403),
        [
            "insufficient_scope",
            "claim_mismatch",
            "cross_site",
            "address_blocked"
        ]
    );
    assert_eq!(of(429), ["rate_limited", "authentication_blocked"]);
    assert_eq!(
        of(503),
        [
            "keys_unavailable",
            "rate_limit_unavailable",
            "revocations_unavailable",
            "too_many_waiting",
            "internal"
        ]
    );
    for reason in Reason::ALL {
        let row = reason.row();
        assert_eq!(
            row.error == Some("invalid_token"),
            row.status == 401 && !matches!(reason, Reason::MissingToken | Reason::StepUpRequired),
            "{reason:?}"
        );
    }
}

#[track_caller]
fn check(reason: Reason, context: RejectionContext<'_>, header: &str, expected: Option<&str>) {
    let settings = ErrorSettings {
        realm: "pymd".into(),
        error_uri_base: Some("https://docs.example/errors#".into()),
        resource_metadata: None,
    };
    let reply = reject(reason, &settings, context);
    assert_eq!(reply.header(header), expected);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert!(reply.body.starts_with(b"{\"error\":\""));
}

#[test]
fn no_error_code_where_no_credentials_were_sent() {
    check(
        Reason::MissingToken,
        RejectionContext::default(),
        "www-authenticate",
        Some("Bearer realm=\"pymd\""),
    );
}

#[test]
fn insufficient_scope_names_the_scopes_needed() {
    let challenge = Challenge {
        scope: Some("read:documents"),
        ..Challenge::default()
    };
    check(
        Reason::InsufficientScope,
        RejectionContext {
            challenge,
            ..RejectionContext::default()
        },
        "www-authenticate",
        Some(
            "Bearer realm=\"pymd\", error=\"insufficient_scope\", \
             error_description=\"The access token lacks a scope this request needs\", \
             error_uri=\"https://docs.example/errors#insufficient_scope\", scope=\"read:documents\"",
        ),
    );
}

#[test]
fn unavailable_says_when_to_come_back_and_challenges_nobody() {
    let context = RejectionContext {
        retry_after: Some(0),
        ..RejectionContext::default()
    };
    check(Reason::KeysUnavailable, context, "retry-after", Some("1"));
    check(Reason::KeysUnavailable, context, "www-authenticate", None);
    check(
        Reason::RateLimited,
        RejectionContext::default(),
        "retry-after",
        Some("1"),
    );
    check(
        Reason::Expired,
        RejectionContext::default(),
        "retry-after",
        None,
    );
}
