//! Searching documents.

use std::time::Duration;

use serde_json::json;

use super::PATH;
use crate::suite::server::Server;

async fn titles(server: &Server, token: &str, query: &str) -> Vec<String> {
    let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
    let reply = server
        .get(&format!("{PATH}?q={query}"))
        .bearer(token)
        .send()
        .await;
    assert_eq!(reply.status.as_u16(), 200, "{}", reply.text());
    let page = reply.json();
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["title"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_search_finds_documents_with_all_its_words_newest_first() {
    let server = Server::start().await;
    let token = server.user("auth0|u");
    for (title, tags, content) in [
        ("Groceries", json!(["home"]), "Milk, eggs; Crème-fraîche."),
        (
            "Travel",
            json!(["home", "café"]),
            "Tickets to Köln for 2027",
        ),
        ("Empty", json!([]), ""),
    ] {
        server
            .create(
                &token,
                &json!({"title": title, "tags": tags, "content": content}),
            )
            .await;
        server.advance(Duration::from_millis(1));
    }
    for (query, expected) in [
        ("milk", vec!["Groceries"]),
        ("MILK eggs", vec!["Groceries"]),
        ("milk tickets", vec![]),
        ("home", vec!["Travel", "Groceries"]),
        ("gro", vec!["Groceries"]),
        ("roceries", vec![]),
        ("crème", vec!["Groceries"]),
        ("fraîche", vec!["Groceries"]),
        ("KÖLN", vec!["Travel"]),
        ("2027", vec!["Travel"]),
        ("café", vec!["Travel"]),
        ("milk OR tickets", vec![]),
        ("title:groceries", vec![]),
        ("\"milk\" & (eggs)", vec!["Groceries"]),
        ("auth0", vec![]),
    ] {
        assert_eq!(titles(&server, &token, query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn what_changed_is_found_by_its_new_words_only_and_what_is_deleted_not_at_all() {
    let server = Server::start().await;
    let token = server.user("u");
    let id = server
        .create(&token, &json!({"title": "t", "content": "before"}))
        .await;
    let path = format!("{PATH}/{id}");
    server
        .put(&path, &json!({"title": "t", "content": "after"}))
        .if_match("*")
        .bearer(&token)
        .send()
        .await;
    assert!(titles(&server, &token, "before").await.is_empty());
    assert_eq!(titles(&server, &token, "after").await, ["t"]);
    server
        .delete(&path)
        .if_match("*")
        .bearer(&token)
        .send()
        .await;
    assert!(titles(&server, &token, "after").await.is_empty());
}

#[tokio::test]
async fn nobody_finds_anothers_documents() {
    let server = Server::start().await;
    server
        .create(&server.user("auth0|alice"), &json!({"title": "secret"}))
        .await;
    for other in ["auth0|bob", "auth0|alice2", "auth0", "alice"] {
        let found = titles(&server, &server.user(other), "secret").await;
        assert!(found.is_empty(), "{other}");
    }
}

#[tokio::test]
async fn pages_of_a_search_go_on_where_the_last_one_ended() {
    let server = Server::start().await;
    let token = server.user("u");
    for number in 0..7 {
        let title = format!("note {number}");
        server.create(&token, &json!({"title": title})).await;
        server.create(&token, &json!({"title": "other"})).await;
        server.advance(Duration::from_millis(1));
    }
    let mut seen = 0;
    let mut query = "q=note&limit=3".to_owned();
    loop {
        let reply = server
            .get(&format!("{PATH}?{query}"))
            .bearer(&token)
            .send()
            .await;
        let page = reply.json();
        seen += page["items"].as_array().unwrap().len();
        match page["nextCursor"].as_str() {
            Some(cursor) => query = format!("q=note&limit=3&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, 7);
}

#[tokio::test]
async fn a_search_without_a_word_is_refused() {
    let server = Server::start().await;
    for query in ["q=", "q=%22%22", "q=a&q=b"] {
        let reply = server
            .get(&format!("{PATH}?{query}"))
            .bearer(&server.user("u"))
            .send()
            .await;
        reply.assert_problem(400, "invalid_query");
    }
}

#[tokio::test]
async fn the_largest_document_of_different_words_can_be_stored() {
    use std::fmt::Write as _;
    let server = Server::start().await;
    let token = server.user("u");
    let mut content = String::new();
    for number in 0_u32.. {
        if content.len() > (1 << 20) - 32 {
            break;
        }
        let _ = write!(content, "ö{number} ");
    }
    server
        .create(&token, &json!({"title": "big", "content": content}))
        .await;
    assert_eq!(titles(&server, &token, "ö17").await, ["big"]);
}
