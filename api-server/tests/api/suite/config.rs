//! Settings: all mistakes at once, no secret in any of them.

use std::collections::BTreeMap;

use api_server::config::Settings;

fn read(settings: &[(&str, &str)]) -> Result<Settings, Vec<(String, String)>> {
    let map: BTreeMap<String, String> = settings
        .iter()
        .map(|&(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    Settings::read(&map).map_err(|mistakes| {
        let pairs = mistakes
            .iter()
            .map(|mistake| (mistake.name.clone(), mistake.problem.clone()));
        pairs.collect()
    })
}

#[test]
fn an_issuer_is_all_it_takes() {
    let settings = read(&[("API_ISSUER", "https://tenant.auth0.com/")]).unwrap();
    assert_eq!(settings.audience, "https://api.pymd.io");
    assert_eq!(
        settings.jwks_uri.as_str(),
        "https://tenant.auth0.com/.well-known/jwks.json"
    );
    assert_eq!(settings.database_url.engine(), "SQLite");
}

#[test]
fn every_mistake_is_named_at_once() {
    let mistakes = read(&[
        ("API_LISTEN", "8080"),
        ("API_DATABASE_URL", "mysql://u:hunter2@h/d"),
        ("API_CLOCK_SKEW", "301s"),
        ("API_LOG_FORMAT", "xml"),
        ("API_MAX_CONNECTIONS", "0"),
        ("API_LISTENING", "x"),
    ])
    .unwrap_err();
    let names: Vec<_> = mistakes.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "API_LISTEN",
            "API_DATABASE_URL",
            "API_ISSUER",
            "API_CLOCK_SKEW",
            "API_LOG_FORMAT",
            "API_MAX_CONNECTIONS",
            "API_LISTENING"
        ]
    );
    assert!(mistakes[3].1.contains("0ns to 300s"), "{:?}", mistakes[3]);
}

#[test]
fn a_secret_is_in_no_message_and_no_debug_output() {
    for url in ["mysql://u:hunter2@h/d", "postgres://u:hunter2@h:port/d"] {
        let mistakes = read(&[
            ("API_ISSUER", "https://t.example/"),
            ("API_DATABASE_URL", url),
        ]);
        assert!(!format!("{mistakes:?}").contains("hunter2"), "{mistakes:?}");
        assert!(mistakes.is_err());
    }
    let settings = read(&[
        ("API_ISSUER", "https://t.example/"),
        ("API_DATABASE_URL", "postgres://u:hunter2@h/d"),
    ])
    .unwrap();
    assert!(!format!("{settings:?}").contains("hunter2"));
}

#[test]
fn a_value_can_come_from_a_file_but_not_from_two_places() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("url");
    std::fs::write(&path, "postgres://u:p@h/d\n").unwrap();
    let path = path.to_str().unwrap();
    let issuer = ("API_ISSUER", "https://t.example/");
    let settings = read(&[issuer, ("API_DATABASE_URL_FILE", path)]).unwrap();
    assert_eq!(settings.database_url.engine(), "PostgreSQL");
    let twice = read(&[
        issuer,
        ("API_DATABASE_URL_FILE", path),
        ("API_DATABASE_URL", "sqlite:x"),
    ]);
    assert_eq!(twice.unwrap_err()[0].0, "API_DATABASE_URL");
    let missing = read(&[issuer, ("API_DATABASE_URL_FILE", "/nowhere/at/all")]);
    assert_eq!(missing.unwrap_err()[0].0, "API_DATABASE_URL_FILE");
}

/// CVE-2026-41413: keys may come from the place the operator named, and only over TLS.
#[test]
fn cve_2026_41413_a_key_url_is_https_and_not_internal() {
    for (uri, ok) in [
        ("https://tenant.auth0.com/.well-known/jwks.json", true),
        ("http://127.0.0.1:4000/jwks", true),
        ("http://localhost/jwks", true),
        ("http://tenant.auth0.com/jwks", false),
        ("https://169.254.169.254/latest", false),
        ("https://10.0.0.1/jwks", false),
        ("https://[fd00::1]/jwks", false),
        ("https://[fe80::1]/jwks", false),
        ("https://0.0.0.0/jwks", false),
        ("https://user:pass@tenant.auth0.com/jwks", false),
        ("file:///etc/passwd", false),
        ("jwks", false),
    ] {
        let settings = read(&[("API_ISSUER", "https://t.example/"), ("API_JWKS_URI", uri)]);
        assert_eq!(settings.is_ok(), ok, "{uri}");
    }
}

fn check(settings: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_api-server"))
        .arg("check")
        .env_clear()
        .env("RUST_BACKTRACE", "1")
        .envs(settings.iter().copied())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn check_prints_every_mistake_and_nothing_of_our_own_insides() {
    let (code, _, errors) = check(&[("API_LISTEN", "x")]);
    assert_eq!(code, Some(1));
    assert!(
        errors.contains("the settings have 2 mistake(s)"),
        "{errors}"
    );
    assert!(errors.contains("API_LISTEN") && errors.contains("API_ISSUER is required"));
    assert!(
        !errors.contains("backtrace") && !errors.contains("main.rs"),
        "{errors}"
    );
}

#[test]
fn check_of_good_settings_shows_them_without_their_secrets() {
    let (code, shown, errors) = check(&[
        ("API_ISSUER", "https://tenant.example/"),
        ("API_INTERNAL_TOKEN", "0123456789-0123456789-0123456789"),
        ("API_MANAGEMENT_CLIENT_ID", "m2m"),
        ("API_MANAGEMENT_CLIENT_SECRET", "hunter2"),
    ]);
    assert_eq!(code, Some(0), "{errors}");
    assert!(shown.contains("the settings are complete"), "{shown}");
    assert!(
        !shown.contains("0123456789-") && !shown.contains("hunter2"),
        "{shown}"
    );
}

#[test]
fn the_management_api_is_configured_whole_or_not_at_all() {
    let issuer = ("API_ISSUER", "https://tenant.example/");
    let mistakes = read(&[issuer, ("API_MANAGEMENT_CLIENT_ID", "m2m")]).unwrap_err();
    assert_eq!(mistakes[0].0, "API_MANAGEMENT_CLIENT_SECRET");
    let mistakes = read(&[issuer, ("API_MANAGEMENT_URL", "https://t.auth0.com/")]).unwrap_err();
    assert_eq!(mistakes.len(), 2);
    let mistakes = read(&[
        ("API_ISSUER", "https://tenant.example/realms/a"),
        ("API_MANAGEMENT_CLIENT_ID", "m2m"),
        ("API_MANAGEMENT_CLIENT_SECRET", "s"),
    ]);
    assert_eq!(mistakes.unwrap_err()[0].0, "API_MANAGEMENT_URL");
}
