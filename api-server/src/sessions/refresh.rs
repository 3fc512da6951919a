//! New tokens for a session: one call to the provider however many ask, over all replicas.
//!
//! Whoever comes first takes a lease in the session's row and calls the provider; the others wait for the row to
//! change. Each success is a new generation. A cookie of the generation before is answered with the current tokens,
//! because tabs and lost answers are normal; one of an older generation was replaced long ago, so somebody kept a
//! copy: the session ends everywhere.

use std::time::Duration;

use edge_auth_policy::session::Session;

use super::store::{self, Stored, Which};
use crate::app::App;
use crate::audit::{self, Event};
use crate::client::Client;
use crate::database::Connection;
use crate::login::{AuthError, Login, Tokens};
use crate::timestamp::Timestamp;

/// How long the one that calls the provider may take; then another may try.
const LEASE: Duration = Duration::from_secs(15);
/// How long the cookie of the generation before still gets the current tokens.
const OVERLAP_MILLIS: i64 = 60_000;
/// Refreshes a user may ask the provider for in an hour.
const REFRESHES_PER_HOUR: i64 = 30;
/// How often those who wait look again.
const LOOK_AGAIN: Duration = Duration::from_millis(25);

/// What a session's row says to one that wants it refreshed.
enum Turn {
    /// Call the provider with this refresh token.
    Ours(Box<Stored>),
    /// Somebody does already.
    Wait,
    /// Done: here it is.
    Current(Box<Stored>),
}

/// The session after a refresh, by us or by somebody else just now.
///
/// # Errors
/// The session is over, the provider is down, or it was asked too often.
pub async fn refresh(
    app: &App,
    login: &Login,
    cookie: &Session,
    client: &Client,
) -> Result<Stored, AuthError> {
    let patience = tokio::time::Instant::now() + LEASE;
    loop {
        match turn(app, login, cookie, client).await? {
            Turn::Current(stored) => return Ok(*stored),
            Turn::Ours(stored) => return call_provider(app, login, *stored, client).await,
            Turn::Wait if tokio::time::Instant::now() < patience => {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            Turn::Wait => return Err(AuthError::ProviderUnavailable),
        }
    }
}

async fn turn(
    app: &App,
    login: &Login,
    cookie: &Session,
    client: &Client,
) -> Result<Turn, AuthError> {
    let now = app.now();
    let idle_millis = login.idle_millis();
    let (cookie, client) = (cookie.clone(), client.clone());
    app.database
        .write(move |tx| {
            Box::pin(async move {
                let stored = store::lock(tx, &cookie.session_id).await?;
                let Some(stored) = stored.filter(|stored| stored.revoked_at.is_none()) else {
                    return Ok(Err(AuthError::SessionOver));
                };
                let idle_until = stored.used_at.as_millis().saturating_add(idle_millis);
                if stored.expires_at <= now || idle_until <= now.as_millis() {
                    store::revoke(tx, Which::Id(&stored.id), "expired", now).await?;
                    return Ok(Err(AuthError::SessionOver));
                }
                let generation = i64::try_from(cookie.generation).unwrap_or(i64::MAX);
                if generation == stored.generation {
                    if stored.lease_until > now {
                        return Ok(Ok(Turn::Wait));
                    }
                    if stored.refresh_token.is_none() {
                        return Ok(Err(AuthError::SessionOver));
                    }
                    let count = store::count_refresh(tx, &stored.subject, now).await?;
                    if count > REFRESHES_PER_HOUR {
                        return Ok(Err(AuthError::TooManyRefreshes {
                            retry_after: 3_600 - (now.as_millis() / 1_000) % 3_600,
                        }));
                    }
                    let lease = i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX);
                    let until = Timestamp::from_millis(now.as_millis().saturating_add(lease));
                    store::take_lease(tx, &stored.id, until).await?;
                    return Ok(Ok(Turn::Ours(Box::new(stored))));
                }
                let replaced_just_now = generation == stored.generation - 1
                    && now.as_millis() - stored.used_at.as_millis() <= OVERLAP_MILLIS;
                if replaced_just_now {
                    return Ok(Ok(Turn::Current(Box::new(stored))));
                }
                end_stolen(tx, &stored, &client, now).await?;
                Ok(Err(AuthError::SessionOver))
            })
        })
        .await
        .map_err(AuthError::Database)?
}

/// A cookie that was replaced comes back: who holds it is not who it was given to, or the other way round.
async fn end_stolen(
    tx: &mut Connection,
    stored: &Stored,
    client: &Client,
    now: Timestamp,
) -> Result<(), crate::database::Error> {
    let record = audit::Record {
        event: Event::ReuseDetected,
        outcome: "revoked",
        subject: Some(&stored.subject),
        session_id: Some(&stored.id),
        client,
    };
    audit::record(tx, record, now).await?;
    store::revoke(tx, Which::Id(&stored.id), "reuse", now).await?;
    Ok(())
}

async fn call_provider(
    app: &App,
    login: &Login,
    stored: Stored,
    client: &Client,
) -> Result<Stored, AuthError> {
    let answer = match login.open_refresh_token(&stored, app.clock.now()) {
        Ok(refresh_token) => login.refresh(app, &stored.subject, refresh_token).await,
        // A key was withdrawn: the token can't be read any more.
        Err(error) => Err(error),
    };
    let now = app.now();
    let sealed = answer.and_then(|tokens: Tokens| login.seal_tokens(&stored.id, &tokens));
    let outcome = sealed.as_ref().map_or_else(AuthError::code, |_| "success");
    app.metrics.event(Event::Refresh, outcome);
    let client = client.clone();
    let outcome = app
        .database
        .write(move |tx| {
            Box::pin(async move {
                let mut record = audit::Record {
                    event: Event::Refresh,
                    outcome: "success",
                    subject: Some(&stored.subject),
                    session_id: Some(&stored.id),
                    client: &client,
                };
                match sealed {
                    Ok(sealed) => {
                        store::renew(tx, &stored.id, &sealed, now).await?;
                        audit::record(tx, record, now).await?;
                        let renewed = store::lock(tx, &stored.id).await?;
                        // Revoked while the provider was asked: then it stays so.
                        let renewed = renewed.filter(|renewed| renewed.revoked_at.is_none());
                        Ok(renewed.ok_or(AuthError::SessionOver))
                    }
                    Err(error) => {
                        record.outcome = error.code();
                        audit::record(tx, record, now).await?;
                        if matches!(error, AuthError::SessionOver) {
                            // The provider refuses the token: used before by somebody else, or revoked there.
                            store::revoke(tx, Which::Id(&stored.id), "provider", now).await?;
                        } else {
                            store::take_lease(tx, &stored.id, Timestamp::from_millis(0)).await?;
                        }
                        Ok(Err(error))
                    }
                }
            })
        })
        .await;
    outcome.map_err(AuthError::Database)?
}
