//! NumericDate (RFC 7519 §2): seconds since the epoch, possibly with a fraction.

use std::time::Duration;

use crate::json::{Number, Value};
use crate::time::UnixTime;

/// 9999-12-31T23:59:59Z. What lies beyond was meant as milliseconds or as an attack.
const LATEST: u64 = 253_402_300_799;

/// The time that `value` names; `None` if it names none.
///
/// Strings are refused, so are negative numbers (`jwt-simple` let them wrap into the far future) and numbers beyond
/// the year 9999.
pub(crate) fn numeric_date(value: &Value) -> Option<UnixTime> {
    match value.as_number()? {
        Number::Unsigned(seconds) => (seconds <= LATEST).then(|| UnixTime::from_secs(seconds)),
        Number::Negative(_) => None,
        Number::Float(seconds) => {
            let since_epoch = Duration::try_from_secs_f64(seconds).ok()?;
            (since_epoch <= Duration::from_secs(LATEST))
                .then(|| UnixTime::default().saturating_add(since_epoch))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{self, Limits};

    #[track_caller]
    fn check(json: &str, expected: Option<UnixTime>) {
        let value = json::parse(
            json.as_bytes(),
            Limits {
                depth: 1,
                values: 4,
            },
        )
        .unwrap();
        assert_eq!(numeric_date(&value), expected, "{json}");
    }

    #[test]
    fn seconds_may_have_a_fraction() {
        check("0", Some(UnixTime::from_secs(0)));
        check("1700000000", Some(UnixTime::from_secs(1_700_000_000)));
        check(
            "1700000000.5",
            Some(UnixTime::from_millis(1_700_000_000_500)),
        );
        check("1.7e9", Some(UnixTime::from_secs(1_700_000_000)));
        check("253402300799", Some(UnixTime::from_secs(LATEST)));
    }

    #[test]
    fn cve_2026_25537_and_jwt_simple_anything_else_is_no_date() {
        for json in [
            "-1",
            "-0.5",
            "-1e300",
            "253402300800",
            "253402300799.5",
            "1700000000000",
            "18446744073709551615",
            "18446744073709551616",
            "1e300",
            "\"1700000000\"",
            "null",
            "true",
            "[1700000000]",
            "{}",
        ] {
            check(json, None);
        }
    }
}
