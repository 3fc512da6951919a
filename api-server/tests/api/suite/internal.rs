//! The internal listener: the provider's Action and log stream, and what the edge is told.

use std::time::Duration;

use auth0_sim::{Auth0Sim, Options};
use axum::http::{Method, StatusCode};
use edge_auth_policy::revocation::feed;
use serde_json::{Value, json};

use super::server::{Call, Server};

const TOKEN: &str = "an-internal-token-of-a-test-0123456789";

async fn start() -> Server {
    let tenant = Auth0Sim::start(Options::default()).await.unwrap();
    let server = Server::start_with(tenant, &[("API_INTERNAL_TOKEN", TOKEN)]).await;
    server.until_ready().await;
    server
}

fn post(server: &Server, path: &str, body: &Value) -> Call {
    server.internal(Method::POST, path).json(body).bearer(TOKEN)
}

/// A page of the feed, read by the edge's own parser.
async fn feed(server: &Server, cursor: Option<&str>) -> feed::Page {
    let path = cursor.map_or("/internal/edge/feed".to_owned(), |cursor| {
        format!("/internal/edge/feed?cursor={cursor}")
    });
    let reply = server.internal(Method::GET, &path).send().await;
    assert_eq!(reply.status, StatusCode::OK);
    feed::parse(reply.text().as_bytes()).unwrap_or_else(|_| panic!("{}", reply.text()))
}

fn failure(number: u32, email: &str, address: &str) -> Value {
    json!({"log_id": format!("log-{email}-{number}"),
        "data": {"type": "fp", "user_name": email, "ip": address, "date": "2027-01-15T08:00:00Z"}})
}

#[tokio::test]
async fn five_failed_logins_of_one_email_block_the_address_for_half_an_hour() {
    let server = start().await;
    let nothing = feed(&server, None).await;
    assert!(nothing.snapshot && nothing.entries.is_empty());
    for number in 0..4 {
        let event = failure(number, "User@example.com", "203.0.113.7");
        // Sent twice, as at-least-once delivery does: it counts once.
        for _ in 0..2 {
            let reply = post(&server, "/internal/auth0/logs", &json!([event]))
                .send()
                .await;
            assert_eq!(reply.status, StatusCode::NO_CONTENT, "{}", reply.text());
        }
    }
    let others = json!([
        failure(0, "other@example.com", "203.0.113.8"),
        {"log_id": "s", "data": {"type": "s", "user_name": "user@example.com", "ip": "203.0.113.9"}},
        {"log_id": "x"},
        {"log_id": "y", "data": {"type": "fp", "user_name": "user@example.com", "ip": "nowhere"}},
    ]);
    post(&server, "/internal/auth0/logs", &others).send().await;
    assert!(
        feed(&server, Some(&nothing.cursor))
            .await
            .entries
            .is_empty()
    );
    let fifth = failure(4, "user@EXAMPLE.com ", "2001:db8::7");
    post(&server, "/internal/auth0/logs", &json!([fifth]))
        .send()
        .await;
    let page = feed(&server, Some(&nothing.cursor)).await;
    assert!(!page.snapshot && !page.more);
    assert_eq!(page.entries.len(), 1);
    let blocked = feed::Revoked::Address("2001:db8::7".parse().unwrap());
    assert_eq!(page.entries[0].subject, blocked);
    assert_eq!(
        page.entries[0].expires_at.as_secs(),
        super::server::START + 1_800
    );
    let again = feed(&server, Some(&page.cursor)).await;
    assert_eq!((&again.cursor, again.entries.len()), (&page.cursor, 0));
    server.advance(Duration::from_secs(1_800));
    assert!(feed(&server, None).await.entries.is_empty());
}

#[tokio::test]
async fn failed_logins_and_blocks_are_audited_and_counted() {
    let server = start().await;
    for number in 0..5 {
        let mut event = failure(number, "u@example.com", "203.0.113.7");
        event["data"]["user_id"] = "auth0|u".into();
        event["data"]["user_agent"] = "Thief/1.0".into();
        post(&server, "/internal/auth0/logs", &json!([event]))
            .send()
            .await;
    }
    // What no database column takes is not for us; the stream goes on.
    let odd = json!([{"log_id": "x\u{0}", "data": {"type": "fp", "user_name": "u\u{0}", "ip": "203.0.113.7"}}]);
    let reply = post(&server, "/internal/auth0/logs", &odd).send().await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT, "{}", reply.text());
    let mut connection = server.app.database.read().await.unwrap();
    let rows: Vec<(String, String, String, String, String)> = connection
        .fetch_all(
            "SELECT event, outcome, subject, address, user_agent FROM audit_events ORDER BY id",
            &[],
        )
        .await
        .unwrap();
    let row = |event: &str, outcome: &str| {
        [event, outcome, "auth0|u", "203.0.113.7", "Thief/1.0"].map(str::to_owned)
    };
    let rows: Vec<_> = rows
        .into_iter()
        .map(|(a, b, c, d, e)| [a, b, c, d, e])
        .collect();
    assert_eq!(rows[..5], vec![row("failed_login", "wrong_password"); 5]);
    assert_eq!(rows[5..], [row("address_blocked", "failed_logins")]);
    let metrics = server.internal(Method::GET, "/metrics").send().await.text();
    for line in [
        "auth_events_total{event=\"failed_login\",outcome=\"wrong_password\"} 5",
        "auth_events_total{event=\"address_blocked\",outcome=\"failed_logins\"} 1",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
}

#[tokio::test]
async fn failures_more_than_an_hour_apart_block_nobody() {
    let server = start().await;
    for number in 0..8 {
        let event = failure(number, "user@example.com", "203.0.113.7");
        post(&server, "/internal/auth0/logs", &json!([event]))
            .send()
            .await;
        server.advance(Duration::from_mins(16));
    }
    assert!(feed(&server, None).await.entries.is_empty());
}

#[tokio::test]
async fn a_batch_may_be_lines_and_what_is_neither_is_refused() {
    let server = start().await;
    let lines: Vec<_> = (0..5)
        .map(|number| failure(number, "u@example.com", "203.0.113.7").to_string())
        .collect();
    let send = |body: String| {
        server
            .internal(Method::POST, "/internal/auth0/logs")
            .bearer(TOKEN)
            .body(body)
            .send()
    };
    assert_eq!(send(lines.join("\n")).await.status, StatusCode::NO_CONTENT);
    assert_eq!(feed(&server, None).await.entries.len(), 1);
    send("[{".to_owned())
        .await
        .assert_problem(400, "malformed_body");
    send(" ".to_owned())
        .await
        .assert_problem(400, "malformed_body");
    send("{\"a\": 1} x".to_owned())
        .await
        .assert_problem(400, "malformed_body");
}

#[tokio::test]
async fn a_cursor_the_server_does_not_know_gets_a_snapshot() {
    let server = start().await;
    for cursor in ["9.0", "1.5", "x", "1", "1.-1.2"] {
        assert!(feed(&server, Some(cursor)).await.snapshot, "{cursor}");
    }
    assert!(!feed(&server, Some("1.0")).await.snapshot);
}

#[tokio::test]
async fn what_is_lifted_makes_every_older_cursor_get_a_snapshot() {
    let server = start().await;
    for number in 0..5 {
        let event = failure(number, "u@example.com", "203.0.113.7");
        post(&server, "/internal/auth0/logs", &json!([event]))
            .send()
            .await;
    }
    let blocked = feed(&server, None).await;
    assert_eq!(blocked.entries.len(), 1);
    let lifted = server
        .app
        .database
        .write(|tx| Box::pin(api_server::feed::store::lift(tx, "address", "203.0.113.7")))
        .await;
    assert!(lifted.unwrap());
    let page = feed(&server, Some(&blocked.cursor)).await;
    assert!(page.snapshot && page.entries.is_empty());
}

#[tokio::test]
async fn a_user_who_logs_in_is_kept_and_kept_up_to_date() {
    let server = start().await;
    for (name, verified) in [("Old", false), ("New", true)] {
        let body = json!({"user_id": "auth0|u", "email": "u@example.com", "email_verified": verified,
            "name": name, "picture": null, "logins_count": 3});
        let reply = post(&server, "/internal/auth/sync-user", &body)
            .send()
            .await;
        assert_eq!(reply.status, StatusCode::NO_CONTENT, "{}", reply.text());
    }
    let mut connection = server.app.database.read().await.unwrap();
    let rows: Vec<(String, String, i64)> = connection
        .fetch_all("SELECT subject, name, email_verified FROM users", &[])
        .await
        .unwrap();
    assert_eq!(rows, [("auth0|u".to_owned(), "New".to_owned(), 1)]);
    for body in [
        json!({}),
        json!({"user_id": ""}),
        json!({"user_id": "u", "name": 7}),
    ] {
        let reply = post(&server, "/internal/auth/sync-user", &body)
            .send()
            .await;
        reply.assert_problem(422, "invalid_content");
    }
}

#[tokio::test]
async fn the_internal_token_is_asked_for_and_nothing_else_will_do() {
    let server = start().await;
    let body = json!({"user_id": "auth0|u"});
    for path in ["/internal/auth/sync-user", "/internal/auth0/logs"] {
        let call = || server.internal(Method::POST, path).json(&body);
        for call in [
            call(),
            call().bearer(""),
            call().bearer(&TOKEN[1..]),
            call().bearer(&format!("{TOKEN}x")),
            call().bearer(&server.user("auth0|u")),
            call().header("authorization", TOKEN),
        ] {
            assert_eq!(call.send().await.status, StatusCode::UNAUTHORIZED, "{path}");
        }
        let public = server.post(path, &body).bearer(TOKEN).send().await;
        public.assert_problem(404, "not_found");
    }
    let without = Server::start().await;
    let reply = post(&without, "/internal/auth/sync-user", &body)
        .send()
        .await;
    reply.assert_problem(404, "not_found");
}

#[tokio::test]
async fn what_nobody_needs_is_pruned_and_the_rest_stays() {
    let server = start().await;
    for number in 0..5 {
        let event = failure(number, "u@example.com", "203.0.113.7");
        post(&server, "/internal/auth0/logs", &json!([event]))
            .send()
            .await;
    }
    let token = server.user("u");
    server.create(&token, &json!({"title": "kept"})).await;
    let prune = || api_server::maintenance::prune(&server.app.database, server.app.now());
    assert_eq!(prune().await.unwrap(), 0);
    server.advance(Duration::from_hours(1));
    // Five failures and the block they led to.
    assert_eq!(prune().await.unwrap(), 6);
    let reply = server
        .get("/api/v1/documents")
        .bearer(&server.user("u"))
        .send()
        .await;
    assert_eq!(reply.json()["items"][0]["title"], "kept");
}
