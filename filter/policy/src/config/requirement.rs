//! `requires`: what a request must bring.

use super::Names;
use super::reader::{Boolean, Kind, List, Object, Parsed, Path, Report, Section, Text};
use crate::claims::{ClaimPath, ClaimRule, ClaimTest, ClaimValue};
use crate::json::Value;
use crate::scope::{ScopeRequirement, ScopeToken};

/// What a request must bring for a rule to let it through.
#[derive(Clone, Debug)]
pub enum Requirement {
    /// Nothing; no token is looked at and no identity is forwarded.
    Public,
    /// A valid token, or its absence where it is optional.
    Token(TokenRequirement),
}

/// A valid token of one of some providers, and what it must say.
#[derive(Clone, Debug)]
pub struct TokenRequirement {
    /// Indices of the providers whose tokens will do.
    pub providers: Vec<usize>,
    /// Whether a request without any token is let through. One that is there must be valid all the same.
    pub optional: bool,
    /// If not empty, the token must name one of these in `aud`, in addition to one of its provider's.
    pub audiences: Vec<Box<str>>,
    /// The scopes the token must have.
    pub scopes: ScopeRequirement,
    /// What other claims must say, all of it.
    pub claims: Vec<ClaimRule>,
}

/// `requires`: the word `public`, or an object.
pub(super) struct Requires<'n> {
    pub(super) names: &'n Names,
}

impl Kind for Requires<'_> {
    type Output = Requirement;

    fn read(&self, value: &Value, at: &Path<'_>, report: &mut Report) -> Option<Requirement> {
        match value {
            Value::String(word) if &**word == "public" => Some(Requirement::Public),
            Value::Object(_) => self
                .section()
                .read(value, at, report)
                .map(Requirement::Token),
            _ => {
                report.fail(
                    at,
                    "must be `public` or an object such as {provider: auth0}",
                );
                None
            }
        }
    }

    fn schema(&self) -> serde_json::Value {
        serde_json::json!({ "oneOf": [{ "const": "public" }, self.section().schema()] })
    }
}

impl Requires<'_> {
    /// The object form.
    pub(super) fn section(&self) -> Section<impl Fn(&mut Object<'_>) -> Option<TokenRequirement>> {
        Section(|o: &mut Object<'_>| token_requirement(o, self.names))
    }
}

fn token_requirement(o: &mut Object<'_>, names: &Names) -> Option<TokenRequirement> {
    let known = |name: Box<str>| names.provider(&name);
    let provider = o.optional(
        "provider",
        Parsed {
            of: Text { max: 64 },
            with: known,
        },
        "The provider whose tokens will do.",
    );
    let several = o.optional(
        "providers",
        List {
            of: Parsed {
                of: Text { max: 64 },
                with: known,
            },
            min: 1,
            max: 16,
        },
        "Several providers, any of whose tokens will do.",
    );
    let optional = o.default(
        "optional",
        Boolean,
        ("false", false),
        "Whether a request without a token is let through, without identity. A token that is there must be \
         valid all the same.",
    );
    let audiences = o.optional(
        "audiences",
        List {
            of: Text { max: 2048 },
            min: 1,
            max: 16,
        },
        "Audiences one of which the token must name, in addition to one of its provider's.",
    );
    let scopes = o.optional("scopes", Section(scopes), "The scopes the token must have.");
    let claims = o.optional(
        "claims",
        List {
            of: Section(claim_rule),
            min: 1,
            max: 32,
        },
        "What other claims must say; all of these.",
    );
    let providers = match (o.has("provider"), o.has("providers")) {
        (true, false) => vec![provider?],
        (false, true) => several?,
        _ => {
            o.fail_here("needs exactly one of provider and providers");
            return None;
        }
    };
    Some(TokenRequirement {
        providers,
        optional,
        audiences: audiences.unwrap_or_default(),
        scopes: scopes.unwrap_or_default(),
        claims: claims.unwrap_or_default(),
    })
}

fn scopes(o: &mut Object<'_>) -> Option<ScopeRequirement> {
    let token = || Parsed {
        of: Text {
            max: crate::scope::MAX_SCOPE_TOKEN_BYTES,
        },
        with: |text: Box<str>| {
            text.parse::<ScopeToken>()
                .map_err(|error| error.to_string())
        },
    };
    let all_of = o.optional(
        "all_of",
        List {
            of: token(),
            min: 1,
            max: 32,
        },
        "Scopes the token must have, all of them.",
    );
    let any_of = o.optional(
        "any_of",
        List {
            of: token(),
            min: 1,
            max: 32,
        },
        "Scopes of which the token must have at least one.",
    );
    if !o.has("all_of") && !o.has("any_of") {
        o.fail_here("needs all_of or any_of");
        return None;
    }
    Some(ScopeRequirement {
        all_of: all_of.unwrap_or_default(),
        any_of: any_of.unwrap_or_default(),
    })
}

fn claim_rule(o: &mut Object<'_>) -> Option<ClaimRule> {
    let path = o.required(
        "path",
        Parsed {
            of: List {
                of: Text { max: 256 },
                min: 1,
                max: 8,
            },
            with: |names: Vec<Box<str>>| ClaimPath::new(names).map_err(|error| error.to_string()),
        },
        "The claim, as a list of literal names, outermost first.",
    );
    let equals = o.optional("equals", Scalar, "The value the claim must have.");
    let any_of = o.optional(
        "any_of",
        List {
            of: Scalar,
            min: 1,
            max: 64,
        },
        "Values of which the claim must have one; of a list, one element.",
    );
    let prefix = o.optional(
        "prefix",
        Text { max: 1024 },
        "What the claim's text must begin with.",
    );
    let present = o.optional(
        "present",
        Boolean,
        "`true`: the claim must be there, whatever it says.",
    );
    let given = ["equals", "any_of", "prefix", "present"]
        .iter()
        .filter(|name| o.has(name))
        .count();
    if given != 1 {
        o.fail_here("needs exactly one of equals, any_of, prefix and present");
        return None;
    }
    let test = if let Some(value) = equals {
        ClaimTest::Equals(value)
    } else if let Some(values) = any_of {
        ClaimTest::AnyOf(values)
    } else if let Some(prefix) = prefix {
        ClaimTest::Prefix(prefix)
    } else if present? {
        ClaimTest::Present
    } else {
        o.fail("present", "can only be true");
        return None;
    };
    Some(ClaimRule { path: path?, test })
}

/// Text, a number or a boolean, as a claim may hold it.
struct Scalar;

impl Kind for Scalar {
    type Output = ClaimValue;

    fn read(&self, value: &Value, at: &Path<'_>, report: &mut Report) -> Option<ClaimValue> {
        match value {
            Value::String(text) => Some(ClaimValue::String(text.clone())),
            Value::Number(number) => Some(ClaimValue::Number(*number)),
            Value::Bool(boolean) => Some(ClaimValue::Bool(*boolean)),
            _ => {
                report.fail(at, "must be text, a number or a boolean");
                None
            }
        }
    }

    fn schema(&self) -> serde_json::Value {
        serde_json::json!({ "type": ["string", "number", "boolean"] })
    }
}
