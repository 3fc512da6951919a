//! What the module does with a configuration.

use proxy_wasm_host::LogLevel;
use serde_json::json;

use crate::harness::{TICK, builder, check, config, one_call};
use proxy_wasm_host::Request;

#[test]
fn a_wrong_configuration_is_refused_with_all_its_errors_in_the_log() {
    let mut wrong = config();
    wrong["version"] = json!(3);
    wrong["providers"]["auth0"]["audiences"] = json!([]);
    wrong["rules"][1]["rate_limits"] = json!(["none"]);
    wrong["default"]["requires"] = json!("public");
    wrong["unknown"] = json!(1);
    let error = builder(&wrong).start().unwrap_err().to_string();
    for place in [
        "version: ",
        "providers.auth0.audiences: ",
        "rules[1].rate_limits[0]: ",
        "default.requires: ",
        "unknown: ",
    ] {
        assert!(error.contains(place), "{place} is missing in:\n{error}");
    }
}

#[test]
fn an_empty_configuration_is_refused() {
    let error = builder(&json!({})).start().unwrap_err().to_string();
    assert!(error.contains("version: is required"), "{error}");
}

#[test]
fn the_module_breaks_no_rule_of_the_abi_and_logs_nothing_worrying() {
    let proxy = builder(&config()).workers(2).start().unwrap();
    proxy.advance(TICK);
    one_call(&proxy).respond(crate::harness::keys(&[auth0_sim::Key::Rsa1]));
    check(&proxy, Request::get("/healthz"), "200");
    check(&proxy, Request::get("/private"), "401 missing_token");
    assert_eq!(proxy.refusals(), []);
    let worrying: Vec<_> = proxy
        .logs()
        .into_iter()
        .filter(|entry| entry.level > LogLevel::Info)
        .collect();
    assert!(worrying.is_empty(), "{worrying:?}");
}
