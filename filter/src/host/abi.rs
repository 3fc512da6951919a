//! The proxy-wasm ABI 0.2.1 as the host exports it: raw pointers in, raw pointers out, status codes.
//!
//! Every function here is a safe wrapper of one import. A buffer that the host returns was allocated by this
//! module's own `proxy_on_memory_allocate` (which the SDK exports) with a capacity equal to its size.

use std::ptr::{null, null_mut};

use proxy_wasm::types::MapType;

use super::HostError;

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_get_current_time_nanoseconds(return_time: *mut u64) -> u32;
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_remove_header_map_value(map: u32, key: *const u8, key_size: usize) -> u32;
    fn proxy_replace_header_map_value(
        map: u32,
        key: *const u8,
        key_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_add_header_map_value(
        map: u32,
        key: *const u8,
        key_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_send_local_response(
        status_code: u32,
        details: *const u8,
        details_size: usize,
        body: *const u8,
        body_size: usize,
        headers: *const u8,
        headers_size: usize,
        grpc_status: i32,
    ) -> u32;
    fn proxy_continue_stream(stream: u32) -> u32;
    fn proxy_set_effective_context(context: u32) -> u32;
    fn proxy_get_property(
        path: *const u8,
        path_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_set_property(
        path: *const u8,
        path_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_get_log_level(return_level: *mut u32) -> u32;
    fn proxy_get_shared_data(
        key: *const u8,
        key_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
        cas: *mut u32,
    ) -> u32;
    fn proxy_set_shared_data(
        key: *const u8,
        key_size: usize,
        value: *const u8,
        value_size: usize,
        cas: u32,
    ) -> u32;
    fn proxy_call_foreign_function(
        name: *const u8,
        name_size: usize,
        arguments: *const u8,
        arguments_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
}

/// A header map as the host serialises it: a count, the sizes of all names and values, then the names and
/// values themselves, each followed by a NUL. Kept whole, so that reading it allocates nothing.
#[derive(Debug)]
pub(crate) struct HeaderBuffer(Vec<u8>);

impl HeaderBuffer {
    /// The fields in order; stops at the first that the buffer does not hold whole.
    pub(crate) fn fields(&self) -> Vec<(&[u8], &[u8])> {
        let count = self.size_at(0).unwrap_or(0);
        // Each field needs eight bytes of sizes: a count that promises more than the buffer holds is wrong.
        let count = count.min(self.0.len() / 8);
        let mut fields = Vec::with_capacity(count);
        let mut at = 4 + count * 8;
        for index in 0..count {
            let (Some(name_size), Some(value_size)) =
                (self.size_at(4 + index * 8), self.size_at(8 + index * 8))
            else {
                break;
            };
            let value_at = at + name_size + 1;
            let (Some(name), Some(value)) = (
                self.0.get(at..at + name_size),
                self.0.get(value_at..value_at + value_size),
            ) else {
                break;
            };
            fields.push((name, value));
            at = value_at + value_size + 1;
        }
        fields
    }

    fn size_at(&self, at: usize) -> Option<usize> {
        let bytes: [u8; 4] = self.0.get(at..at + 4)?.try_into().ok()?;
        usize::try_from(u32::from_le_bytes(bytes)).ok()
    }
}

pub(super) fn current_time() -> Result<u64, HostError> {
    let mut time = 0;
    // SAFETY: the host writes eight bytes to a live `u64`.
    check(unsafe { proxy_get_current_time_nanoseconds(&raw mut time) })?;
    Ok(time)
}

pub(super) fn header_map_pairs(map: MapType) -> Result<HeaderBuffer, HostError> {
    // SAFETY: the out pointers are live for the call.
    returned(|data, size| unsafe { proxy_get_header_map_pairs(map as u32, data, size) })
        .map(HeaderBuffer)
}

pub(super) fn remove_header(map: MapType, name: &[u8]) -> Result<(), HostError> {
    // SAFETY: the host reads `name` during the call only.
    check(unsafe { proxy_remove_header_map_value(map as u32, name.as_ptr(), name.len()) })
}

pub(super) fn replace_header(map: MapType, name: &[u8], value: &[u8]) -> Result<(), HostError> {
    // SAFETY: the host reads both slices during the call only.
    check(unsafe {
        proxy_replace_header_map_value(
            map as u32,
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
        )
    })
}

pub(super) fn add_header(map: MapType, name: &[u8], value: &[u8]) -> Result<(), HostError> {
    // SAFETY: the host reads both slices during the call only.
    check(unsafe {
        proxy_add_header_map_value(
            map as u32,
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
        )
    })
}

pub(super) fn send_local_response(
    status: u32,
    details: &str,
    headers: &[(&[u8], &[u8])],
    body: &[u8],
) -> Result<(), HostError> {
    let headers = serialize(headers);
    // SAFETY: the host copies all four buffers during the call. -1 says the reply is not gRPC.
    check(unsafe {
        proxy_send_local_response(
            status,
            details.as_ptr(),
            details.len(),
            if body.is_empty() {
                null()
            } else {
                body.as_ptr()
            },
            body.len(),
            headers.as_ptr(),
            headers.len(),
            -1,
        )
    })
}

pub(super) fn continue_request() -> Result<(), HostError> {
    const REQUEST: u32 = 0;
    // SAFETY: no pointers.
    check(unsafe { proxy_continue_stream(REQUEST) })
}

pub(super) fn set_effective_context(id: u32) -> Result<(), HostError> {
    // SAFETY: no pointers.
    check(unsafe { proxy_set_effective_context(id) })
}

/// `path` is the property's path with its parts separated by NUL.
pub(super) fn property(path: &[u8]) -> Result<Vec<u8>, HostError> {
    // SAFETY: the host reads `path` during the call only; the out pointers are live.
    returned(|data, size| unsafe { proxy_get_property(path.as_ptr(), path.len(), data, size) })
}

pub(super) fn set_property(path: &[u8], value: &[u8]) -> Result<(), HostError> {
    // SAFETY: the host copies both slices during the call.
    check(unsafe { proxy_set_property(path.as_ptr(), path.len(), value.as_ptr(), value.len()) })
}

pub(super) fn log_level() -> Option<u32> {
    let mut level = 0;
    // SAFETY: the host writes four bytes to a live `u32`.
    check(unsafe { proxy_get_log_level(&raw mut level) }).ok()?;
    Some(level)
}

pub(super) fn shared_data(key: &str) -> Result<(Vec<u8>, u32), HostError> {
    let mut version = 0;
    // SAFETY: the host reads `key` during the call only; the out pointers are live.
    let value = returned(|data, size| unsafe {
        proxy_get_shared_data(key.as_ptr(), key.len(), data, size, &raw mut version)
    })?;
    Ok((value, version))
}

pub(super) fn set_shared_data(key: &str, value: &[u8], version: u32) -> Result<(), HostError> {
    // SAFETY: the host copies both slices during the call.
    check(unsafe {
        proxy_set_shared_data(
            key.as_ptr(),
            key.len(),
            value.as_ptr(),
            value.len(),
            version,
        )
    })
}

pub(super) fn call_foreign_function(name: &str, arguments: &[u8]) -> Result<Vec<u8>, HostError> {
    // SAFETY: the host reads both slices during the call only; the out pointers are live.
    returned(|data, size| unsafe {
        proxy_call_foreign_function(
            name.as_ptr(),
            name.len(),
            arguments.as_ptr(),
            arguments.len(),
            data,
            size,
        )
    })
}

fn check(status: u32) -> Result<(), HostError> {
    if status == 0 {
        Ok(())
    } else {
        Err(HostError(status))
    }
}

/// Calls an import that returns a buffer, and takes the buffer over.
fn returned(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Result<Vec<u8>, HostError> {
    let mut data = null_mut();
    let mut size = 0;
    check(call(&raw mut data, &raw mut size))?;
    if data.is_null() {
        return Ok(Vec::new());
    }
    // SAFETY: the host had `proxy_on_memory_allocate` allocate exactly `size` bytes and filled them;
    // nobody else frees them.
    let buffer = unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(data, size)) };
    Ok(buffer.into_vec())
}

fn serialize(fields: &[(&[u8], &[u8])]) -> Vec<u8> {
    let size = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
    let content: usize = fields
        .iter()
        .map(|(name, value)| name.len() + value.len() + 10)
        .sum();
    let mut buffer = Vec::with_capacity(4 + content);
    buffer.extend_from_slice(&u32::try_from(fields.len()).unwrap_or(0).to_le_bytes());
    for (name, value) in fields {
        buffer.extend_from_slice(&size(name));
        buffer.extend_from_slice(&size(value));
    }
    for (name, value) in fields {
        buffer.extend_from_slice(name);
        buffer.push(0);
        buffer.extend_from_slice(value);
        buffer.push(0);
    }
    buffer
}
