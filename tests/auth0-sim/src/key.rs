//! The fixed key pairs, their published form and raw signatures with them.
//!
//! They are read from `keys/test-only-private.jwks.json`: no test waits for RSA key generation, and two runs of a
//! test see the same key ids. Which of them a tenant publishes is the business of `key_ring.rs`.

use std::sync::{LazyLock, OnceLock};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jwt_compact::{
    Algorithm as _, AlgorithmSignature,
    alg::{Ed25519, Es256, Rsa},
    jwk::JsonWebKey,
};
use p384::ecdsa::signature::Signer;
use rsa::{
    RsaPrivateKey,
    pkcs8::{EncodePublicKey, LineEnding},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Algorithm;

/// One of the fixed, test-only key pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Key {
    /// RSA of 2048 bits: what a fresh tenant signs with.
    Rsa1,
    /// RSA of 2048 bits: what the first rotation brings.
    Rsa2,
    /// RSA of 2048 bits, the third in rotation.
    Rsa3,
    /// RSA of 2048 bits, the fourth in rotation.
    Rsa4,
    /// RSA of 2048 bits, the fifth in rotation.
    Rsa5,
    /// RSA of 2048 bits that rotation never publishes: an attacker's own key.
    RsaUnknown,
    /// RSA of 3072 bits.
    Rsa3072,
    /// RSA of 4096 bits.
    Rsa4096,
    /// RSA of 1024 bits: below the 2048 that RFC 7518 §3.3 demands.
    RsaWeak,
    /// ECDSA on P-256.
    P256,
    /// A second key on P-256.
    P256Second,
    /// ECDSA on P-384.
    P384,
    /// ECDSA on P-521.
    P521,
    /// Ed25519 (RFC 8037).
    Ed25519,
}

impl Key {
    /// Every key, in the order of the file that holds them.
    pub const ALL: [Self; 14] = [
        Self::Rsa1,
        Self::Rsa2,
        Self::Rsa3,
        Self::Rsa4,
        Self::Rsa5,
        Self::RsaUnknown,
        Self::Rsa3072,
        Self::Rsa4096,
        Self::RsaWeak,
        Self::P256,
        Self::P256Second,
        Self::P384,
        Self::P521,
        Self::Ed25519,
    ];

    /// The key's own `kid`.
    pub const fn kid(self) -> &'static str {
        match self {
            Self::Rsa1 => "test-rsa-2048-1",
            Self::Rsa2 => "test-rsa-2048-2",
            Self::Rsa3 => "test-rsa-2048-3",
            Self::Rsa4 => "test-rsa-2048-4",
            Self::Rsa5 => "test-rsa-2048-5",
            Self::RsaUnknown => "test-rsa-2048-unknown",
            Self::Rsa3072 => "test-rsa-3072",
            Self::Rsa4096 => "test-rsa-4096",
            Self::RsaWeak => "test-rsa-1024-weak",
            Self::P256 => "test-p256-1",
            Self::P256Second => "test-p256-2",
            Self::P384 => "test-p384",
            Self::P521 => "test-p521",
            Self::Ed25519 => "test-ed25519",
        }
    }

    /// The algorithm the key is published for; RS256 for RSA keys, as Auth0 does.
    pub const fn algorithm(self) -> Algorithm {
        match self {
            Self::P256 | Self::P256Second => Algorithm::Es256,
            Self::P384 => Algorithm::Es384,
            Self::P521 => Algorithm::Es512,
            Self::Ed25519 => Algorithm::EdDsa,
            _ => Algorithm::Rs256,
        }
    }

    /// The public JWK (RFC 7517 §4) as the tenant publishes it, with `alg`, `kid` and `use`.
    pub fn jwk(self) -> Map<String, Value> {
        let mut jwk = self.private_jwk().clone();
        jwk.retain(|member, _| PUBLIC_MEMBERS.contains(&member.as_str()));
        jwk
    }

    /// The public key as PEM `SubjectPublicKeyInfo`, `None` unless it is an RSA key.
    ///
    /// This is the secret of the classic confusion attack: HS256 keyed with the text of the RS256 public key
    /// (RFC 8725 §2.1).
    pub fn public_key_pem(self) -> Option<String> {
        match self.pair() {
            KeyPair::Rsa(key) => key.to_public_key().to_public_key_pem(LineEnding::LF).ok(),
            _ => None,
        }
    }

    /// The raw JWS signature (RFC 7515 §5.1) of `signing_input`.
    ///
    /// # Errors
    ///
    /// [`KeyError::Mismatch`] where the key can't sign with `algorithm`, for instance ES256 with an RSA key.
    pub fn sign(self, algorithm: Algorithm, signing_input: &[u8]) -> Result<Vec<u8>, KeyError> {
        Ok(match (self.pair(), algorithm) {
            (KeyPair::Rsa(key), _) => {
                let rsa: Rsa = algorithm.name().parse().map_err(|_| KeyError::Mismatch {
                    kid: self.kid(),
                    algorithm,
                })?;
                rsa.sign(key, signing_input).as_bytes().into_owned()
            }
            (KeyPair::P256(key), Algorithm::Es256) => {
                Es256.sign(key, signing_input).as_bytes().into_owned()
            }
            (KeyPair::P384(key), Algorithm::Es384) => {
                let signature: p384::ecdsa::Signature = key.sign(signing_input);
                signature.to_bytes().to_vec()
            }
            (KeyPair::P521(key), Algorithm::Es512) => {
                let signature: p521::ecdsa::Signature = key.sign(signing_input);
                signature.to_bytes().to_vec()
            }
            (KeyPair::Ed25519(key), Algorithm::EdDsa) => {
                Ed25519.sign(key, signing_input).as_bytes().into_owned()
            }
            _ => {
                return Err(KeyError::Mismatch {
                    kid: self.kid(),
                    algorithm,
                });
            }
        })
    }

    fn private_jwk(self) -> &'static Map<String, Value> {
        let index = self as usize;
        PRIVATE_JWKS
            .get(index)
            .and_then(Value::as_object)
            .expect("the committed key file holds every key, which a test checks")
    }

    fn pair(self) -> &'static KeyPair {
        static PAIRS: [OnceLock<KeyPair>; Key::ALL.len()] =
            [const { OnceLock::new() }; Key::ALL.len()];
        PAIRS[self as usize].get_or_init(|| {
            KeyPair::from_jwk(self.private_jwk())
                .expect("the committed keys parse, which a test checks")
        })
    }
}

/// Why a key could not sign.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The key is of a type or on a curve that does not go with the algorithm.
    #[error("key {kid} can't sign with {algorithm}")]
    Mismatch {
        /// The key's own `kid`.
        kid: &'static str,
        /// What was asked of it.
        algorithm: Algorithm,
    },
}

enum KeyPair {
    Rsa(Box<RsaPrivateKey>),
    P256(<Es256 as jwt_compact::Algorithm>::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(p521::ecdsa::SigningKey),
    Ed25519(<Ed25519 as jwt_compact::Algorithm>::SigningKey),
}

impl KeyPair {
    /// `None` for a key of a type that is not known here, or malformed.
    fn from_jwk(jwk: &Map<String, Value>) -> Option<Self> {
        let text = |member: &str| jwk.get(member).and_then(Value::as_str).unwrap_or_default();
        let private = BASE64_URL_SAFE_NO_PAD.decode(text("d")).ok()?;
        let parsed = serde_json::from_value::<JsonWebKey<'_>>(Value::Object(jwk.clone())).ok();
        Some(match (text("kty"), text("crv")) {
            ("RSA", _) => Self::Rsa(Box::new(RsaPrivateKey::try_from(&parsed?).ok()?)),
            ("EC", "P-256") => Self::P256((&parsed?).try_into().ok()?),
            ("EC", "P-384") => Self::P384(p384::ecdsa::SigningKey::from_slice(&private).ok()?),
            ("EC", "P-521") => Self::P521(p521::ecdsa::SigningKey::from_slice(&private).ok()?),
            ("OKP", "Ed25519") => Self::Ed25519((&parsed?).try_into().ok()?),
            _ => return None,
        })
    }
}

static PRIVATE_JWKS: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let mut set: Value = serde_json::from_str(include_str!("../keys/test-only-private.jwks.json"))
        .unwrap_or_default();
    match set.get_mut("keys").map(Value::take) {
        Some(Value::Array(keys)) => keys,
        _ => Vec::new(),
    }
});

const PUBLIC_MEMBERS: [&str; 11] = [
    "kty", "use", "alg", "kid", "n", "e", "crv", "x", "y", "x5t", "x5c",
];

#[cfg(test)]
mod tests {
    use rsa::traits::PublicKeyParts;

    use super::*;

    #[test]
    fn the_file_holds_every_key_under_its_own_kid_and_algorithm() {
        assert_eq!(PRIVATE_JWKS.len(), Key::ALL.len());
        for key in Key::ALL {
            let jwk = key.jwk();
            assert_eq!(jwk["kid"], key.kid());
            assert_eq!(jwk["alg"], key.algorithm().name());
        }
    }

    #[test]
    fn a_published_key_has_no_private_member() {
        for key in Key::ALL {
            for private in ["d", "p", "q", "dp", "dq", "qi", "k", "oth"] {
                assert!(
                    !key.jwk().contains_key(private),
                    "{private} of {}",
                    key.kid()
                );
            }
        }
    }

    #[test]
    fn moduli_have_the_size_their_names_say() {
        for (key, bits) in [
            (Key::Rsa1, 2048),
            (Key::Rsa3072, 3072),
            (Key::Rsa4096, 4096),
            (Key::RsaWeak, 1024),
        ] {
            let KeyPair::Rsa(pair) = key.pair() else {
                panic!("{} is an RSA key", key.kid());
            };
            assert_eq!(pair.n().bits(), bits);
        }
    }

    #[test]
    fn signatures_verify_with_the_published_key() {
        fn check<'a, A>(key: Key, signing: Algorithm, algorithm: &A)
        where
            A: jwt_compact::Algorithm,
            for<'k> A::VerifyingKey: TryFrom<&'k JsonWebKey<'a>>,
            for<'k> <A::VerifyingKey as TryFrom<&'k JsonWebKey<'a>>>::Error: std::fmt::Debug,
        {
            let jwk: JsonWebKey<'a> = serde_json::from_value(Value::Object(key.jwk())).unwrap();
            let verifying_key = A::VerifyingKey::try_from(&jwk).unwrap();
            let signature = key.sign(signing, b"header.payload").unwrap();
            let signature = A::Signature::try_from_slice(&signature).unwrap();
            assert!(algorithm.verify_signature(&signature, &verifying_key, b"header.payload"));
            assert!(!algorithm.verify_signature(&signature, &verifying_key, b"header.other"));
        }

        for key in Key::ALL
            .into_iter()
            .filter(|key| key.algorithm() == Algorithm::Rs256)
        {
            check(key, Algorithm::Rs256, &Rsa::rs256());
        }
        for (algorithm, rsa) in [
            (Algorithm::Rs384, Rsa::rs384()),
            (Algorithm::Rs512, Rsa::rs512()),
            (Algorithm::Ps256, Rsa::ps256()),
            (Algorithm::Ps384, Rsa::ps384()),
            (Algorithm::Ps512, Rsa::ps512()),
        ] {
            check(Key::Rsa1, algorithm, &rsa);
        }
        check(Key::P256, Algorithm::Es256, &Es256);
        check(Key::P256Second, Algorithm::Es256, &Es256);
        check(Key::Ed25519, Algorithm::EdDsa, &Ed25519);
    }

    #[test]
    fn signatures_on_the_larger_curves_verify_with_the_published_key() {
        use p384::ecdsa::signature::Verifier;

        fn sec1(key: Key) -> Vec<u8> {
            let jwk = key.jwk();
            let coordinate = |name: &str| {
                BASE64_URL_SAFE_NO_PAD
                    .decode(jwk[name].as_str().unwrap())
                    .unwrap()
            };
            [vec![4], coordinate("x"), coordinate("y")].concat()
        }

        let signature = Key::P384.sign(Algorithm::Es384, b"input").unwrap();
        p384::ecdsa::VerifyingKey::from_sec1_bytes(&sec1(Key::P384))
            .unwrap()
            .verify(
                b"input",
                &p384::ecdsa::Signature::from_slice(&signature).unwrap(),
            )
            .unwrap();
        let signature = Key::P521.sign(Algorithm::Es512, b"input").unwrap();
        p521::ecdsa::VerifyingKey::from_sec1_bytes(&sec1(Key::P521))
            .unwrap()
            .verify(
                b"input",
                &p521::ecdsa::Signature::from_slice(&signature).unwrap(),
            )
            .unwrap();
    }

    #[test]
    fn a_key_refuses_an_algorithm_of_another_type() {
        for (key, algorithm) in [
            (Key::Rsa1, Algorithm::Es256),
            (Key::P256, Algorithm::Es384),
            (Key::P384, Algorithm::Es256),
            (Key::P521, Algorithm::Rs256),
            (Key::Ed25519, Algorithm::Es256),
        ] {
            let mismatch = KeyError::Mismatch {
                kid: key.kid(),
                algorithm,
            };
            assert_eq!(key.sign(algorithm, b"input"), Err(mismatch));
        }
    }
}
