//! What the operator's log is told of the rate limit service: when it stops answering and when it answers again,
//! once a tick at most.

use edge_auth_policy::rate_limit::service::{Answer, Failure, FailureMode};

use crate::host::{self, LogLevel};

/// Whether the service answers, as the log knows it, and what came since the last tick.
#[derive(Debug, Default)]
pub(crate) struct ServiceHealth {
    is_failing: bool,
    failure: Option<Failure>,
    answered: bool,
}

impl ServiceHealth {
    pub(crate) fn note(&mut self, answer: &Result<Answer, Failure>) {
        match answer {
            Ok(_) => self.answered = true,
            Err(failure) => self.failure = Some(*failure),
        }
    }

    /// Tells what has changed.
    pub(crate) fn tell(&mut self, mode: FailureMode) {
        let (failure, answered) = (self.failure.take(), std::mem::take(&mut self.answered));
        match (failure, self.is_failing) {
            (Some(failure), false) => {
                self.is_failing = true;
                let effect = match mode {
                    FailureMode::Deny => "are denied",
                    FailureMode::Allow => "go on uncounted",
                };
                host::log(
                    LogLevel::Warn,
                    &format!(
                        "edge-auth: rate_limit_service: {failure}; requests it does not answer for {effect}"
                    ),
                );
            }
            (None, true) if answered => {
                self.is_failing = false;
                host::log(
                    LogLevel::Info,
                    "edge-auth: rate_limit_service: it answers again",
                );
            }
            _ => {}
        }
    }
}
