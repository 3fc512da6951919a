//! Counting over many proxies: Envoy's rate limit service protocol (`envoy/service/ratelimit/v3/rls.proto`).
//!
//! How many are allowed is the service's rule; what is sent are descriptors: the limit's name and the request's
//! values for the limit's key, readable, so that an operator can write rules for them. All limits of a rule go into
//! one call. The service's answer decides; header fields it wants added are ignored, for a limit has no say in what
//! the upstream is told.

mod answer;
mod question;

#[cfg(test)]
mod tests;

pub use answer::{Answer, Quota, Status, answer};
pub use question::{descriptor, request, target};

use std::time::Duration;

use super::KeyPart;
use crate::protobuf::Malformed;

/// The gRPC service of a `ShouldRateLimit` call.
pub const SERVICE: &str = "envoy.service.ratelimit.v3.RateLimitService";
/// The gRPC method.
pub const METHOD: &str = "ShouldRateLimit";
/// The longest answer that is read, in bytes: a rule has at most eight limits.
pub const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// A rate limit service behind an Envoy cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimitService {
    /// The cluster it is reached through. 1 to 120 bytes.
    pub cluster: Box<str>,
    /// The `domain` its rules are in.
    pub domain: Box<str>,
    /// How long a request may wait for it. 1 ms to 5 s.
    pub timeout: Duration,
    /// What happens to a request it does not answer for.
    pub failure_mode: FailureMode,
    /// What it counts; rules name these by index.
    pub limits: Vec<ServiceLimit>,
}

/// A limit that the service counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceLimit {
    /// Names the limit to the service, to operators and, in `RateLimit-Policy`, to clients.
    pub name: Box<str>,
    /// What is counted apart.
    pub key: Vec<KeyPart>,
}

/// What happens to a request that can't be counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailureMode {
    /// It is denied: 503.
    #[default]
    Deny,
    /// It goes on uncounted.
    Allow,
}

/// Why the service has no say; the [`FailureMode`] decides then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Failure {
    /// The host made no call: it has no such cluster, or no endpoint of it is healthy.
    #[error("Envoy has no such cluster, or none of its endpoints is healthy")]
    NotSent,
    /// So many requests wait for it already that no more are held.
    #[error("too many requests wait for it already")]
    TooMany,
    /// gRPC `UNAVAILABLE`, which a timeout is to Envoy, `DEADLINE_EXCEEDED`, or no word at all.
    #[error("it did not answer in time")]
    NoAnswer,
    /// Any other gRPC status than `OK`.
    #[error("it answered with a gRPC status other than OK")]
    Status,
    /// The answer is longer than [`MAX_ANSWER_BYTES`].
    #[error("its answer is too long")]
    TooLong,
    /// The answer is not a `RateLimitResponse`, or has more in it than was asked.
    #[error("its answer can't be read")]
    Malformed,
    /// The answer's `overall_code` is neither `OK` nor `OVER_LIMIT`.
    #[error("its answer has an unknown code")]
    UnknownCode,
}

impl Failure {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::NotSent,
        Self::TooMany,
        Self::NoAnswer,
        Self::Status,
        Self::TooLong,
        Self::Malformed,
        Self::UnknownCode,
    ];

    /// The bounded code for metrics, in `snake_case`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotSent => "not_sent",
            Self::TooMany => "too_many",
            Self::NoAnswer => "no_answer",
            Self::Status => "grpc_status",
            Self::TooLong => "too_long",
            Self::Malformed => "malformed",
            Self::UnknownCode => "unknown_code",
        }
    }

    /// What a gRPC status other than `OK` means.
    pub const fn of_grpc_status(status: u32) -> Self {
        const DEADLINE_EXCEEDED: u32 = 4;
        const UNAVAILABLE: u32 = 14;
        match status {
            DEADLINE_EXCEEDED | UNAVAILABLE => Self::NoAnswer,
            _ => Self::Status,
        }
    }
}

impl From<Malformed> for Failure {
    fn from(Malformed: Malformed) -> Self {
        Self::Malformed
    }
}
