//! A configuration that can't be used: what the operator reads.

use gateway_tests::gateway::{self, Gateway};
use serde_json::json;

#[tokio::test]
async fn five_mistakes_are_five_errors_with_their_places_and_envoy_does_not_start() {
    let auth0 = gateway::auth0().await.unwrap();
    let mut configuration = gateway::configuration(&json!([
        {"match": {"prefix": "/api"}, "requires": {"provider": "okta"}},
        {"match": {"prefix": "/limited"}, "requires": "public", "rate_limits": ["missing"]},
    ]));
    configuration["providers"]["auth0"]["audiences"] = json!([]);
    configuration["providers"]["auth0"]["clock_skew_seconds"] = json!(3600);
    configuration["default"]["requires"] = json!("public");
    let error = Gateway::start(&configuration, 2, &[("auth0", auth0.address())])
        .await
        .unwrap_err();
    let log = format!("{error:#}");

    assert!(
        log.contains("the configuration is refused, 5 errors"),
        "{log}"
    );
    for place in [
        "providers.auth0.audiences",
        "providers.auth0.clock_skew_seconds",
        "rules[0].requires.provider",
        "rules[1].rate_limits[0]",
        "default.requires",
    ] {
        let lines = log
            .lines()
            .filter(|line| line.contains(&format!(" {place}: ")));
        assert_eq!(lines.count(), 1, "{place} in {log}");
    }
}
