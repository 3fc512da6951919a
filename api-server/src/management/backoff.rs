//! How long to wait before trying again: longer each time, and never all at once.

use std::time::Duration;

use rand::Rng as _;

/// The pause after failure number `failures` (1 is the first): twice as long each time up to `longest`, of which a
/// random half or more is waited, so that replicas and users don't come back together.
pub fn backoff(first: Duration, failures: u32, longest: Duration) -> Duration {
    let doubled = first.saturating_mul(1_u32 << failures.saturating_sub(1).min(20));
    doubled
        .min(longest)
        .mul_f64(rand::thread_rng().gen_range(0.5..=1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_vary() {
        let second = Duration::from_secs(1);
        for (failures, whole) in [(1, 1), (2, 2), (5, 16), (10, 60), (u32::MAX, 60)] {
            let whole = Duration::from_secs(whole);
            let pauses: Vec<_> = (0..50)
                .map(|_| backoff(second, failures, Duration::from_mins(1)))
                .collect();
            assert!(pauses.iter().all(|p| *p >= whole / 2 && *p <= whole));
            assert!(pauses.iter().any(|pause| *pause != pauses[0]));
        }
    }
}
