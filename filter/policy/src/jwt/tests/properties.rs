//! What holds for every input.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// Every single bit of a token, flipped once.
fn each_flipped(compact: &str) -> impl Iterator<Item = Vec<u8>> + '_ {
    (0..compact.len() * 8).map(|bit| {
        let mut bytes = compact.as_bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    })
}

#[test]
fn flipping_any_bit_denies() {
    for algorithm in [Algorithm::EdDsa, Algorithm::Rs256] {
        let compact = token(algorithm, &json!({}), &json!({}));
        assert!(decide(&compact, &profile()).is_ok());
        let keys = key_set(&jwks());
        for flipped in each_flipped(&compact) {
            let result = UnverifiedToken::parse(&flipped).and_then(|token| {
                verify(
                    token,
                    &profile(),
                    &keys,
                    &mut InModule,
                    UnixTime::from_secs(NOW),
                )
            });
            assert!(result.is_err());
        }
    }
}

#[test]
fn every_truncation_denies() {
    let compact = token(Algorithm::EdDsa, &json!({}), &json!({}));
    for length in 0..compact.len() {
        assert!(decide(&compact[..length], &profile()).is_err());
        assert!(decide(&compact[compact.len() - length..], &profile()).is_err());
    }
}

/// JSON-like bytes, so that more than the first check is reached.
fn jsonish() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"alg\"",
        "\"EdDSA\"",
        "\"kid\"",
        "\"iss\"",
        "\"exp\"",
        "1700003600",
        "-1",
        "1e9",
        "null",
        "true",
        "\"\\u0000\"",
        "\"\u{10ffff}\"",
        " ",
        "\"",
    ]);
    vec(word, 0..40).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn any_bytes_give_an_answer_and_it_is_no(bytes in vec(any::<u8>(), 0..600)) {
        prop_assert!(decide(&bytes, &profile()).is_err());
    }

    #[test]
    fn any_segments_give_an_answer_and_it_is_no(
        header in jsonish(), payload in jsonish(), signature in vec(any::<u8>(), 0..80),
    ) {
        let compact = format!("{}.{}.{}", encode(header), encode(payload), encode(signature));
        prop_assert!(decide(compact, &profile()).is_err());
    }

    #[test]
    fn any_signed_payload_gives_an_answer(header in jsonish(), payload in jsonish()) {
        // Truly signed: an answer is all that is asked.
        let _ = decide(signed(Algorithm::EdDsa, header.as_bytes(), payload.as_bytes()), &profile());
        let header = valid_header(Algorithm::EdDsa).to_string();
        let _ = decide(signed(Algorithm::EdDsa, header.as_bytes(), payload.as_bytes()), &profile());
    }

    #[test]
    fn only_issued_claims_come_out(subject in "\\PC{0,40}", seconds in 0_u64..4_000_000_000) {
        let changes = json!({"sub": subject, "exp": seconds});
        match decide(token(Algorithm::EdDsa, &json!({}), &changes), &profile()) {
            Ok(claims) => {
                prop_assert_eq!(claims.subject(), Some(&*subject));
                prop_assert!(seconds + 60 > NOW);
            }
            Err(error) => {
                let expiration_time = UnixTime::from_secs(seconds);
                let now = UnixTime::from_secs(NOW);
                prop_assert_eq!(error, Error::Expired { expiration_time, now });
                prop_assert!(seconds + 60 <= NOW);
            }
        }
    }
}
