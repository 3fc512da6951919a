//! One function for each parser: any bytes give an answer, and what is accepted keeps its promises.
#![allow(
    unreachable_pub,
    reason = "also a public module of the fuzz targets' crate"
)]

use std::borrow::Cow;
use std::sync::LazyLock;
use std::time::Duration;

use edge_auth_policy::authority::Authority;
use edge_auth_policy::base64url::encode;
use edge_auth_policy::claims::header_text;
use edge_auth_policy::config::Config;
use edge_auth_policy::credentials::{self, TokenSource, without_parameters};
use edge_auth_policy::decision::Mutations;
use edge_auth_policy::json as strict_json;
use edge_auth_policy::jwk::{KeySet, MAX_CANDIDATES, MAX_KEYS, VerifyingKey};
use edge_auth_policy::jwks::{JwksSettings, Location, RemoteKeys, Source};
use edge_auth_policy::jwt::{
    DEFAULT_SCOPE_CLAIMS, MAX_TOKEN_BYTES, TokenProfile, UnverifiedToken, verify,
};
use edge_auth_policy::path::RequestTarget;
use edge_auth_policy::protobuf::{Fields, Value, VerifySignatureResult};
use edge_auth_policy::rate_limit::service;
use edge_auth_policy::request::RequestHead;
use edge_auth_policy::revocation::feed;
use edge_auth_policy::session::{self, Purpose, Session, SessionKeys};
use edge_auth_policy::signature::{
    Algorithm, AlgorithmSet, InModule, SignatureError, SignatureVerifier,
};
use edge_auth_policy::store::MemoryStore;
use edge_auth_policy::store::fetch::{Outcome, Response};
use edge_auth_policy::time::UnixTime;

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
const SKEW: Duration = Duration::from_secs(60);

/// A text that is read is JSON to `serde_json` too, and can be written and read again. Not to the same value: the last
/// digit of a large number is not kept.
pub fn json(input: &[u8]) {
    let limits = strict_json::Limits {
        depth: 16,
        values: 1000,
    };
    if let Ok(value) = strict_json::parse(input, limits) {
        serde_json::from_slice::<serde_json::Value>(input).expect("strict JSON is JSON");
        let written = serde_json::to_vec(&value).expect("a value can be written");
        assert!(strict_json::parse(&written, limits).is_ok());
    }
}

/// Every refusal says where and why; what is accepted has a default that needs a token.
pub fn config(input: &[u8]) {
    match Config::from_json(input) {
        Ok(config) => assert!(!config.default.providers.is_empty()),
        Err(errors) => {
            assert!(!errors.is_empty());
            for error in errors {
                assert!(!error.path.is_empty() && !error.message.is_empty());
            }
        }
    }
}

/// A host has nothing in it that would lead a browser elsewhere, and one normal form.
pub fn authority(input: &[u8]) {
    if let Ok(authority) = Authority::parse(input) {
        let host = authority.normal_host().into_owned();
        assert!(!host.is_empty() && !host.contains(['/', '\\', '@', '?', '#', ' ', '%']));
        let again = Authority::parse(host.as_bytes()).expect("a normal host is a host");
        assert_eq!(again.normal_host(), host);
    }
}

/// A path that is judged has one spelling, which has no separator left to decode.
pub fn path(input: &[u8]) {
    if let Ok(target) = RequestTarget::parse(input) {
        let path = target.path();
        assert!(
            path.starts_with('/') && !path.contains("//") && !path.contains(['\\', ';', '#', '?'])
        );
        assert!(
            path.split('/')
                .all(|segment| segment != "." && segment != "..")
        );
        let lower = path.to_ascii_lowercase();
        for hidden in ["%2f", "%5c", "%2e", "%00", "%3b"] {
            assert!(!lower.contains(hidden), "{path}");
        }
        let again = RequestTarget::parse(path.as_bytes()).expect("a normal path is a path");
        assert!(again.path() == path && !again.changed());
    }
}

/// Lines are a field, a query, cookies and WebSocket protocols. What was taken out is not found again.
pub fn credentials(input: &[u8]) {
    let mut lines = input.splitn(4, |&byte| byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (field, query, cookies, protocols) = (line(), line(), line(), line());
    let fields: [(&[u8], &[u8]); 3] = [
        (b"authorization", field),
        (b"cookie", cookies),
        (b"sec-websocket-protocol", protocols),
    ];
    let head = RequestHead {
        headers: &fields,
        source_address: None,
        tls: true,
    };
    let Ok(query) = std::str::from_utf8(query) else {
        return;
    };
    let sources = [
        TokenSource::authorization(),
        TokenSource::Query("access_token".into()),
        TokenSource::Cookie("token".into()),
        TokenSource::WebSocketProtocol,
    ];
    if let Ok(Some(found)) = credentials::take(&head, Some(query), &sources) {
        assert!(found.token.len() <= input.len());
    }
    let all: Vec<_> = sources.iter().collect();
    let mut target = Cow::Owned(format!("/a?{}", query.replace('?', "")));
    let mut mutations = Mutations::default();
    credentials::strip(&head, &mut target, &all, &mut mutations);
    assert_eq!(
        without_parameters(&target, &["access_token"]),
        None,
        "{target}"
    );
    let cookie = mutations.set.iter().find(|(name, _)| &**name == "cookie");
    if let Some((_, value)) = cookie {
        let fields: [(&[u8], &[u8]); 1] = [(b"cookie", value)];
        let head = RequestHead {
            headers: &fields,
            source_address: None,
            tls: true,
        };
        assert_eq!(credentials::take(&head, None, &sources[2..3]), Ok(None));
    }
}

/// As a token, and as header and payload of one, so that nobody has to find base64url. The signature is taken as
/// good, so that everything behind it is reached too.
pub fn compact_jws(input: &[u8]) {
    decide(input);
    let mut lines = input.splitn(2, |&byte| byte == b'\n');
    let header = encode(lines.next().unwrap_or_default());
    let payload = encode(lines.next().unwrap_or_default());
    decide(format!("{header}.{payload}.{}", encode([1; 64])).as_bytes());
}

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
    let end = claims.expiration_time();
    assert!(end.is_some_and(|end| NOW < end.saturating_add(SKEW)));
    let start = claims.not_before();
    assert!(start.is_none_or(|start| start <= NOW.saturating_add(SKEW)));
    for scope in claims.scopes().iter() {
        assert!(claims.scopes().contains(scope) && !scope.contains(['"', '\\', ' ']));
    }
    let texts = claims
        .claims()
        .iter()
        .filter_map(|(_, value)| header_text(value));
    for text in texts {
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
    confirmed_upstream: Vec::new(),
    scope_claims: DEFAULT_SCOPE_CLAIMS.map(Box::from).into(),
});

/// The key of RFC 7515 appendix A.3.1.
static KEYS: LazyLock<KeySet> = LazyLock::new(|| {
    KeySet::parse(
        br#"{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#,
    )
    .expect("an RFC's key")
});

/// Every key of a set is one that may be used.
pub fn jwk_set(input: &[u8]) {
    let Ok(set) = KeySet::parse(input) else {
        return;
    };
    assert!(!set.keys().is_empty());
    assert!(set.keys().len() + set.skipped().len() <= MAX_KEYS);
    for key in set.keys() {
        assert!(set.has_fingerprint(key.fingerprint()));
        assert!(key.key_id().is_none_or(|key_id| set.has_key_id(key_id)));
        let signature = vec![1; key.signature_bytes()];
        for algorithm in Algorithm::ALL {
            // An answer is all that is asked: whoever chooses the key can make any signature match.
            let _ = InModule.verify(key, algorithm, b"", &signature);
            let mut candidates = 0;
            for candidate in set.candidates(key.key_id(), algorithm) {
                assert!(candidate.fits(algorithm));
                candidates += 1;
            }
            assert!(candidates <= MAX_CANDIDATES);
        }
    }
}

/// The next address asked is on a host that the configuration allows (CVE-2026-41413).
pub fn discovery(input: &[u8]) {
    let source = Source::Discovery {
        metadata: Location {
            authority: "tenant.example".to_owned(),
            path: "/.well-known/openid-configuration".to_owned(),
        },
        issuer: "https://tenant.example/".to_owned(),
        allowed_hosts: vec!["keys.example".to_owned()],
    };
    let mut keys = RemoteKeys::new(JwksSettings::new("tenant", source), 1);
    let mut store = MemoryStore::default();
    let fetch = keys
        .poll(NOW, &mut store)
        .fetch
        .expect("the first poll fetches");
    let response = Response {
        status: 200,
        headers: &[],
        body: input,
    };
    match keys.on_response(fetch.id, NOW, &response, &mut store) {
        Outcome::Continue(next) => {
            let host = next.authority.to_ascii_lowercase();
            let host = host.strip_suffix(":443").unwrap_or(&host);
            assert!(["tenant.example", "keys.example"].contains(&host), "{host}");
            assert!(next.path.starts_with('/') && next.cluster == "tenant");
        }
        outcome => assert!(matches!(outcome, Outcome::Failed(_)), "{outcome:?}"),
    }
    assert!(keys.loaded().is_none());
}

/// A page that is read is bounded.
pub fn revocation_feed(input: &[u8]) {
    if let Ok(page) = feed::parse(input) {
        assert!(page.entries.len() <= 10_000);
        assert!(!page.cursor.is_empty() && page.cursor.is_ascii());
    }
}

/// Fields end, and nothing but a plain true is a verified signature; no denial becomes an answer that allows.
pub fn protobuf(input: &[u8]) {
    assert!(Fields::new(input).count() <= input.len());
    if let Ok(result) = VerifySignatureResult::decode(input) {
        let says_so = |field| matches!(field, Ok((1, Value::Varint(1))));
        assert!(!result.result || Fields::new(input).any(says_so));
    }
    if let Ok(answer) = service::answer(input, 3) {
        assert!(answer.statuses.len() <= 3);
    }
}

/// Nothing opens that was not sealed; a payload that is read is written the same.
pub fn session_cookie(input: &[u8]) {
    if let Some(session) = Session::from_bytes(input) {
        let again = Session::from_bytes(&session.to_bytes()).expect("what is written is read");
        assert_eq!(again.to_bytes(), session.to_bytes());
    }
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let cookies = || {
        text.split(';')
            .filter_map(|pair| pair.trim().split_once('='))
    };
    if let Ok(Some(value)) = session::find("session", cookies()) {
        assert!(
            SESSION_KEYS
                .open(Purpose::Session, b"", &value, NOW)
                .is_err()
        );
    }
    assert!(SESSION_KEYS.open(Purpose::Session, b"", text, NOW).is_err());
}

static SESSION_KEYS: LazyLock<SessionKeys> = LazyLock::new(|| {
    SessionKeys::parse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8").expect("32 bytes")
});
