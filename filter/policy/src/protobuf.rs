//! The protobuf wire format, as far as Envoy's own messages need it, written and read by hand.
//!
//! Two of Envoy's interfaces speak protobuf: the rate limit service, and the foreign function
//! `verify_signature`, whose messages are here. Both are a handful of fields; a code generator and its runtime
//! would outweigh them in the module. Groups (wire types 3 and 4, long deprecated) are refused. Reading never
//! recurses: a nested message is bytes until its reader is asked for.
//!
//! Specification: the Protocol Buffers encoding guide.

/// A message being written. Fields with their default value are left out, as proto3 does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message(Vec<u8>);

impl Message {
    /// Appends a string field.
    #[must_use]
    pub fn string(self, field: u32, value: &str) -> Self {
        self.bytes(field, value.as_bytes())
    }

    /// Appends a bytes field.
    #[must_use]
    pub fn bytes(mut self, field: u32, value: &[u8]) -> Self {
        if !value.is_empty() {
            self.length_delimited(field, value);
        }
        self
    }

    /// Appends a field of an unsigned integer type, a bool or an enum.
    #[must_use]
    pub fn varint(mut self, field: u32, value: u64) -> Self {
        if value != 0 {
            self.push_varint(u64::from(field) << 3);
            self.push_varint(value);
        }
        self
    }

    /// Appends a nested message; an empty one too, for its presence means something.
    #[must_use]
    pub fn message(mut self, field: u32, message: &Self) -> Self {
        self.length_delimited(field, &message.0);
        self
    }

    /// The encoded message.
    pub fn finish(self) -> Vec<u8> {
        self.0
    }

    fn length_delimited(&mut self, field: u32, value: &[u8]) {
        self.push_varint(u64::from(field) << 3 | 2);
        self.push_varint(u64::try_from(value.len()).unwrap_or(u64::MAX));
        self.0.extend_from_slice(value);
    }

    fn push_varint(&mut self, mut value: u64) {
        while let Some(rest) = Some(value >> 7).filter(|&rest| rest != 0) {
            self.0.push(low_bits(value) | 0x80);
            value = rest;
        }
        self.0.push(low_bits(value));
    }
}

fn low_bits(value: u64) -> u8 {
    u8::try_from(value & 0x7f).unwrap_or(0)
}

/// The bytes are not a protobuf message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a protobuf message")]
pub struct Malformed;

/// The value of a field, by its wire type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// An integer, a bool or an enum.
    Varint(u64),
    /// Eight bytes.
    Fixed64([u8; 8]),
    /// A string, bytes or a nested message.
    Bytes(&'a [u8]),
    /// Four bytes.
    Fixed32([u8; 4]),
}

/// The fields of an encoded message, in order. Ends after the first error.
#[derive(Clone, Debug)]
pub struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// The fields of `message`.
    pub fn new(message: &'a [u8]) -> Self {
        Self(message)
    }

    fn read(&mut self) -> Result<(u32, Value<'a>), Malformed> {
        let tag = self.varint()?;
        let field = u32::try_from(tag >> 3).map_err(|_| Malformed)?;
        if field == 0 {
            return Err(Malformed);
        }
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(self.array()?),
            2 => Value::Bytes(self.bytes()?),
            5 => Value::Fixed32(self.array()?),
            _ => return Err(Malformed),
        };
        Ok((field, value))
    }

    fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array::<1>()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return Err(Malformed);
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Malformed)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (array, rest) = self.0.split_first_chunk::<N>().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*array)
    }

    fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let length = usize::try_from(self.varint()?).map_err(|_| Malformed)?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(bytes)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, Value<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.read();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

/// What `verify_signature` is asked (`source/extensions/common/wasm/ext/verify_signature.proto` of Envoy).
#[derive(Clone, Copy, Debug)]
pub struct VerifySignatureArguments<'a> {
    /// `sha256`, `sha384` or `sha512`.
    pub hash_function: &'a str,
    /// The key as a DER `SubjectPublicKeyInfo`.
    pub public_key: &'a [u8],
    /// The signature: PKCS#1 v1.5, or a DER ECDSA signature.
    pub signature: &'a [u8],
    /// What was signed.
    pub text: &'a [u8],
}

impl VerifySignatureArguments<'_> {
    /// The encoded message.
    pub fn encode(&self) -> Vec<u8> {
        let fixed = self.hash_function.len() + self.public_key.len();
        let length = fixed + self.signature.len() + self.text.len();
        Message(Vec::with_capacity(length + 4 * MAX_FIELD_HEAD_BYTES))
            .string(1, self.hash_function)
            .bytes(2, self.public_key)
            .bytes(3, self.signature)
            .bytes(4, self.text)
            .finish()
    }
}

/// What `verify_signature` answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifySignatureResult<'a> {
    /// Whether the signature is that of the key over the text. Only a plain `true` counts.
    pub result: bool,
    /// Why not, in the host's words: for the operator's log, never for a client.
    pub error: &'a [u8],
}

impl<'a> VerifySignatureResult<'a> {
    /// Reads an answer; a field that appears twice counts as last written.
    ///
    /// # Errors
    /// [`Malformed`] for anything that is not this message: the signature then counts as not verified.
    pub fn decode(message: &'a [u8]) -> Result<Self, Malformed> {
        let mut answer = Self {
            result: false,
            error: &[],
        };
        for field in Fields::new(message) {
            match field? {
                (1, Value::Varint(result)) => answer.result = result == 1,
                (2, Value::Bytes(error)) => answer.error = error,
                (1 | 2, _) => return Err(Malformed),
                _ => {}
            }
        }
        Ok(answer)
    }
}

/// Tag and length of a field with a number below 16 and less than 2³⁵ bytes.
const MAX_FIELD_HEAD_BYTES: usize = 6;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(message: &[u8]) -> Result<Vec<(u32, Value<'_>)>, Malformed> {
        Fields::new(message).collect()
    }

    #[test]
    fn the_examples_of_the_encoding_guide() {
        assert_eq!(
            Message::default().varint(1, 150).finish(),
            [0x08, 0x96, 0x01]
        );
        let testing = Message::default().string(2, "testing");
        assert_eq!(testing.clone().finish(), b"\x12\x07testing");
        let nested = Message::default().message(3, &Message::default().varint(1, 150));
        assert_eq!(nested.finish(), [0x1a, 0x03, 0x08, 0x96, 0x01]);
        assert_eq!(
            read(&testing.finish()),
            Ok(vec![(2, Value::Bytes(b"testing"))])
        );
    }

    #[test]
    fn default_values_are_not_written() {
        let message = Message::default().varint(1, 0).string(2, "").bytes(3, b"");
        assert_eq!(message.finish(), b"");
        assert_eq!(
            Message::default().message(1, &Message::default()).finish(),
            [0x0a, 0]
        );
    }

    #[test]
    fn malformed_messages_are_refused() {
        for (message, why) in [
            (&b"\x08"[..], "no value"),
            (b"\x00\x01", "field zero"),
            (b"\x0b", "a group"),
            (b"\x0e\x00", "wire type 6"),
            (b"\x12\x05four", "longer than the message"),
            (
                b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
                "a length of 2^64 - 1",
            ),
            (b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", "65 bits"),
            (
                b"\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
                "eleven bytes",
            ),
            (
                b"\xff\xff\xff\xff\xff\x0f\x00",
                "a field number over 32 bits",
            ),
            (b"\x0d\x00\x00\x00", "half a fixed32"),
        ] {
            assert_eq!(read(message), Err(Malformed), "{why}");
        }
    }

    #[test]
    fn verify_signature_is_asked_as_envoy_reads_it() {
        let arguments = VerifySignatureArguments {
            hash_function: "sha256",
            public_key: b"key",
            signature: b"signature",
            text: b"text",
        };
        let encoded = b"\x0a\x06sha256\x12\x03key\x1a\x09signature\x22\x04text";
        assert_eq!(arguments.encode(), encoded);
    }

    #[test]
    fn only_a_plain_true_is_a_verified_signature() {
        let result = |message| VerifySignatureResult::decode(message).map(|answer| answer.result);
        assert_eq!(result(b"\x08\x01"), Ok(true));
        assert_eq!(result(b"\x08\x01\x12\x00"), Ok(true));
        assert_eq!(result(b""), Ok(false));
        assert_eq!(result(b"\x08\x00\x12\x06failed"), Ok(false));
        assert_eq!(result(b"\x08\x02"), Ok(false));
        assert_eq!(result(b"\x08\x01\x08\x00"), Ok(false));
        assert_eq!(result(b"\x0a\x01\x01"), Err(Malformed));
        assert_eq!(result(b"\x08\x01\x0b"), Err(Malformed));
        assert_eq!(result(b"\x08\x01\x08"), Err(Malformed));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(message in prop::collection::vec(any::<u8>(), 0..200)) {
            let fields = Fields::new(&message).count();
            prop_assert!(fields <= message.len());
            let _ = VerifySignatureResult::decode(&message);
        }

        #[test]
        fn what_is_written_is_read(field in 1_u32..1 << 29, number in 1_u64.., bytes in prop::collection::vec(any::<u8>(), 1..50)) {
            let message = Message::default().varint(field, number).bytes(field, &bytes).finish();
            prop_assert_eq!(read(&message), Ok(vec![(field, Value::Varint(number)), (field, Value::Bytes(&bytes))]));
        }
    }
}
