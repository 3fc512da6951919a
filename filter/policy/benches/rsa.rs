//! What an RSA verification and the constants of a key cost natively. The figures that matter are wasm's.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use edge_auth_policy::rsa::{Hash, RsaPublicKey};

/// A modulus of this many bits. Any odd number will do: the time of a verification does not depend on it.
fn modulus(bits: usize) -> Vec<u8> {
    let mut octets: Vec<u8> = (0u8..=250).cycle().take(bits / 8).collect();
    octets[0] = 0xc5;
    octets[bits / 8 - 1] |= 1;
    octets
}

fn verify(c: &mut Criterion) {
    let mut group = c.benchmark_group("rsa");
    for bits in [2048, 3072, 4096, 8192] {
        let n = modulus(bits);
        let e = [1, 0, 1];
        group.bench_with_input(BenchmarkId::new("new", bits), &n, |b, n| {
            b.iter(|| RsaPublicKey::new(black_box(n), &e));
        });
        let key = RsaPublicKey::new(&n, &e).expect("the modulus is odd and of an allowed size");
        let signature = vec![0x5a; bits / 8];
        group.bench_function(BenchmarkId::new("verify_pkcs1_v15", bits), |b| {
            b.iter(|| key.verify_pkcs1_v15(Hash::Sha256, &[7; 32], black_box(&signature)));
        });
        group.bench_function(BenchmarkId::new("verify_pss", bits), |b| {
            b.iter(|| key.verify_pss(Hash::Sha256, &[7; 32], black_box(&signature)));
        });
    }
    group.finish();
}

criterion_group!(benches, verify);
criterion_main!(benches);
