//! Times as the API shows them and the database stores them.

use edge_auth_policy::time::UnixTime;
use serde::{Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::database::{Column, Error, Row, Value};

/// Milliseconds since 1970; RFC 3339 text in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The time `millis` milliseconds after the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }
}

impl From<UnixTime> for Timestamp {
    fn from(time: UnixTime) -> Self {
        Self(i64::try_from(time.as_millis()).unwrap_or(i64::MAX))
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(time: Timestamp) -> Self {
        time.0.into()
    }
}

impl Column for Timestamp {
    fn read(row: &mut Row<'_>) -> Result<Self, Error> {
        row.column().map(Self)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // A list shows many: without an allocation each. It has room for nanoseconds.
        let mut text = [b' '; "2000-01-01T00:00:00.000000000Z".len()];
        let (seconds, millis) = (self.0.div_euclid(1_000), self.0.rem_euclid(1_000));
        OffsetDateTime::from_unix_timestamp(seconds)
            .ok()
            .and_then(|time| time.replace_millisecond(u16::try_from(millis).ok()?).ok())
            .and_then(|time| time.format_into(&mut text.as_mut_slice(), &Rfc3339).ok())
            .ok_or_else(|| serde::ser::Error::custom("a time outside the years 0 to 9999"))?;
        // How much was written is counted wrongly there where milliseconds are shown.
        let text = str::from_utf8(text.trim_ascii_end()).map_err(serde::ser::Error::custom)?;
        serializer.serialize_str(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_as_rfc_3339_says() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (1_700_000_000_120, "2023-11-14T22:13:20.12Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ] {
            let json = serde_json::to_value(Timestamp::from_millis(millis)).unwrap();
            assert_eq!(json, text);
        }
        for millis in [253_402_300_800_000, i64::MAX, i64::MIN] {
            assert!(serde_json::to_value(Timestamp::from_millis(millis)).is_err());
        }
    }
}
