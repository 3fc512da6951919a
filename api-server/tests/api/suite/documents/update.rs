//! Replacing a document.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;

use super::PATH;
use crate::suite::server::Server;

#[tokio::test]
async fn an_update_replaces_everything_and_names_the_new_version() {
    let server = Server::start().await;
    let token = server.user("u");
    let id = server
        .create(&token, &json!({"title": "old", "tags": ["t"]}))
        .await;
    server.advance(Duration::from_mins(1));
    let path = format!("{PATH}/{id}");
    let reply = server
        .put(&path, &json!({"content": "new"}))
        .if_match("\"1\"")
        .bearer(&token)
        .send()
        .await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.header("etag"), "\"2\"");
    let expected = json!({
        "id": id, "version": 2, "title": "", "tags": [], "content": "new",
        "createdAt": "2027-01-15T08:00:00Z", "updatedAt": "2027-01-15T08:01:00Z",
    });
    assert_eq!(reply.json(), expected);
    assert_eq!(
        server.get(&path).bearer(&token).send().await.json(),
        expected
    );
}

#[tokio::test]
async fn a_change_without_if_match_is_refused() {
    let server = Server::start().await;
    let token = server.user("u");
    let id = server.create(&token, &json!({"title": "kept"})).await;
    let path = format!("{PATH}/{id}");
    for call in [
        server.put(&path, &json!({})),
        server.patch(&path, &json!({"title": null})),
        server.delete(&path),
    ] {
        let reply = call.bearer(&token).send().await;
        reply.assert_problem(428, "precondition_required");
    }
    let reply = server.get(&path).bearer(&token).send().await;
    assert_eq!(reply.json()["title"], "kept");
}

#[tokio::test]
async fn a_change_of_another_version_is_refused_with_the_current_one() {
    let server = Server::start().await;
    let token = server.user("u");
    let id = server.create(&token, &json!({"title": "one"})).await;
    let path = format!("{PATH}/{id}");
    let put = |etag: &'static str, title: &str| {
        server
            .put(&path, &json!({"title": title}))
            .if_match(etag)
            .bearer(&token)
            .send()
    };
    assert_eq!(put("\"1\"", "two").await.status, StatusCode::OK);
    for call in [
        server.put(&path, &json!({})).if_match("\"1\""),
        server.patch(&path, &json!({})).if_match("W/\"2\""),
        server.delete(&path).if_match("\"1\", \"3\""),
    ] {
        let reply = call.bearer(&token).send().await;
        reply.assert_problem(412, "version_mismatch");
        assert_eq!(reply.header("etag"), "\"2\"");
    }
    put("2", "three")
        .await
        .assert_problem(400, "malformed_precondition");
    let reply = server.get(&path).bearer(&token).send().await;
    assert_eq!(reply.json()["title"], "two");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_changes_of_one_version_exactly_one_wins() {
    let server = Server::start().await;
    let token = server.user("u");
    let id = server.create(&token, &json!({})).await;
    let path = format!("{PATH}/{id}");
    let attempts = (0..32).map(|number| {
        server
            .put(&path, &json!({"title": number.to_string()}))
            .if_match("\"1\"")
            .bearer(&token)
            .send()
    });
    let mut statuses: Vec<_> = futures::future::join_all(attempts)
        .await
        .iter()
        .map(|reply| reply.status.as_u16())
        .collect();
    statuses.sort_unstable();
    assert_eq!(statuses[0], 200);
    assert!(
        statuses[1..].iter().all(|status| *status == 412),
        "{statuses:?}"
    );
}
