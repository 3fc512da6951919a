//! `POST /api/v1/auth/backchannel-logout` (OpenID Connect Back-Channel Logout 1.0)

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use edge_auth_policy::json::Value;
use edge_auth_policy::jwt::VerifiedClaims;
use edge_auth_policy::rejection::Reason;

use super::{AuthError, MAX_BODY_BYTES};
use crate::app::App;
use crate::args;
use crate::audit::{self, Event};
use crate::body::Raw;
use crate::client::Client;
use crate::openapi;
use crate::sessions::store::{self, Which};

/// The event a logout token must name (§2.4).
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// Ends the sessions a logout token names. The token is all the proof there is, so all of §2.6 is checked.
#[utoipa::path(
    post, path = "/api/v1/auth/backchannel-logout", operation_id = "backchannelLogout", tag = "login",
    request_body(content = openapi::LogoutToken, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "What the token names is over"), openapi::Auth)
)]
pub(super) async fn handler(
    State(app): State<App>,
    client: Client,
    Raw(body): Raw<MAX_BODY_BYTES>,
) -> Result<Response, AuthError> {
    let outcome = end_sessions(&app, client, &body).await;
    let code = outcome
        .as_ref()
        .map_or_else(AuthError::code, |()| "success");
    app.metrics.event(Event::BackchannelLogout, code);
    outcome?;
    Ok((StatusCode::OK, [(CACHE_CONTROL, "no-store")]).into_response())
}

async fn end_sessions(app: &App, client: Client, body: &[u8]) -> Result<(), AuthError> {
    let login = app.login()?;
    let mut tokens = url::form_urlencoded::parse(body)
        .filter(|(name, _)| name == "logout_token")
        .map(|(_, token)| token.into_owned());
    let token = tokens
        .next()
        .ok_or(AuthError::InvalidRequest("logout_token is missing"))?;
    if tokens.next().is_some() {
        return Err(AuthError::InvalidRequest("logout_token is given twice"));
    }
    let claims = app
        .verifier
        .verify_logout_token(&token, login.provider.client_id(), app.clock.as_ref())
        .await
        .map_err(|reason| match reason {
            Reason::KeysUnavailable => AuthError::ProviderUnavailable,
            reason => AuthError::InvalidLogoutToken(reason.code()),
        })?;
    let logout = Logout::read(&claims).map_err(AuthError::InvalidLogoutToken)?;
    let now = app.now();
    app.database
        .write(move |tx| {
            Box::pin(async move {
                // A token that comes again, stolen or repeated, ends nothing anew (§2.6 step 8).
                let fresh = tx
                    .execute(
                        "INSERT INTO logout_tokens (token_id, expires_at) VALUES ($1, $2)
                         ON CONFLICT (token_id) DO NOTHING",
                        args![&logout.token_id, logout.expires_at],
                    )
                    .await?;
                if fresh == 0 {
                    return Ok(());
                }
                let which = match (&logout.session, &logout.subject) {
                    (Some(session), _) => Which::ProviderSession(session),
                    (None, Some(subject)) => Which::Subject(subject),
                    (None, None) => return Ok(()),
                };
                let record = audit::Record {
                    event: Event::BackchannelLogout,
                    outcome: "success",
                    subject: logout.subject.as_deref(),
                    session_id: None,
                    client: &client,
                };
                audit::record(tx, record, now).await?;
                store::revoke(tx, which, "backchannel", now).await?;
                Ok(())
            })
        })
        .await
        .map_err(AuthError::Database)
}

/// What a logout token asks for.
#[derive(Debug)]
struct Logout {
    token_id: String,
    session: Option<String>,
    subject: Option<String>,
    expires_at: i64,
}

impl Logout {
    /// §2.4 and §2.6 beyond signature, issuer, audience and times.
    fn read(claims: &VerifiedClaims) -> Result<Self, &'static str> {
        let all = claims.claims();
        let is_logout = all
            .get("events")
            .and_then(Value::as_object)
            .and_then(|events| events.get(EVENT))
            .is_some_and(|event| event.as_object().is_some());
        if !is_logout {
            return Err("events");
        }
        // What has a nonce is an ID token (§2.6 step 6).
        if all.contains("nonce") {
            return Err("nonce");
        }
        let text = |value: Option<&str>| {
            value
                .filter(|text| (1..=255).contains(&text.len()) && !text.contains(char::is_control))
                .map(str::to_owned)
        };
        let issued_at = claims.issued_at().ok_or("iat")?;
        let logout = Self {
            token_id: text(claims.token_id()).ok_or("jti")?,
            session: text(claims.session_id()),
            subject: text(claims.subject()),
            // By its age it is refused then; a distant `exp` would keep its row for nothing.
            expires_at: issued_at
                .saturating_add(crate::auth::LOGOUT_TOKEN_AGE)
                .as_millis()
                .try_into()
                .unwrap_or(i64::MAX),
        };
        if logout.session.is_none() && logout.subject.is_none() {
            return Err("sid and sub");
        }
        Ok(logout)
    }
}
