//! Signatures made with the wrong key, the wrong algorithm, or none (RFC 8725 §2.1, §3.1).

use auth0_sim::{Algorithm, Key, SigningKey};
use serde_json::Value;

use super::{check_tokens, start, with_part, with_signature};

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one table, one row per token")]
async fn tokens_with_a_forged_signature_are_refused() {
    let (gateway, auth0) = start().await;
    let valid = || auth0.token();
    let attacker = || SigningKey::from(Key::RsaUnknown).with_kid(Key::Rsa1.kid());
    let pem = Key::Rsa1.public_key_pem().unwrap();
    let attackers_jwk = Value::Object(Key::RsaUnknown.jwk());
    let tokens = vec![
        (
            "alg_none",
            valid().unsigned("none").build(),
            "malformed_token",
        ),
        (
            "alg_none_in_another_case",
            valid().unsigned("nOnE").build(),
            "malformed_token",
        ),
        (
            "alg_none_with_a_signature",
            valid().header("alg", "none").build(),
            "algorithm_not_allowed",
        ),
        (
            "cve_2024_33663_hs256_with_the_public_key",
            valid().hs256(Key::Rsa1, pem).build(),
            "algorithm_not_allowed",
        ),
        (
            "hs256_with_an_empty_secret",
            valid().hs256(Key::Rsa1, "").build(),
            "algorithm_not_allowed",
        ),
        (
            "another_key_under_a_known_kid",
            valid().signed_with(attacker()).build(),
            "bad_signature",
        ),
        (
            "another_key_under_its_own_kid",
            valid().signed_with(Key::RsaUnknown).build(),
            "unknown_key_id",
        ),
        (
            "another_key_without_kid",
            valid()
                .signed_with(Key::RsaUnknown)
                .header("kid", Value::Null)
                .build(),
            "bad_signature",
        ),
        (
            "cve_2026_27962_key_in_the_header",
            valid()
                .signed_with(attacker())
                .header("jwk", attackers_jwk.clone())
                .build(),
            "bad_signature",
        ),
        (
            "key_set_url_in_the_header",
            valid()
                .signed_with(attacker())
                .header("jku", "https://attacker.invalid/jwks.json")
                .build(),
            "bad_signature",
        ),
        (
            "certificate_in_the_header",
            valid()
                .signed_with(attacker())
                .header("x5c", attackers_jwk["x5c"].clone())
                .header("x5u", "https://attacker.invalid/cert.pem")
                .build(),
            "bad_signature",
        ),
        (
            "algorithm_of_the_key_but_not_configured",
            valid()
                .signed_with(SigningKey::from(Key::Rsa1).with_algorithm(Algorithm::Rs512))
                .build(),
            "algorithm_not_allowed",
        ),
        (
            "rsa_pss_where_pkcs1_is_configured",
            valid()
                .signed_with(SigningKey::from(Key::Rsa1).with_algorithm(Algorithm::Ps256))
                .build(),
            "algorithm_not_allowed",
        ),
        (
            "es256_naming_an_rsa_key",
            valid()
                .signed_with(SigningKey::from(Key::P256).with_kid(Key::Rsa1.kid()))
                .build(),
            "unknown_key_id",
        ),
        (
            "rs256_naming_a_p256_key",
            valid()
                .signed_with(SigningKey::from(Key::Rsa1).with_kid(Key::P256.kid()))
                .build(),
            "unknown_key_id",
        ),
        (
            "es256_signature_of_zeros",
            valid().signed_with(Key::P256).signature([0; 64]).build(),
            "bad_signature",
        ),
        (
            "es256_signature_in_der",
            with_signature(&valid().signed_with(Key::P256).build(), |raw| {
                p256::ecdsa::Signature::from_slice(&raw)
                    .unwrap()
                    .to_der()
                    .as_bytes()
                    .to_vec()
            }),
            "bad_signature",
        ),
        (
            "rs256_signature_of_zeros",
            valid().signature([0; 256]).build(),
            "bad_signature",
        ),
        (
            "rs256_signature_of_ones",
            valid().signature([0xff; 256]).build(),
            "bad_signature",
        ),
        (
            "signature_cut_short",
            with_signature(&valid().build(), |raw| raw[..255].to_vec()),
            "bad_signature",
        ),
        (
            "signature_made_longer",
            with_signature(&valid().build(), |raw| [vec![0], raw].concat()),
            "bad_signature",
        ),
        (
            "signature_left_out",
            valid().signature([]).build(),
            "malformed_token",
        ),
        (
            "claims_changed_after_signing",
            with_part(
                &valid().build(),
                1,
                &valid().scope("delete:documents").build(),
            ),
            "bad_signature",
        ),
        (
            "header_changed_after_signing",
            with_part(
                &valid().build(),
                0,
                &valid().header("typ", "at+jwt").build(),
            ),
            "bad_signature",
        ),
    ];
    check_tokens(&gateway, &auth0, tokens).await;
}
