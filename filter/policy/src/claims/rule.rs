//! What a rule can ask of a claim.

use super::ClaimPath;
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
    /// Whether `claims` satisfy this rule. A claim that is not there satisfies none.
    pub fn is_met_by(&self, claims: &VerifiedClaims) -> bool {
        claims
            .claim(&self.path)
            .is_some_and(|value| self.test.passes(value))
    }
}

impl ClaimTest {
    /// Whether `value` passes.
    pub fn passes(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Present, value) => *value != Value::Null,
            (test, Value::Array(elements)) => elements.iter().any(|element| test.scalar(element)),
            (test, value) => test.scalar(value),
        }
    }

    fn scalar(&self, value: &Value) -> bool {
        match self {
            Self::Equals(expected) => expected.equals(value),
            Self::AnyOf(expected) => expected.iter().any(|expected| expected.equals(value)),
            Self::Prefix(prefix) => value
                .as_str()
                .is_some_and(|text| text.starts_with(&**prefix)),
            Self::Present => *value != Value::Null,
        }
    }
}

impl ClaimValue {
    fn equals(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::String(expected), Value::String(text)) => expected == text,
            (Self::Number(expected), Value::Number(number)) => expected == number,
            (Self::Bool(expected), Value::Bool(value)) => expected == value,
            _ => false,
        }
    }
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
        assert_eq!(test.passes(&value), expected, "{test:?} of {value:?}");
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
}
