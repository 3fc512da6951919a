//! What happened to whom: every event of authentication, in a table and as a log line. Never a token.

use crate::args;
use crate::client::Client;
use crate::database::{Connection, Error};
use crate::timestamp::Timestamp;

/// An event of authentication; the bounded set that the table, the log and metrics use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A browser logged in, or tried to.
    Login,
    /// A session's tokens were renewed, or not.
    Refresh,
    /// A user logged out here.
    Logout,
    /// The provider told us that a user logged out.
    BackchannelLogout,
    /// A user ended one of their sessions, or all.
    SessionRevoked,
    /// A refresh by a cookie that had been replaced.
    ReuseDetected,
    /// A login failed at the provider, as its log stream tells.
    FailedLogin,
    /// An address may not come in for a while.
    AddressBlocked,
}

impl Event {
    /// The code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Refresh => "refresh",
            Self::Logout => "logout",
            Self::BackchannelLogout => "backchannel_logout",
            Self::SessionRevoked => "session_revoked",
            Self::ReuseDetected => "reuse_detected",
            Self::FailedLogin => "failed_login",
            Self::AddressBlocked => "address_blocked",
        }
    }
}

/// One event.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// What happened.
    pub event: Event,
    /// `success`, or a code from a bounded set.
    pub outcome: &'static str,
    /// Whom it is about.
    pub subject: Option<&'a str>,
    /// Which session.
    pub session_id: Option<&'a str>,
    /// From where.
    pub client: &'a Client,
}

/// Keeps `record`: in the transaction of what it tells, so that neither is there without the other.
pub async fn record(
    transaction: &mut Connection,
    record: Record<'_>,
    now: Timestamp,
) -> Result<(), Error> {
    tracing::info!(
        target: "audit",
        event = record.event.code(),
        outcome = record.outcome,
        subject = record.subject,
        session = record.session_id,
        address = record.client.address,
        user_agent = record.client.user_agent,
        "audit"
    );
    transaction
        .execute(
            "INSERT INTO audit_events (at, event, outcome, subject, session_id, address, user_agent)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            args![
                now,
                record.event.code(),
                record.outcome,
                record.subject,
                record.session_id,
                record.client.address.as_str(),
                record.client.user_agent.as_str()
            ],
        )
        .await?;
    Ok(())
}
