//! A small OpenID provider for logins: discovery, keys, token endpoint. Whatever a real user would do at its pages,
//! a test does by asking it for a code.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use api_server::clock::{Clock as _, ManualClock};
use auth0_sim::{Key, TokenBuilder};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use edge_auth_policy::base64url;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;

pub(crate) const CLIENT_ID: &str = "browser-app";
pub(crate) const CLIENT_SECRET: &str = "test-only-secret";

/// What the provider does wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Misbehaviour {
    #[default]
    None,
    OtherNonce,
    OtherAudience,
    OtherSubject,
    Unsigned,
    NoIdToken,
    Down,
    /// Says nothing about itself.
    NoMetadata,
    /// Signs access tokens with a key it does not publish.
    UnpublishedKey,
}

pub(crate) struct Provider {
    pub(crate) issuer: String,
    clock: Arc<ManualClock>,
    keys: Value,
    state: Mutex<Grants>,
    pub(crate) refreshes: AtomicU64,
    pub(crate) discoveries: AtomicU64,
    /// An answer is being held back.
    held: Notify,
    released: Notify,
}

#[derive(Default)]
struct Grants {
    /// Code to what it was asked for.
    codes: HashMap<String, Grant>,
    /// The one refresh token of each family that is good.
    refresh_tokens: HashMap<String, String>,
    misbehaviour: Misbehaviour,
    /// Whether the next answer of the token endpoint is held back.
    hold: bool,
    counter: u64,
}

#[derive(Clone)]
struct Grant {
    subject: String,
    nonce: String,
    code_challenge: String,
}

impl Provider {
    /// Starts it with the keys of the simulated tenant, published as `keys`.
    pub(crate) async fn start(clock: Arc<ManualClock>, keys: Value) -> Arc<Self> {
        let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))
            .await
            .unwrap();
        let provider = Arc::new(Self {
            issuer: format!("http://{}/", listener.local_addr().unwrap()),
            clock,
            keys,
            state: Mutex::default(),
            refreshes: AtomicU64::new(0),
            discoveries: AtomicU64::new(0),
            held: Notify::new(),
            released: Notify::new(),
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/.well-known/jwks.json", get(jwks))
            .route("/oauth/token", post(token))
            .with_state(Arc::clone(&provider));
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    pub(crate) fn misbehave(&self, misbehaviour: Misbehaviour) {
        self.state.lock().unwrap().misbehaviour = misbehaviour;
    }

    /// Holds the next answer of the token endpoint back: what was asked for has happened by then.
    pub(crate) fn hold(&self) {
        self.state.lock().unwrap().hold = true;
    }

    /// Waits until an answer is held back.
    pub(crate) async fn until_held(&self) {
        self.held.notified().await;
    }

    /// Sends the answer that is held back.
    pub(crate) fn release(&self) {
        self.released.notify_one();
    }

    /// What the provider's login page does for `subject`: a code for the request in `url`, and its `state`.
    pub(crate) fn log_in(&self, url: &str, subject: &str) -> (String, String) {
        let url = url::Url::parse(url).unwrap();
        let query: HashMap<_, _> = url.query_pairs().into_owned().collect();
        assert_eq!(query["client_id"], CLIENT_ID);
        assert_eq!(query["response_type"], "code");
        assert_eq!(query["code_challenge_method"], "S256");
        assert!(query["scope"].split(' ').any(|scope| scope == "openid"));
        let mut state = self.state.lock().unwrap();
        state.counter += 1;
        let code = format!("code-{}", state.counter);
        let grant = Grant {
            subject: subject.to_owned(),
            nonce: query["nonce"].clone(),
            code_challenge: query["code_challenge"].clone(),
        };
        state.codes.insert(code.clone(), grant);
        (code, query["state"].clone())
    }

    /// What the provider does when it sees a refresh token used twice: none of its family is good any more.
    pub(crate) fn forget_refresh_tokens(&self) {
        self.state.lock().unwrap().refresh_tokens.clear();
    }

    /// A logout token as the provider sends it, to be bent.
    pub(crate) fn logout_token(&self) -> TokenBuilder {
        TokenBuilder::valid(&self.issuer, self.clock.now().as_secs())
            .without("exp")
            .without("scope")
            .audience(CLIENT_ID)
            .claim("jti", uuid::Uuid::new_v4().to_string())
            .claim(
                "events",
                json!({"http://schemas.openid.net/event/backchannel-logout": {}}),
            )
    }

    fn tokens(&self, family: &str, grant: &Grant, state: &mut Grants, first: bool) -> Value {
        state.counter += 1;
        let refresh_token = format!("{family}/{}", state.counter);
        state
            .refresh_tokens
            .insert(family.to_owned(), refresh_token.clone());
        let now = self.clock.now().as_secs();
        let misbehaviour = state.misbehaviour;
        let subject = if misbehaviour == Misbehaviour::OtherSubject {
            "auth0|somebody-else"
        } else {
            &grant.subject
        };
        let mut access = TokenBuilder::valid(&self.issuer, now)
            .subject(subject)
            .scope(super::server::ALL_SCOPES)
            .claim("jti", refresh_token.as_str());
        if misbehaviour == Misbehaviour::UnpublishedKey {
            access = access.signed_with(Key::RsaUnknown);
        }
        let access = access.build();
        let mut answer = json!({
            "access_token": access, "token_type": "Bearer", "expires_in": 3600,
            "refresh_token": refresh_token, "scope": super::server::ALL_SCOPES,
        });
        if first && misbehaviour != Misbehaviour::NoIdToken {
            let nonce = match misbehaviour {
                Misbehaviour::OtherNonce => "another",
                _ => &grant.nonce,
            };
            let audience = match misbehaviour {
                Misbehaviour::OtherAudience => "another-client",
                _ => CLIENT_ID,
            };
            let mut id_token = TokenBuilder::valid(&self.issuer, now)
                .subject(&grant.subject)
                .audience(audience)
                .claim("nonce", nonce)
                .claim("sid", family)
                .claim("email", "user@example.com")
                .claim("email_verified", true)
                .claim("name", "A User")
                .without("scope")
                .without("azp");
            if misbehaviour == Misbehaviour::Unsigned {
                id_token = id_token.signed_with(Key::RsaUnknown);
            }
            answer["id_token"] = id_token.build().into();
        }
        answer
    }
}

async fn discovery(State(provider): State<Arc<Provider>>) -> Response {
    provider.discoveries.fetch_add(1, Ordering::SeqCst);
    if provider.state.lock().unwrap().misbehaviour == Misbehaviour::NoMetadata {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let base = provider.issuer.trim_end_matches('/');
    Json(json!({
        "issuer": provider.issuer,
        "authorization_endpoint": format!("{base}/authorize"),
        "token_endpoint": format!("{base}/oauth/token"),
        "jwks_uri": format!("{base}/.well-known/jwks.json"),
        "end_session_endpoint": format!("{base}/oidc/logout"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }))
    .into_response()
}

async fn jwks(State(provider): State<Arc<Provider>>) -> Json<Value> {
    Json(provider.keys.clone())
}

async fn token(
    State(provider): State<Arc<Provider>>,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let answer = grant(&provider, &form);
    let hold = std::mem::take(&mut provider.state.lock().unwrap().hold);
    if hold {
        provider.held.notify_one();
        provider.released.notified().await;
    }
    answer
}

fn grant(provider: &Provider, form: &HashMap<String, String>) -> Response {
    let refused = |error: &str| {
        let status = StatusCode::BAD_REQUEST;
        (status, Json(json!({ "error": error }))).into_response()
    };
    let mut state = provider.state.lock().unwrap();
    if state.misbehaviour == Misbehaviour::Down {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    if form.get("client_id").map(String::as_str) != Some(CLIENT_ID)
        || form.get("client_secret").map(String::as_str) != Some(CLIENT_SECRET)
    {
        return refused("invalid_client");
    }
    match form.get("grant_type").map(String::as_str) {
        Some("authorization_code") => {
            let code = form.get("code").map(String::as_str).unwrap_or_default();
            let Some(grant) = state.codes.remove(code) else {
                return refused("invalid_grant");
            };
            let verifier = form.get("code_verifier").cloned().unwrap_or_default();
            if base64url::encode(Sha256::digest(verifier)) != grant.code_challenge {
                return refused("invalid_grant");
            }
            let family = format!("{}#{code}", grant.subject);
            Json(provider.tokens(&family, &grant, &mut state, true)).into_response()
        }
        Some("refresh_token") => {
            provider.refreshes.fetch_add(1, Ordering::SeqCst);
            let refresh_token = form.get("refresh_token").cloned().unwrap_or_default();
            let family = refresh_token
                .split('/')
                .next()
                .unwrap_or_default()
                .to_owned();
            if state.refresh_tokens.get(&family) != Some(&refresh_token) {
                // Reuse: the whole family is good no more, as at Auth0.
                state.refresh_tokens.remove(&family);
                return refused("invalid_grant");
            }
            let grant = Grant {
                subject: family.split('#').next().unwrap_or_default().to_owned(),
                nonce: String::new(),
                code_challenge: String::new(),
            };
            Json(provider.tokens(&family, &grant, &mut state, false)).into_response()
        }
        _ => refused("unsupported_grant_type"),
    }
}
