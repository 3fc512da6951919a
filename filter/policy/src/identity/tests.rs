//! Names in every spelling.

use proptest::prelude::*;

use super::*;

fn headers() -> IdentityHeaders {
    IdentityHeaders::compile(["x-user-id", "x-user-scope", "x-user-roles", "x-org"]).unwrap()
}

#[track_caller]
fn check(name: &str, expected: bool) {
    assert_eq!(headers().is_identity(name.as_bytes()), expected, "{name}");
}

#[test]
fn cve_2026_44087_identity_headers_of_a_client_are_recognised() {
    for name in ["x-user-id", "x-user-scope", "x-user-roles", "x-org"] {
        check(name, true);
    }
}

#[test]
fn cve_2025_64484_every_spelling_that_an_upstream_folds_is_recognised() {
    for name in [
        "X-User-Id",
        "x_user_id",
        "X_USER-ID",
        "x-user_id",
        "x.user.id",
        "x~user|id",
        "X-ORG",
        "x_org",
    ] {
        check(name, true);
    }
}

#[test]
fn cve_2018_14773_headers_that_replace_the_path_or_the_method_are_recognised() {
    for name in [
        "x-original-url",
        "X_Original_Url",
        "x-rewrite-url",
        "x-http-method-override",
        "x-http-method",
        "x-method-override",
        "x-envoy-original-path",
    ] {
        check(name, true);
    }
}

#[test]
fn other_headers_are_kept() {
    for name in [
        "",
        "x",
        "x-user",
        "x-user-i",
        "x-user-ids",
        "x-user-ie",
        "y-user-id",
        "xuser-id",
        "x--user-id",
        "x-orgs",
        ":path",
        "accept",
        "authorization",
        "cookie",
        "user-agent",
        "x-user-scopes",
        &"x".repeat(200),
    ] {
        check(name, false);
    }
}

#[test]
fn a_longest_name_is_recognised_and_longer_ones_are_not_taken_for_it() {
    let longest = "a".repeat(MAX_NAME_BYTES);
    let headers = IdentityHeaders::compile([longest.as_str()]).unwrap();
    assert!(headers.is_identity(longest.as_bytes()));
    for length in [62, 64, 127, 128, 64 + 63, 1 << 16] {
        assert!(
            !headers.is_identity("a".repeat(length).as_bytes()),
            "{length}"
        );
    }
}

#[test]
fn names_that_mean_something_else_are_refused_all_at_once() {
    let reserved = |name: &str| Error::Reserved {
        name: name.to_owned(),
    };
    let names = [
        "x-ok",
        "host",
        "content-length",
        "x-forwarded-for",
        "sec-fetch-site",
        "authorization",
        "x-original-url",
    ];
    assert_eq!(
        IdentityHeaders::compile(names).unwrap_err(),
        names[1..].iter().copied().map(reserved).collect::<Vec<_>>()
    );
}

#[test]
fn names_that_are_no_lower_case_tokens_are_refused() {
    let long = "a".repeat(64);
    for name in [
        "", ":path", "X-User", "x_user", "x.user", "x user", "x-user:", "x\r\n", "é", "-", "-a",
        "a-",
    ] {
        assert!(
            matches!(check_name(name), Err(Error::NotAName { .. })),
            "{name:?}"
        );
    }
    assert!(matches!(check_name(&long), Err(Error::TooLong { .. })));
    let many: Vec<_> = (0..=MAX_NAMES).map(|index| format!("x-{index}")).collect();
    assert_eq!(
        IdentityHeaders::compile(many.iter().map(String::as_str)).unwrap_err(),
        [Error::TooMany]
    );
}

proptest! {
    #[test]
    fn every_respelling_of_an_identity_header_is_recognised(
        which in 0..4_usize,
        upper in any::<u64>(),
        separators in prop::collection::vec("[-_.~|!]", 2),
    ) {
        let name = ["x-user-id", "x-user-scope", "x-user-roles", "x-org"][which];
        let mut separators = separators.iter();
        let spelled: String = name.chars().enumerate().map(|(at, c)| match c {
            '-' => separators.next().unwrap().clone(),
            c if upper >> at & 1 == 1 => c.to_ascii_uppercase().to_string(),
            c => c.to_string(),
        }).collect();
        prop_assert!(headers().is_identity(spelled.as_bytes()), "{}", spelled);
    }

    #[test]
    fn any_bytes_are_a_name_or_not_without_a_panic(name in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = headers().is_identity(&name);
    }
}
