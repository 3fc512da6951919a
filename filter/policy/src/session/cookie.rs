//! Over 4 KiB a value is spread over several cookies: `NAME`, or `NAME.0`, `NAME.1`, … (RFC 6265bis §5.6 limits one
//! cookie's name and value to 4,096 bytes).

use std::borrow::Cow;

use super::sealed::{MAX_SEALED_BYTES, Unopenable};

/// Bytes of a value one cookie carries; leaves room for its name.
pub const MAX_CHUNK_BYTES: usize = 3_800;
/// Cookies of one value at most. Envoy's default limit for all request headers is 60 KiB.
pub const MAX_CHUNKS: usize = 4;

/// The cookies that carry `value` as `name`; `None` where it is too long.
pub fn chunks(name: &str, value: &str) -> Option<Vec<(String, String)>> {
    if value.len() <= MAX_CHUNK_BYTES {
        return Some(vec![(name.to_owned(), value.to_owned())]);
    }
    let chunks: Vec<_> = value
        .as_bytes()
        .chunks(MAX_CHUNK_BYTES)
        .enumerate()
        .map(|(index, chunk)| {
            (
                format!("{name}.{index}"),
                String::from_utf8_lossy(chunk).into_owned(),
            )
        })
        .collect();
    (chunks.len() <= MAX_CHUNKS).then_some(chunks)
}

/// Puts the value of `name` together from a request's cookies. `None` where it is not there, or can't be told.
pub fn join<'c>(name: &str, cookies: impl Iterator<Item = (&'c str, &'c str)>) -> Option<String> {
    find(name, cookies).ok().flatten().map(Cow::into_owned)
}

/// The value of `name`, put together from a request's cookies; `None` where none of them carries it.
///
/// # Errors
/// [`Unopenable`] where a name comes twice (a browser sends a `__Host-` cookie once, so somebody else put one there)
/// and where the value is longer than any sealed one.
pub fn find<'c>(
    name: &str,
    cookies: impl Iterator<Item = (&'c str, &'c str)>,
) -> Result<Option<Cow<'c, str>>, Unopenable> {
    let mut parts: [Option<&str>; MAX_CHUNKS] = [None; MAX_CHUNKS];
    let mut whole = None;
    for (cookie, value) in cookies {
        let Some(suffix) = cookie.strip_prefix(name) else {
            continue;
        };
        let slot = if suffix.is_empty() {
            Some(&mut whole)
        } else {
            suffix
                .strip_prefix('.')
                .filter(|index| index.len() == 1)
                .and_then(|index| index.parse::<usize>().ok())
                .and_then(|index| parts.get_mut(index))
        };
        if let Some(slot) = slot
            && (slot.replace(value).is_some() || value.len() > MAX_SEALED_BYTES)
        {
            return Err(Unopenable);
        }
    }
    if let Some(whole) = whole {
        // Chunks beside a whole value are left over from a longer one.
        return Ok(Some(Cow::Borrowed(whole)));
    }
    let joined: String = parts.iter().map_while(|part| *part).collect();
    Ok((!joined.is_empty()).then_some(Cow::Owned(joined)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(cookies: &[(&str, &str)]) -> Option<String> {
        join("s", cookies.iter().copied())
    }

    #[test]
    fn a_value_of_any_length_reads_back() {
        for length in [
            1,
            MAX_CHUNK_BYTES,
            MAX_CHUNK_BYTES + 1,
            MAX_CHUNKS * MAX_CHUNK_BYTES,
        ] {
            let value = "v".repeat(length);
            let cookies = chunks("s", &value).unwrap();
            assert!(
                cookies
                    .iter()
                    .all(|(_, chunk)| chunk.len() <= MAX_CHUNK_BYTES)
            );
            let pairs = cookies.iter().map(|(n, v)| (n.as_str(), v.as_str())).rev();
            assert_eq!(join("s", pairs), Some(value));
        }
        assert_eq!(
            chunks("s", &"v".repeat(MAX_CHUNKS * MAX_CHUNK_BYTES + 1)),
            None
        );
    }

    #[test]
    fn other_cookies_are_left_alone() {
        assert_eq!(
            joined(&[("t", "x"), ("s", "v"), ("ss", "y"), ("s.x", "z")]),
            Some("v".to_owned())
        );
        assert_eq!(joined(&[("t", "x"), ("s.9", "y"), ("s.00", "z")]), None);
        assert_eq!(joined(&[]), None);
    }

    #[test]
    fn a_cookie_that_comes_twice_makes_no_value() {
        assert_eq!(joined(&[("s", "a"), ("s", "b")]), None);
        assert_eq!(joined(&[("s.0", "a"), ("s.0", "b")]), None);
        let twice = [("s", "a"), ("s", "b")];
        assert_eq!(find("s", twice.into_iter()), Err(Unopenable));
    }

    #[test]
    fn a_value_longer_than_any_sealed_one_is_not_put_together() {
        let long = "v".repeat(MAX_SEALED_BYTES + 1);
        for name in ["s", "s.0"] {
            let cookies = [(name, long.as_str())];
            assert_eq!(find("s", cookies.into_iter()), Err(Unopenable), "{name}");
        }
        assert_eq!(find("s", [("t", long.as_str())].into_iter()), Ok(None));
    }

    #[test]
    fn chunks_left_over_from_a_longer_value_do_not_count() {
        assert_eq!(
            joined(&[("s", "new"), ("s.0", "old"), ("s.1", "old")]),
            Some("new".to_owned())
        );
        assert_eq!(joined(&[("s.0", "a"), ("s.2", "c")]), Some("a".to_owned()));
    }
}
