//! Buffers: bodies, configurations and answers to calls.

use crate::abi::{BufferType, Status};
use crate::guest::{Answer, Guest};
use crate::state::VmState;

pub(super) fn get(
    guest: &mut Guest<'_>,
    buffer: u32,
    start: u32,
    length: u32,
    bytes_at: u32,
    size_at: u32,
) -> Answer {
    let buffer = BufferType::try_from(buffer)?;
    let whole = contents(guest.state(), buffer)?;
    let end = start.checked_add(length).ok_or(Status::BadArgument)? as usize;
    let bytes = whole
        .get(start as usize..end.min(whole.len()))
        .unwrap_or_default();
    if buffer == BufferType::HttpCallResponseBody {
        let state = guest.state_mut();
        state.largest_body_read = state.largest_body_read.max(bytes.len());
    }
    guest.give(bytes, bytes_at, size_at)
}

pub(super) fn status(guest: &mut Guest<'_>, buffer: u32, length_at: u32, flags_at: u32) -> Answer {
    let buffer = BufferType::try_from(buffer)?;
    let length = contents(guest.state(), buffer)?.len();
    guest.write_u32(length_at, u32::try_from(length).unwrap_or(u32::MAX))?;
    Ok(guest.write_u32(flags_at, 0)?)
}

/// Replaces the first `length` bytes, or appends at the end; Envoy refuses anything in between.
pub(super) fn set(
    guest: &mut Guest<'_>,
    buffer: u32,
    start: u32,
    length: u32,
    bytes: u32,
    size: u32,
) -> Answer {
    let buffer = BufferType::try_from(buffer)?;
    let bytes = guest.read(bytes, size)?;
    let state = guest.state();
    contents(state, buffer)?;
    let mut stream = state.stream().ok_or(Status::BadArgument)?;
    let direction = match buffer {
        BufferType::HttpRequestBody => &mut stream.request,
        BufferType::HttpResponseBody => &mut stream.response,
        _ => return Err(Status::BadArgument.into()),
    };
    if !direction.body_open {
        return Err(Status::BadArgument.into());
    }
    let body = &mut direction.buffer;
    match (start as usize, length as usize) {
        (0, length) => {
            body.splice(..length.min(body.len()), bytes);
        }
        (start, _) if start >= body.len() => body.extend(bytes),
        _ => return Err(Status::BadArgument.into()),
    }
    Ok(())
}

fn contents(state: &VmState, buffer: BufferType) -> Result<Vec<u8>, Status> {
    match buffer {
        BufferType::HttpRequestBody | BufferType::HttpResponseBody => {
            let Some(stream) = state.stream() else {
                return Ok(Vec::new());
            };
            let direction = if buffer == BufferType::HttpRequestBody {
                &stream.request
            } else {
                &stream.response
            };
            Ok(if direction.body_open {
                direction.buffer.clone()
            } else {
                Vec::new()
            })
        }
        BufferType::HttpCallResponseBody => {
            let response = state.http_response.as_ref();
            response
                .map(|response| response.body.clone())
                .ok_or(Status::NotFound)
        }
        BufferType::GrpcReceiveBuffer => Ok(state.grpc_message.clone().unwrap_or_default()),
        BufferType::VmConfiguration => Ok(state.plugin.vm_configuration.clone()),
        BufferType::PluginConfiguration if state.configuring => {
            Ok(state.plugin.configuration.clone())
        }
        BufferType::PluginConfiguration => Err(Status::NotFound),
        BufferType::DownstreamData | BufferType::UpstreamData | BufferType::CallData => {
            Ok(Vec::new())
        }
    }
}
