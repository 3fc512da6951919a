//! What can be done to a token's claims (RFC 7519 §4.1) and to the JSON they are written in.

use auth0_sim::DEFAULT_AUDIENCE;
use gateway_tests::gateway::ISSUER;
use serde_json::{Value, json};

use super::draft::{Bend, Draft, bend, refused};

pub(super) const BENDS: &[Bend] = &[
    // iss (§4.1.1), compared byte by byte
    refused("iss_other", |d, _| {
        d.claim("iss", "https://attacker.invalid/");
    }),
    refused("iss_without_its_slash", |d, _| {
        d.claim("iss", ISSUER.trim_end_matches('/'));
    }),
    refused("iss_missing", |d, _| drop(d.claims.remove("iss"))),
    refused("iss_in_upper_case", |d, _| {
        d.claim("iss", ISSUER.to_uppercase());
    }),
    refused("iss_array", |d, _| d.claim("iss", json!([ISSUER]))),
    refused("iss_number", |d, _| d.claim("iss", 1)),
    refused("iss_empty", |d, _| d.claim("iss", "")),
    refused("iss_with_a_space", |d, _| {
        d.claim("iss", format!("{ISSUER} "));
    }),
    refused("iss_null", |d, _| d.claim("iss", Value::Null)),
    // aud (§4.1.3)
    refused("aud_other", |d, _| d.claim("aud", "https://other.invalid")),
    refused("aud_missing", |d, _| drop(d.claims.remove("aud"))),
    bend("aud_array_with_it", |d, _| {
        d.claim("aud", json!(["x", DEFAULT_AUDIENCE]));
    }),
    refused("aud_array_without_it", |d, _| {
        d.claim("aud", json!(["x", "y"]));
    }),
    refused("aud_empty_array", |d, _| d.claim("aud", json!([]))),
    refused("aud_number", |d, _| d.claim("aud", 1)),
    refused("aud_object", |d, _| {
        d.claim("aud", json!({DEFAULT_AUDIENCE: true}));
    }),
    bend("aud_with_a_slash", |d, _| {
        d.claim("aud", format!("{DEFAULT_AUDIENCE}/"));
    }),
    bend("aud_with_http", |d, _| {
        d.claim("aud", DEFAULT_AUDIENCE.replace("https", "http"));
    }),
    bend("aud_without_scheme", |d, _| {
        d.claim("aud", DEFAULT_AUDIENCE.replace("https://", ""));
    }),
    refused("aud_longer", |d, _| {
        d.claim("aud", format!("{DEFAULT_AUDIENCE}.attacker.invalid"));
    }),
    refused("aud_in_upper_case", |d, _| {
        d.claim("aud", DEFAULT_AUDIENCE.to_uppercase());
    }),
    bend("aud_array_with_a_number", |d, _| {
        d.claim("aud", json!([DEFAULT_AUDIENCE, 1]));
    }),
    bend("aud_nested", |d, _| {
        d.claim("aud", json!([[DEFAULT_AUDIENCE]]));
    }),
    // exp (§4.1.4), far from the edges: the clock is the machine's
    refused("exp_past", |d, _| d.claim("exp", d.now - 3600)),
    bend("exp_within_the_skew", |d, _| d.claim("exp", d.now - 20)),
    refused("exp_beyond_the_skew", |d, _| d.claim("exp", d.now - 120)),
    refused("exp_missing", |d, _| drop(d.claims.remove("exp"))),
    refused("exp_text", |d, _| {
        d.claim("exp", (d.now + 3600).to_string());
    }),
    bend("exp_fraction", |d, _| {
        raw_time(d, "exp", &format!("{}.5", d.now + 3600));
    }),
    bend("exp_exponent", |d, _| {
        raw_time(d, "exp", &format!("{}e2", (d.now + 3600) / 100));
    }),
    refused("exp_negative", |d, _| d.claim("exp", -1)),
    refused("exp_negative_large", |d, _| {
        d.claim("exp", -9_000_000_000_000_i64);
    }),
    refused("exp_zero", |d, _| d.claim("exp", 0)),
    refused("exp_milliseconds", |d, _| {
        d.claim("exp", (d.now + 3600) * 1000);
    }),
    refused("exp_u64_max", |d, _| d.claim("exp", u64::MAX)),
    refused("exp_beyond_numbers", |d, _| raw_time(d, "exp", "1e400")),
    refused("exp_huge", |d, _| raw_time(d, "exp", "1e30")),
    refused("exp_null", |d, _| d.claim("exp", Value::Null)),
    refused("exp_true", |d, _| d.claim("exp", true)),
    refused("exp_array", |d, _| d.claim("exp", json!([d.now + 3600]))),
    refused("exp_object", |d, _| d.claim("exp", json!({}))),
    refused("exp_by_escape_only", |d, _| {
        d.claim("exp", d.now - 3600);
        let raw = format!(r#"{},"\u0065xp":{}}}"#, d.open_claims(), d.now + 3600);
        d.raw_claims = Some(raw.into());
    }),
    // nbf (§4.1.5)
    bend("nbf_past", |d, _| d.claim("nbf", d.now - 60)),
    bend("nbf_within_the_skew", |d, _| d.claim("nbf", d.now + 25)),
    refused("nbf_beyond_the_skew", |d, _| d.claim("nbf", d.now + 180)),
    refused("nbf_text", |d, _| d.claim("nbf", "soon")),
    bend("nbf_text_of_a_past_time", |d, _| {
        d.claim("nbf", (d.now - 60).to_string());
    }),
    bend("nbf_negative", |d, _| d.claim("nbf", -1)),
    bend("nbf_null", |d, _| d.claim("nbf", Value::Null)),
    refused("nbf_array", |d, _| d.claim("nbf", json!([d.now + 180]))),
    bend("nbf_fraction", |d, _| {
        raw_time(d, "nbf", &format!("{}.25", d.now - 60));
    }),
    // iat (§4.1.6) and how long a token lives
    bend("iat_missing", |d, _| drop(d.claims.remove("iat"))),
    bend("iat_future", |d, _| d.claim("iat", d.now + 1800)),
    bend("iat_text", |d, _| d.claim("iat", "then")),
    bend("iat_negative", |d, _| d.claim("iat", -1)),
    bend("iat_two_days_ago", |d, _| {
        d.claim("iat", d.now - 2 * 86_400);
    }),
    refused("lifetime_two_days", |d, _| {
        d.claim("exp", d.now + 2 * 86_400);
    }),
    // sub, jti and what goes upstream
    bend("sub_missing", |d, _| drop(d.claims.remove("sub"))),
    bend("sub_empty", |d, _| d.claim("sub", "")),
    bend("sub_number", |d, _| d.claim("sub", 7)),
    bend("sub_object", |d, _| d.claim("sub", json!({"id": 7}))),
    bend("sub_with_a_line_break", |d, _| {
        d.claim("sub", "a\r\nx-user-id: admin");
    }),
    bend("sub_with_nul", |d, _| d.claim("sub", "a\0b")),
    bend("sub_with_a_tab", |d, _| d.claim("sub", "a\tb")),
    bend("sub_with_a_c1_control", |d, _| d.claim("sub", "a\u{85}b")),
    bend("sub_not_ascii", |d, _| d.claim("sub", "auth0|ü")),
    bend("sub_with_a_comma", |d, _| d.claim("sub", "auth0|a,admin")),
    bend("sub_very_long", |d, _| d.claim("sub", "s".repeat(5000))),
    bend("sub_with_spaces_around", |d, _| d.claim("sub", " auth0|1 ")),
    bend("jti_number", |d, _| d.claim("jti", 7)),
    bend("jti_text", |d, _| d.claim("jti", "7")),
    bend("scope_array", |d, _| {
        d.claim("scope", json!(["read:documents", "b"]));
    }),
    bend("scope_number", |d, _| d.claim("scope", 7)),
    bend("scope_missing", |d, _| drop(d.claims.remove("scope"))),
    bend("scope_true", |d, _| d.claim("scope", true)),
    // The claims as JSON (RFC 8259, RFC 7519 §4: names are unique, or the token is refused)
    bend("claims_duplicate_exp", |d, _| {
        duplicate(d, "exp", &(d.now + 3600).to_string());
    }),
    bend("claims_duplicate_sub", |d, _| {
        duplicate(d, "sub", r#""admin""#);
    }),
    bend("claims_duplicate_aud", |d, _| {
        duplicate(d, "aud", &format!("{DEFAULT_AUDIENCE:?}"));
    }),
    bend("claims_duplicate_iss", |d, _| {
        duplicate(d, "iss", &format!("{ISSUER:?}"));
    }),
    bend("claims_duplicate_by_escape", |d, _| {
        duplicate(d, r"\u0073ub", r#""admin""#);
    }),
    bend("claims_duplicate_nested", |d, _| {
        duplicate(d, "x", r#"{"a":1,"a":2}"#);
    }),
    refused("claims_array", |d, _| {
        d.raw_claims = Some(format!("[{}}}]", d.open_claims()).into());
    }),
    refused("claims_no_json", |d, _| {
        d.raw_claims = Some(b"sub=admin".to_vec());
    }),
    refused("claims_empty_object", |d, _| {
        d.raw_claims = Some(b"{}".to_vec());
    }),
    refused("claims_null", |d, _| d.raw_claims = Some(b"null".to_vec())),
    refused("claims_trailing_text", |d, _| {
        d.raw_claims = Some(format!("{}}}x", d.open_claims()).into());
    }),
    refused("claims_trailing_object", |d, _| {
        d.raw_claims = Some(format!("{}}}{{}}", d.open_claims()).into());
    }),
    refused("claims_trailing_comma", |d, _| {
        d.raw_claims = Some(format!("{},}}", d.open_claims()).into());
    }),
    refused("claims_comment", |d, _| {
        d.raw_claims = Some(format!("{}/*x*/}}", d.open_claims()).into());
    }),
    refused("claims_single_quotes", |d, _| {
        d.raw_claims = Some(d.open_claims().replace('"', "'").into_bytes());
    }),
    refused("claims_byte_order_mark", |d, _| {
        d.raw_claims = Some(format!("\u{feff}{}}}", d.open_claims()).into());
    }),
    refused("claims_nan", |d, _| duplicate(d, "x", "NaN")),
    refused("claims_leading_zero", |d, _| duplicate(d, "x", "007")),
    refused("claims_control_character", |d, _| {
        duplicate(d, "x", "\"a\u{1}b\"");
    }),
    bend("claims_nul_escape", |d, _| {
        duplicate(d, "x", r#""a\u0000b""#);
    }),
    refused("claims_lone_surrogate", |d, _| {
        duplicate(d, "x", r#""\ud800""#);
    }),
    refused("claims_no_utf8", |d, _| {
        let raw = format!(r#"{},"x":"?"}}"#, d.open_claims());
        let broken = raw
            .bytes()
            .map(|byte| if byte == b'?' { 0xff } else { byte });
        d.raw_claims = Some(broken.collect());
    }),
    bend("claims_nested_deeply", |d, _| {
        duplicate(d, "x", &nested(60));
    }),
    bend("claims_nested_a_little", |d, _| {
        duplicate(d, "x", &nested(5));
    }),
    bend("claims_nested_a_thousand_deep", |d, _| {
        duplicate(d, "x", &nested(1000));
    }),
    bend("claims_large", |d, _| d.claim("x", "y".repeat(20_000))),
    bend("claims_many", |d, _| {
        (0..900).for_each(|n| d.claim(&format!("c{n}"), n));
    }),
    bend("claims_with_spaces", |d, _| {
        d.raw_claims = Some(format!("\n{}\n}}\n", d.open_claims()).into());
    }),
];

/// Writes a number that `serde_json` would not.
fn raw_time(d: &mut Draft, name: &str, number: &str) {
    d.claims.remove(name);
    d.raw_claims = Some(format!(r#"{},"{name}":{number}}}"#, d.open_claims()).into());
}

/// Writes a member at the end, whether it is there already or not; both are JSON text.
fn duplicate(d: &mut Draft, name: &str, value: &str) {
    d.raw_claims = Some(format!(r#"{},"{name}":{value}}}"#, d.open_claims()).into());
}

fn nested(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}
