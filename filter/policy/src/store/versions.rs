//! Which version a write got, where the host does not say.
//!
//! Envoy counts versions up by one for each write of the whole process (`SharedData::nextCas` of
//! proxy-wasm-cpp-host). So one that a worker read or wrote before is a bound from below on what comes next, and right
//! while nobody else writes.

/// The newest version a worker knows of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Versions(Option<u32>);

impl Versions {
    /// This version was read.
    pub fn read(&mut self, version: u32) {
        if self.0.is_none_or(|newest| is_after(version, newest)) {
            self.0 = Some(version);
        }
    }

    /// A write succeeded.
    pub fn wrote(&mut self) {
        self.0 = self.0.map(after);
    }

    /// The version that the last write got unless somebody else wrote since this worker last read; too low then.
    /// `None` before anything was read.
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

/// Whether `version` came after `other`, as numbers that come round are compared (RFC 1982 §3.2).
const fn is_after(version: u32, other: u32) -> bool {
    let ahead = version.wrapping_sub(other);
    ahead != 0 && ahead < 1 << 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(read: &[u32], writes: u32, expected: Option<u32>) {
        let mut versions = Versions::default();
        for version in read {
            versions.read(*version);
        }
        for _ in 0..writes {
            versions.wrote();
        }
        assert_eq!(versions.newest(), expected);
    }

    #[test]
    fn each_write_is_one_after_the_newest_that_is_known() {
        check(&[], 3, None);
        check(&[7], 0, Some(7));
        check(&[7], 2, Some(9));
        check(&[7, 5], 1, Some(8));
        check(&[5, 7], 1, Some(8));
    }

    #[test]
    fn versions_come_round_and_leave_out_zero() {
        check(&[u32::MAX], 1, Some(1));
        check(&[u32::MAX, 3], 0, Some(3));
        check(&[3, u32::MAX], 0, Some(3));
    }
}
