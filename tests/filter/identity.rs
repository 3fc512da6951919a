//! What the upstream sees.

use proxy_wasm_host::Request;
use serde_json::json;

use crate::harness::{config, get, ready, token};

#[test]
fn identity_comes_from_the_token_and_never_from_the_client() {
    let proxy = ready(&config(), 1);
    let forged = |request: Request| {
        request
            .header("x-user-id", "root")
            .header("X_User_Id", "root")
            .header("x-other", "kept")
    };
    let outcome = proxy
        .worker(0)
        .decide(forged(get("/private", &token().build())));
    let headers = outcome.upstream_headers().unwrap();
    assert_eq!(headers.get("x-user-id"), Some(&b"auth0|user-1"[..]));
    assert_eq!(headers.get("x_user_id"), None);
    assert_eq!(headers.get("x-other"), Some(&b"kept"[..]));
    for path in ["/healthz", "/optional"] {
        let outcome = proxy.worker(0).decide(forged(Request::get(path)));
        let headers = outcome.upstream_headers().unwrap();
        assert_eq!(headers.get("x-user-id"), None, "{path}");
        assert_eq!(headers.get("x_user_id"), None, "{path}");
    }
}

#[test]
fn a_token_that_is_not_forwarded_is_gone_and_the_rest_is_not() {
    let mut config = config();
    let provider = &mut config["providers"]["auth0"];
    provider["forward"] = json!(false);
    provider["from_headers"] = json!([{"name": "authorization", "value_prefix": "Bearer "}]);
    provider["from_cookies"] = json!(["token"]);
    provider["from_params"] = json!(["access_token"]);
    let proxy = ready(&config, 1);
    let token = token().build();
    let request = get(&format!("/private?a=1&access_token={token}&b=2"), &token)
        .header("cookie", format!("a=1; token={token}"));
    let outcome = proxy.worker(0).decide(request);
    let headers = outcome.upstream_headers().unwrap();
    assert_eq!(headers.get("authorization"), None);
    assert_eq!(headers.get(":path"), Some(&b"/private?a=1&b=2"[..]));
    assert_eq!(headers.get("cookie"), Some(&b"a=1"[..]));
    assert_eq!(headers.get("x-user-id"), Some(&b"auth0|user-1"[..]));
}

#[test]
fn the_upstream_sees_the_path_that_was_judged() {
    let proxy = ready(&config(), 1);
    let outcome = proxy.worker(0).decide(Request::get("/%68ealthz?q=%68"));
    assert_eq!(
        outcome.upstream_headers().unwrap().get(":path"),
        Some(&b"/healthz?q=%68"[..])
    );
}

#[test]
fn identity_in_trailers_is_removed_too() {
    let proxy = ready(&config(), 1);
    let request = Request::post("/healthz")
        .trailer("x-user-id", "root")
        .trailer("x-sum", "1");
    let proxy_wasm_host::Outcome::Continued { trailers, .. } = proxy.worker(0).decide(request)
    else {
        panic!("the request did not go on")
    };
    assert_eq!(trailers.get("x-user-id"), None);
    assert_eq!(trailers.get("x-sum"), Some(&b"1"[..]));
}
