//! The whole configuration, section by section.

use super::audit::{audit, decision_id};
use super::browser;
use super::limits::rate_limit;
use super::protected_resource::protected_resource;
use super::provider::{Provider, provider};
use super::rate_limit_service::{rate_limit_service, refuse_credentials};
use super::reader::{Choice, Integer, List, Map, Object, Parsed, Section, Text};
use super::requirement::{Requires, TokenRequirement};
use super::revocations::revocations;
use super::rule::{Rule, host_pattern, rule};
use super::session::{SessionSettings, session};
use super::{Names, Requirement};
use crate::audit::AuditSettings;
use crate::client_address::ClientAddress;
use crate::cors::Cors;
use crate::decision_id::{self as decision_ids, DecisionIdSettings};
use crate::protected_resource::ProtectedResource;
use crate::rate_limit::RateLimitSettings;
use crate::rate_limit::service::RateLimitService;
use crate::redirect::{Exception, HttpsRedirect, Port, RedirectStatus};
use crate::rejection::ErrorSettings;
use crate::revocation::RevocationSettings;
use crate::security_headers::SecurityHeaders;

/// A configuration in which nothing is wrong.
#[derive(Clone, Debug)]
pub struct Config {
    /// The identity providers; rules name them by index.
    pub providers: Vec<Provider>,
    /// The rules, in order.
    pub rules: Vec<Rule>,
    /// What a request that no rule matches must bring: always a token.
    pub default: TokenRequirement,
    /// The rate limits; rules name them by index.
    pub rate_limits: Vec<RateLimitSettings>,
    /// Who counts over many proxies, and what.
    pub rate_limit_service: Option<RateLimitService>,
    /// Which answers tell clients of their limits.
    pub rate_limit_headers: RateLimitHeaders,
    /// Whose word on the client's address and scheme is taken.
    pub client_address: ClientAddress,
    /// Whether and how plain HTTP is redirected.
    pub https_redirect: Option<HttpsRedirect>,
    /// Which pages of other origins may read answers.
    pub cors: Option<Cors>,
    /// The headers by which browsers are asked for protection.
    pub security_headers: Option<SecurityHeaders>,
    /// The session cookie that is opened here.
    pub session: Option<SessionSettings>,
    /// Where the feed of revocations is.
    pub revocations: Option<RevocationSettings>,
    /// How many bytes of verified tokens each worker remembers; zero for none.
    pub token_cache_bytes: u64,
    /// The resources whose metadata is served (RFC 9728).
    pub protected_resources: Vec<ProtectedResource>,
    /// How error replies are dressed.
    pub errors: ErrorSettings,
    /// Whether decisions have names, and where those come from.
    pub decision_id: Option<DecisionIdSettings>,
    /// What is told of decisions in the log and to the access log.
    pub audit: Option<AuditSettings>,
    /// How many of a hundred decisions are timed.
    pub histogram_sample_percent: u8,
    /// What metric names begin with.
    pub stat_prefix: Box<str>,
}

/// Which answers carry `RateLimit` and `RateLimit-Policy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RateLimitHeaders {
    /// 429 only.
    #[default]
    Denied,
    /// Those to requests that went on too, where their rule has limits.
    Always,
}

#[expect(
    clippy::too_many_lines,
    reason = "one paragraph per section, none of them to be read alone"
)]
pub(super) fn config(o: &mut Object<'_>, names: &Names) -> Option<Config> {
    let version = o.required(
        "version",
        Integer { min: 1, max: 1 },
        "The version of this configuration's format: 1.",
    );
    let providers = o.required(
        "providers",
        Map {
            of: Section(provider),
            min: 1,
            max: 64,
        },
        "The identity providers, by a name of one's own.",
    );
    let rules = o.optional(
        "rules",
        List {
            of: Section(|o: &mut Object<'_>| rule(o, names)),
            min: 0,
            max: 20_000,
        },
        "The rules; the first that matches decides.",
    );
    let default = o.required(
        "default",
        Section(|o: &mut Object<'_>| default(o, names)),
        "What a request that no rule matches must bring.",
    );
    let rate_limits = o.optional(
        "rate_limits",
        Map {
            of: Section(rate_limit),
            min: 0,
            max: 256,
        },
        "Rate limits that this proxy counts, exactly over all its workers, by a name of one's own.",
    );
    let rate_limit_service = o.optional(
        "rate_limit_service",
        Section(|o: &mut Object<'_>| rate_limit_service(o, names)),
        "The service that counts over many proxies, by Envoy's rate limit service protocol (gRPC), and what it counts.",
    );
    let rate_limit_headers = o.default(
        "rate_limit_headers",
        Choice(&[
            ("denied", RateLimitHeaders::Denied),
            ("always", RateLimitHeaders::Always),
        ]),
        ("denied", RateLimitHeaders::Denied),
        "Which answers carry RateLimit and RateLimit-Policy: `denied` means 429 only, `always` also the upstream's \
         answers where the rule has limits, at the price of three host calls. Pages of other origins read them only \
         where cors.expose_headers names them.",
    );
    let client_address = o.optional(
        "client_address",
        Section(client_address),
        "Whose word on the client's address and scheme is taken.",
    );
    let https_redirect = o.optional(
        "https_redirect",
        Section(https_redirect),
        "Plain HTTP is redirected to HTTPS where this is there.",
    );
    let cors = o.optional(
        "cors",
        Section(browser::cors),
        "Which pages of other origins may read answers, this filter's own replies among them.",
    );
    let security_headers = o.optional(
        "security_headers",
        Section(browser::security_headers),
        "The headers by which browsers are asked for protection, on every answer where this is there.",
    );
    let session = o.optional(
        "session",
        Section(session),
        "The browser session's cookie is opened here where this is there, and the upstream sees its access token as \
         the bearer.",
    );
    let revocations = o.optional(
        "revocations",
        Section(revocations),
        "The feed of revoked tokens, sessions, subjects and clients, and of blocked addresses.",
    );
    let token_cache = o.optional(
        "token_cache",
        Section(token_cache),
        "The tokens each worker remembers so as not to verify them again. Sessions that it has opened get half as much \
         beside, where there are any.",
    );
    let resources = o.optional(
        "protected_resources",
        List {
            of: Section(|o: &mut Object<'_>| protected_resource(o, names)),
            min: 1,
            max: 64,
        },
        "Resources whose metadata is served here (RFC 9728), before any rule and to every origin, and named in \
         challenges.",
    );
    let errors = o.optional("errors", Section(errors), "How error replies are dressed.");
    let decision_id = o.optional(
        "decision_id",
        Section(decision_id),
        "Decisions have names where this is there: x-decision-id in replies and upstream, decision_id in audit lines.",
    );
    let audit = o.optional(
        "audit",
        Section(audit),
        "Decisions are told in Envoy's log where this is there, one line of JSON each.",
    );
    let sample = o.default(
        "histogram_sample_percent",
        Integer { min: 0, max: 100 },
        ("1", 1),
        "How many of a hundred decisions are timed for the histograms, 0 to 100; each costs two host calls. Signature \
         checks are all timed, unless this is 0.",
    );
    let stat_prefix = o.default(
        "stat_prefix",
        Parsed {
            of: Text { max: 64 },
            with: stat_prefix,
        },
        ("edge_auth", "edge_auth".into()),
        "What metric names begin with: letters, digits and `_`.",
    );
    version?;
    let providers: Vec<_> = providers?
        .into_iter()
        .map(|(name, provider)| Provider { name, ..provider })
        .collect();
    if let Some(service) = &rate_limit_service {
        refuse_credentials(o, service, &providers);
    }
    let resources = resources.unwrap_or_default().into_iter();
    let protected_resources: Vec<_> = resources.map(|own| own.complete(&providers)).collect();
    refuse_same_metadata(o, &protected_resources);
    let rate_limits = rate_limits
        .unwrap_or_default()
        .into_iter()
        .map(|(name, limit)| RateLimitSettings {
            name: name.into(),
            ..limit
        })
        .collect();
    let mut rules = rules.unwrap_or_default();
    for (index, rule) in rules.iter_mut().enumerate() {
        if rule.name.is_empty() {
            rule.name = format!("rules[{index}]").into();
        }
    }
    if decision_id.is_some()
        && let Some(name) = providers_that_set(&providers, decision_ids::HEADER).next()
    {
        o.fail(
            "decision_id",
            format!(
                "sets {}, which providers.{name}.claim_to_headers sets too; choose another name there",
                decision_ids::HEADER
            ),
        );
    }
    Some(Config {
        providers,
        rules,
        default: default?,
        rate_limits,
        rate_limit_service,
        rate_limit_headers,
        client_address: client_address.unwrap_or_default(),
        https_redirect,
        cors,
        security_headers,
        session,
        revocations,
        token_cache_bytes: token_cache.unwrap_or(DEFAULT_TOKEN_CACHE_BYTES),
        protected_resources,
        errors: errors.unwrap_or_default(),
        decision_id,
        audit,
        histogram_sample_percent: u8::try_from(sample).unwrap_or_default(),
        stat_prefix,
    })
}

fn refuse_same_metadata(o: &mut Object<'_>, resources: &[ProtectedResource]) {
    for (index, resource) in resources.iter().enumerate() {
        let url = resource.metadata_url();
        let mut earlier = resources.iter().take(index);
        if earlier.any(|other| other.metadata_url().eq_ignore_ascii_case(url)) {
            o.fail(
                "protected_resources",
                format!("has two documents for {url}"),
            );
        }
    }
}

/// Some 6,000 access tokens of the usual size.
const DEFAULT_TOKEN_CACHE_BYTES: u64 = 16 * 1024 * 1024;

#[expect(clippy::unnecessary_wraps, reason = "the signature of a section")]
fn token_cache(o: &mut Object<'_>) -> Option<u64> {
    Some(o.default(
        "max_bytes",
        Integer {
            min: 0,
            max: 256 * 1024 * 1024,
        },
        ("16777216", DEFAULT_TOKEN_CACHE_BYTES),
        "Memory for verified tokens, in bytes per worker, 0 to 268435456; 0 verifies every token anew. An access \
         token of 900 bytes takes about 3 KiB.",
    ))
}

/// The providers that make a header field of this name from a claim.
fn providers_that_set<'p>(
    providers: &'p [Provider],
    name: &'static str,
) -> impl Iterator<Item = &'p str> {
    providers
        .iter()
        .filter(move |provider| {
            let mut claims = provider.claim_to_headers.iter();
            claims.any(|claim| *claim.header_name == *name)
        })
        .map(|provider| &*provider.name)
}

fn default(o: &mut Object<'_>, names: &Names) -> Option<TokenRequirement> {
    let requires = o.required("requires", Requires { names }, "A token, never `public`.")?;
    match requires {
        Requirement::Token(required) if !required.optional => Some(*required),
        Requirement::Token(_) | Requirement::Public => {
            o.fail(
                "requires",
                "must be a token that is not optional: what no rule matches is denied",
            );
            None
        }
    }
}

fn client_address(o: &mut Object<'_>) -> Option<ClientAddress> {
    let hops = o.default(
        "trusted_hops",
        Integer { min: 0, max: 16 },
        ("0", 0),
        "How many proxies in front of this one append to x-forwarded-for, 0 to 16.",
    );
    ClientAddress::new(hops).ok()
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of a section")]
fn https_redirect(o: &mut Object<'_>) -> Option<HttpsRedirect> {
    let status = o.default(
        "status",
        Parsed {
            of: Integer { min: 301, max: 308 },
            with: |code| {
                u16::try_from(code)
                    .ok()
                    .and_then(RedirectStatus::from_code)
                    .ok_or_else(|| "must be 301, 302, 307 or 308".to_owned())
            },
        },
        ("301", RedirectStatus::MovedPermanently),
        "The status for GET and HEAD; other methods get 308, which keeps their body.",
    );
    let except = o.optional(
        "except",
        List {
            of: Parsed {
                of: Text { max: 2048 },
                with: |path: Box<str>| Exception::parse(&path).map_err(|error| error.to_string()),
            },
            min: 0,
            max: 64,
        },
        "Paths that stay on plain HTTP; one that ends in a slash stands for everything below it.",
    );
    let port = o.optional(
        "port",
        Integer {
            min: 1,
            max: 65_535,
        },
        "The port of HTTPS where it is not 443.",
    );
    let hosts = o.optional(
        "hosts",
        List {
            of: host_pattern(),
            min: 1,
            max: 64,
        },
        "The hosts to redirect to; any that a client can name where left out.",
    );
    Some(HttpsRedirect {
        status,
        except: except.unwrap_or_default(),
        port: port.and_then(|port| Port::new(u16::try_from(port).ok()?)),
        hosts: hosts.unwrap_or_default(),
    })
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of a section")]
fn errors(o: &mut Object<'_>) -> Option<ErrorSettings> {
    let text = || Parsed {
        of: Text { max: 512 },
        with: quotable,
    };
    let realm = o.default(
        "realm",
        text(),
        ("edge-auth", "edge-auth".into()),
        "The realm that challenges name.",
    );
    let error_uri_base = o.optional(
        "error_uri_base",
        text(),
        "`error_uri` in replies is this followed by the reason code.",
    );
    let resource_metadata = o.optional(
        "resource_metadata",
        text(),
        "The URL of the protected resource metadata that challenges name (RFC 9728 §5.1), in place of that of the \
         protected resource the request was for.",
    );
    Some(ErrorSettings {
        realm,
        error_uri_base,
        resource_metadata,
    })
}

/// Text that may stand in a quoted string and in JSON as it is.
fn quotable(text: Box<str>) -> Result<Box<str>, String> {
    let plain = text
        .bytes()
        .all(|byte| (b' '..=b'~').contains(&byte) && !b"\"\\".contains(&byte));
    if plain {
        Ok(text)
    } else {
        Err("may hold printable ASCII without `\"` and `\\` only".into())
    }
}

fn stat_prefix(text: Box<str>) -> Result<Box<str>, String> {
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if plain {
        Ok(text)
    } else {
        Err("may hold letters, digits and `_` only".into())
    }
}
