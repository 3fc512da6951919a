//! `edge-auth explain`.

use crate::support::{edge_auth, edge_auth_with};

/// Explains a request for which claims are signed, at a fixed time.
fn explain(url: &str, more: &[&str]) -> crate::support::Run {
    let fixed = ["explain", "plain.yaml", "--now", "1800000000", "--url", url];
    edge_auth_with(&[&fixed, more].concat())
}

#[track_caller]
fn check(url: &str, more: &[&str], stdout: &str) {
    let run = explain(url, more);
    assert_eq!(run.stdout, stdout, "stderr: {}", run.stderr);
    assert_eq!(run.code, Some(0));
}

const SIGNED_HERE: &str = "note: the token was signed here with a throw-away EdDSA key, which stands in for the \
                           keys and algorithms of provider auth0; claims not given were filled in";

#[test]
fn a_request_that_is_forwarded() {
    check(
        "https://api.pymd.io/documents",
        &[
            "--claims",
            r#"{"sub": "auth0|1", "scope": "read:documents"}"#,
            "--header",
            "X-User-Id: root",
        ],
        &format!(
            "\
GET https://api.pymd.io/documents

{SIGNED_HERE}

  ok   path                   judged as /documents, client 192.0.2.1
  ok   https_redirect         came over HTTPS
  ok   rule                   read
  ok   credential
  ok   provider               auth0
  ok   verification
  ok   authorization
  ok   forward

forward, by read
  - x-user-id
  + x-user-id: auth0|1
"
        ),
    );
}

#[test]
fn a_scope_that_is_missing_stops_at_authorization() {
    let run = explain("https://api.pymd.io/documents", &["--claims", "{}"]);
    assert_eq!(run.code, Some(0));
    assert!(
        run.stdout
            .contains("\n  STOP authorization          scopes: missing, or of another type\n"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout
            .contains("\nreply 403 insufficient_scope, by read at authorization\n"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains("scope=\"read:documents\""),
        "{}",
        run.stdout
    );
}

#[test]
fn plain_http_is_redirected_before_any_rule() {
    let run = explain("http://api.pymd.io/documents", &[]);
    assert!(
        run.stdout
            .contains("  STOP https_redirect         came over plain HTTP\n"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout
            .contains("\nreply 301 https_redirect, by no rule yet at https_redirect\n"),
        "{}",
        run.stdout
    );
}

#[test]
fn a_path_is_not_tidied_before_it_is_judged() {
    let run = explain("https://api.pymd.io/healthz/..%2fdocuments", &[]);
    assert!(
        run.stdout
            .contains("\nreply 400 invalid_path, by no rule yet at path\n"),
        "{}",
        run.stdout
    );
}

#[test]
fn a_rule_in_shadow_mode_tells_what_it_would_deny() {
    let run = explain("/shadow", &["--claims", "{}"]);
    assert!(
        run.stdout.contains(
            "authorization          scopes: missing, or of another type, would deny: insufficient_scope; shadow mode lets it through\n"
        ),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains("\nforward, by shadow\n"),
        "{}",
        run.stdout
    );
}

#[test]
fn claims_that_are_null_are_left_out_of_the_token() {
    let run = explain("/documents", &["--claims", r#"{"exp": null}"#]);
    assert!(
        run.stdout
            .contains("reply 401 invalid_claims, by read at verification"),
        "{}",
        run.stdout
    );
}

#[test]
fn a_token_of_a_provider_whose_keys_are_remote_waits_and_says_what_to_do() {
    let run = explain("/documents", &["--token", "token.txt"]);
    assert!(
        run.stdout
            .contains("\nwait (first_keys), by read at verification\n"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("--jwks"), "{}", run.stdout);
}

#[test]
fn a_token_is_verified_with_the_keys_of_a_file() {
    let run = explain(
        "/documents",
        &["--token", "token.txt", "--jwks", "jwks.json"],
    );
    assert!(run.stdout.contains("reply 401 "), "{}", run.stdout);
    assert!(run.stdout.contains(" at verification\n"), "{}", run.stdout);
}

#[test]
fn a_program_reads_the_same_as_json() {
    let run = explain(
        "/documents",
        &["--json", "--claims", r#"{"scope": "read:documents"}"#],
    );
    let value: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(value["decision"], "forward");
    assert_eq!(value["rule"], "read");
    assert_eq!(value["set"]["x-user-id"], "edge-auth");
    let steps: Vec<_> = value["steps"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|s| &s["step"])
        .collect();
    assert_eq!(steps.first().expect("steps"), &"path");
    assert_eq!(steps.last().expect("steps"), &"forward");
    assert!(
        value["notes"][0]
            .as_str()
            .expect("text")
            .contains("throw-away")
    );
}

#[test]
fn a_token_never_shows() {
    for more in [
        &["--token", "token.txt"][..],
        &["--token", "token.txt", "--jwks", "jwks.json", "--json"],
    ] {
        let run = explain("/documents?access_token=secret", more);
        for secret in ["eyJ", "secret"] {
            assert!(!run.stdout.contains(secret), "{}", run.stdout);
        }
    }
}

#[test]
fn a_configuration_with_mistakes_is_not_explained() {
    let run = edge_auth("explain mistakes.yaml --url /");
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
    assert!(
        run.stderr
            .contains("providers.auth0.audiences: is required"),
        "{}",
        run.stderr
    );
}

/// Explains a request to the configuration with composed conditions.
fn composed(url: &str, claims: &str) -> String {
    let fixed = ["explain", "composed.yaml", "--now", "1800000000"];
    let run = edge_auth_with(&[&fixed[..], &["--url", url, "--claims", claims]].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
    run.stdout
}

#[test]
fn composed_conditions_are_told_part_by_part() {
    let told = composed("/reports", r#"{"https://pymd.io/roles": ["auditor"]}"#);
    assert!(
        told.contains(
            "  STOP authorization          any[0].scopes: missing, or of another type, \
             any[1].claims[0]: met, any[1].not.claims[0]: missing, or of another type\n"
        ),
        "{told}"
    );
    assert!(
        told.contains("\nreply 403 insufficient_scope, by reports at authorization\n"),
        "{told}"
    );
    let claims = r#"{"https://pymd.io/roles": ["auditor"], "suspended": false}"#;
    let told = composed("/reports", claims);
    assert!(told.contains("\nforward, by reports\n"), "{told}");
}

#[test]
fn permissions_count_as_scopes_where_the_provider_says_so() {
    let told = composed("/reports", r#"{"permissions": ["read:reports"]}"#);
    assert!(told.contains("\nforward, by reports\n"), "{told}");
}

#[test]
fn a_step_up_says_what_is_wrong_with_the_authentication() {
    let told = composed("/payments", r#"{"acr": "mfa"}"#);
    assert!(
        told.contains("  STOP step_up                auth_time is missing or no date\n"),
        "{told}"
    );
    let told = composed("/payments", r#"{"acr": "mfa", "auth_time": 1799999000}"#);
    assert!(
        told.contains(
            "  STOP step_up                authenticated 1000s ago, longer than max_age\n"
        ),
        "{told}"
    );
    assert!(
        told.contains("error=\"insufficient_user_authentication\"")
            && told.contains("acr_values=\"mfa\", max_age=\"300\""),
        "{told}"
    );
    let told = composed("/payments", r#"{"acr": "mfa", "auth_time": 1799999900}"#);
    assert!(told.contains("  ok   step_up\n"), "{told}");
}

#[test]
fn an_organization_opens_its_own_host_only() {
    let own = composed("https://acme.pymd.io/tenants", r#"{"org_name": "acme"}"#);
    assert!(own.contains("\nforward, by tenants\n"), "{own}");
    let other = composed("https://globex.pymd.io/tenants", r#"{"org_name": "acme"}"#);
    assert!(
        other.contains("  STOP authorization          organization: not met\n"),
        "{other}"
    );
}

#[test]
fn a_session_cookie_opens_where_its_key_is_at_hand() {
    let arguments = [
        "explain",
        "session.yaml",
        "--url",
        "https://api.pymd.io/documents",
        "--header",
        "cookie: __Host-edge-session=AQ",
    ];
    let run = edge_auth_with(&arguments);
    assert!(
        run.stdout
            .contains("reply 401 invalid_session, by read at credential"),
        "{run:?}"
    );
    assert!(
        run.stdout
            .contains("note: session cookies can't be opened: their keys are not in this command's environment"),
        "{run:?}"
    );
}

#[test]
fn a_ramp_says_whether_this_caller_is_among_those_it_is_enforced_for() {
    let told: Vec<_> = (0..20)
        .map(|n| composed("/ramp", &format!(r#"{{"sub": "auth0|{n}", "scope": "x"}}"#)))
        .collect();
    let count = |text: &str| told.iter().filter(|told| told.contains(text)).count();
    let denied = count("\nreply 403 insufficient_scope, by ramp at authorization\n");
    assert_eq!(
        denied,
        count("scopes: not met, this caller is among those the rule is enforced for\n")
    );
    let watched = count(
        "scopes: not met, this caller is not among those the rule is enforced for, would deny: insufficient_scope",
    );
    assert_eq!(denied + watched, 20);
    assert!(denied > 0 && watched > 0, "{denied}");
}

#[test]
fn resource_metadata_is_answered_before_any_rule() {
    let run = edge_auth_with(&[
        "explain",
        "composed.yaml",
        "--url",
        "https://api.pymd.io/.well-known/oauth-protected-resource",
    ]);
    assert!(
        run.stdout
            .contains("\nreply 200 resource_metadata, by no rule yet at resource_metadata\n"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout
            .contains("\"authorization_servers\":[\"https://tenant.auth0.com/\"]"),
        "{}",
        run.stdout
    );
}

#[test]
fn the_rate_limit_service_is_named_and_not_asked() {
    let run = edge_auth(
        "explain service.yaml --now 1800000000 --url https://api.pymd.io/api --claims {}",
    );
    let note =
        "note: the rate limit service is not asked here: requests count as within its limits\n";
    assert!(run.stdout.contains(note), "{}{}", run.stdout, run.stderr);
    let step = "\n  ok   rate_limits            burst: 1 left, per_user: the service counts\n";
    assert!(run.stdout.contains(step), "{}", run.stdout);
    assert!(run.stdout.contains("\nforward, by api\n"), "{}", run.stdout);
}
