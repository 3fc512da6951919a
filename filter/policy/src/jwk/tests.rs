//! Key sets as they are published, and as they should not be.

use serde_json::{Value as Json, json};

use super::{Error, KeySet, MAX_CANDIDATES, MAX_KEYS, MAX_SET_BYTES, Unusable};
use crate::base64url::{decode, encode};
use crate::json;
use crate::signature::Algorithm;

/// RFC 7515 appendix A.3.1.
const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
/// RFC 7517 appendix A.1.
const N: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
/// RFC 8037 appendix A.2.
const ED25519_X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

fn rsa() -> Json {
    json!({"kty": "RSA", "n": N, "e": "AQAB"})
}

fn ec() -> Json {
    json!({"kty": "EC", "crv": "P-256", "x": X, "y": Y})
}

fn okp() -> Json {
    json!({"kty": "OKP", "crv": "Ed25519", "x": ED25519_X})
}

fn with(mut jwk: Json, changes: &Json) -> Json {
    for (name, value) in changes.as_object().unwrap() {
        jwk[name] = value.clone();
    }
    jwk
}

fn parse(keys: &[Json]) -> Result<KeySet, Error> {
    KeySet::parse(json!({ "keys": keys }).to_string().as_bytes())
}

/// A set with `jwk` and one good key: what becomes of `jwk`.
#[track_caller]
fn check(jwk: &Json, expected: Option<Unusable>) {
    let set = parse(&[
        json!({"kty": "EC", "crv": "P-256", "kid": "good", "x": X, "y": Y}),
        jwk.clone(),
    ])
    .unwrap();
    let skipped: Vec<_> = set
        .skipped()
        .iter()
        .map(|it| (it.index, it.reason))
        .collect();
    assert_eq!(
        skipped,
        expected
            .map(|reason| (1, reason))
            .into_iter()
            .collect::<Vec<_>>(),
        "{jwk}"
    );
    assert_eq!(set.keys().len(), 2 - skipped.len());
}

#[test]
fn rfc_7517_a1_only_the_signature_key_is_used() {
    let set = parse(&[
        json!({"kty": "EC", "crv": "P-256", "use": "enc", "kid": "1",
            "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}),
        json!({"kty": "RSA", "n": N, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"}),
    ])
    .unwrap();
    assert!(
        set.keys()
            .iter()
            .map(|key| key.key_id())
            .eq([Some("2011-04-29")])
    );
    assert!(set.has_key_id("2011-04-29") && !set.has_key_id("1") && !set.has_key_id("2011-04-2"));
    assert_eq!(set.skipped()[0].reason, Unusable::Use);
    assert_eq!(set.keys()[0].algorithm(), Some(Algorithm::Rs256));
    assert!(set.keys()[0].fits(Algorithm::Rs256) && !set.keys()[0].fits(Algorithm::Ps256));
}

#[test]
fn rfc_7517_a2_and_a3_private_and_symmetric_keys_are_not_used() {
    let private = with(
        ec(),
        &json!({"d": "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"}),
    );
    let symmetric =
        json!({"kty": "oct", "alg": "HS256", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ"});
    let set = parse(&[private, symmetric]);
    assert_eq!(set.unwrap_err(), Error::NoUsableKey { skipped: 2 });
}

#[test]
fn plain_keys_are_usable() {
    for jwk in [rsa(), ec(), okp()] {
        check(&jwk, None);
        check(
            &with(
                jwk.clone(),
                &json!({"use": "sig", "key_ops": ["verify"], "x5c": ["MIIB"], "x5t": 1}),
            ),
            None,
        );
        check(
            &with(jwk, &json!({"key_ops": ["sign", "verify"], "ext": true})),
            None,
        );
    }
}

#[test]
fn keys_for_other_purposes_are_skipped() {
    for jwk in [rsa(), ec(), okp()] {
        let skipped = |changes: Json, reason| check(&with(jwk.clone(), &changes), Some(reason));
        for purpose in [
            json!("enc"),
            json!("SIG"),
            json!(""),
            json!(null),
            json!(["sig"]),
        ] {
            skipped(json!({ "use": purpose }), Unusable::Use);
        }
        for operations in [
            json!([]),
            json!(["sign"]),
            json!(["encrypt", 1]),
            json!("verify"),
            json!(null),
        ] {
            skipped(json!({ "key_ops": operations }), Unusable::KeyOperations);
        }
        for algorithm in [
            json!("HS256"),
            json!("none"),
            json!("RSA-OAEP"),
            json!("ES384"),
            json!("rs256"),
            json!(1),
        ] {
            skipped(json!({ "alg": algorithm }), Unusable::Algorithm);
        }
    }
}

#[test]
fn cve_2026_31837_published_private_keys_are_skipped() {
    for jwk in [rsa(), ec(), okp()] {
        for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            for value in [json!("AQAB"), json!(null), json!("")] {
                check(
                    &with(jwk.clone(), &json!({ name: value })),
                    Some(Unusable::PrivateKey),
                );
            }
        }
    }
}

#[test]
fn unknown_key_types_are_skipped() {
    for jwk in [
        json!({}),
        json!({"kty": "oct", "k": "AQAB"}),
        json!({"kty": "rsa", "n": N, "e": "AQAB"}),
        json!({"kty": ["RSA"], "n": N, "e": "AQAB"}),
        json!({"kty": null}),
        json!({"kty": "AKP"}),
    ] {
        check(&jwk, Some(Unusable::KeyType));
    }
    for jwk in [json!(null), json!([]), json!("RSA"), json!(1)] {
        check(&jwk, Some(Unusable::NotAnObject));
    }
}

/// A modulus of exactly `bits` bits; nobody needs to know its factors.
fn modulus(bits: usize) -> Vec<u8> {
    let mut n = vec![0xb7; bits.div_ceil(8)];
    n[0] = match bits % 8 {
        0 => 0x80,
        odd => 1 << (odd - 1),
    };
    n
}

#[test]
fn rsa_keys_are_of_a_safe_size() {
    let check = |n: &[u8], e: &[u8], expected| {
        check(
            &json!({"kty": "RSA", "n": encode(n), "e": encode(e)}),
            expected,
        );
    };
    let e = [1, 0, 1];
    for bits in [2048, 2049, 3072, 4096, 8192] {
        check(&modulus(bits), &e, None);
    }
    for bits in [8, 512, 1024, 2047, 8193, 16_384, 65_536] {
        check(&modulus(bits), &e, Some(Unusable::Modulus));
    }
    check(&[&[0], &*modulus(2048)].concat(), &e, None);
    check(
        &[&[0], &*modulus(2040)].concat(),
        &e,
        Some(Unusable::Modulus),
    );
    check(&[], &e, Some(Unusable::Modulus));
    let mut even = modulus(2048);
    even[255] ^= 1;
    check(&even, &e, Some(Unusable::Modulus));
    let n = modulus(2048);
    for e in [
        &[3][..],
        &[0xff; 4],
        &[0, 1, 0, 1],
        &[1, 0xff, 0xff, 0xff, 0xff],
    ] {
        check(&n, e, None);
    }
    for e in [
        &[][..],
        &[0],
        &[1],
        &[2],
        &[4],
        &[1, 0, 0],
        &[2, 0, 0, 0, 1],
        &[0xff; 300],
    ] {
        check(&n, e, Some(Unusable::Exponent));
    }
}

#[test]
fn points_are_on_their_curve() {
    let off_curve = |changes: Json, reason| check(&with(ec(), &changes), Some(reason));
    let mut y = decode(Y).unwrap();
    y[31] ^= 1;
    off_curve(json!({"y": encode(&y)}), Unusable::Point);
    off_curve(
        json!({"x": encode([0; 32]), "y": encode([0; 32])}),
        Unusable::Point,
    );
    off_curve(json!({"x": encode([0xff; 32])}), Unusable::Point);
    off_curve(
        json!({"y": encode(&decode(Y).unwrap()[1..])}),
        Unusable::Malformed,
    );
    off_curve(
        json!({"x": encode([&[0][..], &decode(X).unwrap()].concat())}),
        Unusable::Malformed,
    );
    off_curve(json!({"x": 1}), Unusable::Malformed);
    off_curve(json!({"crv": "P-384"}), Unusable::Malformed);
    off_curve(json!({"crv": null}), Unusable::Malformed);
    for curve in ["secp256k1", "p-256", "Ed25519", "", "P-224"] {
        off_curve(json!({ "crv": curve }), Unusable::Curve);
    }
}

#[test]
fn edwards_points_of_small_order_are_skipped() {
    let skipped = |changes: Json, reason| check(&with(okp(), &changes), Some(reason));
    let mut identity = [0; 32];
    identity[0] = 1;
    skipped(json!({"x": encode(identity)}), Unusable::Point);
    skipped(json!({"x": encode([0; 32])}), Unusable::Point);
    let mut not_a_point = [0; 32];
    not_a_point[0] = 2;
    skipped(json!({"x": encode(not_a_point)}), Unusable::Point);
    skipped(json!({"x": encode([1; 31])}), Unusable::Malformed);
    skipped(json!({"x": encode([1; 33])}), Unusable::Malformed);
    for curve in ["Ed448", "X25519", "P-256"] {
        skipped(json!({ "crv": curve }), Unusable::Curve);
    }
}

#[test]
fn octets_are_canonical_base64url() {
    for n in [
        format!("{N}="),
        format!(" {N}"),
        N.replace('-', "+"),
        format!("{N}\n"),
        String::new() + "*",
    ] {
        check(&with(rsa(), &json!({ "n": n })), Some(Unusable::Malformed));
    }
    check(
        &with(rsa(), &json!({"e": [1, 0, 1]})),
        Some(Unusable::Malformed),
    );
    check(
        &json!({"kty": "RSA", "e": "AQAB"}),
        Some(Unusable::Malformed),
    );
}

#[test]
fn key_ids_are_short_texts() {
    check(&with(ec(), &json!({"kid": "k".repeat(256)})), None);
    check(&with(ec(), &json!({"kid": ""})), None);
    for key_id in [json!("k".repeat(257)), json!(1), json!(null), json!(["k"])] {
        check(
            &with(ec(), &json!({ "kid": key_id })),
            Some(Unusable::Malformed),
        );
    }
}

#[test]
fn documents_that_are_no_key_set_are_refused() {
    let check = |text: &str, expected| {
        assert_eq!(
            KeySet::parse(text.as_bytes()).unwrap_err(),
            expected,
            "{text}"
        );
    };
    for text in [
        "",
        "<!doctype html><title>502</title>",
        "{\"keys\":[",
        "{\"keys\":[]}x",
    ] {
        check(text, Error::Json(json::Error::Syntax));
    }
    for text in [
        "{}",
        "[]",
        "null",
        "{\"keys\":{}}",
        "{\"keys\":null}",
        "{\"Keys\":[]}",
        "\"keys\"",
    ] {
        check(text, Error::NotAKeySet);
    }
    check("{\"keys\":[]}", Error::NoUsableKey { skipped: 0 });
    check(
        "{\"keys\":[],\"keys\":[]}",
        Error::Json(json::Error::DuplicateMember),
    );
    check(
        r#"{"keys":[{"kty":"RSA","kty":"EC"}]}"#,
        Error::Json(json::Error::DuplicateMember),
    );
    check(
        &format!("{{\"keys\":{}", "[".repeat(100)),
        Error::Json(json::Error::TooDeep),
    );
}

#[test]
fn size_and_count_are_bounded() {
    let mut keys = vec![ec(); MAX_KEYS];
    assert_eq!(parse(&keys).unwrap().keys().len(), MAX_KEYS);
    keys.push(ec());
    assert_eq!(parse(&keys).unwrap_err(), Error::TooManyKeys);
    assert_eq!(
        parse(&vec![json!({}); 5000]).unwrap_err(),
        Error::Json(json::Error::TooManyValues)
    );
    let padded = |bytes: usize| parse(&[with(ec(), &json!({"x5c": ["x".repeat(bytes)]}))]);
    assert!(padded(MAX_SET_BYTES - 300).is_ok());
    assert_eq!(padded(MAX_SET_BYTES).unwrap_err(), Error::TooLarge);
}

#[test]
fn the_largest_set_with_certificates_fits() {
    let certificate = "M".repeat(1600);
    let jwk = with(
        rsa(),
        &json!({"use": "sig", "alg": "RS256", "x5t": "x", "x5c": [certificate]}),
    );
    let keys: Vec<_> = (0..MAX_KEYS)
        .map(|kid| with(jwk.clone(), &json!({"kid": kid.to_string()})))
        .collect();
    assert_eq!(parse(&keys).unwrap().keys().len(), MAX_KEYS);
}

#[test]
fn candidates_have_the_key_id_or_none() {
    let named = |jwk: Json, key_id: &str| with(jwk, &json!({ "kid": key_id }));
    let set = parse(&[
        named(ec(), "b"),
        rsa(),
        named(rsa(), "a"),
        named(rsa(), "b"),
        ec(),
        named(okp(), "a"),
    ])
    .unwrap();
    let check = |key_id, algorithm, expected: &[Option<&str>]| {
        let candidates: Vec<_> = set
            .candidates(key_id, algorithm)
            .map(|key| key.key_id())
            .collect();
        assert_eq!(candidates, expected, "{key_id:?} {algorithm}");
        assert!(
            set.candidates(key_id, algorithm)
                .all(|key| key.fits(algorithm))
        );
    };
    check(Some("a"), Algorithm::Rs256, &[Some("a"), None]);
    check(Some("b"), Algorithm::Ps512, &[Some("b"), None]);
    check(Some("b"), Algorithm::Es256, &[Some("b"), None]);
    check(Some("a"), Algorithm::EdDsa, &[Some("a")]);
    check(Some("a"), Algorithm::Ed25519, &[Some("a")]);
    check(Some("b"), Algorithm::EdDsa, &[]);
    check(Some("c"), Algorithm::Rs256, &[None]);
    check(Some("c"), Algorithm::Es384, &[]);
    check(Some(""), Algorithm::EdDsa, &[]);
    check(None, Algorithm::Rs256, &[None, Some("a"), Some("b")]);
    check(None, Algorithm::EdDsa, &[Some("a")]);
}

#[test]
fn candidates_are_few_however_many_share_a_key_id() {
    let set = parse(&vec![with(ec(), &json!({"kid": "same"})); MAX_KEYS]).unwrap();
    assert_eq!(
        set.candidates(Some("same"), Algorithm::Es256).count(),
        MAX_CANDIDATES
    );
    assert_eq!(
        set.candidates(None, Algorithm::Es256).count(),
        MAX_CANDIDATES
    );
}

#[test]
fn fingerprints_tell_keys_apart_and_not_names() {
    let one = parse(&[with(ec(), &json!({"kid": "a"})), rsa()]).unwrap();
    let other = parse(&[with(ec(), &json!({"kid": "b"}))]).unwrap();
    assert!(one.has_fingerprint(other.keys()[0].fingerprint()));
    let rsa = one.candidates(None, Algorithm::Rs256).next().unwrap();
    assert!(!other.has_fingerprint(rsa.fingerprint()));
}
