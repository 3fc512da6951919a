//! Pushing a batch of changes.

use serde_json::{Value, json};

use super::PUSH;
use crate::suite::documents::PATH;
use crate::suite::server::Server;

const ID: &str = "0192f0c1-2345-7000-8000-000000000001";

async fn push(server: &Server, token: &str, changes: Value) -> Vec<Value> {
    let reply = server
        .post(PUSH, &json!({"changes": changes}))
        .bearer(token)
        .send()
        .await;
    assert_eq!(reply.status.as_u16(), 200, "{}", reply.text());
    reply.json()["outcomes"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_batch_is_applied_in_its_order() {
    let server = Server::start().await;
    let token = server.user("u");
    let other = "0192f0c1-2345-7000-8000-000000000002";
    let outcomes = push(
        &server,
        &token,
        json!([
            {"idempotencyKey": "k1", "id": ID, "document": {"title": "one"}},
            {"idempotencyKey": "k2", "id": ID, "baseVersion": 1, "document": {"title": "two"}},
            {"idempotencyKey": "k3", "id": other, "document": {"title": "x"}},
            {"idempotencyKey": "k4", "id": other, "baseVersion": 1, "deleted": true},
        ]),
    )
    .await;
    assert_eq!(
        outcomes,
        [
            json!({"idempotencyKey": "k1", "status": "applied", "version": 1}),
            json!({"idempotencyKey": "k2", "status": "applied", "version": 2}),
            json!({"idempotencyKey": "k3", "status": "applied", "version": 1}),
            json!({"idempotencyKey": "k4", "status": "applied", "version": 2}),
        ]
    );
    let reply = server
        .get(&format!("{PATH}/{ID}"))
        .bearer(&token)
        .send()
        .await;
    assert_eq!(reply.json()["title"], "two");
}

#[tokio::test]
async fn the_same_push_again_is_answered_the_same_and_does_nothing() {
    let server = Server::start().await;
    let token = server.user("u");
    let change = json!([{"idempotencyKey": "k", "id": ID, "document": {"title": "one"}}]);
    let first = push(&server, &token, change.clone()).await;
    push(
        &server,
        &token,
        json!([{"idempotencyKey": "k2", "id": ID, "baseVersion": 1, "document": {"title": "two"}}]),
    )
    .await;
    assert_eq!(push(&server, &token, change).await, first);
    let reply = server
        .get(&format!("{PATH}/{ID}"))
        .bearer(&token)
        .send()
        .await;
    assert_eq!(reply.json()["title"], "two");
    let outcomes = push(
        &server,
        &token,
        json!([{"idempotencyKey": "k", "id": ID, "baseVersion": 2, "document": {}}]),
    )
    .await;
    assert_eq!(outcomes[0]["status"], "invalid");
    assert_eq!(outcomes[0]["errors"][0]["at"], "/idempotencyKey");
}

#[tokio::test]
async fn a_conflict_comes_with_the_servers_copy_and_stops_nothing_else() {
    let server = Server::start().await;
    let token = server.user("u");
    let id = server.create(&token, &json!({"title": "server"})).await;
    let gone = server.create(&token, &json!({})).await;
    server
        .delete(&format!("{PATH}/{gone}"))
        .if_match("*")
        .bearer(&token)
        .send()
        .await;
    let outcomes = push(
        &server,
        &token,
        json!([
            {"idempotencyKey": "k1", "id": id, "document": {"title": "mine"}},
            {"idempotencyKey": "k2", "id": gone, "baseVersion": 1, "document": {"title": "mine"}},
            {"idempotencyKey": "k3", "id": ID, "baseVersion": 4, "document": {}},
            {"idempotencyKey": "k4", "id": ID, "document": {"title": "fine"}},
        ]),
    )
    .await;
    assert_eq!(outcomes[0]["status"], "conflict");
    assert_eq!(outcomes[0]["current"]["version"], 1);
    assert_eq!(outcomes[0]["current"]["document"]["title"], "server");
    assert_eq!(outcomes[1]["status"], "conflict");
    assert_eq!(outcomes[1]["current"]["deleted"], true);
    assert_eq!(
        outcomes[2],
        json!({"idempotencyKey": "k3", "status": "conflict"})
    );
    assert_eq!(outcomes[3]["status"], "applied");
}

#[tokio::test]
async fn a_tombstone_can_be_brought_back_by_who_has_seen_it() {
    let server = Server::start().await;
    let token = server.user("u");
    let id = server.create(&token, &json!({"title": "t"})).await;
    let delete =
        |key: &str| json!([{"idempotencyKey": key, "id": id, "baseVersion": 1, "deleted": true}]);
    assert_eq!(push(&server, &token, delete("a")).await[0]["version"], 2);
    // A second device that deletes it too agrees.
    assert_eq!(
        push(&server, &token, delete("b")).await[0],
        json!({"idempotencyKey": "b", "status": "applied", "version": 2})
    );
    let outcomes = push(
        &server,
        &token,
        json!([{"idempotencyKey": "c", "id": id, "baseVersion": 2, "document": {"title": "back"}}]),
    )
    .await;
    assert_eq!(outcomes[0]["version"], 3);
    let reply = server
        .get(&format!("{PATH}/{id}"))
        .bearer(&token)
        .send()
        .await;
    assert_eq!(reply.json()["title"], "back");
}

#[tokio::test]
async fn wrong_changes_are_told_apart_and_the_rest_is_applied() {
    let server = Server::start().await;
    let token = server.user("u");
    let outcomes = push(
        &server,
        &token,
        json!([
            7,
            {"id": "X", "baseVersion": -1, "document": {"title": 1}},
            {"idempotencyKey": "k", "id": ID, "document": {}, "deleted": true},
            {"idempotencyKey": "k", "id": ID, "document": {"content": "x".repeat((1 << 20) + 1)}},
            {"idempotencyKey": "ok", "id": ID, "document": {}},
        ]),
    )
    .await;
    let places: Vec<Vec<&str>> = outcomes
        .iter()
        .map(|outcome| {
            let errors = outcome["errors"].as_array().into_iter().flatten();
            errors.map(|error| error["at"].as_str().unwrap()).collect()
        })
        .collect();
    assert_eq!(
        places,
        [
            vec![""],
            vec!["/idempotencyKey", "/id", "/baseVersion", "/document/title"],
            vec![""],
            vec!["/document"],
            vec![],
        ]
    );
    assert_eq!(outcomes[4]["status"], "applied");
}

#[tokio::test]
async fn deleting_by_sync_needs_the_scope_too() {
    let server = Server::start().await;
    let id = server.create(&server.user("u"), &json!({})).await;
    let token = server.token().subject("u").scope("write:documents").build();
    let outcomes = push(
        &server,
        &token,
        json!([{"idempotencyKey": "k", "id": id, "baseVersion": 1, "deleted": true}]),
    )
    .await;
    assert_eq!(
        outcomes,
        [json!({"idempotencyKey": "k", "status": "forbidden", "scope": "delete:documents"})]
    );
}

#[tokio::test]
async fn anothers_id_is_free_for_ones_own_document() {
    let server = Server::start().await;
    let (alice, bob) = (server.user("alice"), server.user("bob"));
    let change =
        |title: &str| json!([{"idempotencyKey": "k", "id": ID, "document": {"title": title}}]);
    assert_eq!(push(&server, &alice, change("a")).await[0]["version"], 1);
    assert_eq!(push(&server, &bob, change("b")).await[0]["version"], 1);
    let reply = server
        .get(&format!("{PATH}/{ID}"))
        .bearer(&alice)
        .send()
        .await;
    assert_eq!(reply.json()["title"], "a");
}

#[tokio::test]
async fn a_batch_has_a_limit() {
    let server = Server::start().await;
    let token = server.user("u");
    for body in [
        json!({"changes": vec![json!({}); 101]}),
        json!({"changes": {}}),
        json!({}),
        json!({"changes": [], "more": 1}),
    ] {
        let reply = server.post(PUSH, &body).bearer(&token).send().await;
        reply.assert_problem(422, "invalid_content");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_push_from_many_connections_is_applied_once() {
    let server = Server::start().await;
    let replica = server.replica().await;
    let token = server.user("u");
    let body = json!({"changes": [{"idempotencyKey": "k", "id": ID, "document": {}}]});
    let calls = (0..16).map(|number| {
        let server = if number % 2 == 0 { &server } else { &replica };
        server.post(PUSH, &body).bearer(&token).send()
    });
    for reply in futures::future::join_all(calls).await {
        assert_eq!(
            reply.json()["outcomes"],
            json!([{"idempotencyKey": "k", "status": "applied", "version": 1}])
        );
    }
}
