//! Waiting for what another process does: by asking again until it is so, never by sleeping for as long as it may take.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Asks until `probe` gives something, at most until `deadline` has passed; `what` completes "waited in vain for …".
///
/// # Errors
///
/// When the deadline passes, or as soon as the probe itself fails.
pub async fn until<T>(
    what: &str,
    deadline: Duration,
    mut probe: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let started = Instant::now();
    loop {
        if let Some(found) = probe().await? {
            return Ok(found);
        }
        if started.elapsed() >= deadline {
            bail!("waited in vain for {what}, {} s", deadline.as_secs_f32());
        }
        tokio::time::sleep(BETWEEN_PROBES).await;
    }
}

const BETWEEN_PROBES: Duration = Duration::from_millis(20);
