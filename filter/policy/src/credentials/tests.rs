//! Where tokens are found, and what is left when they are taken.

use super::*;

fn sources() -> Vec<TokenSource> {
    vec![
        TokenSource::authorization(),
        TokenSource::Query("access_token".into()),
        TokenSource::Cookie("token".into()),
        TokenSource::WebSocketProtocol,
    ]
}

#[track_caller]
fn check(
    headers: &[(&str, &str)],
    query: Option<&str>,
    expected: Result<Option<&str>, SeveralTokens>,
) {
    let headers: Vec<_> = headers
        .iter()
        .map(|(n, v)| (n.as_bytes(), v.as_bytes()))
        .collect();
    let head = RequestHead {
        headers: &headers,
        source_address: None,
        tls: true,
    };
    let taken = take(&head, query, &sources()).map(|found| found.map(|c| c.token));
    assert_eq!(taken, expected.map(|token| token.map(str::as_bytes)));
}

#[test]
fn a_token_is_taken_from_each_source() {
    check(
        &[("authorization", "Bearer a.b.c")],
        None,
        Ok(Some("a.b.c")),
    );
    check(
        &[("authorization", "Bearer\ta.b.c")],
        None,
        Ok(Some("a.b.c")),
    );
    check(&[("cookie", "token =a.b.c")], None, Ok(Some("a.b.c")));
    check(
        &[("authorization", "bEaReR   a.b.c ")],
        None,
        Ok(Some("a.b.c")),
    );
    check(&[], Some("x=1&access_token=a.b.c"), Ok(Some("a.b.c")));
    check(&[], Some("access%5Ftoken=a.b.c"), Ok(Some("a.b.c")));
    check(
        &[("cookie", "x=1"), ("cookie", "y=2; token=a.b.c")],
        None,
        Ok(Some("a.b.c")),
    );
    check(&[("cookie", "token=\"a.b.c\"")], None, Ok(Some("a.b.c")));
    check(
        &[("sec-websocket-protocol", "chat, bearer, a.b.c")],
        None,
        Ok(Some("a.b.c")),
    );
}

#[test]
fn other_schemes_and_names_are_no_token() {
    check(&[("authorization", "Basic eDp5")], None, Ok(None));
    check(&[("authorization", "Bearera.b.c")], None, Ok(None));
    check(
        &[("cookie", "Token=a.b.c; xtoken=1")],
        Some("Access_token=1"),
        Ok(None),
    );
    check(&[("sec-websocket-protocol", "chat")], None, Ok(None));
}

#[test]
fn an_empty_credential_is_present_and_not_absent() {
    check(&[("authorization", "Bearer")], None, Ok(Some("")));
    check(&[("authorization", "Bearer ")], None, Ok(Some("")));
    check(&[], Some("access_token"), Ok(Some("")));
    check(&[("sec-websocket-protocol", "bearer")], None, Ok(Some("")));
}

#[test]
fn differing_or_repeated_credentials_are_refused() {
    let refused = Err(SeveralTokens);
    check(
        &[("authorization", "Bearer a")],
        Some("access_token=b"),
        refused,
    );
    check(
        &[("authorization", "Bearer a")],
        Some("access_token=a"),
        Ok(Some("a")),
    );
    check(
        &[("authorization", "Bearer a"), ("authorization", "Bearer a")],
        None,
        refused,
    );
    check(
        &[("authorization", "Bearer a"), ("authorization", "Basic b")],
        None,
        refused,
    );
    check(&[], Some("access_token=a&access%5ftoken=a"), refused);
    check(&[("cookie", "token=a; token=a")], None, refused);
    check(
        &[("sec-websocket-protocol", "bearer, a, bearer, b")],
        None,
        refused,
    );
}

#[test]
fn two_tokens_that_a_proxy_joined_are_told_from_one() {
    let joined = |token: &str| {
        let token = token.as_bytes();
        let only_by_cookie = false;
        UnverifiedCredential {
            token,
            only_by_cookie,
        }
        .is_joined()
    };
    assert!(joined("a,Bearer b") && joined("a.b.c,"));
    assert!(!joined("a.b.c"));
}

/// Found beside native `jwt_authn`, which finds these tokens: an optional token that is bad must not pass as absent.
#[test]
fn a_token_behind_another_scheme_is_not_absent() {
    let refused = Err(SeveralTokens);
    for value in [
        "Basic YTpi,Bearer a",
        "Basic YTpi, bearer a",
        "Negotiate Bearer a",
        "x\tBEARER\ta",
        ",Bearer a",
    ] {
        check(&[("authorization", value)], None, refused);
    }
    let two = [("authorization", "Basic b"), ("authorization", "Bearer a")];
    check(&two, None, refused);
    for value in ["Basic YTpi", "Basic BearerYTpi", "Digest realm=\"bearers\""] {
        check(&[("authorization", value)], None, Ok(None));
    }
}

#[track_caller]
fn check_strip(headers: &[(&str, &str)], path: &str, path_after: &str, expected: &[(&str, &str)]) {
    let fields: Vec<_> = headers
        .iter()
        .map(|(n, v)| (n.as_bytes(), v.as_bytes()))
        .collect();
    let head = RequestHead {
        headers: &fields,
        source_address: None,
        tls: true,
    };
    let mut mutations = Mutations::default();
    let mut path = Cow::Borrowed(path);
    let sources = sources();
    let sources: Vec<_> = sources.iter().collect();
    strip(&head, &mut path, &sources, &mut mutations);
    assert_eq!(path, path_after);
    let set: Vec<_> = mutations
        .set
        .iter()
        .map(|(name, value)| (name.as_ref(), std::str::from_utf8(value).unwrap()))
        .collect();
    assert_eq!(set, expected);
    for (name, _) in headers {
        let removed = mutations
            .remove
            .iter()
            .any(|removed| **removed == *name.as_bytes());
        assert_eq!(
            removed,
            *name != "sec-websocket-protocol" && *name != "x-other",
            "{name}"
        );
    }
}

#[test]
fn a_taken_token_leaves_other_cookies_and_parameters_alone() {
    check_strip(
        &[
            ("authorization", "Bearer a"),
            ("cookie", "x=1; token=a"),
            ("cookie", "y=2"),
            ("sec-websocket-protocol", "chat, bearer, a"),
            ("x-other", "Bearer a"),
        ],
        "/d?x=%20&access_token=a&y",
        "/d?x=%20&y",
        &[("cookie", "x=1; y=2"), ("sec-websocket-protocol", "chat")],
    );
    check_strip(&[], "/d?access_token=a", "/d", &[]);
    check_strip(&[], "/d?q=access_token", "/d?q=access_token", &[]);
}
