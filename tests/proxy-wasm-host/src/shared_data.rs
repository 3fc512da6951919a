//! Shared data: values with versions that all VMs of one `vm_id` see.
//!
//! Envoy has one store per process, keyed by `vm_id`; a version is a process-wide counter that starts at
//! 1, and there is no delete. A swap against an absent key succeeds whatever version it names, because
//! Envoy compares versions of existing keys only.

use std::collections::BTreeMap;

use crate::abi::Status;

/// A value and the version (`cas`) a swap has to name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned {
    /// The bytes.
    pub value: Vec<u8>,
    /// Never 0: naming 0 in a swap means "unconditionally".
    pub version: u32,
}

/// One process's shared data.
#[derive(Debug, Default)]
pub(crate) struct SharedData {
    data: BTreeMap<Vec<u8>, Versioned>,
    last_version: u32,
    swaps_to_fail: u32,
}

impl SharedData {
    /// Reads a key.
    pub(crate) fn get(&self, key: &[u8]) -> Result<&Versioned, Status> {
        self.data.get(key).ok_or(Status::NotFound)
    }

    /// Writes a key if `version` is 0, the key is absent, or `version` is the key's version.
    pub(crate) fn set(&mut self, key: &[u8], value: &[u8], version: u32) -> Result<(), Status> {
        if version != 0 {
            if self.swaps_to_fail > 0 {
                self.swaps_to_fail -= 1;
                return Err(Status::CasMismatch);
            }
            if self
                .data
                .get(key)
                .is_some_and(|present| present.version != version)
            {
                return Err(Status::CasMismatch);
            }
        }
        self.last_version = self.last_version.checked_add(1).unwrap_or(1);
        let stored = Versioned {
            value: value.to_vec(),
            version: self.last_version,
        };
        self.data.insert(key.to_vec(), stored);
        Ok(())
    }

    /// Makes the next `count` conditional writes fail as if another VM had been faster.
    pub(crate) fn fail_next_swaps(&mut self, count: u32) {
        self.swaps_to_fail = count;
    }

    /// Everything stored.
    pub(crate) fn snapshot(&self) -> BTreeMap<Vec<u8>, Versioned> {
        self.data.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swap_needs_the_current_version_and_each_write_makes_a_new_one() {
        let mut data = SharedData::default();
        assert_eq!(data.get(b"k"), Err(Status::NotFound));
        data.set(b"k", b"a", 0).unwrap();
        assert_eq!(data.get(b"k").unwrap().version, 1);
        assert_eq!(data.set(b"k", b"b", 7), Err(Status::CasMismatch));
        data.set(b"k", b"b", 1).unwrap();
        assert_eq!(data.set(b"k", b"c", 1), Err(Status::CasMismatch));
        assert_eq!(
            data.get(b"k").unwrap(),
            &Versioned {
                value: b"b".to_vec(),
                version: 2
            }
        );
        data.set(b"k", b"c", 0).unwrap();
        assert_eq!(data.get(b"k").unwrap().version, 3);
    }

    #[test]
    fn a_swap_on_an_absent_key_succeeds_as_in_envoy() {
        let mut data = SharedData::default();
        data.set(b"new", b"v", 42).unwrap();
        assert_eq!(data.get(b"new").unwrap().version, 1);
    }

    #[test]
    fn versions_are_of_the_store_not_of_the_key() {
        let mut data = SharedData::default();
        data.set(b"a", b"", 0).unwrap();
        data.set(b"b", b"", 0).unwrap();
        assert_eq!(data.get(b"b").unwrap().version, 2);
    }

    #[test]
    fn a_version_is_never_zero() {
        let mut data = SharedData {
            last_version: u32::MAX,
            ..SharedData::default()
        };
        data.set(b"k", b"", 0).unwrap();
        assert_eq!(data.get(b"k").unwrap().version, 1);
    }

    #[test]
    fn swaps_fail_on_demand_and_unconditional_writes_do_not() {
        let mut data = SharedData::default();
        data.set(b"k", b"a", 0).unwrap();
        data.fail_next_swaps(1);
        data.set(b"k", b"b", 0).unwrap();
        assert_eq!(data.set(b"k", b"c", 2), Err(Status::CasMismatch));
        data.set(b"k", b"c", 2).unwrap();
    }
}
