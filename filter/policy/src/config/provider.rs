//! `providers`: whose tokens are accepted, where their keys come from, and what becomes of the token.
//!
//! Names and meanings are those of Envoy's `jwt_authn` wherever it has one, so that its providers can be
//! pasted. What it allows and we refuse: providers without audiences, tokens in a query parameter by default,
//! a key set that is trusted for ever.

use std::sync::Arc;
use std::time::Duration;

use super::keys::{self, KeySource};
use super::reader::{Boolean, Choice, Integer, Kind, List, Object, Parsed, Seconds, Section, Text};
use crate::claims::ClaimPath;
use crate::credentials::TokenSource;
use crate::identity;
use crate::jwt::{DEFAULT_SCOPE_CLAIMS, TokenProfile};
use crate::signature::{Algorithm, AlgorithmSet};

/// One identity provider.
#[derive(Clone, Debug)]
pub struct Provider {
    /// The name rules use.
    pub name: Box<str>,
    /// What a token of this provider must look like.
    pub profile: TokenProfile,
    /// Where its keys come from: remote documents first, at least one in all.
    pub keys: Vec<KeySource>,
    /// Where its tokens stand in a request.
    pub sources: Vec<TokenSource>,
    /// Whether the upstream sees the token.
    pub forward: bool,
    /// Claims the upstream receives as header fields.
    pub claim_to_headers: Vec<ClaimToHeader>,
    /// The claim that says how strongly the user was authenticated.
    pub acr_claim: ClaimPath,
    /// The claim that says when the user was authenticated.
    pub auth_time_claim: ClaimPath,
}

/// A claim the upstream receives as a header field.
#[derive(Clone, Debug)]
pub struct ClaimToHeader {
    /// The field's name, lower case.
    pub header_name: Arc<str>,
    /// The claim.
    pub claim: ClaimPath,
}

/// Reads one provider; its name comes from the map it stands in.
pub(super) fn provider(o: &mut Object<'_>) -> Option<Provider> {
    let issuer = o.required(
        "issuer",
        Text { max: 2048 },
        "The `iss` of its tokens, compared exactly: Auth0's ends with a slash.",
    );
    let more_issuers = o.optional(
        "additional_issuers",
        List {
            of: Text { max: 2048 },
            min: 1,
            max: 16,
        },
        "Further values of `iss` of the same tenant, for instance its custom domain.",
    );
    let audiences = o.required(
        "audiences",
        List {
            of: Text { max: 2048 },
            min: 1,
            max: 64,
        },
        "A token must name one of these in `aud`.",
    );
    let algorithms = o.default(
        "algorithms",
        List { of: Choice(&ALGORITHMS), min: 1, max: ALGORITHMS.len() },
        ("[\"RS256\"]", vec![Algorithm::Rs256]),
        "The signature algorithms a token may use. The token's own `alg` chooses among these and no others. \
         `EdDSA` and `Ed25519` (RFC 9864) are two names: list both while an issuer moves from one to the other.",
    );
    let keys = keys::key_sources(o);
    let sources = sources(o);
    let clock_skew = o.default(
        "clock_skew_seconds",
        Integer { min: 0, max: 300 },
        ("60", 60),
        "Tolerance for `exp`, `nbf` and `iat`, in seconds, 0 to 300 (RFC 7519 §4.1.4).",
    );
    let require_expiration = o.default(
        "require_expiration",
        Boolean,
        ("true", true),
        "Whether a token without `exp` is refused.",
    );
    let max_lifetime = o.optional(
        "max_lifetime",
        Seconds::range(60, 30 * 24 * 3600),
        "The longest `exp` - `iat` accepted, 60s to 720h; 24h where left out and `exp` is required. A token \
         without either of the two is refused where this is set.",
    );
    let max_lifetime = max_lifetime.or(require_expiration.then_some(DEFAULT_MAX_LIFETIME));
    let types = o.default(
        "types",
        List {
            of: Text { max: 64 },
            min: 1,
            max: 8,
        },
        ("[\"JWT\", \"at+jwt\"]", vec!["JWT".into(), "at+jwt".into()]),
        "The `typ` values accepted (RFC 8725 §3.11); a token without `typ` counts as JWT.",
    );
    let reads = claims_read(o)?;
    let forward = o.default(
        "forward",
        Boolean,
        ("true", true),
        "Whether the token goes on to the upstream.",
    );
    let confirmed_upstream = confirmed_upstream(o, forward);
    let claim_to_headers = o.optional(
        "claim_to_headers",
        List { of: Section(claim_to_header), min: 0, max: 64 },
        "Claims the upstream receives as header fields. A client's own fields of these names are removed \
         from every request, in every spelling.",
    );
    let claim_to_headers = claim_to_headers.unwrap_or_default();
    refuse_headers_set_twice(o, &claim_to_headers);
    let mut issuers = vec![issuer?];
    issuers.extend(more_issuers.unwrap_or_default());
    let profile = TokenProfile {
        issuers,
        audiences: audiences?,
        algorithms: algorithms.into_iter().collect::<AlgorithmSet>(),
        clock_skew: Duration::from_secs(clock_skew),
        require_expiration,
        max_lifetime,
        types: types.iter().map(|typ| media_type(typ)).collect(),
        scope_claims: reads.scopes,
        confirmed_upstream,
    };
    Some(Provider {
        name: Box::default(),
        profile,
        keys: keys?,
        sources: sources?,
        forward,
        claim_to_headers,
        acr_claim: reads.acr,
        auth_time_claim: reads.auth_time,
    })
}

/// What the upstream proves of tokens that are bound to a key; nothing, unless it is said.
fn confirmed_upstream(o: &mut Object<'_>, forward: bool) -> Vec<Box<str>> {
    let kinds = o.optional(
        "confirmed_upstream",
        List { of: Text { max: 64 }, min: 1, max: 8 },
        "The kinds of `cnf` (RFC 7800 §3.1) whose proof the upstream checks: `jkt` for DPoP (RFC 9449), `x5t#S256` for \
         mTLS (RFC 8705). A token bound to a key in any other way is refused, all of them where this is left out: \
         without its proof it would be worth no more than a bearer token.",
    );
    let kinds = kinds.unwrap_or_default();
    if !forward && !kinds.is_empty() {
        o.fail(
            "confirmed_upstream",
            "needs forward: the upstream cannot check the proof of a token that it does not see",
        );
    }
    kinds
}

/// The claims that decisions read, where a provider has its own names for them.
struct ClaimsRead {
    scopes: Vec<Box<str>>,
    acr: ClaimPath,
    auth_time: ClaimPath,
}

fn claims_read(o: &mut Object<'_>) -> Option<ClaimsRead> {
    let scopes = o.default(
        "scope_claims",
        List {
            of: Text { max: 256 },
            min: 1,
            max: 8,
        },
        ("[\"scope\", \"scp\"]", DEFAULT_SCOPE_CLAIMS.map(Box::from).into()),
        "The claims that list scopes, by their literal names, in a string separated by spaces or in an array: what \
         any of them lists, the token has. Auth0 lists what the user may do in `permissions`.",
    );
    let acr = o.default(
        "acr_claim",
        claim_path(),
        ("[\"acr\"]", ClaimPath::new(["acr"]).ok()?),
        "The claim compared with `acr_values`, as a path of literal names. Auth0 lets no Action set `acr` itself, so \
         name one of your own.",
    );
    let auth_time = o.default(
        "auth_time_claim",
        claim_path(),
        ("[\"auth_time\"]", ClaimPath::new(["auth_time"]).ok()?),
        "The claim compared with `max_age`, as a path of literal names: seconds since 1970 of the last login.",
    );
    Some(ClaimsRead {
        scopes,
        acr,
        auth_time,
    })
}

/// A claim as a list of literal names.
fn claim_path() -> impl Kind<Output = ClaimPath> {
    Parsed {
        of: List {
            of: Text { max: 256 },
            min: 1,
            max: 8,
        },
        with: |names: Vec<Box<str>>| ClaimPath::new(names).map_err(|error| error.to_string()),
    }
}

fn refuse_headers_set_twice(o: &mut Object<'_>, claim_to_headers: &[ClaimToHeader]) {
    for (index, claim) in claim_to_headers.iter().enumerate() {
        let earlier = claim_to_headers.iter().take(index);
        if earlier
            .into_iter()
            .any(|other| other.header_name == claim.header_name)
        {
            let name = &claim.header_name;
            o.fail(
                "claim_to_headers",
                format!("sets `{name}` twice; the upstream would see one of them"),
            );
        }
    }
}

/// Where tokens stand: RFC 6750 §2.1 by default, the rest only where asked for.
fn sources(o: &mut Object<'_>) -> Option<Vec<TokenSource>> {
    let asked = [
        "from_headers",
        "from_params",
        "from_cookies",
        "from_websocket_protocol",
    ]
    .iter()
    .any(|name| o.has(name));
    let headers = o.optional(
        "from_headers",
        List { of: Section(header_source), min: 0, max: 8 },
        "Header fields that may carry the token; `authorization` with `Bearer ` where no source is named.",
    );
    let params = o.optional(
        "from_params",
        List { of: Text { max: 64 }, min: 0, max: 4 },
        "Query parameters that may carry the token. Off by default: URLs are logged (RFC 6750 §2.3).",
    );
    let cookies = o.optional(
        "from_cookies",
        List {
            of: Text { max: 64 },
            min: 0,
            max: 4,
        },
        "Cookies that may carry the token.",
    );
    let websocket = o.default(
        "from_websocket_protocol",
        Boolean,
        ("false", false),
        "Whether a WebSocket handshake may carry the token as `Sec-WebSocket-Protocol: bearer, <token>`.",
    );
    if !asked {
        return Some(vec![TokenSource::authorization()]);
    }
    let mut sources = headers.unwrap_or_default();
    sources.extend(
        params
            .unwrap_or_default()
            .into_iter()
            .map(TokenSource::Query),
    );
    sources.extend(
        cookies
            .unwrap_or_default()
            .into_iter()
            .map(TokenSource::Cookie),
    );
    if websocket {
        sources.push(TokenSource::WebSocketProtocol);
    }
    if sources.is_empty() {
        o.fail_here("has no token source left; name one in from_headers or leave all sources out");
        return None;
    }
    Some(sources)
}

fn header_source(o: &mut Object<'_>) -> Option<TokenSource> {
    let name = o.required(
        "name",
        Parsed {
            of: Text { max: 64 },
            with: |name: Box<str>| field_name(&name),
        },
        "The header field's name.",
    );
    let prefix = o.optional(
        "value_prefix",
        Text { max: 64 },
        "What stands before the token, compared without regard to case.",
    );
    Some(TokenSource::Header {
        name: name?,
        value_prefix: prefix.unwrap_or_default(),
    })
}

fn claim_to_header(o: &mut Object<'_>) -> Option<ClaimToHeader> {
    let header_name = o.required(
        "header_name",
        Parsed {
            of: Text { max: 64 },
            with: |name: Box<str>| {
                let name = name.to_ascii_lowercase();
                identity::check_name(&name)
                    .map_err(|error| error.to_string())
                    .map(|()| name.into())
            },
        },
        "The header field's name.",
    );
    let name = o.optional(
        "claim_name",
        Text { max: 256 },
        "The claim's one literal name; dots and slashes in it mean nothing.",
    );
    let path = o.optional(
        "claim_path",
        List {
            of: Text { max: 256 },
            min: 1,
            max: 8,
        },
        "The claim as a path of literal names, outermost first.",
    );
    let claim = match (name, path) {
        (Some(name), None) => ClaimPath::new([name]).ok()?,
        (None, Some(path)) => ClaimPath::new(path).ok()?,
        _ => {
            if o.has("claim_name") == o.has("claim_path") {
                o.fail_here("needs exactly one of claim_name and claim_path");
            }
            return None;
        }
    };
    Some(ClaimToHeader {
        header_name: header_name?,
        claim,
    })
}

/// A field name of RFC 9110 §5.1, lower-cased.
pub(super) fn field_name(name: &str) -> Result<Box<str>, String> {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.bytes().all(token) {
        Ok(name.to_ascii_lowercase().into())
    } else {
        Err("is no header field name".to_owned())
    }
}

/// A media type as `typ` carries it: case means nothing and `application/` may be left out (RFC 7515 §4.1.9).
fn media_type(typ: &str) -> Box<str> {
    let typ = typ.to_ascii_lowercase();
    typ.strip_prefix("application/").unwrap_or(&typ).into()
}

const ALGORITHMS: [(&str, Algorithm); 11] = [
    ("RS256", Algorithm::Rs256),
    ("RS384", Algorithm::Rs384),
    ("RS512", Algorithm::Rs512),
    ("PS256", Algorithm::Ps256),
    ("PS384", Algorithm::Ps384),
    ("PS512", Algorithm::Ps512),
    ("ES256", Algorithm::Es256),
    ("ES384", Algorithm::Es384),
    ("ES512", Algorithm::Es512),
    ("EdDSA", Algorithm::EdDsa),
    ("Ed25519", Algorithm::Ed25519),
];

const DEFAULT_MAX_LIFETIME: Duration = Duration::from_secs(24 * 3600);
