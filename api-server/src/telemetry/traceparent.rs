//! `traceparent`: which trace a request belongs to, as the proxy in front tells it (W3C Trace Context §3.2).
//!
//! It is read and logged, so that a tracing backend can put our lines beside the proxy's spans. No span of ours is sent
//! anywhere, and `tracestate`, which is for vendors who do, is not looked at. A header that is not what the
//! specification says is as good as none (§3.2.2.3, §4.3): it decides nothing, and nothing but hexadecimal digits
//! reaches the log.

use axum::http::{HeaderMap, HeaderName};

/// The header.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The place of a request in a trace. The ids are lower-case hexadecimal and not all zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceParent<'h> {
    /// The trace: 32 digits.
    pub trace_id: &'h str,
    /// The span of whoever asks: 16 digits.
    pub parent_id: &'h str,
}

impl<'h> TraceParent<'h> {
    /// Reads the header; `None` where there is none, more than one, or one that is malformed.
    pub fn read(headers: &'h HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(TRACEPARENT).iter();
        let value = values.next()?.to_str().ok()?;
        match values.next() {
            None => Self::parse(value),
            Some(_) => None,
        }
    }

    /// `version-format = trace-id "-" parent-id "-" trace-flags`, behind a version of two digits. Version `00` ends
    /// there; a later one may go on after another `-`, and `ff` is none (§3.2.2.1).
    fn parse(value: &'h str) -> Option<Self> {
        let (known, rest) = value.split_at_checked(VERSION_00_BYTES)?;
        let mut fields = known.split('-');
        let mut field = |digits| fields.next().filter(|field| is_hex(field, digits));
        let version = field(2)?;
        let trace_id = field(32).filter(|id| !is_zero(id))?;
        let parent_id = field(16).filter(|id| !is_zero(id))?;
        let _flags = field(2)?;
        let ends_well = match version {
            "00" => rest.is_empty(),
            "ff" => false,
            _ => rest.is_empty() || rest.starts_with('-'),
        };
        ends_well.then_some(Self {
            trace_id,
            parent_id,
        })
    }
}

/// `00-`, 32 digits, `-`, 16 digits, `-`, 2 digits.
const VERSION_00_BYTES: usize = 55;

/// `HEXDIGLC`: digits and the letters a to f in lower case.
fn is_hex(field: &str, digits: usize) -> bool {
    field.len() == digits
        && field
            .bytes()
            .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_zero(id: &str) -> bool {
    id.bytes().all(|b| b == b'0')
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const PARENT: &str = "b7ad6b7169203331";

    /// Whether header fields with these values name the trace above.
    #[track_caller]
    fn check(values: &[&str], expected: bool) {
        let fields = values
            .iter()
            .map(|value| (TRACEPARENT, HeaderValue::from_str(value).unwrap()));
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name, value);
        }
        let named = expected.then_some(TraceParent {
            trace_id: TRACE,
            parent_id: PARENT,
        });
        assert_eq!(TraceParent::read(&headers), named, "{values:?}");
    }

    #[test]
    fn the_specifications_examples_name_a_trace() {
        for flags in ["00", "01", "ff"] {
            check(&[&format!("00-{TRACE}-{PARENT}-{flags}")], true);
        }
    }

    #[test]
    fn a_later_version_is_read_as_far_as_this_one_goes() {
        check(&[&format!("01-{TRACE}-{PARENT}-01")], true);
        check(
            &[&format!("cc-{TRACE}-{PARENT}-01-what-the-future-will-be")],
            true,
        );
        check(&[&format!("cc-{TRACE}-{PARENT}-01.what")], false);
        check(&[&format!("ff-{TRACE}-{PARENT}-01")], false);
    }

    #[test]
    fn a_malformed_header_is_as_good_as_none() {
        check(&[], false);
        let (zero_trace, zero_parent) = ("0".repeat(32), "0".repeat(16));
        for value in [
            "",
            "00",
            &format!("00-{TRACE}-{PARENT}-01-"),
            &format!("00-{TRACE}-{PARENT}-01-more"),
            &format!("00-{TRACE}-{PARENT}"),
            &format!("00-{TRACE}-{PARENT}-1"),
            &format!("00-{TRACE}-{PARENT}-0g"),
            &format!("0x-{TRACE}-{PARENT}-01"),
            &format!("00-{zero_trace}-{PARENT}-01"),
            &format!("00-{TRACE}-{zero_parent}-01"),
            &format!("00-{}-{PARENT}-01", TRACE.to_uppercase()),
            &format!("00-{TRACE}-{}-01", PARENT.to_uppercase()),
            &format!("00_{TRACE}_{PARENT}_01"),
            &format!("00-{}-{}0-01", &TRACE[1..], PARENT),
            &format!(" 00-{TRACE}-{PARENT}-01"),
        ] {
            check(&[value], false);
        }
    }

    /// Which of the two would it be? (§3.2: a single header.)
    #[test]
    fn two_headers_are_as_good_as_none() {
        let value = format!("00-{TRACE}-{PARENT}-01");
        check(&[&value, &value], false);
    }

    #[test]
    fn what_is_no_text_is_as_good_as_none() {
        let mut headers = HeaderMap::new();
        let bytes = format!("00-{TRACE}-{PARENT}-0\u{e9}").into_bytes();
        headers.append(TRACEPARENT, HeaderValue::from_bytes(&bytes).unwrap());
        assert_eq!(TraceParent::read(&headers), None);
    }
}
