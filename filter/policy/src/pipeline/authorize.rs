//! Step 7: whether the caller may. What the rule asks for is compared with what the token says.

use super::authenticate::Caller;
use super::denial::Denial;
use super::trace::{Event, Step};
use super::{Gateway, Request};
use crate::condition::{Facts, Lack, Truth};
use crate::config::TokenRequirement;
use crate::rejection::Reason;
use crate::step_up::Authentication;
use crate::time::UnixTime;

impl Gateway {
    /// Conditions first, the strength of the authentication second: nobody is sent to log in again for what they
    /// may not do in any case.
    pub(super) fn authorize(
        &self,
        request: &Request<'_>,
        required: &TokenRequirement,
        caller: &Caller,
        now: UnixTime,
    ) -> Result<(), Denial> {
        let Caller::Bearer(token) = caller else {
            return Ok(());
        };
        let facts = Facts {
            provider: token.provider,
            claims: &token.claims,
            head: &request.head,
        };
        refuse_unless_true(request, required, &facts)?;
        self.step_up(request, required, &facts, now)
    }

    fn step_up(
        &self,
        request: &Request<'_>,
        required: &TokenRequirement,
        facts: &Facts<'_>,
        now: UnixTime,
    ) -> Result<(), Denial> {
        if required.step_up.is_empty() {
            return Ok(());
        }
        request.listener.begin(Step::StepUp);
        let provider = self.config.providers.get(facts.provider);
        let provider = provider.ok_or_else(|| Denial::of(Reason::Internal))?;
        let authentication = Authentication {
            context_class: facts.claims.claim(&provider.acr_claim),
            time: facts.claims.claim(&provider.auth_time_claim),
        };
        required
            .step_up
            .check(authentication, provider.profile.clock_skew, now)
            .map_err(|insufficient| {
                request.listener.tell(Event::StepUp(insufficient));
                Denial {
                    acr_values: required.step_up.acr_values().map(Into::into),
                    max_age: required.step_up.max_age(),
                    ..Denial::of(Reason::StepUpRequired).asking_for(required)
                }
            })
    }
}

fn refuse_unless_true(
    request: &Request<'_>,
    required: &TokenRequirement,
    facts: &Facts<'_>,
) -> Result<(), Denial> {
    let condition = &required.condition;
    // What cannot be judged grants nothing.
    if condition.judge(facts) == Truth::True {
        return Ok(());
    }
    if request.listener.is_there() {
        condition.explain(facts, &|place, truth| {
            request.listener.tell(Event::Condition { place, truth });
        });
    }
    Err(match condition.lack(facts) {
        Lack::Scopes => Denial::of(Reason::InsufficientScope).asking_for(required),
        Lack::Claims => Denial::of(Reason::ClaimMismatch),
    })
}
