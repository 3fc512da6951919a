//! The policy's [`SharedStore`] in proxy-wasm shared data.

use edge_auth_policy::store::{ABSENT, CasMismatch, SharedStore, Versioned, Versions};

use crate::host;

/// Envoy's shared data: one map for all VMs of this `vm_id`, that is, for all workers of the proxy.
#[derive(Debug, Default)]
pub(crate) struct SharedData {
    /// A host does not say which version a write got.
    versions: Versions,
}

impl SharedStore for SharedData {
    fn get(&self, key: &str) -> Option<Versioned> {
        let (value, version) = host::shared_data(key).ok()?;
        Some(Versioned { value, version })
    }

    fn compare_and_swap(
        &mut self,
        key: &str,
        value: &[u8],
        expected: Option<u32>,
    ) -> Result<(), CasMismatch> {
        // Zero would overwrite what another worker wrote first: a count, a lease, the seed.
        let expected = expected.filter(|version| *version != 0);
        host::set_shared_data(key, value, expected.unwrap_or(ABSENT)).map_err(|_| CasMismatch)?;
        self.versions.wrote();
        Ok(())
    }

    fn written_version(&self) -> Option<u32> {
        self.versions.newest()
    }

    fn learn_version(&mut self, version: u32) {
        self.versions.learn(version);
    }
}
