//! What an orchestrator asks.

use axum::http::{Method, StatusCode};
use serde_json::json;

use super::server::Server;

#[tokio::test]
async fn a_server_with_its_database_and_keys_is_ready() {
    let server = Server::start().await;
    let reply = server.get("/healthz").send().await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.json(), json!({"status": "ok"}));
    let reply = server.get("/readyz").send().await;
    assert_eq!(
        reply.json(),
        json!({"status": "ready", "database": true, "keys": true, "stopping": false})
    );
}

#[tokio::test]
async fn a_server_that_stops_or_lost_its_database_is_not_ready() {
    let server = Server::start().await;
    server.app.stop();
    let reply = server.get("/readyz").send().await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(reply.json()["stopping"], json!(true));
    server.app.database.close().await;
    let reply = server.get("/readyz").send().await;
    assert_eq!(reply.json()["database"], json!(false));
    assert_eq!(server.get("/healthz").send().await.status, StatusCode::OK);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems_too() {
    let server = Server::start().await;
    server
        .get("/nowhere")
        .send()
        .await
        .assert_problem(404, "not_found");
    let reply = server
        .request(Method::DELETE, "/api/v1/documents")
        .send()
        .await;
    reply.assert_problem(405, "method_not_allowed");
    assert_eq!(reply.header("allow"), "GET,HEAD,POST");
}

#[tokio::test]
async fn internal_paths_are_not_served_in_public() {
    let server = Server::start().await;
    for path in ["/metrics", "/internal/edge/feed", "/internal"] {
        let reply = server.get(path).send().await;
        reply.assert_problem(404, "not_found");
    }
}

#[tokio::test]
async fn the_request_id_is_echoed_if_it_is_one() {
    let server = Server::start().await;
    let ask = |id: &'static str| server.get("/healthz").header("x-request-id", id).send();
    assert_eq!(ask("a-1.b_2").await.header("x-request-id"), "a-1.b_2");
    let invented = ask("two words").await;
    assert_eq!(invented.header("x-request-id").len(), 36);
}
