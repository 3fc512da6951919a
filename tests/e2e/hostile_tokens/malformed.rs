//! Tokens that a lax parser would read somehow (RFC 7515 §5.2, RFC 7519 §7.2).

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{check_tokens, claims_of, start, with_trailing_bits};

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one table, one row per token")]
async fn tokens_that_are_no_strict_compact_jws_are_refused() {
    let (gateway, auth0) = start().await;
    let valid = || auth0.token();
    let signed = valid().build();
    let claims = claims_of(&signed);
    let raw = |payload: String| valid().raw_payload(payload).build();
    let header = |name: &str, value: Value| valid().header(name, value).build();
    let encoded = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    let jwe = format!(
        "{}.key.iv.text.tag",
        encoded(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#)
    );
    let tokens = vec![
        ("opaque", "mF_9.B5f-4.1JqM".replace('.', ""), "opaque_token"),
        ("cve_2023_51774_encrypted", jwe, "encrypted_token"),
        (
            "two_segments",
            signed.rsplit_once('.').unwrap().0.to_owned(),
            "malformed_token",
        ),
        ("four_segments", format!("{signed}.AA"), "malformed_token"),
        ("dots_alone", "..".to_owned(), "malformed_token"),
        (
            "cve_2026_32597_unknown_crit",
            header("crit", json!(["exp"])),
            "malformed_token",
        ),
        ("empty_crit", header("crit", json!([])), "malformed_token"),
        (
            "detached_payload",
            header("b64", json!(false)),
            "malformed_token",
        ),
        (
            "cve_2024_33664_compressed",
            header("zip", json!("DEF")),
            "malformed_token",
        ),
        (
            "kid_is_a_number",
            header("kid", json!(1)),
            "malformed_token",
        ),
        (
            "kid_of_a_kilobyte",
            header("kid", json!("k".repeat(1024))),
            "malformed_token",
        ),
        (
            "alg_is_an_array",
            header("alg", json!(["RS256"])),
            "malformed_token",
        ),
        (
            "alg_twice",
            valid()
                .raw_header(r#"{"alg":"RS256","alg":"none","kid":"test-rsa-2048-1"}"#)
                .build(),
            "malformed_token",
        ),
        (
            "header_is_no_json",
            valid().raw_header("RS256").build(),
            "malformed_token",
        ),
        (
            "bits_after_the_signature",
            with_trailing_bits(&signed),
            "malformed_token",
        ),
        ("padding", format!("{signed}=="), "malformed_token"),
        (
            "the_other_base64_alphabet",
            signed.replace('-', "+").replace('_', "/"),
            "malformed_token",
        ),
        (
            "a_space_inside",
            signed.replacen('.', ". ", 1),
            "malformed_token",
        ),
        (
            "sub_twice",
            raw(claims.to_string().replacen('{', r#"{"sub":"admin","#, 1)),
            "malformed_token",
        ),
        (
            "sub_twice_with_an_escape",
            raw(claims
                .to_string()
                .replacen('{', r#"{"\u0073ub":"admin","#, 1)),
            "malformed_token",
        ),
        (
            "claims_are_an_array",
            raw("[]".to_owned()),
            "malformed_token",
        ),
        (
            "claims_are_no_utf_8",
            valid().raw_payload(*b"{\"sub\":\"\xff\"}").build(),
            "malformed_token",
        ),
        (
            "text_after_the_claims",
            raw(format!("{claims}{{}}")),
            "malformed_token",
        ),
        (
            "cve_2026_48042_deep_nesting",
            raw(format!(
                r#"{{"a":{}{}}}"#,
                "[".repeat(5000),
                "]".repeat(5000)
            )),
            "malformed_token",
        ),
        (
            "twenty_kilobytes",
            valid().claim("padding", "x".repeat(20_000)).build(),
            "malformed_token",
        ),
        (
            "a_logout_token",
            header("typ", json!("logout+jwt")),
            "type_not_allowed",
        ),
        (
            "a_typ_nobody_knows",
            header("typ", json!("JOSE+JSON")),
            "type_not_allowed",
        ),
    ];
    check_tokens(&gateway, &auth0, tokens).await;
}
