//! A claim as the text of a request header.

use std::borrow::Cow;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::json::Value;

/// The text that stands for `value` in a header, or `None` where there is nothing to say or no safe way to say it;
/// the header is then absent.
///
/// - A string stands for itself, in UTF-8. One that is empty, has a control character (a line break would start a
///   new header), or begins or ends with a space (an upstream strips it: `" admin"` would become `admin`) has no
///   text.
/// - Numbers and booleans stand as JSON writes them; `null` has no text.
/// - An array of such values is joined by commas, as HTTP writes lists (RFC 9110 §5.6.1), so that roles can be
///   read without a JSON parser. An empty array has no text.
/// - Everything else, an array with a comma in an element among it (`["a,admin"]` must not read as two roles), is
///   base64 of its compact JSON with sorted members, in the standard alphabet with padding, as Envoy's
///   `claim_to_headers` does for every array and object.
pub fn header_text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::Array(elements) if elements.is_empty() => None,
        Value::Array(elements) => joined(elements).or_else(|| encoded(value)).map(Cow::Owned),
        Value::Object(_) => encoded(value).map(Cow::Owned),
        scalar => scalar_text(scalar),
    }
}

/// Whether `value` is a text with a character that no field value can have (RFC 9110 §5.5): a line break, a NUL and
/// their like. No name has one; who puts it into an identity claim means to write another header.
pub fn breaks_a_field(value: &Value) -> bool {
    let is_forbidden = |character: char| character.is_ascii_control() && character != '\t';
    value
        .as_str()
        .is_some_and(|text| text.contains(is_forbidden))
}

fn scalar_text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => is_field_text(text).then_some(Cow::Borrowed(text)),
        Value::Bool(true) => Some(Cow::Borrowed("true")),
        Value::Bool(false) => Some(Cow::Borrowed("false")),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Whether `text` arrives as it is when sent as a field value (RFC 9110 §5.5).
fn is_field_text(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(' ')
        && !text.ends_with(' ')
        && !text.chars().any(char::is_control)
}

fn joined(elements: &[Value]) -> Option<String> {
    let mut list = String::new();
    for element in elements {
        let text = scalar_text(element).filter(|text| !text.contains(','))?;
        let separator = if list.is_empty() { "" } else { "," };
        write!(list, "{separator}{text}").ok()?;
    }
    Some(list)
}

fn encoded(value: &Value) -> Option<String> {
    let json = serde_json::to_vec(value).ok()?;
    Some(STANDARD.encode(json))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{self, Limits};

    #[track_caller]
    fn check(json: &str, expected: Option<&str>) {
        let limits = Limits {
            depth: 4,
            values: 20,
        };
        let value = json::parse(json.as_bytes(), limits).unwrap();
        assert_eq!(header_text(&value).as_deref(), expected, "{json}");
    }

    /// What `check` expects of base64, written as the JSON it stands for.
    #[track_caller]
    fn check_encoded(json: &str) {
        check(json, Some(&STANDARD.encode(json)));
    }

    #[test]
    fn scalars_stand_for_themselves() {
        check(r#""auth0|123""#, Some("auth0|123"));
        check(r#""Zoë, M.""#, Some("Zoë, M."));
        check("42", Some("42"));
        check("1.5", Some("1.5"));
        check("true", Some("true"));
        check("false", Some("false"));
        check("null", None);
        check("\"\"", None);
    }

    #[test]
    fn text_that_could_break_out_of_a_header_has_no_text() {
        for text in [
            "a\\r\\nx-user-id: admin",
            "a\\nb",
            "a\\u0000b",
            "\\tadmin",
            " admin",
            "admin ",
            "a\\u007f",
            "a\\u0085b",
        ] {
            check(&format!("\"{text}\""), None);
        }
    }

    #[test]
    fn text_that_no_field_can_have_is_told_from_text_that_is_only_left_out() {
        for (text, expected) in [
            ("a\\r\\nx-user-id: admin", true),
            ("a\\nb", true),
            ("a\\u0000b", true),
            ("a\\u007f", true),
            ("a\\tb", false),
            (" admin", false),
            ("", false),
            ("Zoë", false),
        ] {
            let limits = Limits {
                depth: 1,
                values: 1,
            };
            let value = json::parse(format!("\"{text}\"").as_bytes(), limits).unwrap();
            assert_eq!(breaks_a_field(&value), expected, "{text}");
        }
    }

    #[test]
    fn arrays_of_scalars_are_comma_lists() {
        check(r#"["editor","admin"]"#, Some("editor,admin"));
        check(r#"["a",1,true]"#, Some("a,1,true"));
        check("[]", None);
    }

    #[test]
    fn cve_2026_26308_an_element_with_a_comma_is_not_two_elements() {
        check_encoded(r#"["a,admin"]"#);
        check_encoded(r#"["editor",["admin"]]"#);
        check_encoded(r#"["editor",null]"#);
        check_encoded(r#"["editor",""]"#);
        check_encoded(r#"["editor"," admin"]"#);
        check_encoded(r#"["editor","a\r\nb"]"#);
    }

    #[test]
    fn objects_are_base64_of_their_json_as_in_envoy() {
        check(r#"{"b":1,"a":"x"}"#, Some("eyJhIjoieCIsImIiOjF9"));
        check("{}", Some("e30="));
    }
}
