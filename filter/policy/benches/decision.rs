//! What a decision costs natively, from the request's head to the changes to make: `cargo bench -p edge-auth-policy`.

use std::hint::black_box;
use std::net::IpAddr;

use criterion::{Criterion, criterion_group, criterion_main};
use edge_auth_policy::base64url;
use edge_auth_policy::config::Config;
use edge_auth_policy::decision::Decision;
use edge_auth_policy::pipeline::{Gateway, Host, Patience};
use edge_auth_policy::request::RequestHead;
use edge_auth_policy::signature::InModule;
use edge_auth_policy::store::MemoryStore;
use edge_auth_policy::time::UnixTime;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};

const NOW: u64 = 1_800_000_000;

fn key() -> SigningKey {
    SigningKey::from_slice(&[7; 32]).expect("a number below the order of the curve")
}

/// About 900 bytes, as those of a tenant with roles, permissions and two namespaced claims.
fn token() -> String {
    let claims = json!({
        "iss": "https://tenant.auth0.com/", "aud": ["https://api.pymd.io"], "sub": "auth0|65f0c2",
        "iat": NOW, "exp": NOW + 3600, "azp": "hYq0v1n2m3k4j5h6g7f8d9s0a1p2o3i4",
        "scope": "openid profile email read:documents write:documents",
        "https://pymd.io/roles": ["editor", "reviewer"],
        "permissions": ["read:documents", "write:documents"],
        "filler": "x".repeat(200),
    });
    let header = base64url::encode(r#"{"alg":"ES256","kid":"k1","typ":"at+jwt"}"#);
    let input = format!("{header}.{}", base64url::encode(claims.to_string()));
    let signature: Signature = key().sign(input.as_bytes());
    format!("{input}.{}", base64url::encode(signature.to_bytes()))
}

fn config(rules: usize, cache_bytes: u64) -> Value {
    let point = key().verifying_key().to_sec1_point(false);
    let coordinate = |bytes: Option<&p256::FieldBytes>| bytes.map(base64url::encode);
    let jwks = json!({"keys": [{
        "kty": "EC", "crv": "P-256", "kid": "k1", "alg": "ES256",
        "x": coordinate(point.x()), "y": coordinate(point.y()),
    }]});
    let requires = json!({"provider": "auth0", "scopes": {"all_of": ["read:documents"]}});
    let other = |n| json!({"match": {"prefix": format!("/api/v{n}")}, "requires": requires});
    let own = json!({"match": {"prefix": "/api/v1/documents"}, "requires": requires,
                     "rate_limits": ["all"]});
    let rules: Vec<_> = (2..=rules).map(other).chain([own]).collect();
    json!({
        "version": 1,
        "providers": {"auth0": {
            "issuer": "https://tenant.auth0.com/",
            "audiences": ["https://api.pymd.io"],
            "algorithms": ["ES256"],
            "local_jwks": {"inline_string": jwks.to_string()},
            "claim_to_headers": [
                {"header_name": "x-user-id", "claim_name": "sub"},
                {"header_name": "x-user-scope", "claim_name": "scope"},
            ],
        }},
        "rules": rules,
        "default": {"requires": {"provider": "auth0"}},
        "rate_limits": {"all": {"key": ["route"], "requests": 1_000_000, "per": "1s"}},
        "token_cache": {"max_bytes": cache_bytes},
    })
}

fn decide(c: &mut Criterion) {
    let mut group = c.benchmark_group("decision");
    let authorization = format!("Bearer {}", token());
    let fields: Vec<(&[u8], &[u8])> = vec![
        (b":authority", b"api.pymd.io"),
        (b":path", b"/api/v1/documents?limit=20"),
        (b":method", b"GET"),
        (b":scheme", b"https"),
        (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0)"),
        (b"accept", b"application/json"),
        (b"accept-encoding", b"gzip, deflate, br"),
        (b"authorization", authorization.as_bytes()),
        (b"x-forwarded-proto", b"https"),
        (b"x-request-id", b"6f7e1d0c-5f5e-4f0a-9a57-0c8e2a9f1b11"),
    ];
    let head = RequestHead {
        headers: &fields,
        source_address: Some(IpAddr::from([203, 0, 113, 7])),
        tls: true,
    };
    for (name, rules, cache_bytes) in [
        ("token seen", 10, 16 << 20),
        ("token seen, 10,000 rules", 10_000, 16 << 20),
        ("token new (ES256)", 10, 0),
    ] {
        let config = config(rules, cache_bytes).to_string();
        let config = Config::from_json(config.as_bytes()).expect("a good configuration");
        let mut store = MemoryStore::default();
        let mut gateway = Gateway::new(config, [1; 16], &mut store).expect("good rules");
        let mut at = 0;
        group.bench_function(name, |b| {
            b.iter(|| {
                // A new window now and then, so that the limit is never reached.
                at = (at + 1) % 1_000_000;
                let mut host = Host {
                    now: UnixTime::from_millis(NOW * 1000 + at),
                    store: &mut store,
                    verifier: &mut InModule,
                };
                let head = black_box(&head);
                let judgement = gateway.on_request_headers(head, Patience::MayWait, &mut host);
                assert!(matches!(judgement.decision, Decision::Forward(_)));
                judgement
            });
        });
    }
    group.finish();
}

criterion_group!(benches, decide);
criterion_main!(benches);
