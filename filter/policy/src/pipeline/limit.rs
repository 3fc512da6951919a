//! Step 8: how often. The limits a rule names are counted in its order; the first that is used up answers. What a
//! service counts comes last: see [`service`](super::service).

use std::borrow::Cow;

use super::authenticate::Caller;
use super::denial::Denial;
use super::trace::{Event, Step};
use super::{Gateway, Host, Request, Stop};
use crate::authority::Authority;
use crate::claims::{ClaimPath, header_text};
use crate::config::{RateLimitHeaders, Rule};
use crate::rate_limit::{self, Counts, Fields, KeyPart, KeyValue, RateLimit, Verdict};
use crate::rejection::Reason;
use crate::store::SharedStore;

impl Gateway {
    /// Counts a request that is otherwise let through, and gives what its client is told of that; nothing where
    /// nobody is to be told.
    pub(super) fn limit<S: SharedStore>(
        &self,
        request: &Request<'_>,
        rule: &Rule,
        caller: &Caller,
        host: &mut Host<'_, S>,
    ) -> Result<Fields, Stop> {
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
        // A denial by the service names the limits that were counted here too.
        let is_told = self.config.rate_limit_headers == RateLimitHeaders::Always
            || !rule.service_limits.is_empty();
        Ok(if is_told {
            fields(&checked)
        } else {
            Fields::default()
        })
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

/// What a request has for the parts of a key, made into text where it is none and kept for as long as it is looked
/// at. A key without claims and host keeps nothing.
pub(super) struct KeyValues<'v> {
    request: &'v Request<'v>,
    rule: &'v Rule,
    /// For each part that is a claim, in order.
    claims: Vec<Option<Cow<'v, str>>>,
    host: Option<Cow<'v, str>>,
}

impl<'v> KeyValues<'v> {
    pub(super) fn new(
        key: &[KeyPart],
        request: &'v Request<'v>,
        rule: &'v Rule,
        caller: &'v Caller,
    ) -> Self {
        let claims = key.iter().filter_map(|part| match part {
            KeyPart::Claim(path) => Some(claim(caller, path)),
            _ => None,
        });
        // In its one spelling: another case, a trailing dot or a port is no other host.
        let host = key
            .contains(&KeyPart::Host)
            .then(|| Authority::of(&request.head).ok())
            .flatten()
            .flatten()
            .map(|authority| authority.normal_host());
        Self {
            request,
            rule,
            claims: claims.collect(),
            host,
        }
    }

    /// The value of each part of the key, asked for in its order.
    pub(super) fn in_order<'s>(&'s self) -> impl FnMut(&KeyPart) -> KeyValue<'s> {
        let mut claims = self.claims.iter();
        move |part| match part {
            KeyPart::ClientAddress => {
                let client = self.request.client;
                client.map_or(KeyValue::Absent, KeyValue::Address)
            }
            KeyPart::Claim(_) => text_or_absent(claims.next().and_then(Option::as_deref)),
            KeyPart::Header(name) => {
                let found = self.request.head.first(name);
                found.map_or(KeyValue::Absent, KeyValue::Bytes)
            }
            KeyPart::Route => KeyValue::Bytes(self.rule.name.as_bytes()),
            KeyPart::Host => text_or_absent(self.host.as_deref()),
        }
    }
}

fn key(limit: &RateLimit, request: &Request<'_>, rule: &Rule, caller: &Caller) -> rate_limit::Key {
    let values = KeyValues::new(&limit.settings().key, request, rule, caller);
    limit.key(values.in_order())
}

fn fields(checked: &[(&RateLimit, Verdict)]) -> Fields {
    let mut fields = Fields::default();
    for (limit, verdict) in checked {
        fields.counted(limit, *verdict);
    }
    fields
}

fn denied(
    denial: rate_limit::Denial,
    checked: &[(&RateLimit, Verdict)],
    exhausted: Reason,
) -> Denial {
    let reason = match denial {
        rate_limit::Denial::Exhausted => exhausted,
        rate_limit::Denial::StoreContended => Reason::RateLimitUnavailable,
    };
    Denial::of(reason).telling(fields(checked))
}

fn text_or_absent(found: Option<&str>) -> KeyValue<'_> {
    found.map_or(KeyValue::Absent, |text| KeyValue::Bytes(text.as_bytes()))
}

fn claim<'c>(caller: &'c Caller, path: &ClaimPath) -> Option<Cow<'c, str>> {
    header_text(caller.claims()?.claim(path)?)
}
