//! The sessions' statements.

use serde::Serialize;

use crate::args;
use crate::database::{Connection, Error, Sql};
use crate::feed;
use crate::timestamp::Timestamp;

/// A session as it is stored.
#[derive(Clone)]
pub struct Stored {
    pub id: String,
    pub subject: String,
    pub created_at: Timestamp,
    pub used_at: Timestamp,
    pub expires_at: Timestamp,
    pub generation: i64,
    pub access_token: String,
    pub access_expires_at: Timestamp,
    pub refresh_token: Option<String>,
    pub id_token: Option<String>,
    pub lease_until: Timestamp,
    pub revoked_at: Option<i64>,
}

crate::record!(
    Stored: id, subject, created_at, used_at, expires_at, generation, access_token, access_expires_at, refresh_token,
        id_token, lease_until, revoked_at
);

/// How a cookie's generation stands to the stored one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It is the latest.
    Current,
    /// It was the latest a moment ago: another tab, or an answer that got lost.
    JustReplaced,
    /// It was replaced long ago, or never given out: somebody kept a copy.
    Replaced,
}

/// How long the cookie of the generation before still counts.
const OVERLAP_MILLIS: i64 = 60_000;

impl Stored {
    /// Whether it may still be used: not revoked, within its absolute and its idle lifetime.
    pub fn is_live(&self, idle_millis: i64, now: Timestamp) -> bool {
        let idle_until = self.used_at.as_millis().saturating_add(idle_millis);
        self.revoked_at.is_none() && self.expires_at > now && idle_until > now.as_millis()
    }

    /// How a cookie of `generation` stands to this row.
    pub fn fits(&self, generation: i64, now: Timestamp) -> Fit {
        if generation == self.generation {
            Fit::Current
        } else if generation == self.generation - 1
            && now.as_millis() - self.used_at.as_millis() <= OVERLAP_MILLIS
        {
            Fit::JustReplaced
        } else {
            Fit::Replaced
        }
    }
}

/// Shows no token, sealed or not.
impl std::fmt::Debug for Stored {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stored")
            .field("id", &self.id)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

/// A session as its user sees it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = SessionDetails)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    pub(super) id: String,
    created_at: Timestamp,
    used_at: Timestamp,
    expires_at: Timestamp,
    user_agent: String,
    address: String,
}

crate::record!(Listed: id, created_at, used_at, expires_at, user_agent, address);

/// What a new session is made of; tokens are sealed.
#[derive(Debug)]
pub struct New<'a> {
    pub id: &'a str,
    pub subject: &'a str,
    pub provider_session: Option<&'a str>,
    pub expires_at: Timestamp,
    pub user_agent: &'a str,
    pub address: &'a str,
    pub tokens: &'a SealedTokens,
}

/// Tokens at rest.
#[derive(Clone)]
pub struct SealedTokens {
    pub access_token: String,
    pub access_expires_at: Timestamp,
    pub refresh_token: Option<String>,
    pub id_token: Option<String>,
}

impl std::fmt::Debug for SealedTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealedTokens(..)")
    }
}

/// Adds a session.
pub async fn insert(tx: &mut Connection, new: New<'_>, now: Timestamp) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO sessions (id, subject, provider_session, created_at, used_at, expires_at, user_agent, address,
                               generation, access_token, access_expires_at, refresh_token, id_token)
         VALUES ($1, $2, $3, $4, $4, $5, $6, $7, 1, $8, $9, $10, $11)",
        args![
            new.id,
            new.subject,
            new.provider_session,
            now,
            new.expires_at,
            new.user_agent,
            new.address,
            new.tokens.access_token.as_str(),
            new.tokens.access_expires_at,
            new.tokens.refresh_token.as_deref(),
            new.tokens.id_token.as_deref()
        ],
    )
    .await?;
    Ok(())
}

const COLUMNS: Sql = Sql {
    sqlite: "SELECT id, subject, created_at, used_at, expires_at, generation, access_token, access_expires_at,
                    refresh_token, id_token, lease_until, revoked_at FROM sessions WHERE id = $1",
    postgres: "SELECT id, subject, created_at, used_at, expires_at, generation, access_token, access_expires_at,
                    refresh_token, id_token, lease_until, revoked_at FROM sessions WHERE id = $1 FOR UPDATE",
};

/// The session `id`, revoked or not. In a transaction, holds it until the end.
pub async fn lock(tx: &mut Connection, id: &str) -> Result<Option<Stored>, Error> {
    tx.fetch_optional(COLUMNS, args![id]).await
}

/// The session `id`, revoked or not, as it is now.
pub async fn find(connection: &mut Connection, id: &str) -> Result<Option<Stored>, Error> {
    connection.fetch_optional(COLUMNS.sqlite, args![id]).await
}

/// Who may call the provider for this session, until when.
pub async fn take_lease(tx: &mut Connection, id: &str, until: Timestamp) -> Result<(), Error> {
    tx.execute(
        "UPDATE sessions SET lease_until = $2 WHERE id = $1",
        args![id, until],
    )
    .await?;
    Ok(())
}

/// The next generation of a session.
pub async fn renew(
    tx: &mut Connection,
    id: &str,
    tokens: &SealedTokens,
    now: Timestamp,
) -> Result<(), Error> {
    tx.execute(
        "UPDATE sessions SET generation = generation + 1, used_at = $2, lease_until = 0, access_token = $3,
                             access_expires_at = $4, refresh_token = $5 WHERE id = $1 AND revoked_at IS NULL",
        args![
            id,
            now,
            tokens.access_token.as_str(),
            tokens.access_expires_at,
            tokens.refresh_token.as_deref()
        ],
    )
    .await?;
    Ok(())
}

/// Keeps a refresh token the provider rotated to, where nothing else came of the refresh.
pub async fn keep_refresh_token(tx: &mut Connection, id: &str, sealed: &str) -> Result<(), Error> {
    tx.execute(
        "UPDATE sessions SET refresh_token = $2 WHERE id = $1 AND revoked_at IS NULL",
        args![id, sealed],
    )
    .await?;
    Ok(())
}

/// The sessions of `subject` that [`Stored::is_live`], newest first.
pub async fn list(
    connection: &mut Connection,
    subject: &str,
    idle_millis: i64,
    now: Timestamp,
) -> Result<Vec<Listed>, Error> {
    connection
        .fetch_all(
            "SELECT id, created_at, used_at, expires_at, user_agent, address FROM sessions
             WHERE subject = $1 AND revoked_at IS NULL AND expires_at > $2 AND used_at > $3
             ORDER BY created_at DESC, id LIMIT 100",
            args![subject, now, now.as_millis().saturating_sub(idle_millis)],
        )
        .await
}

/// How many sessions of all users [`Stored::is_live`].
pub async fn count_live(
    connection: &mut Connection,
    idle_millis: i64,
    now: Timestamp,
) -> Result<i64, Error> {
    let (count,): (i64,) = connection
        .fetch_one(
            "SELECT count(*) FROM sessions WHERE expires_at > $1 AND used_at > $2 AND revoked_at IS NULL",
            args![now, now.as_millis().saturating_sub(idle_millis)],
        )
        .await?;
    Ok(count)
}

/// Which sessions to revoke.
#[derive(Clone, Copy, Debug)]
pub enum Which<'a> {
    /// This one.
    Id(&'a str),
    /// All of a subject.
    Subject(&'a str),
    /// Those that came of one session at the provider.
    ProviderSession(&'a str),
}

/// Ends sessions and tells the edge; their tokens are gone from the database. Answers how many there were.
pub async fn revoke(
    tx: &mut Connection,
    which: Which<'_>,
    because: &'static str,
    now: Timestamp,
) -> Result<usize, Error> {
    let (sql, value) = match which {
        Which::Id(id) => (
            "UPDATE sessions SET revoked_at = $2, revoked_because = $3, access_token = '', refresh_token = NULL,
                                 id_token = NULL WHERE id = $1 AND revoked_at IS NULL
             RETURNING id, access_expires_at",
            id,
        ),
        Which::Subject(subject) => (
            "UPDATE sessions SET revoked_at = $2, revoked_because = $3, access_token = '', refresh_token = NULL,
                                 id_token = NULL WHERE subject = $1 AND revoked_at IS NULL
             RETURNING id, access_expires_at",
            subject,
        ),
        Which::ProviderSession(session) => (
            "UPDATE sessions SET revoked_at = $2, revoked_because = $3, access_token = '', refresh_token = NULL,
                                 id_token = NULL WHERE provider_session = $1 AND revoked_at IS NULL
             RETURNING id, access_expires_at",
            session,
        ),
    };
    let revoked: Vec<(String, i64)> = tx.fetch_all(sql, args![value, now, because]).await?;
    for (id, access_expires_at) in &revoked {
        // The cookie's access token is what the edge would still accept; when it has expired, so has the need.
        let expires_at = access_expires_at / 1000 + LONGEST_SKEW_SECONDS;
        if expires_at <= now.as_millis() / 1000 {
            continue;
        }
        let revocation = feed::store::Revocation {
            kind: "sid",
            value: id,
            issuer: None,
            issued_before: None,
            expires_at,
        };
        feed::store::publish(tx, revocation).await?;
    }
    Ok(revoked.len())
}

/// The most clock skew an edge grants.
const LONGEST_SKEW_SECONDS: i64 = 300;

/// Counts one refresh of `subject` in the hour that `now` is in; the count so far.
pub async fn count_refresh(
    tx: &mut Connection,
    subject: &str,
    now: Timestamp,
) -> Result<i64, Error> {
    let hour = now.as_millis() / 3_600_000;
    let (count,): (i64,) = tx
        .fetch_one(
            "INSERT INTO refresh_counts (subject, window_start, count) VALUES ($1, $2, 1)
             ON CONFLICT (subject) DO UPDATE SET
                 count = CASE WHEN refresh_counts.window_start = $2 THEN refresh_counts.count + 1 ELSE 1 END,
                 window_start = $2
             RETURNING count",
            args![subject, hour],
        )
        .await?;
    Ok(count)
}
