//! The small record that says how a shared document stands: how old it is, when to fetch it again, who is at it.
//!
//! Times are kept in milliseconds. The clock is the wall clock and may step back: a time that lies further
//! ahead than workers' readings can differ is never waited for.

use std::time::Duration;

use super::{ContentHash, Reader, Writer};
use crate::time::UnixTime;

/// How one shared document stands, as all workers see it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record {
    /// Counts the successful fetches; zero: none yet.
    pub(crate) generation: u64,
    /// Names the document's content.
    pub(crate) content: ContentHash,
    /// When the document was last fetched.
    pub(crate) fetched_at: UnixTime,
    /// When it is to be fetched again; after a failure, when to retry.
    pub(crate) refresh_at: UnixTime,
    /// Counts the fetches begun; the newest one holds the lease.
    pub(crate) attempts: u64,
    /// Until when the newest attempt may take; `None` once it ended.
    pub(crate) lease_until: Option<UnixTime>,
    /// Failures in a row.
    pub(crate) failures: u32,
    /// When a fetch out of turn was last demanded.
    pub(crate) demanded_at: Option<UnixTime>,
    /// Whether that demand still waits for its fetch.
    pub(crate) demand_pending: bool,
}

impl Record {
    /// Whether an attempt is under way, and not one whose worker died.
    pub(crate) fn is_leased(&self, now: UnixTime, lease: Duration) -> bool {
        self.lease_until
            .is_some_and(|until| now < until && !lies_ahead(until, now.saturating_add(lease)))
    }

    /// Whether the time to fetch has come; `interval` is the longest that may lie between two fetches.
    pub(crate) fn is_due(&self, now: UnixTime, interval: Duration) -> bool {
        self.demand_pending
            || self.refresh_at <= now
            || lies_ahead(self.refresh_at, now.saturating_add(interval))
            || lies_ahead(self.fetched_at, now)
    }

    /// Whether a demand was met within the last `cooldown`.
    pub(crate) fn is_cooling(&self, now: UnixTime, cooldown: Duration) -> Option<UnixTime> {
        let demanded_at = self.demanded_at.filter(|&at| !lies_ahead(at, now))?;
        let until = demanded_at.saturating_add(cooldown);
        (now < until).then_some(until)
    }

    /// The record of an attempt that begins `now` and may take `lease`.
    pub(crate) fn begin(mut self, now: UnixTime, lease: Duration) -> Self {
        self.attempts = self.attempts.wrapping_add(1);
        self.lease_until = Some(now.saturating_add(lease));
        self.demand_pending = false;
        // The clock went back. The true age is lost; counted from here it is bounded again.
        self.fetched_at = self.fetched_at.min(now);
        self
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        Writer::with_capacity(RECORD_BYTES)
            .u8(VERSION)
            .u64(self.generation)
            .bytes(&self.content.0)
            .u64(self.fetched_at.as_millis())
            .u64(self.refresh_at.as_millis())
            .u64(self.attempts)
            .u64(self.lease_until.map_or(NEVER, UnixTime::as_millis))
            .u32(self.failures)
            .u64(self.demanded_at.map_or(NEVER, UnixTime::as_millis))
            .u8(self.demand_pending.into())
            .finish()
    }

    /// `None` for anything [`encode`](Self::encode) did not write.
    pub(crate) fn decode(record: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(record);
        if reader.u8()? != VERSION {
            return None;
        }
        let time = |millis| (millis != NEVER).then(|| UnixTime::from_millis(millis));
        let record = Self {
            generation: reader.u64()?,
            content: ContentHash(reader.array()?),
            fetched_at: UnixTime::from_millis(reader.u64()?),
            refresh_at: UnixTime::from_millis(reader.u64()?),
            attempts: reader.u64()?,
            lease_until: time(reader.u64()?),
            failures: reader.u32()?,
            demanded_at: time(reader.u64()?),
            demand_pending: match reader.u8()? {
                0 => false,
                1 => true,
                _ => return None,
            },
        };
        reader.end(record)
    }
}

/// Whether `time` lies further after `now` than two workers' readings of one clock can differ.
fn lies_ahead(time: UnixTime, now: UnixTime) -> bool {
    time > now.saturating_add(CLOCK_TOLERANCE)
}

/// Workers read the clock at the start of a callback and may act on the reading a little later.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(5);
const VERSION: u8 = 1;
const NEVER: u64 = u64::MAX;
const RECORD_BYTES: usize = 70;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(secs: u64) -> UnixTime {
        UnixTime::from_secs(secs)
    }

    #[test]
    fn a_record_survives_the_store() {
        let record = Record {
            generation: 3,
            content: ContentHash([9; 16]),
            fetched_at: at(100),
            refresh_at: at(400),
            attempts: 7,
            lease_until: Some(at(110)),
            failures: 2,
            demanded_at: None,
            demand_pending: true,
        };
        assert_eq!(record.encode().len(), RECORD_BYTES);
        assert_eq!(Record::decode(&record.encode()), Some(record));
    }

    #[test]
    fn another_version_or_length_is_no_record() {
        let mut record = Record::default().encode();
        assert!(Record::decode(&record).is_some());
        record.push(0);
        assert_eq!(Record::decode(&record), None);
        record.truncate(RECORD_BYTES - 1);
        assert_eq!(Record::decode(&record), None);
        record.push(2);
        assert_eq!(Record::decode(&record), None, "a flag is 0 or 1");
        assert_eq!(Record::decode(b""), None);
    }

    #[test]
    fn a_clock_that_went_back_is_not_waited_for() {
        let (lease, interval) = (Duration::from_secs(10), Duration::from_mins(5));
        let record = Record {
            fetched_at: at(1_000_000),
            refresh_at: at(1_000_300),
            demanded_at: Some(at(1_000_000)),
            ..Record::default()
        }
        .begin(at(1_000_000), lease);
        assert!(record.is_leased(at(1_000_001), lease));
        assert!(!record.is_leased(at(5_000), lease));
        assert!(!record.is_due(at(1_000_001), interval));
        assert!(record.is_due(at(5_000), interval));
        assert!(record.is_cooling(at(1_000_001), interval).is_some());
        assert!(record.is_cooling(at(5_000), interval).is_none());
        assert_eq!(record.begin(at(5_000), lease).fetched_at, at(5_000));
    }

    #[test]
    fn a_slightly_older_reading_of_the_clock_is_no_step() {
        let lease = Duration::from_secs(10);
        let record = Record::default().begin(UnixTime::from_millis(50_001), lease);
        assert!(record.is_leased(UnixTime::from_millis(49_999), lease));
    }

    proptest! {
        #[test]
        fn any_bytes_decode_to_what_encodes_to_them(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            if let Some(record) = Record::decode(&bytes) {
                // Milliseconds past the year 2554 saturate; everything else is exact.
                prop_assert_eq!(Record::decode(&record.encode()), Some(record));
            }
        }

        #[test]
        fn any_record_can_be_asked(bytes in prop::array::uniform32(any::<u8>()), now: u64) {
            let mut encoded = vec![VERSION];
            encoded.extend(bytes.iter().chain(&bytes).chain(&bytes).take(RECORD_BYTES - 2));
            encoded.push(1);
            let record = Record::decode(&encoded).unwrap();
            let (now, long) = (UnixTime::from_nanos(now), Duration::MAX);
            let _ = (record.is_leased(now, long), record.is_due(now, long));
            let _ = (record.is_cooling(now, long), record.begin(now, long));
        }
    }
}
