//! Tokens from the RFCs, tokens nobody should accept, and what every token has in common.

mod claims;
mod header;
mod hostile;
mod properties;
mod rfc;
mod signatures;
mod wycheproof;

use std::time::Duration;

use ::rsa::sha2::{Digest, Sha256, Sha384, Sha512};
use ::rsa::{BigUint, Pkcs1v15Sign, Pss, RsaPrivateKey};
use ed25519_dalek::Signer as _;
use serde_json::{Value as Json, json};

use super::{DEFAULT_SCOPE_CLAIMS, Error, TokenProfile, UnverifiedToken, VerifiedClaims, verify};
use crate::base64url::{decode, encode};
use crate::jwk::KeySet;
use crate::signature::{Algorithm, AlgorithmSet, HashFunction, InModule, Scheme};
use crate::time::UnixTime;

/// When the tests happen: 2023-11-14T22:13:20Z.
const NOW: u64 = 1_700_000_000;
const ISSUER: &str = "https://tenant.auth0.com/";
const AUDIENCE: &str = "https://api.pymd.io";

/// The RSA key of RFC 7515 appendix A.2.1.
const RSA_N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
const RSA_D: &str = "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ";

/// Keys that exist for tests only; their private halves stand in this file.
fn p256() -> p256::ecdsa::SigningKey {
    p256::ecdsa::SigningKey::from_slice(&[0x11; 32]).unwrap()
}

fn p384() -> p384::ecdsa::SigningKey {
    p384::ecdsa::SigningKey::from_slice(&[0x22; 48]).unwrap()
}

fn p521() -> p521::ecdsa::SigningKey {
    let mut scalar = [0x33; 66];
    scalar[0] = 0;
    p521::ecdsa::SigningKey::from_slice(&scalar).unwrap()
}

fn ed25519() -> ed25519_dalek::SigningKey {
    ed25519_dalek::SigningKey::from_bytes(&[0x44; 32])
}

fn rsa() -> RsaPrivateKey {
    let number = |text| BigUint::from_bytes_be(&decode(text).unwrap());
    let e = BigUint::from(65_537_u32);
    RsaPrivateKey::from_components(number(RSA_N), e, number(RSA_D), Vec::new()).unwrap()
}

fn ec_jwk(curve: &str, kid: &str, point: &[u8]) -> Json {
    let (x, y) = point[1..].split_at(point.len() / 2);
    json!({"kty": "EC", "crv": curve, "kid": kid, "x": encode(x), "y": encode(y)})
}

/// The public keys of this file, one of each type, as an identity provider would publish them.
fn jwks() -> Vec<Json> {
    vec![
        json!({"kty": "RSA", "kid": "rsa", "n": RSA_N, "e": "AQAB"}),
        ec_jwk(
            "P-256",
            "p256",
            p256().verifying_key().to_sec1_point(false).as_bytes(),
        ),
        ec_jwk(
            "P-384",
            "p384",
            p384().verifying_key().to_sec1_point(false).as_bytes(),
        ),
        ec_jwk(
            "P-521",
            "p521",
            p521().verifying_key().to_sec1_point(false).as_bytes(),
        ),
        json!({"kty": "OKP", "crv": "Ed25519", "kid": "ed25519", "x": encode(ed25519().verifying_key().as_bytes())}),
    ]
}

fn key_set(jwks: &[Json]) -> KeySet {
    KeySet::parse(json!({ "keys": jwks }).to_string().as_bytes()).unwrap()
}

/// The `kid` of the key that signs by `algorithm`.
fn key_id(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Es256 => "p256",
        Algorithm::Es384 => "p384",
        Algorithm::Es512 => "p521",
        Algorithm::EdDsa | Algorithm::Ed25519 => "ed25519",
        _ => "rsa",
    }
}

/// The signature of this file's key of the right type.
fn sign(algorithm: Algorithm, signing_input: &[u8]) -> Vec<u8> {
    let digest = match algorithm.hash_function() {
        HashFunction::Sha256 => Sha256::digest(signing_input).to_vec(),
        HashFunction::Sha384 => Sha384::digest(signing_input).to_vec(),
        HashFunction::Sha512 => Sha512::digest(signing_input).to_vec(),
    };
    let pkcs1 = |padding: Pkcs1v15Sign| rsa().sign(padding, &digest).unwrap();
    let pss = |padding: Pss| {
        rsa()
            .sign_with_rng(&mut rand::thread_rng(), padding, &digest)
            .unwrap()
    };
    match (algorithm, algorithm.scheme(), algorithm.hash_function()) {
        (Algorithm::Es256, ..) => {
            let signature: p256::ecdsa::Signature = p256().sign(signing_input);
            signature.to_bytes().to_vec()
        }
        (Algorithm::Es384, ..) => {
            let signature: p384::ecdsa::Signature = p384().sign(signing_input);
            signature.to_bytes().to_vec()
        }
        (Algorithm::Es512, ..) => {
            let signature: p521::ecdsa::Signature = p521().sign(signing_input);
            signature.to_bytes().to_vec()
        }
        (Algorithm::EdDsa | Algorithm::Ed25519, ..) => ed25519().sign(signing_input).to_vec(),
        (_, Scheme::RsaPkcs1, HashFunction::Sha256) => pkcs1(Pkcs1v15Sign::new::<Sha256>()),
        (_, Scheme::RsaPkcs1, HashFunction::Sha384) => pkcs1(Pkcs1v15Sign::new::<Sha384>()),
        (_, Scheme::RsaPkcs1, HashFunction::Sha512) => pkcs1(Pkcs1v15Sign::new::<Sha512>()),
        (_, _, HashFunction::Sha256) => pss(Pss::new::<Sha256>()),
        (_, _, HashFunction::Sha384) => pss(Pss::new::<Sha384>()),
        (_, _, HashFunction::Sha512) => pss(Pss::new::<Sha512>()),
    }
}

/// A token of exactly these bytes, truly signed.
fn signed(algorithm: Algorithm, header: &[u8], payload: &[u8]) -> String {
    let signing_input = format!("{}.{}", encode(header), encode(payload));
    let signature = encode(sign(algorithm, signing_input.as_bytes()));
    format!("{signing_input}.{signature}")
}

/// The claims of a token that is valid at [`NOW`].
fn valid_claims() -> Json {
    json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "auth0|1", "iat": NOW, "exp": NOW + 3600, "scope": "read:documents"})
}

fn valid_header(algorithm: Algorithm) -> Json {
    json!({"alg": algorithm.name(), "typ": "JWT", "kid": key_id(algorithm)})
}

/// `base` with the members of `changes` set, and those that are `null` there removed.
fn with(mut base: Json, changes: &Json) -> Json {
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            base.as_object_mut().unwrap().remove(name);
        } else {
            base[name] = value.clone();
        }
    }
    base
}

/// A truly signed token whose header and claims differ from the valid ones by these changes.
fn token(algorithm: Algorithm, header: &Json, claims: &Json) -> String {
    let header = with(valid_header(algorithm), header).to_string();
    let claims = with(valid_claims(), claims).to_string();
    signed(algorithm, header.as_bytes(), claims.as_bytes())
}

/// Allows every algorithm, so that what is refused is refused for another reason.
fn profile() -> TokenProfile {
    TokenProfile {
        issuers: vec![ISSUER.into()],
        audiences: vec![AUDIENCE.into()],
        algorithms: AlgorithmSet::from_iter(Algorithm::ALL),
        clock_skew: Duration::from_mins(1),
        require_expiration: true,
        max_lifetime: None,
        types: vec!["jwt".into(), "at+jwt".into()],
        scope_claims: DEFAULT_SCOPE_CLAIMS.map(Box::from).into(),
        confirmed_upstream: Vec::new(),
    }
}

/// What the policy makes of `compact` at [`NOW`], with this file's keys.
fn decide(compact: impl AsRef<[u8]>, profile: &TokenProfile) -> Result<VerifiedClaims, Error> {
    let token = UnverifiedToken::parse(compact.as_ref())?;
    let now = UnixTime::from_secs(NOW);
    verify(token, profile, &key_set(&jwks()), &mut InModule, now)
}

/// Holds the answer against `expected`, under the profile that allows the most.
#[track_caller]
fn check(compact: impl AsRef<[u8]>, expected: Result<(), Error>) {
    assert_eq!(decide(compact, &profile()).map(|_| ()), expected);
}
