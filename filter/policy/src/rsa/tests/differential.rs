//! The kernel alone: s^e mod n beside `BigUint::modpow`.

use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(n: &BigUint, e: u64, s: &BigUint) {
    let key = RsaPublicKey::new(&n.to_bytes_be(), &e.to_be_bytes()).unwrap();
    let length = n.bits().div_ceil(8);
    let mut buffer = [0xaa; MAX_BITS / 8];
    let opened = key.open(&octets(s, length), &mut buffer);
    let expected = (s < n).then(|| octets(&s.modpow(&e.into(), n), length));
    assert_eq!(
        opened.as_deref(),
        expected.as_deref(),
        "n {n:x} e {e} s {s:x}"
    );
}

const SIZES: [usize; 17] = [
    2048, 2049, 2050, 2051, 2052, 2055, 2056, 2057, 2158, 2159, 2160, 3071, 3072, 4096, 6001, 8191,
    8192,
];

const EXPONENTS: [u64; 7] = [3, 5, 17, 65_537, 65_539, (1 << 32) + 1, MAX_EXPONENT];

#[test]
fn powers_of_random_numbers_are_those_of_the_rsa_crate() {
    let mut rng = StdRng::seed_from_u64(1);
    for bits in SIZES {
        let n = random(&mut rng, bits) | BigUint::from(1u8) << (bits - 1) | BigUint::from(1u8);
        for e in EXPONENTS {
            check(&n, e, &(random(&mut rng, bits) % &n));
        }
    }
}

/// Moduli whose limbs drive quotients and carries to their ends.
fn extreme_moduli(bits: usize) -> Vec<BigUint> {
    let one = BigUint::from(1u8);
    let power = |exponent: usize| &one << exponent;
    let alternating = (0..bits).step_by(54).fold(BigUint::from(0u8), |sum, bit| {
        sum | (power(27) - &one) << bit
    });
    vec![
        power(bits) - &one,
        power(bits) - power(27) + &one,
        power(bits) - power(27) - &one,
        power(bits) - power(bits / 2) + &one,
        power(bits - 1) + &one,
        power(bits - 1) + power(27) - &one,
        power(bits - 1) + power(27) + &one,
        power(bits - 1) + power(bits / 2) - &one,
        (alternating % power(bits)) | power(bits - 1) | &one,
    ]
}

#[test]
fn powers_modulo_extreme_moduli_of_extreme_numbers_are_right() {
    let one = BigUint::from(1u8);
    for bits in [2048, 2051, 2079, 3072] {
        for n in extreme_moduli(bits) {
            let numbers = [
                BigUint::from(0u8),
                one.clone(),
                BigUint::from(2u8),
                &n >> 1,
                &n - 2u8,
                &n - 1u8,
                n.clone(),
                (&one << (bits - 1)) - &one,
                &n - (&n % (&one << 27)),
            ];
            for s in numbers {
                check(&n, 3, &s);
                check(&n, 65_537, &s);
            }
        }
    }
}

#[test]
fn numbers_not_below_the_modulus_have_no_power() {
    for bits in [2048usize, 2049, 2053] {
        let room = BigUint::from(1u8) << bits.next_multiple_of(8);
        let n = (BigUint::from(1u8) << (bits - 1)) + 12_345u32;
        let numbers = [n.clone(), &n + 1u8, &n + &n - 1u8, &room - 1u8];
        for s in numbers.iter().filter(|&s| s < &room) {
            check(&n, 65_537, s);
        }
    }
}

/// The kernel may arrive at n itself, which stands for zero.
#[test]
fn power_that_is_a_multiple_of_the_modulus_is_zero() {
    let mut rng = StdRng::seed_from_u64(3);
    for bits in [1024, 1025, 1026, 1536] {
        let root = random(&mut rng, bits) | BigUint::from(3u8) << (bits - 2) | BigUint::from(1u8);
        let n = &root * &root;
        check(&n, 3, &root);
        check(&n, 65_537, &(&n - &root));
    }
}

#[test]
fn exponents_that_are_even_or_below_3_have_no_power() {
    let n = (BigUint::from(1u8) << 2047) + 12_345u32;
    let modulus = Modulus::new(&n.to_bytes_be(), 2048).unwrap();
    for exponent in [0, 1, 2, 4, 65_536] {
        let power = modulus.raise(&[2; 256], exponent, &mut [0; 256]);
        assert_eq!(power, None, "{exponent}");
    }
    assert_eq!(modulus.raise(&[2; 256], 3, &mut [0; 256]), Some(()));
}

#[test]
fn largest_columns_do_not_overflow() {
    let one = BigUint::from(1u8);
    let n = (&one << 8192) - &one;
    check(&n, 3, &(&n - 1u8));
    check(&n, 3, &(&n - (&one << 27)));
    let n = (&one << 8192) - (&one << 27) - &one;
    check(&n, 3, &(&n - 1u8));
}

/// Octets that are often all ones or all zeros for a while.
fn rough_octets(bits: usize) -> impl Strategy<Value = BigUint> {
    let octet = prop_oneof![2 => Just(0xff), 2 => Just(0), 1 => any::<u8>()];
    let run = (octet, 1..24usize).prop_map(|(octet, length)| vec![octet; length]);
    proptest::collection::vec(run, bits / 8).prop_map(move |runs| {
        let octets: Vec<u8> = runs.concat().into_iter().take(bits.div_ceil(8)).collect();
        BigUint::from_bytes_be(&octets) % (BigUint::from(1u8) << bits)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn power_is_that_of_the_rsa_crate(
        (n, s) in (2048..2200usize).prop_flat_map(|bits| {
            let high = BigUint::from(1u8) << (bits - 1);
            let n = rough_octets(bits).prop_map(move |n| n | &high | BigUint::from(1u8));
            (n, rough_octets(bits))
        }),
        e in prop_oneof![Just(3), Just(65_537), (1..MAX_EXPONENT / 2).prop_map(|e| 2 * e + 1)],
    ) {
        check(&n, e, &s);
    }
}
