//! EMSA-PKCS1-v1_5 (RFC 8017 §9.2): what a signature must open to.
//!
//! The expected octets are written out and compared by the caller. Nothing of a signature is ever parsed, so there is
//! no padding, no ASN.1 and no trailing garbage for a forger to shape (Bleichenbacher's signatures for e = 3).

use super::Hash;

/// Fills `encoded` with `0x00 01 FF…FF 00 DigestInfo`; `None` if the digest is not one of `hash` or does not fit.
pub(super) fn encode(hash: Hash, digest: &[u8], encoded: &mut [u8]) -> Option<()> {
    if digest.len() != hash.size() {
        return None;
    }
    let prefix = digest_info_prefix(hash);
    let padding = encoded
        .len()
        .checked_sub(3 + prefix.len() + digest.len())
        .filter(|&padding| padding >= MIN_PADDING)?;
    let padding = std::iter::repeat_n(&0xff, padding);
    let octets = [0x00, 0x01].iter().chain(padding).chain(&[0x00]);
    for (to, &octet) in encoded.iter_mut().zip(octets.chain(prefix).chain(digest)) {
        *to = octet;
    }
    Some(())
}

/// "PS … at least eight octets": RFC 8017 §9.2, step 4.
const MIN_PADDING: usize = 8;

/// The DER of `DigestInfo` up to the digest: RFC 8017 §9.2, note 1.
const fn digest_info_prefix(hash: Hash) -> &'static [u8; 19] {
    match hash {
        Hash::Sha256 => {
            b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"
        }
        Hash::Sha384 => {
            b"\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30"
        }
        Hash::Sha512 => {
            b"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoding_is_padding_then_digest_info_then_digest() {
        let mut encoded = [0xaa; 256];
        encode(Hash::Sha256, &[0x5c; 32], &mut encoded).unwrap();
        let (padding, rest) = encoded.split_at(256 - 19 - 32 - 1);
        assert_eq!(padding[..2], [0x00, 0x01]);
        assert!(padding[2..].iter().all(|&octet| octet == 0xff));
        assert_eq!(rest[0], 0x00);
        assert_eq!(rest[1..20], *digest_info_prefix(Hash::Sha256));
        assert_eq!(rest[20..], [0x5c; 32]);
    }

    #[test]
    fn digest_of_another_length_has_no_encoding() {
        for length in [0, 20, 31, 33, 48, 64] {
            let encoded = encode(Hash::Sha256, &vec![0; length], &mut [0; 256]);
            assert_eq!(encoded, None, "{length}");
        }
    }

    #[test]
    fn encoding_without_room_for_eight_octets_of_padding_is_refused() {
        let least = 3 + 8 + 19 + 64;
        assert_eq!(
            encode(Hash::Sha512, &[0; 64], &mut vec![0; least]),
            Some(())
        );
        assert_eq!(
            encode(Hash::Sha512, &[0; 64], &mut vec![0; least - 1]),
            None
        );
    }
}
