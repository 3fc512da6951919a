//! Bytes that pretend to be a token.

use super::*;
use crate::jwt::MAX_TOKEN_BYTES;

#[test]
fn opaque_tokens_are_told_apart() {
    for opaque in [
        "",
        "x",
        "gLm5Vh9iQ3Xw2rT8pZ1yK4nB7cD0eF6a",
        "{\"access_token\":1}",
    ] {
        check(opaque, Err(Error::NotAJwt));
    }
}

#[test]
fn cve_2023_51774_only_three_segments_are_a_signed_token() {
    let valid = token(Algorithm::EdDsa, &json!({}), &json!({}));
    let parts: Vec<_> = valid.split('.').collect();
    let [header, payload, signature] = parts[..] else {
        panic!("three segments")
    };
    check(&valid, Ok(()));
    for (compact, expected) in [
        (format!("{header}.{payload}"), Error::Segments),
        (format!("{header}.{payload}."), Error::Segments),
        (format!("{header}..{signature}"), Error::Segments),
        (format!(".{payload}.{signature}"), Error::Segments),
        ("..".to_owned(), Error::Segments),
        (format!("{valid}."), Error::Segments),
        (format!(".{valid}"), Error::Segments),
        (format!("{valid}.{signature}"), Error::Segments),
        (format!("{valid}.{valid}"), Error::Segments),
        // Auth0's opaque tokens today: a JWE with direct encryption, its second segment empty.
        (
            format!("{header}..{payload}.{payload}.{signature}"),
            Error::Encrypted,
        ),
        ("....".to_owned(), Error::Encrypted),
    ] {
        check(compact, Err(expected));
    }
}

#[test]
fn owasp_pr_2242_one_token_has_one_spelling() {
    let valid = token(Algorithm::EdDsa, &json!({}), &json!({}));
    for compact in [
        format!("{valid}="),
        format!("{valid}=="),
        format!(" {valid}"),
        format!("{valid} "),
        format!("{valid}\n"),
        format!("{valid}\0"),
        valid.replacen('.', "=.", 1),
        valid.replacen('.', ".\t", 1),
        valid.replacen("ey", "e y", 1),
        valid.replacen("ey", "%65y", 1),
        valid.replacen("ey", "e\u{443}", 1),
    ] {
        check(compact, Err(Error::Encoding));
    }
    // The last character of a 64-byte signature carries 4 bits that must be zero: 15 other spellings.
    let (head, last) = valid.split_at(valid.len() - 1);
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let index = alphabet.find(last).unwrap();
    for other in alphabet[index + 1..index + 16].chars() {
        check(format!("{head}{other}"), Err(Error::Encoding));
    }
}

#[test]
fn ecdsa_malleability_gives_another_token_for_the_same_claims() {
    // (r, n - s) is a signature too. It is accepted, as everywhere; so revocation goes by `jti`, never by a hash.
    let valid = token(Algorithm::Es256, &json!({}), &json!({}));
    let (signing_input, signature) = valid.rsplit_once('.').unwrap();
    let signature = p256::ecdsa::Signature::from_slice(&decode(signature).unwrap()).unwrap();
    let twin = p256::ecdsa::Signature::from_scalars(
        signature.r().to_bytes(),
        (-*signature.s()).to_bytes(),
    );
    let twin = format!("{signing_input}.{}", encode(twin.unwrap().to_bytes()));
    assert_ne!(valid, twin);
    check(twin, Ok(()));
}

#[test]
fn token_length_is_bounded() {
    let padded = |bytes: usize| {
        token(
            Algorithm::EdDsa,
            &json!({}),
            &json!({"x": "x".repeat(bytes)}),
        )
    };
    let base = padded(0).len();
    let most = (MAX_TOKEN_BYTES - base) / 4 * 3;
    check(padded(most - 3), Ok(()));
    check(padded(most + 3), Err(Error::TooLarge));
    check("a".repeat(1_000_000), Err(Error::TooLarge));
    check(".".repeat(MAX_TOKEN_BYTES), Err(Error::Segments));
}

#[test]
fn no_error_carries_anything_from_the_token() {
    let secret = "S3cr3tV4lue";
    let changes = [
        (json!({"kid": secret}), json!({})),
        (json!({"typ": secret}), json!({})),
        (json!({"alg": secret}), json!({})),
        (json!({"crit": [secret]}), json!({})),
        (json!({}), json!({"iss": secret})),
        (json!({}), json!({"aud": secret})),
        (json!({}), json!({"exp": secret})),
        (json!({}), json!({"sub": [secret]})),
    ];
    let compact = token(Algorithm::EdDsa, &json!({}), &json!({"sub": secret}));
    let unverified = UnverifiedToken::parse(compact.as_bytes()).unwrap();
    assert!(!format!("{unverified:?}").contains(secret));
    let claims = decide(&compact, &profile()).unwrap();
    assert!(!format!("{claims:?}").contains(secret));
    for (header, claims) in changes {
        let error = decide(token(Algorithm::EdDsa, &header, &claims), &profile()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(secret), "{error}");
    }
}
