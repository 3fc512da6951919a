//! What is told of decisions: names, audit lines, facts for the access log.

use super::*;

fn edge(change: impl FnOnce(&mut serde_json::Value)) -> Edge {
    let mut config = config();
    config["decision_id"] = json!({});
    config["audit"] = json!({"allowed_sample_percent": 100});
    change(&mut config);
    Edge::new(&config)
}

fn id(judgement: &Judgement) -> &str {
    judgement.id.as_ref().unwrap().as_str()
}

#[track_caller]
fn line(judgement: &Judgement) -> serde_json::Value {
    serde_json::from_str(judgement.audit.as_ref().unwrap()).unwrap()
}

#[test]
fn with_nothing_asked_for_nothing_is_told() {
    let mut edge = Edge::new(&config());
    for judgement in [
        edge.ask("GET", "/healthz", &[("x-decision-id", "theirs")], true),
        edge.ask("GET", "/documents", &[], true),
        edge.gateway.refuse(Reason::TooManyWaiting, edge.now),
    ] {
        assert_eq!((judgement.id, &judgement.audit), (None, &None));
        assert!(judgement.filter_state.is_empty());
        if let Decision::Forward(mutations) = &judgement.decision {
            assert!(mutations.is_empty(), "{mutations:?}");
        }
    }
    assert!(!edge.gateway.writes_audit_lines());
}

#[test]
fn a_decision_has_one_name_in_its_reply_its_line_and_upstream() {
    let mut edge = edge(|_| {});
    let denied = edge.ask("GET", "/documents", &[], true);
    let Decision::Reply(reply) = &denied.decision else {
        panic!("{denied:?}")
    };
    assert_eq!(reply.header("x-decision-id"), Some(id(&denied)));
    assert_eq!(line(&denied)["decision_id"], id(&denied));

    // A client cannot name its own, in any spelling.
    let forged = [("x-decision-id", "mine"), ("X_Decision_Id", "mine")];
    let allowed = edge.ask("GET", "/healthz", &forged, true);
    assert_eq!(
        shown(&allowed),
        format!(
            "200 -x-decision-id -X_Decision_Id x-decision-id={}",
            id(&allowed)
        )
    );
    assert_ne!(id(&allowed), id(&denied));

    let refused = edge.gateway.refuse(Reason::TooManyWaiting, edge.now);
    assert_eq!(line(&refused)["reason"], "too_many_waiting");
    assert_eq!(line(&refused)["decision_id"], id(&refused));
}

#[test]
fn a_name_stays_at_the_edge_where_that_is_asked_for() {
    let mut edge = edge(|config| {
        config["decision_id"] = json!({"forward": false, "trust_request_id": true});
    });
    let uuid = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6";
    let judgement = edge.ask("GET", "/healthz", &[("x-request-id", uuid)], true);
    assert_eq!((shown(&judgement).as_str(), id(&judgement)), ("200", uuid));
}

#[track_caller]
fn check(method: &str, path: &str, headers: &[(&str, &str)], expected: &serde_json::Value) {
    let mut edge = edge(|config| {
        config["audit"]["subject"] = json!("plain");
        config["decision_id"] = serde_json::Value::Null;
    });
    let judgement = edge.ask(method, path, headers, true);
    let mut told = line(&judgement);
    let members = told.as_object_mut().unwrap();
    assert_eq!(members.remove("edge_auth_audit"), Some(json!(1)));
    assert_eq!(members.remove("time_ms"), Some(json!(NOW * 1000)));
    assert_eq!(members.remove("client"), Some(json!("203.0.113.7")));
    assert_eq!(told, *expected);
}

#[test]
fn a_line_tells_who_was_refused_by_what_and_why_as_far_as_the_steps_came() {
    let good = bearer(|_| {});
    let expired = bearer(|claims| claims["exp"] = json!(NOW - 3600));
    let reader = bearer(|claims| claims["scope"] = json!("none"));
    let deny =
        |status: u16, reason| json!({"decision": "deny", "status": status, "reason": reason});
    let with = |mut line: serde_json::Value, more: serde_json::Value| {
        let more = more.as_object().unwrap().clone();
        line.as_object_mut().unwrap().extend(more);
        line
    };
    check("GET", "/a/../b", &[], &deny(400, "invalid_path"));
    let rule = json!({"rule": "default"});
    check(
        "GET",
        "/elsewhere",
        &[],
        &with(deny(401, "missing_token"), rule),
    );
    check(
        "GET",
        "/documents",
        &[("authorization", &expired)],
        &with(
            deny(401, "expired"),
            json!({"rule": "rules[3]", "provider": "auth0"}),
        ),
    );
    let known = json!({"rule": "rules[3]", "provider": "auth0", "subject": "auth0|1"});
    check(
        "GET",
        "/documents",
        &[("authorization", &reader)],
        &with(deny(403, "insufficient_scope"), known.clone()),
    );
    check(
        "GET",
        "/documents",
        &[("authorization", &good)],
        &with(json!({"decision": "allow"}), known),
    );
    check(
        "GET",
        "/shadow",
        &[("authorization", &good)],
        &json!({
            "decision": "would_deny", "reason": "insufficient_scope", "rule": "rules[5]",
            "provider": "auth0", "subject": "auth0|1",
        }),
    );
}

#[test]
fn redirects_and_preflights_are_no_denials() {
    let mut edge =
        edge(|config| config["cors"] = json!({"allow_origins": ["https://app.pymd.io"]}));
    let redirect = edge.ask("GET", "/documents", &[], false);
    let asks = [
        ("origin", "https://app.pymd.io"),
        ("access-control-request-method", "PUT"),
    ];
    let preflight = edge.ask("OPTIONS", "/documents", &asks, true);
    for judgement in [redirect, preflight] {
        assert_eq!(judgement.audit, None, "{judgement:?}");
        assert!(judgement.id.is_some());
    }
}

/// Whatever a client sends and however it is refused, none of it comes back out.
#[test]
fn no_line_and_no_fact_has_a_token_a_cookie_a_query_or_a_path_in_it() {
    let secret = "c2VjcmV0";
    let token = bearer(|claims| claims["jti"] = json!(secret));
    let other = format!("Bearer {secret}");
    let cookies = format!("session={secret}");
    let mut edge = edge(|config| {
        config["audit"]["filter_state"] = json!([
            "rule",
            "reason",
            "would_deny",
            "provider",
            "subject",
            "decision_id"
        ]);
        config["session"] = json!({"keys_env": ["KEY"]});
    });
    for path in ["/documents", "/elsewhere", "/shadow", "/healthz", "/a;b"] {
        let path = format!("{path}/{secret}?access_token={secret}");
        for authorization in [token.as_str(), other.as_str(), secret] {
            let headers = [
                ("authorization", authorization),
                ("cookie", cookies.as_str()),
                ("x-request-id", secret),
                ("user-agent", secret),
            ];
            let judgement = edge.ask("GET", &path, &headers, true);
            let told = format!("{:?} {:?}", judgement.audit, judgement.filter_state);
            assert!(!told.contains(secret), "{told}");
        }
    }
}

#[test]
fn the_access_log_gets_the_facts_it_asked_for_and_no_line_need_be_written() {
    let mut edge = edge(|config| {
        config["audit"] = json!({
            "max_lines_per_second": 0, "subject": "plain",
            "filter_state": ["subject", "rule", "reason", "would_deny"],
        });
    });
    let authorization = bearer(|_| {});
    let headers = [("authorization", authorization.as_str())];
    let facts = |judgement: &Judgement| {
        assert_eq!(judgement.audit, None);
        let facts = judgement.filter_state.iter();
        let facts: Vec<_> = facts
            .map(|(field, value)| format!("{}={value}", field.key()))
            .collect();
        facts.join(" ")
    };
    assert_eq!(
        facts(&edge.ask("GET", "/documents", &headers, true)),
        "edge_auth.subject=auth0|1 edge_auth.rule=rules[3]"
    );
    assert_eq!(
        facts(&edge.ask("GET", "/documents", &[], true)),
        "edge_auth.rule=rules[3] edge_auth.reason=missing_token"
    );
    assert_eq!(
        facts(&edge.ask("GET", "/shadow", &headers, true)),
        "edge_auth.subject=auth0|1 edge_auth.rule=rules[5] edge_auth.would_deny=insufficient_scope"
    );
}

#[test]
fn a_subject_has_one_hash_under_one_key_whatever_the_proxy() {
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    let mut config = config();
    config["audit"] = json!({"allowed_sample_percent": 100, "subject_key_env": "EDGE_AUDIT_KEY"});
    let authorization = bearer(|_| {});
    let hash = |seed| {
        let config = Config::from_json(config.to_string().as_bytes()).unwrap();
        assert_eq!(
            config.secret_names().collect::<Vec<_>>(),
            ["EDGE_AUDIT_KEY"]
        );
        let config = config.with_secrets(&|_| Some(key.to_owned())).unwrap();
        let mut store = MemoryStore::default();
        let mut edge = Edge {
            gateway: Gateway::new(config, [seed; 16], &mut store).unwrap(),
            store,
            now: UnixTime::from_secs(NOW),
        };
        let judgement = edge.ask(
            "GET",
            "/documents",
            &[("authorization", &authorization)],
            true,
        );
        line(&judgement)["subject_hash"].clone()
    };
    assert_eq!(hash(1), "e775080310631854927a685aaec3abe0");
    assert_eq!(hash(2), hash(1));
}

#[test]
fn mistakes_of_these_sections_are_told() {
    let mut wrong = config();
    wrong["decision_id"] = json!({"header": "x-id"});
    wrong["audit"] = json!({
        "allowed_sample_percent": 101, "subject": "plain", "subject_key_env": "KEY",
        "filter_state": ["path"],
    });
    wrong["histogram_sample_percent"] = json!(-1);
    let errors = Config::from_json(wrong.to_string().as_bytes()).unwrap_err();
    let told: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "decision_id.header: is not known; known fields are trust_request_id, forward",
            "audit.allowed_sample_percent: is 101; 0 to 100 are allowed",
            "audit.subject_key_env: is of use with subject: hashed only; leave one of them out",
            "audit.filter_state[0]: must be one of rule, reason, would_deny, provider, subject, decision_id",
            "histogram_sample_percent: is no whole number that is zero or more",
        ]
    );

    let mut twice = config();
    twice["decision_id"] = json!({});
    twice["providers"]["auth0"]["claim_to_headers"] =
        json!([{"header_name": "x-decision-id", "claim_name": "jti"}]);
    let errors = Config::from_json(twice.to_string().as_bytes()).unwrap_err();
    let told: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "decision_id: sets x-decision-id, which providers.auth0.claim_to_headers sets too; choose another name \
             there"
        ]
    );

    let mut keyed = config();
    keyed["audit"] = json!({"subject_key_env": "KEY"});
    let keyed = Config::from_json(keyed.to_string().as_bytes()).unwrap();
    let errors = keyed.with_secrets(&|_| Some("short".into())).unwrap_err();
    assert!(
        errors[0]
            .to_string()
            .starts_with("audit.subject_key_env: KEY must hold keys of 32 bytes each")
    );
}
