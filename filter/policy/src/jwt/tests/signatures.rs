//! Which key and which algorithm a signature is checked with.

use super::*;
use crate::jwk::VerifyingKey;
use crate::signature::{SignatureError, SignatureVerifier};

#[test]
fn every_algorithm_verifies_with_its_own_key() {
    for algorithm in Algorithm::ALL {
        let claims = decide(token(algorithm, &json!({}), &json!({})), &profile()).unwrap();
        assert_eq!(claims.algorithm(), algorithm);
        assert_eq!(claims.key_id(), Some(key_id(algorithm)));
        let key_set = key_set(&jwks());
        assert!(key_set.has_fingerprint(claims.key_fingerprint()));
    }
}

#[test]
fn algorithm_outside_the_allow_list_is_refused() {
    for algorithm in Algorithm::ALL {
        let mut profile = profile();
        profile.algorithms = Algorithm::ALL
            .into_iter()
            .filter(|&other| other != algorithm)
            .collect();
        let error = decide(token(algorithm, &json!({}), &json!({})), &profile).unwrap_err();
        assert_eq!(error, Error::AlgorithmNotAllowed(algorithm));
    }
}

/// RFC 9864 §2.2: `Ed25519` says what `EdDSA` leaves open. They make the same signature, and each counts only where it
/// is listed, by the provider and by a key that has an `alg`.
#[test]
fn ed25519_counts_where_it_is_listed_and_not_where_eddsa_is() {
    let names = [Algorithm::Ed25519, Algorithm::EdDsa];
    for (algorithm, other) in [(names[0], names[1]), (names[1], names[0])] {
        let compact = token(algorithm, &json!({}), &json!({}));
        let listing = |algorithm| TokenProfile {
            algorithms: AlgorithmSet::EMPTY.with(algorithm),
            ..profile()
        };
        assert!(decide(&compact, &listing(algorithm)).is_ok(), "{algorithm}");
        let refused = decide(&compact, &listing(other)).unwrap_err();
        assert_eq!(refused, Error::AlgorithmNotAllowed(algorithm));

        let with_key = |alg: Algorithm| {
            let key = jwks().into_iter().find(|key| key["kid"] == "ed25519");
            let keys = key_set(&[with(key.unwrap(), &json!({"alg": alg.name()}))]);
            let unverified = UnverifiedToken::parse(compact.as_bytes())?;
            let now = UnixTime::from_secs(NOW);
            verify(unverified, &profile(), &keys, &mut InModule, now).map(|_| ())
        };
        assert_eq!(with_key(algorithm), Ok(()));
        assert_eq!(with_key(other), Err(Error::NoFittingKey));
    }
}

#[test]
fn cve_2024_33663_a_key_is_never_used_with_another_family() {
    for named in Algorithm::ALL {
        for key in Algorithm::ALL {
            if key_id(named) == key_id(key) {
                continue;
            }
            // Signed by `key`, whose `kid` it names, but claiming to be `named`.
            let header = json!({"alg": named.name(), "typ": "JWT", "kid": key_id(key)}).to_string();
            let compact = signed(
                key,
                header.as_bytes(),
                valid_claims().to_string().as_bytes(),
            );
            check(compact, Err(Error::NoFittingKey));
        }
    }
}

#[test]
fn cve_2024_33663_a_public_key_is_no_hmac_secret() {
    let secret = key_set(&jwks());
    for name in ["HS256", "HS384", "HS512"] {
        for key in secret.keys() {
            let header = json!({"alg": name, "typ": "JWT", "kid": key.key_id()}).to_string();
            let signing_input =
                format!("{}.{}", encode(header), encode(valid_claims().to_string()));
            let mac = encode(hmac_sha256(key.spki_der(), signing_input.as_bytes()));
            check(
                format!("{signing_input}.{mac}"),
                Err(Error::UnsupportedAlgorithm),
            );
        }
    }
}

/// HMAC-SHA-256 (RFC 2104), as the forger computes it.
fn hmac_sha256(secret: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = [0; 64];
    block[..32].copy_from_slice(&Sha256::digest(secret));
    let inner = Sha256::new()
        .chain_update(block.map(|b| b ^ 0x36))
        .chain_update(message)
        .finalize();
    Sha256::new()
        .chain_update(block.map(|b| b ^ 0x5c))
        .chain_update(inner)
        .finalize()
        .to_vec()
}

#[test]
fn algorithms_of_one_key_are_not_interchangeable() {
    use Algorithm::{Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};

    for signed_by in [Rs256, Rs384, Rs512, Ps256, Ps384, Ps512] {
        for named in [Rs256, Rs384, Rs512, Ps256, Ps384, Ps512] {
            let header = valid_header(named).to_string();
            let compact = signed(
                signed_by,
                header.as_bytes(),
                valid_claims().to_string().as_bytes(),
            );
            let expected = if named == signed_by {
                Ok(())
            } else {
                Err(Error::SignatureMismatch)
            };
            check(compact, expected);
        }
    }
}

#[test]
fn alg_of_the_key_is_the_only_one_it_is_used_with() {
    let jwk = with(jwks()[0].clone(), &json!({"alg": "PS256"}));
    let keys = key_set(&[jwk]);
    let decide = |algorithm| {
        let compact = token(algorithm, &json!({}), &json!({}));
        let token = UnverifiedToken::parse(compact.as_bytes()).unwrap();
        verify(
            token,
            &profile(),
            &keys,
            &mut InModule,
            UnixTime::from_secs(NOW),
        )
        .map(|_| ())
    };
    assert_eq!(decide(Algorithm::Ps256), Ok(()));
    assert_eq!(decide(Algorithm::Rs256), Err(Error::NoFittingKey));
    assert_eq!(decide(Algorithm::Ps512), Err(Error::NoFittingKey));
}

#[test]
fn unknown_key_id_is_told_apart_from_a_bad_signature() {
    let rotated = token(Algorithm::Rs256, &json!({"kid": "next"}), &json!({}));
    check(rotated, Err(Error::UnknownKeyId));
    let forged = token(Algorithm::Rs256, &json!({}), &json!({}));
    let (signing_input, _) = forged.rsplit_once('.').unwrap();
    check(
        format!("{signing_input}.{}", encode([7; 256])),
        Err(Error::SignatureMismatch),
    );
}

#[test]
fn cve_2026_31837_without_keys_nothing_verifies() {
    assert!(KeySet::parse(br#"{"keys":[]}"#).is_err());
    let stranger = key_set(&[jwks()[1].clone()]);
    let compact = token(Algorithm::Rs256, &json!({"kid": null}), &json!({}));
    let token = UnverifiedToken::parse(compact.as_bytes()).unwrap();
    let error = verify(
        token,
        &profile(),
        &stranger,
        &mut InModule,
        UnixTime::from_secs(NOW),
    );
    assert_eq!(error.unwrap_err(), Error::NoFittingKey);
}

#[test]
fn token_without_key_id_is_tried_with_every_fitting_key() {
    for algorithm in Algorithm::ALL {
        check(token(algorithm, &json!({"kid": null}), &json!({})), Ok(()));
    }
}

/// A verifier that accepts everything, to see what it is asked.
#[derive(Default)]
struct Gullible(Vec<Algorithm>);

impl SignatureVerifier for Gullible {
    fn verify(
        &mut self,
        key: &VerifyingKey,
        algorithm: Algorithm,
        _: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        assert!(key.fits(algorithm));
        assert_eq!(signature.len(), key.signature_bytes());
        self.0.push(algorithm);
        Ok(())
    }
}

#[test]
fn signature_of_the_wrong_length_is_never_handed_to_a_verifier() {
    for algorithm in Algorithm::ALL {
        let compact = token(algorithm, &json!({}), &json!({}));
        let (signing_input, signature) = compact.rsplit_once('.').unwrap();
        let mut signature = decode(signature).unwrap();
        signature.push(0);
        for length in [1, signature.len() - 2, signature.len()] {
            let compact = format!("{signing_input}.{}", encode(&signature[..length]));
            let token = UnverifiedToken::parse(compact.as_bytes()).unwrap();
            let mut gullible = Gullible::default();
            let keys = key_set(&jwks());
            let result = verify(
                token,
                &profile(),
                &keys,
                &mut gullible,
                UnixTime::from_secs(NOW),
            );
            assert_eq!(result.unwrap_err(), Error::SignatureMismatch);
            assert!(gullible.0.is_empty());
        }
    }
}

/// A host that has no signature function for this algorithm.
struct Incapable;

impl SignatureVerifier for Incapable {
    fn verify(
        &mut self,
        _: &VerifyingKey,
        _: Algorithm,
        _: &[u8],
        _: &[u8],
    ) -> Result<(), SignatureError> {
        Err(SignatureError::Unsupported)
    }
}

#[test]
fn verifier_that_cannot_check_denies_and_says_whose_fault_it_is() {
    let compact = token(Algorithm::EdDsa, &json!({}), &json!({}));
    let token = UnverifiedToken::parse(compact.as_bytes()).unwrap();
    let result = verify(
        token,
        &profile(),
        &key_set(&jwks()),
        &mut Incapable,
        UnixTime::from_secs(NOW),
    );
    assert_eq!(
        result.unwrap_err(),
        Error::SignatureUnsupported(Algorithm::EdDsa)
    );
}

#[test]
fn work_per_token_is_bounded_by_the_candidates() {
    struct Counting(usize);
    impl SignatureVerifier for Counting {
        fn verify(
            &mut self,
            _: &VerifyingKey,
            _: Algorithm,
            _: &[u8],
            _: &[u8],
        ) -> Result<(), SignatureError> {
            self.0 += 1;
            Err(SignatureError::Mismatch)
        }
    }

    for kid in [json!("same"), json!(null)] {
        let jwk = with(jwks()[1].clone(), &json!({ "kid": kid }));
        let keys = key_set(&vec![jwk; 100]);
        let compact = token(Algorithm::Es256, &json!({"kid": "same"}), &json!({}));
        let token = UnverifiedToken::parse(compact.as_bytes()).unwrap();
        let mut counting = Counting(0);
        let now = UnixTime::from_secs(NOW);
        assert!(verify(token, &profile(), &keys, &mut counting, now).is_err());
        assert_eq!(counting.0, crate::jwk::MAX_CANDIDATES);
    }
}

#[test]
fn ecdsa_range_is_checked() {
    // r and s each one of 0, 1, n - 1, n, n + 1, 2^256 - 1: none is a signature of anything here.
    let n = decode("_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE").unwrap();
    let near = |difference: i16| {
        let mut number = n.clone();
        number[31] = u8::try_from(i16::from(number[31]) + difference).unwrap();
        number
    };
    let mut one = vec![0; 32];
    one[31] = 1;
    let numbers = [vec![0; 32], one, near(-1), near(0), near(1), vec![0xff; 32]];
    let compact = token(Algorithm::Es256, &json!({}), &json!({}));
    let (signing_input, _) = compact.rsplit_once('.').unwrap();
    for r in &numbers {
        for s in &numbers {
            let signature = encode([&**r, &**s].concat());
            check(
                format!("{signing_input}.{signature}"),
                Err(Error::SignatureMismatch),
            );
        }
    }
}
