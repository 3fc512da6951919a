//! Steering a stream: resume it, answer it, close it, or act on behalf of another one.
//!
//! Everything that could call the module again happens after the callback has returned.

use crate::abi::{Status, StreamType};
use crate::guest::{Answer, Guest};
use crate::pairs;
use crate::response::LocalReply;
use crate::state::Action;

pub(super) fn resume(guest: &mut Guest<'_>, stream_type: u32) -> Answer {
    match StreamType::try_from(stream_type)? {
        StreamType::Request => resume_request(guest),
        StreamType::Response => resume_response(guest),
        StreamType::Downstream => Ok(()),
        StreamType::Upstream => Err(Status::Unimplemented.into()),
    }
}

pub(super) fn resume_request(guest: &mut Guest<'_>) -> Answer {
    resumed(guest, Action::ContinueRequest)
}

pub(super) fn resume_response(guest: &mut Guest<'_>) -> Answer {
    resumed(guest, Action::ContinueResponse)
}

/// The request's maps close at once, also when the response is resumed: so does Envoy.
fn resumed(guest: &mut Guest<'_>, action: fn(u32) -> Action) -> Answer {
    let state = guest.state_mut();
    let context = state.context();
    if let Some(mut stream) = state.stream() {
        stream.request.close();
    } else {
        state.refuse("proxy_continue_stream", Status::BadArgument);
        return Ok(());
    }
    state.actions.push_back(action(context));
    Ok(())
}

pub(super) fn close(guest: &mut Guest<'_>, stream_type: u32) -> Answer {
    match StreamType::try_from(stream_type)? {
        StreamType::Request | StreamType::Response => {
            let state = guest.state_mut();
            let context = state.context();
            if state.streams.contains_key(&context) {
                state.actions.push_back(Action::Reset(context));
            }
            Ok(())
        }
        StreamType::Downstream | StreamType::Upstream => Ok(()),
    }
}

pub(super) fn clear_route_cache(_guest: &mut Guest<'_>) -> Answer {
    Ok(())
}

pub(super) fn set_effective_context(guest: &mut Guest<'_>, context: u32) -> Answer {
    let state = guest.state_mut();
    if !state.has_context(context) {
        return Err(Status::BadArgument.into());
    }
    state.effective = context;
    Ok(())
}

/// Ends a root context whose `proxy_on_done` answered false.
pub(super) fn done(guest: &mut Guest<'_>) -> Answer {
    let state = guest.state_mut();
    if !state.awaits_done {
        return Err(Status::NotFound.into());
    }
    state.awaits_done = false;
    state.actions.push_back(Action::DeleteRoot);
    Ok(())
}

/// Answers the stream. A second reply, and one without a stream, goes nowhere and is kept as a refusal,
/// but the module is told `Ok`, as in Envoy.
pub(super) fn send_local_response(
    guest: &mut Guest<'_>,
    status: u32,
    details: u32,
    details_size: u32,
    body: u32,
    body_size: u32,
    headers: u32,
    headers_size: u32,
    grpc_status: u32,
) -> Answer {
    let details = guest.read(details, details_size)?;
    let body = guest.read(body, body_size)?;
    let headers = guest.read(headers, headers_size)?;
    let headers = pairs::parse(&headers);
    if headers.is_none() {
        guest
            .state()
            .refuse("proxy_send_local_response", Status::ParseFailure);
    }
    let reply = LocalReply {
        status: u16::try_from(status).map_err(|_| Status::BadArgument)?,
        headers: headers.unwrap_or_default().into_iter().collect(),
        body,
        details: String::from_utf8_lossy(&details)
            .split_ascii_whitespace()
            .collect::<Vec<_>>()
            .join("_"),
        grpc_status: (grpc_status <= 16).then_some(grpc_status),
    };
    let state = guest.state_mut();
    // Set whatever comes of the reply: a Continue from this callback no longer counts.
    state.stop_iteration = true;
    let context = state.context();
    let held = state
        .stream()
        .map(|mut stream| std::mem::replace(&mut stream.local_reply_held, true));
    if held == Some(false) {
        state.actions.push_back(Action::Reply(context, reply));
    } else {
        state.refuse("proxy_send_local_response", Status::BadArgument);
    }
    Ok(())
}
