//! `/api/v1/profile`: what is known here, what the provider is told, and what happens while it can't be.

use std::time::Duration;

use auth0_sim::{
    Auth0Sim, Fault, M2M_CLIENT_ID, M2M_CLIENT_SECRET, Options, ROLES_CLAIM, TOKEN_PATH, USER_PATH,
};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::server::{Reply, Server};

const PATH: &str = "/api/v1/profile";
const USER: &str = "auth0|ada";
const SETTINGS: [(&str, &str); 2] = [
    ("API_MANAGEMENT_CLIENT_ID", M2M_CLIENT_ID),
    ("API_MANAGEMENT_CLIENT_SECRET", M2M_CLIENT_SECRET),
];

async fn start() -> Server {
    let tenant = Auth0Sim::start(Options::default()).await.unwrap();
    tenant.add_user(
        USER,
        &json!({"email": "ada@example.com", "email_verified": true, "name": "Ada",
            "picture": "https://pictures.example/ada.png", "logins_count": 3}),
    );
    let server = Server::start_with(tenant, &SETTINGS).await;
    server.until_ready().await;
    server
}

async fn profile(server: &Server) -> Value {
    let reply = server.get(PATH).bearer(&server.user(USER)).send().await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    reply.json()
}

async fn edit(server: &Server, patch: &Value) -> Reply {
    server
        .patch(PATH, patch)
        .bearer(&server.user(USER))
        .send()
        .await
}

/// What the provider calls the user.
fn there(server: &Server) -> Value {
    server.tenant.user(USER).unwrap()["name"].clone()
}

/// Lets time pass until the profile's state is `state`.
async fn until(server: &Server, state: &str) -> Value {
    for _ in 0..1_000 {
        let profile = profile(server).await;
        if profile["provider"] == state {
            return profile;
        }
        server.advance(Duration::from_secs(5));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never {state}");
}

#[tokio::test]
async fn any_valid_token_makes_its_user() {
    let server = start().await;
    let users = async || -> Vec<(String,)> {
        let mut connection = server.app.database.read().await.unwrap();
        connection
            .fetch_all("SELECT subject FROM users ORDER BY subject", &[])
            .await
            .unwrap()
    };
    let nobody = server.token().subject("auth0|x").expired_by(61).build();
    server.get("/api/v1/documents").bearer(&nobody).send().await;
    assert!(users().await.is_empty());
    let reader = server.user("auth0|reader");
    for _ in 0..2 {
        server.get("/api/v1/documents").bearer(&reader).send().await;
    }
    // A token without the scope of the route is one of a user all the same.
    let other = server.token().subject("auth0|other").scope("").build();
    let reply = server.get(PATH).bearer(&other).send().await;
    assert_eq!(reply.status, StatusCode::FORBIDDEN);
    let expected = ["auth0|other", "auth0|reader"].map(|subject| (subject.to_owned(),));
    assert_eq!(users().await, expected);
}

#[tokio::test]
async fn a_profile_is_what_the_provider_knows_and_the_roles_of_the_token() {
    let server = start().await;
    let token = server
        .token()
        .subject(USER)
        .claim(ROLES_CLAIM, json!(["editor", 7, "", "admin"]))
        .build();
    let reply = server.get(PATH).bearer(&token).send().await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    assert_eq!(
        reply.json(),
        json!({"subject": USER, "email": "ada@example.com", "emailVerified": true, "name": "Ada",
            "picture": "https://pictures.example/ada.png", "roles": ["editor", "admin"],
            "createdAt": "2027-01-15T08:00:00Z", "updatedAt": "2027-01-15T08:00:00Z",
            "provider": "synced"})
    );
    // It was asked once; from then on the answer is here.
    profile(&server).await;
    assert_eq!(server.tenant.requests(USER_PATH).count, 1);
    for claim in [json!("admin"), json!({"admin": true}), json!(null)] {
        let token = server.token().subject(USER).claim(ROLES_CLAIM, claim);
        let reply = server.get(PATH).bearer(&token.build()).send().await;
        assert_eq!(reply.json()["roles"], json!([]));
    }
}

#[tokio::test]
async fn an_edit_is_at_the_provider_when_it_is_answered() {
    let server = start().await;
    let reply = edit(&server, &json!({"name": "Ada L."})).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    assert_eq!(reply.json()["name"], "Ada L.");
    assert_eq!(reply.json()["provider"], "synced");
    assert_eq!(reply.json()["email"], "ada@example.com");
    assert_eq!(there(&server), "Ada L.");
    let nothing = edit(&server, &json!({})).await;
    assert_eq!(nothing.status, StatusCode::OK);
    edit(&server, &json!({"email": "x@example.com", "name": null}))
        .await
        .assert_problem(422, "invalid_content");
    assert_eq!(there(&server), "Ada L.");
}

#[tokio::test]
async fn what_passes_is_tried_again_within_the_request() {
    for fault in [
        Fault::Status(503),
        Fault::TooManyRequests(0),
        Fault::Close,
        Fault::Html,
    ] {
        let server = start().await;
        profile(&server).await;
        server.tenant.fault_times(USER_PATH, fault.clone(), 2);
        let reply = edit(&server, &json!({"name": "Again"})).await;
        assert_eq!(reply.status, StatusCode::OK, "{fault:?}: {}", reply.text());
        assert_eq!(reply.json()["provider"], "synced");
        assert_eq!(there(&server), "Again");
        assert_eq!(server.tenant.requests(USER_PATH).count, 4);
    }
}

#[tokio::test]
async fn an_outage_is_answered_honestly_and_made_good_later_even_by_another_process() {
    let server = start().await;
    profile(&server).await;
    server.tenant.fault(USER_PATH, Fault::Status(500));
    let reply = edit(&server, &json!({"name": "Countess"})).await;
    assert_eq!(reply.status, StatusCode::ACCEPTED, "{}", reply.text());
    assert_eq!(reply.json()["provider"], "pending");
    assert_eq!(reply.json()["name"], "Countess");
    assert_eq!(there(&server), "Ada");
    // A second edit during the outage adds to the first, and does not wait for the provider again.
    let asked = server.tenant.requests(USER_PATH).count;
    let reply = edit(
        &server,
        &json!({"picture": "https://pictures.example/2.png"}),
    )
    .await;
    assert_eq!(reply.status, StatusCode::ACCEPTED);
    assert!(server.tenant.requests(USER_PATH).count <= asked + 1);
    let metrics = server.internal(Method::GET, "/metrics").send().await.text();
    assert!(metrics.contains("profile_updates_pending 1"), "{metrics}");
    // What the provider says of itself at a login does not undo what it has not heard of yet.
    let told = json!({"user_id": USER, "name": "Ada", "email": "new@example.com"});
    let settings: Vec<_> = SETTINGS
        .into_iter()
        .chain([("API_INTERNAL_TOKEN", TOKEN)])
        .collect();
    let replica = server.replica_with(&settings).await;
    let reply = replica
        .internal(Method::POST, "/internal/auth/sync-user")
        .json(&told)
        .bearer(TOKEN)
        .send()
        .await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT, "{}", reply.text());
    let pending = profile(&replica).await;
    assert_eq!(pending["name"], "Countess");
    assert_eq!(pending["email"], "new@example.com");
    // The process that took the edit is gone: another one sends it.
    server.app.database.close().await;
    drop(server);
    replica.tenant.clear_faults();
    let done = until(&replica, "synced").await;
    assert_eq!(done["name"], "Countess");
    let there = replica.tenant.user(USER).unwrap();
    assert_eq!(there["name"], "Countess");
    assert_eq!(there["picture"], "https://pictures.example/2.png");
}

const TOKEN: &str = "an-internal-token-of-a-test-0123456789";

#[tokio::test]
async fn the_provider_is_not_asked_before_the_time_it_names() {
    let server = start().await;
    profile(&server).await;
    server.tenant.fault(USER_PATH, Fault::TooManyRequests(120));
    let reply = edit(&server, &json!({"name": "Later"})).await;
    assert_eq!(reply.status, StatusCode::ACCEPTED);
    let asked = server.tenant.requests(USER_PATH).count;
    server.tenant.clear_faults();
    server.advance(Duration::from_secs(100));
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(server.tenant.requests(USER_PATH).count, asked);
    until(&server, "synced").await;
    assert_eq!(there(&server), "Later");
}

#[tokio::test]
async fn what_the_provider_refuses_is_said_and_not_tried_again() {
    let server = start().await;
    let social = "google-oauth2|7";
    server.tenant.add_user(social, &json!({"name": "Grace"}));
    let token = server.user(social);
    let edit = server.patch(PATH, &json!({"name": "Admiral"}));
    let reply = edit.bearer(&token).send().await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    assert_eq!(reply.json()["provider"], "refused");
    let asked = server.tenant.requests(USER_PATH).count;
    server.advance(Duration::from_hours(1));
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(server.tenant.requests(USER_PATH).count, asked);
}

#[tokio::test]
async fn the_management_token_is_fetched_once_and_renewed_before_it_expires_or_when_it_is_refused()
{
    let server = start().await;
    let tokens = || server.tenant.requests(TOKEN_PATH).count;
    for name in ["One", "Two", "Three"] {
        edit(&server, &json!({"name": name})).await;
    }
    assert_eq!(tokens(), 1);
    // It lives for a day; in its last tenth it is replaced.
    server.advance(Duration::from_hours(21));
    edit(&server, &json!({"name": "Four"})).await;
    assert_eq!(tokens(), 1);
    server.advance(Duration::from_hours(1));
    server.until_ready().await;
    edit(&server, &json!({"name": "Five"})).await;
    assert_eq!(tokens(), 2);
    server.tenant.revoke_management_tokens();
    let reply = edit(&server, &json!({"name": "Six"})).await;
    assert_eq!(reply.json()["provider"], "synced", "{}", reply.text());
    assert_eq!((tokens(), there(&server)), (3, json!("Six")));
    // Credentials nobody takes any more are an operator's matter: the edit waits.
    server.tenant.revoke_management_tokens();
    server.tenant.fault(TOKEN_PATH, Fault::Status(401));
    let reply = edit(&server, &json!({"name": "Seven"})).await;
    assert_eq!(reply.status, StatusCode::ACCEPTED);
    server.tenant.clear_faults();
    until(&server, "synced").await;
    assert_eq!(there(&server), "Seven");
}

#[tokio::test]
async fn a_slow_provider_costs_a_request_its_patience_and_no_more() {
    let server = start().await;
    profile(&server).await;
    // So slow that an answer to us is no answer of theirs.
    server.tenant.fault(USER_PATH, Fault::DelayMs(3_600_000));
    let reply = edit(&server, &json!({"name": "Slow"})).await;
    assert_eq!(reply.status, StatusCode::ACCEPTED);
    // The next one does not even ask.
    let asked = server.tenant.requests(USER_PATH).count;
    let reply = edit(&server, &json!({"name": "Slower"})).await;
    assert_eq!(reply.status, StatusCode::ACCEPTED);
    assert_eq!(server.tenant.requests(USER_PATH).count, asked);
    server.tenant.clear_faults();
    until(&server, "synced").await;
    assert_eq!(there(&server), "Slower");
}

#[tokio::test]
async fn a_subject_can_name_no_other_place_at_the_provider() {
    let server = start().await;
    for subject in ["..", "auth0|a/../b", "auth0|a?x=y", "auth0|a%2f..%2fb#f"] {
        server.tenant.add_user(subject, &json!({"name": "Old"}));
        let token = server.user(subject);
        let reply = server.get(PATH).bearer(&token).send().await;
        assert_eq!(reply.status, StatusCode::OK, "{subject}");
        let name = &reply.json()["name"];
        let expected = if subject == ".." {
            json!(null)
        } else {
            json!("Old")
        };
        assert_eq!(*name, expected, "{subject}");
    }
    assert_eq!(server.tenant.requests("other").count, 0);
}

#[tokio::test]
async fn without_the_management_api_an_edit_is_kept_here() {
    let server = Server::start().await;
    assert_eq!(profile(&server).await["provider"], "unknown");
    let reply = edit(&server, &json!({"name": "Here"})).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.json()["provider"], "local");
    assert_eq!(profile(&server).await["name"], "Here");
    // Configured later, the provider hears of it.
    server.tenant.add_user(USER, &json!({"name": "Ada"}));
    let later = server.replica_with(&SETTINGS).await;
    until(&later, "synced").await;
    assert_eq!(there(&later), "Here");
}
