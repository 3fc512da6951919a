//! How long to wait: exponential backoff and jitter, both functions of their arguments.

use std::time::Duration;

/// The pause after `failures` failures in a row: `first`, doubled each time, at most `longest`, less a jitter of
/// up to a quarter so that proxies that failed together do not come back together.
pub(crate) fn backoff(failures: u32, first: Duration, longest: Duration, seed: u64) -> Duration {
    let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
    let pause = first.saturating_mul(doubled).min(longest);
    pause.saturating_sub(jitter(seed ^ u64::from(failures), pause / 4))
}

/// A duration from zero to `most`, decided by `seed`.
pub(crate) fn jitter(seed: u64, most: Duration) -> Duration {
    let part = u128::from(mix(seed) >> 32);
    let nanos = most.as_nanos().saturating_mul(part) >> 32;
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// The finaliser of `SplitMix64`: consecutive seeds give unrelated numbers.
fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn pauses_double_up_to_the_longest() {
        for (failures, whole) in [(0, 1), (1, 1), (2, 2), (3, 4), (6, 30), (u32::MAX, 30)] {
            let pause = backoff(failures, SECOND, SECOND * 30, 5);
            let whole = SECOND * whole;
            assert!(
                pause <= whole && pause >= whole * 3 / 4,
                "{failures}: {pause:?}"
            );
        }
    }

    #[test]
    fn jitter_is_spread_over_its_range_and_repeatable() {
        let draws: Vec<_> = (0..1000).map(|seed| jitter(seed, SECOND)).collect();
        assert_eq!(
            draws,
            (0..1000)
                .map(|seed| jitter(seed, SECOND))
                .collect::<Vec<_>>()
        );
        assert!(draws.iter().all(|&draw| draw <= SECOND));
        let low = draws.iter().filter(|&&draw| draw < SECOND / 2).count();
        assert!((400..600).contains(&low), "{low} of 1000 in the lower half");
        assert_eq!(jitter(7, Duration::ZERO), Duration::ZERO);
        let _ = jitter(u64::MAX, Duration::MAX);
    }
}
