//! Step-up authentication (RFC 9470): how strongly and how recently somebody must have logged in.
//!
//! What a token says of the authentication is `acr` and `auth_time` (OpenID Connect Core 1.0 §2). A token that
//! does not say is refused: an authentication of unknown age is not a recent one.

use std::fmt;
use std::time::Duration;

use crate::json::Value;
use crate::jwt::numeric_date;
use crate::time::UnixTime;

/// The most authentication context classes one requirement may name.
pub const MAX_ACR_VALUES: usize = 16;

/// The longest name of one, in bytes.
pub const MAX_ACR_VALUE_BYTES: usize = 256;

/// What is asked of the authentication behind a token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepUp {
    /// The authentication context classes that will do, preferred ones first; any where there is none.
    acr_values: Vec<Box<str>>,
    /// The same, space separated, as a challenge names them (RFC 9470 §3).
    challenge: Option<Box<str>>,
    /// How long ago the authentication may have been.
    max_age: Option<Duration>,
}

/// A text that is no value of `acr_values`: it could not stand in a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be visible ASCII without spaces, `\"` and `\\`")]
pub struct AcrValueError;

/// What a token says of its authentication, from the claims its provider writes that into.
#[derive(Clone, Copy, Debug, Default)]
pub struct Authentication<'t> {
    /// `acr`, as it stands in the token.
    pub context_class: Option<&'t Value>,
    /// `auth_time`, as it stands in the token.
    pub time: Option<&'t Value>,
}

/// Why an authentication does not suffice. A new one is the answer to each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Insufficient {
    /// `acr` is missing, no text, or another one.
    ContextClass,
    /// `auth_time` is missing or no date.
    Time,
    /// `auth_time` lies ahead by more than the clock skew.
    InTheFuture,
    /// It was too long ago.
    TooOld {
        /// How long.
        age: Duration,
    },
}

impl StepUp {
    /// Asks for one of `acr_values`, unless there is none, and for an authentication at most `max_age` ago.
    ///
    /// # Errors
    /// [`AcrValueError`]
    pub fn new(
        acr_values: Vec<Box<str>>,
        max_age: Option<Duration>,
    ) -> Result<Self, AcrValueError> {
        if !acr_values.iter().all(|value| is_acr_value(value)) {
            return Err(AcrValueError);
        }
        let challenge = (!acr_values.is_empty()).then(|| acr_values.join(" ").into());
        Ok(Self {
            acr_values,
            challenge,
            max_age,
        })
    }

    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.acr_values.is_empty() && self.max_age.is_none()
    }

    /// `acr_values` of the challenge.
    pub fn acr_values(&self) -> Option<&str> {
        self.challenge.as_deref()
    }

    /// `max_age` of the challenge, in seconds.
    pub fn max_age(&self) -> Option<u64> {
        self.max_age.map(|max_age| max_age.as_secs())
    }

    /// Whether `authentication` suffices at the time `now`. `clock_skew` is granted on `auth_time` in both
    /// directions: without it a client whose issuer's clock is behind would be sent to log in for ever.
    ///
    /// # Errors
    /// [`Insufficient`]
    pub fn check(
        &self,
        authentication: Authentication<'_>,
        clock_skew: Duration,
        now: UnixTime,
    ) -> Result<(), Insufficient> {
        if !self.acr_values.is_empty() {
            let own = authentication.context_class.and_then(Value::as_str);
            let allowed = |own: &str| self.acr_values.iter().any(|value| **value == *own);
            if !own.is_some_and(allowed) {
                return Err(Insufficient::ContextClass);
            }
        }
        let Some(max_age) = self.max_age else {
            return Ok(());
        };
        let time = authentication.time.and_then(numeric_date);
        let time = time.ok_or(Insufficient::Time)?;
        if now.saturating_add(clock_skew) < time {
            return Err(Insufficient::InTheFuture);
        }
        let age = now.since(time);
        if age > max_age.saturating_add(clock_skew) {
            return Err(Insufficient::TooOld { age });
        }
        Ok(())
    }
}

/// RFC 9470 §3 puts the values into a quoted string, separated by spaces.
fn is_acr_value(text: &str) -> bool {
    (1..=MAX_ACR_VALUE_BYTES).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte))
}

/// For operators; nothing in it is of the token but a number of seconds.
impl fmt::Display for Insufficient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ContextClass => f.write_str("acr is none of acr_values"),
            Self::Time => f.write_str("auth_time is missing or no date"),
            Self::InTheFuture => f.write_str("auth_time lies in the future"),
            Self::TooOld { age } => {
                write!(
                    f,
                    "authenticated {}s ago, longer than max_age",
                    age.as_secs()
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{self, Limits};

    const NOW: u64 = 1_700_000_000;

    #[track_caller]
    fn check(
        acr_values: &[&str],
        max_age: Option<u64>,
        claims: &str,
        expected: Result<(), Insufficient>,
    ) {
        let acr_values = acr_values.iter().map(|value| (*value).into()).collect();
        let step_up = StepUp::new(acr_values, max_age.map(Duration::from_secs)).unwrap();
        let limits = Limits {
            depth: 3,
            values: 10,
        };
        let claims = json::parse(claims.as_bytes(), limits).unwrap();
        let claims = claims.as_object().unwrap();
        let authentication = Authentication {
            context_class: claims.get("acr"),
            time: claims.get("auth_time"),
        };
        let (skew, now) = (Duration::from_secs(60), UnixTime::from_secs(NOW));
        assert_eq!(
            step_up.check(authentication, skew, now),
            expected,
            "{claims:?}"
        );
    }

    fn at(time: u64) -> String {
        format!(r#"{{"auth_time":{time}}}"#)
    }

    #[test]
    fn acr_must_be_one_of_the_values() {
        let values = ["urn:mfa", "phr"];
        check(&values, None, r#"{"acr":"phr"}"#, Ok(()));
        for claims in [
            "{}",
            r#"{"acr":"pwd"}"#,
            r#"{"acr":"PHR"}"#,
            r#"{"acr":"urn:mfa phr"}"#,
            r#"{"acr":["phr"]}"#,
            r#"{"acr":null}"#,
        ] {
            check(&values, None, claims, Err(Insufficient::ContextClass));
        }
    }

    #[test]
    fn max_age_counts_from_auth_time_and_grants_the_clock_skew() {
        check(&[], Some(300), &at(NOW), Ok(()));
        check(&[], Some(300), &at(NOW - 360), Ok(()));
        let age = Duration::from_secs(361);
        check(
            &[],
            Some(300),
            &at(NOW - 361),
            Err(Insufficient::TooOld { age }),
        );
        check(&[], Some(300), &at(NOW + 60), Ok(()));
        check(
            &[],
            Some(300),
            &at(NOW + 61),
            Err(Insufficient::InTheFuture),
        );
    }

    #[test]
    fn an_authentication_of_unknown_age_is_not_recent() {
        for claims in [
            "{}",
            r#"{"auth_time":null}"#,
            r#"{"auth_time":"1700000000"}"#,
            r#"{"auth_time":-1}"#,
            r#"{"auth_time":1700000000000}"#,
        ] {
            check(&[], Some(86_400), claims, Err(Insufficient::Time));
        }
    }

    #[test]
    fn what_is_not_asked_for_is_not_looked_at() {
        check(&[], None, r#"{"acr":7,"auth_time":"x"}"#, Ok(()));
        check(
            &["phr"],
            Some(300),
            &at(NOW),
            Err(Insufficient::ContextClass),
        );
    }

    #[test]
    fn values_that_cannot_stand_in_a_challenge_are_refused() {
        for value in ["", "a b", "a\"", "a\\", "é", "a\n"] {
            assert_eq!(
                StepUp::new(vec![value.into()], None),
                Err(AcrValueError),
                "{value:?}"
            );
        }
        let step_up = StepUp::new(vec!["a".into(), "b".into()], None).unwrap();
        assert_eq!(
            (step_up.acr_values(), step_up.max_age()),
            (Some("a b"), None)
        );
    }
}
