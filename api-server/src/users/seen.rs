//! A user exists from the first valid token on, whichever route it comes to.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::store;
use crate::database::{Database, Error};
use crate::timestamp::Timestamp;

/// Subjects this process knows to have a row, so that nearly no request has to look.
#[derive(Debug, Default)]
pub struct Seen(Mutex<HashSet<Box<str>>>);

/// Subjects remembered at most; past it, all are forgotten and looked up again.
const MAX_SUBJECTS: usize = 20_000;

impl Seen {
    /// Makes the user of a verified token, unless there is one.
    ///
    /// # Errors
    /// The database fails.
    pub async fn ensure(
        &self,
        database: &Database,
        subject: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        if self.subjects().contains(subject) {
            return Ok(());
        }
        let known = store::exists(&mut database.read().await?, subject).await?;
        if !known {
            let subject = subject.to_owned();
            database
                .write(move |tx| {
                    Box::pin(async move { store::first_sight(tx, &subject, now).await })
                })
                .await?;
        }
        let mut subjects = self.subjects();
        if subjects.len() >= MAX_SUBJECTS {
            subjects.clear();
        }
        subjects.insert(subject.into());
        Ok(())
    }

    fn subjects(&self) -> MutexGuard<'_, HashSet<Box<str>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
