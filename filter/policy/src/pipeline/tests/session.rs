//! The session cookie, opened: what becomes of it, and everything that keeps it shut.

use super::*;
use crate::session::{NONCE_BYTES, Purpose, SessionKeys, chunks};

const NEW: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const OLD: &str = "HxwdHh8AAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRo";
const COOKIE: &str = "__Host-edge-session";

fn edge(change: impl FnOnce(&mut serde_json::Value)) -> Edge {
    let mut config = config();
    config["session"] = json!({"keys_env": ["EDGE_SESSION_KEY", "EDGE_SESSION_KEY_OLD"]});
    change(&mut config);
    let config = Config::from_json(config.to_string().as_bytes()).unwrap();
    let config = config.with_secrets(&|name| match name {
        "EDGE_SESSION_KEY" => Some(NEW.to_owned()),
        "EDGE_SESSION_KEY_OLD" => Some(format!("{OLD}\n")),
        _ => None,
    });
    let mut store = MemoryStore::default();
    Edge {
        gateway: Gateway::new(config.unwrap(), [1; 16], &mut store).unwrap(),
        store,
        now: UnixTime::from_secs(NOW),
    }
}

/// What api-server would seal, as it would.
fn sealed(key: &str, purpose: Purpose, token: &str) -> String {
    let session = Session {
        session_id: "f81d4fae".into(),
        generation: 1,
        access_token: token.into(),
    };
    let until = UnixTime::from_secs(NOW + 600);
    let keys = SessionKeys::parse(key).unwrap();
    keys.seal(purpose, b"", until, &session.to_bytes(), [7; NONCE_BYTES])
        .unwrap()
}

fn cookie(token: &str) -> String {
    format!("{COOKIE}={}", sealed(NEW, Purpose::Session, token))
}

#[track_caller]
fn check(edge: &mut Edge, method: &str, path: &str, headers: &[(&str, &str)], expected: &str) {
    assert_eq!(shown(&edge.ask(method, path, headers, true)), expected);
}

const IDENTITY: &str = "x-user-id=auth0|1 x-user-roles=editor,reader";

#[test]
fn a_session_becomes_the_bearer_and_its_cookie_goes_no_further() {
    let token = token(|_| {});
    let cookies = format!("theme=dark; {}; lang=en", cookie(&token));
    check(
        &mut edge(|_| {}),
        "GET",
        "/documents",
        &[("cookie", &cookies)],
        &format!("200 -cookie cookie=theme=dark; lang=en authorization=Bearer {token} {IDENTITY}"),
    );
}

#[test]
fn a_session_in_pieces_is_put_together_whatever_their_order() {
    let token = token(|claims| claims["padding"] = json!("p".repeat(4000)));
    let sealed = sealed(NEW, Purpose::Session, &token);
    let pieces = chunks(COOKIE, &sealed).unwrap();
    assert!(pieces.len() > 1);
    let mut pairs: Vec<_> = pieces.iter().map(|(n, v)| format!("{n}={v}")).collect();
    pairs.reverse();
    // HTTP/2 sends each cookie in a field of its own.
    let headers: Vec<_> = pairs.iter().map(|pair| ("cookie", pair.as_str())).collect();
    check(
        &mut edge(|_| {}),
        "GET",
        "/documents",
        &headers,
        &format!("200 -cookie authorization=Bearer {token} {IDENTITY}"),
    );
    check(
        &mut edge(|_| {}),
        "GET",
        "/documents",
        &headers[1..],
        "401 invalid_session",
    );
}

#[test]
fn a_replaced_key_still_opens() {
    let token = token(|_| {});
    let old = format!("{COOKIE}={}", sealed(OLD, Purpose::Session, &token));
    let expected = format!("200 -cookie authorization=Bearer {token} {IDENTITY}");
    let headers = [("cookie", old.as_str())];
    check(&mut edge(|_| {}), "GET", "/documents", &headers, &expected);
    let mut without = edge(|config| config["session"]["keys_env"] = json!(["EDGE_SESSION_KEY"]));
    check(
        &mut without,
        "GET",
        "/documents",
        &headers,
        "401 invalid_session",
    );
}

/// CVE-2021-21378's lesson for cookies: "optional" means that there is none.
#[test]
fn a_cookie_that_does_not_open_is_refused_wherever_a_token_is_looked_at() {
    let token = token(|_| {});
    let good = sealed(NEW, Purpose::Session, &token);
    let (start, end) = good.split_at(good.len() - 1);
    let changed = format!("{start}{}", if end == "A" { "B" } else { "A" });
    let login = sealed(NEW, Purpose::Login, &token);
    let foreign = sealed(
        "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8",
        Purpose::Session,
        &token,
    );
    for cookies in [
        format!("{COOKIE}={changed}"),
        format!("{COOKIE}={start}"),
        format!("{COOKIE}={login}"),
        format!("{COOKIE}={foreign}"),
        format!("{COOKIE}={token}"),
        format!("{COOKIE}="),
        format!("{COOKIE}=\"{good}\""),
        format!("{COOKIE}={good}; {COOKIE}={good}"),
        format!("{COOKIE}={}", "A".repeat(20_000)),
        format!("{COOKIE}.0={good}; {COOKIE}.0={good}"),
        format!("{COOKIE} ={changed}"),
    ] {
        let headers = [("cookie", cookies.as_str())];
        let mut edge = edge(|_| {});
        check(
            &mut edge,
            "GET",
            "/documents",
            &headers,
            "401 invalid_session",
        );
        check(
            &mut edge,
            "GET",
            "/optional",
            &headers,
            "401 invalid_session",
        );
        // Not even beside a good bearer token.
        let authorization = format!("Bearer {token}");
        let both = [headers[0], ("authorization", &authorization)];
        check(&mut edge, "GET", "/documents", &both, "401 invalid_session");
        // Login must stay within reach: api-server gets what the browser has.
        check(&mut edge, "GET", "/healthz", &headers, "200");
    }
}

#[test]
fn cve_2025_46344_the_expiry_inside_the_ciphertext_ends_a_session() {
    let mut edge = edge(|_| {});
    let token = token(|_| {});
    let cookies = cookie(&token);
    let headers = [("cookie", cookies.as_str())];
    edge.now = UnixTime::from_secs(NOW + 599);
    assert!(shown(&edge.ask("GET", "/documents", &headers, true)).starts_with("200"));
    edge.now = UnixTime::from_secs(NOW + 600);
    let judgement = edge.ask("GET", "/documents", &headers, true);
    assert_eq!(shown(&judgement), "401 invalid_session");
    let Decision::Reply(reply) = judgement.decision else {
        panic!("no reply")
    };
    let body = String::from_utf8(reply.body).unwrap();
    assert!(body.contains("The session has ended; sign in"), "{body}");
}

#[test]
fn the_token_inside_is_verified_like_any_other() {
    let mut edge = edge(|_| {});
    for (token, expected) in [
        (
            token(|claims| claims["exp"] = json!(NOW - 3600)),
            "401 expired",
        ),
        (
            token(|claims| claims["iss"] = json!("https://evil.example/")),
            "401 wrong_issuer",
        ),
        (
            token(|claims| claims["aud"] = json!("https://other.example")),
            "401 wrong_audience",
        ),
        (
            token(|claims| claims["scope"] = json!("none")),
            "403 insufficient_scope",
        ),
        ("opaque".to_owned(), "401 opaque_token"),
    ] {
        let cookies = cookie(&token);
        check(
            &mut edge,
            "GET",
            "/documents",
            &[("cookie", &cookies)],
            expected,
        );
    }
    let mut forged = token(|_| {});
    forged.replace_range(forged.len() - 2.., "AA");
    let cookies = cookie(&forged);
    check(
        &mut edge,
        "GET",
        "/documents",
        &[("cookie", &cookies)],
        "401 bad_signature",
    );
}

#[test]
fn beside_a_bearer_token_it_must_be_the_same_one() {
    let (one, other) = (
        token(|_| {}),
        token(|claims| claims["sub"] = json!("auth0|2")),
    );
    let cookies = cookie(&one);
    let (same, differs) = (format!("Bearer {one}"), format!("Bearer {other}"));
    let mut edge = edge(|_| {});
    let with = |authorization| {
        [
            ("cookie", cookies.as_str()),
            ("authorization", authorization),
        ]
    };
    let expected = format!("200 -cookie authorization={same} {IDENTITY}");
    check(&mut edge, "GET", "/documents", &with(&same), &expected);
    check(
        &mut edge,
        "GET",
        "/documents",
        &with(&differs),
        "400 several_tokens",
    );
    // A field that is no bearer's is replaced: the upstream sees one credential.
    check(
        &mut edge,
        "GET",
        "/documents",
        &with("Basic dTpw"),
        &expected,
    );
}

#[test]
fn another_site_s_page_cannot_act_with_it() {
    let cookies = cookie(&token(|_| {}));
    let mut edge = edge(|_| {});
    let from = |name, value| [("cookie", cookies.as_str()), (name, value)];
    let evil = from("origin", "https://evil.example");
    check(&mut edge, "POST", "/elsewhere", &evil, "403 cross_site");
    let silent = [("cookie", cookies.as_str())];
    check(&mut edge, "POST", "/elsewhere", &silent, "403 cross_site");
    for own in [
        from("origin", "https://api.pymd.io"),
        from("sec-fetch-site", "same-origin"),
    ] {
        let judgement = edge.ask("POST", "/elsewhere", &own, true);
        assert!(shown(&judgement).starts_with("200"), "{judgement:?}");
    }
    assert!(shown(&edge.ask("GET", "/elsewhere", &evil, true)).starts_with("200"));
}

#[test]
fn an_upstream_that_must_not_see_the_token_sees_neither_form_of_it() {
    let mut edge = edge(|config| config["providers"]["auth0"]["forward"] = json!(false));
    let cookies = format!("{}; lang=en", cookie(&token(|_| {})));
    let expected = format!("200 -cookie cookie=lang=en {IDENTITY}");
    check(
        &mut edge,
        "GET",
        "/documents",
        &[("cookie", &cookies)],
        &expected,
    );
}

#[test]
fn a_rule_in_shadow_mode_forwards_no_session_that_does_not_open() {
    let mut edge = edge(|_| {});
    let cookies = format!("{COOKIE}=old; lang=en");
    let judgement = edge.ask("GET", "/shadow", &[("cookie", &cookies)], true);
    assert_eq!(shown(&judgement), "200 -cookie cookie=lang=en");
    assert_eq!(judgement.would_deny, Some(Reason::InvalidSession));
}

#[test]
fn without_its_section_the_cookie_is_one_like_any_other() {
    let cookies = cookie(&token(|_| {}));
    let mut edge = Edge::new(&config());
    let headers = [("cookie", cookies.as_str())];
    check(
        &mut edge,
        "GET",
        "/documents",
        &headers,
        "401 missing_token",
    );
    check(&mut edge, "GET", "/optional", &headers, "200");
}

#[test]
fn a_configuration_whose_keys_were_never_looked_up_opens_nothing() {
    let mut config = config();
    config["session"] = json!({"keys_env": ["EDGE_SESSION_KEY"]});
    let cookies = cookie(&token(|_| {}));
    let headers = [("cookie", cookies.as_str())];
    check(
        &mut Edge::new(&config),
        "GET",
        "/documents",
        &headers,
        "401 invalid_session",
    );
}

#[test]
fn a_revoked_session_is_refused_and_its_token_alone_is_not() {
    let mut edge = edge(|config| {
        config["revocations"] = json!({
            "http_uri": {"uri": "https://api.internal/internal/edge/feed", "cluster": "api"},
        });
    });
    let tick = edge.gateway.on_tick(edge.now, &mut edge.store);
    let [(handle, _)] = &tick.fetches[..] else {
        panic!("{tick:?}")
    };
    let page = json!({
        "version": 1, "snapshot": true, "cursor": "1", "more": false,
        "entries": [{"kind": "sid", "value": "f81d4fae", "expires_at": NOW + 3600}],
    })
    .to_string();
    let response = crate::store::fetch::Response {
        status: 200,
        headers: &[],
        body: page.as_bytes(),
    };
    let answer = edge
        .gateway
        .on_fetch_answer(*handle, Some(&response), edge.now, &mut edge.store);
    assert_eq!(answer.event, FetchEvent::Changed);
    let token = token(|_| {});
    let cookies = cookie(&token);
    check(
        &mut edge,
        "GET",
        "/documents",
        &[("cookie", &cookies)],
        "401 revoked",
    );
    let authorization = format!("Bearer {token}");
    let judgement = edge.ask(
        "GET",
        "/documents",
        &[("authorization", &authorization)],
        true,
    );
    assert!(shown(&judgement).starts_with("200"), "{judgement:?}");
}
