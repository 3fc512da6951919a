//! `audit` and `decision_id`: what is told of decisions, to whom, in which form.

use std::num::NonZeroU32;

use super::reader::{Boolean, Choice, Integer, List, Object, Parsed, Text};
use super::session::variable_name;
use crate::audit::{AuditSettings, StateField, SubjectForm};
use crate::decision_id::DecisionIdSettings;

pub(super) fn audit(o: &mut Object<'_>) -> Option<AuditSettings> {
    let percent = o.default(
        "allowed_sample_percent",
        Integer { min: 0, max: 100 },
        ("0", 0),
        "How many of a hundred requests that are let through get an audit line, 0 to 100. Denials get one each.",
    );
    let lines = o.default(
        "max_lines_per_second",
        Integer { min: 0, max: 10_000 },
        ("100", 100),
        "Audit lines a worker writes a second, 0 to 10000; 0 writes none. The next line says how many were left out.",
    );
    let subject = o.default(
        "subject",
        Choice(&[
            ("hashed", SubjectForm::Hashed),
            ("plain", SubjectForm::Plain),
            ("omitted", SubjectForm::Omitted),
        ]),
        ("hashed", SubjectForm::Hashed),
        "How a verified token's `sub` is shown in audit lines and filter state: as a keyed hash, `plain`, or \
         `omitted`.",
    );
    let subject_key_env = o.optional(
        "subject_key_env",
        Parsed {
            of: Text { max: 64 },
            with: variable_name,
        },
        "The environment variable of the VM that holds the key of hashed subjects, 32 random bytes in base64url without \
         padding: the same subject then has the same hash on every proxy. A key of the proxy's own, until it restarts, \
         where left out.",
    );
    if subject_key_env.is_some() && subject != SubjectForm::Hashed {
        o.fail(
            "subject_key_env",
            "is of use with subject: hashed only; leave one of them out",
        );
    }
    let filter_state = o.optional(
        "filter_state",
        List {
            of: Choice(&StateField::ALL),
            min: 0,
            max: StateField::ALL.len(),
        },
        "What Envoy's access log can print, as in `%FILTER_STATE(wasm.edge_auth.rule:PLAIN)%`; none where left out. \
         Each costs a host call per request that has it.",
    );
    Some(AuditSettings {
        allowed_sample_percent: u8::try_from(percent).ok()?,
        max_lines_per_second: NonZeroU32::new(u32::try_from(lines).ok()?),
        subject,
        subject_key_env,
        subject_key: None,
        filter_state: filter_state.unwrap_or_default(),
    })
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of a section")]
pub(super) fn decision_id(o: &mut Object<'_>) -> Option<DecisionIdSettings> {
    let trust_request_id = o.default(
        "trust_request_id",
        Boolean,
        ("false", false),
        "Whether x-request-id is the decision's name. Only where Envoy makes it itself: use_remote_address on, \
         preserve_external_request_id off.",
    );
    let forward = o.default(
        "forward",
        Boolean,
        ("true", true),
        "Whether the upstream sees x-decision-id; costs a host call per request.",
    );
    Some(DecisionIdSettings {
        forward,
        trust_request_id,
    })
}
