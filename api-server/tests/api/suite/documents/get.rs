//! Reading a document.

use axum::http::StatusCode;
use serde_json::json;

use super::PATH;
use crate::suite::server::Server;

#[tokio::test]
async fn the_owner_reads_what_was_written() {
    let server = Server::start().await;
    let token = server.user("u");
    let id = server
        .create(&token, &json!({"title": "t", "content": "naïve ☃ 𝄞"}))
        .await;
    let reply = server
        .get(&format!("{PATH}/{id}"))
        .bearer(&token)
        .send()
        .await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.json()["content"], "naïve ☃ 𝄞");
    assert_eq!(reply.header("etag"), "\"1\"");
    assert_eq!(reply.header("cache-control"), "private, no-cache");
}

#[tokio::test]
async fn anothers_document_is_as_if_it_were_not_there() {
    let server = Server::start().await;
    let id = server.create(&server.user("alice"), &json!({})).await;
    let path = format!("{PATH}/{id}");
    let mallory = server.user("mallory");
    let missing = server
        .get(&format!("{PATH}/0192f0c1-2345-7000-8000-000000000000"))
        .bearer(&mallory)
        .send()
        .await;
    missing.assert_problem(404, "not_found");
    let calls = [
        server.get(&path),
        server.put(&path, &json!({})).if_match("*"),
        server.patch(&path, &json!({})).if_match("*"),
        server.delete(&path).if_match("*"),
    ];
    for call in calls {
        let reply = call.bearer(&mallory).send().await;
        reply.assert_problem(404, "not_found");
        assert_eq!(reply.json(), missing.json());
    }
    let reply = server.get(&path).bearer(&server.user("alice")).send().await;
    assert_eq!(reply.json()["version"], 1);
}

#[tokio::test]
async fn a_version_the_client_has_is_not_sent_again() {
    let server = Server::start().await;
    let token = server.user("u");
    let id = server.create(&token, &json!({})).await;
    for (known, expected) in [("\"1\"", 304), ("W/\"1\"", 304), ("*", 304), ("\"2\"", 200)] {
        let reply = server
            .get(&format!("{PATH}/{id}"))
            .header("if-none-match", known)
            .bearer(&token)
            .send()
            .await;
        assert_eq!(reply.status.as_u16(), expected, "{known}");
        assert_eq!(reply.text().is_empty(), expected == 304);
    }
}

#[tokio::test]
async fn an_id_that_is_none_is_not_found() {
    let server = Server::start().await;
    let token = server.user("u");
    for id in ["x", "%00", "%F0%9F%98%80", "0;drop"] {
        let reply = server
            .get(&format!("{PATH}/{id}"))
            .bearer(&token)
            .send()
            .await;
        reply.assert_problem(404, "not_found");
    }
}
