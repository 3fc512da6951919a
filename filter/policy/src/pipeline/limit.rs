//! Step 8: how often. The limits a rule names are counted in its order; the first that is used up answers.

use super::authenticate::Caller;
use super::denial::Denial;
use super::trace::{Event, Step};
use super::{Gateway, Host, Request, Stop};
use crate::authority::Authority;
use crate::claims::{ClaimPath, header_text};
use crate::config::Rule;
use crate::json::Value;
use crate::rate_limit::{self, Counts, KeyPart, KeyValue, RateLimit, Verdict};
use crate::rejection::Reason;
use crate::store::SharedStore;

impl Gateway {
    /// Counts a request that is otherwise let through.
    pub(super) fn limit<S: SharedStore>(
        &self,
        request: &Request<'_>,
        rule: &Rule,
        caller: &Caller,
        host: &mut Host<'_, S>,
    ) -> Result<(), Stop> {
        let mut checked = Vec::new();
        for limit in self.limits(rule, false) {
            let key = key(limit, request, rule, caller);
            if checked.is_empty() {
                request.listener.begin(Step::RateLimits);
            }
            let verdict = limit.check(key, host.now, host.store);
            request.listener.tell(Event::Counted {
                limit: &limit.settings().name,
                remaining: verdict.remaining,
            });
            checked.push((limit, verdict));
            if let Some(denial) = verdict.denial {
                return Err(denied(denial, &checked, Reason::RateLimited).into());
            }
        }
        Ok(())
    }

    /// Refuses a client whose credentials were refused too often, before its next ones are looked at.
    pub(super) fn blocked<S: SharedStore>(
        &self,
        request: &Request<'_>,
        rule: &Rule,
        host: &mut Host<'_, S>,
    ) -> Result<(), Stop> {
        for limit in self.limits(rule, true) {
            request.listener.begin(Step::FailedAuthentications);
            let key = key(limit, request, rule, &Caller::Nobody);
            let verdict = limit.peek(key, host.now, host.store);
            if let Some(denial) = verdict.denial {
                let checked = [(limit, verdict)];
                return Err(denied(denial, &checked, Reason::AuthenticationBlocked).into());
            }
        }
        Ok(())
    }

    /// Counts credentials that were refused.
    pub(super) fn count_failure<S: SharedStore>(
        &self,
        request: &Request<'_>,
        rule: &Rule,
        host: &mut Host<'_, S>,
    ) {
        for limit in self.limits(rule, true) {
            let key = key(limit, request, rule, &Caller::Nobody);
            limit.check(key, host.now, host.store);
        }
    }

    fn limits<'g>(&'g self, rule: &'g Rule, failures: bool) -> impl Iterator<Item = &'g RateLimit> {
        rule.rate_limits
            .iter()
            .filter_map(|&index| self.limits.get(index))
            .filter(move |limit| {
                failures == matches!(limit.settings().counts, Counts::FailedAuthentication { .. })
            })
    }
}

fn denied(
    denial: rate_limit::Denial,
    checked: &[(&RateLimit, Verdict)],
    exhausted: Reason,
) -> Denial {
    let fields = rate_limit::fields(checked.iter().copied());
    let reason = match denial {
        rate_limit::Denial::Exhausted => exhausted,
        rate_limit::Denial::StoreContended => Reason::RateLimitUnavailable,
    };
    let mut headers = Vec::new();
    if !fields.policy.is_empty() {
        headers.push(("ratelimit-policy", fields.policy));
        headers.push(("ratelimit", fields.limit));
    }
    Denial {
        retry_after: fields.retry_after,
        headers,
        ..Denial::of(reason)
    }
}

fn key(limit: &RateLimit, request: &Request<'_>, rule: &Rule, caller: &Caller) -> rate_limit::Key {
    // A claim that is no plain text is turned into text, which must live as long as the key is made.
    let texts: Vec<_> = limit
        .settings()
        .key
        .iter()
        .map(|part| match part {
            KeyPart::Claim(path) => claim(caller, path),
            _ => None,
        })
        .collect();
    let mut texts = texts.iter();
    // In its one spelling: another case, a trailing dot or a port is no other host.
    let by_host = limit.settings().key.contains(&KeyPart::Host);
    let authority = by_host
        .then(|| Authority::of(&request.head).ok())
        .flatten()
        .flatten();
    let host = authority.as_ref().map(Authority::normal_host);
    limit.key(|part| {
        let text = texts.next().and_then(Option::as_ref);
        match part {
            KeyPart::ClientAddress => request.client.map_or(KeyValue::Absent, KeyValue::Address),
            KeyPart::Claim(_) => bytes_or_absent(text.map(String::as_bytes)),
            KeyPart::Header(name) => bytes_or_absent(request.head.first(name)),
            KeyPart::Route => KeyValue::Bytes(rule.name.as_bytes()),
            KeyPart::Host => bytes_or_absent(host.as_deref().map(str::as_bytes)),
        }
    })
}

fn bytes_or_absent(found: Option<&[u8]>) -> KeyValue<'_> {
    found.map_or(KeyValue::Absent, KeyValue::Bytes)
}

fn claim(caller: &Caller, path: &ClaimPath) -> Option<String> {
    let value: &Value = caller.claims()?.claim(path)?;
    header_text(value).map(std::borrow::Cow::into_owned)
}
