//! Which version a write got, where the host does not say.
//!
//! Envoy counts versions up by one for each write of the whole process (`SharedData::nextCas` of
//! proxy-wasm-cpp-host); on a host that counts otherwise nothing here holds. So a version that was given a moment ago
//! is a bound from below on what comes next, and right while nobody else writes. One that was merely read is none: it
//! may be days old, and the count comes round after four billion writes.

/// The version a worker's last write got, or one that is too low.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Versions(Option<u32>);

impl Versions {
    /// This version was given a moment ago.
    pub fn learn(&mut self, version: u32) {
        self.0 = Some(version);
    }

    /// A write succeeded.
    pub fn wrote(&mut self) {
        self.0 = self.0.map(after);
    }

    /// The version that the last write got unless somebody else wrote since this worker last learnt one; too low then.
    /// `None` before that.
    pub const fn newest(self) -> Option<u32> {
        self.0
    }
}

/// The version after this one; zero is none.
const fn after(version: u32) -> u32 {
    match version.wrapping_add(1) {
        0 => 1,
        next => next,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(learnt: &[u32], writes: u32, expected: Option<u32>) {
        let mut versions = Versions::default();
        for version in learnt {
            versions.learn(*version);
        }
        for _ in 0..writes {
            versions.wrote();
        }
        assert_eq!(versions.newest(), expected);
    }

    #[test]
    fn each_write_is_one_after_what_was_learnt_last() {
        check(&[], 3, None);
        check(&[7], 0, Some(7));
        check(&[7], 2, Some(9));
        check(&[7, 5], 1, Some(6));
    }

    #[test]
    fn versions_come_round_and_leave_out_zero() {
        check(&[u32::MAX], 1, Some(1));
        check(&[u32::MAX], 3, Some(3));
    }
}
