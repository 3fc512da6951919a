//! The manual clock: it stands still within a callback and moves only when the test moves it.

use std::time::Duration;

/// Two clocks, as a host has them: one that only goes forward (timers) and the wall clock (tokens).
#[derive(Debug)]
pub(crate) struct Clock {
    elapsed: u64,
    /// Wall time minus elapsed time, in nanoseconds; negative after a step far into the past.
    wall_offset: i128,
}

/// A root context's tick.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timer {
    pub(crate) period: u64,
    pub(crate) due: u64,
}

impl Clock {
    /// A clock that shows `wall` since 1970.
    pub(crate) fn starting_at(wall: Duration) -> Self {
        Self {
            elapsed: 0,
            wall_offset: i128::from(nanos(wall)),
        }
    }

    /// Nanoseconds since the proxy started.
    pub(crate) fn elapsed(&self) -> u64 {
        self.elapsed
    }

    /// Nanoseconds since 1970.
    pub(crate) fn wall(&self) -> u64 {
        let wall = i128::from(self.elapsed) + self.wall_offset;
        u64::try_from(wall.max(0)).unwrap_or(u64::MAX)
    }

    /// Moves both clocks forward to `elapsed` nanoseconds after the start; never back.
    pub(crate) fn advance_to(&mut self, elapsed: u64) {
        self.elapsed = self.elapsed.max(elapsed);
    }

    /// Steps the wall clock, as a time daemon would; timers do not notice.
    pub(crate) fn step_wall(&mut self, wall: Duration) {
        self.wall_offset = i128::from(nanos(wall)) - i128::from(self.elapsed);
    }
}

/// A duration in whole nanoseconds, or the end of time.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wall_clock_step_leaves_timers_alone() {
        let mut clock = Clock::starting_at(Duration::from_secs(100));
        clock.advance_to(5);
        clock.step_wall(Duration::from_secs(10));
        assert_eq!((clock.elapsed(), clock.wall()), (5, 10_000_000_000));
        clock.advance_to(3);
        assert_eq!(clock.elapsed(), 5);
        clock.advance_to(6);
        assert_eq!(clock.wall(), 10_000_000_001);
    }
}
