//! Calls to other clusters. The root context makes them, whichever context asks.

use std::time::Duration;

use crate::abi::Status;
use crate::grpc_calls::{GrpcRequest, PendingGrpcCall};
use crate::guest::{Answer, Guest};
use crate::headers::Headers;
use crate::http_calls::{HttpRequest, PendingHttpCall};
use crate::pairs;
use crate::state::Action;

/// Tokens of one VM count up in fours; the two low bits say what kind of call it is, as in Envoy.
const TOKEN_STEP: u32 = 4;

pub(super) fn http_call(
    guest: &mut Guest<'_>,
    cluster: u32,
    cluster_size: u32,
    headers: u32,
    headers_size: u32,
    body: u32,
    body_size: u32,
    trailers: u32,
    trailers_size: u32,
    timeout: u32,
    token_at: u32,
) -> Answer {
    let cluster = guest.read(cluster, cluster_size)?;
    let body = guest.read(body, body_size)?;
    let headers = map(guest, headers, headers_size)?;
    let trailers = map(guest, trailers, trailers_size)?;
    guest.write_u32(token_at, 0)?;
    if i32::try_from(timeout).is_err() {
        return Err(Status::BadArgument.into());
    }
    let cluster = String::from_utf8(cluster).map_err(|_| Status::BadArgument)?;
    let healthy = {
        let shared = guest.state().shared();
        shared
            .clusters
            .get(&cluster)
            .map(|cluster| cluster.healthy)
            .ok_or(Status::BadArgument)?
    };
    if ![":path", ":method", ":authority"]
        .iter()
        .all(|name| headers.contains(name))
    {
        return Err(Status::BadArgument.into());
    }
    let mut headers = headers;
    if !body.is_empty() {
        headers.set("content-length", body.len().to_string());
    }
    let state = guest.state_mut();
    state.last_http_call += TOKEN_STEP;
    let token = state.last_http_call;
    if !healthy {
        // Envoy's client fails before the hostcall returns, and no callback follows.
        return Err(Status::InternalFailure.into());
    }
    let timeout = (timeout > 0).then(|| Duration::from_millis(timeout.into()));
    let request = HttpRequest {
        cluster,
        headers,
        body,
        trailers,
        timeout,
    };
    let (id, thread) = (state.call_id(token), state.thread);
    let mut shared = state.shared();
    let now = shared.clock.elapsed();
    if shared
        .clusters
        .get(&request.cluster)
        .is_some_and(|cluster| cluster.answer.is_some())
    {
        shared.answerable.push_back(id);
    }
    shared
        .http_calls
        .push(PendingHttpCall::new(request, id, thread, now));
    drop(shared);
    Ok(guest.write_u32(token_at, token)?)
}

pub(super) fn grpc_call(
    guest: &mut Guest<'_>,
    upstream: u32,
    upstream_size: u32,
    service: u32,
    service_size: u32,
    method: u32,
    method_size: u32,
    metadata: u32,
    metadata_size: u32,
    message: u32,
    message_size: u32,
    timeout: u32,
    token_at: u32,
) -> Answer {
    let upstream = guest.read(upstream, upstream_size)?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let service = text(guest.read(service, service_size)?);
    let method = text(guest.read(method, method_size)?);
    let metadata = map(guest, metadata, metadata_size)?;
    let message = guest.read(message, message_size)?;
    let named = cluster_of_grpc_service(&upstream);
    let cluster = named.clone().unwrap_or_else(|| text(upstream));
    let state = guest.state_mut();
    let healthy = state
        .shared()
        .clusters
        .get(&cluster)
        .map(|cluster| cluster.healthy);
    // A `GrpcService` message with an unknown cluster parses and then fails to connect.
    if healthy.is_none() && named.is_none() {
        return Err(Status::ParseFailure.into());
    }
    state.last_grpc_call += TOKEN_STEP;
    let token = state.last_grpc_call;
    let failure = match healthy {
        Some(true) => None,
        Some(false) => Some("no healthy upstream{no_healthy_upstream}"),
        None => Some("Cluster not available"),
    };
    if let Some(message) = failure {
        state.actions.push_back(Action::GrpcFailed(token, message));
        return Err(Status::InternalFailure.into());
    }
    let timeout = (timeout > 0).then(|| Duration::from_millis(timeout.into()));
    let request = GrpcRequest {
        cluster,
        service,
        method,
        metadata,
        message,
        timeout,
    };
    let (id, thread) = (state.call_id(token), state.thread);
    let mut shared = state.shared();
    let now = shared.clock.elapsed();
    shared
        .grpc_calls
        .push(PendingGrpcCall::new(request, id, thread, now));
    drop(shared);
    Ok(guest.write_u32(token_at, token)?)
}

pub(super) fn grpc_cancel(guest: &mut Guest<'_>, token: u32) -> Answer {
    let state = guest.state();
    let cancelled = state.shared().take_grpc_call(state.call_id(token));
    cancelled.map(|_| ()).ok_or(Status::NotFound.into())
}

/// gRPC streams are not simulated: this host says so instead of pretending.
pub(super) fn grpc_stream(
    _guest: &mut Guest<'_>,
    _upstream: u32,
    _upstream_size: u32,
    _service: u32,
    _service_size: u32,
    _method: u32,
    _method_size: u32,
    _metadata: u32,
    _metadata_size: u32,
    _token_at: u32,
) -> Answer {
    Err(Status::Unimplemented.into())
}

pub(super) fn grpc_send(
    _guest: &mut Guest<'_>,
    _token: u32,
    _message: u32,
    _message_size: u32,
    _end_of_stream: u32,
) -> Answer {
    Err(Status::Unimplemented.into())
}

/// The status of the last call that failed.
pub(super) fn status(guest: &mut Guest<'_>, code_at: u32, text_at: u32, size_at: u32) -> Answer {
    let (code, text) = guest.state().status.clone();
    guest.write_u32(code_at, code)?;
    guest.give(text.as_bytes(), text_at, size_at)
}

fn map(guest: &mut Guest<'_>, pairs: u32, size: u32) -> Result<Headers, Status> {
    let bytes = guest.read(pairs, size)?;
    Ok(pairs::parse(&bytes)
        .unwrap_or_default()
        .into_iter()
        .collect())
}

/// The cluster of a serialised `envoy.config.core.v3.GrpcService { envoy_grpc { cluster_name } }`.
fn cluster_of_grpc_service(bytes: &[u8]) -> Option<String> {
    let envoy_grpc = first_field(bytes)?;
    String::from_utf8(first_field(envoy_grpc)?.to_vec()).ok()
}

/// The contents of field 1 where it comes first and is length-delimited with a one-byte length.
fn first_field(bytes: &[u8]) -> Option<&[u8]> {
    let [0x0a, length @ ..0x80, rest @ ..] = bytes else {
        return None;
    };
    rest.get(..usize::from(*length))
}
