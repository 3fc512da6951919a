//! The simulated Management API: tokens of its own, users, and refusals as Auth0 words them.

use auth0_sim::{
    Auth0Sim, Fault, M2M_CLIENT_ID, M2M_CLIENT_SECRET, Options, TOKEN_PATH, USER_PATH,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

async fn start() -> Auth0Sim {
    let sim = Auth0Sim::start(Options::default()).await.unwrap();
    sim.add_user("auth0|u", &json!({"name": "Old", "email": "u@example.com"}));
    sim
}

async fn token(sim: &Auth0Sim) -> String {
    let body = json!({"grant_type": "client_credentials", "client_id": M2M_CLIENT_ID,
        "client_secret": M2M_CLIENT_SECRET, "audience": format!("{}api/v2/", sim.issuer())});
    let answer = ask(sim, Method::POST, TOKEN_PATH, "", Some(&body)).await;
    assert_eq!(answer.1["expires_in"], 86_400);
    answer.1["access_token"].as_str().unwrap().to_owned()
}

async fn ask(
    sim: &Auth0Sim,
    method: Method,
    path: &str,
    token: &str,
    body: Option<&Value>,
) -> (StatusCode, Value) {
    let url = format!("http://{}{path}", sim.address());
    let mut request = reqwest::Client::new()
        .request(method, url)
        .bearer_auth(token);
    if let Some(body) = body {
        request = request.json(body);
    }
    let answer = request.send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

#[tokio::test]
async fn a_user_is_read_and_changed_with_a_management_token_and_no_other() {
    let sim = start().await;
    let token = token(&sim).await;
    let path = "/api/v2/users/auth0%7Cu";
    let (status, user) = ask(&sim, Method::GET, path, &token, None).await;
    assert_eq!(
        (status, &user["user_id"]),
        (StatusCode::OK, &json!("auth0|u"))
    );
    let patch = json!({"name": "New"});
    let (status, user) = ask(&sim, Method::PATCH, path, &token, Some(&patch)).await;
    assert_eq!(
        (status, &user["email"]),
        (StatusCode::OK, &json!("u@example.com"))
    );
    assert_eq!(sim.user("auth0|u").unwrap()["name"], "New");
    // An access token of the API is none of the Management API.
    let other = sim.token().build();
    sim.revoke_management_tokens();
    for token in [other.as_str(), "", &token] {
        let (status, error) = ask(&sim, Method::PATCH, path, token, Some(&patch)).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert_eq!(error["statusCode"], 401);
    }
}

#[tokio::test]
async fn what_auth0_refuses_is_refused_and_what_it_limits_names_a_time() {
    let sim = start().await;
    sim.add_user("google-oauth2|u", &json!({"name": "Old"}));
    let token = token(&sim).await;
    for (path, patch, expected) in [
        ("/api/v2/users/auth0%7Cnobody", json!({"name": "New"}), 404),
        ("/api/v2/users/auth0%7Cu", json!({"name": ""}), 400),
        ("/api/v2/users/auth0%7Cu", json!({"admin": true}), 400),
        (
            "/api/v2/users/google-oauth2%7Cu",
            json!({"name": "New"}),
            400,
        ),
    ] {
        let (status, error) = ask(&sim, Method::PATCH, path, &token, Some(&patch)).await;
        assert_eq!(status.as_u16(), expected, "{path}: {error}");
    }
    assert_eq!(sim.user("google-oauth2|u").unwrap()["name"], "Old");
    sim.fault_times(USER_PATH, Fault::TooManyRequests(7), 1);
    let url = format!("http://{}/api/v2/users/auth0%7Cu", sim.address());
    let limited = reqwest::get(&url).await.unwrap();
    assert_eq!(limited.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(limited.headers()["retry-after"], "7");
}
