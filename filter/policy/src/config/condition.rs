//! Conditions inside a requirement: scopes, claims, an organisation, a provider, and `all`, `any` and `not` of them.

use super::Names;
use super::organization::organization;
use super::reader::{Boolean, Kind, List, Object, Parsed, Path, Report, Section, Text};
use crate::claims::{ClaimPath, ClaimRule, ClaimTest, ClaimValue};
use crate::condition::{Condition, MAX_CONDITIONS, MAX_DEPTH};
use crate::json::Value;
use crate::scope::{ScopeRequirement, ScopeToken};

/// The fields that a requirement and the conditions inside it have in common. `depth` counts from the requirement.
pub(super) fn condition(o: &mut Object<'_>, names: &Names, depth: usize) -> Condition {
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
    let organization = o.optional(
        "organization",
        Section(organization),
        "The organisation the token must be for, by the request's host.",
    );
    let inner = || Inner {
        names,
        depth: depth + 1,
    };
    let several = || List {
        of: inner(),
        min: 1,
        max: MAX_CONDITIONS,
    };
    let all = o.optional("all", several(), "Conditions that must all hold.");
    let any = o.optional(
        "any",
        several(),
        "Conditions of which at least one must hold.",
    );
    let not = o.optional(
        "not",
        inner(),
        "A condition that must be false. A claim that is missing or of another type than it is compared with makes \
         it neither true nor false, and the request is denied; ask for a claim's absence with `present`.",
    );
    Condition {
        scopes: scopes.unwrap_or_default(),
        claims: claims.unwrap_or_default(),
        organization,
        providers: Vec::new(),
        all: all.unwrap_or_default(),
        any: any.unwrap_or_default(),
        not: not.map(Box::new),
    }
}

/// The JSON Schema of a condition inside a requirement, which [`Inner`] refers to.
pub(super) fn schema(names: &Names) -> serde_json::Value {
    Section(|o: &mut Object<'_>| inner(o, names, 1)).schema()
}

/// A condition inside a requirement or another condition.
struct Inner<'n> {
    names: &'n Names,
    depth: usize,
}

impl Kind for Inner<'_> {
    type Output = Condition;

    fn read(&self, value: &Value, at: &Path<'_>, report: &mut Report) -> Option<Condition> {
        if self.depth > MAX_DEPTH {
            report.fail(
                at,
                format!(
                    "stands {} deep in all, any and not; {MAX_DEPTH} are allowed",
                    self.depth
                ),
            );
            return None;
        }
        Section(|o: &mut Object<'_>| inner(o, self.names, self.depth)).read(value, at, report)
    }

    /// A reference: conditions stand inside each other.
    fn schema(&self) -> serde_json::Value {
        serde_json::json!({ "$ref": "#/$defs/condition" })
    }
}

fn inner(o: &mut Object<'_>, names: &Names, depth: usize) -> Option<Condition> {
    let mut condition = condition(o, names, depth);
    let known = |name: Box<str>| names.provider(&name);
    let provider = || Parsed {
        of: Text { max: 64 },
        with: known,
    };
    let one = o.optional(
        "provider",
        provider(),
        "The provider whose token it must be, one of the requirement's.",
    );
    let several = o.optional(
        "providers",
        List {
            of: provider(),
            min: 1,
            max: 16,
        },
        "Providers of which it must be one's token, all of them the requirement's.",
    );
    if o.has("provider") && o.has("providers") {
        o.fail_here("needs at most one of provider and providers");
        return None;
    }
    condition.providers = several.unwrap_or_else(|| one.into_iter().collect());
    let is_said = FIELDS.iter().any(|name| o.has(name));
    if !is_said {
        o.fail_here(format!(
            "asks for nothing; it needs one of {}",
            FIELDS.join(", ")
        ));
        return None;
    }
    Some(condition)
}

/// What a condition may be made of.
const FIELDS: [&str; 8] = [
    "scopes",
    "claims",
    "organization",
    "provider",
    "providers",
    "all",
    "any",
    "not",
];

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
