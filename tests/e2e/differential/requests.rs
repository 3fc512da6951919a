//! What can be done to the request around a token: its method, its path, and fields that claim to be more.

use super::draft::{Bend, Draft, bend};

pub(super) const BENDS: &[Bend] = &[
    bend("method_post", |d, _| d.method = "POST"),
    bend("method_delete", |d, _| d.method = "DELETE"),
    bend("method_options", |d, _| d.method = "OPTIONS"),
    bend("method_unknown", |d, _| d.method = "PURGE"),
    bend("preflight", |d, _| {
        d.method = "OPTIONS";
        d.carriers.clear();
        d.fields.push(("origin", "https://app.pymd.io"));
        d.fields.push(("access-control-request-method", "GET"));
    }),
    bend("cross_site_post", |d, _| {
        d.method = "POST";
        d.fields.push(("origin", "https://attacker.invalid"));
        d.fields.push(("sec-fetch-site", "cross-site"));
    }),
    bend("same_site_post", |d, _| {
        d.method = "POST";
        d.fields.push(("origin", "http://api.pymd.io"));
        d.fields.push(("sec-fetch-site", "same-origin"));
    }),
    bend("path_healthz", |d, _| d.path = "/healthz".into()),
    bend("path_healthz_and_more", |d, _| {
        d.path = "/healthz/more".into();
    }),
    bend("path_healthz_in_upper_case", |d, _| {
        d.path = "/HEALTHZ".into();
    }),
    bend("path_healthz_with_a_slash", |d, _| {
        d.path = "/healthz/".into();
    }),
    bend("path_healthz_escaped", |d, _| d.path = "/%68ealthz".into()),
    bend("path_healthz_twice_escaped", |d, _| {
        d.path = "/%2568ealthz".into();
    }),
    bend("path_of_a_similar_prefix", |d, _| {
        d.path = "/assetsfoo".into();
    }),
    bend("path_root", |d, _| d.path = "/".into()),
    bend("path_trailing_slash", |d, _| d.path.push('/')),
    bend("path_double_slash", |d, _| {
        d.path = d.path.replace("/page", "//page");
    }),
    bend("path_leading_double_slash", |d, _| d.path.insert(0, '/')),
    bend("path_dot_segment", |d, _| {
        d.path = d.path.replace("/page", "/./page");
    }),
    bend("path_out_of_assets", |d, _| {
        d.path = "/assets/../api/v1/documents".into();
    }),
    bend("path_out_of_assets_escaped", |d, _| {
        d.path = "/assets/%2e%2e/api/v1/documents".into();
    }),
    bend("path_out_of_assets_by_slash", |d, _| {
        d.path = "/assets%2f..%2fapi/v1/documents".into();
    }),
    bend("path_out_of_assets_by_backslash", |d, _| {
        d.path = "/assets\\..\\api\\v1\\documents".into();
    }),
    bend("path_out_of_assets_by_5c", |d, _| {
        d.path = "/assets/..%5capi".into();
    }),
    bend("path_out_of_assets_twice_escaped", |d, _| {
        d.path = "/assets/%252e%252e/api".into();
    }),
    bend("path_out_of_assets_with_semicolon", |d, _| {
        d.path = "/assets/..;/api/v1/documents".into();
    }),
    bend("path_semicolon", |d, _| d.path.push_str(";a=b")),
    bend("path_healthz_semicolon", |d, _| {
        d.path = "/healthz;x".into();
    }),
    bend("path_nul", |d, _| d.path.push_str("%00")),
    bend("path_above_the_root", |d, _| {
        d.path = format!("/..{}", d.path);
    }),
    bend("path_fragment", |d, _| d.path.push_str("#x")),
    bend("path_healthz_fragment", |d, _| {
        d.path = "/healthz#/api".into();
    }),
    bend("path_with_a_space", |d, _| d.path.push_str("%20x")),
    bend("path_not_utf8", |d, _| d.path.push_str("%ff")),
    bend("path_overlong", |d, _| d.path.push_str("%c0%ae")),
    bend("path_broken_escape", |d, _| d.path.push_str("%zz")),
    bend("path_plus", |d, _| d.path.push_str("+x")),
    bend("path_very_long", |d, _| d.path.push_str(&"/x".repeat(4000))),
    bend("path_absolute_form", |d, _| {
        d.path = format!("http://api.pymd.io{}", d.path);
    }),
    bend("query_with_a_path", |d, _| d.query.push("x=/../healthz")),
    bend("query_question_mark", |d, _| d.query.push("?healthz")),
    bend("host_other", |d, _| d.host = "other.invalid"),
    bend("host_with_a_port", |d, _| d.host = "api.pymd.io:8080"),
    bend("cve_2023_27487_original_path", |d, _| {
        d.fields.push(("x-envoy-original-path", "/healthz"));
    }),
    bend("cve_2026_40575_forwarded_uri", |d, _| {
        d.fields.push(("x-forwarded-uri", "/healthz"));
    }),
    bend("original_url", |d, _| {
        d.fields.push(("x-original-url", "/healthz"));
    }),
    bend("method_override", |d, _| {
        d.fields.push(("x-http-method-override", "OPTIONS"));
    }),
    bend("cve_2026_34457_health_check_user_agent", |d, _| {
        d.fields.push(("user-agent", "kube-probe/1.30"));
    }),
    bend("identity_spoofed", |d, _| {
        d.fields.push(("x-user-id", "admin"));
    }),
    bend("identity_spoofed_with_underscores", |d, _| {
        d.fields.push(("x_user_id", "admin"));
    }),
    bend("identity_spoofed_in_upper_case", |d, _| {
        d.fields.push(("X-USER-SCOPE", "admin"));
    }),
    bend("identity_spoofed_twice", |d, _| {
        spoof(d);
        spoof(d);
    }),
];

fn spoof(d: &mut Draft) {
    d.fields.push(("x-user-id", "admin"));
    d.fields.push(("x-user-scope", "admin:everything"));
}
