//! What is fetched: requests before the first keys, and revocations that come, age and fail.

use super::*;

#[test]
fn without_keys_requests_wait_and_are_then_told_to_come_back() {
    let mut config = config();
    let provider = config
        .pointer_mut("/providers/auth0")
        .unwrap()
        .as_object_mut()
        .unwrap();
    provider.remove("local_jwks");
    provider.insert(
        "remote_jwks".into(),
        json!({"http_uri": {"uri": "https://tenant.auth0.com/jwks", "cluster": "auth0"}}),
    );
    let mut edge = Edge::new(&config);
    let authorization = bearer(|_| {});
    let headers = [("authorization", authorization.as_str())];
    assert_eq!(
        shown(&edge.ask("GET", "/documents", &headers, true)),
        "wait FirstKeys"
    );

    let tick = edge.gateway.on_tick(edge.now, &mut edge.store);
    let [(handle, _)] = &tick.fetches[..] else {
        panic!("{tick:?}")
    };
    edge.gateway
        .on_fetch_answer(*handle, None, edge.now, &mut edge.store);
    // Nobody waits for a provider that is known to be down.
    let judgement = edge.ask("GET", "/documents", &headers, true);
    assert_eq!(shown(&judgement), "503 keys_unavailable");
    let Decision::Reply(reply) = &judgement.decision else {
        panic!("{judgement:?}")
    };
    assert!(reply.header("retry-after").is_some());

    edge.now = edge.now.saturating_add(std::time::Duration::from_secs(10));
    let tick = edge.gateway.on_tick(edge.now, &mut edge.store);
    let [(handle, fetch)] = &tick.fetches[..] else {
        panic!("{tick:?}")
    };
    assert_eq!(
        (fetch.cluster.as_str(), fetch.path.as_str()),
        ("auth0", "/jwks")
    );
    let jwks = jwks();
    let response = crate::store::fetch::Response {
        status: 200,
        headers: &[],
        body: jwks.as_bytes(),
    };
    let answer = edge
        .gateway
        .on_fetch_answer(*handle, Some(&response), edge.now, &mut edge.store);
    assert!(answer.decide_waiting);
    assert_eq!(answer.event, FetchEvent::Changed);
    assert!(shown(&edge.ask("GET", "/documents", &headers, true)).starts_with("200"));
}

#[test]
fn what_is_only_watched_is_never_held() {
    let mut config = config();
    let provider = config
        .pointer_mut("/providers/auth0")
        .and_then(serde_json::Value::as_object_mut)
        .unwrap();
    provider.remove("local_jwks");
    let uri = json!({"uri": "https://tenant.auth0.com/jwks", "cluster": "auth0"});
    provider.insert("remote_jwks".into(), json!({ "http_uri": uri }));
    let authorization = bearer(|_| {});
    let judgement =
        Edge::new(&config).ask("GET", "/shadow", &[("authorization", &authorization)], true);
    assert_eq!(shown(&judgement), "200");
    assert_eq!(judgement.would_deny, Some(Reason::KeysUnavailable));
}

#[test]
fn what_the_feed_revokes_is_refused_and_a_feed_that_is_down_denies() {
    let mut config = config();
    config["revocations"] = json!({
        "max_stale": "300s",
        "http_uri": {"uri": "https://api.internal/internal/edge/feed", "cluster": "api"},
    });
    let mut edge = Edge::new(&config);
    let authorization = bearer(|_| {});
    let headers = [("authorization", authorization.as_str())];
    assert_eq!(
        shown(&edge.ask("GET", "/documents", &headers, true)),
        "wait FirstRevocations"
    );
    assert_eq!(shown(&edge.ask("GET", "/healthz", &headers, true)), "200");

    let answer = |edge: &mut Edge, body: Option<serde_json::Value>| {
        let tick = edge.gateway.on_tick(edge.now, &mut edge.store);
        let [(handle, _)] = &tick.fetches[..] else {
            panic!("{tick:?}")
        };
        let body = body.map(|body| body.to_string());
        let response = body.as_ref().map(|body| crate::store::fetch::Response {
            status: 200,
            headers: &[],
            body: body.as_bytes(),
        });
        edge.gateway
            .on_fetch_answer(*handle, response.as_ref(), edge.now, &mut edge.store)
            .event
    };
    let page = |entries: serde_json::Value| json!({"version": 1, "snapshot": true, "cursor": "1", "more": false, "entries": entries});
    assert_eq!(
        answer(&mut edge, Some(page(json!([])))),
        FetchEvent::Changed
    );
    assert!(shown(&edge.ask("GET", "/documents", &headers, true)).starts_with("200"));

    edge.now = edge.now.saturating_add(std::time::Duration::from_secs(3));
    let expires_at = NOW + 3600;
    let entries = json!([
        {"kind": "sub", "value": "auth0|1", "issued_before": NOW + 1, "expires_at": expires_at},
        {"kind": "address", "value": "203.0.113.7", "expires_at": NOW + 10},
    ]);
    assert_eq!(answer(&mut edge, Some(page(entries))), FetchEvent::Changed);
    assert_eq!(
        shown(&edge.ask("GET", "/healthz", &[], true)),
        "403 address_blocked"
    );
    edge.now = UnixTime::from_secs(NOW + 11);
    assert_eq!(
        shown(&edge.ask("GET", "/documents", &headers, true)),
        "401 revoked"
    );
    let other = bearer(|claims| claims["sub"] = json!("auth0|2"));
    let other = [("authorization", other.as_str())];
    assert!(shown(&edge.ask("GET", "/documents", &other, true)).starts_with("200"));

    edge.now = UnixTime::from_secs(NOW + 400);
    assert_eq!(
        shown(&edge.ask("GET", "/documents", &other, true)),
        "503 revocations_unavailable"
    );
}
