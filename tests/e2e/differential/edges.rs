//! The two judges: one Envoy, a listener with our filter and one with `jwt_authn`, configured alike.
//!
//! `jwt_authn` looks at paths as they come, so its connection manager normalises them as Envoy's own documentation
//! asks for (best practices for edge proxies). Ours has none of that: the filter does it itself.

use std::{collections::BTreeSet, net::SocketAddr, sync::Arc};

use auth0_sim::{Algorithm, DEFAULT_AUDIENCE, Key, SigningKey};
use gateway_tests::{
    client::{Connection, Request, Response},
    envoy::{Bootstrap, Envoy, Listener, WasmFilter},
    gateway::{self, reason},
    module,
    upstream::Echo,
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// The fields both set from claims.
pub(super) const IDENTITY: [&str; 2] = ["x-user-id", "x-user-scope"];

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Judged {
    /// The application saw it, with this identity.
    Forwarded(BTreeSet<(String, String)>),
    /// It was answered at the edge, for this reason.
    Refused(String),
}

impl Judged {
    pub(super) fn is_forwarded(&self) -> bool {
        matches!(self, Self::Forwarded(_))
    }

    fn of(answer: anyhow::Result<Response>) -> Self {
        let Ok(answer) = answer else {
            return Self::Refused("connection_closed".into());
        };
        match answer.status {
            200 => Self::Forwarded(super::identity(&answer.json().unwrap_or_default())),
            status => Self::Refused(reason(&answer).unwrap_or_else(|| {
                let text = answer.text();
                format!("{status} {}", text.lines().next().unwrap_or_default())
            })),
        }
    }
}

/// The same request before both.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) ours: Judged,
    pub(super) native: Judged,
}

/// Both listeners, and the application behind them.
pub(super) struct Edges {
    envoy: Envoy,
    _upstream: Echo,
}

impl Edges {
    pub(super) async fn start() -> Self {
        let upstream = Echo::start().await.unwrap();
        let filter = WasmFilter::new(module::path().unwrap(), &ours());
        let native = Listener::forwarding_to("native", "api_server")
            .filter(native())
            .connection_manager("normalize_path", json!(true))
            .connection_manager("merge_slashes", json!(true))
            .connection_manager("path_with_escaped_slashes_action", json!("REJECT_REQUEST"));
        let bootstrap = Bootstrap::default()
            .cluster("api_server", upstream.address())
            .listener(Listener::forwarding_to("edge", "api_server").wasm(&filter))
            .listener(native);
        let envoy = Envoy::start(&bootstrap, 2).await.unwrap();
        Self {
            envoy,
            _upstream: upstream,
        }
    }

    /// Puts every request to both; the answers in the requests' order.
    pub(super) async fn judge_all(&self, requests: impl Iterator<Item = Request>) -> Vec<Pair> {
        let requests: Arc<[Request]> = requests.collect();
        let addresses = [self.envoy.address("edge"), self.envoy.address("native")];
        let mut clients = JoinSet::new();
        for offset in 0..CLIENTS {
            let requests = Arc::clone(&requests);
            clients.spawn(async move {
                let [mut edge, mut native] = addresses.map(Client::new);
                let mut judged = Vec::new();
                for (index, request) in requests.iter().enumerate().skip(offset).step_by(CLIENTS) {
                    let ours = edge.judge(request).await;
                    judged.push((
                        index,
                        Pair {
                            ours,
                            native: native.judge(request).await,
                        },
                    ));
                }
                judged
            });
        }
        let mut judged: Vec<_> = clients.join_all().await.into_iter().flatten().collect();
        judged.sort_by_key(|(index, _)| *index);
        judged.into_iter().map(|(_, pair)| pair).collect()
    }
}

/// A client that keeps its connection where it can.
struct Client {
    address: SocketAddr,
    connection: Option<Connection>,
}

impl Client {
    fn new(address: SocketAddr) -> Self {
        Self {
            address,
            connection: None,
        }
    }

    async fn judge(&mut self, request: &Request) -> Judged {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => Connection::open(self.address).await.unwrap(),
        };
        let answer = connection.send(request).await;
        if answer
            .as_ref()
            .is_ok_and(|answer| answer.header("connection") != Some("close"))
        {
            self.connection = Some(connection);
        }
        Judged::of(answer)
    }
}

/// One key per algorithm; one of them has no `kid`.
fn key_set() -> String {
    let mut without_kid = Key::P256Second.jwk();
    without_kid.remove("kid");
    let keys = [
        Key::Rsa1.jwk(),
        SigningKey::from(Key::Rsa2)
            .with_algorithm(Algorithm::Ps256)
            .jwk(),
        Key::P256.jwk(),
        Key::P384.jwk(),
        Key::P521.jwk(),
        Key::Ed25519.jwk(),
        without_kid,
    ];
    json!({ "keys": keys }).to_string()
}

/// What both call a provider: `jwt_authn`'s own words.
fn provider() -> Value {
    json!({
        "issuer": gateway::ISSUER,
        "audiences": [DEFAULT_AUDIENCE],
        "local_jwks": {"inline_string": key_set()},
        "from_headers": [{"name": "authorization", "value_prefix": "Bearer "}],
        "from_params": ["access_token"],
        "from_cookies": ["token"],
        "clock_skew_seconds": 60,
        "require_expiration": true,
        "max_lifetime": "86400s",
        "forward": true,
        "claim_to_headers": [
            {"header_name": IDENTITY[0], "claim_name": "sub"},
            {"header_name": IDENTITY[1], "claim_name": "scope"},
        ],
    })
}

fn ours() -> Value {
    let mut configuration = gateway::configuration(&json!([
        {"match": {"path": "/healthz"}, "requires": "public"},
        {"match": {"prefix": "/assets"}, "requires": "public"},
        {"match": {"prefix": "/optional"}, "requires": {"provider": "auth0", "optional": true}},
    ]));
    let mut provider = provider();
    provider["algorithms"] = json!(["RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA"]);
    configuration["providers"]["auth0"] = provider;
    configuration
}

fn native() -> Value {
    json!({
        "name": "envoy.filters.http.jwt_authn",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
            "providers": {"auth0": provider()},
            "rules": [
                {"match": {"path": "/healthz"}},
                {"match": {"path_separated_prefix": "/assets"}},
                {
                    "match": {"path_separated_prefix": "/optional"},
                    "requires": {"requires_any": {"requirements": [
                        {"provider_name": "auth0"}, {"allow_missing": {}},
                    ]}},
                },
                {"match": {"prefix": "/"}, "requires": {"provider_name": "auth0"}},
            ],
        },
    })
}

const CLIENTS: usize = 8;
