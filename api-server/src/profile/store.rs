//! The statements of a profile itself.

use crate::args;
use crate::database::{Connection, Error};
use crate::management::Patch;
use crate::timestamp::Timestamp;

/// A user's row.
#[derive(Debug)]
pub(super) struct User {
    pub(super) email: Option<String>,
    pub(super) email_verified: i64,
    pub(super) name: Option<String>,
    pub(super) picture: Option<String>,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) told_at: i64,
    /// Whether there is an edit the provider has not taken.
    pub(super) unsent: i64,
    /// The status it was refused with.
    pub(super) refused_status: Option<i64>,
}

crate::record!(
    User: email, email_verified, name, picture, created_at, updated_at, told_at, unsent, refused_status
);

/// The row of `subject`.
pub(super) async fn find(
    connection: &mut Connection,
    subject: &str,
) -> Result<Option<User>, Error> {
    connection
        .fetch_optional(
            "SELECT users.email, users.email_verified, users.name, users.picture, users.created_at,
                    users.updated_at, users.told_at, COALESCE(profile_updates.version, 0),
                    profile_updates.refused_status
             FROM users LEFT JOIN profile_updates ON profile_updates.subject = users.subject
             WHERE users.subject = $1",
            args![subject],
        )
        .await
}

/// Saves an edit here.
pub(super) async fn edit(
    tx: &mut Connection,
    subject: &str,
    patch: &Patch,
    now: Timestamp,
) -> Result<(), Error> {
    tx.execute(
        "UPDATE users SET name = COALESCE($2, name), picture = COALESCE($3, picture), updated_at = $4
         WHERE subject = $1",
        args![subject, patch.name.as_deref(), patch.picture.as_deref(), now],
    )
    .await?;
    Ok(())
}

/// Keeps that the provider was asked about a user it does not know.
pub(super) async fn unknown_there(
    tx: &mut Connection,
    subject: &str,
    now: Timestamp,
) -> Result<(), Error> {
    tx.execute(
        "UPDATE users SET told_at = $2 WHERE subject = $1",
        args![subject, now],
    )
    .await?;
    Ok(())
}
