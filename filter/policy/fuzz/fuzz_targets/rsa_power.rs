//! s^e mod n of the kernel is that of num-bigint (through the `rsa` crate) and of BoringSSL, for any odd n.
#![no_main]

use edge_auth_policy::rsa::{MAX_BITS, MAX_EXPONENT, MIN_BITS, RsaPublicKey};
use libfuzzer_sys::fuzz_target;
use rsa::BigUint;

fuzz_target!(|input: &[u8]| {
    let Some((&[size_high, size_low, e0, e1, e2, e3, e4], numbers)) = input.split_first_chunk()
    else {
        return;
    };
    let size = u16::from_be_bytes([size_high, size_low]) as usize;
    // Mostly short ones: they are quick, and every width of the last limb is among them.
    let bits = if size.is_multiple_of(64) {
        MIN_BITS + size % (MAX_BITS - MIN_BITS + 1)
    } else {
        MIN_BITS + size % 128
    };
    let e = u64::from_be_bytes([0, 0, 0, e0 & 1, e1, e2, e3, e4]) | 1;
    let (n, s) = numbers.split_at(numbers.len() / 2);
    let one = BigUint::from(1u8);
    let n = stretched(n, bits) | &one << (bits - 1) | &one;
    let s = stretched(s, bits.next_multiple_of(8));
    let key = RsaPublicKey::new(&n.to_bytes_be(), &e.to_be_bytes());
    if !(3..=MAX_EXPONENT).contains(&e) {
        assert!(key.is_err());
        return;
    }
    let length = bits.div_ceil(8);
    let power = key.expect("n and e are allowed").power(&octets(&s, length));
    let expected = (s < n).then(|| octets(&s.modpow(&e.into(), &n), length));
    assert_eq!(power, expected);

    #[cfg(feature = "boringssl")]
    {
        use boring::{
            bn::BigNum,
            rsa::{Padding, Rsa},
        };
        let number = |number: &BigUint| BigNum::from_slice(&number.to_bytes_be()).unwrap();
        let key = Rsa::from_public_components(number(&n), number(&e.into())).unwrap();
        let mut opened = vec![0; length];
        let boring = key.public_decrypt(&octets(&s, length), &mut opened, Padding::NONE);
        assert_eq!(power, boring.ok().map(|_| opened));
    }
});

/// The bytes, the last of them repeated up to so many bits: runs of ones and zeros provoke carries.
fn stretched(bytes: &[u8], bits: usize) -> BigUint {
    let last = bytes.last().copied().unwrap_or_default();
    let stretched: Vec<u8> = (bytes.iter().copied())
        .chain(std::iter::repeat(last))
        .take(bits.div_ceil(8))
        .collect();
    BigUint::from_bytes_be(&stretched) % (BigUint::from(1u8) << bits)
}

/// Big-endian, as long as the modulus.
fn octets(number: &BigUint, length: usize) -> Vec<u8> {
    let octets = number.to_bytes_be();
    let mut padded = vec![0; length - octets.len()];
    padded.extend(octets);
    padded
}
