//! How often: rate limits, and the block after refused credentials.

use super::*;

#[test]
fn a_rate_limit_lets_through_exactly_its_number_and_then_says_when() {
    let mut edge = Edge::new(&config());
    assert_eq!(shown(&edge.ask("POST", "/login", &[], true)), "200");
    assert_eq!(shown(&edge.ask("POST", "/login", &[], true)), "200");
    let judgement = edge.ask("POST", "/login", &[], true);
    let Decision::Reply(reply) = &judgement.decision else {
        panic!("{judgement:?}")
    };
    assert_eq!(reply.status, 429);
    assert_eq!(reply.header("retry-after"), Some("60"));
    assert_eq!(reply.header("ratelimit"), Some("\"login\";r=0;t=60"));
    assert_eq!(reply.header("ratelimit-policy"), Some("\"login\";q=2;w=60"));
    edge.now = UnixTime::from_secs(NOW + 61);
    assert_eq!(shown(&edge.ask("POST", "/login", &[], true)), "200");
}

#[test]
fn failed_authentications_block_a_client_even_with_a_valid_token() {
    let mut edge = Edge::new(&config());
    let bad = [("authorization", "Bearer a.b.c")];
    let good = bearer(|_| {});
    let good = [("authorization", good.as_str())];
    assert_eq!(
        shown(&edge.ask("GET", "/guarded", &bad, true)),
        "401 malformed_token"
    );
    assert!(shown(&edge.ask("GET", "/guarded", &good, true)).starts_with("200"));
    assert_eq!(
        shown(&edge.ask("GET", "/guarded", &bad, true)),
        "401 malformed_token"
    );
    assert_eq!(
        shown(&edge.ask("GET", "/guarded", &good, true)),
        "429 authentication_blocked"
    );
    edge.now = UnixTime::from_secs(NOW + 301);
    assert!(shown(&edge.ask("GET", "/guarded", &good, true)).starts_with("200"));
}

#[test]
fn answers_to_routes_with_limits_tell_of_them_where_the_configuration_says_always() {
    let mut config = config();
    config["rate_limit_headers"] = json!("always");
    let mut edge = Edge::new(&config);
    let judgement = edge.ask("POST", "/login", &[], true);
    assert_eq!(
        judgement.answer_fields,
        [
            ("ratelimit-policy", "\"login\";q=2;w=60".to_owned()),
            ("ratelimit", "\"login\";r=1;t=60".to_owned()),
        ]
    );
    // Without a limit nothing is told, nor of failures that are counted.
    let good = bearer(|_| {});
    let good = [("authorization", good.as_str())];
    for path in ["/healthz", "/guarded"] {
        let judgement = edge.ask("GET", path, &good, true);
        assert!(shown(&judgement).starts_with("200"));
        assert_eq!(judgement.answer_fields, []);
    }
    assert_eq!(
        Edge::new(&super::config())
            .ask("POST", "/login", &[], true)
            .answer_fields,
        []
    );
}
