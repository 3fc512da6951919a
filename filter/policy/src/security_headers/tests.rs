//! Values that are sent and values that are refused.

use super::*;

fn print(headers: &SecurityHeaders, scheme: Scheme) -> String {
    let lines = headers
        .iter(scheme)
        .map(|(name, value)| format!("{name}: {value}\n"));
    lines.collect::<Vec<_>>().concat()
}

#[test]
fn every_answer_over_https_carries_the_defaults() {
    assert_eq!(
        print(&SecurityHeaders::default(), Scheme::Https),
        "strict-transport-security: max-age=31536000\n\
         x-content-type-options: nosniff\n\
         referrer-policy: strict-origin-when-cross-origin\n\
         x-frame-options: DENY\n\
         permissions-policy: camera=(), geolocation=(), microphone=()\n\
         cross-origin-opener-policy: same-origin-allow-popups\n\
         cross-origin-resource-policy: same-origin\n"
    );
}

#[test]
fn hsts_is_never_sent_in_the_clear() {
    let https = print(&SecurityHeaders::default(), Scheme::Https);
    let http = print(&SecurityHeaders::default(), Scheme::Http);
    assert_eq!(
        https,
        format!("strict-transport-security: max-age=31536000\n{http}")
    );
}

#[test]
fn a_header_is_set_once_and_can_be_left_to_the_upstream() {
    let mut headers = SecurityHeaders::default();
    for header in SecurityHeader::ALL {
        headers.omit(header);
    }
    assert_eq!(print(&headers, Scheme::Https), "");
    headers.set(SecurityHeader::FrameOptions, "DENY").unwrap();
    headers
        .set(SecurityHeader::FrameOptions, "SAMEORIGIN")
        .unwrap();
    headers
        .set(
            SecurityHeader::ContentSecurityPolicy,
            " default-src 'self' ",
        )
        .unwrap();
    assert_eq!(
        print(&headers, Scheme::Https),
        "content-security-policy: default-src 'self'\nx-frame-options: SAMEORIGIN\n"
    );
}

#[test]
fn the_upstreams_own_headers_stay_unless_told_otherwise() {
    let mut headers = SecurityHeaders::default();
    assert!(!headers.overwrite());
    headers.set_overwrite(true);
    assert!(headers.overwrite());
}

#[test]
fn a_refused_value_changes_nothing() {
    let mut headers = SecurityHeaders::default();
    assert!(headers.set(SecurityHeader::FrameOptions, "deny").is_err());
    assert_eq!(headers, SecurityHeaders::default());
}

#[test]
fn every_default_is_a_value_that_is_accepted() {
    for header in SecurityHeader::ALL {
        if let Some(value) = header.default_value() {
            assert_eq!(
                SecurityHeaders::default().set(header, value),
                Ok(()),
                "{}",
                header.name()
            );
        }
    }
}

#[track_caller]
fn check(header: SecurityHeader, accepted: &[&str], refused: &[&str]) {
    for value in accepted {
        assert_eq!(
            SecurityHeaders::default().set(header, value),
            Ok(()),
            "{value}"
        );
    }
    for value in refused {
        assert!(
            SecurityHeaders::default().set(header, value).is_err(),
            "{value}"
        );
    }
}

#[test]
fn hsts_is_what_rfc_6797_says() {
    check(
        SecurityHeader::StrictTransportSecurity,
        &[
            "max-age=0",
            "max-age=31536000; includeSubDomains",
            "includeSubDomains ; max-age = 1;",
            "max-age=63072000; includeSubDomains; preload",
            "MAX-AGE=1; INCLUDESUBDOMAINS",
        ],
        &[
            "",
            "includeSubDomains",
            "max-age",
            "max-age=",
            "max-age=-1",
            "max-age=1d",
            "max-age=1; max-age=2",
            "max-age=1; includeSubDomain",
            "max-age=1; includeSubDomains; includeSubDomains",
            "max-age=1, preload",
            "max-age=31536000; preload",
            "max-age=1; includeSubDomains; preload",
            "max-age=1; includeSubDomains=1",
            "max-age=99999999999999999999",
            "max-age=+1",
        ],
    );
}

#[test]
fn a_content_security_policy_is_one_policy_of_named_directives() {
    check(
        SecurityHeader::ContentSecurityPolicy,
        &[
            "default-src 'self'",
            "default-src 'none'; script-src 'self' https://cdn.example; frame-ancestors 'none';",
            "upgrade-insecure-requests",
        ],
        &[
            "",
            "default-src 'self', script-src *",
            "default_src 'self'",
            "'self'",
            "script-src a; script-src b",
            "default-src 'self'\r\nx: y",
            "default-src é",
            "default-src:'self'",
        ],
    );
}

#[test]
fn a_permissions_policy_is_a_dictionary_of_features() {
    check(
        SecurityHeader::PermissionsPolicy,
        &[
            "camera=()",
            "camera=(self), fullscreen=*",
            "geolocation=(self \"https://a.example\"), usb=self",
        ],
        &[
            "",
            "camera",
            "camera 'none'",
            "camera=none",
            "camera=(), camera=()",
            "camera=();",
            "Camera=()",
            "camera=(),",
            "=()",
        ],
    );
}

#[test]
fn headers_with_few_values_take_no_other() {
    check(
        SecurityHeader::ContentTypeOptions,
        &["nosniff"],
        &["", "sniff", "nosniff, nosniff"],
    );
    check(
        SecurityHeader::FrameOptions,
        &["DENY", "SAMEORIGIN"],
        &["ALLOW-FROM https://a", "ALLOWALL", "deny"],
    );
    check(
        SecurityHeader::ReferrerPolicy,
        &[
            "no-referrer",
            "no-referrer, strict-origin-when-cross-origin",
        ],
        &["never", "no-referrer,", "No-Referrer"],
    );
    check(
        SecurityHeader::CrossOriginOpenerPolicy,
        &["same-origin", "unsafe-none", "noopener-allow-popups"],
        &["same-site", "same-origin; report-to=x"],
    );
    check(
        SecurityHeader::CrossOriginResourcePolicy,
        &["same-site", "cross-origin"],
        &["none", "*"],
    );
}

#[test]
fn no_value_can_bring_a_header_of_its_own() {
    for header in SecurityHeader::ALL {
        check(
            header,
            &[],
            &[
                "x\r\nset-cookie: a=b",
                "x\ny",
                "x\0",
                "\u{85}",
                &"x".repeat(5000),
            ],
        );
    }
}
