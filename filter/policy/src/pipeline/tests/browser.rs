//! Browsers: tokens in cookies and where they may come from, preflights, and the header fields that every answer carries.

use super::*;

/// Two providers of one issuer each, with sources of their own.
fn two_sources() -> serde_json::Value {
    let mut config = config();
    let mut second = config["providers"]["auth0"].clone();
    second["issuer"] = json!("https://second.example/");
    second["from_cookies"] = json!(["session"]);
    config["providers"]["second"] = second;
    config["default"]["requires"] = json!({"providers": ["auth0", "second"]});
    config
}

#[test]
fn a_token_counts_only_where_its_own_provider_s_tokens_stand() {
    let mut edge = Edge::new(&two_sources());
    let cookie = format!("session={}", token(|_| {}));
    let judgement = edge.ask("GET", "/x", &[("cookie", &cookie)], true);
    assert_eq!(shown(&judgement), "401 wrong_issuer");
    let cookie = format!(
        "session={}",
        token(|claims| claims["iss"] = json!("https://second.example/"))
    );
    assert!(shown(&edge.ask("GET", "/x", &[("cookie", &cookie)], true)).starts_with("200"));
}

#[test]
fn an_unsafe_request_by_cookie_must_come_from_this_site() {
    let mut edge = Edge::new(&two_sources());
    let cookie = format!(
        "session={}",
        token(|claims| claims["iss"] = json!("https://second.example/"))
    );
    let mut ask = |method: &str, extra: &[(&str, &str)]| {
        let mut headers = vec![("cookie", cookie.as_str())];
        headers.extend_from_slice(extra);
        shown(&edge.ask(method, "/x", &headers, true))
    };
    assert_eq!(
        ask("POST", &[("origin", "https://evil.example")]),
        "403 cross_site"
    );
    assert_eq!(ask("POST", &[]), "403 cross_site");
    assert!(ask("POST", &[("origin", "https://api.pymd.io")]).starts_with("200"));
    assert!(ask("POST", &[("sec-fetch-site", "same-origin")]).starts_with("200"));
    assert!(ask("GET", &[("origin", "https://evil.example")]).starts_with("200"));
    assert_eq!(
        ask(
            "GET",
            &[("origin", "https://evil.example"), ("upgrade", "websocket")]
        ),
        "403 cross_site"
    );
}

fn browser_config() -> serde_json::Value {
    let mut config = config();
    config["cors"] = json!({"allow_origins": ["https://app.pymd.io"]});
    config["security_headers"] = json!({"x_frame_options": "SAMEORIGIN", "referrer_policy": "off"});
    config
}

#[test]
fn a_page_of_an_allowed_origin_can_read_a_401() {
    let mut edge = Edge::new(&browser_config());
    let judgement = edge.ask(
        "GET",
        "/documents",
        &[("origin", "https://app.pymd.io")],
        true,
    );
    let Decision::Reply(reply) = &judgement.decision else {
        panic!("{judgement:?}")
    };
    assert_eq!(reply.status, 401);
    assert_eq!(
        reply.header("access-control-allow-origin"),
        Some("https://app.pymd.io")
    );
    assert!(
        reply
            .header("access-control-expose-headers")
            .unwrap()
            .contains("www-authenticate")
    );
    assert_eq!(reply.header("vary"), Some("Origin"));
    assert_eq!(
        reply.header("strict-transport-security"),
        Some("max-age=31536000")
    );
    assert_eq!(reply.header("x-frame-options"), Some("SAMEORIGIN"));
    assert_eq!(reply.header("referrer-policy"), None);
    let judgement = edge.ask(
        "GET",
        "/documents",
        &[("origin", "https://evil.example")],
        true,
    );
    let Decision::Reply(reply) = &judgement.decision else {
        panic!("{judgement:?}")
    };
    assert_eq!(reply.header("access-control-allow-origin"), None);
}

#[test]
fn a_preflight_is_answered_without_a_token_and_never_forwarded() {
    let mut edge = Edge::new(&browser_config());
    let asks = |origin| [("origin", origin), ("access-control-request-method", "PUT")];
    let judgement = edge.ask(
        "OPTIONS",
        "/documents/1",
        &asks("https://app.pymd.io"),
        true,
    );
    let Decision::Reply(reply) = &judgement.decision else {
        panic!("{judgement:?}")
    };
    assert_eq!(reply.status, 204);
    assert!(
        reply
            .header("access-control-allow-methods")
            .unwrap()
            .contains("PUT")
    );
    assert_eq!(
        shown(&edge.ask(
            "OPTIONS",
            "/documents/1",
            &asks("https://evil.example"),
            true
        )),
        "403 preflight"
    );
    // Without the header that makes it a preflight it is a request like any other.
    let plain = [("origin", "https://app.pymd.io")];
    assert_eq!(
        shown(&edge.ask("OPTIONS", "/documents/1", &plain, true)),
        "401 missing_token"
    );
}

#[test]
fn answers_of_the_upstream_get_the_same_headers_once() {
    let edge = Edge::new(&browser_config());
    let fields: Vec<(&[u8], &[u8])> = vec![(b"origin", b"https://app.pymd.io")];
    let head = RequestHead {
        headers: &fields,
        source_address: None,
        tls: true,
    };
    let plan = edge.gateway.plan_response(&head);
    let theirs: Vec<(&[u8], &[u8])> = vec![
        (b"access-control-allow-origin", b"*"),
        (b"x-frame-options", b"DENY"),
        (b"vary", b"accept, origin"),
    ];
    let mutations: Vec<_> = plan.mutations(&theirs).collect();
    assert_eq!(
        mutations[0],
        ResponseMutation::Remove("access-control-allow-origin")
    );
    assert!(mutations.contains(&ResponseMutation::Set(
        "access-control-allow-origin",
        "https://app.pymd.io"
    )));
    let names: Vec<_> = mutations
        .iter()
        .map(|mutation| match mutation {
            ResponseMutation::Remove(name)
            | ResponseMutation::Set(name, _)
            | ResponseMutation::Add(name, _) => *name,
        })
        .collect();
    assert!(
        !names.contains(&"vary") && !names.contains(&"x-frame-options"),
        "{names:?}"
    );
    assert!(names.contains(&"x-content-type-options"));
    assert!(Edge::new(&config()).gateway.plan_response(&head).is_empty());
}
