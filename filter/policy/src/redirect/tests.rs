//! Where plain HTTP is sent.

use proptest::prelude::*;

use super::*;
use crate::request::HeaderField;

fn settings() -> HttpsRedirect {
    HttpsRedirect {
        except: ["/healthz", "/.well-known/acme-challenge/"]
            .iter()
            .map(|path| Exception::parse(path).unwrap())
            .collect(),
        ..HttpsRedirect::default()
    }
}

fn location(
    settings: &HttpsRedirect,
    method: &str,
    authority: Option<&str>,
    path: &str,
) -> Result<Option<Redirect>, Invalid> {
    let mut headers: Vec<HeaderField<'_>> = vec![
        (b":method", method.as_bytes()),
        (b":path", path.as_bytes()),
        (b"x-forwarded-host", b"evil.example"),
        (b"forwarded", b"host=evil.example"),
        (b"host", b"evil.example"),
    ];
    headers.extend(authority.map(|authority| (b":authority".as_slice(), authority.as_bytes())));
    let head = RequestHead {
        headers: &headers,
        source_address: None,
        tls: false,
    };
    let target = RequestTarget::of(&head).unwrap();
    settings.location(&head, Scheme::Http, &target)
}

/// `expected` is `status location`.
#[track_caller]
fn check(settings: &HttpsRedirect, method: &str, authority: &str, path: &str, expected: &str) {
    let redirect = location(settings, method, Some(authority), path)
        .unwrap()
        .unwrap();
    assert_eq!(
        format!("{} {}", redirect.status, redirect.location),
        expected
    );
}

#[test]
fn get_and_head_move_and_other_methods_are_kept() {
    for (method, status) in [
        ("GET", 301),
        ("HEAD", 301),
        ("POST", 308),
        ("PUT", 308),
        ("DELETE", 308),
        ("PURGE", 308),
        ("get", 308),
    ] {
        check(
            &settings(),
            method,
            "app.pymd.io",
            "/a?b=c",
            &format!("{status} https://app.pymd.io/a?b=c"),
        );
    }
}

#[test]
fn a_temporary_redirect_stays_temporary_for_every_method() {
    for (code, get, post) in [
        (301, 301, 308),
        (302, 302, 307),
        (307, 307, 307),
        (308, 308, 308),
    ] {
        let status = RedirectStatus::from_code(code).unwrap();
        let settings = HttpsRedirect {
            status,
            ..settings()
        };
        check(&settings, "GET", "a", "/", &format!("{get} https://a/"));
        check(&settings, "POST", "a", "/", &format!("{post} https://a/"));
    }
    assert_eq!(RedirectStatus::from_code(303), None);
    assert_eq!(RedirectStatus::from_code(200), None);
}

#[test]
fn the_port_of_plain_http_is_dropped_and_that_of_https_written() {
    check(
        &settings(),
        "GET",
        "app.pymd.io:8080",
        "/",
        "301 https://app.pymd.io/",
    );
    check(
        &settings(),
        "GET",
        "[2001:db8::1]:80",
        "/",
        "301 https://[2001:db8::1]/",
    );
    let settings = HttpsRedirect {
        port: Port::new(8443),
        ..settings()
    };
    check(
        &settings,
        "GET",
        "app.pymd.io:8080",
        "/",
        "301 https://app.pymd.io:8443/",
    );
    assert_eq!(Port::new(443), None);
    assert_eq!(Port::new(0), None);
}

#[test]
fn the_path_is_the_one_that_was_judged() {
    check(
        &settings(),
        "GET",
        "a",
        "/%61/%c3%a9?q=%61",
        "301 https://a/a/%C3%A9?q=%61",
    );
    check(&settings(), "GET", "a", "/?", "301 https://a/?");
    check(&settings(), "OPTIONS", "a", "*", "308 https://a");
}

#[test]
fn a_request_that_came_by_https_is_decided_as_it_is() {
    let head = RequestHead {
        headers: &[(b":path", b"/")],
        source_address: None,
        tls: true,
    };
    let target = RequestTarget::of(&head).unwrap();
    assert_eq!(settings().location(&head, Scheme::Https, &target), Ok(None));
}

#[test]
fn exceptions_are_exact_or_below_a_slash() {
    for path in [
        "/healthz",
        "/healthz?x",
        "/%68ealthz",
        "/.well-known/acme-challenge/token",
    ] {
        assert_eq!(
            location(&settings(), "GET", Some("a"), path),
            Ok(None),
            "{path}"
        );
    }
    for path in [
        "/healthz/",
        "/healthzz",
        "/a?/healthz",
        "/.well-known/acme-challenge",
        "/Healthz",
        "/",
    ] {
        assert!(
            location(&settings(), "GET", Some("a"), path)
                .unwrap()
                .is_some(),
            "{path}"
        );
    }
    assert_eq!(Exception::parse("/"), Err(ExceptionError::Everything));
    for bad in ["", "healthz", "/a?b", "/%61", "/a/../b"] {
        assert!(
            matches!(Exception::parse(bad), Err(ExceptionError::Path(_))),
            "{bad}"
        );
    }
}

#[test]
fn cve_2020_11053_a_host_that_could_lead_elsewhere_is_refused() {
    for authority in [
        "evil.example/",
        "a@evil.example",
        "a\\evil.example",
        "a/\\evil.example",
        "a/\tevil",
        "a b",
        "",
        "a:b",
        "a:80@evil.example",
        "a#",
        "a?",
        "a\r\nset-cookie: x",
        "é",
    ] {
        assert_eq!(
            location(&settings(), "GET", Some(authority), "/"),
            Err(Invalid),
            "{authority}"
        );
    }
    assert_eq!(location(&settings(), "GET", None, "/"), Err(Invalid));
}

#[test]
fn only_listed_hosts_are_redirected_to() {
    let hosts = ["pymd.io", "*.pymd.io"].map(|host| HostPattern::parse(host).unwrap());
    let settings = HttpsRedirect {
        hosts: hosts.to_vec(),
        ..settings()
    };
    check(&settings, "GET", "PyMD.io:80", "/", "301 https://PyMD.io/");
    check(
        &settings,
        "GET",
        "a.b.pymd.io",
        "/",
        "301 https://a.b.pymd.io/",
    );
    for authority in [
        "evil.example",
        "pymd.io.evil.example",
        "evilpymd.io",
        "192.0.2.1",
    ] {
        assert_eq!(
            location(&settings, "GET", Some(authority), "/"),
            Err(Invalid),
            "{authority}"
        );
    }
}

proptest! {
    #[test]
    fn a_redirect_leads_to_the_host_that_was_asked_for(
        authority in "[a-zA-Z0-9.:@/\\\\#?\\[\\]%_-]{0,24}",
        path in "/[ -~]{0,16}",
    ) {
        let headers: [HeaderField<'_>; 2] = [(b":authority", authority.as_bytes()), (b":path", path.as_bytes())];
        let head = RequestHead { headers: &headers, source_address: None, tls: false };
        let Ok(target) = RequestTarget::of(&head) else { return Ok(()) };
        if let Ok(Some(redirect)) = settings().location(&head, Scheme::Http, &target) {
            // What a browser takes for the host: up to the first character that can end it.
            let rest = redirect.location.strip_prefix("https://").unwrap();
            let host = rest.split(['/', '\\', '?', '#', '@']).next().unwrap();
            prop_assert!(authority == host || authority.strip_prefix(host).is_some_and(|port| {
                port.strip_prefix(':').is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
            }), "{} {}", authority, redirect.location);
            let at = rest.find(['/', '?']).unwrap();
            prop_assert_eq!(rest.split_at(at).0, host);
        }
    }
}
