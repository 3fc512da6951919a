//! The matcher beside the plain reading of its documentation.

use proptest::prelude::*;

use super::*;
use crate::authority::Authority;

fn authority(host: &str) -> Option<Authority<'_>> {
    Authority::parse(host.as_bytes()).ok()
}

/// The documented meaning of a pattern, rule by rule and without an index.
fn find_by_trying_each(
    rules: &[RouteMatch],
    host: &str,
    method: &str,
    path: &str,
) -> Option<usize> {
    let path_matches = |pattern: &PathMatch| match pattern {
        PathMatch::Any => true,
        PathMatch::Exact(literal) => path == literal.as_str(),
        PathMatch::Prefix(literal) => match path.strip_prefix(literal.as_str()) {
            Some(rest) => {
                rest.is_empty() || rest.starts_with('/') || literal.as_str().ends_with('/')
            }
            None => false,
        },
        PathMatch::Template(template) => {
            let parts: Vec<_> = path.split('/').collect();
            let pattern: Vec<_> = template.as_str().split('/').collect();
            parts.len() == pattern.len()
                && pattern.iter().zip(&parts).all(|(pattern, part)| {
                    let parameter = pattern.starts_with('{');
                    (parameter && !part.is_empty()) || pattern == part
                })
        }
    };
    let host_matches = |pattern: &HostPattern| match pattern.to_string().strip_prefix('*') {
        Some(suffix) => host.len() > suffix.len() && host.ends_with(suffix),
        None => host == pattern.to_string(),
    };
    rules.iter().position(|rule| {
        (rule.hosts.is_empty() || rule.hosts.iter().any(host_matches))
            && rule.methods.contains(method)
            && path_matches(&rule.path)
    })
}

fn any_path() -> impl Strategy<Value = String> {
    let segments = prop::collection::vec(prop_oneof![Just("a"), Just("b"), Just("ab")], 0..4);
    (segments, any::<bool>()).prop_map(|(segments, slash)| {
        let slash = if slash || segments.is_empty() {
            "/"
        } else {
            ""
        };
        let segments = segments.iter().flat_map(|segment| ["/", segment]);
        segments.chain([slash]).collect()
    })
}

fn any_template() -> impl Strategy<Value = String> {
    prop::collection::vec(prop_oneof![Just("a"), Just("b"), Just("{}")], 1..4).prop_map(
        |segments| {
            let parameter = |(at, segment): (usize, &&str)| match *segment {
                "{}" => format!("/{{p{at}}}"),
                literal => format!("/{literal}"),
            };
            let segments: Vec<_> = segments.iter().enumerate().map(parameter).collect();
            segments.concat()
        },
    )
}

fn any_rule() -> impl Strategy<Value = RouteMatch> {
    let path = prop_oneof![
        1 => Just(PathMatch::Any),
        3 => any_path().prop_map(|path| PathMatch::exact(&path).unwrap()),
        3 => any_path().prop_map(|path| PathMatch::prefix(&path).unwrap()),
        3 => any_template().prop_map(|path| PathMatch::template(&path).unwrap()),
    ];
    let host = prop_oneof![
        Just("x"),
        Just("y.x"),
        Just("*.x"),
        Just("*.y.x"),
        Just("z")
    ];
    let hosts = prop::collection::vec(
        host.prop_map(|host| HostPattern::parse(host).unwrap()),
        0..3,
    );
    let method = prop_oneof![
        Just("GET"),
        Just("HEAD"),
        Just("POST"),
        Just("PURGE"),
        Just("LINK")
    ];
    let methods = prop::collection::vec(method, 0..3)
        .prop_map(|methods| MethodSet::new(methods).unwrap_or_else(|_| MethodSet::any()));
    (hosts, methods, path).prop_map(|(hosts, methods, path)| RouteMatch {
        hosts,
        methods,
        path,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_matcher_agrees_with_trying_each_rule_in_turn(
        rules in prop::collection::vec(any_rule(), 0..24),
        host in prop_oneof![Just("x"), Just("y.x"), Just("w.y.x"), Just("z"), Just("other")],
        method in prop_oneof![Just("GET"), Just("HEAD"), Just("POST"), Just("PURGE"), Just("PUT")],
        paths in prop::collection::vec(any_path(), 8),
    ) {
        let matcher = Matcher::compile(&rules).unwrap();
        for path in paths {
            prop_assert_eq!(
                matcher.find(authority(host), method, &path),
                find_by_trying_each(&rules, host, method, &path),
                "{} {}{}", method, host, path
            );
        }
    }

    #[test]
    fn any_text_is_looked_up_without_a_panic(
        rules in prop::collection::vec(any_rule(), 0..4),
        host in ".{0,16}",
        method in ".{0,8}",
        path in "[/a{}*.]{0,32}|.{0,16}",
    ) {
        let matcher = Matcher::compile(&rules).unwrap();
        let _ = matcher.find(authority(&host), &method, &path);
    }
}
