//! Any bytes give a key set or an error; every key of a set is one that may be used.
#![no_main]

use edge_auth_policy::jwk::{KeySet, MAX_CANDIDATES, MAX_KEYS};
use edge_auth_policy::signature::{Algorithm, InModule, SignatureVerifier};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Ok(set) = KeySet::parse(input) else {
        return;
    };
    assert!(!set.keys().is_empty());
    assert!(set.keys().len() + set.skipped().len() <= MAX_KEYS);
    for key in set.keys() {
        assert!(set.has_fingerprint(key.fingerprint()));
        assert!(key.key_id().is_none_or(|key_id| set.has_key_id(key_id)));
        let signature = vec![1; key.signature_bytes()];
        for algorithm in Algorithm::ALL {
            // An answer is all that is asked: whoever chooses the key can make any signature match.
            let _ = InModule.verify(key, algorithm, b"", &signature);
            let mut candidates = 0;
            for candidate in set.candidates(key.key_id(), algorithm) {
                assert!(candidate.fits(algorithm));
                candidates += 1;
            }
            assert!(candidates <= MAX_CANDIDATES);
        }
    }
});
