//! What the crate `limitador` has a rate limit service answer, its counters in Redis.
//!
//! The crate's own storage in Redis looks first and counts then, so two that ask at once may both be the last one, and
//! it needs OpenSSL. Here both happen in one script, which Redis runs as one step: within a window not one too many
//! gets through, however many services share the counters. A window is fixed: it begins with the first request that it
//! counts.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
};

use anyhow::Result;
use limitador::{
    RateLimiter,
    counter::Counter,
    limit::Limit,
    storage::{Authorization, CounterStorage, StorageErr},
};

use crate::{
    rate_limit_service::{Answer, Descriptor, Verdict},
    redis::{Redis, RedisConnection},
};

/// What a service answers that has these limits, and shares their counters with all others on the same Redis.
///
/// A limit's namespace is the domain that is asked about; its conditions and variables are a descriptor's entries.
///
/// # Errors
///
/// When Redis does not listen.
pub fn answers(
    redis: &Redis,
    limits: impl IntoIterator<Item = Limit>,
) -> Result<impl Fn(&str, &[Descriptor]) -> Answer + Send + Sync + 'static> {
    let counters = RedisCounters(Mutex::new(redis.connect()?));
    let limiter = RateLimiter::new_with_storage(Box::new(counters));
    for limit in limits {
        limiter.add_limit(limit);
    }
    Ok(move |domain: &str, descriptors: &[Descriptor]| {
        let verdicts = descriptors
            .iter()
            .map(|entries| verdict(&limiter, domain, entries));
        verdicts
            .collect::<Option<_>>()
            .map_or(Answer::Status(INTERNAL), Answer::Verdicts)
    })
}

/// What limitador says of one descriptor; nothing where it has no limit for it, or cannot say.
fn verdict(limiter: &RateLimiter, domain: &str, entries: &Descriptor) -> Option<Verdict> {
    let values: HashMap<_, _> = entries.iter().cloned().collect();
    let result = limiter.check_rate_limited_and_update(&domain.into(), &values, 1, true);
    let result = result.ok()?;
    let counter = result.counters.first()?;
    Some(Verdict {
        over_limit: result.limited,
        requests: counter.max_value().try_into().ok()?,
        remaining: counter.remaining()?.try_into().ok()?,
        reset_seconds: counter.expires_in()?.as_secs().try_into().ok()?,
    })
}

/// Limitador's counters, each a number in Redis under the counter's own JSON.
struct RedisCounters(Mutex<RedisConnection>);

impl CounterStorage for RedisCounters {
    fn check_and_update(
        &self,
        counters: &mut Vec<Counter>,
        delta: i64,
        _load_counters: bool,
    ) -> Result<Authorization, StorageErr> {
        let mut keys = Vec::new();
        let mut arguments = vec![delta.to_string()];
        for counter in &*counters {
            keys.push(serde_json::to_string(counter).expect("a counter has a JSON"));
            arguments.extend([
                counter.max_value().to_string(),
                counter.seconds().to_string(),
            ]);
        }
        let number_of_keys = keys.len().to_string();
        let mut command = vec!["EVAL", CHECK_AND_UPDATE, &number_of_keys];
        command.extend(keys.iter().chain(&arguments).map(String::as_str));
        let mut connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = connection.integers(&command);
        // Limitador lets nobody else make a `StorageErr`. The panic ends the connection of the one who asked.
        let answer = answer.expect("Redis runs the script");
        let (over_limit, found) = answer.split_first().expect("the script answers");
        for (counter, found) in counters.iter_mut().zip(found.chunks_exact(2)) {
            counter.set_remaining((counter.max_value() - found[0]).max(0));
            let seconds = u64::try_from(found[1]).unwrap_or_default();
            counter.set_expires_in(std::time::Duration::from_secs(seconds));
        }
        let first_over = usize::try_from(*over_limit).unwrap_or_default();
        Ok(match first_over.checked_sub(1) {
            Some(index) => {
                let limit = counters.get(index).map(Counter::limit);
                Authorization::Limited(limit.and_then(Limit::name).map(str::to_owned))
            }
            None => Authorization::Ok,
        })
    }

    /// A counter is there from its first request on.
    fn add_counter(&self, _limit: &Limit) -> Result<(), StorageErr> {
        Ok(())
    }

    fn is_within_limits(&self, _counter: &Counter, _delta: i64) -> Result<bool, StorageErr> {
        unreachable!("{ONLY}")
    }

    fn update_counter(&self, _counter: &Counter, _delta: i64) -> Result<(), StorageErr> {
        unreachable!("{ONLY}")
    }

    fn get_counters(&self, _limits: &HashSet<Limit>) -> Result<HashSet<Counter>, StorageErr> {
        unreachable!("{ONLY}")
    }

    fn delete_counters(&self, _limits: HashSet<Limit>) -> Result<(), StorageErr> {
        unreachable!("{ONLY}")
    }

    fn clear(&self) -> Result<(), StorageErr> {
        unreachable!("{ONLY}")
    }
}

const ONLY: &str = "Envoy's protocol has one question: may it go on, and count it";

/// Keys: the counters. Arguments: how many are counted; then the limit and the seconds of each counter.
///
/// Answers the number of the first counter that is used up, 0 where none is; then the count and the seconds left of
/// each. Where one is used up, none is raised.
const CHECK_AND_UPDATE: &str = "
local delta = tonumber(ARGV[1])
local answer = {0}
for i, key in ipairs(KEYS) do
    local count = tonumber(redis.call('GET', key) or '0')
    if answer[1] == 0 and count + delta > tonumber(ARGV[2 * i]) then
        answer[1] = i
    end
end
for i, key in ipairs(KEYS) do
    if answer[1] == 0 and redis.call('INCRBY', key, delta) == delta then
        redis.call('EXPIRE', key, ARGV[2 * i + 1])
    end
    answer[2 * i] = tonumber(redis.call('GET', key) or '0')
    answer[2 * i + 1] = math.max(redis.call('TTL', key), 0)
end
return answer
";

/// The gRPC status of a service that cannot say.
const INTERNAL: u32 = 13;
