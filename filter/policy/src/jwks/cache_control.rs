//! What a response says about its own freshness: `Cache-Control` (RFC 9111 §5.2.2), as far as keys need it.

use std::time::Duration;

use crate::request::HeaderField;

/// The `max-age` the response allows: zero for `no-store` and `no-cache`, `None` where nothing readable is said.
///
/// Of several `max-age` the shortest counts; what is not a number counts as not said.
pub(super) fn max_age(headers: &[HeaderField<'_>]) -> Option<Duration> {
    headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case(b"cache-control"))
        .flat_map(|(_, value)| value.split(|&byte| byte == b','))
        .filter_map(directive)
        .min()
        .map(Duration::from_secs)
}

fn directive(directive: &[u8]) -> Option<u64> {
    let directive = directive.trim_ascii();
    if directive.eq_ignore_ascii_case(b"no-store") || directive.eq_ignore_ascii_case(b"no-cache") {
        return Some(0);
    }
    let (name, argument) = directive.split_at_checked(b"max-age=".len())?;
    if !name.eq_ignore_ascii_case(b"max-age=") {
        return None;
    }
    let argument = argument
        .strip_prefix(b"\"")
        .and_then(|rest| rest.strip_suffix(b"\""))
        .unwrap_or(argument);
    if argument.is_empty() || !argument.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // RFC 9111 §1.2.2: a number that is too large counts as the largest one.
    let digits = str::from_utf8(argument).ok()?;
    Some(digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(fields: &[&str], expected: Option<u64>) {
        let headers: Vec<HeaderField<'_>> = fields
            .iter()
            .map(|value| (&b"Cache-Control"[..], value.as_bytes()))
            .collect();
        assert_eq!(
            max_age(&headers),
            expected.map(Duration::from_secs),
            "{fields:?}"
        );
    }

    #[test]
    fn freshness_is_read_from_cache_control() {
        check(&[], None);
        check(&["public"], None);
        check(&["public, max-age=15, stale-while-revalidate=15"], Some(15));
        check(&["MAX-AGE=\"60\""], Some(60));
        check(&["max-age=60, no-store"], Some(0));
        check(&["no-cache"], Some(0));
        check(&["max-age=60", "max-age=30"], Some(30));
        check(&["s-maxage=10, private"], None);
    }

    #[test]
    fn unreadable_directives_count_as_not_said() {
        check(
            &[
                "max-age=",
                "max-age=-1",
                "max-age=1.5",
                "max-age=ten",
                "max-age",
            ],
            None,
        );
        check(&["max-age=99999999999999999999999"], Some(u64::MAX));
        let headers: [HeaderField<'_>; 1] = [(b"cache-control", b"\xff\xfe, max-age=7")];
        assert_eq!(max_age(&headers), Some(Duration::from_secs(7)));
    }
}
