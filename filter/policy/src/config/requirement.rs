//! `requires`: what a request must bring.

use std::time::Duration;

use super::Names;
use super::condition::condition;
use super::reader::{Boolean, Kind, List, Object, Parsed, Path, Report, Seconds, Section, Text};
use crate::condition::{Condition, MAX_CLAIMS, MAX_CONDITIONS};
use crate::json::Value;
use crate::step_up::{MAX_ACR_VALUE_BYTES, MAX_ACR_VALUES, StepUp};

/// What a request must bring for a rule to let it through.
#[derive(Clone, Debug)]
pub enum Requirement {
    /// Nothing; no token is looked at and no identity is forwarded.
    Public,
    /// A valid token, or its absence where it is optional.
    Token(Box<TokenRequirement>),
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
    /// What the token must say.
    pub condition: Condition,
    /// The scopes of a challenge, space separated (RFC 6750 §3).
    pub challenge: Option<Box<str>>,
    /// How strongly and how recently the user must have logged in.
    pub step_up: StepUp,
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
                .map(|required| Requirement::Token(Box::new(required))),
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
    let condition = condition(o, names, 0);
    let step_up = step_up(o);
    let providers = match (o.has("provider"), o.has("providers")) {
        (true, false) => vec![provider?],
        (false, true) => several?,
        _ => {
            o.fail_here("needs exactly one of provider and providers");
            return None;
        }
    };
    bounded(o, &condition)?;
    refuse_other_providers(o, &condition, &providers, names)?;
    let scopes = scopes_to_ask_for(o, &condition)?;
    Some(TokenRequirement {
        providers,
        optional,
        audiences: audiences.unwrap_or_default(),
        condition,
        challenge: (!scopes.is_empty()).then_some(scopes),
        step_up: step_up?,
    })
}

fn step_up(o: &mut Object<'_>) -> Option<StepUp> {
    let acr_values = o.optional(
        "acr_values",
        List {
            of: Text {
                max: MAX_ACR_VALUE_BYTES,
            },
            min: 1,
            max: MAX_ACR_VALUES,
        },
        "Authentication context classes of which the token's `acr` must be one, preferred ones first (RFC 9470 §3).",
    );
    let max_age = o.optional(
        "max_age",
        Seconds {
            min: Duration::from_secs(1),
            max: Duration::from_secs(30 * 24 * 3600),
        },
        "How long ago the user may have logged in, by the token's `auth_time`, 1s to 720h (RFC 9470 §3); the provider's \
         clock_skew_seconds is added. A token without `auth_time` is refused.",
    );
    if max_age.is_some_and(|age| age.subsec_nanos() > 0) {
        o.fail(
            "max_age",
            "is no whole number of seconds, as a challenge names them",
        );
        return None;
    }
    StepUp::new(acr_values.unwrap_or_default(), max_age)
        .map_err(|error| o.fail("acr_values", error.to_string()))
        .ok()
}

/// What one token may make us compute.
fn bounded(o: &mut Object<'_>, condition: &Condition) -> Option<()> {
    let (mut conditions, mut claims) = (0, 0);
    condition.visit(&mut |condition| {
        conditions += 1;
        claims += condition.claims.len();
    });
    let mut within = |count: usize, most: usize, what: &str| {
        if count <= most {
            return true;
        }
        o.fail_here(format!("has {count} {what} in all; {most} are allowed"));
        false
    };
    let conditions = within(conditions, MAX_CONDITIONS, "conditions");
    let claims = within(claims, MAX_CLAIMS, "claims");
    (conditions && claims).then_some(())
}

/// A condition for a provider whose tokens are not accepted here would never hold.
fn refuse_other_providers(
    o: &mut Object<'_>,
    condition: &Condition,
    providers: &[usize],
    names: &Names,
) -> Option<()> {
    let mut other = None;
    condition.visit(&mut |condition| {
        let unknown = condition
            .providers
            .iter()
            .find(|index| !providers.contains(index));
        other = other.or(unknown.copied());
    });
    let Some(other) = other else { return Some(()) };
    let name = names.providers.get(other).map_or("", |name| &**name);
    o.fail_here(format!(
        "has a condition for provider {name}, whose tokens it does not accept; add it to providers"
    ));
    None
}

/// The scopes of a challenge, space separated.
fn scopes_to_ask_for(o: &mut Object<'_>, condition: &Condition) -> Option<Box<str>> {
    let scopes = condition.scopes_to_ask_for();
    let names: Vec<_> = scopes.iter().map(|scope| scope.as_str()).collect();
    let challenge = names.join(" ");
    if challenge.len() > MAX_CHALLENGE_BYTES {
        let bytes = challenge.len();
        o.fail_here(format!(
            "asks for scopes of {bytes} bytes in all; {MAX_CHALLENGE_BYTES} are allowed, because a challenge names \
             them in one header field"
        ));
        return None;
    }
    Some(challenge.into())
}

/// The longest `scope` of a challenge, in bytes; clients commonly take 8 KiB of headers.
const MAX_CHALLENGE_BYTES: usize = 2048;
