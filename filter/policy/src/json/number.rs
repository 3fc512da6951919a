//! JSON numbers, with integers kept exact.

use std::fmt;

use serde::{Serialize, Serializer};

/// A number as it was written: exact where it is an integer of 64 bits, else the nearest double.
///
/// Comparison is numeric: `300` equals `300.0`, which matters because proxies hand their configuration over as
/// doubles.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// An integer from zero up.
    Unsigned(u64),
    /// An integer below zero.
    Negative(i64),
    /// Anything else, finite.
    Float(f64),
}

/// 2^64, the first double above every `u64`.
const TWO_POW_64: f64 = 18_446_744_073_709_551_616.0;

impl Number {
    /// The value as a double, rounded where a large integer has no exact one.
    #[expect(clippy::cast_precision_loss, reason = "documented rounding")]
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Unsigned(value) => value as f64,
            Self::Negative(value) => value as f64,
            Self::Float(value) => value,
        }
    }

    /// The value as an unsigned integer, if it is exactly one, however it was written.
    pub fn as_u64(self) -> Option<u64> {
        match self {
            Self::Unsigned(value) => Some(value),
            Self::Negative(_) => None,
            Self::Float(value) => integral(value),
        }
    }
}

/// `value` as an integer if it is one in the range of `u64`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "integral and in range by the condition"
)]
fn integral(value: f64) -> Option<u64> {
    (value.fract() == 0.0 && (0.0..TWO_POW_64).contains(&value)).then_some(value as u64)
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        match (*self, *other) {
            (Self::Negative(a), Self::Negative(b)) => a == b,
            (
                a @ (Self::Negative(_) | Self::Float(_)),
                b @ (Self::Negative(_) | Self::Float(_)),
            ) => a.as_f64() == b.as_f64(),
            (a, b) => a.as_u64().is_some() && a.as_u64() == b.as_u64(),
        }
    }
}

/// Integers in decimal, also those written as `3e2` or `-3.0`; other numbers in the shortest form of JSON that reads back
/// the same, as `1e+20`.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (*self, self.as_u64()) {
            (_, Some(value)) => write!(f, "{value}"),
            (Self::Negative(value), None) => write!(f, "{value}"),
            (Self::Unsigned(_) | Self::Float(_), None) => {
                let value = self.as_f64();
                if let Some(value) = integral(-value) {
                    return write!(f, "-{value}");
                }
                // By the code that writes JSON: the standard library's is ten kilobytes more.
                match serde_json::Number::from_f64(value) {
                    Some(number) => write!(f, "{number}"),
                    None => f.write_str("null"),
                }
            }
        }
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Unsigned(value) => serializer.serialize_u64(value),
            Self::Negative(value) => serializer.serialize_i64(value),
            Self::Float(value) => serializer.serialize_f64(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_by_value_and_not_by_spelling() {
        assert_eq!(Number::Unsigned(300), Number::Float(300.0));
        assert_eq!(Number::Negative(-2), Number::Float(-2.0));
        assert_ne!(Number::Unsigned(300), Number::Float(300.5));
        assert_ne!(Number::Unsigned(0), Number::Negative(-1));
        // 2^53 + 1 has no double: it must not equal its rounded neighbour.
        assert_ne!(
            Number::Unsigned(9_007_199_254_740_993),
            Number::Float(9_007_199_254_740_992.0)
        );
        assert_ne!(Number::Unsigned(u64::MAX), Number::Float(TWO_POW_64));
    }

    #[test]
    fn numbers_print_as_a_reader_expects() {
        assert_eq!(Number::Float(3e2).to_string(), "300");
        assert_eq!(
            Number::Unsigned(u64::MAX).to_string(),
            "18446744073709551615"
        );
        assert_eq!(Number::Negative(-7).to_string(), "-7");
        assert_eq!(Number::Float(1.5).to_string(), "1.5");
        assert_eq!(Number::Float(-0.0).to_string(), "0");
        assert_eq!(Number::Float(-3.0).to_string(), "-3");
        assert_eq!(Number::Float(-0.5).to_string(), "-0.5");
        assert_eq!(Number::Float(1e20).to_string(), "1e+20");
        assert_eq!(Number::Float(1e-7).to_string(), "1e-7");
    }
}
