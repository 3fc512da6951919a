//! Where signatures are checked: by the host's cryptography where it can, else in this module.
//!
//! Envoy registers the foreign function `verify_signature`; another host may not, or may do something else
//! under that name. It is used for a kind of signature only after it has accepted a known signature of that
//! kind and refused a changed one.

use std::time::Duration;

use edge_auth_policy::jwk::VerifyingKey;
use edge_auth_policy::metrics;
use edge_auth_policy::protobuf::{VerifySignatureArguments, VerifySignatureResult};
use edge_auth_policy::signature::{
    Algorithm, InModule, Scheme, SignatureError, SignatureVerifier, ecdsa_der,
};

use edge_auth_policy::time::UnixTime;

use crate::host;

/// Checks signatures with the host where it proved able to, else in the module.
#[derive(Debug, Default)]
pub(crate) struct Verifier {
    host_checks_rsa: bool,
    host_checks_ecdsa: bool,
    /// How many signatures the host has checked.
    pub(crate) by_host: u64,
    /// How many signatures this module has checked.
    pub(crate) by_module: u64,
    /// Whether checks are timed: each costs far more than reading a clock.
    is_timed: bool,
    /// How long checks took, by the metric that is to know; at most [`MAX_TIMINGS`].
    pub(crate) timings: Vec<(&'static str, Duration)>,
}

impl Verifier {
    /// Asks the host for known answers and remembers what it can be trusted with.
    pub(crate) fn prove(is_timed: bool) -> Self {
        let text = include_bytes!("known_answer/text");
        Self {
            host_checks_rsa: knows(
                include_bytes!("known_answer/rs256.spki.der"),
                include_bytes!("known_answer/rs256.signature.bin"),
                text,
            ),
            host_checks_ecdsa: knows(
                include_bytes!("known_answer/es256.spki.der"),
                include_bytes!("known_answer/es256.signature.der"),
                text,
            ),
            is_timed,
            ..Self::default()
        }
    }

    /// What the operator's log says of it at start.
    pub(crate) fn describe(&self) -> &'static str {
        match (self.host_checks_rsa, self.host_checks_ecdsa) {
            (true, true) => "RS* and ES* signatures are checked by the host, others in the module",
            (true, false) => "RS* signatures are checked by the host, others in the module",
            (false, true) => "ES* signatures are checked by the host, others in the module",
            (false, false) => "all signatures are checked in the module",
        }
    }

    fn note(&mut self, metric: &'static str, started: Option<UnixTime>) {
        if let Some(started) = started
            && self.timings.len() < MAX_TIMINGS
        {
            self.timings.push((metric, host::now().since(started)));
        }
    }

    /// The host's answer; `None` where it has none to give for this kind of signature or this key.
    fn ask_host(
        &self,
        key: &VerifyingKey,
        algorithm: Algorithm,
        signing_input: &[u8],
        signature: &[u8],
    ) -> Option<bool> {
        let hash = algorithm.hash_function().name();
        match algorithm.scheme() {
            Scheme::RsaPkcs1 if self.host_checks_rsa => {
                ask(hash, key.spki_der(), signature, signing_input)
            }
            Scheme::Ecdsa if self.host_checks_ecdsa => {
                let der = ecdsa_der(algorithm, signature).ok()?;
                ask(hash, key.spki_der(), &der, signing_input)
            }
            _ => None,
        }
    }
}

impl SignatureVerifier for Verifier {
    fn verify(
        &mut self,
        key: &VerifyingKey,
        algorithm: Algorithm,
        signing_input: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        let started = self.is_timed.then(host::now);
        if let Some(matches) = self.ask_host(key, algorithm, signing_input, signature) {
            self.by_host += 1;
            self.note(metrics::HOST_MICROSECONDS, started);
            return if matches {
                Ok(())
            } else {
                Err(SignatureError::Mismatch)
            };
        }
        self.by_module += 1;
        let verified = InModule.verify(key, algorithm, signing_input, signature);
        self.note(metrics::MODULE_MICROSECONDS, started);
        verified
    }
}

/// Whether the host accepts `signature` over `text` and refuses it over another text and when it is changed.
fn knows(spki_der: &[u8], signature: &[u8], text: &[u8]) -> bool {
    let mut changed = signature.to_vec();
    if let Some(last) = changed.last_mut() {
        *last ^= 1;
    }
    ask("sha256", spki_der, signature, text) == Some(true)
        && ask("sha256", spki_der, signature, b"another text") != Some(true)
        && ask("sha256", spki_der, &changed, text) != Some(true)
}

/// One question to the host; `None` where it has no such function or cannot read the key.
fn ask(hash: &str, spki_der: &[u8], signature: &[u8], text: &[u8]) -> Option<bool> {
    let arguments = VerifySignatureArguments {
        hash_function: hash,
        public_key: spki_der,
        signature,
        text,
    };
    let answer = host::call_foreign_function("verify_signature", &arguments.encode()).ok()?;
    let result = VerifySignatureResult::decode(&answer).ok()?;
    // An error text without a result is the host's way to say that it could not try.
    (result.result || result.error.is_empty() || result.error.starts_with(SIGNATURE_MISMATCH))
        .then_some(result.result)
}

/// Timings kept between two ticks; more would say nothing new.
const MAX_TIMINGS: usize = 256;

/// What Envoy says where it could check the signature and it does not match.
const SIGNATURE_MISMATCH: &[u8] = b"Failed to verify digest";
