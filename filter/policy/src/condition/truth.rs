//! The three outcomes of a condition.

use std::ops::Not;

/// Whether a condition holds. The order is that of Kleene's strong logic: `all` is the least of its parts, `any`
/// the greatest, and `not` leaves [`Truth::Unknown`] what it is.
///
/// Only [`Truth::True`] grants anything. A claim that is not there, or is of another type than it is compared
/// with, is [`Truth::Unknown`]: an issuer that renames or retypes a claim closes what hangs on it, under `not` too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Truth {
    /// The token says otherwise.
    False,
    /// The token does not say.
    Unknown,
    /// The token says so.
    True,
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

impl Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
            Self::True => Self::False,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Truth::{False, True, Unknown};

    #[test]
    fn not_leaves_the_unknown_unknown() {
        assert_eq!([!False, !Unknown, !True], [True, Unknown, False]);
    }

    #[test]
    fn all_is_the_least_and_any_the_greatest() {
        assert_eq!(True.min(Unknown), Unknown);
        assert_eq!(Unknown.min(False), False);
        assert_eq!(False.max(Unknown), Unknown);
        assert_eq!(Unknown.max(True), True);
    }
}
