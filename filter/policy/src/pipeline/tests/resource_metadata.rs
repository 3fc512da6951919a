//! Protected resource metadata (RFC 9728): served, and named in challenges.

use super::*;

fn with_resources(resources: &serde_json::Value) -> serde_json::Value {
    let mut config = config();
    config["protected_resources"] = resources.clone();
    config["cors"] = json!({"allow_origins": ["https://app.pymd.io"]});
    config["security_headers"] = json!({});
    config
}

fn edge() -> Edge {
    Edge::new(&with_resources(&json!([
        {"resource": "https://api.pymd.io", "scopes_supported": ["read:documents"], "resource_name": "PyMD"},
        {"resource": "https://api.pymd.io/mcp", "authorization_servers": ["https://login.pymd.io/"],
         "cache_duration": "60s"},
    ])))
}

const ROOT: &str = "/.well-known/oauth-protected-resource";

fn reply(judgement: &Judgement) -> &LocalReply {
    match &judgement.decision {
        Decision::Reply(reply) => reply,
        other => panic!("{other:?}"),
    }
}

fn ask(
    edge: &mut Edge,
    method: &str,
    host: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> Judgement {
    edge.ask_whole(method, host, path, headers, true, None)
}

#[test]
fn metadata_is_made_of_the_configuration() {
    let mut edge = edge();
    let judgement = ask(&mut edge, "GET", "api.pymd.io", ROOT, &[]);
    let answer = reply(&judgement);
    assert_eq!(shown(&judgement), "200 resource_metadata");
    let document: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(
        document,
        json!({
            "resource": "https://api.pymd.io",
            "authorization_servers": ["https://tenant.auth0.com/"],
            "scopes_supported": ["read:documents"],
            "bearer_methods_supported": ["header"],
            "resource_name": "PyMD",
        })
    );
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("public, max-age=3600"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("www-authenticate"), None);
}

#[test]
fn a_resource_with_a_path_has_its_metadata_below_the_well_known_one() {
    let mut edge = edge();
    let judgement = ask(
        &mut edge,
        "GET",
        "API.pymd.io:443",
        &format!("{ROOT}/mcp?x=1"),
        &[],
    );
    let document: serde_json::Value = serde_json::from_slice(&reply(&judgement).body).unwrap();
    assert_eq!(
        document,
        json!({
            "resource": "https://api.pymd.io/mcp",
            "authorization_servers": ["https://login.pymd.io/"],
            "bearer_methods_supported": ["header"],
        })
    );
    assert_eq!(
        reply(&judgement).header("cache-control"),
        Some("public, max-age=60")
    );
}

/// Whatever is not exactly a request for metadata is a request like any other: the default wants a token.
#[test]
fn nothing_else_is_let_through_by_it() {
    let mut edge = edge();
    for (method, host, path) in [
        ("POST", "api.pymd.io", ROOT),
        ("OPTIONS", "api.pymd.io", ROOT),
        ("GET", "other.pymd.io", ROOT),
        ("GET", "api.pymd.io:8443", ROOT),
        ("GET", "api.pymd.io", &format!("{ROOT}/")),
        ("GET", "api.pymd.io", &format!("{ROOT}/other")),
        ("GET", "api.pymd.io", &format!("{ROOT}x")),
        (
            "GET",
            "api.pymd.io",
            "/.well-known/oauth-protected%2dresource",
        ),
        (
            "GET",
            "api.pymd.io",
            "/.Well-Known/oauth-protected-resource",
        ),
    ] {
        let judgement = ask(&mut edge, method, host, path, &[]);
        assert_eq!(
            shown(&judgement),
            "401 missing_token",
            "{method} {host}{path}"
        );
    }
    let judgement = edge.ask("GET", ROOT, &[], false);
    assert_eq!(shown(&judgement), "301 https_redirect");
}

#[test]
fn every_origin_may_read_it_and_none_with_credentials() {
    let mut edge = edge();
    for origin in ["https://app.pymd.io", "https://inspector.example", "null"] {
        let headers = [("origin", origin)];
        let judgement = ask(&mut edge, "GET", "api.pymd.io", ROOT, &headers);
        let answer = reply(&judgement);
        let cors: Vec<_> = answer
            .headers
            .iter()
            .filter(|(name, _)| name.starts_with("access-control-") || name == "vary")
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        assert_eq!(cors, ["access-control-allow-origin: *"], "{origin}");

        let asks = ("access-control-request-method", "GET");
        let judgement = ask(
            &mut edge,
            "OPTIONS",
            "api.pymd.io",
            ROOT,
            &[headers[0], asks],
        );
        assert_eq!(shown(&judgement), "204 preflight");
        assert_eq!(
            reply(&judgement).header("access-control-allow-origin"),
            Some("*")
        );
        assert_eq!(
            reply(&judgement).header("access-control-allow-headers"),
            Some("*")
        );
        assert_eq!(
            reply(&judgement).header("access-control-allow-credentials"),
            None
        );
    }
    // On the way back nothing of this is taken away, or joined by what `cors` allows the rest.
    let fields: Vec<(&[u8], &[u8])> = vec![
        (b":method", b"GET"),
        (b":path", ROOT.as_bytes()),
        (b":authority", b"api.pymd.io"),
        (b"origin", b"https://app.pymd.io"),
    ];
    let head = RequestHead {
        headers: &fields,
        source_address: None,
        tls: true,
    };
    let plan = edge.gateway.plan_response(&head);
    let answer: Vec<(&[u8], &[u8])> = vec![(b"access-control-allow-origin", b"*")];
    let touches_cors = plan
        .mutations(&answer)
        .any(|mutation| format!("{mutation:?}").contains("access-control"));
    assert!(!touches_cors);
}

#[test]
fn a_challenge_names_the_metadata_of_the_resource_that_was_asked_for() {
    let mut edge = edge();
    let mut named = |host: &str, path: &str| {
        let judgement = ask(&mut edge, "GET", host, path, &[]);
        let challenge = reply(&judgement).header("www-authenticate").unwrap();
        challenge
            .split_once(", resource_metadata=")
            .map(|(_, url)| url.to_owned())
    };
    let url = |path: &str| Some(format!("\"https://api.pymd.io{ROOT}{path}\""));
    assert_eq!(named("api.pymd.io", "/documents"), url(""));
    assert_eq!(named("api.pymd.io", "/mcp"), url("/mcp"));
    assert_eq!(named("api.pymd.io", "/mcp/tools"), url("/mcp"));
    assert_eq!(named("api.pymd.io", "/mcpx"), url(""));
    // Never one made of what a client says its host is.
    assert_eq!(named("evil.example", "/documents"), None);
    assert_eq!(named("api.pymd.io:8443", "/documents"), None);

    let mut config = with_resources(&json!([{"resource": "https://api.pymd.io"}]));
    config["errors"] = json!({"resource_metadata": "https://docs.pymd.io/resource"});
    let mut edge = Edge::new(&config);
    let judgement = ask(&mut edge, "GET", "api.pymd.io", "/documents", &[]);
    let challenge = reply(&judgement).header("www-authenticate").unwrap();
    assert!(challenge.ends_with("resource_metadata=\"https://docs.pymd.io/resource\""));
}

#[test]
fn bearer_methods_are_those_of_the_providers_it_names() {
    let mut config = with_resources(&json!([
        {"resource": "https://a.example"},
        {"resource": "https://b.example", "providers": ["query"]},
        {"resource": "https://c.example", "providers": ["cookie"]},
    ]));
    for (name, sources) in [
        ("query", json!({"from_params": ["access_token"]})),
        ("cookie", json!({"from_cookies": ["session"]})),
    ] {
        let mut provider = config["providers"]["auth0"].clone();
        provider["issuer"] = json!(format!("https://{name}.example/"));
        provider["claim_to_headers"] = json!([]);
        for (field, value) in sources.as_object().unwrap() {
            provider[field] = value.clone();
        }
        config["providers"][name] = provider;
    }
    let mut edge = Edge::new(&config);
    let mut document = |host: &str| -> serde_json::Value {
        let judgement = ask(&mut edge, "GET", host, ROOT, &[]);
        serde_json::from_slice(&reply(&judgement).body).unwrap()
    };
    let methods = |document: &serde_json::Value| document["bearer_methods_supported"].clone();
    let servers = |document: &serde_json::Value| document["authorization_servers"].clone();
    let all = document("a.example");
    assert_eq!(methods(&all), json!(["header", "query"]));
    assert_eq!(servers(&all).as_array().unwrap().len(), 3);
    let one = document("b.example");
    assert_eq!(methods(&one), json!(["query"]));
    assert_eq!(servers(&one), json!(["https://query.example/"]));
    assert_eq!(methods(&document("c.example")), json!([]));
}

#[test]
fn resources_that_cannot_be_served_are_refused() {
    let refused = |resources: serde_json::Value| {
        let config = with_resources(&resources);
        let errors = Config::from_json(config.to_string().as_bytes()).unwrap_err();
        errors.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        refused(json!([
            {"resource": "http://api.pymd.io"},
            {"resource": "https://api.pymd.io/a?b"},
            {"resource": "https://api.pymd.io", "scopes_supported": ["a b"], "providers": ["okta"]},
        ])),
        [
            "protected_resources[0].resource: is no https URL; http is for localhost only",
            "protected_resources[1].resource: has a query, a fragment, or a path that is not in its plain form",
            "protected_resources[2].providers[0]: is not among providers: auth0",
            "protected_resources[2].scopes_supported[0]: a scope is made of visible ASCII characters without `\"` \
             and `\\`",
        ]
    );
    assert_eq!(
        refused(json!([{"resource": "https://api.pymd.io"}, {"resource": "https://API.pymd.io/"}])),
        [
            "protected_resources: has two documents for https://API.pymd.io/.well-known/oauth-protected-resource"
        ]
    );
}
