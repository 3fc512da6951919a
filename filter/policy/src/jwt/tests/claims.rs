//! The claims: what they must be, and what becomes of them.

use super::*;
use crate::claims::{ClaimPath, ClaimRule, ClaimTest, ClaimValue};
use crate::condition::Truth;
use crate::json;

/// A truly signed token whose claims differ from the valid ones by `changes`.
#[track_caller]
fn check_claims(changes: &Json, expected: Result<(), Error>) {
    check(token(Algorithm::EdDsa, &json!({}), changes), expected);
}

/// A truly signed token with exactly this payload.
#[track_caller]
fn check_payload(payload: &[u8], expected: Result<(), Error>) {
    let header = valid_header(Algorithm::EdDsa).to_string();
    check(
        signed(Algorithm::EdDsa, header.as_bytes(), payload),
        expected,
    );
}

fn secs(seconds: u64) -> UnixTime {
    UnixTime::from_secs(seconds)
}

#[test]
fn verified_claims_say_what_the_token_said() {
    let changes = json!({
        "jti": "j", "sid": "s", "azp": "spa", "nbf": NOW - 5, "exp": 1_700_000_100.5,
        "permissions": ["edit"], "https://pymd.io/roles": ["editor"], "org": {"id": 7},
    });
    let claims = decide(token(Algorithm::EdDsa, &json!({}), &changes), &profile()).unwrap();
    assert_eq!(claims.issuer(), ISSUER);
    assert_eq!(claims.subject(), Some("auth0|1"));
    assert_eq!(claims.token_id(), Some("j"));
    assert_eq!(claims.session_id(), Some("s"));
    assert_eq!(claims.client_id(), Some("spa"));
    assert_eq!(
        claims.expiration_time(),
        Some(UnixTime::from_millis(1_700_000_100_500))
    );
    assert_eq!(claims.issued_at(), Some(secs(NOW)));
    assert_eq!(claims.not_before(), Some(secs(NOW - 5)));
    assert!(claims.has_audience(AUDIENCE) && !claims.has_audience("https://other"));
    assert!(claims.scopes().iter().eq(["read:documents"]));
    let path = ClaimPath::new(["org", "id"]).unwrap();
    assert_eq!(
        claims.claim(&path).unwrap().as_number(),
        Some(json::Number::Unsigned(7))
    );
    let rule = |name, text: &str| ClaimRule {
        path: ClaimPath::new([name]).unwrap(),
        test: ClaimTest::Equals(ClaimValue::String(text.into())),
    };
    let judge = |name, text| rule(name, text).judge(&claims);
    assert_eq!(judge("https://pymd.io/roles", "editor"), Truth::True);
    assert_eq!(judge("https://pymd.io/roles", "admin"), Truth::False);
    assert_eq!(judge("roles", "editor"), Truth::Unknown);
    let claims = decide(
        token(
            Algorithm::EdDsa,
            &json!({}),
            &json!({"client_id": "c", "azp": "a"}),
        ),
        &profile(),
    );
    assert_eq!(claims.unwrap().client_id(), Some("c"));
}

#[test]
fn issuer_is_compared_byte_by_byte() {
    check_claims(&json!({"iss": null}), Err(Error::MissingClaim("iss")));
    for issuer in [
        "https://tenant.auth0.com",
        "https://tenant.auth0.com//",
        "https://TENANT.auth0.com/",
        "http://tenant.auth0.com/",
        "https://tenant.auth0.com/\u{0}",
        "https://tenant.auth0.com/?",
        "https://tenant.auth0.com.evil.example/",
        "",
    ] {
        check_claims(&json!({ "iss": issuer }), Err(Error::IssuerNotAllowed));
    }
    for issuer in [
        json!([ISSUER]),
        json!({"iss": ISSUER}),
        json!(1),
        json!(true),
    ] {
        check_claims(&json!({ "iss": issuer }), Err(Error::MalformedClaim("iss")));
    }
}

#[test]
fn one_of_several_issuers_is_enough() {
    let mut profile = profile();
    profile.issuers.push("https://login.pymd.io/".into());
    let compact = token(
        Algorithm::EdDsa,
        &json!({}),
        &json!({"iss": "https://login.pymd.io/"}),
    );
    assert_eq!(
        decide(compact, &profile).unwrap().issuer(),
        "https://login.pymd.io/"
    );
}

#[test]
fn audience_is_a_text_or_an_array_of_texts_with_ours_among_them() {
    for audience in [
        json!(AUDIENCE),
        json!([AUDIENCE]),
        json!(["https://tenant.auth0.com/userinfo", AUDIENCE]),
    ] {
        check_claims(&json!({ "aud": audience }), Ok(()));
    }
    check_claims(&json!({"aud": null}), Err(Error::MissingClaim("aud")));
    for audience in [
        json!("https://other"),
        json!([]),
        json!(""),
        json!(["https://other"]),
        json!("https://api.pymd.io/"),
        json!("https://api.pymd.io https://other"),
        json!("https://api.pymd.io,https://other"),
    ] {
        check_claims(&json!({ "aud": audience }), Err(Error::AudienceNotAllowed));
    }
    for audience in [
        json!({"aud": AUDIENCE}),
        json!(1),
        json!(true),
        json!([AUDIENCE, 1]),
        json!([AUDIENCE, [AUDIENCE]]),
        json!([[AUDIENCE]]),
        json!([AUDIENCE, null]),
    ] {
        check_claims(
            &json!({ "aud": audience }),
            Err(Error::MalformedClaim("aud")),
        );
    }
}

#[test]
fn profile_without_issuers_or_audiences_allows_nothing() {
    let compact = token(Algorithm::EdDsa, &json!({}), &json!({}));
    let without_issuers = TokenProfile {
        issuers: Vec::new(),
        ..profile()
    };
    assert_eq!(
        decide(&compact, &without_issuers).unwrap_err(),
        Error::IssuerNotAllowed
    );
    let without_audiences = TokenProfile {
        audiences: Vec::new(),
        ..profile()
    };
    assert_eq!(
        decide(&compact, &without_audiences).unwrap_err(),
        Error::AudienceNotAllowed
    );
    let without_types = TokenProfile {
        types: Vec::new(),
        ..profile()
    };
    assert_eq!(
        decide(&compact, &without_types).unwrap_err(),
        Error::TypeNotAllowed
    );
    let without_algorithms = TokenProfile {
        algorithms: AlgorithmSet::EMPTY,
        ..profile()
    };
    let refused = decide(&compact, &without_algorithms).unwrap_err();
    assert_eq!(refused, Error::AlgorithmNotAllowed(Algorithm::EdDsa));
}

#[test]
fn token_expired_beyond_clock_skew_is_refused() {
    check_claims(&json!({"exp": NOW - 59}), Ok(()));
    check_claims(&json!({"exp": f64::from(1_700_000_000 - 60) + 0.5}), Ok(()));
    // "On or after" (RFC 7519 §4.1.4): the very second of `exp` is too late.
    let expired = |exp| {
        Err(Error::Expired {
            expiration_time: secs(exp),
            now: secs(NOW),
        })
    };
    check_claims(&json!({"exp": NOW - 60}), expired(NOW - 60));
    check_claims(&json!({"exp": 0}), expired(0));
}

#[test]
fn token_used_before_its_time_is_refused() {
    check_claims(&json!({"nbf": NOW + 60}), Ok(()));
    let not_before = secs(NOW + 61);
    check_claims(
        &json!({"nbf": NOW + 61}),
        Err(Error::NotYetValid {
            not_before,
            now: secs(NOW),
        }),
    );
    check_claims(&json!({"iat": NOW + 60}), Ok(()));
    let issued_at = secs(NOW + 61);
    check_claims(
        &json!({"iat": NOW + 61}),
        Err(Error::IssuedInTheFuture {
            issued_at,
            now: secs(NOW),
        }),
    );
}

#[test]
fn expiration_can_be_required_or_not() {
    check_claims(&json!({"exp": null}), Err(Error::MissingClaim("exp")));
    let lenient = TokenProfile {
        require_expiration: false,
        ..profile()
    };
    let without = token(Algorithm::EdDsa, &json!({}), &json!({"exp": null}));
    assert_eq!(decide(without, &lenient).unwrap().expiration_time(), None);
    let expired = token(Algorithm::EdDsa, &json!({}), &json!({"exp": NOW - 61}));
    assert!(decide(expired, &lenient).is_err());
}

#[test]
fn cve_2026_25537_a_time_of_the_wrong_type_is_not_absent() {
    let lenient = TokenProfile {
        require_expiration: false,
        ..profile()
    };
    for name in ["exp", "nbf", "iat"] {
        for value in [
            json!("1700003600"),
            json!(""),
            json!([NOW]),
            json!({}),
            json!(true),
            json!(false),
            json!("never"),
        ] {
            let compact = token(Algorithm::EdDsa, &json!({}), &json!({ name: value }));
            assert_eq!(
                decide(compact, &lenient).unwrap_err(),
                Error::MalformedClaim(name)
            );
        }
        let payload = with(valid_claims(), &json!({ name: 1 })).to_string();
        let payload = payload.replace(&format!(r#""{name}":1"#), &format!(r#""{name}":null"#));
        check_payload(payload.as_bytes(), Err(Error::MalformedClaim(name)));
    }
}

#[test]
fn jwt_simple_audit_negative_and_huge_times_do_not_wrap() {
    for name in ["exp", "nbf", "iat"] {
        for value in [
            json!(-1),
            json!(i64::MIN),
            json!(-0.001),
            json!(1e300),
            json!(u64::MAX),
            json!(NOW * 1000),
        ] {
            check_claims(&json!({ name: value }), Err(Error::MalformedClaim(name)));
        }
    }
    // In range, and beyond what our clock can count: it saturates and stays far ahead.
    check_claims(&json!({"exp": 253_402_300_799_u64}), Ok(()));
    check_payload(
        valid_claims()
            .to_string()
            .replace("1700003600", "1e999")
            .as_bytes(),
        Err(Error::ClaimsJson(json::Error::Syntax)),
    );
}

#[test]
fn lifetime_is_bounded_where_configured() {
    let bounded = TokenProfile {
        max_lifetime: Some(Duration::from_hours(1)),
        ..profile()
    };
    let decide =
        |changes| decide(token(Algorithm::EdDsa, &json!({}), &changes), &bounded).map(|_| ());
    assert_eq!(decide(json!({})), Ok(()));
    let too_long = Error::LifetimeTooLong {
        lifetime: Duration::from_secs(3601),
        max_lifetime: Duration::from_hours(1),
    };
    assert_eq!(decide(json!({"exp": NOW + 3601})), Err(too_long));
    assert_eq!(decide(json!({"iat": NOW - 1})), Err(too_long));
    assert_eq!(
        decide(json!({"iat": null})),
        Err(Error::MissingClaim("iat"))
    );
    let lenient = TokenProfile {
        require_expiration: false,
        ..bounded.clone()
    };
    let without = token(Algorithm::EdDsa, &json!({}), &json!({"exp": null}));
    assert_eq!(
        super::decide(without, &lenient).unwrap_err(),
        Error::MissingClaim("exp")
    );
}

#[test]
fn names_that_identity_hangs_on_are_texts() {
    for name in ["sub", "jti", "sid", "client_id", "azp"] {
        check_claims(&json!({ name: null }), Ok(()));
        for value in [json!(1), json!(["auth0|1"]), json!({}), json!(true)] {
            check_claims(&json!({ name: value }), Err(Error::MalformedClaim(name)));
        }
        let payload = with(valid_claims(), &json!({ name: "x" })).to_string();
        let payload = payload.replace(&format!(r#""{name}":"x""#), &format!(r#""{name}":null"#));
        check_payload(payload.as_bytes(), Err(Error::MalformedClaim(name)));
    }
}

/// RFC 9449 §7.2: "MUST reject a DPoP-bound access token received as a bearer token".
#[test]
fn a_token_bound_to_a_key_is_refused_unless_its_proof_is_checked_behind_us() {
    let dpop = json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"});
    let mutual_tls = json!({"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"});
    let both = with(dpop.clone(), &mutual_tls);
    for cnf in [&dpop, &mutual_tls, &both, &json!({"jwk": {}})] {
        check_claims(&json!({ "cnf": cnf }), Err(Error::Bound));
    }
    let proved = TokenProfile {
        confirmed_upstream: vec!["jkt".into()],
        ..profile()
    };
    for (cnf, expected) in [
        (&dpop, Ok(())),
        (&mutual_tls, Err(Error::Bound)),
        (&both, Err(Error::Bound)),
        (&json!({"JKT": "x"}), Err(Error::Bound)),
    ] {
        let bound = token(Algorithm::EdDsa, &json!({}), &json!({ "cnf": cnf }));
        assert_eq!(decide(bound, &proved).map(|_| ()), expected, "{cnf}");
    }
    for cnf in [json!({}), json!("jkt"), json!([]), json!(1), json!(false)] {
        check_claims(&json!({ "cnf": cnf }), Err(Error::MalformedClaim("cnf")));
        let bound = token(Algorithm::EdDsa, &json!({}), &json!({ "cnf": cnf }));
        let refused = decide(bound, &proved).unwrap_err();
        assert_eq!(refused, Error::MalformedClaim("cnf"), "{cnf}");
    }
}

#[test]
fn claims_that_two_readers_could_read_differently_are_refused() {
    use json::Error::{DuplicateMember, Syntax, TooDeep, TooManyValues};

    let valid = valid_claims().to_string();
    let inner = valid.trim_end_matches('}');
    let plus = |more: &str| format!("{inner},{more}}}");
    check_payload(plus(r#""x":1"#).as_bytes(), Ok(()));
    for (payload, expected) in [
        (plus(r#""sub":"admin""#), DuplicateMember),
        (plus(r#""\u0073ub":"admin""#), DuplicateMember),
        (
            plus(r#""x":{"roles":[],"roles":["admin"]}"#),
            DuplicateMember,
        ),
        (format!("{valid}{{}}"), Syntax),
        (format!("{valid}\0"), Syntax),
        (plus(r#""x":"\ud800""#), Syntax),
        (plus("\"x\":NaN"), Syntax),
        (plus("\"x\":01"), Syntax),
        (
            plus(&format!("\"x\":{}1{}", "[".repeat(16), "]".repeat(16))),
            TooDeep,
        ),
        (plus(&format!("\"x\":{}", "[".repeat(5000))), TooDeep),
        (
            plus(&format!("\"x\":[{}1]", "1,".repeat(2048))),
            TooManyValues,
        ),
    ] {
        check_payload(payload.as_bytes(), Err(Error::ClaimsJson(expected)));
    }
    check_payload(b"\xff", Err(Error::ClaimsJson(Syntax)));
    check_payload(b"[]", Err(Error::ClaimsNotAnObject));
    check_payload(b"\"sub\"", Err(Error::ClaimsNotAnObject));
    check_payload(b"null", Err(Error::ClaimsNotAnObject));
}

#[test]
fn ghsa_pm7g_w2cf_q238_a_token_inside_a_token_is_not_opened() {
    let inner = token(Algorithm::EdDsa, &json!({}), &json!({}));
    let header = with(valid_header(Algorithm::EdDsa), &json!({"cty": "JWT"})).to_string();
    let compact = signed(Algorithm::EdDsa, header.as_bytes(), inner.as_bytes());
    check(compact, Err(Error::ClaimsJson(json::Error::Syntax)));
}
