//! The signature algorithms of RFC 7518 §3.1, RFC 8037 §3.1 and RFC 9864 §2.2 that a key set can be used with.

use std::fmt;

/// The hash function of an [`Algorithm`].
pub use crate::rsa::Hash as HashFunction;

/// A JWS algorithm (`alg`) whose keys are public: there is no `none` and no HMAC here, so neither can be allowed
/// by any configuration (RFC 8725 §3.1, §3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512
    Rs512,
    /// RSASSA-PSS with SHA-256, MGF1 with SHA-256, a salt of 32 bytes
    Ps256,
    /// RSASSA-PSS with SHA-384, MGF1 with SHA-384, a salt of 48 bytes
    Ps384,
    /// RSASSA-PSS with SHA-512, MGF1 with SHA-512, a salt of 64 bytes
    Ps512,
    /// ECDSA on P-256 with SHA-256
    Es256,
    /// ECDSA on P-384 with SHA-384
    Es384,
    /// ECDSA on P-521 with SHA-512
    Es512,
    /// `EdDSA` on edwards25519 (RFC 8032 Ed25519), under the name of RFC 8037 that leaves the curve open
    EdDsa,
    /// The same under the name that says it all (RFC 9864 §2.2). Another name is another algorithm: a token has the one
    /// that its provider lists
    Ed25519,
}

/// The signature scheme of an [`Algorithm`], without its hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// RSASSA-PKCS1-v1_5 (RFC 8017 §8.2)
    RsaPkcs1,
    /// RSASSA-PSS (RFC 8017 §8.1)
    RsaPss,
    /// ECDSA with the signature r||s (RFC 7518 §3.4)
    Ecdsa,
    /// Ed25519 (RFC 8032), which hashes for itself
    Ed25519,
}

impl HashFunction {
    /// The name Envoy's `verify_signature` knows it by.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }
}

impl Algorithm {
    /// Every algorithm, in the order of the registry.
    pub const ALL: [Self; 11] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::Es512,
        Self::EdDsa,
        Self::Ed25519,
    ];

    /// The registered `alg` value.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::EdDsa => "EdDSA",
            Self::Ed25519 => "Ed25519",
        }
    }

    /// The algorithm registered as `name`; names are case-sensitive (RFC 7515 §4.1.1).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
    }

    /// The signature scheme.
    pub const fn scheme(self) -> Scheme {
        match self {
            Self::Rs256 | Self::Rs384 | Self::Rs512 => Scheme::RsaPkcs1,
            Self::Ps256 | Self::Ps384 | Self::Ps512 => Scheme::RsaPss,
            Self::Es256 | Self::Es384 | Self::Es512 => Scheme::Ecdsa,
            Self::EdDsa | Self::Ed25519 => Scheme::Ed25519,
        }
    }

    /// The hash function; for `EdDSA` the one Ed25519 uses inside.
    pub const fn hash_function(self) -> HashFunction {
        match self {
            Self::Rs256 | Self::Ps256 | Self::Es256 => HashFunction::Sha256,
            Self::Rs384 | Self::Ps384 | Self::Es384 => HashFunction::Sha384,
            Self::Rs512 | Self::Ps512 | Self::Es512 | Self::EdDsa | Self::Ed25519 => {
                HashFunction::Sha512
            }
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of algorithms: the allow-list of a provider (RFC 8725 §3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AlgorithmSet(u16);

impl AlgorithmSet {
    /// The set without algorithms, which allows nothing.
    pub const EMPTY: Self = Self(0);

    /// This set and `algorithm`.
    #[must_use]
    pub const fn with(self, algorithm: Algorithm) -> Self {
        Self(self.0 | 1 << algorithm as u16)
    }

    /// Whether `algorithm` is in the set.
    pub const fn contains(self, algorithm: Algorithm) -> bool {
        self.0 & (1 << algorithm as u16) != 0
    }

    /// Whether nothing is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The algorithms in the set, in the order of the registry.
    pub fn iter(self) -> impl Iterator<Item = Algorithm> {
        Algorithm::ALL
            .into_iter()
            .filter(move |&algorithm| self.contains(algorithm))
    }
}

impl FromIterator<Algorithm> for AlgorithmSet {
    fn from_iter<I: IntoIterator<Item = Algorithm>>(algorithms: I) -> Self {
        algorithms.into_iter().fold(Self::EMPTY, Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_are_case_sensitive() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::from_name(algorithm.name()), Some(algorithm));
        }
        for name in [
            "none", "None", "HS256", "HS384", "HS512", "rs256", "RS256 ", "", "eddsa", "ed25519",
            "Ed448", "ES256K",
        ] {
            assert_eq!(Algorithm::from_name(name), None, "{name}");
        }
    }

    #[test]
    fn a_set_holds_what_was_put_in_and_nothing_else() {
        assert!(AlgorithmSet::EMPTY.is_empty());
        for algorithm in Algorithm::ALL {
            let set = AlgorithmSet::EMPTY.with(algorithm);
            assert!(set.iter().eq([algorithm]));
        }
        let set = AlgorithmSet::from_iter(Algorithm::ALL);
        assert!(set.iter().eq(Algorithm::ALL));
    }
}
