//! The examples of the RFCs in a real Envoy, whose own cryptography checks RS256 and ES256.

use gateway_tests::{
    client::Request,
    gateway::{Gateway, reason},
    rfc_vectors::{REFUSED, SIGNED, SIGNED_REFUSED_FOR, configuration, forged, wycheproof},
};

#[tokio::test]
async fn the_examples_of_rfc_7515_are_judged_as_they_say_in_envoy() {
    let gateway = Gateway::start(&configuration(), 1, &[]).await.unwrap();
    let text = |text: &str| text.to_owned();
    let signed = SIGNED.map(|it| (text(it.name), text(it.token), SIGNED_REFUSED_FOR));
    let forged = forged()
        .into_iter()
        .map(|(name, token)| (name, token, "bad_signature"));
    let refused = REFUSED.map(|(name, token, reason)| (text(name), text(token), reason));
    for (name, token, expected) in signed.into_iter().chain(forged).chain(refused) {
        let answer = gateway
            .send(&Request::get("/").bearer(&token))
            .await
            .unwrap();
        let found = (answer.status, reason(&answer));
        assert_eq!(found, (401, Some(text(expected))), "{name}");
    }
    assert_eq!(gateway.forwarded().await.unwrap(), 0);
    let log = gateway.envoy.log();
    assert!(
        log.iter().any(|line| line.contains("checked by the host")),
        "{log:#?}"
    );
}

#[tokio::test]
async fn no_token_of_wycheproof_is_let_through_by_envoy() {
    let gateway = Gateway::start(&configuration(), 1, &[]).await.unwrap();
    for (number, token) in wycheproof().into_iter().step_by(10) {
        let request = Request::get("/").bearer(&token);
        let status = gateway.send(&request).await.unwrap().status;
        assert!(matches!(status, 400 | 401), "{number}: {status}");
    }
    assert_eq!(gateway.forwarded().await.unwrap(), 0);
}
