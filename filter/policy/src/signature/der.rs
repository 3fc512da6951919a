//! Writing the little DER (X.690) that Envoy's `verify_signature` wants: `SubjectPublicKeyInfo` and ECDSA signatures.
//!
//! Nothing is read here: keys arrive as JWK and signatures as JWS, never as DER.

use super::{Algorithm, SignatureError};

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;

/// Converts the r||s of a JWS (RFC 7518 §3.4) to the DER `ECDSA-Sig-Value` (RFC 3279 §2.2.3).
///
/// # Errors
/// [`SignatureError::Mismatch`] where the length is not the curve's or r or s is zero, which no signature has
/// (CVE-2022-21449 is what happens to those who forget); [`SignatureError::Unsupported`] where `algorithm` is not
/// an ECDSA one.
pub fn ecdsa_der(algorithm: Algorithm, signature: &[u8]) -> Result<Vec<u8>, SignatureError> {
    let coordinate_bytes = match algorithm {
        Algorithm::Es256 => 32,
        Algorithm::Es384 => 48,
        Algorithm::Es512 => 66,
        _ => return Err(SignatureError::Unsupported),
    };
    let (r, s) = signature
        .split_at_checked(coordinate_bytes)
        .filter(|(_, s)| s.len() == coordinate_bytes)
        .ok_or(SignatureError::Mismatch)?;
    if is_zero(r) || is_zero(s) {
        return Err(SignatureError::Mismatch);
    }
    Ok(sequence(&[&unsigned_integer(r), &unsigned_integer(s)]))
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == 0)
}

/// A non-negative INTEGER in its only encoding: no superfluous leading zero, one where the sign bit would be set.
pub(crate) fn unsigned_integer(big_endian: &[u8]) -> Vec<u8> {
    let leading_zeros = big_endian.iter().take_while(|&&byte| byte == 0).count();
    let magnitude = big_endian.get(leading_zeros..).unwrap_or_default();
    match magnitude.first() {
        Some(first) if first & 0x80 == 0 => element(INTEGER, &[magnitude]),
        _ => element(INTEGER, &[&[0], magnitude]),
    }
}

/// A BIT STRING of whole bytes.
pub(crate) fn bit_string(bytes: &[u8]) -> Vec<u8> {
    element(BIT_STRING, &[&[0], bytes])
}

/// A SEQUENCE of elements that are encoded already.
pub(crate) fn sequence(elements: &[&[u8]]) -> Vec<u8> {
    element(SEQUENCE, elements)
}

fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length = parts.iter().map(|part| part.len()).sum::<usize>();
    let mut out = Vec::with_capacity(length.saturating_add(6));
    out.push(tag);
    push_length(&mut out, length);
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

/// The definite length in its shortest form (X.690 §10.1).
fn push_length(out: &mut Vec<u8>, length: usize) {
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let bytes = length.to_be_bytes();
            let significant = bytes.iter().skip_while(|&&byte| byte == 0);
            // At most eight length bytes, so the count fits.
            out.push(0x80 | u8::try_from(significant.clone().count()).unwrap_or(0x7f));
            out.extend(significant);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn integers_are_minimal_and_never_negative() {
        assert_eq!(unsigned_integer(&[0, 0, 0x7f]), [2, 1, 0x7f]);
        assert_eq!(unsigned_integer(&[0, 0x80]), [2, 2, 0, 0x80]);
        assert_eq!(unsigned_integer(&[]), [2, 1, 0]);
        assert_eq!(unsigned_integer(&[0]), [2, 1, 0]);
    }

    #[test]
    fn lengths_take_their_shortest_form() {
        assert_eq!(sequence(&[&[0; 127]])[..2], [0x30, 0x7f]);
        assert_eq!(sequence(&[&[0; 128]])[..3], [0x30, 0x81, 0x80]);
        assert_eq!(sequence(&[&[0; 256]])[..4], [0x30, 0x82, 1, 0]);
    }

    #[test]
    fn zero_r_or_s_and_wrong_lengths_are_refused() {
        let mut zero_s = [0; 64];
        zero_s[31] = 1;
        let mut zero_r = [0; 64];
        zero_r[63] = 1;
        for signature in [
            &[][..],
            &[0; 64],
            &zero_s,
            &zero_r,
            &[1; 63],
            &[1; 65],
            &[1; 96],
        ] {
            assert_eq!(
                ecdsa_der(Algorithm::Es256, signature),
                Err(SignatureError::Mismatch)
            );
        }
        assert_eq!(
            ecdsa_der(Algorithm::Rs256, &[1; 64]),
            Err(SignatureError::Unsupported)
        );
        assert_eq!(
            ecdsa_der(Algorithm::EdDsa, &[1; 64]),
            Err(SignatureError::Unsupported)
        );
    }

    /// The `ecdsa` crate's own encoder as the judge.
    fn judge<C>(algorithm: Algorithm, signature: &[u8], theirs: Result<Vec<u8>, C>) {
        if let Ok(theirs) = theirs {
            assert_eq!(ecdsa_der(algorithm, signature), Ok(theirs));
        }
    }

    proptest! {
        #[test]
        fn ecdsa_der_agrees_with_the_ecdsa_crate(
            bytes in proptest::collection::vec(any::<u8>(), 132),
            zeros in 0_usize..30,
        ) {
            let with_zeros = |length: usize| {
                let mut signature = bytes[..length].to_vec();
                signature[..zeros].fill(0);
                signature
            };
            let signature = with_zeros(64);
            judge(Algorithm::Es256, &signature, p256::ecdsa::Signature::from_slice(&signature)
                .map(|signature| signature.to_der().as_bytes().to_vec()));
            let signature = with_zeros(96);
            judge(Algorithm::Es384, &signature, p384::ecdsa::Signature::from_slice(&signature)
                .map(|signature| signature.to_der().as_bytes().to_vec()));
            let mut signature = with_zeros(132);
            // Below the order of P-521, whose top byte is 1.
            signature[0] = 0;
            signature[66] = 0;
            judge(Algorithm::Es512, &signature, p521::ecdsa::Signature::from_slice(&signature)
                .map(|signature| signature.to_der().as_bytes().to_vec()));
        }
    }
}
