//! Shared data and shared queues.

use crate::guest::{Answer, Guest};
use crate::state::ROOT_CONTEXT;

pub(super) fn get(
    guest: &mut Guest<'_>,
    key: u32,
    key_size: u32,
    value_at: u32,
    size_at: u32,
    version_at: u32,
) -> Answer {
    let key = guest.read(key, key_size)?;
    let stored = guest.state().shared().data.get(&key).cloned()?;
    guest.give(&stored.value, value_at, size_at)?;
    Ok(guest.write_u32(version_at, stored.version)?)
}

pub(super) fn set(
    guest: &mut Guest<'_>,
    key: u32,
    key_size: u32,
    value: u32,
    value_size: u32,
    version: u32,
) -> Answer {
    let (key, value) = (guest.read(key, key_size)?, guest.read(value, value_size)?);
    Ok(guest.state().shared().data.set(&key, &value, version)?)
}

/// The event goes to the root context, also where a stream registers.
pub(super) fn register_queue(
    guest: &mut Guest<'_>,
    name: u32,
    name_size: u32,
    token_at: u32,
) -> Answer {
    let name = guest.read(name, name_size)?;
    let state = guest.state();
    let (vm_id, vm) = (state.plugin.vm_id.as_bytes(), state.vm);
    let token = state
        .shared()
        .queues
        .register(vm_id, &name, vm, ROOT_CONTEXT);
    Ok(guest.write_u32(token_at, token)?)
}

pub(super) fn resolve_queue(
    guest: &mut Guest<'_>,
    vm_id: u32,
    vm_id_size: u32,
    name: u32,
    name_size: u32,
    token_at: u32,
) -> Answer {
    let (mut vm_id, name) = (guest.read(vm_id, vm_id_size)?, guest.read(name, name_size)?);
    if vm_id.is_empty() {
        vm_id = guest.state().plugin.vm_id.as_bytes().to_vec();
    }
    let token = guest.state().shared().queues.resolve(&vm_id, &name)?;
    Ok(guest.write_u32(token_at, token)?)
}

pub(super) fn enqueue(guest: &mut Guest<'_>, token: u32, element: u32, size: u32) -> Answer {
    let element = guest.read(element, size)?;
    Ok(guest.state().shared().queues.enqueue(token, element)?)
}

pub(super) fn dequeue(guest: &mut Guest<'_>, token: u32, element_at: u32, size_at: u32) -> Answer {
    let element = guest.state().shared().queues.dequeue(token)?;
    guest.give(&element, element_at, size_at)
}
