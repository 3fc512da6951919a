//! Header maps: readable while the message is in the filter's hands, writable where it may change it.

use crate::abi::{MapType, Status};
use crate::guest::{Answer, Guest};
use crate::headers::Headers;
use crate::pairs;
use crate::state::VmState;
use crate::stream::StreamState;

pub(super) fn get(
    guest: &mut Guest<'_>,
    map: u32,
    name: u32,
    name_size: u32,
    value_at: u32,
    size_at: u32,
) -> Answer {
    let map = MapType::try_from(map)?;
    let name = read_name(guest, map, name, name_size)?;
    let state = guest.state();
    // Without a message there is no map, but an access log may ask for any map.
    let missing = match state.stream() {
        Some(stream) if stream.in_access_log => Status::NotFound,
        _ => Status::BadArgument,
    };
    let value = readable(state, map, |headers| headers.get(&name).map(<[u8]>::to_vec));
    let value = value.ok_or(missing)?.ok_or(Status::NotFound)?;
    guest.give(&value, value_at, size_at)
}

pub(super) fn pairs(guest: &mut Guest<'_>, map: u32, pairs_at: u32, size_at: u32) -> Answer {
    let map = MapType::try_from(map)?;
    let bytes = readable(guest.state(), map, pairs::serialize).unwrap_or_default();
    guest.give(&bytes, pairs_at, size_at)
}

pub(super) fn size(guest: &mut Guest<'_>, map: u32, size_at: u32) -> Answer {
    let map = MapType::try_from(map)?;
    let size = writable(guest.state(), map, |headers| headers.byte_size())?;
    Ok(guest.write_u32(size_at, u32::try_from(size).unwrap_or(u32::MAX))?)
}

pub(super) fn add(
    guest: &mut Guest<'_>,
    map: u32,
    name: u32,
    name_size: u32,
    value: u32,
    value_size: u32,
) -> Answer {
    let map = MapType::try_from(map)?;
    let name = read_name(guest, map, name, name_size)?;
    let value = guest.read(value, value_size)?;
    writable(guest.state(), map, |headers| headers.add(name, value))?;
    Ok(())
}

pub(super) fn replace(
    guest: &mut Guest<'_>,
    map: u32,
    name: u32,
    name_size: u32,
    value: u32,
    value_size: u32,
) -> Answer {
    let map = MapType::try_from(map)?;
    let name = read_name(guest, map, name, name_size)?;
    let value = guest.read(value, value_size)?;
    writable(guest.state(), map, |headers| headers.set(name, value))?;
    Ok(())
}

pub(super) fn remove(guest: &mut Guest<'_>, map: u32, name: u32, name_size: u32) -> Answer {
    let map = MapType::try_from(map)?;
    let name = read_name(guest, map, name, name_size)?;
    writable(guest.state(), map, |headers| headers.remove(name))?;
    Ok(())
}

/// Replaces the whole map; a malformed list empties it, as in Envoy.
pub(super) fn set_pairs(guest: &mut Guest<'_>, map: u32, pairs: u32, size: u32) -> Answer {
    let map = MapType::try_from(map)?;
    let bytes = guest.read(pairs, size)?;
    let parsed = pairs::parse(&bytes);
    if parsed.is_none() {
        guest
            .state()
            .refuse("proxy_set_header_map_pairs", Status::ParseFailure);
    }
    let replacement: Headers = parsed.unwrap_or_default().into_iter().collect();
    writable(guest.state(), map, |headers| *headers = replacement)?;
    Ok(())
}

/// A header's name; a request's `host` is another name of its `:authority`.
fn read_name(
    guest: &mut Guest<'_>,
    map: MapType,
    start: u32,
    size: u32,
) -> Result<Vec<u8>, Status> {
    let name = guest.read(start, size)?;
    let host = map == MapType::RequestHeaders && name.eq_ignore_ascii_case(b"host");
    Ok(if host { b":authority".to_vec() } else { name })
}

/// Looks at a map, if the module may see it now.
fn readable<T>(state: &VmState, map: MapType, look: impl FnOnce(&Headers) -> T) -> Option<T> {
    match map {
        MapType::HttpCallResponseHeaders => state
            .http_response
            .as_ref()
            .map(|response| look(&response.head())),
        MapType::HttpCallResponseTrailers => {
            let trailers = state
                .http_response
                .as_ref()
                .map(|response| &response.trailers);
            trailers.filter(|trailers| !trailers.is_empty()).map(look)
        }
        MapType::GrpcReceiveInitialMetadata => state.grpc_initial_metadata.as_ref().map(look),
        MapType::GrpcReceiveTrailingMetadata => state.grpc_trailing_metadata.as_ref().map(look),
        of_stream => {
            let mut stream = state.stream()?;
            let logging = stream.in_access_log;
            let (headers, open) = of_stream_map(&mut stream, of_stream)?;
            (open || (logging && !headers.is_empty())).then(|| look(headers))
        }
    }
}

/// Changes a map, if the module may do so now.
fn writable<T>(
    state: &VmState,
    map: MapType,
    change: impl FnOnce(&mut Headers) -> T,
) -> Result<T, Status> {
    let mut stream = state.stream().ok_or(Status::BadArgument)?;
    match of_stream_map(&mut stream, map) {
        Some((headers, true)) => Ok(change(headers)),
        _ => Err(Status::BadArgument),
    }
}

fn of_stream_map(stream: &mut StreamState, map: MapType) -> Option<(&mut Headers, bool)> {
    let (request, response) = (&mut stream.request, &mut stream.response);
    match map {
        MapType::RequestHeaders => Some((&mut request.headers, request.headers_open)),
        MapType::RequestTrailers => Some((&mut request.trailers, request.trailers_open)),
        MapType::ResponseHeaders => Some((&mut response.headers, response.headers_open)),
        MapType::ResponseTrailers => Some((&mut response.trailers, response.trailers_open)),
        _ => None,
    }
}
