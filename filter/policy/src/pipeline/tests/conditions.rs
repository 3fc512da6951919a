//! Conditions composed in a requirement, and the strength of an authentication, decided on real tokens.
#![expect(
    clippy::needless_pass_by_value,
    reason = "a value is written where it is used"
)]

use super::*;

/// What a rule with this requirement makes of a token with these claims, sent to `api.pymd.io`.
fn ask(requires: &serde_json::Value, claims: serde_json::Value) -> Judgement {
    ask_at("api.pymd.io", requires, claims)
}

fn ask_at(host: &str, requires: &serde_json::Value, claims: serde_json::Value) -> Judgement {
    let mut edge = Edge::new(&with_requirement(requires));
    let authorization = bearer(|all| {
        for (name, value) in claims.as_object().unwrap() {
            all[name] = value.clone();
        }
        all.as_object_mut()
            .unwrap()
            .retain(|_, value| *value != "absent");
    });
    edge.ask_host(host, "/x", &[("authorization", &authorization)])
}

fn with_requirement(requires: &serde_json::Value) -> serde_json::Value {
    let mut requires = requires.clone();
    requires["provider"] = json!("auth0");
    let mut config = config();
    config["rules"] = json!([{"match": {"prefix": "/x"}, "requires": requires}]);
    config
}

fn challenge(judgement: &Judgement) -> &str {
    let Decision::Reply(reply) = &judgement.decision else {
        panic!("{judgement:?}")
    };
    reply.header("www-authenticate").unwrap()
}

#[track_caller]
fn check(requires: serde_json::Value, claims: serde_json::Value, expected: &str) {
    let shown = shown(&ask(&requires, claims));
    let shown = shown.split(" x-user").next().unwrap();
    assert_eq!(shown, expected);
}

#[track_caller]
fn refused(requires: serde_json::Value, expected: &[&str]) {
    let config = with_requirement(&requires);
    let errors = Config::from_json(config.to_string().as_bytes()).unwrap_err();
    let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(errors, expected);
}

#[test]
fn any_needs_one_and_all_needs_every_condition() {
    let requires = json!({"any": [
        {"scopes": {"all_of": ["admin"]}},
        {"all": [
            {"scopes": {"all_of": ["read:documents"]}},
            {"claims": [{"path": ["team"], "any_of": ["a", "b"]}]},
        ]},
    ]});
    check(requires.clone(), json!({"scope": "admin"}), "200");
    check(requires.clone(), json!({"team": "b"}), "200");
    check(
        requires.clone(),
        json!({"team": "c"}),
        "403 insufficient_scope",
    );
    check(
        requires.clone(),
        json!({"team": "a", "scope": "x"}),
        "403 insufficient_scope",
    );
    check(requires, json!({}), "403 insufficient_scope");
}

#[test]
fn what_stands_beside_a_composition_must_hold_too() {
    let requires = json!({
        "scopes": {"all_of": ["read:documents"]},
        "any": [{"claims": [{"path": ["a"], "equals": 1}]}, {"claims": [{"path": ["b"], "equals": 1}]}],
        "not": {"claims": [{"path": ["banned"], "equals": true}]},
    });
    let with = |more: serde_json::Value| {
        let mut claims = json!({"b": 1, "banned": false});
        for (name, value) in more.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
    };
    check(requires.clone(), with(json!({})), "200");
    check(
        requires.clone(),
        with(json!({"banned": true})),
        "403 claim_mismatch",
    );
    check(
        requires.clone(),
        with(json!({"b": 2})),
        "403 claim_mismatch",
    );
    check(
        requires,
        with(json!({"scope": "x"})),
        "403 insufficient_scope",
    );
}

/// A claim that an issuer stops writing, renames or writes in another type must not open what `not` closes.
#[test]
fn not_makes_no_grant_of_a_claim_that_is_missing_or_of_another_type() {
    let requires = json!({"not": {"claims": [{"path": ["plan"], "equals": "free"}]}});
    check(requires.clone(), json!({"plan": "paid"}), "200");
    check(requires.clone(), json!({"plan": ["paid", "trial"]}), "200");
    for plan in [
        json!("free"),
        json!(["paid", "free"]),
        json!("absent"),
        json!(null),
        json!(0),
        json!(false),
        json!({"name": "paid"}),
        json!(["paid", 1]),
        json!([["paid"]]),
    ] {
        check(
            requires.clone(),
            json!({"plan": plan}),
            "403 claim_mismatch",
        );
    }
    // Twice not is no way around it.
    let twice = json!({"not": {"not": requires}});
    check(
        twice.clone(),
        json!({"plan": "absent"}),
        "403 claim_mismatch",
    );
    check(twice, json!({"plan": "paid"}), "200");
}

#[test]
fn the_absence_of_a_claim_is_asked_for_by_its_name() {
    let requires = json!({"not": {"claims": [{"path": ["act"], "present": true}]}});
    check(requires.clone(), json!({}), "200");
    check(
        requires,
        json!({"act": {"sub": "support"}}),
        "403 claim_mismatch",
    );
}

#[test]
fn not_makes_no_grant_of_scopes_that_are_missing_or_malformed() {
    let requires = json!({"not": {"scopes": {"any_of": ["impersonate"]}}});
    check(requires.clone(), json!({"scope": "read"}), "200");
    check(requires.clone(), json!({"scope": ""}), "200");
    for scope in [
        json!("read impersonate"),
        json!("absent"),
        json!(7),
        json!(["read", 7]),
    ] {
        let judgement = ask(&requires, json!({"scope": scope}));
        assert!(
            shown(&judgement).starts_with("403 "),
            "{scope}: {judgement:?}"
        );
        // A client is never told to ask for what it must not have.
        assert!(!challenge(&judgement).contains("impersonate"), "{scope}");
    }
}

#[test]
fn a_challenge_names_the_scopes_of_all_alternatives_once() {
    let requires = json!({
        "scopes": {"all_of": ["read"]},
        "any": [{"scopes": {"all_of": ["read", "a"]}}, {"scopes": {"any_of": ["b"]}}],
        "not": {"scopes": {"any_of": ["c"]}},
    });
    let judgement = ask(&requires, json!({"scope": "read"}));
    assert_eq!(shown(&judgement), "403 insufficient_scope");
    assert!(
        challenge(&judgement).ends_with(", scope=\"read a b\""),
        "{}",
        challenge(&judgement)
    );
}

#[test]
fn what_no_scope_can_mend_is_not_called_a_missing_scope() {
    let requires = json!({
        "any": [{"scopes": {"all_of": ["a"]}}, {"claims": [{"path": ["x"], "equals": 1}]}],
        "claims": [{"path": ["y"], "equals": 1}],
    });
    check(requires.clone(), json!({}), "403 claim_mismatch");
    check(requires, json!({"y": 1}), "403 insufficient_scope");
}

#[test]
fn an_explanation_names_the_conditions_and_no_claim() {
    let requires = json!({"any": [
        {"scopes": {"all_of": ["a"]}},
        {"not": {"claims": [{"path": ["plan"], "equals": "free"}]}},
    ]});
    let mut edge = Edge::new(&with_requirement(&requires));
    let authorization = bearer(|claims| claims["plan"] = json!(7));
    let told = edge.explained("api.pymd.io", "/x", &[("authorization", &authorization)]);
    assert_eq!(
        told,
        ["any[0].scopes False", "any[1].not.claims[0] Unknown"]
    );
    let authorization = bearer(|claims| claims["plan"] = json!("paid"));
    let told = edge.explained("api.pymd.io", "/x", &[("authorization", &authorization)]);
    assert!(told.is_empty(), "{told:?}");
}

#[test]
fn a_condition_may_be_for_one_provider_only() {
    let mut config = config();
    let mut other = config["providers"]["auth0"].clone();
    other["issuer"] = json!("https://other.example/");
    config["providers"]["other"] = other;
    config["rules"] = json!([{"match": {"prefix": "/x"}, "requires": {
        "providers": ["auth0", "other"],
        "any": [{"provider": "auth0"}, {"provider": "other", "scopes": {"all_of": ["admin"]}}],
    }}]);
    let mut edge = Edge::new(&config);
    let mut ask = |issuer: &str, scope: &str| {
        let authorization = bearer(|claims| {
            claims["iss"] = json!(issuer);
            claims["scope"] = json!(scope);
        });
        let judgement = edge.ask("GET", "/x", &[("authorization", &authorization)], true);
        shown(&judgement).split(' ').next().unwrap().to_owned()
    };
    assert_eq!(ask("https://tenant.auth0.com/", "x"), "200");
    assert_eq!(ask("https://other.example/", "x"), "403");
    assert_eq!(ask("https://other.example/", "admin"), "200");

    config["rules"][0]["requires"]["providers"] = json!(["auth0"]);
    let errors = Config::from_json(config.to_string().as_bytes()).unwrap_err();
    assert_eq!(
        errors[0].to_string(),
        "rules[0].requires: has a condition for provider other, whose tokens it does not accept; add it to providers"
    );
}

#[test]
fn compositions_are_bounded_and_their_mistakes_are_told() {
    refused(
        json!({"any": [], "all": [{}], "not": {"provider": "auth0", "providers": ["auth0"]}}),
        &[
            "rules[0].requires.all[0]: asks for nothing; it needs one of scopes, claims, organization, provider, \
             providers, all, any, not",
            "rules[0].requires.any: has 0 elements; 1 to 64 are allowed",
            "rules[0].requires.not: needs at most one of provider and providers",
        ],
    );
    let mut deep = json!({"scopes": {"all_of": ["a"]}});
    for _ in 0..5 {
        deep = json!({ "not": deep });
    }
    refused(
        deep,
        &[
            "rules[0].requires.not.not.not.not.not: stands 5 deep in all, any and not; 4 are allowed",
        ],
    );
    let claim = json!({"path": ["a"], "equals": 1});
    let wide = json!({"claims": vec![claim; 32]});
    refused(
        json!({"any": vec![wide; 5]}),
        &["rules[0].requires: has 160 claims in all; 128 are allowed"],
    );
    let scope = json!({"scopes": {"all_of": ["a"]}});
    refused(
        json!({"any": vec![scope; 64]}),
        &["rules[0].requires: has 65 conditions in all; 64 are allowed"],
    );
    let scopes: Vec<_> = (0..9).map(|n| format!("{n}{}", "x".repeat(249))).collect();
    refused(
        json!({"scopes": {"all_of": scopes}}),
        &[
            "rules[0].requires: asks for scopes of 2258 bytes in all; 2048 are allowed, because a challenge names \
           them in one header field",
        ],
    );
}

#[test]
fn auth0_permissions_are_scopes_where_the_provider_says_so() {
    let requires = json!({"scopes": {"all_of": ["delete:documents"]}});
    let permissions = json!({"permissions": ["delete:documents"]});
    check(
        requires.clone(),
        permissions.clone(),
        "403 insufficient_scope",
    );
    let mut config = with_requirement(&requires);
    config["providers"]["auth0"]["scope_claims"] = json!(["scope", "scp", "permissions"]);
    let mut edge = Edge::new(&config);
    let mut ask = |claims: &serde_json::Value| {
        let authorization = bearer(|all| all["permissions"] = claims.clone());
        shown(&edge.ask("GET", "/x", &[("authorization", &authorization)], true))
    };
    assert!(ask(&permissions["permissions"]).starts_with("200"));
    assert_eq!(ask(&json!(["read:documents"])), "403 insufficient_scope");
    assert_eq!(
        ask(&json!({"delete:documents": true})),
        "403 insufficient_scope"
    );
}

#[test]
fn step_up_is_asked_for_as_rfc_9470_says() {
    let requires = json!({
        "scopes": {"all_of": ["read:documents"]}, "acr_values": ["phr", "mfa"], "max_age": "300s",
    });
    check(
        requires.clone(),
        json!({"acr": "mfa", "auth_time": NOW - 300}),
        "200",
    );
    let judgement = ask(&requires, json!({"acr": "mfa", "auth_time": NOW - 361}));
    assert_eq!(shown(&judgement), "401 step_up_required");
    assert_eq!(
        challenge(&judgement),
        "Bearer realm=\"edge-auth\", error=\"insufficient_user_authentication\", \
         error_description=\"A stronger or more recent authentication is required\", scope=\"read:documents\", \
         acr_values=\"phr mfa\", max_age=\"300\""
    );
    for claims in [
        json!({"acr": "mfa"}),
        json!({"auth_time": NOW}),
        json!({"acr": "pwd", "auth_time": NOW}),
        json!({"acr": ["mfa"], "auth_time": NOW}),
        json!({"acr": "mfa", "auth_time": NOW.to_string()}),
        json!({"acr": "mfa", "auth_time": NOW + 61}),
    ] {
        check(requires.clone(), claims, "401 step_up_required");
    }
    // Nobody is sent to log in again for what they may not do in any case.
    check(requires, json!({"scope": "x"}), "403 insufficient_scope");
}

#[test]
fn step_up_reads_the_claims_its_provider_names() {
    let requires = json!({"acr_values": ["mfa"], "max_age": "300s"});
    let mut config = with_requirement(&requires);
    config["providers"]["auth0"]["acr_claim"] = json!(["https://pymd.io/authentication", "acr"]);
    config["providers"]["auth0"]["auth_time_claim"] =
        json!(["https://pymd.io/authentication", "time"]);
    let mut edge = Edge::new(&config);
    let mut ask = |name: &str| {
        let authorization = bearer(|all| {
            all[name] = json!({"acr": "mfa", "time": NOW});
            all["acr"] = json!("mfa");
            all["auth_time"] = json!(NOW);
        });
        shown(&edge.ask("GET", "/x", &[("authorization", &authorization)], true))
    };
    assert!(ask("https://pymd.io/authentication").starts_with("200"));
    assert_eq!(ask("another"), "401 step_up_required");
}

#[test]
fn step_up_that_cannot_be_asked_for_is_refused() {
    refused(
        json!({"acr_values": ["a b"]}),
        &["rules[0].requires.acr_values: must be visible ASCII without spaces, `\"` and `\\`"],
    );
    refused(
        json!({"max_age": "1500ms"}),
        &["rules[0].requires.max_age: is no whole number of seconds, as a challenge names them"],
    );
}

#[test]
fn a_token_of_one_organization_opens_no_other_ones_host() {
    let listed = json!({"organization": {
        "path": ["org_id"], "hosts": {"Acme.pymd.io": "org_1", "globex.pymd.io": "org_2"},
    }});
    let template = json!({"organization": {"path": ["org_id"], "host_template": "{org}.pymd.io"}});
    let check =
        |requires: &serde_json::Value, host: &str, claims: serde_json::Value, expected: &str| {
            let judgement = ask_at(host, requires, claims);
            assert!(
                shown(&judgement).starts_with(expected),
                "{host}: {}",
                shown(&judgement)
            );
        };
    for (requires, acme) in [(&listed, "org_1"), (&template, "acme")] {
        for host in [
            "acme.pymd.io",
            "ACME.pymd.io",
            "acme.pymd.io.",
            "acme.pymd.io:8443",
        ] {
            check(requires, host, json!({"org_id": acme}), "200");
            check(
                requires,
                host,
                json!({"org_id": "org_2"}),
                "403 claim_mismatch",
            );
        }
        check(
            requires,
            "globex.pymd.io",
            json!({"org_id": acme}),
            "403 claim_mismatch",
        );
        // A host for which there is no organisation, a claim that is missing or no text.
        check(
            requires,
            "pymd.io",
            json!({"org_id": acme}),
            "403 claim_mismatch",
        );
        check(
            requires,
            "acme.evil.example",
            json!({"org_id": acme}),
            "403 claim_mismatch",
        );
        check(requires, "acme.pymd.io", json!({}), "403 claim_mismatch");
        check(
            requires,
            "acme.pymd.io",
            json!({"org_id": [acme]}),
            "403 claim_mismatch",
        );
        check(
            requires,
            "acme.pymd.io",
            json!({"org_id": null}),
            "403 claim_mismatch",
        );
        // Nor does `not` make a grant of any of these.
        let not = json!({ "not": requires });
        check(
            &not,
            "acme.pymd.io",
            json!({"org_id": acme}),
            "403 claim_mismatch",
        );
        check(&not, "acme.pymd.io", json!({"org_id": "org_2"}), "200");
        check(
            &not,
            "elsewhere.example",
            json!({"org_id": acme}),
            "403 claim_mismatch",
        );
        check(&not, "acme.pymd.io", json!({}), "403 claim_mismatch");
    }
}

/// CVE-2026-40575 and CVE-2023-27487 believed headers that clients can send.
#[test]
fn the_organization_is_judged_by_authority_and_no_other_header() {
    let requires = json!({"organization": {"path": ["org_id"], "host_template": "{org}.pymd.io"}});
    let mut edge = Edge::new(&with_requirement(&requires));
    let authorization = bearer(|claims| claims["org_id"] = json!("acme"));
    for name in [
        "host",
        "x-forwarded-host",
        "forwarded",
        "x-original-host",
        "x-envoy-original-host",
    ] {
        let headers = [
            ("authorization", authorization.as_str()),
            (name, "acme.pymd.io"),
        ];
        let judgement = edge.ask_host("globex.pymd.io", "/x", &headers);
        assert_eq!(shown(&judgement), "403 claim_mismatch", "{name}");
    }
}

#[test]
fn organizations_that_bind_nothing_are_refused() {
    let at = "rules[0].requires.organization";
    let refuse = |organization: serde_json::Value, expected: &str| {
        refused(
            json!({ "organization": organization }),
            &[&format!("{at}{expected}")],
        );
    };
    let path = json!(["org_id"]);
    refuse(
        json!({"path": path}),
        ": needs exactly one of hosts and host_template",
    );
    refuse(
        json!({"path": path, "host_template": "app.pymd.io"}),
        ".host_template: must have {org} in it, once, as in {org}.example.com",
    );
    refuse(
        json!({"path": path, "hosts": {"a.pymd.io": "x", "A.pymd.io.": "y"}}),
        ".hosts: has a.pymd.io twice, spelled differently",
    );
    refuse(
        json!({"path": path, "hosts": {"a.pymd.io:443": "x"}}),
        ".hosts: has a name that is no host name, or has a port",
    );
    refuse(
        json!({"path": path, "hosts": {}}),
        ".hosts: has 0 hosts; 1 to 4096 are allowed",
    );
}
