//! Paths that are normalised and paths that are refused.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::request::HeaderField;

/// `expected` is the normal form; it equals the input where nothing is to be rewritten.
#[track_caller]
fn check(raw: &str, expected: Result<&str, Error>) {
    let target = RequestTarget::parse(raw.as_bytes());
    let path = target.as_ref().map(RequestTarget::path);
    assert_eq!(path, expected.as_ref().map(|path| *path), "{raw}");
    if let Ok(target) = &target {
        let spelled = raw.split('?').next().unwrap();
        assert_eq!(target.changed(), spelled != target.path(), "{raw}");
    }
}

#[test]
fn a_path_in_normal_form_is_kept_as_it_is() {
    for path in [
        "/",
        "/a",
        "/a/",
        "/a/b.c/...",
        "/.well-known/acme-challenge/x",
        "/a-b._~!$&'()*+,=:@",
        "/caf%C3%A9",
        "/100%25",
        "/a%20b",
        "/%F0%9F%A6%80",
        "/a..b/..c/d..",
    ] {
        check(path, Ok(path));
        let target = RequestTarget::parse(path.as_bytes()).unwrap();
        assert!(matches!(target.path, Cow::Borrowed(_)), "{path}");
        assert_eq!(target.rewritten(), None);
    }
}

#[test]
fn every_other_spelling_of_a_path_has_the_same_normal_form() {
    for (raw, expected) in [
        ("/%61dmin", "/admin"),
        ("/%7euser", "/~user"),
        ("/users/%40me", "/users/@me"),
        ("/a%2Bb%3Dc%26d", "/a+b=c&d"),
        ("/caf%c3%a9", "/caf%C3%A9"),
        ("/a%3fb%23c", "/a%3Fb%23c"),
        ("/a|b^c[d]", "/a%7Cb%5Ec%5Bd%5D"),
        ("/{x}\"<>`", "/%7Bx%7D%22%3C%3E%60"),
        ("/%f0%9f%a6%80/%41", "/%F0%9F%A6%80/A"),
        ("/%2e%2E%2e", "/..."),
        ("/a?q=%61", "/a"),
    ] {
        check(raw, Ok(expected));
    }
}

#[test]
fn a_double_escaped_dot_is_a_name_with_a_percent_sign_and_stays() {
    check("/%252e%252e/a", Ok("/%252e%252e/a"));
    check("/%25%32%65", Ok("/%252e"));
}

#[test]
fn cve_2021_32779_a_raw_fragment_is_refused() {
    check("/admin#/public", Err(Error::Fragment));
    check("/admin#?a", Err(Error::Fragment));
    check("/admin?a#b", Err(Error::Fragment));
    check("/admin#", Err(Error::Fragment));
}

#[test]
fn ghsa_pxq7_h93f_9jrg_an_escaped_fragment_stays_part_of_the_path() {
    check("/admin%23/public", Ok("/admin%23/public"));
}

#[test]
fn cve_2020_8595_the_query_is_no_part_of_the_path() {
    check("/admin?x=/public", Ok("/admin"));
    check("/admin?", Ok("/admin"));
    check("/admin%3Fx", Ok("/admin%3Fx"));
}

#[test]
fn cve_2026_73511_path_parameters_are_refused() {
    for raw in [
        "/admin;x",
        "/admin;/a",
        "/;a",
        "/admin%3bx",
        "/admin%3Bx",
        "/a/..;/admin",
    ] {
        check(raw, Err(Error::Semicolon));
    }
}

#[test]
fn dot_segments_are_refused_in_every_spelling() {
    for raw in [
        "/.",
        "/..",
        "/./a",
        "/../a",
        "/a/.",
        "/a/..",
        "/a/../admin",
        "/%2e",
        "/%2E%2e/a",
        "/.%2e/a",
        "/a/%2e%2e?x",
        "/a/./b",
    ] {
        check(raw, Err(Error::DotSegment));
    }
}

#[test]
fn empty_segments_are_refused() {
    for raw in ["//", "//admin", "/a//b", "/a//", "//evil.example/a"] {
        check(raw, Err(Error::EmptySegment));
    }
}

#[test]
fn separators_that_some_upstream_would_see_are_refused() {
    for (raw, error) in [
        ("/a%2fb", Error::EncodedSlash),
        ("/a%2Fb", Error::EncodedSlash),
        ("/..%2fadmin", Error::EncodedSlash),
        ("/a%5cb", Error::Backslash),
        ("/a%5Cb", Error::Backslash),
        ("/a\\b", Error::Backslash),
        ("/\\evil.example", Error::Backslash),
    ] {
        check(raw, Err(error));
    }
}

#[test]
fn control_characters_are_refused_raw_and_escaped() {
    for (raw, error) in [
        ("/a\0", Error::Nul),
        ("/a%00", Error::Nul),
        ("/a%00.json", Error::Nul),
        ("/a?b\0", Error::Nul),
        ("/a\r\nx: y", Error::Control),
        ("/a%0d%0ax:%20y", Error::Control),
        ("/a%0A", Error::Control),
        ("/a\t", Error::Control),
        ("/a%7f", Error::Control),
        ("/a\x7F", Error::Control),
        ("/a?b\n", Error::Control),
        ("/a?b\x7F", Error::Control),
        ("/a%c2%85", Error::Control),
        ("/a b", Error::Space),
        ("/a?b c", Error::Space),
        ("/a HTTP/1.1", Error::Space),
    ] {
        check(raw, Err(error));
    }
}

#[test]
fn escapes_that_are_not_utf8_are_refused() {
    for raw in [
        "/%c0%af",
        "/%c0%ae%c0%ae/",
        "/%e0%80%af",
        "/%f0%80%80%af",
        "/%ff",
        "/%80",
        "/%c3",
        "/%c3a",
        "/%c3/%a9",
        "/%c3%28",
        "/%ed%a0%80",
        "/%f4%90%80%80",
        "/%e2%82",
        "/%c1%9c",
    ] {
        check(raw, Err(Error::NotUtf8));
    }
}

#[test]
fn invalid_escapes_are_refused() {
    for raw in [
        "/%", "/%4", "/%zz", "/%4g", "/a%", "/%%41", "/%u002e", "/%-1", "/%c3%", "/%+1",
    ] {
        check(raw, Err(Error::InvalidEscape));
    }
}

#[test]
fn raw_bytes_beyond_ascii_are_refused() {
    for raw in ["/café", "/a?é", "/\u{FF0F}admin"] {
        check(raw, Err(Error::NonAscii));
    }
    assert_eq!(RequestTarget::parse(b"/\xC0\xAF"), Err(Error::NonAscii));
}

#[test]
fn only_origin_form_is_a_path() {
    for raw in [
        "",
        "a",
        "*",
        "?a",
        "http://evil.example/",
        "evil.example:443",
        "%2f",
        "%2fadmin",
        " /",
    ] {
        check(raw, Err(Error::NotOriginForm));
    }
}

#[test]
fn length_is_limited() {
    let path = format!("/{}", "a".repeat(MAX_TARGET_BYTES - 1));
    check(&path, Ok(&path));
    check(&format!("{path}a"), Err(Error::TooLong));
    check(
        &format!("/?{}", "a".repeat(MAX_TARGET_BYTES)),
        Err(Error::TooLong),
    );
    // `|` becomes `%7C`: found by a fuzzer, which parsed the normal form once more.
    let third = "|".repeat(MAX_TARGET_BYTES / 3);
    check(
        &format!("/{third}"),
        Ok(&format!("/{}", "%7C".repeat(third.len()))),
    );
    check(&format!("/{third}|"), Err(Error::TooLong));
    check(&format!("/{third}?a"), Err(Error::TooLong));
}

#[test]
fn a_rewritten_target_keeps_the_query_as_sent() {
    let rewritten = |raw: &'static str| RequestTarget::parse(raw.as_bytes()).unwrap().rewritten();
    assert_eq!(
        rewritten("/%61?b=%61&c;%2f..//|"),
        Some("/a?b=%61&c;%2f..//|".to_owned())
    );
    assert_eq!(rewritten("/%61?"), Some("/a?".to_owned()));
    assert_eq!(rewritten("/%61"), Some("/a".to_owned()));
    assert_eq!(rewritten("/a?%61"), None);
}

#[track_caller]
fn check_head(headers: &[HeaderField<'_>], expected: Result<&str, Error>) {
    let head = RequestHead {
        headers,
        source_address: None,
        tls: false,
    };
    let target = RequestTarget::of(&head);
    assert_eq!(
        target.as_ref().map(RequestTarget::path),
        expected.as_ref().map(|path| *path)
    );
}

#[test]
fn ghsa_8vc2_jrm4_835w_a_request_without_path_is_an_error() {
    check_head(&[(b":method", b"CONNECT")], Err(Error::Missing));
    check_head(&[], Err(Error::Missing));
}

#[test]
fn the_only_path_header_counts() {
    check_head(&[(b":path", b"/a")], Ok("/a"));
    check_head(
        &[(b":path", b"/a"), (b":path", b"/b")],
        Err(Error::Duplicate),
    );
}

#[test]
fn cve_2023_27487_no_other_header_changes_the_path() {
    check_head(
        &[
            (b"x-envoy-original-path", b"/public"),
            (b"x-original-url", b"/public"),
            (b"x-forwarded-uri", b"/public"),
            (b":path", b"/admin"),
        ],
        Ok("/admin"),
    );
}

#[test]
fn an_asterisk_is_for_options_only() {
    check_head(&[(b":method", b"OPTIONS"), (b":path", b"*")], Ok("*"));
    check_head(
        &[(b":method", b"GET"), (b":path", b"*")],
        Err(Error::NotOriginForm),
    );
    check_head(&[(b":path", b"*")], Err(Error::NotOriginForm));
}

#[test]
fn a_literal_that_no_request_can_equal_is_refused() {
    assert_eq!(check_literal("/a/"), Ok(()));
    assert_eq!(
        check_literal("/a//b"),
        Err(LiteralError::Refused(Error::EmptySegment))
    );
    assert_eq!(check_literal("/a?b"), Err(LiteralError::Query));
    let normal = "/a".to_owned();
    assert_eq!(
        check_literal("/%61"),
        Err(LiteralError::NotNormal { normal })
    );
}

/// Decodes every escape once, as an upstream does.
fn decode(path: &str) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut rest = path.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        decoded.push(byte);
        if byte == b'%' {
            let hex = std::str::from_utf8(&rest[..2]).unwrap();
            *decoded.last_mut().unwrap() = u8::from_str_radix(hex, 16).unwrap();
            rest = &rest[2..];
        }
    }
    decoded
}

/// Paths that are mostly near the edge between accepted and refused.
fn spellings() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-z/.]",
        "%[2-7][0-9a-fA-F]",
        "%[cC]3%[a-bA-B][0-9a-fA-F]",
        Just("/".to_owned()),
        "[ -~]",
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| format!("/{}", pieces.concat()))
}

proptest! {
    #[test]
    fn any_bytes_are_decided_without_a_panic(raw in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = RequestTarget::parse(&raw);
    }

    #[test]
    fn a_normal_path_normalises_to_itself(raw in spellings()) {
        if let Ok(target) = RequestTarget::parse(raw.as_bytes()) {
            let again = RequestTarget::parse(target.path().as_bytes()).unwrap();
            prop_assert_eq!(again.path(), target.path());
            prop_assert!(!again.changed());
            prop_assert!(again.query().is_none());
        }
    }

    #[test]
    fn normalising_never_changes_what_one_decoding_yields(raw in spellings()) {
        if let Ok(target) = RequestTarget::parse(raw.as_bytes()) {
            let sent = raw.split('?').next().unwrap();
            prop_assert_eq!(decode(sent), decode(target.path()));
        }
    }

    #[test]
    fn paths_that_decode_alike_have_one_normal_form(raw in spellings()) {
        // Escape every byte but the slashes: the most different spelling of the same path.
        if let Ok(target) = RequestTarget::parse(raw.as_bytes()) {
            let mut escaped = String::new();
            for byte in decode(target.path()) {
                if byte == b'/' {
                    escaped.push('/');
                } else {
                    write!(escaped, "%{byte:02x}").unwrap();
                }
            }
            let other = RequestTarget::parse(escaped.as_bytes()).unwrap();
            prop_assert_eq!(other.path(), target.path());
        }
    }

    #[test]
    fn an_accepted_path_has_no_separator_left_to_decode(raw in spellings()) {
        if let Ok(target) = RequestTarget::parse(raw.as_bytes()) {
            let decoded = decode(target.path());
            let slashes = |bytes: &[u8]| bytes.split(|&byte| byte == b'/').count();
            prop_assert_eq!(slashes(&decoded), slashes(target.path().as_bytes()));
            prop_assert!(decoded.iter().all(|byte| !byte.is_ascii_control() && !b"\\;".contains(byte)));
            for segment in decoded.split(|&byte| byte == b'/') {
                prop_assert!(segment != b"." && segment != b"..");
            }
        }
    }
}
