//! What is measured: the same policy as Envoy's own filters and as ours, on a listener each.
//!
//! The policy: a token of one issuer for one audience, the scope `read:documents`, two claims as headers, and a
//! rate limit that nothing reaches.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use serde_json::{Value, json};

use super::tokens::{AUDIENCE, ISSUER, SESSION_KEY, SESSION_KEY_ENV, Tokens};
use crate::filter::exports;

/// One listener, and what goes to it.
#[derive(Clone, Debug)]
pub(super) struct Variant {
    /// Names it in the table, in `--only` and in JSON.
    pub(super) name: String,
    /// Its HTTP filters before the router.
    filters: Vec<Value>,
    /// Where it listens.
    pub(super) address: SocketAddr,
    /// What the load carries.
    pub(super) carries: Carries,
    /// The statistics prefix of our module, and which counter must count every request.
    pub(super) proof: Option<(String, Counted)>,
}

/// What requests bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carries {
    /// Tokens of the usual size.
    Tokens,
    /// Tokens of about 8 KB.
    LargeTokens,
    /// Tokens of the usual claims, signed with ES256.
    Es256Tokens,
    /// A session cookie with a token of the usual size.
    Sessions,
}

/// Where signatures must have been checked, lest a variant measure something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    /// (Nearly) nowhere: the tokens were seen before.
    Nowhere,
    /// By the host, for each request.
    ByHost,
    /// In the module, for each request.
    InModule,
}

/// Memory for the tokens seen before: all of them.
const ALL_TOKENS: u64 = 16 * 1024 * 1024;
/// Memory for a few: each token has been pushed out when it comes again, so that each is a new one.
const FEW_TOKENS: u64 = 64 * 1024;

/// The host calls our module makes besides `proxy_call_foreign_function`, the way to the host's cryptography.
const OTHER_CALLS: [&str; 24] = [
    "proxy_log",
    "proxy_get_current_time_nanoseconds",
    "proxy_set_tick_period_milliseconds",
    "proxy_get_buffer_bytes",
    "proxy_get_header_map_pairs",
    "proxy_add_header_map_value",
    "proxy_replace_header_map_value",
    "proxy_remove_header_map_value",
    "proxy_send_local_response",
    "proxy_continue_stream",
    "proxy_set_effective_context",
    "proxy_get_property",
    "proxy_set_property",
    "proxy_get_shared_data",
    "proxy_set_shared_data",
    "proxy_define_metric",
    "proxy_increment_metric",
    "proxy_record_metric",
    "random_get",
    "environ_get",
    "environ_sizes_get",
    "clock_time_get",
    "fd_write",
    "proc_exit",
];

/// What is needed to name them all.
pub(super) struct Parts<'p> {
    pub(super) module: &'p Path,
    pub(super) beside: Option<&'p Path>,
    pub(super) noop: &'p Path,
    pub(super) tokens: &'p Tokens,
}

/// All of them, those to compare with first.
pub(super) fn all(parts: &Parts<'_>) -> Vec<Variant> {
    let jwks = &parts.tokens.jwks;
    let es256 = &parts.tokens.jwks_es256;
    let mut variants = vec![
        plain("no filter", vec![]),
        plain(
            "wasm that does nothing",
            vec![wasm("noop", parts.noop, &json!({}), true)],
        ),
        plain("jwt_authn", vec![jwt_authn(jwks, false, false)]),
        plain("jwt_authn, cache", vec![jwt_authn(jwks, false, true)]),
        plain("native chain", chain(jwks, false)),
        plain("native chain, cache", chain(jwks, true)),
    ];
    let modules = [("ours", Some(parts.module)), ("beside", parts.beside)];
    for (who, module) in modules {
        let Some(module) = module else { continue };
        let ours = |what: &str, policy: Value, host: bool, counted| {
            let name = format!("{who}, {what}");
            let prefix: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
            let mut policy = policy;
            policy["stat_prefix"] = json!(prefix);
            let filters = vec![wasm(&prefix, module, &policy, host)];
            Variant {
                proof: Some((prefix, counted)),
                ..plain(&name, filters)
            }
        };
        let large = |variant| Variant {
            carries: Carries::LargeTokens,
            ..variant
        };
        let es256_tokens = |variant| Variant {
            carries: Carries::Es256Tokens,
            ..variant
        };
        let of_es256 = || with_es256(policy(es256, FEW_TOKENS));
        let seen = || policy(jwks, ALL_TOKENS);
        let new = || policy(jwks, FEW_TOKENS);
        variants.extend([
            ours("tokens seen", seen(), true, Counted::Nowhere),
            ours("tokens new", new(), true, Counted::ByHost),
            ours(
                "tokens new, no host crypto",
                new(),
                false,
                Counted::InModule,
            ),
            ours(
                "seen, 10,000 rules",
                with_rules(seen(), 10_000),
                true,
                Counted::Nowhere,
            ),
            ours(
                "seen, 100 keys",
                with_keys(seen(), 100),
                true,
                Counted::Nowhere,
            ),
            Variant {
                carries: Carries::Sessions,
                ..ours(
                    "session cookie",
                    with_session(seen()),
                    true,
                    Counted::Nowhere,
                )
            },
            es256_tokens(ours("tokens new, ES256", of_es256(), true, Counted::ByHost)),
            es256_tokens(ours(
                "ES256, no host crypto",
                of_es256(),
                false,
                Counted::InModule,
            )),
            large(ours("seen, 8 KB tokens", seen(), true, Counted::Nowhere)),
            large(ours("new, 8 KB tokens", new(), true, Counted::ByHost)),
        ]);
    }
    variants.extend(native_with_other_tokens(parts.tokens));
    variants
}

/// Envoy's own chain where tokens are not the usual ones.
fn native_with_other_tokens(tokens: &Tokens) -> [Variant; 3] {
    let carrying = |carries, variant| Variant { carries, ..variant };
    let jwks = &tokens.jwks;
    [
        carrying(
            Carries::Es256Tokens,
            plain("native chain, ES256", chain(&tokens.jwks_es256, false)),
        ),
        carrying(
            Carries::LargeTokens,
            plain("native chain, 8 KB tokens", chain(jwks, false)),
        ),
        carrying(
            Carries::LargeTokens,
            plain("native chain, cache, 8 KB tokens", chain(jwks, true)),
        ),
    ]
}

fn plain(name: &str, filters: Vec<Value>) -> Variant {
    Variant {
        name: name.to_owned(),
        filters,
        address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        carries: Carries::Tokens,
        proof: None,
    }
}

/// What our policy does, by Envoy's own filters.
fn chain(jwks: &Value, cache: bool) -> Vec<Value> {
    vec![jwt_authn(jwks, true, cache), rbac(), local_ratelimit()]
}

/// Those whose start is timed: without a filter first.
pub(super) fn starts(parts: &Parts<'_>) -> Vec<Variant> {
    let jwks = &parts.tokens.jwks;
    let ours = |rules: usize| {
        let policy = with_rules(policy(jwks, ALL_TOKENS), rules);
        let filters = vec![wasm("ours", parts.module, &policy, true)];
        let plural = if rules == 1 { "" } else { "s" };
        plain(&format!("ours, {rules} rule{plural}"), filters)
    };
    let noop = vec![wasm("noop", parts.noop, &json!({}), true)];
    let others = [
        plain("no filter", vec![]),
        plain("wasm that does nothing", noop),
    ];
    others
        .into_iter()
        .chain([1, 100, 10_000].map(ours))
        .collect()
}

/// An Envoy that listens for each variant.
pub(super) fn bootstrap(variants: &[Variant], admin: SocketAddr) -> Value {
    let listeners: Vec<_> = variants.iter().map(Variant::listener).collect();
    let address = json!({"socket_address":
        {"address": "127.0.0.1", "port_value": admin.port()}});
    json!({
        "admin": {"address": address},
        "static_resources": {"listeners": listeners},
    })
}

impl Variant {
    /// The listener: every request that passes the filters is answered at once.
    fn listener(&self) -> Value {
        let mut filters = self.filters.clone();
        filters.push(filter("router", "router.v3.Router", json!({})));
        let answer = json!({"status": 200, "body": {"inline_string": "ok"}});
        let route = json!({"match": {"prefix": "/"}, "direct_response": answer});
        json!({
            "name": self.name,
            "address": {"socket_address":
                {"address": "127.0.0.1", "port_value": self.address.port()}},
            "filter_chains": [{"filters": [{
                "name": "http",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.network.\
                              http_connection_manager.v3.HttpConnectionManager",
                    "stat_prefix": "bench",
                    "route_config": {"virtual_hosts":
                        [{"name": "all", "domains": ["*"], "routes": [route]}]},
                    "http_filters": filters,
                },
            }]}],
        })
    }

    /// Whether a request without a good token must be refused.
    pub(super) fn checks_tokens(&self) -> bool {
        !self.filters.is_empty() && !self.name.contains("does nothing")
    }

    /// Whether one without the scope must be refused.
    pub(super) fn checks_scopes(&self) -> bool {
        self.checks_tokens() && !self.name.starts_with("jwt_authn")
    }
}

fn filter(name: &str, ty: &str, mut config: Value) -> Value {
    config["@type"] = json!(format!(
        "type.googleapis.com/envoy.extensions.filters.http.{ty}"
    ));
    json!({"name": name, "typed_config": config})
}

fn jwt_authn(jwks: &Value, with_claims: bool, cache: bool) -> Value {
    let mut provider = json!({
        "issuer": ISSUER,
        "audiences": [AUDIENCE],
        "local_jwks": {"inline_string": jwks.to_string()},
        "forward": true,
    });
    if with_claims {
        provider["payload_in_metadata"] = json!("jwt");
        provider["claim_to_headers"] = json!([
            {"header_name": "x-user-id", "claim_name": "sub"},
            {"header_name": "x-user-scope", "claim_name": "scope"},
        ]);
    }
    if cache {
        provider["jwt_cache_config"] = json!({"jwt_cache_size": 5000, "jwt_max_token_size": 16384});
    }
    let rule = json!({"match": {"prefix": "/"}, "requires": {"provider_name": "bench"}});
    let config = json!({"providers": {"bench": provider}, "rules": [rule]});
    filter("jwt_authn", "jwt_authn.v3.JwtAuthentication", config)
}

fn rbac() -> Value {
    let scope = json!({"metadata": {
        "filter": "envoy.filters.http.jwt_authn",
        "path": [{"key": "jwt"}, {"key": "scope"}],
        "value": {"string_match": {"contains": "read:documents"}},
    }});
    let policy = json!({"permissions": [{"any": true}], "principals": [scope]});
    let rules = json!({"action": "ALLOW", "policies": {"scope": policy}});
    filter("rbac", "rbac.v3.RBAC", json!({ "rules": rules }))
}

fn local_ratelimit() -> Value {
    let always = json!({"default_value": {"numerator": 100, "denominator": "HUNDRED"}});
    let bucket =
        json!({"max_tokens": 1_000_000, "tokens_per_fill": 1_000_000, "fill_interval": "1s"});
    let config = json!({
        "stat_prefix": "bench",
        "token_bucket": bucket,
        "filter_enabled": always,
        "filter_enforced": always,
    });
    filter(
        "local_ratelimit",
        "local_ratelimit.v3.LocalRateLimit",
        config,
    )
}

/// Our policy, the same as the native chain's.
fn policy(jwks: &Value, cache_bytes: u64) -> Value {
    let provider = json!({
        "issuer": ISSUER,
        "audiences": [AUDIENCE],
        "local_jwks": {"inline_string": jwks.to_string()},
        "claim_to_headers": [
            {"header_name": "x-user-id", "claim_name": "sub"},
            {"header_name": "x-user-scope", "claim_name": "scope"},
        ],
    });
    let requires = json!({"provider": "bench", "scopes": {"all_of": ["read:documents"]}});
    let rule = json!({
        "match": {"prefix": "/api/v1/documents"}, "requires": requires, "rate_limits": ["all"],
    });
    json!({
        "version": 1,
        "providers": {"bench": provider},
        "rules": [rule],
        "default": {"requires": {"provider": "bench"}},
        "rate_limits": {"all": {"key": ["route"], "requests": 1_000_000, "per": "1s"}},
        "token_cache": {"max_bytes": cache_bytes},
    })
}

/// Tokens may be signed with ECDSA too.
fn with_es256(mut policy: Value) -> Value {
    policy["providers"]["bench"]["algorithms"] = json!(["RS256", "ES256"]);
    policy
}

/// The token comes sealed in a cookie.
fn with_session(mut policy: Value) -> Value {
    policy["session"] = json!({"keys_env": [SESSION_KEY_ENV]});
    policy
}

/// The rule that matches comes last.
fn with_rules(mut policy: Value, count: usize) -> Value {
    let other = |number| {
        json!({"match": {"prefix": format!("/api/v{number}/things")},
               "requires": {"provider": "bench", "scopes": {"all_of": ["read:things"]}}})
    };
    let last = policy["rules"][0].clone();
    let rules: Vec<_> = (2..=count).map(other).chain([last]).collect();
    policy["rules"] = rules.into();
    policy
}

/// The key that signed is one of many: the others are its twins under other names.
fn with_keys(mut policy: Value, count: usize) -> Value {
    let at = &mut policy["providers"]["bench"]["local_jwks"]["inline_string"];
    let mut jwks: Value = serde_json::from_str(at.as_str().unwrap_or_default()).unwrap_or_default();
    if let Some(keys) = jwks["keys"].as_array_mut()
        && let Some(first) = keys.first().cloned()
    {
        for number in keys.len()..count {
            let mut key = first.clone();
            key["kid"] = json!(format!("key-{number}"));
            keys.push(key);
        }
    }
    *at = jwks.to_string().into();
    policy
}

fn wasm(name: &str, module: &Path, policy: &Value, host_cryptography: bool) -> Value {
    let string = json!({
        "@type": "type.googleapis.com/google.protobuf.StringValue",
        "value": policy.to_string(),
    });
    let mut plugin = json!({
        "name": name,
        "root_id": name,
        "configuration": string,
        "vm_config": {
            "vm_id": name,
            "runtime": "envoy.wasm.runtime.v8",
            "code": {"local": {"filename": module.display().to_string()}},
            "environment_variables": {"key_values": {SESSION_KEY_ENV: SESSION_KEY}},
        },
    });
    if !host_cryptography {
        let callbacks = exports::KEPT.iter().map(|(name, _)| *name);
        let allowed = OTHER_CALLS.into_iter().chain(callbacks);
        let allowed: serde_json::Map<_, _> =
            allowed.map(|name| (name.to_owned(), json!({}))).collect();
        plugin["capability_restriction_config"] = json!({"allowed_capabilities": allowed});
    }
    filter(name, "wasm.v3.Wasm", json!({ "config": plugin }))
}
