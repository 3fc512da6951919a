//! Failed logins: five for one email address within an hour block the address the last one came from.
//!
//! The email is kept as a hash only: the count needs no more.

use std::net::IpAddr;

use sha2::{Digest as _, Sha256};

use crate::args;
use crate::audit::{self, Event};
use crate::client::Client;
use crate::database::{Connection, Error};
use crate::feed;
use crate::timestamp::Timestamp;

/// One failed login of the log stream.
#[derive(Debug)]
pub(super) struct FailedLogin {
    pub(super) log_id: String,
    pub(super) email: String,
    pub(super) address: IpAddr,
    pub(super) subject: Option<String>,
    pub(super) user_agent: String,
    /// From a bounded set.
    pub(super) outcome: &'static str,
}

/// Failures of one email within [`WINDOW_MILLIS`] that block.
const BLOCKING_FAILURES: i64 = 5;
const WINDOW_MILLIS: i64 = 3_600_000;
/// How long an address is blocked.
const BLOCK_SECONDS: i64 = 1_800;

/// Counts each failure once, and blocks where that makes too many. What happened, for the metrics.
pub(super) async fn count(
    tx: &mut Connection,
    failures: &[FailedLogin],
    now: Timestamp,
) -> Result<Vec<(Event, &'static str)>, Error> {
    let mut counted = Vec::new();
    for failure in failures {
        let email = failure.email.trim().to_lowercase();
        let email_hash: [u8; 32] = Sha256::digest(email).into();
        let address = failure.address.to_string();
        let is_new = tx
            .execute(
                "INSERT INTO failed_logins (log_id, email_hash, at) VALUES ($1, $2, $3)
                 ON CONFLICT (log_id) DO NOTHING",
                args![&failure.log_id, &email_hash[..], now],
            )
            .await?;
        if is_new == 0 {
            continue;
        }
        let client = Client {
            address: address.clone(),
            user_agent: failure.user_agent.chars().take(256).collect(),
        };
        let record = audit::Record {
            event: Event::FailedLogin,
            outcome: failure.outcome,
            subject: failure.subject.as_deref(),
            session_id: None,
            client: &client,
        };
        audit::record(tx, record, now).await?;
        counted.push((record.event, record.outcome));
        let (failed,): (i64,) = tx
            .fetch_one(
                "SELECT count(*) FROM failed_logins WHERE email_hash = $1 AND at > $2",
                args![&email_hash[..], now.as_millis() - WINDOW_MILLIS],
            )
            .await?;
        if failed < BLOCKING_FAILURES {
            continue;
        }
        let record = audit::Record {
            event: Event::AddressBlocked,
            outcome: "failed_logins",
            ..record
        };
        audit::record(tx, record, now).await?;
        counted.push((record.event, record.outcome));
        let block = feed::store::Revocation {
            kind: "address",
            value: &address,
            issuer: None,
            issued_before: None,
            expires_at: now.as_millis() / 1_000 + BLOCK_SECONDS,
        };
        feed::store::publish(tx, block).await?;
    }
    Ok(counted)
}

/// Drops what counts no more.
///
/// # Errors
/// The database fails.
pub async fn forget(tx: &mut Connection, now: Timestamp) -> Result<u64, Error> {
    tx.execute(
        "DELETE FROM failed_logins WHERE at <= $1",
        args![now.as_millis() - WINDOW_MILLIS],
    )
    .await
}
