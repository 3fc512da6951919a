//! The hostcalls of ABI 0.2.1, by what they are about. Each answers as Envoy's implementation does.

#![expect(
    clippy::too_many_arguments,
    clippy::unnecessary_wraps,
    reason = "the signatures are the ABI's, and all hostcalls answer alike"
)]

mod buffers;
mod callouts;
mod environment;
mod foreign;
mod headers;
mod metrics;
mod properties;
mod shared;
mod streams;

use wasmtime::{Caller, Linker, Result};

use crate::guest::answer;
use crate::state::VmState;

macro_rules! link {
    ($linker:ident, $($name:literal => $function:path, ($($argument:ident: $type:ty),*);)*) => {$(
        $linker.func_wrap(
            "env",
            $name,
            |caller: Caller<'_, VmState>, $($argument: $type),*| -> Result<u32> {
                answer(caller, $name, |guest| $function(guest, $($argument),*))
            },
        )?;
    )*};
}

/// Links every hostcall of the module `env`.
pub(crate) fn link(linker: &mut Linker<VmState>) -> Result<()> {
    link!(linker,
        "proxy_log" => environment::log, (level: u32, text: u32, size: u32);
        "proxy_get_log_level" => environment::log_level, (level_at: u32);
        "proxy_get_current_time_nanoseconds" => environment::current_time, (time_at: u32);
        "proxy_set_tick_period_milliseconds" => environment::set_tick_period, (period: u32);
        "proxy_get_configuration" => environment::configuration, (bytes_at: u32, size_at: u32);
        "proxy_get_status" => callouts::status, (code_at: u32, text_at: u32, size_at: u32);

        "proxy_get_property" => properties::get,
            (path: u32, path_size: u32, value_at: u32, size_at: u32);
        "proxy_set_property" => properties::set,
            (path: u32, path_size: u32, value: u32, value_size: u32);

        "proxy_continue_stream" => streams::resume, (stream_type: u32);
        "proxy_close_stream" => streams::close, (stream_type: u32);
        "proxy_continue_request" => streams::resume_request, ();
        "proxy_continue_response" => streams::resume_response, ();
        "proxy_clear_route_cache" => streams::clear_route_cache, ();
        "proxy_set_effective_context" => streams::set_effective_context, (context: u32);
        "proxy_done" => streams::done, ();
        "proxy_send_local_response" => streams::send_local_response,
            (status: u32, details: u32, details_size: u32, body: u32, body_size: u32,
             headers: u32, headers_size: u32, grpc_status: u32);

        "proxy_get_header_map_value" => headers::get,
            (map: u32, name: u32, name_size: u32, value_at: u32, size_at: u32);
        "proxy_add_header_map_value" => headers::add,
            (map: u32, name: u32, name_size: u32, value: u32, value_size: u32);
        "proxy_replace_header_map_value" => headers::replace,
            (map: u32, name: u32, name_size: u32, value: u32, value_size: u32);
        "proxy_remove_header_map_value" => headers::remove, (map: u32, name: u32, name_size: u32);
        "proxy_get_header_map_pairs" => headers::pairs, (map: u32, pairs_at: u32, size_at: u32);
        "proxy_set_header_map_pairs" => headers::set_pairs, (map: u32, pairs: u32, size: u32);
        "proxy_get_header_map_size" => headers::size, (map: u32, size_at: u32);

        "proxy_get_buffer_bytes" => buffers::get,
            (buffer: u32, start: u32, length: u32, bytes_at: u32, size_at: u32);
        "proxy_get_buffer_status" => buffers::status, (buffer: u32, length_at: u32, flags_at: u32);
        "proxy_set_buffer_bytes" => buffers::set,
            (buffer: u32, start: u32, length: u32, bytes: u32, size: u32);

        "proxy_get_shared_data" => shared::get,
            (key: u32, key_size: u32, value_at: u32, size_at: u32, version_at: u32);
        "proxy_set_shared_data" => shared::set,
            (key: u32, key_size: u32, value: u32, value_size: u32, version: u32);
        "proxy_register_shared_queue" => shared::register_queue,
            (name: u32, name_size: u32, token_at: u32);
        "proxy_resolve_shared_queue" => shared::resolve_queue,
            (vm_id: u32, vm_id_size: u32, name: u32, name_size: u32, token_at: u32);
        "proxy_enqueue_shared_queue" => shared::enqueue, (token: u32, element: u32, size: u32);
        "proxy_dequeue_shared_queue" => shared::dequeue, (token: u32, element_at: u32, size_at: u32);

        "proxy_define_metric" => metrics::define,
            (metric_type: u32, name: u32, name_size: u32, id_at: u32);
        "proxy_increment_metric" => metrics::increment, (id: u32, offset: i64);
        "proxy_record_metric" => metrics::record, (id: u32, value: u64);
        "proxy_get_metric" => metrics::get, (id: u32, value_at: u32);

        "proxy_http_call" => callouts::http_call,
            (cluster: u32, cluster_size: u32, headers: u32, headers_size: u32, body: u32,
             body_size: u32, trailers: u32, trailers_size: u32, timeout: u32, token_at: u32);
        "proxy_grpc_call" => callouts::grpc_call,
            (upstream: u32, upstream_size: u32, service: u32, service_size: u32, method: u32,
             method_size: u32, metadata: u32, metadata_size: u32, message: u32, message_size: u32,
             timeout: u32, token_at: u32);
        "proxy_grpc_cancel" => callouts::grpc_cancel, (token: u32);
        "proxy_grpc_close" => callouts::grpc_cancel, (token: u32);
        "proxy_grpc_stream" => callouts::grpc_stream,
            (upstream: u32, upstream_size: u32, service: u32, service_size: u32, method: u32,
             method_size: u32, metadata: u32, metadata_size: u32, token_at: u32);
        "proxy_grpc_send" => callouts::grpc_send,
            (token: u32, message: u32, message_size: u32, end_of_stream: u32);

        "proxy_call_foreign_function" => foreign::call,
            (name: u32, name_size: u32, arguments: u32, arguments_size: u32, result_at: u32,
             size_at: u32);
    );
    Ok(())
}
