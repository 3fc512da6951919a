//! Deleting a document.

use axum::http::StatusCode;
use serde_json::json;

use super::PATH;
use crate::suite::server::Server;

#[tokio::test]
async fn a_deleted_document_is_gone_for_every_method() {
    let server = Server::start().await;
    let token = server.user("u");
    let id = server.create(&token, &json!({"content": "secret"})).await;
    let path = format!("{PATH}/{id}");
    let reply = server
        .delete(&path)
        .if_match("\"1\"")
        .bearer(&token)
        .send()
        .await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT);
    assert_eq!(reply.text(), "");
    for call in [
        server.get(&path),
        server.put(&path, &json!({})).if_match("*"),
        server.patch(&path, &json!({})).if_match("*"),
        server.delete(&path).if_match("*"),
    ] {
        let reply = call.bearer(&token).send().await;
        reply.assert_problem(404, "not_found");
    }
    let list = server.get(PATH).bearer(&token).send().await.json();
    assert_eq!(list["items"], json!([]));
}

#[tokio::test]
async fn a_tombstone_keeps_no_text() {
    let server = Server::start().await;
    let token = server.user("u");
    let id = server
        .create(
            &token,
            &json!({"title": "t", "tags": ["x"], "content": "c"}),
        )
        .await;
    server
        .delete(&format!("{PATH}/{id}"))
        .if_match("*")
        .bearer(&token)
        .send()
        .await;
    let mut connection = server.app.database.read().await.unwrap();
    let row: (i64, i64, String, String, String) = connection
        .fetch_one(
            "SELECT version, size_bytes, title, tags, content FROM documents WHERE id = $1",
            api_server::args![&id],
        )
        .await
        .unwrap();
    assert_eq!(row, (2, 0, String::new(), "[]".to_owned(), String::new()));
}
