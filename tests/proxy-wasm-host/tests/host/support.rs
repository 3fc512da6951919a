//! Builds a module from a few callbacks: imports, an allocator and helpers that log are always there.
//!
//! In a test's text `@"abc"` stands for the pointer and the size of that string. Besides the hostcalls
//! (`$http_call` is `proxy_http_call`) there are `$say` (logs a string), `$number` (logs a number) and
//! `$answer` (logs what a hostcall handed over, or its status if it failed). Hostcalls that hand something
//! over are told to do so at `(global.get $at)` and `(global.get $size)`.

use std::fmt::Write;

use proxy_wasm_host::{Builder, Proxy};

/// Hostcalls by name and number of `i32` parameters; all answer an `i32`.
const HOSTCALLS: [(&str, usize); 34] = [
    ("log", 3),
    ("get_log_level", 1),
    ("get_current_time_nanoseconds", 1),
    ("set_tick_period_milliseconds", 1),
    ("get_status", 3),
    ("get_property", 4),
    ("set_property", 4),
    ("continue_stream", 1),
    ("close_stream", 1),
    ("set_effective_context", 1),
    ("done", 0),
    ("send_local_response", 8),
    ("get_header_map_value", 5),
    ("add_header_map_value", 5),
    ("replace_header_map_value", 5),
    ("remove_header_map_value", 3),
    ("get_header_map_pairs", 3),
    ("set_header_map_pairs", 3),
    ("get_header_map_size", 2),
    ("get_buffer_bytes", 5),
    ("set_buffer_bytes", 5),
    ("get_shared_data", 5),
    ("set_shared_data", 5),
    ("register_shared_queue", 3),
    ("resolve_shared_queue", 5),
    ("enqueue_shared_queue", 3),
    ("dequeue_shared_queue", 3),
    ("define_metric", 4),
    ("get_metric", 2),
    ("http_call", 10),
    ("grpc_call", 12),
    ("grpc_cancel", 1),
    ("grpc_stream", 9),
    ("call_foreign_function", 6),
];

const PRELUDE: &str = r#"
  (import "env" "proxy_increment_metric" (func $increment_metric (param i32 i64) (result i32)))
  (import "env" "proxy_record_metric" (func $record_metric (param i32 i64) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get"
    (func $environ_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $environ_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get"
    (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))

  (memory (export "memory") 2)
  (global $heap (mut i32) (i32.const 65536))
  (global $at i32 (i32.const 16))
  (global $size i32 (i32.const 20))
  (func (export "proxy_abi_version_0_2_1"))
  (func $allocate (export "proxy_on_memory_allocate") (param $bytes i32) (result i32)
    (local $start i32)
    (local.set $start (global.get $heap))
    (global.set $heap (i32.add (global.get $heap) (local.get $bytes)))
    (local.get $start))
  (func $say (param $start i32) (param $bytes i32)
    (drop (call $log (i32.const 2) (local.get $start) (local.get $bytes))))
  (func $number (param $value i32)
    (local $start i32)
    (local.set $start (i32.const 64))
    (loop $digit
      (local.set $start (i32.sub (local.get $start) (i32.const 1)))
      (i32.store8 (local.get $start)
        (i32.add (i32.const 48) (i32.rem_u (local.get $value) (i32.const 10))))
      (local.set $value (i32.div_u (local.get $value) (i32.const 10)))
      (br_if $digit (local.get $value)))
    (call $say (local.get $start) (i32.sub (i32.const 64) (local.get $start))))
  (func $handed_over
    (call $say (i32.load (global.get $at)) (i32.load (global.get $size))))
  (func $answer (param $status i32)
    (if (local.get $status)
      (then (call $number (local.get $status)))
      (else (call $handed_over))))
"#;

/// A module with these callbacks.
pub(crate) fn module(callbacks: &str) -> Vec<u8> {
    let mut strings = Vec::new();
    let callbacks = intern(callbacks, &mut strings);
    let mut text = String::from("(module\n");
    for (name, parameters) in HOSTCALLS {
        let parameters = " i32".repeat(parameters);
        writeln!(
            text,
            "(import \"env\" \"proxy_{name}\" (func ${name} (param{parameters}) (result i32)))"
        )
        .unwrap();
    }
    text.push_str(PRELUDE);
    text.push_str(&callbacks);
    for (start, string) in strings {
        writeln!(text, "(data (i32.const {start}) \"{string}\")").unwrap();
    }
    text.push(')');
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}"))
}

/// A proxy to configure, for a module with these callbacks.
pub(crate) fn builder(callbacks: &str) -> Builder {
    Proxy::builder(module(callbacks))
}

/// A started proxy for a module with these callbacks.
pub(crate) fn proxy(callbacks: &str) -> Proxy {
    builder(callbacks).cluster("known").start().unwrap()
}

/// Everything logged so far.
pub(crate) fn said(proxy: &Proxy) -> Vec<String> {
    proxy
        .logs()
        .into_iter()
        .map(|entry| entry.message)
        .collect()
}

/// The text of a module that serialises one pair; headers lists in tests are short enough for this.
pub(crate) fn pairs(pairs: &[(&str, &str)]) -> String {
    let mut bytes = u32::try_from(pairs.len()).unwrap().to_le_bytes().to_vec();
    for (name, value) in pairs {
        for text in [name, value] {
            bytes.extend(u32::try_from(text.len()).unwrap().to_le_bytes());
        }
    }
    for (name, value) in pairs {
        for text in [name, value] {
            bytes.extend(text.as_bytes());
            bytes.push(0);
        }
    }
    let escaped: Vec<_> = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
    format!("@\"{}\"", escaped.concat())
}

/// Replaces each `@"…"` by its pointer and size.
fn intern(text: &str, strings: &mut Vec<(usize, String)>) -> String {
    let mut output = String::new();
    let mut next = 1024;
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("@\"") {
        let (string, after) = after.split_once('"').expect("an unterminated string");
        let size = string.len() - 2 * string.matches('\\').count();
        write!(output, "{before}(i32.const {next}) (i32.const {size})").unwrap();
        strings.push((next, string.to_owned()));
        next += size;
        rest = after;
    }
    output + rest
}
