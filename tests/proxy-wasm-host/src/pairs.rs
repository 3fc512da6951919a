//! How a header map crosses the boundary: a count, all lengths, then names and values each ended by NUL.

use crate::headers::Headers;

/// A list larger than this, in bytes, is read as empty.
const MAX_BYTES: usize = 1024 * 1024;
/// A list of more pairs than this is read as empty.
const MAX_PAIRS: usize = 1024;

/// Writes a map as the module reads it.
pub(crate) fn serialize(headers: &Headers) -> Vec<u8> {
    if headers.is_empty() {
        return Vec::new();
    }
    let mut bytes = Vec::with_capacity(headers.byte_size() + 4 + headers.len() * 10);
    push_length(&mut bytes, headers.len());
    for (name, value) in headers.iter() {
        push_length(&mut bytes, name.len());
        push_length(&mut bytes, value.len());
    }
    for (name, value) in headers.iter() {
        for text in [name, value] {
            bytes.extend_from_slice(text);
            bytes.push(0);
        }
    }
    bytes
}

/// Reads a list of pairs; `None` for one that is malformed or too large, which Envoy takes for an empty one.
pub(crate) fn parse(bytes: &[u8]) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    if bytes.is_empty() {
        return Some(Vec::new());
    }
    if bytes.len() > MAX_BYTES {
        return None;
    }
    let mut rest = bytes;
    let count = take_length(&mut rest)?;
    if count > MAX_PAIRS {
        return None;
    }
    let mut lengths = Vec::with_capacity(count);
    for _ in 0..count {
        lengths.push((take_length(&mut rest)?, take_length(&mut rest)?));
    }
    let mut pairs = Vec::with_capacity(count);
    for (name, value) in lengths {
        pairs.push((take_text(&mut rest, name)?, take_text(&mut rest, value)?));
    }
    rest.is_empty().then_some(pairs)
}

fn push_length(bytes: &mut Vec<u8>, length: usize) {
    bytes.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
}

fn take_length(rest: &mut &[u8]) -> Option<usize> {
    let (length, tail) = rest.split_first_chunk::<4>()?;
    *rest = tail;
    usize::try_from(u32::from_le_bytes(*length)).ok()
}

fn take_text(rest: &mut &[u8], length: usize) -> Option<Vec<u8>> {
    let (text, tail) = rest.split_at_checked(length)?;
    let (0, tail) = tail.split_first()? else {
        return None;
    };
    *rest = tail;
    Some(text.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_survives_the_boundary() {
        let headers: Headers = [(&b":path"[..], &b"/x"[..]), (b"x-bytes", b"\xff\0\xfe")]
            .into_iter()
            .collect();
        let pairs = parse(&serialize(&headers)).unwrap();
        assert_eq!(pairs.into_iter().collect::<Headers>(), headers);
    }

    #[test]
    fn a_malformed_list_is_refused() {
        let good = serialize(&[("a", "b")].into_iter().collect());
        for end in 1..good.len() {
            assert_eq!(parse(&good[..end]), None, "cut at {end}");
        }
        let mut unterminated = good.clone();
        *unterminated.last_mut().unwrap() = b'x';
        assert_eq!(parse(&unterminated), None);
        let mut trailing = good;
        trailing.push(0);
        assert_eq!(parse(&trailing), None);
        assert_eq!(parse(&u32::MAX.to_le_bytes()), None);
    }
}
