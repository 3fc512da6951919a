//! What the service answers: a `RateLimitResponse`, read strictly and within bounds.

use std::time::Duration;

use super::{Failure, MAX_ANSWER_BYTES};
use crate::protobuf::{Fields, Value};

/// The service's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// For each limit of the request, in its order; a service may leave them out.
    pub statuses: Vec<Status>,
    /// Whether the request as a whole is within all limits.
    pub allowed: bool,
}

/// What the service says of one limit (`DescriptorStatus`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Whether the limit is used up.
    pub over_limit: bool,
    /// How many more the window allows.
    pub remaining: u32,
    /// When the window ends.
    pub reset_after: Duration,
    /// How many the service's rule allows; `None` where it says nothing, or has no rule for the limit.
    pub quota: Option<Quota>,
}

/// How many the service's rule allows in how long (`RateLimitResponse.RateLimit`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// How many in one window.
    pub requests: u32,
    /// The length of a window: a second to a year.
    pub per: Duration,
}

/// Reads a `RateLimitResponse` to a request with `descriptors` descriptors.
///
/// A request is allowed only if the service says so for all of it and denies no part of it.
///
/// # Errors
/// [`Failure::TooLong`], [`Failure::Malformed`], [`Failure::UnknownCode`].
pub fn answer(response: &[u8], descriptors: usize) -> Result<Answer, Failure> {
    if response.len() > MAX_ANSWER_BYTES {
        return Err(Failure::TooLong);
    }
    let mut overall = 0;
    let mut statuses = Vec::new();
    for field in Fields::new(response) {
        match field? {
            (1, Value::Varint(code)) => overall = code,
            (2, Value::Bytes(_)) if statuses.len() >= descriptors => {
                return Err(Failure::Malformed);
            }
            (2, Value::Bytes(message)) => statuses.push(status(message)?),
            (1 | 2, _) => return Err(Failure::Malformed),
            _ => {}
        }
    }
    let allowed = match overall {
        OK => statuses.iter().all(|status| !status.over_limit),
        OVER_LIMIT => false,
        _ => return Err(Failure::UnknownCode),
    };
    Ok(Answer { statuses, allowed })
}

/// A `DescriptorStatus`. One without a matching rule has code `OK` and nothing else.
fn status(message: &[u8]) -> Result<Status, Failure> {
    let mut status = Status::default();
    for field in Fields::new(message) {
        match field? {
            (1, Value::Varint(code)) => status.over_limit = code == OVER_LIMIT,
            (2, Value::Bytes(current_limit)) => status.quota = quota(current_limit)?,
            (3, Value::Varint(remaining)) => {
                status.remaining = u32::try_from(remaining).map_err(|_| Failure::Malformed)?;
            }
            (4, Value::Bytes(until_reset)) => status.reset_after = duration(until_reset)?,
            (1..=4, _) => return Err(Failure::Malformed),
            _ => {}
        }
    }
    Ok(status)
}

/// A `RateLimit { requests_per_unit, unit }`. A unit nobody knows is no quota.
fn quota(message: &[u8]) -> Result<Option<Quota>, Failure> {
    const DAY: u64 = 24 * 3600;
    let (mut requests, mut unit) = (0, 0);
    for field in Fields::new(message) {
        match field? {
            (1, Value::Varint(value)) => {
                requests = u32::try_from(value).map_err(|_| Failure::Malformed)?;
            }
            (2, Value::Varint(value)) => unit = value,
            (1 | 2, _) => return Err(Failure::Malformed),
            _ => {}
        }
    }
    let seconds = match unit {
        1 => 1,
        2 => 60,
        3 => 3600,
        4 => DAY,
        5 => 30 * DAY,
        6 => 365 * DAY,
        7 => 7 * DAY,
        _ => return Ok(None),
    };
    let per = Duration::from_secs(seconds);
    Ok(Some(Quota { requests, per }))
}

/// A `google.protobuf.Duration`. A negative one is none at all.
fn duration(message: &[u8]) -> Result<Duration, Failure> {
    let (mut seconds, mut nanos) = (0, 0);
    for field in Fields::new(message) {
        match field? {
            (1, Value::Varint(value)) => seconds = value.cast_signed(),
            (2, Value::Varint(value)) => nanos = value.cast_signed(),
            (1 | 2, _) => return Err(Failure::Malformed),
            _ => {}
        }
    }
    let (Ok(seconds), Ok(nanos)) = (u64::try_from(seconds), u32::try_from(nanos)) else {
        return Ok(Duration::ZERO);
    };
    let nanos = nanos.min(999_999_999);
    Ok(Duration::new(seconds.min(LONGEST_WINDOW_SECS), nanos))
}

const OK: u64 = 1;
const OVER_LIMIT: u64 = 2;
/// A year: what a `Retry-After` beyond which would mean is for nobody to wait.
pub(super) const LONGEST_WINDOW_SECS: u64 = 31_536_000;
