//! How a stream passes the filter: which callback comes next, and what its result does.
//!
//! `Pause` from a headers callback stops everything until `proxy_continue_stream`. `Pause` from a body
//! callback holds the body back and later pieces are added to it. A local reply ends the request's way and
//! then passes the response callbacks like any other response, as Envoy sends it through its encoders.

use std::sync::{Arc, Mutex, MutexGuard};

use crate::grpc_calls::{GrpcAnswer, UNAVAILABLE};
use crate::headers::Headers;
use crate::lock::lock;
use crate::plugin::FailurePolicy;
use crate::request::Request;
use crate::response::{LocalReply, Response};
use crate::state::{Action, ROOT_CONTEXT};
use crate::stream::{Direction, Outcome, Step, StreamState};
use crate::worker::WorkerThread;

/// Response code details of a stream whose VM failed.
const FAIL_STREAM: &str = "wasm_fail_stream";

type SharedStream = Arc<Mutex<StreamState>>;

/// A direction of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Request,
    Response,
}

/// A callback to make.
#[derive(Clone, Copy, Debug)]
struct Visit {
    step: Step,
    size: u32,
    end_of_stream: bool,
}

/// What a callback wants to become of what it saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Continue,
    Pause,
    /// Pause, and the piece of the body is dropped.
    Discard,
}

impl WorkerThread {
    /// Takes a request as far as the module lets it go.
    pub(crate) fn open(&mut self, request: &Request) -> SharedStream {
        self.reload_if_due();
        let failed = self.failure().is_some();
        let stream = Arc::new(Mutex::new(self.new_stream(request)));
        if failed {
            self.fail_stream(&stream);
            return stream;
        }
        let state = self.vm.state_mut();
        state.last_context += 1;
        let context = state.last_context;
        state.streams.insert(context, Arc::clone(&stream));
        lock(&stream).context = context;
        let parameters = (context, ROOT_CONTEXT);
        self.call(
            |exports| exports.on_context_create.as_ref(),
            context,
            parameters,
        );
        self.drain();
        self.pump(&stream, Side::Request);
        stream
    }

    /// Takes the upstream's response as far as the module lets it go; false if there is no upstream to answer.
    pub(crate) fn upstream_response(&mut self, stream: &SharedStream, response: &Response) -> bool {
        let mut state = lock(stream);
        let expected = matches!(state.outcome(), Outcome::Continued { .. });
        if !expected || state.finished || state.response.step != Step::Idle {
            return false;
        }
        let body = vec![response.body.clone()];
        state
            .response
            .load(response.head(), body, response.trailers.clone());
        drop(state);
        self.pump(stream, Side::Response);
        true
    }

    /// Ends a stream: access log, then `proxy_on_done` and `proxy_on_delete`.
    pub(crate) fn close(&mut self, stream: &SharedStream) {
        let mut state = lock(stream);
        if std::mem::replace(&mut state.finished, true) {
            return;
        }
        let context = state.context;
        if context == 0 || state.generation != self.generation() {
            return;
        }
        state.request.close();
        state.response.close();
        state.in_access_log = true;
        drop(state);
        self.call(|exports| exports.on_log.as_ref(), context, (context,));
        lock(stream).in_access_log = false;
        self.drain();
        self.call(|exports| exports.on_done.as_ref(), context, (context,));
        self.drain();
        self.call(|exports| exports.on_delete.as_ref(), context, (context,));
        self.drain();
        self.vm.state_mut().streams.remove(&context);
    }

    /// Does what the last callback asked for.
    pub(crate) fn drain(&mut self) {
        while let Some(action) = self.vm.state_mut().actions.pop_front() {
            match action {
                Action::ContinueRequest(context) => self.resume(context, Side::Request),
                Action::ContinueResponse(context) => self.resume(context, Side::Response),
                Action::Reply(context, reply) => {
                    if let Some(stream) = self.stream(context) {
                        self.reply(&stream, reply);
                    }
                }
                Action::Reset(context) => {
                    if let Some(stream) = self.stream(context) {
                        lock(&stream).reset = true;
                    }
                }
                Action::GrpcFailed(token, message) => {
                    self.grpc_answer(token, GrpcAnswer::Failure(UNAVAILABLE, message.to_owned()));
                }
                Action::DeleteRoot => self.delete_root(),
            }
        }
    }

    fn new_stream(&self, request: &Request) -> StreamState {
        let state = self.vm.state();
        let (number, started) = {
            let mut shared = state.shared();
            shared.requests += 1;
            (shared.requests, shared.clock.wall())
        };
        let headers = request.head(state.plugin.trusted_hops, number);
        let mut direction = Direction::default();
        direction.load(headers, request.body.clone(), request.trailers.clone());
        StreamState {
            context: 0,
            generation: self.generation(),
            request: direction,
            response: Direction::default(),
            properties: request.properties.iter().cloned().collect(),
            filter_state: std::collections::BTreeMap::new(),
            source: request.source_address(),
            tls: request.tls,
            connection_id: number,
            started,
            local_reply_held: false,
            local_reply: None,
            in_access_log: false,
            reset: false,
            finished: false,
            fuel: 0,
        }
    }

    /// Makes the callbacks of one direction until it is through, paused or cut off.
    fn pump(&mut self, stream: &SharedStream, side: Side) {
        loop {
            // Not in a `while let`, which would hold the lock during the callback.
            let next = begin(&mut lock(stream), side);
            let Some(visit) = next else { return };
            let called = self.visit(stream, side, visit);
            if self.failure().is_some() {
                self.fail_stream(stream);
            } else {
                direction(&mut lock(stream), side).settle(visit.step, called);
            }
            self.drain();
        }
    }

    fn visit(&mut self, stream: &SharedStream, side: Side, visit: Visit) -> Flow {
        let Visit {
            step,
            size,
            end_of_stream,
        } = visit;
        let context = lock(stream).context;
        let end = u32::from(end_of_stream);
        let called = match (step, side) {
            (Step::Headers, Side::Request) => self.call(
                |exports| exports.on_request_headers.as_ref(),
                context,
                (context, size, end),
            ),
            (Step::Headers, Side::Response) => self.call(
                |exports| exports.on_response_headers.as_ref(),
                context,
                (context, size, end),
            ),
            (Step::Body, Side::Request) => self.call(
                |exports| exports.on_request_body.as_ref(),
                context,
                (context, size, end),
            ),
            (Step::Body, Side::Response) => self.call(
                |exports| exports.on_response_body.as_ref(),
                context,
                (context, size, end),
            ),
            (Step::Trailers, Side::Request) => self.call(
                |exports| exports.on_request_trailers.as_ref(),
                context,
                (context, size),
            ),
            (Step::Trailers, Side::Response) => self.call(
                |exports| exports.on_response_trailers.as_ref(),
                context,
                (context, size),
            ),
            (Step::Idle | Step::Done, _) => None,
        };
        let Some(called) = called else {
            return Flow::Continue;
        };
        lock(stream).fuel += called.fuel;
        flow(step, called.value, called.replied)
    }

    /// Lets a direction go on; one that is over makes no callback all the same.
    fn resume(&mut self, context: u32, side: Side) {
        let Some(stream) = self.stream(context) else {
            return;
        };
        {
            let mut state = lock(&stream);
            let direction = direction(&mut state, side);
            if !(direction.stopped || direction.holding) {
                return;
            }
            direction.close();
            direction.release();
        }
        self.pump(&stream, side);
    }

    fn reply(&mut self, stream: &SharedStream, mut reply: LocalReply) {
        let mut state = lock(stream);
        if state.is_over() {
            return;
        }
        reply.prepare(&state.request.headers);
        match state.response.step {
            Step::Idle => {
                state
                    .response
                    .load(reply.head(), vec![reply.body.clone()], Headers::new());
                state.local_reply = Some(reply);
                drop(state);
                self.pump(stream, Side::Response);
            }
            // From within a response callback: sent as it is, past the filters.
            _ if !state.response.complete() => send_directly(&mut state, reply),
            // The client has had its response: all that is left is to cut it off.
            _ => state.reset = true,
        }
    }

    /// What becomes of a stream whose VM does not run.
    fn fail_stream(&mut self, stream: &SharedStream) {
        let mut state = lock(stream);
        let open = self.vm.state().plugin.failure_policy == FailurePolicy::FailOpen;
        if open {
            pass_unseen(&mut state.request);
            if state.response.step != Step::Idle {
                pass_unseen(&mut state.response);
            }
        } else if !state.is_over() && !state.response.complete() {
            let mut reply = LocalReply::unavailable(FAIL_STREAM);
            reply.prepare(&state.request.headers);
            send_directly(&mut state, reply);
        } else if state.local_reply.is_some() && !state.response.complete() {
            let reply = LocalReply::unavailable(FAIL_STREAM);
            send_directly(&mut state, reply);
        }
    }
}

impl Direction {
    /// Applies the result of a callback.
    fn settle(&mut self, step: Step, flow: Flow) {
        match (step, flow) {
            (Step::Headers, Flow::Continue) => self.headers_open = false,
            (Step::Trailers, Flow::Continue) => {
                self.trailers_open = false;
                self.release();
            }
            (Step::Body, Flow::Continue) => self.release(),
            (Step::Body, Flow::Pause) => self.holding = true,
            (Step::Body, Flow::Discard) => {
                self.buffer.clear();
                self.holding = true;
            }
            _ => self.stopped = true,
        }
    }
}

/// The next callback of a direction, its message opened to the module.
fn begin(state: &mut MutexGuard<'_, StreamState>, side: Side) -> Option<Visit> {
    let over = match side {
        Side::Request => state.is_over(),
        Side::Response => state.reset || state.finished,
    };
    let direction = direction(state, side);
    if over || direction.stopped {
        return None;
    }
    let step = direction.step;
    let length = match step {
        Step::Idle | Step::Done => return None,
        Step::Headers => {
            direction.headers_open = true;
            direction.headers.len()
        }
        Step::Body => {
            let piece = direction.pieces.pop_front().unwrap_or_default();
            direction.buffer.extend(piece);
            direction.body_open = true;
            direction.buffer.len()
        }
        Step::Trailers => {
            direction.trailers_open = true;
            direction.trailers.len()
        }
    };
    direction.step = direction.following();
    let end_of_stream = direction.step == Step::Done;
    Some(Visit {
        step,
        size: u32::try_from(length).unwrap_or(u32::MAX),
        end_of_stream,
    })
}

fn direction<'s>(state: &'s mut MutexGuard<'_, StreamState>, side: Side) -> &'s mut Direction {
    match side {
        Side::Request => &mut state.request,
        Side::Response => &mut state.response,
    }
}

/// The ABI's filter status: 0 continues; Envoy reads every number it does not know as a stop.
fn flow(step: Step, status: u32, replied: bool) -> Flow {
    match (step, status) {
        _ if replied && step == Step::Body => Flow::Discard,
        _ if replied => Flow::Pause,
        (_, 0) | (Step::Headers, 2) => Flow::Continue,
        (Step::Body, 3..) => Flow::Discard,
        _ => Flow::Pause,
    }
}

/// Passes all that is left without showing it to the module.
fn pass_unseen(direction: &mut Direction) {
    direction.close();
    direction.release();
    let pieces = std::mem::take(&mut direction.pieces);
    direction.passed.extend(pieces.into_iter().flatten());
    direction.step = Step::Done;
}

/// Sends a reply past the filters.
fn send_directly(state: &mut MutexGuard<'_, StreamState>, reply: LocalReply) {
    let passed = reply.body.clone();
    let headers = reply.head();
    state.response = Direction {
        headers,
        passed,
        step: Step::Done,
        ..Direction::default()
    };
    state.local_reply = Some(reply);
}
