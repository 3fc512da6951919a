//! Every parser with mutated bytes, on the stable toolchain: what `cargo fuzz` does with coverage, CI does for ten
//! seconds a parser with a mutator that always makes the same inputs.
//!
//! The parsers stand in `parsers.rs`, which the targets of `fuzz/` call too.

mod mutator;
mod parsers;

use std::time::{Duration, Instant};

use mutator::Mutator;

/// Feeds `parser` mutated seeds; a finding panics, with the input in the message.
fn fuzz(parser: fn(&[u8]), seeds: &[&[u8]]) {
    for seed in seeds {
        parser(seed);
    }
    let seconds = std::env::var(SECONDS).ok().and_then(|it| it.parse().ok());
    let end = Instant::now() + Duration::from_secs(seconds.unwrap_or(1));
    let mut mutator = Mutator::new(seeds);
    let mut rounds = 0_u64;
    while rounds < LEAST_ROUNDS || Instant::now() < end {
        let input = mutator.next();
        let outcome = std::panic::catch_unwind(|| parser(&input));
        if let Err(panic) = outcome {
            eprintln!(
                "after {rounds} rounds, input {:?}",
                String::from_utf8_lossy(&input)
            );
            eprintln!("as bytes: {input:?}");
            std::panic::resume_unwind(panic);
        }
        rounds += 1;
    }
    println!("{rounds} rounds");
}

macro_rules! fuzz_tests {
    ($($name:ident => $seeds:expr;)*) => {
        $(
            #[test]
            fn $name() {
                fuzz(parsers::$name, &$seeds);
            }
        )*
    };
}

fuzz_tests! {
    json => [
        br#"{"a":[1,-2.5e3,true,null,"\u00e9\n"],"b":{"c":{}}}"#.as_slice(),
        b"[[[[[]]]]]",
        b"18446744073709551616",
    ];
    config => [
        include_bytes!("seeds/config.json").as_slice(),
        br#"{"version":1}"#,
    ];
    authority => [
        b"api.pymd.io:8443".as_slice(),
        b"[2001:db8::1]:443",
        b"xn--bcher-kva.example.",
    ];
    path => [
        b"/api/v1/documents/a%20b?x=%2F&y#".as_slice(),
        b"/a/%7Euser/..;/%2e%2e/b",
        b"/%c3%a9/%C3%A9/%25",
    ];
    credentials => [
        b"Bearer a.b.c\naccess_token=a.b.c&x=1\na=1; token=\"a.b.c\"\nbearer, a.b.c".as_slice(),
        b"Basic YTpi,Bearer x\naccess%5Ftoken=x\ntoken=x; token=y\nchat",
    ];
    compact_jws => [
        b"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci8ifQ.AAAA".as_slice(),
        b"{\"alg\":\"ES256\",\"typ\":\"JWT\"}\n{\"iss\":\"https://issuer/\",\"aud\":\"https://audience\",\
          \"exp\":1700000600,\"iat\":1700000000,\"sub\":\"a\",\"scope\":\"a b\",\"permissions\":[\"c\"]}",
    ];
    jwk_set => [
        br#"{"keys":[{"kty":"EC","crv":"P-256","kid":"a","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#.as_slice(),
        br#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","use":"sig","key_ops":["verify"]}]}"#,
    ];
    discovery => [
        br#"{"issuer":"https://tenant.example/","jwks_uri":"https://tenant.example/k?v=1"}"#.as_slice(),
        br#"{"issuer":"https://tenant.example/","jwks_uri":"https://keys.example:443/k"}"#,
    ];
    revocation_feed => [
        br#"{"version":1,"snapshot":true,"cursor":"a","more":false,"entries":[{"type":"sid","value":"s","expires_at":1700000000}]}"#.as_slice(),
        br#"{"version":1,"snapshot":false,"cursor":"b.1","more":true,"entries":[]}"#,
    ];
    protobuf => [
        b"\x08\x01\x12\x05hello\x1d\x01\x02\x03\x04\x21\x01\x02\x03\x04\x05\x06\x07\x08".as_slice(),
        b"\x08\x02\x12\x04\x08\x02\x18\x05\x12\x02\x08\x01",
    ];
    session_cookie => [
        b"session=AQAAAAA".as_slice(),
        b"session.0=AQ; session.1=BB; other=1",
        br#"{"s":"id","g":7,"t":"token"}"#,
    ];
}

/// How long each parser is fuzzed, in seconds; one where it is not set.
const SECONDS: &str = "EDGE_AUTH_FUZZ_SECONDS";
const LEAST_ROUNDS: u64 = 2_000;
