//! New tokens for a session: one call to the provider however many ask, over all replicas.
//!
//! Whoever comes first takes a lease in the session's row and calls the provider; the others wait for the row to
//! change. Each success is a new generation. A cookie of the generation before is answered with the current tokens,
//! because tabs and lost answers are normal; one of an older generation was replaced long ago, so somebody kept a
//! copy: the session ends everywhere.
//!
//! A provider that rotates takes a refresh token once. So the lease is used and the call goes on when the browser that
//! asked is gone, and the token that comes back is kept whatever else goes wrong: a session must not look stolen
//! because of us.

use std::sync::Arc;
use std::time::Duration;

use edge_auth_policy::session::Session;
use tracing::Instrument as _;

use super::store::{self, Fit, Stored, Which};
use crate::app::App;
use crate::audit::{self, Event};
use crate::client::Client;
use crate::database::Connection;
use crate::login::{AuthError, Login, Unfinished};
use crate::timestamp::Timestamp;

/// How long the one that calls the provider may take, at most.
const LEASE: Duration = Duration::from_secs(30);
/// How long the call may take.
const CALL: Duration = Duration::from_secs(25);
/// The call is given up before another may try: two at once would be reuse in the provider's eyes.
const _: () = assert!(CALL.as_secs() < LEASE.as_secs());
/// How long the others wait for it.
const PATIENCE: Duration = Duration::from_secs(15);
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
    /// The cookie was replaced long ago; the session has just been ended.
    Stolen,
}

/// The session after a refresh, by us or by somebody else just now.
///
/// # Errors
/// The session is over, the provider is down, or it was asked too often.
pub async fn refresh(
    app: &App,
    login: &Arc<Login>,
    cookie: &Session,
    client: &Client,
) -> Result<Stored, AuthError> {
    let patience = tokio::time::Instant::now() + PATIENCE;
    loop {
        let (app, login) = (app.clone(), Arc::clone(login));
        let (cookie, client) = (cookie.clone(), client.clone());
        // In a task of its own, which a browser that goes away does not end: whoever takes the lease uses it.
        let looked = async move { look(&app, &login, &cookie, &client).await };
        let looked = tokio::spawn(looked.in_current_span())
            .await
            .unwrap_or(Err(AuthError::Internal("a refresh ended in a panic")))?;
        match looked {
            Some(stored) => return Ok(stored),
            None if tokio::time::Instant::now() < patience => {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            None => return Err(AuthError::ProviderUnavailable),
        }
    }
}

/// Looks at the row once and does what it says; `None` where somebody else is at it.
async fn look(
    app: &App,
    login: &Login,
    cookie: &Session,
    client: &Client,
) -> Result<Option<Stored>, AuthError> {
    match turn(app, login, cookie, client).await? {
        Turn::Current(stored) => Ok(Some(*stored)),
        Turn::Ours(stored) => call_provider(app, login, *stored, client).await.map(Some),
        Turn::Wait => Ok(None),
        Turn::Stolen => {
            app.metrics.event(Event::ReuseDetected, "revoked");
            Err(AuthError::SessionOver)
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
                if !stored.is_live(idle_millis, now) {
                    store::revoke(tx, Which::Id(&stored.id), "expired", now).await?;
                    return Ok(Err(AuthError::SessionOver));
                }
                let generation = i64::try_from(cookie.generation).unwrap_or(i64::MAX);
                match stored.fits(generation, now) {
                    Fit::Current => take_turn(tx, stored, &client, now).await,
                    Fit::JustReplaced => Ok(Ok(Turn::Current(Box::new(stored)))),
                    Fit::Replaced => {
                        end_stolen(tx, &stored, &client, now).await?;
                        Ok(Ok(Turn::Stolen))
                    }
                }
            })
        })
        .await
        .map_err(AuthError::Database)?
}

/// Takes the lease, unless somebody has it or the user asks too often.
async fn take_turn(
    tx: &mut Connection,
    stored: Stored,
    client: &Client,
    now: Timestamp,
) -> Result<Result<Turn, AuthError>, crate::database::Error> {
    if stored.lease_until > now {
        return Ok(Ok(Turn::Wait));
    }
    if stored.refresh_token.is_none() {
        return Ok(Err(AuthError::SessionOver));
    }
    let count = store::count_refresh(tx, &stored.subject, now).await?;
    if count > REFRESHES_PER_HOUR {
        let error = AuthError::TooManyRefreshes {
            retry_after: 3_600 - (now.as_millis() / 1_000) % 3_600,
        };
        // The first one over the limit; the rest would only repeat it.
        if count == REFRESHES_PER_HOUR + 1 {
            audit::record(tx, event(&stored, error.code(), client), now).await?;
        }
        return Ok(Err(error));
    }
    let lease = i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX);
    let until = Timestamp::from_millis(now.as_millis().saturating_add(lease));
    store::take_lease(tx, &stored.id, until).await?;
    Ok(Ok(Turn::Ours(Box::new(stored))))
}

fn event<'a>(stored: &'a Stored, outcome: &'static str, client: &'a Client) -> audit::Record<'a> {
    audit::Record {
        event: Event::Refresh,
        outcome,
        subject: Some(&stored.subject),
        session_id: Some(&stored.id),
        client,
    }
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
        ..event(stored, "revoked", client)
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
        Ok(refresh_token) => {
            let call = login.refresh(app, &stored.subject, refresh_token);
            let late = Unfinished::from(AuthError::ProviderUnavailable);
            tokio::time::timeout(CALL, call).await.unwrap_or(Err(late))
        }
        // A key was withdrawn: the token can't be read any more.
        Err(error) => Err(error.into()),
    };
    let now = app.now();
    let sealed = answer.and_then(|tokens| Ok(login.seal_tokens(&stored.id, &tokens)?));
    let outcome = sealed
        .as_ref()
        .map_or_else(|unfinished| unfinished.error.code(), |_| "success");
    let client = client.clone();
    let rotated = match &sealed {
        Err(Unfinished {
            rotated: Some(rotated),
            ..
        }) => Some(login.seal_token(&stored.id, rotated)?),
        _ => None,
    };
    let renewed = app
        .database
        .write(move |tx| {
            Box::pin(async move {
                audit::record(tx, event(&stored, outcome, &client), now).await?;
                match sealed {
                    Ok(sealed) => {
                        store::renew(tx, &stored.id, &sealed, now).await?;
                        let renewed = store::lock(tx, &stored.id).await?;
                        // Revoked while the provider was asked: then it stays so.
                        let renewed = renewed.filter(|renewed| renewed.revoked_at.is_none());
                        Ok(renewed.ok_or(AuthError::SessionOver))
                    }
                    Err(Unfinished { error, .. }) => {
                        if matches!(error, AuthError::SessionOver) {
                            // The provider refuses the token: used before by somebody else, or revoked there.
                            store::revoke(tx, Which::Id(&stored.id), "provider", now).await?;
                        } else {
                            if let Some(rotated) = &rotated {
                                store::keep_refresh_token(tx, &stored.id, rotated).await?;
                            }
                            store::take_lease(tx, &stored.id, Timestamp::from_millis(0)).await?;
                        }
                        Ok(Err(error))
                    }
                }
            })
        })
        .await
        .map_err(AuthError::Database)
        .and_then(|renewed| renewed);
    app.metrics.event(Event::Refresh, outcome);
    renewed
}
