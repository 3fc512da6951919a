//! Listing documents, page by page.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::PATH;
use crate::suite::server::Server;

async fn page(server: &Server, token: &str, query: &str) -> (Vec<String>, Option<String>) {
    let reply = server
        .get(&format!("{PATH}?{query}"))
        .bearer(token)
        .send()
        .await;
    let page = reply.json();
    let items = page["items"].as_array().unwrap_or_else(|| panic!("{page}"));
    let ids = items
        .iter()
        .map(|item| item["id"].as_str().unwrap().to_owned());
    (
        ids.collect(),
        page["nextCursor"].as_str().map(str::to_owned),
    )
}

#[tokio::test]
async fn a_list_has_everything_but_the_content_newest_first() {
    let server = Server::start().await;
    let token = server.user("u");
    server
        .create(&token, &json!({"title": "one", "content": "12345"}))
        .await;
    server.advance(Duration::from_millis(1));
    let second = server
        .create(&token, &json!({"title": "two", "tags": ["x"]}))
        .await;
    let reply = server.get(PATH).bearer(&token).send().await;
    let page = reply.json();
    assert_eq!(page["nextCursor"], Value::Null);
    assert_eq!(
        page["items"][0],
        json!({
            "id": second, "version": 1, "title": "two", "tags": ["x"], "sizeBytes": 4,
            "createdAt": "2027-01-15T08:00:00.001Z", "updatedAt": "2027-01-15T08:00:00.001Z",
        })
    );
    assert_eq!(page["items"][1]["title"], "one");
    assert_eq!(page["items"][1]["sizeBytes"], 8);
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn pages_cover_a_list_once_whatever_is_inserted_or_deleted_meanwhile() {
    let server = Server::start().await;
    let token = server.user("u");
    let mut expected = Vec::new();
    for number in 0..25 {
        // Every third shares its millisecond with the one before: the id tells them apart.
        server.advance(Duration::from_millis(u64::from(number % 3 != 0)));
        expected.push(server.create(&token, &json!({})).await);
    }
    let mut seen = Vec::new();
    let mut query = "limit=4".to_owned();
    loop {
        let (ids, next) = page(&server, &token, &query).await;
        seen.extend(ids);
        server.advance(Duration::from_millis(1));
        server.create(&token, &json!({"title": "later"})).await;
        let path = format!("{PATH}/{}", seen[0]);
        server
            .delete(&path)
            .if_match("*")
            .bearer(&token)
            .send()
            .await;
        match next {
            Some(cursor) => query = format!("limit=4&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 25);
    assert_eq!(
        seen.into_iter().collect::<BTreeSet<_>>(),
        expected.into_iter().collect()
    );
}

#[tokio::test]
async fn a_list_shows_no_ones_documents_but_ones_own() {
    let server = Server::start().await;
    let mine = server.create(&server.user("alice"), &json!({})).await;
    server.create(&server.user("bob"), &json!({})).await;
    let (ids, _) = page(&server, &server.user("alice"), "").await;
    assert_eq!(ids, [mine]);
    let (ids, _) = page(&server, &server.user("carol"), "").await;
    assert!(ids.is_empty());
}

#[tokio::test]
async fn wrong_parameters_are_all_named() {
    let server = Server::start().await;
    let reply = server
        .get(&format!("{PATH}?limit=0&cursor=nope&sort=up&sort=down"))
        .bearer(&server.user("u"))
        .send()
        .await;
    let problem = reply.assert_problem(400, "invalid_query");
    let places: Vec<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["at"].as_str().unwrap())
        .collect();
    assert_eq!(places, ["limit", "cursor", "sort", "sort"]);
}
