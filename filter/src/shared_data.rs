//! The policy's [`SharedStore`] in proxy-wasm shared data.

use edge_auth_policy::store::{ABSENT, CasMismatch, SharedStore, Versioned};

use crate::host;

/// Envoy's shared data: one map for all VMs of this `vm_id`, that is, for all workers of the proxy.
#[derive(Debug)]
pub(crate) struct SharedData;

impl SharedStore for SharedData {
    fn get(&self, key: &str) -> Option<Versioned> {
        host::shared_data(key)
            .ok()
            .map(|(value, version)| Versioned { value, version })
    }

    fn compare_and_swap(
        &mut self,
        key: &str,
        value: &[u8],
        expected: Option<u32>,
    ) -> Result<(), CasMismatch> {
        // Zero would overwrite what another worker wrote first: a count, a lease, the seed.
        host::set_shared_data(key, value, expected.unwrap_or(ABSENT)).map_err(|_| CasMismatch)
    }
}
