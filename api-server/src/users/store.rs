//! The users' statements.

use crate::args;
use crate::database::{Connection, Error};
use crate::login::Profile;
use crate::timestamp::Timestamp;

/// Whether `subject` has a row.
pub(super) async fn exists(connection: &mut Connection, subject: &str) -> Result<bool, Error> {
    let row: Option<(i64,)> = connection
        .fetch_optional(
            "SELECT change_seq FROM users WHERE subject = $1",
            args![subject],
        )
        .await?;
    Ok(row.is_some())
}

/// Makes a user of whom nothing but the name is known.
pub(super) async fn first_sight(
    tx: &mut Connection,
    subject: &str,
    now: Timestamp,
) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO users (subject, change_seq, created_at, updated_at) VALUES ($1, 0, $2, $2)
         ON CONFLICT (subject) DO NOTHING",
        args![subject, now],
    )
    .await?;
    Ok(())
}

/// Keeps what the provider says of a user; makes the user at first sight. An edit that is still on its way there
/// outlives what the provider does not know yet; one it refused does not.
pub async fn told(tx: &mut Connection, profile: &Profile, now: Timestamp) -> Result<(), Error> {
    tx.execute(
        "DELETE FROM profile_updates WHERE subject = $1 AND refused_status IS NOT NULL",
        args![profile.subject.as_str()],
    )
    .await?;
    tx.execute(
        "INSERT INTO users (subject, change_seq, created_at, updated_at, told_at, email, email_verified, name, picture)
         VALUES ($1, 0, $2, $2, $2, $3, $4, $5, $6)
         ON CONFLICT (subject) DO UPDATE SET
             updated_at = $2, told_at = $2, email = $3, email_verified = $4,
             name = COALESCE((SELECT name FROM profile_updates WHERE subject = $1), $5),
             picture = COALESCE((SELECT picture FROM profile_updates WHERE subject = $1), $6)",
        args![
            profile.subject.as_str(),
            now,
            profile.email.as_deref(),
            i64::from(profile.email_verified),
            profile.name.as_deref(),
            profile.picture.as_deref()
        ],
    )
    .await?;
    Ok(())
}
