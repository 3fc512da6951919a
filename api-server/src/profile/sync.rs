//! Sends edits the provider has not heard of: those of an outage, of a process that died, of another replica.

use std::sync::Arc;
use std::time::Duration;

use super::outbox::{self, Update};
use crate::clock::Clock;
use crate::database::{Database, Error};
use crate::login::Profile;
use crate::management::{self, Management};

/// How often it is looked for edits that are due.
const PERIOD: Duration = Duration::from_millis(500);
/// The least time nobody asks after a failure here.
const REST: Duration = Duration::from_secs(2);

/// Sends for ever. Every replica does; a lease keeps them apart.
pub async fn run(database: Database, management: Arc<Management>, clock: Arc<dyn Clock>) {
    let mut interval = tokio::time::interval(PERIOD);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        if let Err(error) = send_due(&database, &management, clock.as_ref()).await {
            tracing::warn!(%error, "edited profiles could not be looked for");
        }
    }
}

async fn send_due(
    database: &Database,
    management: &Management,
    clock: &dyn Clock,
) -> Result<(), Error> {
    while !management.is_resting() {
        let now = clock.now().into();
        // A read first: an idle server should not take SQLite's one write lock twice a second.
        if !outbox::is_due(&mut database.read().await?, now).await? {
            return Ok(());
        }
        let claimed = database
            .write(move |tx| Box::pin(async move { outbox::claim(tx, now).await }))
            .await?;
        let Some(update) = claimed else {
            return Ok(());
        };
        let outcome = management.update(&update.subject, &update.patch()).await;
        if let Err(management::Error::Unavailable { retry_after, .. }) = &outcome {
            management.rest(retry_after.unwrap_or(REST));
        }
        settle(database, update, outcome, clock).await?;
    }
    Ok(())
}

/// Writes down what became of an update.
///
/// # Errors
/// The database fails; the lease runs out then, and the update is sent again.
pub(super) async fn settle(
    database: &Database,
    update: Update,
    outcome: Result<Profile, management::Error>,
    clock: &dyn Clock,
) -> Result<(), Error> {
    let now = clock.now().into();
    database
        .write(move |tx| Box::pin(async move { outbox::settle(tx, &update, outcome, now).await }))
        .await
}
