//! Pausing, resuming, replying, and what of a message may be touched when.

use std::time::Duration;

use proxy_wasm_host::{LocalReply, Outcome, Proxy, Request, Response, Status};

use crate::support::{builder, pairs, proxy, said};

const AUTHORIZATION: &str = r#"
  (func $authorization
    (call $answer (call $get_header_map_value (i32.const 0) @"Authorization"
      (global.get $at) (global.get $size))))
"#;

fn replying(callback: &str) -> String {
    format!(
        r#"(func $reply
          (drop (call $send_local_response (i32.const 401) @"no token" @"denied" {}
            (i32.const -1))))
        {callback}"#,
        pairs(&[("WWW-Authenticate", "Bearer")])
    )
}

#[track_caller]
fn local_reply(outcome: &Outcome) -> LocalReply {
    match outcome {
        Outcome::LocalReply(reply) => reply.clone(),
        other => panic!("{other:?} is no local reply"),
    }
}

#[test]
fn a_module_without_callbacks_lets_everything_pass() {
    let proxy = proxy("");
    let stream = proxy
        .worker(0)
        .request(Request::post("/x").header("X-Y", "z").body("b"));
    let Outcome::Continued { headers, body, .. } = stream.outcome() else {
        panic!()
    };
    assert_eq!(
        (headers.text("x-y"), body.as_slice()),
        (Some("z"), &b"b"[..])
    );
    assert!(stream.respond(Response::new(204)));
    assert_eq!(stream.client_response().unwrap().status, 204);
    stream.finish();
}

#[test]
fn headers_are_bytes_with_lower_case_names() {
    let text = AUTHORIZATION.to_owned()
        + r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (call $authorization)
          (call $answer (call $get_header_map_value (i32.const 0) @"absent"
            (global.get $at) (global.get $size)))
          (call $answer (call $get_header_map_value (i32.const 0) @"Host"
            (global.get $at) (global.get $size)))
          (drop (call $add_header_map_value (i32.const 0) @"authorization" @"Bearer y"))
          (call $authorization)
          (drop (call $add_header_map_value (i32.const 0) @"X-Bytes" @"\ff\00"))
          (drop (call $add_header_map_value (i32.const 0) @"x-bytes" @"two"))
          (drop (call $replace_header_map_value (i32.const 0) @"X-REPLACED" @"new"))
          (drop (call $remove_header_map_value (i32.const 0) @"X-Gone"))
          (i32.const 0))"#;
    let proxy = proxy(&text);
    let request = Request::get("/")
        .header("AUTHORIZATION", "Bearer x")
        .header("x-replaced", "a")
        .header("x-replaced", "b")
        .header("x-gone", "1")
        .header("x-gone", "2");
    let outcome = proxy.worker(0).decide(request);
    let upstream = outcome.upstream_headers().unwrap();
    assert_eq!(
        said(&proxy),
        ["Bearer x", "1", "example.com", "Bearer x,Bearer y"]
    );
    assert_eq!(
        upstream.get_all("x-bytes").collect::<Vec<_>>(),
        [&b"\xff\0"[..], b"two"]
    );
    assert_eq!(upstream.get_all("x-replaced").collect::<Vec<_>>(), [b"new"]);
    assert_eq!(upstream.get("x-gone"), None);
    assert!(proxy.refusals().is_empty());
}

#[test]
fn a_map_is_a_bad_argument_outside_of_its_callbacks() {
    let text = AUTHORIZATION.to_owned()
        + r#"(func (export "proxy_on_tick") (param i32) (call $authorization))
        (func (export "proxy_on_configure") (param i32 i32) (result i32)
          (drop (call $set_tick_period_milliseconds (i32.const 10)))
          (i32.const 1))
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (call $answer (call $get_header_map_value (i32.const 2) @":status"
            (global.get $at) (global.get $size)))
          (call $number (call $add_header_map_value (i32.const 6) @"a" @"b"))
          (call $number (call $add_header_map_value (i32.const 8) @"a" @"b"))
          (call $number (call $set_buffer_bytes (i32.const 0) (i32.const 0) (i32.const 1) @"b"))
          (i32.const 0))
        (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32)
          (call $authorization)
          (i32.const 0))"#;
    let proxy = proxy(&text);
    proxy.advance(Duration::from_millis(10));
    proxy
        .worker(0)
        .decide(Request::post("/").header("authorization", "x").body("b"));
    // In the root context, of the response, of a call, of no kind, a body that is not there yet, and
    // headers that went on.
    assert_eq!(said(&proxy), ["2"; 6]);
    let refused = proxy.refusals();
    assert_eq!(refused.len(), 6);
    assert!(
        refused
            .iter()
            .all(|refusal| refusal.status == Status::BadArgument)
    );
    assert_eq!(refused[0].callback, "proxy_on_tick");
}

#[test]
fn a_paused_request_keeps_its_headers_until_another_context_resumes_it() {
    let text = AUTHORIZATION.to_owned()
        + r#"(func (export "proxy_on_configure") (param i32 i32) (result i32)
          (drop (call $set_tick_period_milliseconds (i32.const 10)))
          (i32.const 1))
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (i32.const 1))
        (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32)
          (call $say @"body")
          (i32.const 0))
        (func (export "proxy_on_tick") (param i32)
          (if (call $set_effective_context (i32.const 2)) (then (call $say @"gone") (return)))
          (call $authorization)
          (drop (call $add_header_map_value (i32.const 0) @"x-user" @"me"))
          (drop (call $continue_stream (i32.const 0)))
          (call $authorization))"#;
    let proxy = proxy(&text);
    let request = Request::post("/").header("authorization", "x").body("b");
    let stream = proxy.worker(0).request(request);
    assert_eq!(stream.outcome(), Outcome::Paused);
    assert!(said(&proxy).is_empty(), "the body waits too");
    proxy.advance(Duration::from_millis(10));
    assert_eq!(said(&proxy), ["x", "2", "body"]);
    assert_eq!(
        stream.outcome().upstream_headers().unwrap().text("x-user"),
        Some("me")
    );
    stream.finish();
    proxy.advance(Duration::from_millis(10));
    assert_eq!(said(&proxy).last().unwrap(), "gone");
}

#[test]
fn a_local_reply_overrules_continue_and_ends_the_request() {
    let text = replying(
        r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (call $reply)
          (i32.const 0))
        (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32)
          (call $say @"never")
          (i32.const 0))"#,
    );
    let proxy = proxy(&text);
    let stream = proxy.worker(0).request(Request::post("/").body("b"));
    let reply = local_reply(&stream.outcome());
    assert_eq!((reply.status, reply.text().as_str()), (401, "denied"));
    assert_eq!(reply.details, "no_token");
    assert_eq!(reply.grpc_status, None);
    assert_eq!(reply.headers.text("www-authenticate"), Some("Bearer"));
    assert_eq!(reply.headers.text("content-length"), Some("6"));
    assert_eq!(reply.headers.text("content-type"), Some("text/plain"));
    assert!(said(&proxy).is_empty());
    assert!(!stream.respond(Response::new(200)), "there is no upstream");
}

#[test]
fn the_reply_to_head_has_no_body_and_a_grpc_client_gets_trailers_only() {
    let text = replying(
        r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (call $reply)
          (i32.const 1))"#,
    );
    let proxy = proxy(&text);
    let head = local_reply(&proxy.worker(0).decide(Request::new("HEAD", "/")));
    assert_eq!(
        (head.text().as_str(), head.headers.text("content-length")),
        ("", Some("6"))
    );
    let grpc = Request::post("/s/m").header("content-type", "application/grpc+proto");
    let grpc = local_reply(&proxy.worker(0).decide(grpc));
    assert_eq!(
        (grpc.status, grpc.headers.text("grpc-status")),
        (200, Some("16"))
    );
    assert_eq!(grpc.headers.text("grpc-message"), Some("denied"));
}

#[test]
fn cve_2022_29228_nothing_continues_a_stream_that_was_answered() {
    let text = replying(
        r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (call $reply)
          (drop (call $continue_stream (i32.const 0)))
          (call $reply)
          (i32.const 0))
        (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32)
          (call $say @"never")
          (i32.const 0))"#,
    );
    let proxy = proxy(&text);
    let stream = proxy.worker(0).request(Request::post("/").body("b"));
    assert_eq!(stream.outcome().status(), Some(401));
    assert!(said(&proxy).is_empty());
    assert_eq!(proxy.refusals().len(), 1, "the second reply");
}

#[test]
fn a_local_reply_passes_the_response_callbacks() {
    let text = replying(
        r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (call $reply)
          (i32.const 0))
        (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32)
          (call $answer (call $get_header_map_value (i32.const 0) @":path"
            (global.get $at) (global.get $size)))
          (drop (call $replace_header_map_value (i32.const 2) @"x-frame-options" @"DENY"))
          (i32.const 0))"#,
    );
    let proxy = proxy(&text);
    let reply = local_reply(&proxy.worker(0).decide(Request::get("/x")));
    assert_eq!(reply.headers.text("x-frame-options"), Some("DENY"));
    assert_eq!(
        said(&proxy),
        ["/x"],
        "the request the reply is for can still be read"
    );
}

#[test]
fn a_reply_from_a_response_callback_replaces_the_response() {
    let text = replying(
        r#"(func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32)
          (call $reply)
          (i32.const 0))
        (func (export "proxy_on_response_body") (param i32 i32 i32) (result i32)
          (call $say @"never")
          (i32.const 0))"#,
    );
    let proxy = proxy(&text);
    let stream = proxy.worker(0).request(Request::get("/"));
    assert!(stream.respond(Response::new(200).body("secret")));
    let response = stream.client_response().unwrap();
    assert_eq!((response.status, response.text().as_str()), (401, "denied"));
    assert!(said(&proxy).is_empty());
}

#[test]
fn the_response_passes_its_callbacks() {
    let text = r#"(func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32)
          (call $number (local.get 1))
          (drop (call $replace_header_map_value (i32.const 2) @"server" @"edge"))
          (i32.const 0))
        (func (export "proxy_on_response_body") (param i32 i32 i32) (result i32)
          (drop (call $set_buffer_bytes (i32.const 1) (i32.const 0) (local.get 1) @"changed"))
          (i32.const 0))
        (func (export "proxy_on_response_trailers") (param i32 i32) (result i32)
          (drop (call $add_header_map_value (i32.const 3) @"x-t" @"1"))
          (i32.const 0))"#;
    let proxy = proxy(text);
    let stream = proxy.worker(0).request(Request::get("/"));
    let response = Response::new(200)
        .header("server", "up")
        .body("as it was")
        .trailer("x-s", "0");
    stream.respond(response);
    let seen = stream.client_response().unwrap();
    assert_eq!(said(&proxy), ["2"]);
    assert_eq!(
        (seen.headers.text("server"), seen.text().as_str()),
        (Some("edge"), "changed")
    );
    assert_eq!(
        (seen.trailers.text("x-s"), seen.trailers.text("x-t")),
        (Some("0"), Some("1"))
    );
}

#[test]
fn a_held_body_grows_until_it_is_let_go() {
    let text = r#"(func (export "proxy_on_request_body") (param i32 i32 i32) (result i32)
          (call $answer (call $get_buffer_bytes (i32.const 0) (i32.const 0) (local.get 1)
            (global.get $at) (global.get $size)))
          (i32.eqz (local.get 2)))"#;
    let proxy = proxy(text);
    let stream = proxy
        .worker(0)
        .request(Request::post("/").body("a").body("b").body("c"));
    assert_eq!(said(&proxy), ["a", "ab", "abc"]);
    let Outcome::Continued { body, .. } = stream.outcome() else {
        panic!()
    };
    assert_eq!(body, b"abc");
}

#[test]
fn a_stream_ends_with_log_done_and_delete() {
    let text = AUTHORIZATION.to_owned()
        + r#"(func (export "proxy_on_log") (param i32)
          (call $authorization)
          (call $number (call $add_header_map_value (i32.const 0) @"late" @"x"))
          (call $answer (call $get_header_map_value (i32.const 2) @":status"
            (global.get $at) (global.get $size))))
        (func (export "proxy_on_done") (param i32) (result i32) (call $say @"done") (i32.const 1))
        (func (export "proxy_on_delete") (param i32) (call $say @"delete"))"#;
    let proxy = proxy(&text);
    let stream = proxy
        .worker(0)
        .request(Request::get("/").header("authorization", "x"));
    stream.finish();
    stream.finish();
    // The headers can be read but not changed, and there was no response.
    assert_eq!(said(&proxy), ["x", "2", "1", "done", "delete"]);
}

#[test]
fn a_closed_stream_is_reset() {
    let text = r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (drop (call $close_stream (i32.const 0)))
          (i32.const 1))"#;
    assert_eq!(
        proxy(text).worker(0).decide(Request::get("/")),
        Outcome::Reset
    );
}

#[test]
fn a_reply_without_a_stream_goes_nowhere_and_is_noted() {
    let text = replying(
        r#"(func (export "proxy_on_configure") (param i32 i32) (result i32)
          (call $reply)
          (i32.const 1))"#,
    );
    let proxy: Proxy = builder(&text).start().unwrap();
    assert_eq!(proxy.refusals()[0].hostcall, "proxy_send_local_response");
}
