//! The harness itself, without the module under test: if this fails, nothing below it means anything.

use auth0_sim::JWKS_PATH;
use gateway_tests::{
    client::Request,
    envoy::{Bootstrap, Envoy, Listener},
    gateway,
    upstream::{Echo, Seen},
};
use serde_json::{Value, json};

#[tokio::test]
async fn envoy_forwards_to_the_application_and_to_the_identity_provider() {
    let upstream = Echo::start().await.unwrap();
    let auth0 = gateway::auth0().await.unwrap();
    let bootstrap = Bootstrap::default()
        .cluster("api_server", upstream.address())
        .cluster("auth0", auth0.address())
        .listener(Listener::forwarding_to("edge", "api_server"))
        .listener(Listener::forwarding_to("tenant", "auth0"));
    let envoy = Envoy::start(&bootstrap, 2).await.unwrap();

    let request = Request::get("/api/v1/documents?limit=1").header("x-probe", b"\xe9");
    let answer = request.send(envoy.address("edge")).await.unwrap();
    let seen: Seen = answer.json().unwrap();
    assert_eq!(
        (answer.status, seen.path.as_str()),
        (200, "/api/v1/documents?limit=1")
    );
    assert_eq!(seen.header("x-probe"), ["é"]);

    let answer = Request::get(JWKS_PATH)
        .send(envoy.address("tenant"))
        .await
        .unwrap();
    let set: Value = answer.json().unwrap();
    assert_eq!(set["keys"][0]["kty"], "RSA");

    assert_eq!(
        envoy
            .stat("cluster.api_server.upstream_rq_total")
            .await
            .unwrap(),
        1
    );
    assert_eq!(upstream.requests(), 1);
    assert_eq!(auth0.requests(JWKS_PATH).count, 1);
}

#[tokio::test]
async fn native_filters_stand_where_they_are_put() {
    let upstream = Echo::start().await.unwrap();
    let deny_all = json!({
        "name": "envoy.filters.http.rbac",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
            "rules": {"action": "ALLOW", "policies": {}},
        },
    });
    let bootstrap = Bootstrap::default()
        .cluster("api_server", upstream.address())
        .listener(Listener::forwarding_to("edge", "api_server").filter(deny_all));
    let envoy = Envoy::start(&bootstrap, 1).await.unwrap();

    let answer = Request::get("/").send(envoy.address("edge")).await.unwrap();
    assert_eq!(answer.status, 403);
    assert_eq!(upstream.requests(), 0);
}

#[tokio::test]
async fn a_bootstrap_envoy_refuses_is_an_error_with_envoys_own_words() {
    let bootstrap = Bootstrap::default().listener(Listener::forwarding_to("edge", "nowhere"));
    let error = Envoy::start(&bootstrap, 1).await.unwrap_err();
    assert!(
        format!("{error:#}").contains("unknown cluster 'nowhere'"),
        "{error:#}"
    );
}
