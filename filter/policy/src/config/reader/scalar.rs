//! Scalars: text, numbers, durations, choices.

use std::time::Duration;

use serde_json::json;

use super::kind::found;
use super::{Kind, Path, Report};
use crate::json::Value;

/// Text of 1 to `max` bytes without control characters.
#[derive(Clone, Copy)]
pub(crate) struct Text {
    pub(crate) max: usize,
}

impl Kind for Text {
    type Output = Box<str>;

    fn read(&self, value: &Value, at: &Path<'_>, report: &mut Report) -> Option<Box<str>> {
        text(value, self.max, &[], at, report)
    }

    fn schema(&self) -> serde_json::Value {
        json!({ "type": "string", "minLength": 1, "maxLength": self.max })
    }
}

/// Text of 1 to `max` bytes, written over as many lines as one likes.
#[derive(Clone, Copy)]
pub(crate) struct Lines {
    pub(crate) max: usize,
}

impl Kind for Lines {
    type Output = Box<str>;

    fn read(&self, value: &Value, at: &Path<'_>, report: &mut Report) -> Option<Box<str>> {
        text(value, self.max, &['\n', '\r', '\t'], at, report)
    }

    fn schema(&self) -> serde_json::Value {
        Text { max: self.max }.schema()
    }
}

/// Text of 1 to `max` bytes without control characters other than `allowed`.
fn text(
    value: &Value,
    max: usize,
    allowed: &[char],
    at: &Path<'_>,
    report: &mut Report,
) -> Option<Box<str>> {
    let Value::String(text) = value else {
        report.fail(at, format!("is {}; text is expected", found(value)));
        return None;
    };
    if text.is_empty() || text.len() > max {
        report.fail(
            at,
            format!("has {} bytes; 1 to {max} are allowed", text.len()),
        );
        return None;
    }
    if text
        .chars()
        .any(|c| c.is_control() && !allowed.contains(&c))
    {
        report.fail(at, "has a control character");
        return None;
    }
    Some(text.clone())
}

/// `true` or `false`.
#[derive(Clone, Copy)]
pub(crate) struct Boolean;

impl Kind for Boolean {
    type Output = bool;

    fn read(&self, value: &Value, at: &Path<'_>, report: &mut Report) -> Option<bool> {
        if let Value::Bool(boolean) = value {
            return Some(*boolean);
        }
        report.fail(
            at,
            format!("is {}; true or false is expected", found(value)),
        );
        None
    }

    fn schema(&self) -> serde_json::Value {
        json!({ "type": "boolean" })
    }
}

/// A whole number within bounds. `300.0` is one too: Istio and Envoy Gateway carry numbers as doubles.
#[derive(Clone, Copy)]
pub(crate) struct Integer {
    pub(crate) min: u64,
    pub(crate) max: u64,
}

impl Kind for Integer {
    type Output = u64;

    fn read(&self, value: &Value, at: &Path<'_>, report: &mut Report) -> Option<u64> {
        let Value::Number(number) = value else {
            report.fail(
                at,
                format!("is {}; a whole number is expected", found(value)),
            );
            return None;
        };
        let Some(integer) = number.as_u64() else {
            report.fail(at, "is no whole number that is zero or more");
            return None;
        };
        if !(self.min..=self.max).contains(&integer) {
            let (min, max) = (self.min, self.max);
            report.fail(at, format!("is {integer}; {min} to {max} are allowed"));
            return None;
        }
        Some(integer)
    }

    fn schema(&self) -> serde_json::Value {
        json!({ "type": "integer", "minimum": self.min, "maximum": self.max })
    }
}

/// A duration within bounds: `"300s"` as in protobuf's JSON, and `ms`, `m`, `h` for people.
#[derive(Clone, Copy)]
pub(crate) struct Seconds {
    pub(crate) min: Duration,
    pub(crate) max: Duration,
}

impl Seconds {
    /// From `min` to `max` whole seconds.
    pub(crate) const fn range(min: u64, max: u64) -> Self {
        Self {
            min: Duration::from_secs(min),
            max: Duration::from_secs(max),
        }
    }

    /// From `min` to `max` milliseconds.
    pub(crate) const fn millis(min: u64, max: u64) -> Self {
        Self {
            min: Duration::from_millis(min),
            max: Duration::from_millis(max),
        }
    }
}

impl Kind for Seconds {
    type Output = Duration;

    fn read(&self, value: &Value, at: &Path<'_>, report: &mut Report) -> Option<Duration> {
        let parsed = match value {
            Value::String(text) => parse_duration(text),
            _ => None,
        };
        let Some(duration) = parsed else {
            report.fail(
                at,
                format!(
                    "is no duration; write a number and a unit, {} to {}, as in \"300s\", \
                     \"500ms\", \"24h\"",
                    shown(self.min),
                    shown(self.max)
                ),
            );
            return None;
        };
        if duration < self.min || duration > self.max {
            let (is, min, max) = (shown(duration), shown(self.min), shown(self.max));
            report.fail(at, format!("is {is}; {min} to {max} are allowed"));
            return None;
        }
        Some(duration)
    }

    fn schema(&self) -> serde_json::Value {
        json!({
            "type": "string",
            "pattern": "^[0-9]+(\\.[0-9]{1,9})?(ms|s|m|h)$",
            "$comment": format!("{} to {}", shown(self.min), shown(self.max)),
        })
    }
}

/// `number unit`, the number with at most nine decimals.
fn parse_duration(text: &str) -> Option<Duration> {
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(unit_at);
    let nanos_per_unit: u128 = match unit {
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str, most: usize| {
        let right = (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        right.then(|| text.parse::<u128>().ok()).flatten()
    };
    let fraction_digits = u32::try_from(fraction.len()).ok()?;
    let nanos = digits(whole, 12)? * nanos_per_unit
        + digits(fraction, 9)? * nanos_per_unit / 10u128.pow(fraction_digits);
    Some(Duration::from_nanos(u64::try_from(nanos).ok()?))
}

/// A duration in the largest unit that keeps it whole.
fn shown(duration: Duration) -> String {
    let (secs, millis) = (duration.as_secs(), duration.subsec_millis());
    match (secs, millis) {
        (_, 1..) => format!("{}ms", duration.as_millis()),
        (secs, _) if secs > 0 && secs.is_multiple_of(3600) => format!("{}h", secs / 3600),
        (secs, _) => format!("{secs}s"),
    }
}

/// One of a few words.
pub(crate) struct Choice<T: 'static>(pub(crate) &'static [(&'static str, T)]);

impl<T: Clone> Kind for Choice<T> {
    type Output = T;

    fn read(&self, value: &Value, at: &Path<'_>, report: &mut Report) -> Option<T> {
        if let Value::String(text) = value
            && let Some((_, choice)) = self.0.iter().find(|(name, _)| **name == **text)
        {
            return Some(choice.clone());
        }
        let names: Vec<_> = self.0.iter().map(|(name, _)| *name).collect();
        report.fail(at, format!("must be one of {}", names.join(", ")));
        None
    }

    fn schema(&self) -> serde_json::Value {
        json!({ "enum": self.0.iter().map(|(name, _)| *name).collect::<Vec<_>>() })
    }
}
