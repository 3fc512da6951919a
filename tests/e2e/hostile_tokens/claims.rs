//! Well-signed tokens whose claims do not hold here and now (RFC 7519 §4.1).

use gateway_tests::gateway;
use serde_json::{Value, json};

use super::{check_tokens, claims_of, start};

#[tokio::test]
async fn tokens_whose_claims_do_not_hold_here_and_now_are_refused() {
    let (gateway, auth0) = start().await;
    let valid = || auth0.token();
    let claims = claims_of(&valid().build());
    let now = claims["iat"].as_u64().unwrap();
    let claim = |name: &str, value: Value| valid().claim(name, value).build();
    let without = |name: &str| valid().without(name).build();
    let exp_as = |text: &str| {
        let rest = without("exp");
        let payload = claims_of(&rest)
            .to_string()
            .replacen('{', &format!(r#"{{"exp":{text},"#), 1);
        valid().raw_payload(payload).build()
    };
    let tokens = vec![
        (
            "expired_beyond_clock_skew",
            valid().expired_by(120).build(),
            "expired",
        ),
        ("expired_for_years", claim("exp", json!(1)), "expired"),
        ("no_exp", without("exp"), "invalid_claims"),
        (
            "cve_2026_25537_exp_is_a_string",
            claim("exp", json!("9999999999")),
            "invalid_claims",
        ),
        ("exp_is_null", claim("exp", Value::Null), "invalid_claims"),
        ("negative_exp", claim("exp", json!(-1)), "invalid_claims"),
        ("exp_beyond_any_number", exp_as("1e400"), "malformed_token"),
        (
            "exp_beyond_64_bits",
            exp_as("99999999999999999999"),
            "invalid_claims",
        ),
        (
            "not_yet_valid",
            claim("nbf", json!(now + 600)),
            "not_yet_valid",
        ),
        (
            "nbf_is_a_string",
            claim("nbf", json!("0")),
            "invalid_claims",
        ),
        (
            "issued_in_the_future",
            claim("iat", json!(now + 600)),
            "not_yet_valid",
        ),
        (
            "lives_for_a_month",
            claim("exp", json!(now + 30 * 86_400)),
            "lifetime_too_long",
        ),
        (
            "cve_2021_21378_issuer_of_another",
            claim("iss", json!("https://evil.auth0.com/")),
            "wrong_issuer",
        ),
        (
            "issuer_without_its_slash",
            claim("iss", json!("https://tenant.auth0.com")),
            "wrong_issuer",
        ),
        (
            "issuer_in_another_case",
            claim("iss", json!("https://TENANT.auth0.com/")),
            "wrong_issuer",
        ),
        (
            "issuer_in_an_array",
            claim("iss", json!([gateway::ISSUER])),
            "wrong_issuer",
        ),
        ("no_issuer", without("iss"), "wrong_issuer"),
        (
            "audience_of_another_api",
            claim("aud", json!("https://other.pymd.io")),
            "wrong_audience",
        ),
        (
            "audience_as_a_prefix",
            claim("aud", json!("https://api.pymd.io.evil.example")),
            "wrong_audience",
        ),
        (
            "an_id_token",
            claim("aud", json!("test-spa-client")),
            "wrong_audience",
        ),
        ("no_audience", without("aud"), "invalid_claims"),
        (
            "audience_is_an_object",
            claim("aud", json!({"https://api.pymd.io": true})),
            "invalid_claims",
        ),
    ];
    check_tokens(&gateway, &auth0, tokens).await;
}
