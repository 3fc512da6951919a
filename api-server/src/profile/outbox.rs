//! What the provider has yet to be told: one row per user, with all edits it has not taken, put together.
//!
//! Whoever sends a row holds its lease, so replicas don't send it twice; a lease of a process that died runs out.

use std::time::Duration;

use crate::args;
use crate::database::{Connection, Error, Sql};
use crate::login::Profile;
use crate::management::{self, Patch, backoff};
use crate::timestamp::Timestamp;
use crate::users;

/// A row whose lease is ours.
#[derive(Clone, Debug)]
pub(super) struct Update {
    pub(super) subject: String,
    name: Option<String>,
    picture: Option<String>,
    version: i64,
    attempts: i64,
}

crate::record!(Update: subject, name, picture, version, attempts);

impl Update {
    /// What to send.
    pub(super) fn patch(&self) -> Patch {
        Patch {
            name: self.name.clone(),
            picture: self.picture.clone(),
        }
    }
}

/// How long a sender may take; longer than its request to the provider can.
const LEASE_MILLIS: i64 = 60_000;
/// The pause after the first failure, and the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_mins(10);

/// Adds an edit. The row comes back if it is the caller's to send now: nobody else is sending it.
pub(super) async fn add(
    tx: &mut Connection,
    subject: &str,
    patch: &Patch,
    send_now: bool,
    now: Timestamp,
) -> Result<Option<Update>, Error> {
    let (lease_until,): (i64,) = tx
        .fetch_one(
            "INSERT INTO profile_updates (subject, name, picture, next_attempt_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (subject) DO UPDATE SET
                 name = COALESCE($2, profile_updates.name), picture = COALESCE($3, profile_updates.picture),
                 version = profile_updates.version + 1, attempts = 0, next_attempt_at = $4, refused_status = NULL
             RETURNING lease_until",
            args![subject, patch.name.as_deref(), patch.picture.as_deref(), now],
        )
        .await?;
    if !send_now || lease_until > now.as_millis() {
        return Ok(None);
    }
    tx.fetch_optional(
        "UPDATE profile_updates SET lease_until = $2 WHERE subject = $1
         RETURNING subject, name, picture, version, attempts",
        args![subject, now.as_millis() + LEASE_MILLIS],
    )
    .await
}

/// Whether a row is due that nobody is sending.
pub(super) async fn is_due(connection: &mut Connection, now: Timestamp) -> Result<bool, Error> {
    let row: Option<(i64,)> = connection
        .fetch_optional(
            "SELECT version FROM profile_updates
             WHERE refused_status IS NULL AND next_attempt_at <= $1 AND lease_until <= $1 LIMIT 1",
            args![now],
        )
        .await?;
    Ok(row.is_some())
}

/// Takes the lease of the row that is due longest.
pub(super) async fn claim(tx: &mut Connection, now: Timestamp) -> Result<Option<Update>, Error> {
    tx.fetch_optional(
        Sql {
            sqlite: "UPDATE profile_updates SET lease_until = $2 WHERE subject = (
                         SELECT subject FROM profile_updates
                         WHERE refused_status IS NULL AND next_attempt_at <= $1 AND lease_until <= $1
                         ORDER BY next_attempt_at LIMIT 1)
                     RETURNING subject, name, picture, version, attempts",
            postgres: "UPDATE profile_updates SET lease_until = $2 WHERE subject = (
                         SELECT subject FROM profile_updates
                         WHERE refused_status IS NULL AND next_attempt_at <= $1 AND lease_until <= $1
                         ORDER BY next_attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED)
                     RETURNING subject, name, picture, version, attempts",
        },
        args![now, now.as_millis() + LEASE_MILLIS],
    )
    .await
}

/// Writes down what became of `sent`, and gives the lease back. An edit added meanwhile stays to be sent.
pub(super) async fn settle(
    tx: &mut Connection,
    sent: &Update,
    outcome: Result<Profile, management::Error>,
    now: Timestamp,
) -> Result<(), Error> {
    let subject = sent.subject.as_str();
    match outcome {
        Ok(profile) => {
            tx.execute(
                "DELETE FROM profile_updates WHERE subject = $1 AND version = $2",
                args![subject, sent.version],
            )
            .await?;
            users::store::told(tx, &profile, now).await?;
        }
        Err(management::Error::Refused { status }) => {
            tx.execute(
                "UPDATE profile_updates SET refused_status = $3 WHERE subject = $1 AND version = $2",
                args![subject, sent.version, i64::from(status)],
            )
            .await?;
        }
        Err(management::Error::Unavailable { retry_after, .. }) => {
            let failures = u32::try_from(sent.attempts + 1).unwrap_or(u32::MAX);
            let pause = backoff(FIRST_PAUSE, failures, LONGEST_PAUSE);
            let pause = pause.max(retry_after.unwrap_or_default());
            let next = now.as_millis() + i64::try_from(pause.as_millis()).unwrap_or_default();
            tx.execute(
                "UPDATE profile_updates SET attempts = attempts + 1, next_attempt_at = $3
                 WHERE subject = $1 AND version = $2",
                args![subject, sent.version, next],
            )
            .await?;
        }
    }
    tx.execute(
        "UPDATE profile_updates SET lease_until = 0 WHERE subject = $1",
        args![subject],
    )
    .await?;
    Ok(())
}

/// How many edits wait for the provider.
///
/// # Errors
/// The database fails.
pub async fn count_pending(connection: &mut Connection) -> Result<i64, Error> {
    let (count,): (i64,) = connection
        .fetch_one(
            "SELECT count(*) FROM profile_updates WHERE refused_status IS NULL",
            &[],
        )
        .await?;
    Ok(count)
}
