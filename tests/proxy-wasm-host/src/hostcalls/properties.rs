//! Attributes of the stream, its connection and the plugin; and filter state the module writes.
//!
//! <https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/advanced/attributes>. Numbers are
//! eight bytes little-endian, booleans one byte, text as it is. The test can set any attribute; what it
//! does not set is derived from the request. Messages (`node`, `metadata`) exist only if the test sets them.

use crate::abi::Status;
use crate::guest::{Answer, Guest};
use crate::state::VmState;
use crate::stream::StreamState;

pub(super) fn get(
    guest: &mut Guest<'_>,
    path: u32,
    path_size: u32,
    value_at: u32,
    size_at: u32,
) -> Answer {
    let path = guest.read(path, path_size)?;
    let value = property(guest.state(), &path)?;
    guest.give(&value, value_at, size_at)
}

/// Writes filter state `wasm.<path>`; without a stream there is none.
pub(super) fn set(
    guest: &mut Guest<'_>,
    path: u32,
    path_size: u32,
    value: u32,
    value_size: u32,
) -> Answer {
    let (path, value) = (guest.read(path, path_size)?, guest.read(value, value_size)?);
    let mut stream = guest.state().stream().ok_or(Status::NotFound)?;
    stream.filter_state.insert(path, value);
    Ok(())
}

fn property(state: &VmState, path: &[u8]) -> Result<Vec<u8>, Status> {
    let path = path.strip_suffix(b"\0").unwrap_or(path);
    let parts: Vec<&[u8]> = path.split(|byte| *byte == 0).collect();
    match parts.as_slice() {
        [b"plugin_name"] => return Ok(state.plugin.name.clone().into_bytes()),
        [b"plugin_root_id"] => return Ok(state.plugin.root_id.clone().into_bytes()),
        [b"plugin_vm_id"] => return Ok(state.plugin.vm_id.clone().into_bytes()),
        _ => {}
    }
    let stream = state.stream().ok_or(Status::NotFound)?;
    if let Some(value) = stream.properties.get(path) {
        return Ok(value.clone());
    }
    let value = match parts.as_slice() {
        // A whole map of attributes can't be written as bytes.
        [b"request" | b"response" | b"source" | b"destination" | b"connection"] => {
            return Err(Status::SerializationFailure);
        }
        [b"request", rest @ ..] => request(&stream, rest),
        [b"response", rest @ ..] => response(&stream, rest),
        [b"source", b"address"] => Some(stream.source.0.clone().into_bytes()),
        [b"source", b"port"] => Some(number(stream.source.1.into())),
        [b"connection", rest @ ..] => connection(&stream, rest),
        [b"connection_id"] => Some(number(stream.connection_id)),
        [b"filter_state", key] => {
            let path = key.strip_prefix(b"wasm.");
            path.and_then(|path| stream.filter_state.get(path).cloned())
        }
        [name] => stream.filter_state.get(*name).cloned(),
        _ => None,
    };
    value.ok_or(Status::NotFound)
}

fn request(stream: &StreamState, path: &[&[u8]]) -> Option<Vec<u8>> {
    let headers = &stream.request.headers;
    let header = |name: &str| headers.get(name).map(<[u8]>::to_vec);
    match path {
        [b"path"] => header(":path"),
        [b"url_path"] => header(":path").map(|path| before_query(&path).to_vec()),
        [b"query"] => {
            let path = header(":path")?;
            let query = path
                .get(before_query(&path).len() + 1..)
                .unwrap_or_default();
            Some(query.to_vec())
        }
        [b"host"] => header(":authority"),
        [b"scheme"] => header(":scheme"),
        [b"method"] => header(":method"),
        [b"protocol"] => Some(b"HTTP/1.1".to_vec()),
        [b"id"] => header("x-request-id"),
        [b"useragent"] => header("user-agent"),
        [b"referer"] => header("referer"),
        [b"time"] => Some(number(stream.started)),
        [b"headers", name] => headers.joined(name),
        _ => None,
    }
}

fn response(stream: &StreamState, path: &[&[u8]]) -> Option<Vec<u8>> {
    let headers = &stream.response.headers;
    match path {
        [b"code"] => headers
            .text(":status")
            .and_then(|code| code.parse().ok())
            .map(number),
        [b"code_details"] => stream
            .local_reply
            .as_ref()
            .map(|reply| reply.details.clone().into_bytes()),
        [b"headers", name] => headers.joined(name),
        _ => None,
    }
}

fn connection(stream: &StreamState, path: &[&[u8]]) -> Option<Vec<u8>> {
    match path {
        [b"id"] => Some(number(stream.connection_id)),
        [b"mtls"] => Some(vec![0]),
        [b"tls_version"] if stream.tls => Some(b"TLSv1.3".to_vec()),
        [b"requested_server_name"] if !stream.tls => Some(Vec::new()),
        [b"requested_server_name"] => {
            let authority = stream.request.headers.get(":authority")?;
            Some(authority.split(|byte| *byte == b':').next()?.to_vec())
        }
        _ => None,
    }
}

fn before_query(path: &[u8]) -> &[u8] {
    path.split(|byte| *byte == b'?').next().unwrap_or_default()
}

fn number(value: u64) -> Vec<u8> {
    value.to_le_bytes().to_vec()
}
