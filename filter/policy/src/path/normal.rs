//! The normal form of a path, in one pass over its bytes.
//!
//! RFC 3986 §3.3: `pchar = unreserved / pct-encoded / sub-delims / ":" / "@"`. In the normal form a character
//! that may stand in a path as it is does so, and every other one is an upper-case escape. Decoding the
//! sub-delims goes beyond §6.2.2.2: one decoding, which nearly every upstream does, makes `/%40me` and `/@me`
//! the same resource, so they must be the same to a rule.

use std::borrow::Cow;

use super::Error;

/// Normalises the part of a target before the `?`. The text is ASCII.
pub(super) fn path(text: &str) -> Result<Cow<'_, str>, Error> {
    if !text.starts_with('/') {
        return Err(Error::NotOriginForm);
    }
    let mut output = Output { text, owned: None };
    let mut segment = Segment::Empty;
    let mut at = 1;
    while let Some(rest) = text.as_bytes().get(at..).filter(|rest| !rest.is_empty()) {
        // Most of a path is names that stay as they are.
        let name = rest
            .iter()
            .take_while(|byte| is_plain(**byte) && **byte != b'.');
        let run = name.count();
        if run > 0 {
            segment = Segment::Other;
            output.keep(text.get(at..at + run).unwrap_or_default());
            at += run;
            continue;
        }
        let token = Token::next(rest)?;
        segment = segment.push(token.literal())?;
        output.push(at, &token);
        at += token.len;
    }
    segment.end()?;
    Ok(output.finish())
}

/// Refuses the bytes that no query may contain; everything else in it is the upstream's to read.
pub(super) fn check_query(query: &str) -> Result<(), Error> {
    match query
        .bytes()
        .find(|byte| matches!(byte, 0..=b' ' | b'#' | 0x7F))
    {
        None => Ok(()),
        Some(0) => Err(Error::Nul),
        Some(b' ') => Err(Error::Space),
        Some(b'#') => Err(Error::Fragment),
        Some(_) => Err(Error::Control),
    }
}

/// One character of the path: how many bytes spell it, and how the normal form spells it.
struct Token {
    len: usize,
    normal: Normal,
}

enum Normal {
    /// As the client spelled it.
    Same,
    /// A single character that stands as it is.
    Literal(u8),
    /// Upper-case escapes of these bytes: one ASCII character or one UTF-8 sequence.
    Escapes([u8; 4], usize),
}

impl Token {
    fn next(rest: &[u8]) -> Result<Self, Error> {
        let Some(&byte) = rest.first() else {
            return Err(Error::InvalidEscape);
        };
        let normal = match byte {
            b'%' => return Self::escape(rest),
            b'/' => Normal::Literal(b'/'),
            byte if is_plain(byte) => Normal::Literal(byte),
            b'#' => return Err(Error::Fragment),
            b' ' => return Err(Error::Space),
            byte => {
                refuse(byte)?;
                Normal::Escapes([byte, 0, 0, 0], 1)
            }
        };
        Ok(Self { len: 1, normal })
    }

    fn escape(rest: &[u8]) -> Result<Self, Error> {
        let (first, upper) = hex_pair(rest)?;
        if first.is_ascii() {
            if first == b'/' {
                return Err(Error::EncodedSlash);
            }
            refuse(first)?;
            let normal = if is_plain(first) {
                Normal::Literal(first)
            } else if upper {
                Normal::Same
            } else {
                Normal::Escapes([first, 0, 0, 0], 1)
            };
            return Ok(Self { len: 3, normal });
        }
        Self::utf8(rest, first)
    }

    /// A character beyond ASCII: two to four escapes that are one UTF-8 sequence (RFC 3629 §3).
    fn utf8(rest: &[u8], first: u8) -> Result<Self, Error> {
        let count = match first {
            0xC2..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF4 => 4,
            _ => return Err(Error::NotUtf8),
        };
        let mut sequence = [0; 4];
        let mut all_upper = true;
        for (slot, escape) in sequence.iter_mut().zip(rest.chunks(3)).take(count) {
            if escape.first() != Some(&b'%') {
                return Err(Error::NotUtf8);
            }
            let (byte, upper) = hex_pair(escape)?;
            *slot = byte;
            all_upper &= upper;
        }
        let text = sequence
            .get(..count)
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .ok_or(Error::NotUtf8)?;
        if text.chars().any(char::is_control) {
            return Err(Error::Control);
        }
        let normal = if all_upper {
            Normal::Same
        } else {
            Normal::Escapes(sequence, count)
        };
        Ok(Self {
            len: count * 3,
            normal,
        })
    }

    /// The character where it stands for itself, which is where it matters to segments.
    fn literal(&self) -> Option<u8> {
        match self.normal {
            Normal::Literal(byte) => Some(byte),
            Normal::Same | Normal::Escapes(..) => None,
        }
    }
}

/// What lies between the last two slashes, as far as dot segments need to know it.
#[derive(Clone, Copy)]
enum Segment {
    Empty,
    Dot,
    DotDot,
    Other,
}

impl Segment {
    fn push(self, literal: Option<u8>) -> Result<Self, Error> {
        match (literal, self) {
            (Some(b'/'), Self::Empty) => Err(Error::EmptySegment),
            (Some(b'/'), _) => self.end().map(|()| Self::Empty),
            (Some(b'.'), Self::Empty) => Ok(Self::Dot),
            (Some(b'.'), Self::Dot) => Ok(Self::DotDot),
            _ => Ok(Self::Other),
        }
    }

    fn end(self) -> Result<(), Error> {
        match self {
            Self::Dot | Self::DotDot => Err(Error::DotSegment),
            Self::Empty | Self::Other => Ok(()),
        }
    }
}

/// The normal form so far: the client's own text until the first difference.
struct Output<'a> {
    text: &'a str,
    owned: Option<String>,
}

impl Output<'_> {
    fn push(&mut self, at: usize, token: &Token) {
        let spelled = self.text.get(at..at + token.len).unwrap_or_default();
        match token.normal {
            Normal::Same => self.keep(spelled),
            Normal::Literal(_) if token.len == 1 => self.keep(spelled),
            Normal::Literal(byte) => self.differ(at).push(char::from(byte)),
            Normal::Escapes(bytes, count) => {
                let owned = self.differ(at);
                for byte in bytes.iter().take(count) {
                    owned.push('%');
                    owned.push(hex_digit(byte >> 4));
                    owned.push(hex_digit(byte & 0xF));
                }
            }
        }
    }

    fn keep(&mut self, spelled: &str) {
        if let Some(owned) = &mut self.owned {
            owned.push_str(spelled);
        }
    }

    fn differ(&mut self, at: usize) -> &mut String {
        let text = self.text;
        self.owned.get_or_insert_with(|| {
            let mut owned = String::with_capacity(text.len());
            owned.push_str(text.get(..at).unwrap_or_default());
            owned
        })
    }
}

impl<'a> Output<'a> {
    fn finish(self) -> Cow<'a, str> {
        self.owned.map_or(Cow::Borrowed(self.text), Cow::Owned)
    }
}

/// `pchar` without escapes and without `;`, which is refused.
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.' | b'_' | b'~' // unreserved
            | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b'=' // sub-delims
            | b':' | b'@'
        )
}

/// Refuses what is refused raw and escaped alike.
const fn refuse(byte: u8) -> Result<(), Error> {
    match byte {
        0 => Err(Error::Nul),
        1..=0x1F | 0x7F => Err(Error::Control),
        b'\\' => Err(Error::Backslash),
        b';' => Err(Error::Semicolon),
        _ => Ok(()),
    }
}

/// The byte that `%` and two hexadecimal digits at the start of `rest` stand for, and whether both are upper-case.
fn hex_pair(rest: &[u8]) -> Result<(u8, bool), Error> {
    let &[_, high, low, ..] = rest else {
        return Err(Error::InvalidEscape);
    };
    let (Some(high_value), Some(low_value)) = (hex_value(high), hex_value(low)) else {
        return Err(Error::InvalidEscape);
    };
    let upper = !high.is_ascii_lowercase() && !low.is_ascii_lowercase();
    Ok((high_value << 4 | low_value, upper))
}

const fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

const fn hex_digit(value: u8) -> char {
    match value {
        0..=9 => (b'0' + value) as char,
        _ => (b'A' + value - 10) as char,
    }
}
