//! Pulling changes.

use serde_json::{Value, json};

use super::CHANGES;
use crate::suite::documents::PATH;
use crate::suite::server::Server;

async fn pull(server: &Server, token: &str, query: &str) -> Value {
    let reply = server
        .get(&format!("{CHANGES}?{query}"))
        .bearer(token)
        .send()
        .await;
    assert_eq!(reply.status.as_u16(), 200, "{}", reply.text());
    reply.json()
}

fn ids(page: &Value) -> Vec<&str> {
    let changes = page["changes"].as_array().unwrap();
    changes
        .iter()
        .map(|change| change["id"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_device_gets_each_changed_document_once_in_its_latest_state() {
    let server = Server::start().await;
    let token = server.user("u");
    let first = server.create(&token, &json!({"title": "one"})).await;
    let second = server.create(&token, &json!({"title": "two"})).await;
    let path = format!("{PATH}/{first}");
    server
        .put(
            &path,
            &json!({"title": "one again", "tags": ["t"], "content": "c"}),
        )
        .if_match("*")
        .bearer(&token)
        .send()
        .await;
    let page = pull(&server, &token, "").await;
    assert_eq!(ids(&page), [&second, &first]);
    assert_eq!(
        page["changes"][1],
        json!({
            "id": first, "version": 2, "deleted": false, "updatedAt": "2027-01-15T08:00:00Z",
            "document": {
                "title": "one again", "tags": ["t"], "content": "c", "createdAt": "2027-01-15T08:00:00Z",
            },
        })
    );
    assert_eq!(page["more"], false);
    let cursor = page["cursor"].as_str().unwrap();
    let again = pull(&server, &token, &format!("cursor={cursor}")).await;
    assert_eq!(
        again,
        json!({"changes": [], "cursor": cursor, "more": false})
    );
}

#[tokio::test]
async fn a_deleted_document_comes_as_a_tombstone() {
    let server = Server::start().await;
    let token = server.user("u");
    let id = server.create(&token, &json!({"title": "t"})).await;
    let before = pull(&server, &token, "").await;
    server
        .delete(&format!("{PATH}/{id}"))
        .if_match("*")
        .bearer(&token)
        .send()
        .await;
    let cursor = before["cursor"].as_str().unwrap();
    let page = pull(&server, &token, &format!("cursor={cursor}")).await;
    assert_eq!(
        page["changes"],
        json!([{"id": id, "version": 2, "deleted": true, "updatedAt": "2027-01-15T08:00:00Z"}])
    );
}

#[tokio::test]
async fn pages_end_at_their_limit_or_at_4_mib() {
    let server = Server::start().await;
    let token = server.user("u");
    let mut created = Vec::new();
    for _ in 0..5 {
        let large = json!({"content": "x".repeat(1_000_000)});
        created.push(server.create(&token, &large).await);
    }
    let page = pull(&server, &token, "limit=3").await;
    assert_eq!((ids(&page).len(), &page["more"]), (3, &json!(true)));
    let page = pull(&server, &token, "limit=100").await;
    assert_eq!((ids(&page).len(), &page["more"]), (4, &json!(true)));
    let cursor = page["cursor"].as_str().unwrap();
    let page = pull(&server, &token, &format!("cursor={cursor}")).await;
    assert_eq!(ids(&page), [&created[4]]);
    assert_eq!(page["more"], false);
}

#[tokio::test]
async fn a_cursor_is_ones_own_history_only() {
    let server = Server::start().await;
    let alice = server.user("alice");
    server.create(&alice, &json!({})).await;
    let page = pull(&server, &alice, "").await;
    let cursor = page["cursor"].as_str().unwrap();
    let reply = server
        .get(&format!("{CHANGES}?cursor={cursor}"))
        .bearer(&server.user("bob"))
        .send()
        .await;
    reply.assert_problem(410, "cursor_gone");
    let page = pull(&server, &server.user("bob"), "").await;
    assert_eq!(page["changes"], json!([]));
    let reply = server
        .get(&format!("{CHANGES}?cursor=x&limit=x"))
        .bearer(&alice)
        .send()
        .await;
    reply.assert_problem(400, "invalid_query");
}

#[tokio::test]
async fn sync_asks_for_scopes() {
    let server = Server::start().await;
    let token = server.token().scope("write:documents").build();
    let reply = server.get(CHANGES).bearer(&token).send().await;
    assert_eq!(reply.status.as_u16(), 403);
    let token = server.token().scope("read:documents").build();
    let reply = server
        .post(super::PUSH, &json!({"changes": []}))
        .bearer(&token)
        .send()
        .await;
    assert_eq!(reply.status.as_u16(), 403);
}
