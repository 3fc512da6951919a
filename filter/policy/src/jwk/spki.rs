//! Public keys as DER `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7).

use crate::signature::der;

// The contents of each AlgorithmIdentifier: object identifier, then parameters.
/// rsaEncryption, NULL (RFC 3279 §2.3.1)
const RSA_ENCRYPTION: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
/// id-ecPublicKey, secp256r1 (RFC 5480 §2.1.1)
const EC_P256: &[u8] =
    b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
/// id-ecPublicKey, secp384r1
const EC_P384: &[u8] = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22";
/// id-ecPublicKey, secp521r1
const EC_P521: &[u8] = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23";
/// id-Ed25519, no parameters (RFC 8410 §3)
const ED25519: &[u8] = b"\x06\x03\x2b\x65\x70";

/// An RSA key: modulus and exponent, big-endian (RFC 8017 §A.1.1).
pub(super) fn rsa(n: &[u8], e: &[u8]) -> Vec<u8> {
    let key = der::sequence(&[&der::unsigned_integer(n), &der::unsigned_integer(e)]);
    spki(RSA_ENCRYPTION, &key)
}

/// A point on P-256, uncompressed (RFC 5480 §2.2).
pub(super) fn p256(point: &[u8]) -> Vec<u8> {
    spki(EC_P256, point)
}

/// A point on P-384, uncompressed.
pub(super) fn p384(point: &[u8]) -> Vec<u8> {
    spki(EC_P384, point)
}

/// A point on P-521, uncompressed.
pub(super) fn p521(point: &[u8]) -> Vec<u8> {
    spki(EC_P521, point)
}

/// A point on edwards25519, as RFC 8032 encodes it.
pub(super) fn ed25519(point: &[u8]) -> Vec<u8> {
    spki(ED25519, point)
}

fn spki(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    der::sequence(&[&der::sequence(&[algorithm]), &der::bit_string(key)])
}
