//! What a claim may look like as the value of a header field. RFC 9110 §5.5.
//!
//! A claim is free text that its subject may have chosen. A line break in it would be a header of its own,
//! a NUL the end of the value, a comma in an element of a list another element (CVE-2026-26308).

use std::borrow::Cow;

/// Longest value of an identity header, in bytes.
pub const MAX_VALUE_BYTES: usize = 4_096;

/// A claim that cannot be the value of a header field. Carries nothing: the text is a claim's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// A control character, C1 controls and line separators among them.
    #[error("the claim contains a control character")]
    Control,
    /// A space at either end, which a parser would drop, so that two subjects would become one.
    #[error("the claim starts or ends with white space")]
    OuterSpace,
    /// An element of a list contains the separator, or is empty.
    #[error("an element of the claim is empty or contains a comma")]
    Element,
    /// Longer than [`MAX_VALUE_BYTES`].
    #[error("the claim is too long for a header")]
    TooLong,
}

/// Checks a claim's text; the value is the text itself, never a repaired one.
///
/// # Errors
/// Every [`Invalid`] but [`Invalid::Element`].
pub fn value(text: &str) -> Result<&str, Invalid> {
    if text.len() > MAX_VALUE_BYTES {
        return Err(Invalid::TooLong);
    }
    if text
        .chars()
        .any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'))
    {
        return Err(Invalid::Control);
    }
    if text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace) {
        return Err(Invalid::OuterSpace);
    }
    Ok(text)
}

/// Joins the elements of a list with commas. One element is borrowed.
///
/// # Errors
/// Every [`Invalid`].
pub fn join<'a>(elements: &[&'a str]) -> Result<Cow<'a, str>, Invalid> {
    let mut length = 0_usize;
    for element in elements {
        if element.is_empty() || element.contains(',') {
            return Err(Invalid::Element);
        }
        length = length
            .saturating_add(value(element)?.len())
            .saturating_add(1);
        if length > MAX_VALUE_BYTES {
            return Err(Invalid::TooLong);
        }
    }
    match elements {
        [element] => Ok(Cow::Borrowed(element)),
        _ => Ok(Cow::Owned(elements.join(","))),
    }
}
