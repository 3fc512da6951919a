//! Functions of the host beyond the ABI, such as Envoy's `verify_signature`.

use crate::abi::Status;
use crate::guest::{Answer, Guest};

/// Calls a function by name. A failing one leaves an empty result, an absent one is `NotFound`.
pub(super) fn call(
    guest: &mut Guest<'_>,
    name: u32,
    name_size: u32,
    arguments: u32,
    arguments_size: u32,
    result_at: u32,
    size_at: u32,
) -> Answer {
    let name = guest.read(name, name_size)?;
    let arguments = guest.read(arguments, arguments_size)?;
    let function = std::str::from_utf8(&name)
        .ok()
        .and_then(|name| guest.state().plugin.foreign_functions.get(name).cloned())
        .ok_or(Status::NotFound)?;
    let outcome = function(&arguments);
    let result = outcome.as_deref().unwrap_or_default();
    match (result_at, size_at) {
        (0, 0) => {}
        (0, size_at) => {
            guest.write_u32(size_at, u32::try_from(result.len()).unwrap_or(u32::MAX))?;
        }
        (result_at, size_at) => guest.give(result, result_at, size_at)?,
    }
    outcome.map(|_| ()).map_err(Into::into)
}
