//! What can be done to a token's header, signature and compact form (RFC 7515).

use auth0_sim::{Algorithm, Key, SigningKey};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};

use super::draft::{Bend, Draft, Signature, bend, refused};

pub(super) const BENDS: &[Bend] = &[
    // alg (RFC 7515 §4.1.1, RFC 8725 §3.1)
    refused("alg_none", |d, _| unsigned(d, "none")),
    refused("alg_none_in_another_case", |d, _| unsigned(d, "nOnE")),
    refused("alg_none_with_a_signature", |d, _| {
        d.parameter("alg", "none");
    }),
    refused("alg_in_lower_case", |d, _| {
        let lower = d.key().algorithm.name().to_lowercase();
        d.parameter("alg", lower);
    }),
    refused("alg_hs256_with_the_public_key", |d, _| {
        let pem = Key::Rsa1.public_key_pem().unwrap();
        hmac(d, pem.into_bytes());
    }),
    refused("alg_hs256_with_an_empty_secret", |d, _| hmac(d, Vec::new())),
    refused("alg_missing", |d, _| drop(d.header.remove("alg"))),
    refused("alg_number", |d, _| d.parameter("alg", 256)),
    refused("alg_unknown", |d, _| d.parameter("alg", "ES257")),
    refused("alg_of_another_family", |d, _| {
        let other = if d.key().algorithm == Algorithm::Rs256 {
            "ES256"
        } else {
            "RS256"
        };
        d.parameter("alg", other);
    }),
    refused("alg_rs512_by_an_rs256_key", |d, _| {
        sign(
            d,
            SigningKey::from(Key::Rsa1).with_algorithm(Algorithm::Rs512),
        );
    }),
    refused("alg_ps256_by_an_rs256_key", |d, _| {
        sign(
            d,
            SigningKey::from(Key::Rsa1).with_algorithm(Algorithm::Ps256),
        );
    }),
    // kid (RFC 7515 §4.1.4)
    bend("kid_missing", |d, _| drop(d.header.remove("kid"))),
    refused("kid_unknown", |d, _| {
        sign(d, Key::P256.into());
        d.parameter("kid", "nobody");
    }),
    refused("kid_of_another_key", |d, _| {
        sign(d, Key::P256.into());
        d.parameter("kid", Key::Rsa1.kid());
    }),
    refused("kid_in_upper_case", |d, _| {
        sign(d, Key::P256.into());
        d.parameter("kid", Key::P256.kid().to_uppercase());
    }),
    bend("kid_for_a_key_without_one", |d, _| {
        sign(d, Key::P256Second.into());
        d.parameter("kid", "anything");
    }),
    bend("kid_empty", |d, _| d.parameter("kid", "")),
    bend("kid_number", |d, _| d.parameter("kid", 1)),
    bend("kid_null", |d, _| d.parameter("kid", Value::Null)),
    bend("kid_path_traversal", |d, _| {
        d.parameter("kid", "../../dev/null");
    }),
    bend("kid_very_long", |d, _| d.parameter("kid", "k".repeat(700))),
    // typ and cty (RFC 7515 §4.1.9, RFC 8725 §3.11)
    bend("typ_missing", |d, _| drop(d.header.remove("typ"))),
    bend("typ_at_jwt", |d, _| d.parameter("typ", "at+jwt")),
    bend("typ_media_type", |d, _| {
        d.parameter("typ", "Application/AT+JWT");
    }),
    bend("typ_logout", |d, _| d.parameter("typ", "logout+jwt")),
    bend("typ_dpop", |d, _| d.parameter("typ", "dpop+jwt")),
    bend("typ_number", |d, _| d.parameter("typ", 1)),
    bend("cty_jwt", |d, _| d.parameter("cty", "JWT")),
    // crit, b64, zip, enc (RFC 7515 §4.1.11, RFC 7797, RFC 7516)
    refused("crit_unknown", |d, _| {
        d.parameter("crit", json!(["exp"]));
        d.parameter("exp", 1);
    }),
    refused("crit_empty", |d, _| d.parameter("crit", json!([]))),
    refused("crit_not_there", |d, _| {
        d.parameter("crit", json!(["policy"]));
    }),
    refused("crit_b64", |d, _| {
        d.parameter("crit", json!(["b64"]));
        d.parameter("b64", false);
    }),
    bend("b64_false", |d, _| d.parameter("b64", false)),
    bend("b64_true", |d, _| d.parameter("b64", true)),
    bend("zip", |d, _| d.parameter("zip", "DEF")),
    bend("enc", |d, _| d.parameter("enc", "A256GCM")),
    // Keys that the token brings along (RFC 8725 §3.1)
    refused("jwk_of_the_attacker", |d, _| {
        by_an_attacker(d);
        d.parameter("jwk", Key::RsaUnknown.jwk());
    }),
    refused("jku_of_the_attacker", |d, _| {
        by_an_attacker(d);
        d.parameter("jku", "https://attacker.invalid/jwks.json");
    }),
    refused("x5c_of_the_attacker", |d, _| {
        by_an_attacker(d);
        d.parameter(
            "x5c",
            Key::RsaUnknown
                .jwk()
                .get("x5c")
                .cloned()
                .unwrap_or_default(),
        );
    }),
    bend("jwk_beside_a_good_signature", |d, _| {
        d.parameter("jwk", Key::RsaUnknown.jwk());
    }),
    bend("header_unknown_member", |d, _| {
        d.parameter("x-any", "thing");
    }),
    // The header as JSON (RFC 7515 §4)
    refused("header_duplicate_alg", |d, _| {
        let raw = format!(r#"{{"alg":"none",{}}}"#, &d.open_header()[1..]);
        d.raw_header = Some(raw.into());
    }),
    refused("header_duplicate_kid", |d, _| {
        let raw = format!(r#"{},"kid":"a","kid":"{}"}}"#, without_kid(d), d.key().kid);
        d.raw_header = Some(raw.into());
    }),
    bend("header_with_spaces", |d, _| {
        d.raw_header = Some(format!("  {} \t}} ", d.open_header()).into());
    }),
    refused("header_trailing_comma", |d, _| {
        d.raw_header = Some(format!("{},}}", d.open_header()).into());
    }),
    refused("header_trailing_text", |d, _| {
        d.raw_header = Some(format!("{}}}x", d.open_header()).into());
    }),
    refused("header_no_json", |d, _| {
        d.raw_header = Some(b"alg=ES256".to_vec());
    }),
    refused("header_array", |d, _| {
        d.raw_header = Some(format!("[{}}}]", d.open_header()).into());
    }),
    refused("header_byte_order_mark", |d, _| {
        d.raw_header = Some(format!("\u{feff}{}}}", d.open_header()).into());
    }),
    refused("header_no_utf8", |d, _| {
        let raw = format!(r#"{},"x":"?"}}"#, d.open_header());
        d.raw_header = Some(
            raw.bytes()
                .map(|b| if b == b'?' { 0xff } else { b })
                .collect(),
        );
    }),
    bend("header_deeply_nested", |d, _| {
        let (open, close) = ("[".repeat(40), "]".repeat(40));
        d.raw_header = Some(format!(r#"{},"x":{open}{close}}}"#, d.open_header()).into());
    }),
    bend("header_large", |d, _| d.parameter("x", "y".repeat(4000))),
    // Signatures
    refused("signature_bit_flipped", |d, _| {
        d.edits.push(|token, random| {
            edit_signature(token, |raw| {
                let at = random.below(raw.len());
                raw[at] ^= 1 << random.below(8);
            })
        });
    }),
    refused("signature_cut_short", |d, _| {
        d.edits.push(|token, _| {
            edit_signature(token, |raw| {
                let _ = raw.pop();
            })
        });
    }),
    refused("signature_longer", |d, _| {
        d.edits
            .push(|token, _| edit_signature(token, |raw| raw.push(0)));
    }),
    refused("signature_with_a_leading_zero", |d, _| {
        d.edits
            .push(|token, _| edit_signature(token, |raw| raw.insert(0, 0)));
    }),
    refused("signature_of_zeros", |d, _| {
        d.edits
            .push(|token, _| edit_signature(token, |raw| raw.fill(0)));
    }),
    refused("signature_in_der", |d, _| {
        sign(d, Key::P256.into());
        d.edits.push(|token, _| {
            edit_signature(token, |raw| {
                if let Ok(signature) = p256::ecdsa::Signature::from_slice(raw) {
                    *raw = signature.to_der().as_bytes().to_vec();
                }
            })
        });
    }),
    refused("signature_by_an_attacker", |d, _| by_an_attacker(d)),
    refused("signature_of_another_token", |d, _| {
        d.signature = Signature::Bytes(Key::P256.sign(Algorithm::Es256, b"another").unwrap());
        d.parameter("alg", "ES256");
        d.parameter("kid", Key::P256.kid());
    }),
    // The compact form (RFC 7515 §3.1, RFC 4648 §3)
    refused("compact_two_segments", |d, _| {
        d.edits.push(|token, _| {
            token
                .rsplit_once('.')
                .map(|(rest, _)| rest.to_owned())
                .unwrap_or_default()
        });
    }),
    refused("compact_four_segments", |d, _| {
        d.edits.push(|token, _| format!("{token}.AA"));
    }),
    refused("compact_five_segments", |d, _| {
        d.edits.push(|token, _| format!("{token}.AA.AA"));
    }),
    refused("compact_leading_dot", |d, _| {
        d.edits.push(|token, _| format!(".{token}"));
    }),
    bend("compact_trailing_dot", |d, _| {
        d.edits.push(|token, _| format!("{token}."));
    }),
    refused("compact_empty_header", |d, _| {
        d.edits
            .push(|token, _| segment(token, 0, |_| String::new()));
    }),
    refused("compact_empty_claims", |d, _| {
        d.edits
            .push(|token, _| segment(token, 1, |_| String::new()));
    }),
    refused("compact_empty_signature", |d, _| {
        d.edits
            .push(|token, _| segment(token, 2, |_| String::new()));
    }),
    bend("base64_padding", |d, _| {
        d.edits
            .push(|token, _| segment(token, 2, |s| format!("{s}==")));
    }),
    bend("base64_padding_amid", |d, _| {
        d.edits
            .push(|token, _| segment(token, 0, |s| format!("{s}=")));
    }),
    bend("base64_standard_alphabet", |d, _| {
        d.edits.push(|token, _| {
            segment(token, 2, |s| {
                BASE64_STANDARD
                    .encode(decoded(s))
                    .trim_end_matches('=')
                    .to_owned()
            })
        });
    }),
    bend("base64_trailing_bits", |d, _| {
        d.edits.push(|token, _| segment(token, 2, trailing_bits));
    }),
    bend("base64_trailing_bits_of_the_header", |d, _| {
        d.edits.push(|token, _| segment(token, 0, trailing_bits));
    }),
    bend("base64_space_amid", |d, _| {
        d.edits
            .push(|token, _| segment(token, 1, |s| format!("{} {}", &s[..8], &s[8..])));
    }),
    bend("base64_other_letter_amid", |d, _| {
        d.edits
            .push(|token, _| segment(token, 1, |s| format!("{}!{}", &s[..8], &s[8..])));
    }),
    bend("opaque", |d, _| {
        d.edits.push(|_, _| "AbCdEf0123456789".to_owned());
    }),
    bend("empty", |d, _| d.edits.push(|_, _| String::new())),
];

fn unsigned(d: &mut Draft, algorithm: &str) {
    d.parameter("alg", algorithm);
    d.signature = Signature::Bytes(Vec::new());
}

fn hmac(d: &mut Draft, secret: Vec<u8>) {
    d.parameter("alg", "HS256");
    d.parameter("kid", Key::Rsa1.kid());
    d.signature = Signature::Hmac(secret);
}

fn sign(d: &mut Draft, key: SigningKey) {
    d.parameter("alg", key.algorithm.name());
    d.parameter("kid", key.kid.clone());
    d.signature = Signature::By(key);
}

fn by_an_attacker(d: &mut Draft) {
    sign(
        d,
        SigningKey::from(Key::RsaUnknown).with_kid(Key::Rsa1.kid()),
    );
}

fn without_kid(d: &Draft) -> String {
    let mut header = d.header.clone();
    header.remove("kid");
    let text = Value::Object(header).to_string();
    text.trim_end_matches('}').to_owned()
}

fn decoded(segment: &str) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(segment).unwrap_or_default()
}

/// `token` with one segment changed; what other bends left without that segment stays as it is.
fn segment(token: &str, index: usize, change: impl Fn(&str) -> String) -> String {
    let mut segments: Vec<_> = token.split('.').map(ToOwned::to_owned).collect();
    if let Some(segment) = segments.get_mut(index)
        && segment.len() > 8
    {
        *segment = change(segment);
    }
    segments.join(".")
}

fn edit_signature(token: &str, mut change: impl FnMut(&mut Vec<u8>)) -> String {
    let Some((rest, signature)) = token.rsplit_once('.') else {
        return token.to_owned();
    };
    let mut raw = decoded(signature);
    if raw.is_empty() {
        // Another bend took the signature away: it stays refused.
        return token.to_owned();
    }
    change(&mut raw);
    format!("{rest}.{}", BASE64_URL_SAFE_NO_PAD.encode(raw))
}

/// The same bytes to a lax decoder: bits that the last letter leaves unused are set (RFC 4648 §3.5).
fn trailing_bits(segment: &str) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (rest, last) = segment.split_at(segment.len() - 1);
    let at = LETTERS
        .iter()
        .position(|letter| last.as_bytes() == [*letter]);
    match (at, segment.len() % 4) {
        (Some(at), 2 | 3) => format!("{rest}{}", char::from(LETTERS[at | 1])),
        _ => segment.to_owned(),
    }
}
