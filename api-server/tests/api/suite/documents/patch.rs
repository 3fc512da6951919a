//! Patching a document.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::PATH;
use crate::suite::server::Server;

#[tokio::test]
async fn a_patch_changes_what_it_names_and_nothing_else() {
    let server = Server::start().await;
    let token = server.user("u");
    let id = server
        .create(
            &token,
            &json!({"title": "t", "tags": ["a"], "content": "c"}),
        )
        .await;
    let path = format!("{PATH}/{id}");
    let reply = server
        .patch(&path, &json!({"title": "new", "tags": null}))
        .if_match("\"1\"")
        .bearer(&token)
        .send()
        .await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.header("etag"), "\"2\"");
    let document = reply.json();
    assert_eq!(document["title"], "new");
    assert_eq!(document["tags"], json!([]));
    assert_eq!(document["content"], "c");
}

#[tokio::test]
async fn what_a_patch_makes_is_checked_like_a_new_document() {
    let server = Server::start().await;
    let token = server.user("u");
    let id = server.create(&token, &json!({})).await;
    let path = format!("{PATH}/{id}");
    let cases: [(Value, &str); 4] = [
        (json!({"title": 1}), "/title"),
        (json!({"id": "other"}), "/id"),
        (json!({"version": 9}), "/version"),
        (json!({"tags": {"a": 1}}), "/tags"),
    ];
    for (patch, place) in cases {
        let reply = server
            .patch(&path, &patch)
            .if_match("*")
            .bearer(&token)
            .send()
            .await;
        let problem = reply.assert_problem(422, "invalid_content");
        assert_eq!(problem["errors"][0]["at"], place);
    }
}

#[tokio::test]
async fn both_media_types_of_a_patch_are_read() {
    let server = Server::start().await;
    let token = server.user("u");
    let id = server.create(&token, &json!({})).await;
    for (media_type, expected) in [
        ("application/merge-patch+json", 200),
        ("application/json", 200),
        ("application/json-patch+json", 415),
    ] {
        let reply = server
            .request(axum::http::Method::PATCH, &format!("{PATH}/{id}"))
            .header("content-type", media_type)
            .body("{\"title\": \"x\"}")
            .if_match("*")
            .bearer(&token)
            .send()
            .await;
        assert_eq!(reply.status.as_u16(), expected, "{media_type}");
    }
}
