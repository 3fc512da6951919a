//! What became of a request and how: the steps that the pipeline told, and its decision, for people and for
//! programs.

use std::collections::BTreeMap;

use edge_auth_policy::client_address::Scheme;
use edge_auth_policy::condition::Truth;
use edge_auth_policy::config::Config;
use edge_auth_policy::decision::{Decision, Wait};
use edge_auth_policy::pipeline::{Event, Judgement, Step};
use edge_auth_policy::rejection::Reason;
use serde::Serialize;

/// How a request was decided.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Account {
    /// The steps, in order; the last one decided.
    pub(crate) steps: Vec<Told>,
    /// The rule that matched, by its name; `default`; nothing where the request did not come that far.
    pub(crate) rule: Option<String>,
    /// Why a rule in shadow mode would have denied it.
    pub(crate) would_deny: Option<&'static str>,
    /// What is done with it.
    #[serde(flatten)]
    pub(crate) decided: Decided,
}

/// One step, and what it found.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Told {
    /// Its name.
    pub(crate) step: &'static str,
    /// What it found.
    pub(crate) found: Vec<String>,
}

/// What is done with a request.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub(crate) enum Decided {
    /// It goes on to the upstream.
    Forward {
        /// Header fields set for the upstream.
        set: BTreeMap<String, String>,
        /// Header fields of the client that are removed.
        removed: Vec<String>,
    },
    /// It is held.
    Wait {
        /// What for.
        reason: &'static str,
    },
    /// It is answered here.
    Reply {
        /// The status.
        status: u16,
        /// The reason code.
        reason: &'static str,
        /// Header fields of the reply.
        headers: BTreeMap<String, String>,
        /// The body, as text.
        body: String,
    },
}

/// The steps as they are heard.
#[derive(Debug, Default)]
pub(super) struct Steps {
    told: Vec<(Step, Vec<Heard>)>,
}

/// What a step found, without a borrow.
#[derive(Debug)]
enum Heard {
    Text(String),
    Rule(Option<usize>),
    Provider(usize),
}

impl Steps {
    pub(super) fn hear(&mut self, event: Event<'_>) {
        let heard = match event {
            Event::Begins(step) => {
                if self.told.last().is_none_or(|(last, _)| *last != step) {
                    self.told.push((step, Vec::new()));
                }
                return;
            }
            Event::Rule(rule) => Heard::Rule(rule),
            Event::Provider(provider) => Heard::Provider(provider),
            Event::Path(path) => Heard::Text(format!("judged as {path}")),
            Event::Client(Some(client)) => Heard::Text(format!("client {client}")),
            Event::Client(None) => Heard::Text("client unknown".to_owned()),
            Event::Scheme(Scheme::Https) => Heard::Text("came over HTTPS".to_owned()),
            Event::Scheme(Scheme::Http) => Heard::Text("came over plain HTTP".to_owned()),
            Event::Public => Heard::Text("public: no token is looked at".to_owned()),
            Event::Session => Heard::Text("the session cookie, opened".to_owned()),
            Event::NoToken => Heard::Text("no token, and none is needed".to_owned()),
            Event::Condition { place, truth } => Heard::Text(format!(
                "{place}: {}",
                match truth {
                    Truth::True => "met",
                    Truth::False => "not met",
                    Truth::Unknown => "missing, or of another type",
                }
            )),
            Event::Ramp { is_enforced: true } => {
                Heard::Text("this caller is among those the rule is enforced for".to_owned())
            }
            Event::Ramp { is_enforced: false } => {
                Heard::Text("this caller is not among those the rule is enforced for".to_owned())
            }
            Event::StepUp(insufficient) => Heard::Text(insufficient.to_string()),
            Event::Counted { limit, remaining } => {
                Heard::Text(format!("{limit}: {remaining} left"))
            }
            Event::AsksService { limit } => Heard::Text(format!("{limit}: the service counts")),
            Event::WouldDeny(reason) => Heard::Text(format!(
                "would deny: {}; shadow mode lets it through",
                reason.code()
            )),
        };
        if let Some((_, found)) = self.told.last_mut() {
            found.push(heard);
        }
    }
}

impl Account {
    pub(super) fn new(steps: &Steps, judgement: &Judgement, config: &Config) -> Self {
        let rule_name = |rule: Option<usize>| {
            let rule = rule.and_then(|index| config.rules.get(index));
            rule.map_or_else(|| "default".to_owned(), |rule| rule.name.to_string())
        };
        let rule = steps
            .told
            .iter()
            .flat_map(|(_, found)| found)
            .find_map(|heard| match heard {
                Heard::Rule(rule) => Some(rule_name(*rule)),
                _ => None,
            });
        let shown = |heard: &Heard| match heard {
            Heard::Text(text) => text.clone(),
            Heard::Rule(rule) => rule_name(*rule),
            Heard::Provider(index) => {
                let provider = config.providers.get(*index);
                provider.map_or_else(String::new, |provider| provider.name.to_string())
            }
        };
        let steps = steps.told.iter().map(|(step, found)| Told {
            step: name(*step),
            found: found.iter().map(shown).collect(),
        });
        Self {
            steps: steps.collect(),
            rule,
            would_deny: judgement.would_deny.map(Reason::code),
            decided: Decided::from(&judgement.decision),
        }
    }
}

impl From<&Decision> for Decided {
    fn from(decision: &Decision) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match decision {
            Decision::Forward(mutations) => Self::Forward {
                set: mutations
                    .fields()
                    .map(|(name, value)| (name.to_owned(), text(value)))
                    .collect(),
                removed: mutations.remove.iter().map(|name| text(name)).collect(),
            },
            Decision::Wait(wait) => Self::Wait {
                reason: match wait {
                    Wait::FirstKeys => "first_keys",
                    Wait::FirstRevocations => "first_revocations",
                    Wait::NewKey => "new_key",
                    Wait::RateLimitService => "rate_limit_service",
                },
            },
            Decision::Reply(reply) => Self::Reply {
                status: reply.status,
                reason: reply.reason.code(),
                headers: reply
                    .headers
                    .iter()
                    .map(|(name, value)| (name.to_string(), value.to_string()))
                    .collect(),
                body: text(&reply.body),
            },
        }
    }
}

const fn name(step: Step) -> &'static str {
    match step {
        Step::Path => "path",
        Step::HttpsRedirect => "https_redirect",
        Step::ResourceMetadata => "resource_metadata",
        Step::Preflight => "preflight",
        Step::BlockedAddress => "blocked_address",
        Step::Rule => "rule",
        Step::FailedAuthentications => "failed_authentications",
        Step::Credential => "credential",
        Step::Provider => "provider",
        Step::Verification => "verification",
        Step::Revocation => "revocation",
        Step::Authorization => "authorization",
        Step::StepUp => "step_up",
        Step::RateLimits => "rate_limits",
        Step::Forward => "forward",
    }
}
