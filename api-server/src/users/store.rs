//! The users' statements.

use crate::args;
use crate::database::{Connection, Error};
use crate::login::Profile;
use crate::timestamp::Timestamp;

/// Keeps what the provider says of a user who logged in; makes the user at first sight.
pub async fn seen(tx: &mut Connection, profile: &Profile, now: Timestamp) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO users (subject, change_seq, created_at, updated_at, email, email_verified, name, picture)
         VALUES ($1, 0, $2, $2, $3, $4, $5, $6)
         ON CONFLICT (subject) DO UPDATE SET updated_at = $2, email = $3, email_verified = $4, name = $5,
                                             picture = $6",
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
