//! Conditions on what a verified token says, composed by `all`, `any` and `not` (Envoy's rbac calls them
//! `and_rules`, `or_rules` and `not_rule`; its `jwt_authn` `requires_all` and `requires_any`).
//!
//! A condition is true, false or unknown, and only what is true grants: see [`Truth`]. It is judged without
//! allocating; the configuration bounds how many there are and how deep they go.

mod organization;
mod place;
mod truth;

pub use organization::{Hosts, Organization, Template, TemplateError};
pub use place::Place;
pub use truth::Truth;

use crate::claims::ClaimRule;
use crate::jwt::VerifiedClaims;
use crate::request::RequestHead;
use crate::scope::{ScopeRequirement, ScopeToken};
use place::Step;

/// The deepest that conditions may stand inside each other, counted from the requirement.
pub const MAX_DEPTH: usize = 4;

/// The most conditions one requirement may have, itself among them.
pub const MAX_CONDITIONS: usize = 64;

/// The most claims one requirement may ask for in all its conditions.
pub const MAX_CLAIMS: usize = 128;

/// What a token must say. Everything that is there must hold; what is empty asks for nothing.
#[derive(Clone, Debug, Default)]
pub struct Condition {
    /// The scopes the token must have.
    pub scopes: ScopeRequirement,
    /// What claims must say, all of it.
    pub claims: Vec<ClaimRule>,
    /// The organisation that the request's host is for.
    pub organization: Option<Organization>,
    /// Indices of the providers of which the token must be one's.
    pub providers: Vec<usize>,
    /// Conditions that must all hold.
    pub all: Vec<Condition>,
    /// Conditions of which one must hold.
    pub any: Vec<Condition>,
    /// A condition that must be false.
    pub not: Option<Box<Condition>>,
}

/// What conditions are judged by.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'f> {
    /// The index of the provider that issued the token.
    pub provider: usize,
    /// What the token says.
    pub claims: &'f VerifiedClaims,
    /// The request, of which only `:authority` is looked at.
    pub head: &'f RequestHead<'f>,
}

/// What a client lacks where a condition does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// Scopes, which it can ask the authorization server for (RFC 6750 §3.1 `insufficient_scope`).
    Scopes,
    /// Something that asking again does not change.
    Claims,
}

/// One part of a condition and how it was judged.
pub type Listener<'l> = &'l dyn Fn(&Place<'_>, Truth);

impl Condition {
    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        let Self {
            scopes,
            claims,
            organization,
            providers,
            all,
            any,
            not,
        } = self;
        scopes.is_empty()
            && claims.is_empty()
            && organization.is_none()
            && providers.is_empty()
            && all.is_empty()
            && any.is_empty()
            && not.is_none()
    }

    /// Whether the token says what is asked for.
    pub fn judge(&self, facts: &Facts<'_>) -> Truth {
        self.walk(&View::of(facts), &Place::ROOT, false)
    }

    /// The same, and every scope list, claim, organisation and provider on the way told to `listener`.
    pub fn explain(&self, facts: &Facts<'_>, listener: Listener<'_>) -> Truth {
        let view = View {
            listener: Some(listener),
            ..View::of(facts)
        };
        self.walk(&view, &Place::ROOT, false)
    }

    /// What is lacking where [`judge`](Self::judge) did not answer [`Truth::True`]: scopes, if having them all
    /// would do, or would still be needed if every claim were right.
    pub fn lack(&self, facts: &Facts<'_>) -> Lack {
        let supposing = |given: &[Lack]| {
            let view = View {
                given,
                ..View::of(facts)
            };
            self.walk(&view, &Place::ROOT, false) == Truth::True
        };
        let scopes_would_do = supposing(&[Lack::Scopes]);
        let scopes_are_needed =
            || !supposing(&[Lack::Claims]) && supposing(&[Lack::Claims, Lack::Scopes]);
        if scopes_would_do || scopes_are_needed() {
            Lack::Scopes
        } else {
            Lack::Claims
        }
    }

    /// The scopes a client may have to ask for, each once, in the configuration's order: all that are named, but
    /// those under `not`, which it must not have.
    pub fn scopes_to_ask_for(&self) -> Vec<&ScopeToken> {
        let mut scopes = Vec::new();
        self.collect_scopes(false, &mut scopes);
        scopes
    }

    fn collect_scopes<'c>(&'c self, negated: bool, to: &mut Vec<&'c ScopeToken>) {
        if !negated {
            for scope in self.scopes.all() {
                if !to.contains(&scope) {
                    to.push(scope);
                }
            }
        }
        for condition in self.all.iter().chain(&self.any) {
            condition.collect_scopes(negated, to);
        }
        if let Some(condition) = &self.not {
            condition.collect_scopes(!negated, to);
        }
    }

    /// Every condition inside this one, and itself.
    pub fn visit<'c>(&'c self, visitor: &mut dyn FnMut(&'c Self)) {
        visitor(self);
        let parts = self.all.iter().chain(&self.any);
        for condition in parts.chain(self.not.as_deref()) {
            condition.visit(visitor);
        }
    }

    /// Recurses at most [`MAX_DEPTH`] deep.
    fn walk(&self, view: &View<'_>, at: &Place<'_>, negated: bool) -> Truth {
        let facts = view.facts;
        let mut whole = Truth::True;
        let mut part = |truth: Truth| whole = whole.min(truth);
        if !self.scopes.is_empty() {
            let judge = || self.scopes.judge(facts.claims.scopes());
            part(view.leaf(at, Step::Scopes, Lack::Scopes, negated, judge));
        }
        if !self.providers.is_empty() {
            let judge = || self.providers.contains(&facts.provider).into();
            part(view.leaf(at, Step::Providers, Lack::Claims, negated, judge));
        }
        for (index, rule) in self.claims.iter().enumerate() {
            let judge = || rule.judge(facts.claims);
            part(view.leaf(at, Step::Claims(index), Lack::Claims, negated, judge));
        }
        if let Some(organization) = &self.organization {
            let judge = || organization.judge(facts.claims, facts.head);
            part(view.leaf(at, Step::Organization, Lack::Claims, negated, judge));
        }
        for (index, condition) in self.all.iter().enumerate() {
            part(condition.walk(view, &at.below(Step::All(index)), negated));
        }
        if !self.any.is_empty() {
            let mut any = Truth::False;
            for (index, condition) in self.any.iter().enumerate() {
                any = any.max(condition.walk(view, &at.below(Step::Any(index)), negated));
                if any == Truth::True {
                    break;
                }
            }
            part(any);
        }
        if let Some(condition) = &self.not {
            part(!condition.walk(view, &at.below(Step::Not), !negated));
        }
        whole
    }
}

/// How a condition is walked through.
#[derive(Clone, Copy)]
struct View<'v> {
    facts: &'v Facts<'v>,
    /// What is supposed to be as it is asked for. A client cannot ask for fewer scopes, so those that must not be
    /// there are judged as they are.
    given: &'v [Lack],
    listener: Option<Listener<'v>>,
}

impl<'v> View<'v> {
    const fn of(facts: &'v Facts<'v>) -> Self {
        Self {
            facts,
            given: &[],
            listener: None,
        }
    }

    fn leaf(
        &self,
        at: &Place<'_>,
        step: Step,
        kind: Lack,
        negated: bool,
        judge: impl FnOnce() -> Truth,
    ) -> Truth {
        match (self.given.contains(&kind), kind, negated) {
            (true, _, false) => return Truth::True,
            (true, Lack::Claims, true) => return Truth::False,
            _ => {}
        }
        let truth = judge();
        if let Some(listener) = self.listener {
            listener(&at.below(step), truth);
        }
        truth
    }
}
