//! What is accepted, and what is said of mistakes.

use std::time::Duration;

use super::*;
use crate::redirect::RedirectStatus;

fn minimal() -> serde_json::Value {
    serde_json::json!({
        "version": 1,
        "providers": {"auth0": {
            "issuer": "https://tenant.auth0.com/",
            "audiences": ["https://api.pymd.io"],
            "remote_jwks": {"http_uri": {
                "uri": "https://tenant.auth0.com/.well-known/jwks.json",
                "cluster": "auth0",
            }},
        }},
        "default": {"requires": {"provider": "auth0"}},
    })
}

fn with(pointer: &str, name: &str, value: serde_json::Value) -> serde_json::Value {
    let mut config = minimal();
    let object = config
        .pointer_mut(pointer)
        .and_then(serde_json::Value::as_object_mut)
        .unwrap();
    object.insert(name.to_owned(), value);
    config
}

fn errors(config: &serde_json::Value) -> Vec<String> {
    match Config::from_json(config.to_string().as_bytes()) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
    }
}

#[track_caller]
fn check(config: &serde_json::Value, expected: &[&str]) {
    assert_eq!(errors(config), expected);
}

#[test]
fn the_defaults_are_the_safe_ones() {
    let config = Config::from_json(minimal().to_string().as_bytes()).unwrap();
    let provider = &config.providers[0];
    assert_eq!(provider.profile.clock_skew, Duration::from_secs(60));
    assert!(provider.profile.require_expiration);
    assert_eq!(
        provider.profile.max_lifetime,
        Some(Duration::from_secs(24 * 3600))
    );
    assert_eq!(
        provider
            .profile
            .algorithms
            .iter()
            .map(crate::signature::Algorithm::name)
            .collect::<Vec<_>>(),
        ["RS256"]
    );
    assert_eq!(
        provider.sources,
        [crate::credentials::TokenSource::authorization()]
    );
    assert!(config.https_redirect.is_none());
    assert_eq!(config.client_address.trusted_hops(), 0);
    assert!(!config.default.optional);
}

#[test]
fn all_mistakes_are_told_at_once_each_with_its_place() {
    check(
        &serde_json::json!({
            "version": 2,
            "providers": {"auth0": {
                "issuer": "https://tenant.auth0.com/",
                "audience": ["https://api.pymd.io"],
                "algorithms": ["HS256"],
                "remote_jwks": {
                    "http_uri": {"uri": "http://tenant.auth0.com/jwks", "cluster": "auth0"},
                    "cache_duration": 300,
                },
            }},
            "rules": [{"match": {"path": "/a"}, "requires": {"provider": "okta"}}],
            "default": {"requires": "public"},
        }),
        &[
            "version: is 2; 1 to 1 are allowed",
            "providers.auth0.audiences: is required",
            "providers.auth0.algorithms[0]: must be one of RS256, RS384, RS512, PS256, PS384, PS512, \
             ES256, ES384, ES512, EdDSA, Ed25519",
            "providers.auth0.remote_jwks.http_uri.uri: is plain http to another machine; use https",
            "providers.auth0.remote_jwks.cache_duration: is no duration; write a number and a unit, 1s to \
             24h, as in \"300s\", \"500ms\", \"24h\"",
            "providers.auth0.audience: is not known; did you mean `audiences`?",
            "rules[0].requires.provider: is not among providers: auth0",
            "default.requires: must be a token that is not optional: what no rule matches is denied",
        ],
    );
}

#[test]
fn a_default_that_lets_anyone_through_is_refused() {
    let expected =
        ["default.requires: must be a token that is not optional: what no rule matches is denied"];
    check(
        &with("", "default", serde_json::json!({"requires": "public"})),
        &expected,
    );
    let optional = serde_json::json!({"requires": {"provider": "auth0", "optional": true}});
    check(&with("", "default", optional), &expected);
}

#[test]
fn camel_case_and_doubles_are_read_as_protobuf_writes_them() {
    let mut config = minimal();
    let provider = config
        .pointer_mut("/providers/auth0")
        .unwrap()
        .as_object_mut()
        .unwrap();
    let jwks = provider.remove("remote_jwks").unwrap();
    provider.insert("remoteJwks".into(), jwks);
    provider.insert("clockSkewSeconds".into(), serde_json::json!(30.0));
    config["httpsRedirect"] = serde_json::json!({"status": 308.0});
    let config = Config::from_json(config.to_string().as_bytes()).unwrap();
    assert_eq!(
        config.providers[0].profile.clock_skew,
        Duration::from_secs(30)
    );
    assert_eq!(
        config.https_redirect.unwrap().status,
        RedirectStatus::PermanentRedirect
    );
}

#[test]
fn both_spellings_of_one_field_are_refused() {
    let config = with("/providers/auth0", "clockSkewSeconds", serde_json::json!(1));
    let mut both = config;
    both["providers"]["auth0"]["clock_skew_seconds"] = serde_json::json!(2);
    check(
        &both,
        &[
            "providers.auth0.clock_skew_seconds: is there twice, in snake_case and in camelCase; keep one",
        ],
    );
}

#[test]
fn a_source_of_keys_is_needed_and_each_only_once() {
    let both = with(
        "/providers/auth0",
        "local_jwks",
        serde_json::json!({"inline_string": "{}"}),
    );
    let [error] = &errors(&both)[..] else {
        panic!("{:?}", errors(&both))
    };
    assert!(error.starts_with("providers.auth0.local_jwks.inline_string: is no key set"));

    let mut several = minimal();
    let provider = &mut several["providers"]["auth0"];
    let jwks = provider["remote_jwks"].clone();
    provider["remote_jwks"] = serde_json::json!([jwks, jwks]);
    check(
        &several,
        &["providers.auth0.remote_jwks: names one document twice"],
    );
    several["providers"]["auth0"]["remote_jwks"] = serde_json::json!([jwks, jwks, jwks, jwks]);
    check(
        &several,
        &["providers.auth0.remote_jwks: has 4 elements; 1 to 3 are allowed"],
    );
    let mut none = minimal();
    let provider = none["providers"]["auth0"].as_object_mut().unwrap();
    provider.remove("remote_jwks");
    check(&none, &["providers.auth0: needs remote_jwks or local_jwks"]);
}

#[test]
fn a_proof_is_checked_upstream_only_where_the_upstream_sees_the_token() {
    let mut config = minimal();
    let provider = &mut config["providers"]["auth0"];
    provider["confirmed_upstream"] = serde_json::json!(["jkt"]);
    check(&config, &[]);
    config["providers"]["auth0"]["forward"] = serde_json::json!(false);
    check(
        &config,
        &[
            "providers.auth0.confirmed_upstream: needs forward: the upstream cannot check the proof of a token that it \
             does not see",
        ],
    );
}

/// As people paste them from `jwt_authn`'s configuration.
#[test]
fn keys_may_be_written_over_several_lines() {
    let with_keys = |text: &str| {
        let mut config = minimal();
        let provider = config["providers"]["auth0"].as_object_mut().unwrap();
        provider.remove("remote_jwks");
        provider.insert(
            "local_jwks".into(),
            serde_json::json!({ "inline_string": text }),
        );
        config
    };
    let keys = "{\r\n\t\"keys\": [{\n\"kty\": \"OKP\", \"crv\": \"Ed25519\",\n\
                \"x\": \"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}\n";
    check(&with_keys(keys), &[]);
    check(
        &with_keys(&keys.replace('\t', "\u{b}")),
        &["providers.auth0.local_jwks.inline_string: has a control character"],
    );
}

#[test]
fn identity_headers_that_would_break_the_request_are_refused() {
    for name in ["authorization", "host", ":path", "x y", "content-length"] {
        let claims = serde_json::json!([{"header_name": name, "claim_name": "sub"}]);
        let errors = errors(&with("/providers/auth0", "claim_to_headers", claims));
        assert_eq!(errors.len(), 1, "{name}: {errors:?}");
        assert!(
            errors[0].starts_with("providers.auth0.claim_to_headers[0].header_name: "),
            "{errors:?}"
        );
    }
}

#[test]
fn tokens_without_an_end_are_accepted_only_where_asked_for() {
    let config = with(
        "/providers/auth0",
        "require_expiration",
        serde_json::json!(false),
    );
    let config = Config::from_json(config.to_string().as_bytes()).unwrap();
    assert_eq!(config.providers[0].profile.max_lifetime, None);
    assert!(!config.providers[0].profile.require_expiration);
}

#[test]
fn one_header_for_two_claims_is_refused() {
    let claims = serde_json::json!([
        {"header_name": "x-user-id", "claim_name": "sub"},
        {"header_name": "X-User-Id", "claim_name": "email"},
    ]);
    check(
        &with("/providers/auth0", "claim_to_headers", claims),
        &[
            "providers.auth0.claim_to_headers: sets `x-user-id` twice; the upstream would see one of them",
        ],
    );
}

#[test]
fn revocations_must_not_grow_stale_between_two_polls() {
    let revocations = serde_json::json!({
        "http_uri": {"uri": "https://api.internal/feed", "cluster": "api"}, "poll_interval": "300s",
    });
    check(
        &with("", "revocations", revocations),
        &["revocations.max_stale: must be at least poll_interval + timeout + 10s, 315s here"],
    );
}

#[test]
fn text_that_is_no_json_says_what_to_do() {
    for text in ["", "version: 1", "{\"version\":1,\"version\":1}", "[]"] {
        let errors = Config::from_json(text.as_bytes()).unwrap_err();
        assert_eq!(errors.len(), 1, "{text}");
        assert_eq!(errors[0].path, "configuration", "{text}");
    }
}

#[test]
fn the_schema_describes_every_field_and_accepts_no_other() {
    let schema = schema();
    let fields = |pointer: &str| {
        schema
            .pointer(pointer)
            .unwrap()
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert!(fields("/properties").contains(&"https_redirect".to_owned()));
    let provider = "/properties/providers/additionalProperties/properties";
    assert!(fields(provider).contains(&"max_lifetime".to_owned()));
    assert_eq!(
        schema.pointer("/additionalProperties"),
        Some(&serde_json::json!(false))
    );
    // Every object of the schema says what it is for.
    let described = fields(provider).iter().all(|name| {
        schema
            .pointer(&format!("{provider}/{name}/description"))
            .is_some()
    });
    assert!(described);
}

#[test]
fn what_is_neither_json_nor_a_struct_is_told_so() {
    let refused = |bytes: &[u8]| Config::from_plugin(bytes).unwrap_err()[0].to_string();
    for bytes in [&b"\x0a\x02ab"[..], b"\nversion: 1", b"version: 1"] {
        let error = refused(bytes);
        assert!(error.contains("no JSON that can be read"), "{error}");
    }
    assert!(refused(b"").contains("is empty"));
    let json = format!("\n{}", minimal());
    assert!(Config::from_plugin(json.as_bytes()).is_ok());
}

fn with_service(change: impl FnOnce(&mut serde_json::Value)) -> serde_json::Value {
    let mut config = minimal();
    config["rate_limits"] =
        serde_json::json!({"here": {"key": ["host"], "requests": 1, "per": "1s"}});
    config["rate_limit_service"] = serde_json::json!({
        "cluster": "ratelimit", "domain": "edge", "limits": {"there": {"key": ["route"]}},
    });
    config["rules"] = serde_json::json!([
        {"match": {"path": "/"}, "requires": "public", "rate_limits": ["there", "here"]},
    ]);
    change(&mut config);
    config
}

#[test]
fn a_rule_names_limits_of_this_proxy_and_of_the_service_alike() {
    let config = with_service(|_| {});
    let config = Config::from_json(config.to_string().as_bytes()).unwrap();
    let rule = &config.rules[0];
    assert_eq!(
        (&rule.rate_limits, &rule.service_limits),
        (&vec![0], &vec![0])
    );
    let service = config.rate_limit_service.unwrap();
    assert_eq!(&*service.limits[0].name, "there");
    assert_eq!(service.timeout, Duration::from_millis(20));
    // What can't be counted is denied unless the operator says otherwise.
    let deny = crate::rate_limit::service::FailureMode::Deny;
    assert_eq!(service.failure_mode, deny);
}

#[test]
fn mistakes_of_the_rate_limit_service_are_told_with_their_places() {
    check(
        &with_service(|config| {
            let service = &mut config["rate_limit_service"];
            service["cluster"] = serde_json::json!("c".repeat(121));
            service["timeout"] = serde_json::json!("6s");
            service["failure_mode"] = serde_json::json!("open");
            service["limits"]["there"]["requests"] = serde_json::json!(5);
            service["limits"]["here"] = serde_json::json!({"key": ["host"]});
            config["rules"][0]["rate_limits"] = serde_json::json!(["nowhere"]);
        }),
        &[
            "rules[0].rate_limits[0]: is not among rate_limits and rate_limit_service.limits: here, here, there",
            "rate_limit_service.cluster: has 121 bytes; 1 to 120 are allowed",
            "rate_limit_service.timeout: is 6s; 1ms to 5s are allowed",
            "rate_limit_service.failure_mode: must be one of deny, allow",
            "rate_limit_service.limits.there.requests: is not known; known fields are key",
            "rate_limit_service.limits: has here, which rate_limits has too; rules could not tell them apart",
        ],
    );
    check(
        &with_service(|config| config["rate_limit_service"]["limits"] = serde_json::json!({})),
        &[
            "rules[0].rate_limits[0]: is not among rate_limits: here",
            "rate_limit_service.limits: has 0 members; 1 to 256 are allowed",
        ],
    );
}

#[test]
fn credentials_are_no_key_of_what_a_service_counts() {
    let refused = |header: &str| {
        errors(&with_service(|config| {
            config["providers"]["auth0"]["from_headers"] = serde_json::json!([{"name": "x-token"}]);
            config["rate_limit_service"]["limits"]["there"]["key"] =
                serde_json::json!([{"header": header}]);
        }))
    };
    for header in ["Authorization", "cookie", "x-token"] {
        let expected = format!(
            "rate_limit_service: would send the service the credentials in header {}, which is in the key of limit \
             there; count by a claim",
            header.to_ascii_lowercase()
        );
        assert_eq!(refused(header), [expected]);
    }
    assert_eq!(refused("x-plan"), Vec::<String>::new());
}
