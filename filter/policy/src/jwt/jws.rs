//! JWS compact serialization (RFC 7515 §7.1): three segments, a header, and who signed it.
//!
//! What the payload means is said in `unverified` and `verify`.

use super::Error;
use crate::base64url;
use crate::json::{self, Limits, Object, Value};
use crate::jwk::{KeySet, MAX_KEY_ID_BYTES, VerifyingKey};
use crate::signature::{Algorithm, SignatureError, SignatureVerifier};

/// The longest token, in bytes. Servers commonly take 8 KiB of headers, Envoy 60 KiB by default.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// The longest JOSE header, in bytes as encoded. Headers in use take 40 to 200 bytes; ones with a certificate
/// chain, which is ignored here, up to 2 KiB.
pub const MAX_HEADER_BYTES: usize = 2 * 1024;

/// The longest `typ`, in bytes.
pub const MAX_TYPE_BYTES: usize = 64;

const HEADER_LIMITS: Limits = Limits {
    depth: 4,
    values: 64,
};

/// A JWS, split and decoded; nothing about it is checked yet.
pub(super) struct Jws<'a> {
    pub(super) header: JoseHeader,
    pub(super) payload: Vec<u8>,
    signing_input: &'a [u8],
    signature: Vec<u8>,
}

impl<'a> Jws<'a> {
    pub(super) fn parse(compact: &'a [u8]) -> Result<Self, Error> {
        if compact.len() > MAX_TOKEN_BYTES {
            return Err(Error::TooLarge);
        }
        let [header, payload, signature] = segments(compact).ok_or_else(|| malformed(compact))?;
        if header.len() > MAX_HEADER_BYTES {
            return Err(Error::HeaderTooLarge);
        }
        let signing_input = compact
            .get(..header.len() + 1 + payload.len())
            .ok_or(Error::Segments)?;
        let decode = |segment: &[u8]| base64url::decode(segment);
        let decoded = (decode(header), decode(payload), decode(signature));
        let (Some(header), Some(payload), Some(signature)) = decoded else {
            return Err(malformed(compact));
        };
        Ok(Self {
            header: JoseHeader::parse(&header)?,
            payload,
            signing_input,
            signature,
        })
    }

    /// The key of `keys` that made this signature.
    ///
    /// The caller has made sure that the header's algorithm is allowed; here it is held against the key.
    pub(super) fn signer<'k>(
        &self,
        keys: &'k KeySet,
        verifier: &mut dyn SignatureVerifier,
    ) -> Result<&'k VerifyingKey, Error> {
        let algorithm = self.header.algorithm;
        let key_id = self.header.key_id();
        let mut outcome = Error::NoFittingKey;
        for key in keys.candidates(key_id, algorithm) {
            let result = if self.signature.len() == key.signature_bytes() {
                verifier.verify(key, algorithm, self.signing_input, &self.signature)
            } else {
                Err(SignatureError::Mismatch)
            };
            match result {
                Ok(()) => return Ok(key),
                Err(SignatureError::Unsupported) => {
                    outcome = Error::SignatureUnsupported(algorithm);
                }
                Err(SignatureError::Mismatch) if outcome == Error::NoFittingKey => {
                    outcome = Error::SignatureMismatch;
                }
                Err(SignatureError::Mismatch) => {}
            }
        }
        match key_id {
            Some(key_id) if !keys.has_key_id(key_id) => Err(Error::UnknownKeyId),
            _ => Err(outcome),
        }
    }
}

/// The three segments, where there are three. That the one in the middle holds no further dot is left to its
/// decoding, which looks at every byte anyway and allows none.
fn segments(compact: &[u8]) -> Option<[&[u8]; 3]> {
    let is_dot = |&byte: &u8| byte == b'.';
    let (first, last) = (
        compact.iter().position(is_dot)?,
        compact.iter().rposition(is_dot)?,
    );
    let segments = [
        compact.get(..first)?,
        compact.get(first + 1..last)?,
        compact.get(last + 1..)?,
    ];
    let is_empty = |segment: &&[u8]| segment.is_empty();
    (!segments.iter().any(is_empty)).then_some(segments)
}

/// Why `compact` is no JWS: by how many segments it has, and if they are three, by their encoding.
fn malformed(compact: &[u8]) -> Error {
    let mut segments = compact.split(|&byte| byte == b'.');
    match compact.split(|&byte| byte == b'.').count() {
        1 => Error::NotAJwt,
        5 => Error::Encrypted,
        3 if segments.all(|segment| !segment.is_empty()) => Error::Encoding,
        _ => Error::Segments,
    }
}

/// The JOSE header (RFC 7515 §4), its members of the right types.
///
/// `jwk`, `jku`, `x5u`, `x5c` and `x5t` may be there and are never looked at: a token does not choose its key
/// (CVE-2026-27962).
pub(super) struct JoseHeader {
    members: Object,
    pub(super) algorithm: Algorithm,
}

impl JoseHeader {
    fn parse(json: &[u8]) -> Result<Self, Error> {
        let members = json::parse(json, HEADER_LIMITS)
            .map_err(Error::HeaderJson)?
            .into_object()
            .ok_or(Error::MalformedHeader("header"))?;
        if members.contains("crit") {
            return Err(Error::CriticalHeader);
        }
        if let Some(name) = ["b64", "enc", "zip"]
            .into_iter()
            .find(|name| members.contains(name))
        {
            return Err(Error::UnsupportedHeader(name));
        }
        for (name, max_bytes) in [("kid", MAX_KEY_ID_BYTES), ("typ", MAX_TYPE_BYTES)] {
            let is_short_text =
                |value: &Value| value.as_str().is_some_and(|text| text.len() <= max_bytes);
            if members.get(name).is_some_and(|value| !is_short_text(value)) {
                return Err(Error::MalformedHeader(name));
            }
        }
        let algorithm = members
            .get("alg")
            .and_then(Value::as_str)
            .ok_or(Error::MalformedHeader("alg"))?;
        let algorithm = Algorithm::from_name(algorithm).ok_or(Error::UnsupportedAlgorithm)?;
        Ok(Self { members, algorithm })
    }

    pub(super) fn key_id(&self) -> Option<&str> {
        self.members.get("kid").and_then(Value::as_str)
    }

    pub(super) fn media_type(&self) -> Option<&str> {
        self.members.get("typ").and_then(Value::as_str)
    }
}
