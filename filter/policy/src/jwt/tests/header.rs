//! The JOSE header.

use super::*;
use crate::json;

/// A truly signed token with exactly this header.
#[track_caller]
fn check_header(header: &str, expected: Result<(), Error>) {
    let claims = valid_claims().to_string();
    check(
        signed(Algorithm::EdDsa, header.as_bytes(), claims.as_bytes()),
        expected,
    );
}

#[test]
fn plain_header_is_accepted() {
    check_header(r#"{"alg":"EdDSA"}"#, Ok(()));
    check_header(
        r#" {"kid" : "ed25519", "typ":"at+jwt", "alg":"EdDSA"} "#,
        Ok(()),
    );
}

#[test]
fn cve_2026_32597_any_crit_is_refused() {
    for crit in [
        "[]",
        r#"["exp"]"#,
        r#"["alg"]"#,
        r#"["b64"]"#,
        r#"["http://example.com/UNDEFINED"]"#,
        "null",
        "{}",
        "false",
        "\"\"",
    ] {
        check_header(
            &format!(r#"{{"alg":"EdDSA","crit":{crit}}}"#),
            Err(Error::CriticalHeader),
        );
    }
}

#[test]
fn unencoded_payload_is_refused() {
    for b64 in ["true", "false", "null"] {
        check_header(
            &format!(r#"{{"alg":"EdDSA","b64":{b64}}}"#),
            Err(Error::UnsupportedHeader("b64")),
        );
    }
}

#[test]
fn cve_2024_33664_nothing_is_unpacked() {
    check_header(
        r#"{"alg":"EdDSA","zip":"DEF"}"#,
        Err(Error::UnsupportedHeader("zip")),
    );
    check_header(
        r#"{"alg":"EdDSA","enc":"A256GCM"}"#,
        Err(Error::UnsupportedHeader("enc")),
    );
}

#[test]
fn cve_2026_27962_keys_in_the_token_are_ignored() {
    // A forger signs with a key of his own and puts it, or where to find it, in the header.
    let forger = p256::ecdsa::SigningKey::from_slice(&[0x55; 32]).unwrap();
    let point = forger.verifying_key().to_sec1_point(false);
    let jwk = ec_jwk("P-256", "p256", point.as_bytes());
    for member in [
        json!({ "jwk": jwk }),
        json!({"jku": "https://evil.example/jwks.json"}),
        json!({"x5u": "https://evil.example/cert.pem"}),
        json!({"x5c": ["MIIB"]}),
        json!({"x5t": "AAAA", "x5t#S256": "AAAA"}),
    ] {
        let header = with(valid_header(Algorithm::Es256), &member).to_string();
        let signing_input = format!("{}.{}", encode(&header), encode(valid_claims().to_string()));
        let signature: p256::ecdsa::Signature = forger.sign(signing_input.as_bytes());
        let signature = encode(signature.to_bytes());
        check(
            format!("{signing_input}.{signature}"),
            Err(Error::SignatureMismatch),
        );
        // Ignored also means that an honest token may carry them.
        check(token(Algorithm::Es256, &member, &json!({})), Ok(()));
    }
}

#[test]
fn alg_is_required_and_exact() {
    check_header("{}", Err(Error::MalformedHeader("alg")));
    for alg in ["null", "1", r#"["EdDSA"]"#, r#"{"EdDSA":1}"#, "true"] {
        check_header(
            &format!(r#"{{"alg":{alg}}}"#),
            Err(Error::MalformedHeader("alg")),
        );
    }
    for alg in [
        "none", "None", "NONE", "nOnE", "HS256", "eddsa", "EdDSA ", "EDDSA", "", "ES256K",
        "RSA1_5", "dir",
    ] {
        check_header(
            &format!(r#"{{"alg":"{alg}"}}"#),
            Err(Error::UnsupportedAlgorithm),
        );
    }
}

#[test]
fn kid_and_typ_are_short_texts() {
    for value in ["null", "1", "[]", "{}", "true", "[\"ed25519\"]"] {
        check_header(
            &format!(r#"{{"alg":"EdDSA","kid":{value}}}"#),
            Err(Error::MalformedHeader("kid")),
        );
        check_header(
            &format!(r#"{{"alg":"EdDSA","typ":{value}}}"#),
            Err(Error::MalformedHeader("typ")),
        );
    }
    let kid = "k".repeat(257);
    check_header(
        &format!(r#"{{"alg":"EdDSA","kid":"{kid}"}}"#),
        Err(Error::MalformedHeader("kid")),
    );
    let typ = "t".repeat(65);
    check_header(
        &format!(r#"{{"alg":"EdDSA","typ":"{typ}"}}"#),
        Err(Error::MalformedHeader("typ")),
    );
    // What no file name or query could hold is still only a text that matches no key.
    for kid in [
        "../../dev/null",
        "' OR 1=1 --",
        "\\u0000",
        "ed25519\\u0000",
        "ED25519",
        " ed25519",
    ] {
        check_header(
            &format!(r#"{{"alg":"EdDSA","kid":"{kid}"}}"#),
            Err(Error::UnknownKeyId),
        );
    }
}

#[test]
fn typ_outside_the_allow_list_is_refused() {
    for typ in [
        "logout+jwt",
        "dpop+jwt",
        "secevent+jwt",
        "JWE",
        "application/logout+jwt",
        "",
    ] {
        check_header(
            &format!(r#"{{"alg":"EdDSA","typ":"{typ}"}}"#),
            Err(Error::TypeNotAllowed),
        );
    }
    for typ in [
        "JWT",
        "jwt",
        "application/jwt",
        "AT+jwt",
        "application/at+JWT",
    ] {
        check_header(&format!(r#"{{"alg":"EdDSA","typ":"{typ}"}}"#), Ok(()));
    }
}

#[test]
fn header_that_two_readers_could_read_differently_is_refused() {
    use json::Error::{DuplicateMember, Syntax, TooDeep, TooManyValues};

    check_header(
        r#"{"alg":"none","alg":"EdDSA"}"#,
        Err(Error::HeaderJson(DuplicateMember)),
    );
    check_header(
        r#"{"alg":"EdDSA","\u0061lg":"none"}"#,
        Err(Error::HeaderJson(DuplicateMember)),
    );
    check_header(
        r#"{"alg":"EdDSA","jwk":{"a":1,"a":2}}"#,
        Err(Error::HeaderJson(DuplicateMember)),
    );
    check_header(r#"{"alg":"EdDSA"}{}"#, Err(Error::HeaderJson(Syntax)));
    check_header("{\"alg\":\"EdDSA\"}\0", Err(Error::HeaderJson(Syntax)));
    check_header("{'alg':'EdDSA'}", Err(Error::HeaderJson(Syntax)));
    check_header(
        "\u{feff}{\"alg\":\"EdDSA\"}",
        Err(Error::HeaderJson(Syntax)),
    );
    check_header(r#"["alg","EdDSA"]"#, Err(Error::MalformedHeader("header")));
    check_header("\"EdDSA\"", Err(Error::MalformedHeader("header")));
    let nested = format!(r#"{{"alg":"EdDSA","x":{}}}"#, "[".repeat(1000));
    check_header(&nested, Err(Error::HeaderJson(TooDeep)));
    let many = format!(r#"{{"alg":"EdDSA","x":[{}1]}}"#, "1,".repeat(500));
    check_header(&many, Err(Error::HeaderJson(TooManyValues)));
}

#[test]
fn header_length_is_bounded() {
    let padded = |bytes: usize| format!(r#"{{"alg":"EdDSA","x":"{}"}}"#, "x".repeat(bytes));
    // 2048 characters of base64url are 1536 bytes, of which the rest takes 22.
    check_header(&padded(1536 - 22), Ok(()));
    check_header(&padded(1537 - 22), Err(Error::HeaderTooLarge));
}
