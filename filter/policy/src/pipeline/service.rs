//! Step 9: what a service counts over many proxies. A request that may go on in every other way is held, with all
//! that letting it go on takes, until the service has answered or its time is up.
//!
//! It is not decided anew then: limits that were counted here would be counted twice. Nothing of the request is
//! changed before the verdict. A rule that is only watched never asks, because what is only watched is never held.

use super::authenticate::Caller;
use super::denial::Denial;
use super::limit::KeyValues;
use super::sight::Seen;
use super::trace::{Event, Step};
use super::{Gateway, Judgement, Passed, Request};
use crate::config::{RateLimitHeaders, Rule};
use crate::rate_limit::Fields;
use crate::rate_limit::service::{self, Answer, Failure, FailureMode, RateLimitService};
use crate::rejection::Reason;
use crate::request::RequestHead;
use crate::time::UnixTime;

/// A request that the rate limit service is asked about, and what becomes of it where it is within the limits.
#[derive(Debug)]
pub struct Held {
    question: Question,
    passed: Passed,
    seen: Seen,
}

/// What is asked.
#[derive(Debug)]
pub(super) struct Question {
    message: Vec<u8>,
    limits: Vec<usize>,
}

impl Held {
    pub(super) const fn new(question: Question, passed: Passed, seen: Seen) -> Self {
        Self {
            question,
            passed,
            seen,
        }
    }

    /// The encoded `RateLimitRequest` of the call to [`service::METHOD`].
    pub fn message(&self) -> &[u8] {
        &self.question.message
    }

    /// Reads the service's answer to it.
    ///
    /// # Errors
    /// The answer cannot be believed: the failure mode is to decide.
    pub fn read(&self, answer: &[u8]) -> Result<Answer, Failure> {
        service::answer(answer, self.question.limits.len())
    }
}

impl Gateway {
    /// The service that [`Held`] requests wait for.
    pub fn rate_limit_service(&self) -> Option<&RateLimitService> {
        self.config.rate_limit_service.as_ref()
    }

    /// What to ask about a request, all limits of its rule at once; `None` where the rule has none of the service's.
    pub(super) fn question(
        &self,
        request: &Request<'_>,
        rule: &Rule,
        caller: &Caller,
    ) -> Option<Question> {
        let service = self.rate_limit_service()?;
        let mut question = Question {
            message: Vec::new(),
            limits: Vec::new(),
        };
        let mut descriptors = Vec::new();
        for &index in &rule.service_limits {
            let Some(limit) = service.limits.get(index) else {
                continue;
            };
            if descriptors.is_empty() {
                request.listener.begin(Step::RateLimits);
            }
            request
                .listener
                .tell(Event::AsksService { limit: &limit.name });
            let values = KeyValues::new(&limit.key, request, rule, caller);
            descriptors.push(service::descriptor(limit, values.in_order()));
            question.limits.push(index);
        }
        if descriptors.is_empty() {
            return None;
        }
        question.message = service::request(&service.domain, &descriptors);
        Some(question)
    }

    /// Decides a request that was held for the service, whose `head` is the one it was held with.
    pub fn on_rate_limit_answer(
        &mut self,
        head: &RequestHead<'_>,
        held: Held,
        answer: Result<Answer, Failure>,
        now: UnixTime,
    ) -> Judgement {
        let Held {
            question,
            mut passed,
            seen,
        } = held;
        let service = self.rate_limit_service();
        if let (Some(service), Ok(answer)) = (service, &answer) {
            for (index, status) in question.limits.iter().zip(&answer.statuses) {
                if let Some(limit) = service.limits.get(*index) {
                    passed.told.answered(limit, status);
                }
            }
        }
        let mode = service.map(|service| service.failure_mode);
        let outcome = match (answer, mode) {
            (Ok(Answer { allowed: true, .. }), _) | (Err(_), Some(FailureMode::Allow)) => {
                Ok(passed)
            }
            (Ok(_), _) => Err(Denial::of(Reason::RateLimited).telling(passed.told).into()),
            (Err(_), _) => Err(Reason::RateLimitUnavailable.into()),
        };
        self.conclude(head, &seen, outcome, now)
    }

    /// What the client of a request that goes on is told of its limits, as header fields of the answer.
    pub(super) fn told_of_limits(&self, told: Fields) -> Vec<(&'static str, String)> {
        match self.config.rate_limit_headers {
            RateLimitHeaders::Always => told.into_pairs(),
            RateLimitHeaders::Denied => Vec::new(),
        }
    }
}
