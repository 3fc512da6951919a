//! What a rule can ask of a claim.

use super::ClaimPath;
use crate::condition::Truth;
use crate::json::{Number, Value};
use crate::jwt::VerifiedClaims;

/// A claim and the test it must pass.
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimRule {
    /// Which claim.
    pub path: ClaimPath,
    /// What it must be.
    pub test: ClaimTest,
}

/// A test of one claim. An array passes if one of its elements does (roles, groups); an object, and an array in an
/// array, passes [`ClaimTest::Present`] only.
#[derive(Clone, Debug, PartialEq)]
pub enum ClaimTest {
    /// Is exactly this value.
    Equals(ClaimValue),
    /// Is exactly one of these values.
    AnyOf(Vec<ClaimValue>),
    /// Is a string that starts with this.
    Prefix(Box<str>),
    /// Is there and not `null`.
    Present,
}

/// A value to compare with. Types are not converted: `"1"` is not `1`, and `1.0` is `1`.
#[derive(Clone, Debug, PartialEq)]
pub enum ClaimValue {
    /// A string, compared byte by byte.
    String(Box<str>),
    /// A number, compared by value.
    Number(Number),
    /// A boolean.
    Bool(bool),
}

impl ClaimRule {
    /// Whether `claims` say what is asked. A claim that is not there says nothing, but to [`ClaimTest::Present`].
    pub fn judge(&self, claims: &VerifiedClaims) -> Truth {
        match (claims.claim(&self.path), &self.test) {
            (Some(value), test) => test.judge(value),
            (None, ClaimTest::Present) => Truth::False,
            (None, _) => Truth::Unknown,
        }
    }
}

impl ClaimTest {
    /// Whether `value` passes. One that cannot be compared, because it is of another type, neither passes nor
    /// fails: under `not` it must not become a pass.
    pub fn judge(&self, value: &Value) -> Truth {
        match (self, value) {
            (Self::Present, value) => (*value != Value::Null).into(),
            (test, Value::Array(elements)) => {
                any(elements.iter().map(|element| test.scalar(element)))
            }
            (test, value) => test.scalar(value),
        }
    }

    fn scalar(&self, value: &Value) -> Truth {
        match self {
            Self::Equals(expected) => expected.judge(value),
            // One value of the right type is enough to say no.
            Self::AnyOf(expected) => {
                let mut known = expected
                    .iter()
                    .map(|expected| expected.judge(value))
                    .filter(|truth| *truth != Truth::Unknown)
                    .peekable();
                match known.peek() {
                    Some(_) => any(known),
                    None => Truth::Unknown,
                }
            }
            Self::Prefix(prefix) => match value {
                Value::String(text) => text.starts_with(&**prefix).into(),
                _ => Truth::Unknown,
            },
            Self::Present => (*value != Value::Null).into(),
        }
    }
}

impl ClaimValue {
    fn judge(&self, value: &Value) -> Truth {
        match (self, value) {
            (Self::String(expected), Value::String(text)) => (expected == text).into(),
            (Self::Number(expected), Value::Number(number)) => (expected == number).into(),
            (Self::Bool(expected), Value::Bool(value)) => (expected == value).into(),
            _ => Truth::Unknown,
        }
    }
}

/// The greatest; false where there is none.
fn any(mut truths: impl Iterator<Item = Truth>) -> Truth {
    let mut greatest = Truth::False;
    while greatest != Truth::True
        && let Some(truth) = truths.next()
    {
        greatest = greatest.max(truth);
    }
    greatest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{self, Limits};

    fn string(text: &str) -> ClaimValue {
        ClaimValue::String(text.into())
    }

    #[track_caller]
    fn check(test: &ClaimTest, value: &str, expected: bool) {
        let limits = Limits {
            depth: 3,
            values: 20,
        };
        let value = json::parse(value.as_bytes(), limits).unwrap();
        assert_eq!(
            test.judge(&value) == Truth::True,
            expected,
            "{test:?} of {value:?}"
        );
    }

    #[test]
    fn equality_is_exact_and_typed() {
        let test = ClaimTest::Equals(string("admin"));
        check(&test, r#""admin""#, true);
        for value in [
            r#""Admin""#,
            r#""admin ""#,
            r#""a,admin""#,
            r#"{"admin":"admin"}"#,
            "null",
            "true",
        ] {
            check(&test, value, false);
        }
        let test = ClaimTest::Equals(ClaimValue::Number(Number::Float(1.0)));
        check(&test, "1", true);
        check(&test, r#""1""#, false);
        check(&test, "true", false);
        check(&ClaimTest::Equals(ClaimValue::Bool(true)), "true", true);
        check(&ClaimTest::Equals(ClaimValue::Bool(true)), "1", false);
    }

    #[test]
    fn an_array_passes_by_one_of_its_elements() {
        let test = ClaimTest::AnyOf(vec![string("editor"), string("admin")]);
        check(&test, r#"["viewer","editor"]"#, true);
        check(&test, r#""admin""#, true);
        check(&test, r#"["viewer"]"#, false);
        check(&test, "[]", false);
        check(&test, r#"[["admin"]]"#, false);
        check(&test, r#"["editor,admin"]"#, false);
        check(&ClaimTest::AnyOf(Vec::new()), r#""admin""#, false);
    }

    #[test]
    fn prefix_is_for_strings() {
        let test = ClaimTest::Prefix("org_".into());
        check(&test, r#""org_1""#, true);
        check(&test, r#"["x","org_1"]"#, true);
        check(&test, r#""my_org_1""#, false);
        check(&test, "1", false);
    }

    #[test]
    fn present_means_there_and_not_null() {
        for value in ["false", "0", "\"\"", "[]", "{}"] {
            check(&ClaimTest::Present, value, true);
        }
        check(&ClaimTest::Present, "null", false);
    }

    #[track_caller]
    fn check_truth(test: &ClaimTest, value: &str, expected: Truth) {
        let limits = Limits {
            depth: 3,
            values: 20,
        };
        let value = json::parse(value.as_bytes(), limits).unwrap();
        assert_eq!(test.judge(&value), expected, "{test:?} of {value:?}");
    }

    #[test]
    fn what_cannot_be_compared_is_unknown_and_not_false() {
        let admin = ClaimTest::Equals(string("admin"));
        check_truth(&admin, r#""user""#, Truth::False);
        check_truth(&admin, r#"["user"]"#, Truth::False);
        check_truth(&admin, "[]", Truth::False);
        for value in ["1", "true", "null", "{}", r#"[["user"]]"#, r#"["user",1]"#] {
            check_truth(&admin, value, Truth::Unknown);
        }
        // An element that passes decides, whatever stands beside it.
        check_truth(&admin, r#"[1,"admin",{}]"#, Truth::True);
        let mixed = ClaimTest::AnyOf(vec![string("a"), ClaimValue::Bool(true)]);
        check_truth(&mixed, r#""b""#, Truth::False);
        check_truth(&mixed, "1", Truth::Unknown);
        check_truth(&ClaimTest::AnyOf(Vec::new()), r#""b""#, Truth::Unknown);
        check_truth(&ClaimTest::Prefix("org_".into()), "7", Truth::Unknown);
        check_truth(&ClaimTest::Present, "null", Truth::False);
    }
}
