//! A configuration that can't be used: what the operator reads.

use gateway_tests::{
    client::Request,
    envoy::{Bootstrap, Envoy, Listener, WasmFilter},
    gateway::{self, Gateway},
    module,
    upstream::Echo,
};
use serde_json::json;

#[tokio::test]
async fn five_mistakes_are_five_errors_with_their_places_and_envoy_does_not_start() {
    let auth0 = gateway::auth0().await.unwrap();
    let mut configuration = gateway::configuration(&json!([
        {"match": {"prefix": "/api"}, "requires": {"provider": "okta"}},
        {"match": {"prefix": "/limited"}, "requires": "public", "rate_limits": ["missing"]},
    ]));
    configuration["providers"]["auth0"]["audiences"] = json!([]);
    configuration["providers"]["auth0"]["clock_skew_seconds"] = json!(3600);
    configuration["default"]["requires"] = json!("public");
    let error = Gateway::start(&configuration, 2, &[("auth0", auth0.address())])
        .await
        .unwrap_err();
    let log = format!("{error:#}");

    assert!(
        log.contains("the configuration is refused, 5 errors"),
        "{log}"
    );
    for place in [
        "providers.auth0.audiences",
        "providers.auth0.clock_skew_seconds",
        "rules[0].requires.provider",
        "rules[1].rate_limits[0]",
        "default.requires",
    ] {
        let lines = log
            .lines()
            .filter(|line| line.contains(&format!(" {place}: ")));
        assert_eq!(lines.count(), 1, "{place} in {log}");
    }
}

#[tokio::test]
async fn a_policy_may_be_written_as_a_struct() {
    let auth0 = gateway::auth0().await.unwrap();
    let configuration = gateway::configuration(&json!([
        {"match": {"path": "/open"}, "requires": "public"},
    ]));
    let filter = WasmFilter::with_struct(module::path().unwrap(), &configuration);
    let upstream = Echo::start().await.unwrap();
    let bootstrap = Bootstrap::default()
        .cluster("upstream", upstream.address())
        .cluster("auth0", auth0.address())
        .listener(Listener::forwarding_to("edge", "upstream").wasm(&filter));
    let envoy = Envoy::start(&bootstrap, 1).await.unwrap();
    let edge = envoy.address("edge");
    let status = async |request: Request| request.send(edge).await.unwrap().status;
    assert_eq!(status(Request::get("/open")).await, 200);
    assert_eq!(status(Request::get("/closed")).await, 401);
    let token = auth0.token().build();
    assert_eq!(status(Request::get("/closed").bearer(&token)).await, 200);
}
