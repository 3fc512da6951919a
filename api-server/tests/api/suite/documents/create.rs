//! Creating a document.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::PATH;
use crate::suite::server::Server;

#[tokio::test]
async fn a_created_document_is_answered_with_its_place_and_its_tag() {
    let server = Server::start().await;
    let body = json!({"title": "Notes", "tags": ["a", "b"], "content": "# Hello"});
    let reply = server
        .post(PATH, &body)
        .bearer(&server.user("u"))
        .send()
        .await;
    assert_eq!(reply.status, StatusCode::CREATED);
    let document = reply.json();
    let id = document["id"].as_str().unwrap();
    assert_eq!(reply.header("location"), format!("{PATH}/{id}"));
    assert_eq!(reply.header("etag"), "\"1\"");
    assert_eq!(
        document,
        json!({
            "id": id, "version": 1, "title": "Notes", "tags": ["a", "b"], "content": "# Hello",
            "createdAt": "2027-01-15T08:00:00Z", "updatedAt": "2027-01-15T08:00:00Z",
        })
    );
}

#[tokio::test]
async fn members_left_out_are_empty() {
    let server = Server::start().await;
    let reply = server
        .post(PATH, &json!({}))
        .bearer(&server.user("u"))
        .send()
        .await;
    let document = reply.json();
    assert_eq!(document["title"], "");
    assert_eq!(document["tags"], json!([]));
    assert_eq!(document["content"], "");
}

#[tokio::test]
async fn content_that_is_not_acceptable_is_refused_with_every_place() {
    let server = Server::start().await;
    let body = json!({"title": "a\nb", "tags": ["", 1], "content": 7, "owner": "other", "a/b": 1});
    let reply = server
        .post(PATH, &body)
        .bearer(&server.user("u"))
        .send()
        .await;
    let problem = reply.assert_problem(422, "invalid_content");
    let places: Vec<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["at"].as_str().unwrap())
        .collect();
    assert_eq!(
        places,
        ["/content", "/tags", "/title", "/a~1b", "/owner"],
        "{problem}"
    );
}

#[tokio::test]
async fn every_limit_of_a_document_is_checked() {
    let server = Server::start().await;
    let token = server.user("u");
    let cases: [(Value, u16); 8] = [
        (json!({"title": "é".repeat(500)}), 201),
        (json!({"title": "é".repeat(501)}), 422),
        (json!({"tags": vec!["t"; 32]}), 201),
        (json!({"tags": vec!["t"; 33]}), 422),
        (json!({"tags": ["t".repeat(65)]}), 422),
        (json!({"content": "nul \u{0}"}), 422),
        (json!({"content": "x".repeat(1 << 20)}), 201),
        (json!({"content": "x".repeat((1 << 20) + 1)}), 413),
    ];
    for (body, expected) in cases {
        let reply = server.post(PATH, &body).bearer(&token).send().await;
        assert_eq!(reply.status.as_u16(), expected, "{}", reply.text());
    }
}

#[tokio::test]
async fn a_document_over_1_mib_is_refused_with_the_limit() {
    let server = Server::start().await;
    let token = server.user("u");
    for (content, limit) in [((1 << 20) + 1, 1 << 20), (3 << 20, 2 << 20)] {
        let body = json!({"content": "x".repeat(content)});
        let reply = server.post(PATH, &body).bearer(&token).send().await;
        let problem = reply.assert_problem(413, "too_large");
        assert_eq!(problem["detail"], format!("at most {limit} bytes"));
    }
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused() {
    let server = Server::start().await;
    let token = server.user("u");
    let post = |content_type: &str, body: &str| {
        server
            .request(axum::http::Method::POST, PATH)
            .bearer(&token)
            .header("content-type", content_type)
            .body(body)
            .send()
    };
    post("application/json", "{\"title\": ")
        .await
        .assert_problem(400, "malformed_body");
    post("application/json", "[]")
        .await
        .assert_problem(422, "invalid_content");
    post("text/plain", "{}")
        .await
        .assert_problem(415, "unsupported_media_type");
    post("application/json; charset=utf-8", "\u{7f}{}")
        .await
        .assert_problem(400, "malformed_body");
}

#[tokio::test]
async fn deep_json_is_refused_and_overflows_nothing() {
    let server = Server::start().await;
    let reply = server
        .request(axum::http::Method::POST, PATH)
        .bearer(&server.user("u"))
        .header("content-type", "application/json")
        .body(format!("{{\"tags\": {}", "[".repeat(1_000_000)))
        .send()
        .await;
    reply.assert_problem(400, "malformed_body");
}
