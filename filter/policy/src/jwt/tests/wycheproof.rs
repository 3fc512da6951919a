//! Project Wycheproof's test vectors for JSON Web Signatures (`json_web_signature_test.json`, Apache-2.0): for each
//! group the public key, for each test its number, whether the signature is good, and the token.
//!
//! Their payloads are no claims, so that the JWS alone is judged here.

use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::jwk::KeySet;
use crate::jwt::jws::Jws;
use crate::signature::InModule;

#[derive(Deserialize)]
struct Group {
    /// Absent where the key is a secret that both sides share.
    jwk: Option<Json>,
    tests: Vec<(u32, bool, String)>,
}

/// Good signatures that are refused here all the same, and why.
const REFUSED_ALL_THE_SAME: [(&[u32], &str); 3] = [
    (
        &[259, 264, 268, 272, 320, 325],
        "the payload is empty, which no claims are",
    ),
    (&[346, 350], "the key is for PS256 and the token says PS384"),
    (
        &[347, 351],
        "the key is for ES521, which RFC 7518 does not know",
    ),
];

fn is_accepted(jwk: Option<&Json>, token: &str) -> bool {
    let keys = json!({"keys": jwk.into_iter().collect::<Vec<_>>()}).to_string();
    let Ok(keys) = KeySet::parse(keys.as_bytes()) else {
        return false;
    };
    Jws::parse(token.as_bytes()).is_ok_and(|jws| jws.signer(&keys, &mut InModule).is_ok())
}

#[test]
fn wycheproof_json_web_signatures() {
    let groups: Vec<Group> = serde_json::from_str(include_str!("wycheproof.json")).unwrap();
    let (mut accepted, mut refused) = (0, 0);
    for Group { jwk, tests } in &groups {
        for (number, is_good, token) in tests {
            let is_ours = REFUSED_ALL_THE_SAME
                .iter()
                .any(|(numbers, _)| numbers.contains(number));
            // HMAC: who can verify such a token can make one. There is no key to verify it with here.
            let expected = *is_good && jwk.is_some() && !is_ours;
            assert_eq!(is_accepted(jwk.as_ref(), token), expected, "test {number}");
            *(if expected {
                &mut accepted
            } else {
                &mut refused
            }) += 1;
        }
    }
    assert_eq!((accepted, refused), (26, 375));
}
