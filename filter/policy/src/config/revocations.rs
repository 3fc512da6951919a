//! `revocations`: the feed of what is no longer valid.

use std::time::Duration;

use super::keys::http_uri;
use super::reader::{Choice, Integer, Object, Seconds, Section};
use crate::revocation::{OnUnavailable, RevocationSettings};

pub(super) fn revocations(o: &mut Object<'_>) -> Option<RevocationSettings> {
    let http_uri = o.required("http_uri", Section(http_uri), "Where the feed is.");
    let poll_interval = o.default(
        "poll_interval",
        Seconds::millis(500, 300_000),
        ("2s", Duration::from_secs(2)),
        "How often the feed is asked, once for all workers, 500ms to 300s: within this time a revocation is in \
         force.",
    );
    let max_entries = o.default(
        "max_entries",
        Integer { min: 100, max: 100_000 },
        ("10000", 10_000),
        "How many revocations there may be at once, 100 to 100000; a feed with more is refused whole.",
    );
    let max_stale = o.default(
        "max_stale",
        Seconds::range(1, 24 * 3600),
        ("300s", Duration::from_secs(300)),
        "How old the revocations may be that requests are decided by, 1s to 24h.",
    );
    let on_unavailable = o.default(
        "on_unavailable",
        Choice(&[("deny", OnUnavailable::Deny), ("allow", OnUnavailable::Allow)]),
        ("deny", OnUnavailable::Deny),
        "What older revocations mean: `deny` answers tokens with 503, `allow` goes on with the last known.",
    );
    let uri = http_uri?;
    let least = poll_interval
        .saturating_add(uri.timeout)
        .saturating_add(LONGEST_PAUSE);
    if max_stale < least {
        let seconds = least.as_secs() + u64::from(least.subsec_nanos() > 0);
        o.fail(
            "max_stale",
            format!("must be at least poll_interval + timeout + 10s, {seconds}s here"),
        );
    }
    let mut settings = RevocationSettings::new(uri.cluster, uri.location);
    settings.poll_interval = poll_interval;
    settings.timeout = uri.timeout;
    settings.max_entries = usize::try_from(max_entries).ok()?;
    settings.max_stale = max_stale;
    settings.on_unavailable = on_unavailable;
    Some(settings)
}

/// The longest time between two attempts while the feed is down.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
