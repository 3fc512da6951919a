//! The first pair of `docs/migration.md`, side by side in one Envoy: both decide alike.

use std::fs;

use auth0_sim::TokenBuilder;
use gateway_tests::{
    client::Request,
    envoy::{Bootstrap, Envoy, Listener, WasmFilter},
    gateway, module, sources,
    upstream::Echo,
};
use serde_json::Value;

/// The first YAML block of the page that begins like this.
fn block(start: &str) -> Value {
    let page = fs::read_to_string(sources::root().join("docs/migration.md")).unwrap();
    let blocks = page.split("```yaml\n").skip(1);
    let mut found = blocks.filter_map(|rest| rest.split("```").next());
    let block = found.find(|block| block.starts_with(start)).unwrap();
    serde_yaml_ng::from_str(block).unwrap()
}

#[tokio::test]
async fn jwt_authn_with_rbac_and_what_takes_their_place_decide_alike() {
    let auth0 = gateway::auth0().await.unwrap();
    let upstream = Echo::start().await.unwrap();
    let mut native = Listener::forwarding_to("native", "api_server");
    for filter in block("- name: envoy").as_array().unwrap() {
        native = native.filter(filter.clone());
    }
    let ours = WasmFilter::new(module::path().unwrap(), &block("version: 1"));
    let bootstrap = Bootstrap::default()
        .cluster("api_server", upstream.address())
        .cluster("auth0", auth0.address())
        .listener(native)
        .listener(Listener::forwarding_to("edge", "api_server").wasm(&ours));
    let envoy = Envoy::start(&bootstrap, 1).await.unwrap();

    let token = |bend: fn(TokenBuilder) -> TokenBuilder| Some(bend(auth0.token()).build());
    let valid = || token(|it| it);
    for (method, path, token, expected) in [
        ("GET", "/healthz", None, 200),
        ("GET", "/api/v1/documents", None, 401),
        ("GET", "/api/v1/documents", valid(), 200),
        ("GET", "/api/v1/documents/7?x=y", valid(), 200),
        (
            "GET",
            "/api/v1/documents",
            token(|it| it.scope("openid")),
            403,
        ),
        (
            "GET",
            "/api/v1/documents",
            token(|it| it.expired_by(600)),
            401,
        ),
        (
            "GET",
            "/api/v1/documents",
            token(|it| it.claim("iss", "https://x/")),
            401,
        ),
        ("GET", "/feed", None, 200),
        ("GET", "/feed/1", valid(), 200),
        ("GET", "/feed", token(|it| it.expired_by(600)), 401),
        ("GET", "/elsewhere", None, 401),
        ("POST", "/elsewhere", valid(), 200),
    ] {
        let mut statuses = Vec::new();
        for listener in ["native", "edge"] {
            let mut request = Request::new(method, path);
            if let Some(token) = &token {
                request = request.bearer(token);
            }
            statuses.push(request.send(envoy.address(listener)).await.unwrap().status);
        }
        assert_eq!(
            statuses,
            [expected, expected],
            "{method} {path}, native and ours"
        );
    }
    // An audience of another API: 401 here, and 403 from `jwt_authn`, which has no challenge for it.
    let other = auth0.token().audience("https://elsewhere.example").build();
    let request = Request::get("/api/v1/documents").bearer(&other);
    for (listener, expected) in [("native", 403), ("edge", 401)] {
        let answer = request.send(envoy.address(listener)).await.unwrap();
        assert_eq!(answer.status, expected, "{listener}");
    }
}
