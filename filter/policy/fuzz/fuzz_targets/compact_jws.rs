//! Any bytes give an answer; what is accepted keeps its promises.
//!
//! The signature is taken as good here, so that everything behind it is reached too.
#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use edge_auth_policy::base64url::encode;
use edge_auth_policy::claims::header_text;
use edge_auth_policy::jwk::{KeySet, VerifyingKey};
use edge_auth_policy::jwt::{
    DEFAULT_SCOPE_CLAIMS, MAX_TOKEN_BYTES, TokenProfile, UnverifiedToken, verify,
};
use edge_auth_policy::signature::{Algorithm, AlgorithmSet, SignatureError, SignatureVerifier};
use edge_auth_policy::time::UnixTime;
use libfuzzer_sys::fuzz_target;

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
const SKEW: Duration = Duration::from_secs(60);

fuzz_target!(|input: &[u8]| {
    decide(input);
    // The same bytes as header and payload, so that the fuzzer need not find base64url.
    let mut lines = input.splitn(2, |&byte| byte == b'\n');
    let header = encode(lines.next().unwrap_or_default());
    let payload = encode(lines.next().unwrap_or_default());
    decide(format!("{header}.{payload}.{}", encode([1; 64])).as_bytes());
});

fn decide(compact: &[u8]) {
    let Ok(token) = UnverifiedToken::parse(compact) else {
        return;
    };
    assert!(compact.len() <= MAX_TOKEN_BYTES);
    assert_eq!(compact.split(|&byte| byte == b'.').count(), 3);
    let issuer = token.unverified_issuer().map(str::to_owned);
    let Ok(claims) = verify(token, &PROFILE, &KEYS, &mut Gullible, NOW) else {
        return;
    };
    assert_eq!(issuer.as_deref(), Some(claims.issuer()));
    assert_eq!(claims.issuer(), "https://issuer/");
    assert!(claims.has_audience("https://audience"));
    assert!(
        claims
            .expiration_time()
            .is_some_and(|end| NOW < end.saturating_add(SKEW))
    );
    assert!(
        claims
            .not_before()
            .is_none_or(|start| start <= NOW.saturating_add(SKEW))
    );
    for scope in claims.scopes().iter() {
        assert!(claims.scopes().contains(scope) && !scope.contains(['"', '\\', ' ']));
    }
    for text in claims
        .claims()
        .iter()
        .filter_map(|(_, value)| header_text(value))
    {
        assert!(!text.is_empty() && !text.contains(char::is_control));
    }
}

struct Gullible;

impl SignatureVerifier for Gullible {
    fn verify(
        &mut self,
        key: &VerifyingKey,
        algorithm: Algorithm,
        _: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        assert!(key.fits(algorithm));
        assert_eq!(signature.len(), key.signature_bytes());
        Ok(())
    }
}

static PROFILE: LazyLock<TokenProfile> = LazyLock::new(|| TokenProfile {
    issuers: vec!["https://issuer/".into()],
    audiences: vec!["https://audience".into()],
    algorithms: AlgorithmSet::from_iter(Algorithm::ALL),
    clock_skew: SKEW,
    require_expiration: true,
    max_lifetime: None,
    types: vec!["jwt".into()],
    scope_claims: DEFAULT_SCOPE_CLAIMS.map(Box::from).into(),
});

/// The key of RFC 7515 appendix A.3.1.
static KEYS: LazyLock<KeySet> = LazyLock::new(|| {
    KeySet::parse(
        br#"{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#,
    )
    .expect("an RFC's key")
});
