//! A login at the simulated tenant as a browser and an application go through it, and each way in which it is refused.

use std::collections::HashMap;

use auth0_sim::{
    AUTHORIZE_PATH, Auth0Sim, Client, DEFAULT_AUDIENCE, LOGIN_PAGE_PATH, Options, TOKEN_PATH,
    USERINFO_PATH, User,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use url::Url;

const CALLBACK: &str = "https://app.example.com/callback";
const ORIGIN: &str = "https://app.example.com";
const STATE: &str = "a state with spaces & more";
/// RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const SCOPE: &str = "openid profile email offline_access read:documents delete:documents unknown";

/// A browser with one cookie, and the tenant it talks to.
struct Browser {
    sim: Auth0Sim,
    http: reqwest::Client,
    cookie: Option<String>,
}

impl Browser {
    async fn start() -> Self {
        let options = Options {
            clients: vec![Client {
                client_id: "app".into(),
                client_secret: None,
                callbacks: vec![CALLBACK.into(), ORIGIN.into()],
                allowed_logout_urls: vec![ORIGIN.into()],
                web_origins: vec![ORIGIN.into()],
            }],
            ..Options::default()
        };
        let no_redirect = reqwest::redirect::Policy::none();
        let http = reqwest::Client::builder().redirect(no_redirect).build();
        Self {
            sim: Auth0Sim::start(options).await.unwrap(),
            http: http.unwrap(),
            cookie: None,
        }
    }

    fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}", self.sim.address()))
            .unwrap()
            .join(path)
            .unwrap()
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Response {
        let cookie = self.cookie.clone().unwrap_or_default();
        let response = request.header("cookie", cookie).send().await.unwrap();
        if let Some(set) = response.headers().get("set-cookie") {
            let pair = set.to_str().unwrap().split(';').next().unwrap();
            self.cookie = Some(pair.to_owned());
        }
        response
    }

    async fn get(&mut self, path: &str, query: &[(&str, &str)]) -> Response {
        let request = self.http.get(self.url(path)).query(query);
        self.send(request).await
    }

    /// `/authorize` in good order but for `changed`; an empty value leaves a parameter out.
    async fn authorize(&mut self, changed: &[(&str, &str)]) -> Response {
        let mut query = HashMap::from([
            ("client_id", "app"),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", SCOPE),
            ("audience", DEFAULT_AUDIENCE),
            ("state", STATE),
            ("nonce", "the nonce"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]);
        query.extend(changed.iter().copied());
        query.retain(|_, value| !value.is_empty());
        let query: Vec<_> = query.into_iter().collect();
        self.get(AUTHORIZE_PATH, &query).await
    }

    /// Fills in the login page that `authorized` led to.
    async fn submit(&mut self, authorized: &Response, form: &[(&str, &str)]) -> Response {
        let page = self.url(&location(authorized));
        assert_eq!(page.path(), LOGIN_PAGE_PATH);
        let request = self.http.post(page).form(form);
        self.send(request).await
    }

    async fn log_in(&mut self, user: &User, changed: &[(&str, &str)]) -> Response {
        let authorized = self.authorize(changed).await;
        let form = [
            ("username", user.email.as_str()),
            ("password", &user.password),
        ];
        self.submit(&authorized, &form).await
    }

    async fn token(&self, form: &[(&str, &str)]) -> Response {
        let request = self.http.post(self.url(TOKEN_PATH));
        let form = [form, &[("client_id", "app")]].concat();
        request
            .header("origin", ORIGIN)
            .form(&form)
            .send()
            .await
            .unwrap()
    }

    async fn redeem(&self, code: &str) -> Response {
        self.redeem_at(CALLBACK, code).await
    }

    async fn redeem_at(&self, redirect_uri: &str, code: &str) -> Response {
        self.token(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", VERIFIER),
        ])
        .await
    }

    async fn refresh(&self, refresh_token: &str) -> Response {
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
        ];
        self.token(&form).await
    }
}

fn location(response: &Response) -> String {
    assert_eq!(response.status(), StatusCode::FOUND);
    let location = response.headers()["location"].to_str();
    location.unwrap().to_owned()
}

/// What came back to the application.
fn returned(response: &Response) -> HashMap<String, String> {
    let url = Url::parse(&location(response)).unwrap();
    assert!(url.as_str().starts_with(&format!("{CALLBACK}?")), "{url}");
    url.query_pairs().into_owned().collect()
}

fn claims(token: &Value) -> Value {
    let payload = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

async fn json_of(response: Response) -> Value {
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["access-control-allow-origin"], ORIGIN);
    response.json().await.unwrap()
}

#[tokio::test]
async fn a_login_ends_in_tokens_of_that_user_for_that_request() {
    let mut browser = Browser::start().await;
    let ada = &User::all()[0];
    let back = returned(&browser.log_in(ada, &[]).await);
    assert_eq!(back["state"], STATE);
    let tokens = json_of(browser.redeem(&back["code"]).await).await;

    let id_token = claims(&tokens["id_token"]);
    assert_eq!(id_token["aud"], "app");
    assert_eq!(id_token["sub"], ada.user_id);
    assert_eq!(id_token["nonce"], "the nonce");
    assert_eq!(id_token["email"], ada.email);
    assert!(id_token["sid"].is_string() && id_token["auth_time"].is_u64());

    let access_token = claims(&tokens["access_token"]);
    let userinfo = format!("{}userinfo", browser.sim.issuer());
    assert_eq!(access_token["aud"], json!([DEFAULT_AUDIENCE, userinfo]));
    let granted = "openid profile email offline_access read:documents delete:documents";
    assert_eq!(access_token["scope"], granted);
    assert_eq!(tokens["scope"], granted);

    let request = browser.http.get(browser.url(USERINFO_PATH));
    let token = tokens["access_token"].as_str().unwrap();
    let told = request.bearer_auth(token).send().await.unwrap();
    let told: Value = told.json().await.unwrap();
    assert_eq!(told["name"], ada.name);
    let anybody = browser.http.get(browser.url(USERINFO_PATH)).send().await;
    assert_eq!(anybody.unwrap().status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_callback_without_a_path_is_compared_as_it_was_written() {
    let mut browser = Browser::start().await;
    let answer = browser
        .log_in(&User::all()[0], &[("redirect_uri", ORIGIN)])
        .await;
    let back = Url::parse(&location(&answer)).unwrap();
    let (_, code) = back.query_pairs().find(|(name, _)| name == "code").unwrap();
    let redeemed = browser.redeem_at(ORIGIN, &code).await;
    assert_eq!(redeemed.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_user_gets_the_scopes_they_may_have() {
    let mut browser = Browser::start().await;
    let reader = &User::all()[1];
    let back = returned(&browser.log_in(reader, &[]).await);
    let tokens = json_of(browser.redeem(&back["code"]).await).await;
    assert_eq!(
        tokens["scope"],
        "openid profile email offline_access read:documents"
    );
}

#[tokio::test]
async fn without_an_audience_the_access_token_is_opaque() {
    let mut browser = Browser::start().await;
    let ada = &User::all()[0];
    let back = returned(&browser.log_in(ada, &[("audience", "")]).await);
    let tokens = json_of(browser.redeem(&back["code"]).await).await;
    let token = tokens["access_token"].as_str().unwrap();
    assert!(!token.contains('.'));
    assert_eq!(tokens["scope"], "openid profile email offline_access");
}

#[tokio::test]
async fn refresh_tokens_rotate_and_reuse_ends_them_all() {
    let mut browser = Browser::start().await;
    let ada = &User::all()[0];
    let back = returned(&browser.log_in(ada, &[]).await);
    let first = json_of(browser.redeem(&back["code"]).await).await;
    let first_token = first["refresh_token"].as_str().unwrap();
    let second = json_of(browser.refresh(first_token).await).await;
    let id_token = claims(&second["id_token"]);
    assert_eq!(id_token.get("nonce"), None);
    assert_eq!(id_token["sid"], claims(&first["id_token"])["sid"]);

    let reused = browser.refresh(first_token).await;
    assert_eq!(reused.status(), StatusCode::FORBIDDEN);
    let said: Value = reused.json().await.unwrap();
    assert_eq!(said["error"], "invalid_grant");
    let current = second["refresh_token"].as_str().unwrap();
    let ended = browser.refresh(current).await;
    assert_eq!(ended.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn no_refresh_token_is_given_that_was_not_asked_for() {
    let mut browser = Browser::start().await;
    let ada = &User::all()[0];
    let back = returned(&browser.log_in(ada, &[("scope", "openid")]).await);
    let tokens = json_of(browser.redeem(&back["code"]).await).await;
    assert_eq!(tokens.get("refresh_token"), None);
    let id_token = claims(&tokens["id_token"]);
    assert_eq!((id_token.get("email"), id_token.get("name")), (None, None));
}

#[tokio::test]
async fn what_is_not_in_order_goes_back_as_an_error_with_its_state() {
    let mut browser = Browser::start().await;
    for (changed, error) in [
        (("response_type", "token"), "unsupported_response_type"),
        (("response_mode", "fragment"), "invalid_request"),
        (("code_challenge", ""), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("audience", "https://other.example.com"), "access_denied"),
        (("prompt", "none"), "login_required"),
    ] {
        let back = returned(&browser.authorize(&[changed]).await);
        assert_eq!(back["error"], error, "{changed:?}");
        assert_eq!(back["state"], STATE, "{changed:?}");
        assert_eq!(back.get("code"), None, "{changed:?}");
    }
}

#[tokio::test]
async fn nobody_is_sent_where_no_application_registered() {
    let mut browser = Browser::start().await;
    for changed in [
        ("client_id", "other"),
        ("redirect_uri", "https://evil.example/callback"),
        ("redirect_uri", "https://app.example.com/callback/../other"),
        ("redirect_uri", ""),
    ] {
        let refused = browser.authorize(&[changed]).await;
        assert!(refused.status().is_client_error(), "{changed:?}");
    }
    let query = [("client_id", "app"), ("returnTo", "https://evil.example")];
    let refused = browser.get("/v2/logout", &query).await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_wrong_password_stays_at_the_page_and_a_cancelled_login_goes_back() {
    let mut browser = Browser::start().await;
    let authorized = browser.authorize(&[]).await;
    let wrong = [
        ("username", User::all()[0].email.as_str()),
        ("password", "wrong"),
    ];
    let page = browser.submit(&authorized, &wrong).await;
    assert_eq!(page.status(), StatusCode::BAD_REQUEST);
    assert!(page.text().await.unwrap().contains("Wrong email"));
    let cancelled = browser.submit(&authorized, &[("action", "cancel")]).await;
    assert_eq!(returned(&cancelled)["error"], "access_denied");
}

#[tokio::test]
async fn a_session_logs_in_without_asking_until_it_is_logged_out() {
    let mut browser = Browser::start().await;
    let ada = &User::all()[0];
    browser.log_in(ada, &[]).await;
    let silent = returned(&browser.authorize(&[("prompt", "none")]).await);
    assert!(silent.contains_key("code"));
    let again = location(&browser.authorize(&[("prompt", "login")]).await);
    assert!(again.starts_with(LOGIN_PAGE_PATH), "{again}");

    let query = [
        ("client_id", "app"),
        ("post_logout_redirect_uri", ORIGIN),
        ("state", "s"),
    ];
    let out = browser.get("/oidc/logout", &query).await;
    assert_eq!(location(&out), format!("{ORIGIN}/?state=s"));
    let silent = returned(&browser.authorize(&[("prompt", "none")]).await);
    assert_eq!(silent["error"], "login_required");
}

#[tokio::test]
async fn pages_of_registered_origins_only_may_read_the_token_endpoint() {
    let browser = Browser::start().await;
    let asked = async |origin: &str| {
        let request = browser
            .http
            .request(reqwest::Method::OPTIONS, browser.url(TOKEN_PATH))
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "auth0-client");
        let headers = request.send().await.unwrap().headers().clone();
        headers.contains_key("access-control-allow-origin")
    };
    assert!(asked(ORIGIN).await);
    assert!(!asked("https://evil.example").await);
}
