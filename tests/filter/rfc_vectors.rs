//! The RFCs' own examples, verified by the compiled module: without the host's cryptography, so by its own.

use gateway_tests::rfc_vectors::{
    REFUSED, SIGNED, SIGNED_REFUSED_FOR, configuration, forged, wycheproof,
};

use crate::harness::{builder, check, get};

#[test]
fn the_examples_of_rfc_7515_and_rfc_8037_are_judged_as_they_say() {
    let proxy = builder(&configuration()).start().unwrap();
    for example in SIGNED {
        println!("{}", example.name);
        check(
            &proxy,
            get("/", example.token),
            &format!("401 {SIGNED_REFUSED_FOR}"),
        );
    }
    for (name, token) in forged() {
        println!("{name}");
        check(&proxy, get("/", &token), "401 bad_signature");
    }
    for (name, token, reason) in REFUSED {
        println!("{name}");
        check(&proxy, get("/", token), &format!("401 {reason}"));
    }
    assert_eq!(proxy.worker(0).failure(), None);
}

#[test]
fn no_token_of_wycheproof_is_let_through() {
    let proxy = builder(&configuration()).start().unwrap();
    let tokens = wycheproof();
    assert_eq!(tokens.len(), 401);
    for (number, token) in tokens {
        let stream = proxy.worker(0).request(get("/", &token));
        let answer = stream.client_response().map(|answer| answer.status);
        assert!(matches!(answer, Some(400 | 401)), "{number}: {answer:?}");
    }
    assert_eq!(proxy.worker(0).failure(), None);
}
