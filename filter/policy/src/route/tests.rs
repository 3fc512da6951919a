//! Which rule decides.

use super::*;
use crate::authority::Authority;
use crate::path::LiteralError;

/// A rule for every host and method.
fn rule(path: Result<PathMatch, Error>) -> RouteMatch {
    RouteMatch {
        hosts: Vec::new(),
        methods: MethodSet::any(),
        path: path.unwrap(),
    }
}

fn host_rule(hosts: &[&str]) -> RouteMatch {
    RouteMatch {
        hosts: hosts
            .iter()
            .map(|host| HostPattern::parse(host).unwrap())
            .collect(),
        ..rule(Ok(PathMatch::Any))
    }
}

fn method_rule<const N: usize>(methods: [&str; N]) -> RouteMatch {
    RouteMatch {
        methods: MethodSet::new(methods).unwrap(),
        ..rule(Ok(PathMatch::Any))
    }
}

fn authority(host: &str) -> Option<Authority<'_>> {
    Authority::parse(host.as_bytes()).ok()
}

#[track_caller]
fn check(rules: &[RouteMatch], (host, method, path): (&str, &str, &str), expected: Option<usize>) {
    let matcher = Matcher::compile(rules).unwrap();
    assert_eq!(
        matcher.find(authority(host), method, path),
        expected,
        "{method} {host}{path}"
    );
}

#[track_caller]
fn check_paths(path: Result<PathMatch, Error>, matching: &[&str], others: &[&str]) {
    let rules = [rule(path)];
    for path in matching {
        check(&rules, ("a", "GET", path), Some(0));
    }
    for path in others {
        check(&rules, ("a", "GET", path), None);
    }
}

#[test]
fn an_exact_path_is_that_path_alone() {
    check_paths(
        PathMatch::exact("/a/b"),
        &["/a/b"],
        &["/a/b/", "/a", "/a/bc", "/a/b/c", "/A/b", "/", "*", ""],
    );
    check_paths(
        PathMatch::exact("/a/"),
        &["/a/"],
        &["/a", "/a/b", "/a/b/", "/"],
    );
    check_paths(PathMatch::exact("/"), &["/"], &["/a", "*", ""]);
}

#[test]
fn a_prefix_ends_at_a_segment_so_that_public_docs_do_not_open_docs_internal() {
    check_paths(
        PathMatch::prefix("/api/docs"),
        &["/api/docs", "/api/docs/", "/api/docs/a/b"],
        &[
            "/api/docs-internal",
            "/api/docsX",
            "/api/docs.json",
            "/api/doc",
            "/api",
            "/x/api/docs",
            "*",
        ],
    );
}

#[test]
fn a_prefix_with_a_trailing_slash_is_what_lies_below() {
    check_paths(
        PathMatch::prefix("/api/v1/auth/"),
        &["/api/v1/auth/", "/api/v1/auth/login", "/api/v1/auth/a/b/"],
        &["/api/v1/auth", "/api/v1/authX/", "/api/v1/"],
    );
    check_paths(PathMatch::prefix("/"), &["/", "/a", "/a/b/"], &["*", ""]);
}

#[test]
fn a_template_parameter_is_one_segment_that_is_not_empty() {
    check_paths(
        PathMatch::template("/documents/{id}"),
        &[
            "/documents/1",
            "/documents/a.b",
            "/documents/%25",
            "/documents/{id}",
        ],
        &[
            "/documents/",
            "/documents",
            "/documents/1/",
            "/documents/1/2",
            "/x/1",
        ],
    );
    check_paths(
        PathMatch::template("/{a}/x/{b}/"),
        &["/1/x/2/"],
        &["/1/x/2", "/1/y/2/", "/x/x/"],
    );
}

#[test]
fn any_path_is_even_the_asterisk() {
    check_paths(Ok(PathMatch::Any), &["/", "/a", "*", ""], &[]);
}

#[test]
fn cve_2026_39350_every_character_of_a_literal_stands_for_itself() {
    check_paths(
        PathMatch::exact("/v1.0/a+(b)*"),
        &["/v1.0/a+(b)*"],
        &["/v1x0/a+(b)*", "/v1.0/aab"],
    );
}

#[test]
fn the_first_rule_wins_whatever_its_kind() {
    let rules = [
        rule(PathMatch::template("/a/{x}/c")),
        rule(PathMatch::exact("/a/b/c")),
        rule(PathMatch::prefix("/a/b")),
        rule(PathMatch::exact("/a/b/d")),
        rule(PathMatch::prefix("/")),
    ];
    check(&rules, ("h", "GET", "/a/b/c"), Some(0));
    check(&rules, ("h", "GET", "/a/b/d"), Some(2));
    check(&rules, ("h", "GET", "/a/x/d"), Some(4));
    check(&rules, ("h", "GET", "*"), None);
    let reversed: Vec<_> = rules.into_iter().rev().collect();
    check(&reversed, ("h", "GET", "/a/b/c"), Some(0));
}

#[test]
fn a_lookup_returns_to_the_parameter_where_the_literal_leads_nowhere() {
    let rules = [
        rule(PathMatch::exact("/a/b/c/d")),
        rule(PathMatch::template("/a/{x}/c/e")),
        rule(PathMatch::template("/{y}/b/c/f")),
    ];
    check(&rules, ("h", "GET", "/a/b/c/e"), Some(1));
    check(&rules, ("h", "GET", "/a/b/c/f"), Some(2));
    check(&rules, ("h", "GET", "/a/b/c/g"), None);
}

#[test]
fn get_covers_head_and_methods_are_case_sensitive() {
    let rules = [method_rule(["GET"]), method_rule(["PURGE", "POST"])];
    for (method, expected) in [
        ("GET", Some(0)),
        ("HEAD", Some(0)),
        ("POST", Some(1)),
        ("PURGE", Some(1)),
        ("purge", None),
        ("get", None),
        ("PUT", None),
        ("", None),
    ] {
        check(&rules, ("h", method, "/"), expected);
    }
    check(&[method_rule(["HEAD"])], ("h", "GET", "/"), None);
    check(&[rule(Ok(PathMatch::Any))], ("h", "anything", "/"), Some(0));
}

#[test]
fn a_host_matches_without_port_case_and_trailing_dot() {
    let rules = [host_rule(&["App.pymd.io", "[2001:db8::1]"])];
    for host in [
        "app.pymd.io",
        "APP.PYMD.IO",
        "app.pymd.io:443",
        "app.pymd.io.",
        "app.pymd.io.:8443",
        "[2001:DB8:0::1]:80",
    ] {
        check(&rules, (host, "GET", "/"), Some(0));
    }
    for host in [
        "",
        "pymd.io",
        "x.app.pymd.io",
        "app.pymd.io.evil.example",
        "app.pymd.io@evil.example",
        "app-pymd.io",
        "[2001:db8::2]",
    ] {
        check(&rules, (host, "GET", "/"), None);
    }
}

#[test]
fn a_wildcard_host_is_everything_below_and_not_the_suffix_itself() {
    let rules = [
        host_rule(&["*.pymd.io"]),
        host_rule(&["pymd.io"]),
        rule(Ok(PathMatch::Any)),
    ];
    for (host, expected) in [
        ("a.pymd.io", 0),
        ("a.b.PYMD.io:80", 0),
        ("pymd.io", 1),
        ("evilpymd.io", 2),
        ("pymd.io.evil.example", 2),
        ("", 2),
    ] {
        check(&rules, (host, "GET", "/"), Some(expected));
    }
}

#[test]
fn the_first_rule_wins_over_all_host_patterns() {
    let rules = [
        host_rule(&["*.b.c"]),
        host_rule(&["a.b.c"]),
        rule(Ok(PathMatch::Any)),
        host_rule(&["*.c"]),
    ];
    check(&rules, ("a.b.c", "GET", "/"), Some(0));
    check(&rules, ("b.c", "GET", "/"), Some(2));
    check(&rules[1..], ("a.b.c", "GET", "/"), Some(0));
    check(&rules[2..], ("a.b.c", "GET", "/"), Some(0));
}

#[track_caller]
fn check_refused(pattern: Result<impl std::fmt::Debug, Error>, expected: &str) {
    assert_eq!(pattern.unwrap_err().to_string(), expected);
}

#[test]
fn patterns_that_can_match_nothing_are_refused() {
    let not_normal = |normal: &str| {
        Error::Path(LiteralError::NotNormal {
            normal: normal.to_owned(),
        })
        .to_string()
    };
    check_refused(PathMatch::exact("/%61"), &not_normal("/a"));
    check_refused(PathMatch::prefix("/%c3%a9/"), &not_normal("/%C3%A9/"));
    check_refused(
        PathMatch::template("/%61/{id}"),
        "rules see the normal form of a path: write \"/a/x\"",
    );
    check_refused(
        PathMatch::exact("/a?b"),
        "rules match the path only, never the query",
    );
    check_refused(
        PathMatch::prefix("a"),
        "no request can have this path: the request target does not start with a slash",
    );
    check_refused(
        PathMatch::prefix("/a/../b"),
        "no request can have this path: the path contains a dot segment",
    );
    for bad in [
        "/a//{id}",
        "{id}",
        "",
        "/a/../{id}",
        "/a;b/{id}",
        "{id}/a",
        "/a#b/{id}",
    ] {
        assert!(
            matches!(PathMatch::template(bad), Err(Error::Path(_))),
            "{bad}"
        );
    }
}

#[test]
fn malformed_templates_are_refused() {
    for bad in ["/a/{id}.json", "/a/{", "/a/}", "/a/x{id}", "/a/{a}{b}"] {
        assert!(
            matches!(
                PathMatch::template(bad),
                Err(Error::Segment { .. } | Error::ParameterName { .. })
            ),
            "{bad}"
        );
    }
    for bad in ["/{}", "/{1a}", "/{a-b}", "/{a b}", "/{é}", "/{*}", "/{{a}}"] {
        assert!(
            matches!(PathMatch::template(bad), Err(Error::ParameterName { .. })),
            "{bad}"
        );
    }
    check_refused(
        PathMatch::template("/{id}/x/{id}"),
        "parameter \"{id}\" appears twice",
    );
    let deep = "/a".repeat(pattern::MAX_SEGMENTS);
    assert!(PathMatch::exact(&deep).is_ok());
    check_refused(
        PathMatch::prefix(&format!("{deep}/a")),
        "more than 64 segments",
    );
    check_refused(
        PathMatch::template(&format!("{deep}/{{a}}")),
        "more than 64 segments",
    );
}

#[test]
fn malformed_hosts_and_methods_are_refused() {
    for bad in [
        "", "*", "*.", "a:80", "*.a:80", "*.[::1]", "a.*.b", "*a.b", "http://a", "a/b", "a..b",
        "::1",
    ] {
        assert!(
            matches!(HostPattern::parse(bad), Err(Error::Host { .. })),
            "{bad}"
        );
    }
    for bad in ["get", "Post", "", "A B", "A,B", "é"] {
        assert!(
            matches!(MethodSet::new([bad]), Err(Error::Method { .. })),
            "{bad}"
        );
    }
    assert_eq!(MethodSet::new([]), Err(Error::NoMethods));
}

#[test]
fn patterns_print_as_they_are_written() {
    assert_eq!(
        MethodSet::new(["POST", "GET", "PURGE"])
            .unwrap()
            .to_string(),
        "GET,HEAD,POST,PURGE"
    );
    assert_eq!(MethodSet::any().to_string(), "any");
    assert_eq!(
        HostPattern::parse("*.PyMD.io").unwrap().to_string(),
        "*.pymd.io"
    );
    assert_eq!(
        PathMatch::template("/a/{id}").unwrap().to_string(),
        "template /a/{id}"
    );
    assert_eq!(PathMatch::prefix("/a/").unwrap().to_string(), "prefix /a/");
}

/// Templates of every combination of one literal and a parameter in `depth` segments.
fn overlapping(depth: u32) -> Vec<RouteMatch> {
    (0..1_u32 << depth)
        .map(|bits| {
            let text: String = (0..depth)
                .map(|at| {
                    if bits >> at & 1 == 0 {
                        "/a".to_owned()
                    } else {
                        format!("/{{p{at}}}")
                    }
                })
                .collect();
            rule(PathMatch::template(&text))
        })
        .collect()
}

#[test]
fn templates_that_overlap_without_bound_are_refused() {
    assert!(Matcher::compile(&overlapping(9)).is_ok());
    assert_eq!(
        Matcher::compile(&overlapping(10)).unwrap_err(),
        TooAmbiguous { visits: 2047 }
    );
}

/// `count` rules of every kind.
fn many(count: usize) -> Vec<RouteMatch> {
    (0..count)
        .map(|index| match index % 4 {
            0 => rule(PathMatch::exact(&format!("/a{index}/b"))),
            1 => rule(PathMatch::prefix(&format!("/api/v{index}"))),
            2 => rule(PathMatch::template(&format!("/t/{{id}}/x{index}"))),
            _ => host_rule(&[&format!("h{index}.example")]),
        })
        .collect()
}

#[test]
fn ten_thousand_rules_are_told_apart() {
    let matcher = Matcher::compile(&many(10_000)).unwrap();
    assert_eq!(matcher.find(authority("h"), "GET", "/a9996/b"), Some(9996));
    assert_eq!(
        matcher.find(authority("h"), "GET", "/api/v9997/z"),
        Some(9997)
    );
    assert_eq!(
        matcher.find(authority("h"), "GET", "/t/1/x9998"),
        Some(9998)
    );
    assert_eq!(
        matcher.find(authority("h9999.example"), "GET", "/"),
        Some(9999)
    );
    assert_eq!(matcher.find(authority("h"), "GET", "/nothing"), None);
}

#[test]
fn a_lookup_among_ten_thousand_rules_visits_as_much_as_among_ten() {
    let visits = |count| Matcher::compile(&many(count)).unwrap().worst_visits();
    assert_eq!(visits(10_000), visits(10));
}
