//! A key that lives as long as the command, and tokens signed with it.

use anyhow::{Context as _, Result};
use ed25519_dalek::{Signer as _, SigningKey};
use edge_auth_policy::base64url;
use edge_auth_policy::config::{Config, KeySource, Provider};
use edge_auth_policy::jwk::KeySet;
use edge_auth_policy::signature::{Algorithm, AlgorithmSet};
use serde_json::{Map, Value, json};

/// A throw-away Ed25519 key.
pub(super) struct Signer(SigningKey);

impl Signer {
    /// A key nobody has seen before.
    pub(super) fn random() -> Self {
        Self(SigningKey::from_bytes(&rand::random()))
    }

    /// A token of these claims. What the provider needs and the claims leave out is filled in; a claim that is
    /// null is left out.
    pub(super) fn token(
        &self,
        claims: &Map<String, Value>,
        provider: &Provider,
        now: u64,
    ) -> String {
        let profile = &provider.profile;
        let lifetime = profile
            .max_lifetime
            .map_or(3600, |most| most.as_secs().min(3600));
        let mut all = Map::new();
        let first = |texts: &[Box<str>]| texts.first().map_or(Value::Null, |text| json!(text));
        all.insert("iss".to_owned(), first(&profile.issuers));
        all.insert("aud".to_owned(), first(&profile.audiences));
        all.insert("sub".to_owned(), json!("edge-auth"));
        all.insert("iat".to_owned(), json!(now));
        all.insert("exp".to_owned(), json!(now.saturating_add(lifetime)));
        all.extend(claims.clone());
        all.retain(|_, value| !value.is_null());
        let header =
            json!({ "alg": ALGORITHM.name(), "kid": KEY_ID, "typ": first(&profile.types) });
        let header = base64url::encode(header.to_string());
        let input = format!(
            "{header}.{}",
            base64url::encode(Value::Object(all).to_string())
        );
        let signature = self.0.sign(input.as_bytes());
        format!("{input}.{}", base64url::encode(signature.to_bytes()))
    }

    /// Makes this key the only one of a provider, and its algorithm too. Gives the key set.
    ///
    /// # Errors
    /// None that can be foreseen: the key is one the policy can read.
    pub(super) fn replace_keys(&self, provider: &mut Provider) -> Result<String> {
        let x = base64url::encode(self.0.verifying_key().to_bytes());
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "kid": KEY_ID, "use": "sig", "x": x });
        let jwks = json!({ "keys": [jwk] }).to_string();
        let set = KeySet::parse(jwks.as_bytes()).context("the throw-away key is not accepted")?;
        provider.keys = vec![KeySource::Local(set)];
        provider.profile.algorithms = AlgorithmSet::EMPTY.with(ALGORITHM);
        Ok(jwks)
    }
}

/// The provider that issues these claims: by `iss`, else the first that the default asks for.
pub(super) fn provider_of(claims: &Map<String, Value>, config: &Config) -> Option<usize> {
    let issuer = claims.get("iss").and_then(Value::as_str);
    let by_issuer = config.providers.iter().position(|provider| {
        let mut issuers = provider.profile.issuers.iter();
        issuer.is_some_and(|issuer| issuers.any(|own| &**own == issuer))
    });
    by_issuer.or_else(|| config.default.providers.first().copied())
}

/// What tokens are signed with here.
pub(super) const ALGORITHM: Algorithm = Algorithm::EdDsa;
const KEY_ID: &str = "edge-auth-throw-away";
