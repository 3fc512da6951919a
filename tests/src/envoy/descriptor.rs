//! The fields of Envoy's configuration messages, from the Envoy binary itself.
//!
//! Envoy carries the descriptors of its protos (`google.protobuf.FileDescriptorProto`, descriptor.proto) as bytes, so
//! nobody has to keep a list of its fields: the Envoy that is tested with says what it knows.

use std::{collections::BTreeMap, io::BufRead};

use anyhow::{Context, Result, bail};

/// The messages of one proto file, as `Message.field`, in the file's order; nested messages as `Outer.Inner.field`.
///
/// # Errors
///
/// Where the binary holds no descriptor of that file.
pub fn fields(envoy: &[u8], file: &str) -> Result<Vec<String>> {
    let length = u8::try_from(file.len()).context("a path this long has a longer tag")?;
    let name = [&[length], file.as_bytes()].concat();
    let mut rest = envoy;
    // Not `windows`: the binary is large, and the standard library searches for one byte faster than a test build.
    while rest.skip_until(NAME_TAG)? > 0 {
        let Some(file) = rest.strip_prefix(name.as_slice()) else {
            continue;
        };
        let mut found = Vec::new();
        // The fields of a file come in the order of their numbers; behind the last lies something else.
        for (number, value) in Fields(file).take_while(|(number, _)| *number <= FILE_LAST) {
            if let (FILE_MESSAGE, Field::Bytes(message)) = (number, value) {
                collect(message, "", &mut found);
            }
        }
        if !found.is_empty() {
            return Ok(found);
        }
    }
    bail!("the Envoy binary has no descriptor of {file}")
}

/// The fields of one message and of those nested in it; the entries of a map are no message of their own.
fn collect(message: &[u8], outer: &str, found: &mut Vec<String>) {
    let parts: BTreeMap<u64, Vec<&[u8]>> =
        Fields(message).fold(BTreeMap::new(), |mut parts, (number, value)| {
            if let Field::Bytes(bytes) = value {
                parts.entry(number).or_default().push(bytes);
            }
            parts
        });
    let all = |number| parts.get(&number).into_iter().flatten();
    let is_map_entry = all(MESSAGE_OPTIONS).any(|options| {
        Fields(options).any(|it| matches!(it, (OPTION_MAP_ENTRY, Field::Number(1))))
    });
    if is_map_entry {
        return;
    }
    let name = |message: &[u8]| {
        Fields(message).find_map(|(number, value)| match value {
            Field::Bytes(name) if number == NAME => String::from_utf8(name.to_vec()).ok(),
            _ => None,
        })
    };
    let own = format!("{outer}{}", name(message).unwrap_or_default());
    found.extend(all(MESSAGE_FIELD).filter_map(|field| Some(format!("{own}.{}", name(field)?))));
    for nested in all(MESSAGE_NESTED) {
        collect(nested, &format!("{own}."), found);
    }
}

/// The value of a field on the wire, as far as descriptors need.
enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The fields of a message on the wire (protobuf encoding guide), up to the first that can't be read.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = (u64, Field<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let tag = self.number()?;
        let value = match tag & 7 {
            0 => Field::Number(self.number()?),
            2 => {
                let length = usize::try_from(self.number()?).ok()?;
                let (bytes, rest) = self.0.split_at_checked(length)?;
                self.0 = rest;
                Field::Bytes(bytes)
            }
            _ => return None,
        };
        (tag >> 3 > 0).then_some((tag >> 3, value))
    }
}

impl Fields<'_> {
    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }
}

const NAME: u64 = 1;
const NAME_TAG: u8 = 1 << 3 | 2;
const FILE_MESSAGE: u64 = 4;
const FILE_LAST: u64 = 14;
const MESSAGE_FIELD: u64 = 2;
const MESSAGE_NESTED: u64 = 3;
const MESSAGE_OPTIONS: u64 = 7;
const OPTION_MAP_ENTRY: u64 = 7;

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(number: u8, value: &[u8]) -> Vec<u8> {
        let length = u8::try_from(value.len()).unwrap();
        [&[number << 3 | 2, length], value].concat()
    }

    #[test]
    fn messages_and_nested_messages_are_told_and_map_entries_are_not() {
        let field = |name: &[u8]| bytes(2, &bytes(1, name));
        let entry = [bytes(1, b"AEntry"), field(b"key"), bytes(7, &[7 << 3, 1])].concat();
        let inner = [bytes(1, b"B"), field(b"c")].concat();
        let message = [
            bytes(1, b"A"),
            field(b"a"),
            bytes(3, &inner),
            bytes(3, &entry),
        ]
        .concat();
        let file = [
            bytes(1, b"a.proto"),
            bytes(2, b"package"),
            bytes(4, &message),
        ]
        .concat();
        let binary = [b"before ".to_vec(), file, vec![0, 0, b' ']].concat();
        assert_eq!(fields(&binary, "a.proto").unwrap(), ["A.a", "A.B.c"]);
        assert!(fields(&binary, "b.proto").is_err());
    }
}
