//! The session cookie in the compiled module: keys come out of the VM's environment, and nowhere else.

use edge_auth_policy::session::{NONCE_BYTES, Purpose, Session, SessionKeys};
use edge_auth_policy::time::UnixTime;
use proxy_wasm_host::Request;
use serde_json::{Value, json};

use crate::harness::{NOW, TICK, builder, check, config, keys, one_call, token};

/// 32 bytes in base64url.
pub(crate) const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

fn with_session() -> Value {
    let mut config = config();
    config["session"] = json!({"keys_env": ["EDGE_SESSION_KEY"]});
    config
}

/// The cookie of a session that holds `token`, as api-server seals it.
pub(crate) fn cookie(token: &str) -> String {
    let session = Session {
        session_id: "s1".into(),
        generation: 1,
        access_token: token.into(),
    };
    let until = UnixTime::from_secs(NOW + 600);
    let keys = SessionKeys::parse(KEY).unwrap();
    let nonce = [7; NONCE_BYTES];
    let sealed = keys.seal(Purpose::Session, b"", until, &session.to_bytes(), nonce);
    format!("__Host-edge-session={}", sealed.unwrap())
}

#[test]
fn a_cookie_opens_with_a_key_of_the_vm_s_environment() {
    let proxy = builder(&with_session())
        .env("EDGE_SESSION_KEY", KEY)
        .env("ANOTHER", "x")
        .start()
        .unwrap();
    proxy.advance(TICK);
    one_call(&proxy).respond(keys(&[auth0_sim::Key::Rsa1]));
    let token = token().build();
    let request = Request::get("/private").header("cookie", format!("a=b; {}", cookie(&token)));
    let outcome = proxy.worker(0).decide(request);
    let headers = outcome.upstream_headers().unwrap();
    assert_eq!(headers.get("cookie"), Some(&b"a=b"[..]));
    let bearer = format!("Bearer {token}");
    assert_eq!(headers.get("authorization"), Some(bearer.as_bytes()));
    let stale = Request::get("/private").header("cookie", "__Host-edge-session=stale");
    check(&proxy, stale, "401 invalid_session");
    assert_eq!(proxy.refusals(), []);
}

#[test]
fn a_configuration_whose_key_is_missing_or_none_is_refused_without_showing_it() {
    let error = builder(&with_session()).start().unwrap_err().to_string();
    assert!(
        error.contains("session.keys_env[0]: EDGE_SESSION_KEY is not set for this VM"),
        "{error}"
    );
    let short = builder(&with_session()).env("EDGE_SESSION_KEY", "c2hvcnQ");
    let error = short.start().unwrap_err().to_string();
    assert!(
        error.contains("session.keys_env[0]: EDGE_SESSION_KEY must hold keys of 32 bytes"),
        "{error}"
    );
    assert!(!error.contains("c2hvcnQ"), "{error}");
}
