//! From one JWK to a verifying key, or the reason why not (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2).

use super::key::{KeyMaterial, VerifyingKey};
use super::spki;
use crate::base64url;
use crate::json::{Object, Value};
use crate::rsa::{KeyError, RsaPublicKey};
use crate::signature::Algorithm;

/// The longest `kid` that is taken, in bytes; in tokens too.
pub const MAX_KEY_ID_BYTES: usize = 256;

/// Why a key of a set is not used. None of them makes the set invalid (RFC 7517 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Unusable {
    /// The element of `keys` is not an object.
    #[error("not an object")]
    NotAnObject,
    /// `kty` is missing or none of RSA, EC, OKP; `oct` is a shared secret and has no place in a fetched set.
    #[error("the key type is not RSA, EC or OKP")]
    KeyType,
    /// The private half was published with it: anyone may have it (CVE-2026-31837).
    #[error("the private key is published with it")]
    PrivateKey,
    /// `use` is not `sig` (RFC 7517 §4.2).
    #[error("`use` is not sig")]
    Use,
    /// `key_ops` does not name `verify` (RFC 7517 §4.3).
    #[error("`key_ops` does not contain verify")]
    KeyOperations,
    /// `alg` is not a signature algorithm known here, or not one for this key type and curve.
    #[error("`alg` does not fit the key")]
    Algorithm,
    /// `crv` is none of P-256, P-384, P-521, Ed25519, or not one for this key type.
    #[error("the curve is not supported")]
    Curve,
    /// A member is missing, of the wrong type, not canonical base64url, of the wrong length, or too long.
    #[error("a member is missing or malformed")]
    Malformed,
    /// The RSA modulus is even, or has fewer than [`crate::rsa::MIN_BITS`] or more than [`crate::rsa::MAX_BITS`] bits.
    #[error("the RSA modulus is too short, too long or even")]
    Modulus,
    /// The RSA public exponent is even, below 3 or above [`crate::rsa::MAX_EXPONENT`].
    #[error("the RSA exponent is too small, too large or even")]
    Exponent,
    /// The point is not on its curve, or is of small order.
    #[error("the point is not a valid public key")]
    Point,
}

impl Unusable {
    /// A code for metrics and logs, one of a fixed set.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NotAnObject => "not_an_object",
            Self::KeyType => "key_type",
            Self::PrivateKey => "private_key",
            Self::Use => "use",
            Self::KeyOperations => "key_ops",
            Self::Algorithm => "alg",
            Self::Curve => "curve",
            Self::Malformed => "malformed",
            Self::Modulus => "modulus",
            Self::Exponent => "exponent",
            Self::Point => "point",
        }
    }
}

/// Makes a verifying key of one element of `keys`.
pub(super) fn verifying_key(jwk: &Value) -> Result<VerifyingKey, Unusable> {
    let jwk = jwk.as_object().ok_or(Unusable::NotAnObject)?;
    let key_type = jwk
        .get("kty")
        .and_then(Value::as_str)
        .filter(|key_type| matches!(*key_type, "RSA" | "EC" | "OKP"))
        .ok_or(Unusable::KeyType)?;
    check_purpose(jwk)?;
    let key_id = key_id(jwk)?;
    let (material, spki_der) = match key_type {
        "RSA" => rsa_key(jwk)?,
        "EC" => elliptic_curve_key(jwk)?,
        _ => octet_key_pair(jwk)?,
    };
    let algorithm = match jwk.get("alg") {
        None => None,
        Some(name) => Some(
            name.as_str()
                .and_then(Algorithm::from_name)
                .filter(|&algorithm| material.fits(algorithm))
                .ok_or(Unusable::Algorithm)?,
        ),
    };
    Ok(VerifyingKey::new(key_id, algorithm, material, spki_der))
}

/// Members that only a private or symmetric key has (RFC 7518 §6.2.2, §6.3.2, §6.4.1).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

fn check_purpose(jwk: &Object) -> Result<(), Unusable> {
    if PRIVATE_MEMBERS.iter().any(|name| jwk.contains(name)) {
        return Err(Unusable::PrivateKey);
    }
    if jwk
        .get("use")
        .is_some_and(|purpose| purpose.as_str() != Some("sig"))
    {
        return Err(Unusable::Use);
    }
    let may_verify = |operations: &Value| {
        operations
            .as_array()
            .is_some_and(|operations| operations.iter().any(|it| it.as_str() == Some("verify")))
    };
    if jwk
        .get("key_ops")
        .is_some_and(|operations| !may_verify(operations))
    {
        return Err(Unusable::KeyOperations);
    }
    Ok(())
}

fn key_id(jwk: &Object) -> Result<Option<Box<str>>, Unusable> {
    match jwk.get("kid") {
        None => Ok(None),
        Some(Value::String(key_id)) if key_id.len() <= MAX_KEY_ID_BYTES => Ok(Some(key_id.clone())),
        Some(_) => Err(Unusable::Malformed),
    }
}

fn octets(jwk: &Object, name: &str) -> Result<Vec<u8>, Unusable> {
    jwk.get(name)
        .and_then(Value::as_str)
        .and_then(base64url::decode)
        .ok_or(Unusable::Malformed)
}

/// A key, and its `SubjectPublicKeyInfo`.
type Encoded = (KeyMaterial, Vec<u8>);

fn rsa_key(jwk: &Object) -> Result<Encoded, Unusable> {
    let n = octets(jwk, "n")?;
    let e = octets(jwk, "e")?;
    let key = RsaPublicKey::new(&n, &e).map_err(|error| match error {
        KeyError::ModulusSize { .. } | KeyError::ModulusEven => Unusable::Modulus,
        KeyError::Exponent => Unusable::Exponent,
    })?;
    Ok((KeyMaterial::Rsa(key), spki::rsa(&n, &e)))
}

fn elliptic_curve_key(jwk: &Object) -> Result<Encoded, Unusable> {
    let curve = jwk
        .get("crv")
        .and_then(Value::as_str)
        .ok_or(Unusable::Malformed)?;
    let coordinate_bytes = match curve {
        "P-256" => 32,
        "P-384" => 48,
        "P-521" => 66,
        _ => return Err(Unusable::Curve),
    };
    let x = octets(jwk, "x")?;
    let y = octets(jwk, "y")?;
    // RFC 7518 §6.2.1.2: the full size of a coordinate, always.
    if x.len() != coordinate_bytes || y.len() != coordinate_bytes {
        return Err(Unusable::Malformed);
    }
    let point = [&[0x04], &*x, &*y].concat();
    match curve {
        "P-256" => p256::ecdsa::VerifyingKey::from_sec1_bytes(&point)
            .map(|key| (KeyMaterial::P256(key), spki::p256(&point))),
        "P-384" => p384::ecdsa::VerifyingKey::from_sec1_bytes(&point)
            .map(|key| (KeyMaterial::P384(key), spki::p384(&point))),
        _ => p521::ecdsa::VerifyingKey::from_sec1_bytes(&point)
            .map(|key| (KeyMaterial::P521(key), spki::p521(&point))),
    }
    .map_err(|_| Unusable::Point)
}

fn octet_key_pair(jwk: &Object) -> Result<Encoded, Unusable> {
    match jwk.get("crv").and_then(Value::as_str) {
        Some("Ed25519") => {}
        Some(_) => return Err(Unusable::Curve),
        None => return Err(Unusable::Malformed),
    }
    let x = <[u8; 32]>::try_from(octets(jwk, "x")?).map_err(|_| Unusable::Malformed)?;
    ed25519_dalek::VerifyingKey::from_bytes(&x)
        .ok()
        .filter(|key| !key.is_weak())
        .map(|key| (KeyMaterial::Ed25519(key), spki::ed25519(&x)))
        .ok_or(Unusable::Point)
}
