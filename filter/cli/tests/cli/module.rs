//! `--wasm` of `check`, `explain` and `test`, and one case file before three judges: the policy natively, the module in wasmtime, the
//! module in a real Envoy.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth0_sim::{Key, TokenBuilder};
use gateway_tests::client::{Request, Response};
use gateway_tests::gateway::{Gateway, reason};
use gateway_tests::module;
use gateway_tests::upstream::Seen;
use serde_json::{Map, Value, json};

use crate::support::{edge_auth_with, package};

fn with_module(cases: &str, config: &str, module: &str) -> crate::support::Run {
    edge_auth_with(&["test", cases, "--config", config, "--wasm", module])
}

fn module_path() -> String {
    let path = module::path().expect("the module is built");
    path.to_str().expect("a path in UTF-8").to_owned()
}

#[test]
fn the_module_decides_every_case_as_the_policy_does() {
    let module = module_path();
    for (cases, config, passed) in [
        ("cases.yaml", "plain.yaml", "7 cases, 0 failed\n"),
        ("service-cases.yaml", "service.yaml", "2 cases, 0 failed\n"),
        (
            "decisions.yaml",
            "decisions-config.yaml",
            "40 cases, 0 failed\n",
        ),
    ] {
        let run = with_module(cases, config, &module);
        assert_eq!(run.code, Some(0), "{}{}", run.stdout, run.stderr);
        assert!(run.stdout.ends_with(passed), "{}", run.stdout);
    }
}

#[test]
fn a_module_that_decides_otherwise_fails_the_cases() {
    let folder = tempfile::tempdir().expect("a folder");
    let module = folder.path().join("lets-all-pass.wasm");
    std::fs::write(&module, foreign_module(None)).expect("it can be written");
    let run = with_module(
        "decisions.yaml",
        "decisions-config.yaml",
        module.to_str().expect("UTF-8"),
    );
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let difference = "in the module: decision: expected reply 401 missing_token, got forward";
    assert!(run.stdout.contains(difference), "{}", run.stdout);
}

#[test]
fn what_is_no_module_is_an_error_and_not_a_pass() {
    let run = with_module("cases.yaml", "plain.yaml", "plain.yaml");
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (Some(2), ""),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("the module does not start"),
        "{}",
        run.stderr
    );
}

/// Runs a command with the module, and with one that answers otherwise when it is configured, and has no other
/// callback.
#[track_caller]
fn check_both(arguments: &str, answer: u8, alike: (i32, &str), otherwise: (i32, &str)) {
    let folder = tempfile::tempdir().expect("a folder");
    let foreign = folder.path().join("foreign.wasm");
    std::fs::write(&foreign, foreign_module(Some(answer))).expect("it can be written");
    let foreign = foreign.to_str().expect("UTF-8").to_owned();
    for (module, (code, told)) in [(module_path(), alike), (foreign, otherwise)] {
        let mut arguments: Vec<_> = arguments.split_whitespace().collect();
        arguments.extend(["--wasm", &module]);
        let run = edge_auth_with(&arguments);
        assert_eq!(run.code, Some(code), "{}{}", run.stdout, run.stderr);
        assert!(run.stdout.ends_with(told), "{}", run.stdout);
    }
}

#[test]
fn the_module_accepts_the_configurations_that_are_right() {
    check_both(
        "check plain.yaml composed.yaml session.yaml",
        0,
        (
            0,
            "session.yaml: ok\n3 configurations, 0 errors, 0 warnings\n",
        ),
        (
            1,
            "session.yaml\n  error: the module refuses what this command accepts: \n\
             3 configurations, 3 errors, 0 warnings\n",
        ),
    );
}

#[test]
fn the_module_refuses_the_configurations_with_mistakes() {
    check_both(
        "check mistakes.yaml",
        1,
        (1, "1 configuration, 5 errors, 0 warnings\n"),
        (
            1,
            "  error: the module accepts what this command refuses\n\
             1 configuration, 6 errors, 0 warnings\n",
        ),
    );
}

#[test]
fn the_module_decides_what_is_explained() {
    check_both(
        "explain plain.yaml --url /documents --claims {}",
        1,
        (0, "\nthe module decides the same\n"),
        (
            1,
            "\nthe module decides otherwise:\n  in the module: decision: expected reply 403 insufficient_scope, \
             got forward\n",
        ),
    );
}

#[test]
fn the_module_is_given_the_keys_that_the_policy_is() {
    let (now, json) = ("1800000000", "explain plain.yaml --json --url /documents");
    let mut arguments: Vec<_> = json.split_whitespace().collect();
    let module = module_path();
    arguments.extend(["--token", "token.txt", "--jwks", "jwks.json", "--now", now]);
    arguments.extend(["--wasm", &module]);
    let run = edge_auth_with(&arguments);
    assert_eq!(run.code, Some(0), "{}{}", run.stdout, run.stderr);
    let told: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_ne!(told["decision"], "wait", "{told}");
    assert_eq!(told["module_differences"], json!([]), "{told}");
}

/// A proxy-wasm module that does nothing: an empty function, exported as the version of the ABI, and one that gives
/// this `answer` when it is configured.
fn foreign_module(answer: Option<u8>) -> Vec<u8> {
    let name = |name: &str| [&[u8::try_from(name.len()).expect("short")], name.as_bytes()].concat();
    let function = |of: &str, number| [name(of), vec![0, number]].concat();
    let mut exports = vec![[name("memory"), vec![2, 0]].concat()];
    exports.push(function("proxy_abi_version_0_2_1", 0));
    if answer.is_some() {
        exports.push(function("proxy_on_configure", 1));
    }
    let count = vec![u8::try_from(exports.len()).expect("few")];
    let mut wasm = b"\0asm\x01\0\0\0".to_vec();
    for (section, content) in [
        // () -> () and (i32, i32) -> i32
        (1, vec![2, 0x60, 0, 0, 0x60, 2, 0x7f, 0x7f, 1, 0x7f]),
        (3, vec![2, 0, 1]),
        (5, vec![1, 0, 1]),
        (7, [count, exports.concat()].concat()),
        (
            10,
            vec![2, 2, 0, 0x0b, 4, 0, 0x41, answer.unwrap_or(1), 0x0b],
        ),
    ] {
        wasm.push(section);
        wasm.push(u8::try_from(content.len()).expect("small"));
        wasm.extend(content);
    }
    wasm
}

#[tokio::test]
async fn one_case_file_is_decided_alike_natively_in_wasmtime_and_in_envoy() {
    let run = with_module("decisions.yaml", "decisions-config.yaml", &module_path());
    assert_eq!(run.code, Some(0), "{}{}", run.stdout, run.stderr);

    let mut configuration = fixture("decisions-config.yaml");
    let provider = &mut configuration["providers"]["auth0"];
    let keys = json!({"keys": [Key::Ed25519.jwk()]}).to_string();
    provider
        .as_object_mut()
        .expect("a provider")
        .remove("remote_jwks");
    provider["local_jwks"] = json!({"inline_string": keys});
    provider["algorithms"] = json!(["EdDSA"]);
    let gateway = Gateway::start(&configuration, 2, &[])
        .await
        .expect("Envoy starts");

    let cases = fixture("decisions.yaml");
    let mut wrong = Vec::new();
    for case in cases["cases"].as_array().expect("cases") {
        let request = request(case);
        let mut answer = gateway.send(&request).await.expect("an answer");
        for _ in 1..case["repeat"].as_u64().unwrap_or(1) {
            answer = gateway.send(&request).await.expect("an answer");
        }
        if let Err(difference) = compare(case, &answer) {
            wrong.push(format!("{}: {difference}: {answer:?}", case["name"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    // What no file can say: a login just now, by Envoy's own clock.
    let just_now = json!({"acr": "mfa", "auth_time": now() - 30});
    let recent = token(just_now.as_object().expect("claims"));
    let request = Request::get("/payments").bearer(&recent);
    assert_eq!(gateway.send(&request).await.expect("an answer").status, 200);
}

fn fixture(name: &str) -> Value {
    let path = package().join("tests/cli/fixtures").join(name);
    let text = std::fs::read_to_string(path).expect("the fixture is there");
    serde_yaml_ng::from_str(&text).expect("YAML")
}

/// The request of a case as a client would send it, its claims signed with the key of the configuration above.
fn request(case: &Value) -> Request {
    let fields = &case["request"];
    let url = fields["url"]
        .as_str()
        .expect("a path, or a host and a path");
    let (host, path) = match url.strip_prefix("https://") {
        Some(rest) => rest.split_at(rest.find('/').expect("a path")),
        None => ("edge-auth.invalid", url),
    };
    let method = fields["method"].as_str().unwrap_or("GET");
    let mut request = Request::new(method, path).host(Some(host));
    for (name, value) in fields["headers"].as_object().into_iter().flatten() {
        request = request.header(name, value.as_str().expect("one value"));
    }
    match (&case["token"], &case["claims"]) {
        (Value::String(token), _) => request.bearer(token),
        (_, Value::Object(claims)) => request.bearer(&token(claims)),
        _ => request,
    }
}

/// What `edge-auth test` fills in, filled in here too.
fn token(claims: &Map<String, Value>) -> String {
    let now = now();
    let all = json!({
        "iss": "https://tenant.auth0.com/",
        "aud": "https://api.pymd.io",
        "sub": "edge-auth",
        "iat": now,
        "exp": now + Duration::from_hours(1).as_secs(),
    });
    let mut all = all.as_object().cloned().unwrap_or_default();
    all.extend(claims.clone());
    all.retain(|_, value| !value.is_null());
    TokenBuilder::valid("", now)
        .raw_payload(Value::Object(all).to_string())
        .signed_with(Key::Ed25519)
        .build()
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |it| it.as_secs())
}

/// What a case expects, beside what Envoy and the application behind it saw.
fn compare(case: &Value, answer: &Response) -> Result<(), String> {
    let expect = &case["expect"];
    let seen: Option<Seen> = answer.json().ok();
    // The application's own answer to HEAD has no body to tell by.
    let forwarded = seen.is_some() || (answer.status == 200 && answer.body.is_empty());
    let should_forward = expect["decision"] == "forward";
    if forwarded != should_forward {
        return Err(format!("forwarded: {forwarded}"));
    }
    if let Some(status) = expect["status"].as_u64()
        && status != u64::from(answer.status)
    {
        return Err(format!("status {status}"));
    }
    if let Some(expected) = expect["reason"].as_str()
        && answer.status >= 400
        && reason(answer).as_deref() != Some(expected)
    {
        return Err(format!("reason {expected}"));
    }
    for (name, value) in expect["headers"]["set"].as_object().into_iter().flatten() {
        let found = match &seen {
            Some(seen) => seen.header(name).join(", "),
            None => answer.header(name).unwrap_or_default().to_owned(),
        };
        if found != value.as_str().unwrap_or_default() {
            return Err(format!("{name}: {found}"));
        }
    }
    for name in expect["headers"]["removed"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let name = name.as_str().unwrap_or_default();
        let client = case["request"]["headers"][name]
            .as_str()
            .unwrap_or_default();
        let kept = seen
            .as_ref()
            .is_some_and(|seen| seen.header(name).contains(&client));
        if kept {
            return Err(format!("{name} is still there"));
        }
    }
    Ok(())
}
