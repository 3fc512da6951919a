//! Every host call, once. Nothing else in this crate names one.
//!
//! The functions return what the host said instead of panicking on it, as the SDK's wrappers do: a panic ends
//! the VM and with it every request on this worker. Header values are bytes, because a client may send any.

#![expect(
    unsafe_code,
    reason = "the ABI hands buffers over as raw pointers; see abi.rs"
)]

mod abi;

use std::time::Duration;

use edge_auth_policy::decision::LocalReply;
use edge_auth_policy::pipeline::ResponseMutation;
use edge_auth_policy::rate_limit::service;
use edge_auth_policy::store::fetch::Fetch;
use edge_auth_policy::time::UnixTime;
use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, MapType, MetricType, Status};

pub(crate) use abi::HeaderBuffer;
pub(crate) use proxy_wasm::types::LogLevel;

/// The host answered a call with an error, or with something the ABI doesn't know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HostError(pub(crate) u32);

/// Writes a line to the proxy's log.
pub(crate) fn log(level: LogLevel, message: &str) {
    let _ = hostcalls::log(level, message);
}

/// The wall clock.
pub(crate) fn now() -> UnixTime {
    UnixTime::from_nanos(abi::current_time().unwrap_or_default())
}

/// How often this VM's plugin contexts are ticked from now on.
pub(crate) fn set_tick_period(period: Duration) {
    let _ = hostcalls::set_tick_period(period);
}

/// The configuration of the plugin whose context is active.
pub(crate) fn plugin_configuration(size: usize) -> Option<Vec<u8>> {
    hostcalls::get_buffer(BufferType::PluginConfiguration, 0, size)
        .ok()
        .flatten()
}

/// An environment variable of this VM: in Envoy, one of `vm_config.environment_variables`.
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// All header fields of the request whose context is active.
pub(crate) fn request_headers() -> Result<HeaderBuffer, HostError> {
    abi::header_map_pairs(MapType::HttpRequestHeaders)
}

/// All trailer fields of the request whose context is active.
pub(crate) fn request_trailers() -> Result<HeaderBuffer, HostError> {
    abi::header_map_pairs(MapType::HttpRequestTrailers)
}

/// Removes every request trailer field of this name.
pub(crate) fn remove_request_trailer(name: &[u8]) -> Result<(), HostError> {
    abi::remove_header(MapType::HttpRequestTrailers, name)
}

/// All header fields of the HTTP call's answer that is being delivered.
pub(crate) fn http_call_headers() -> Result<HeaderBuffer, HostError> {
    abi::header_map_pairs(MapType::HttpCallResponseHeaders)
}

/// The body of the HTTP call's answer that is being delivered, up to so many bytes.
pub(crate) fn http_call_body(most: usize) -> Vec<u8> {
    hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, most)
        .ok()
        .flatten()
        .unwrap_or_default()
}

/// Removes every request header field of this name.
pub(crate) fn remove_request_header(name: &[u8]) -> Result<(), HostError> {
    abi::remove_header(MapType::HttpRequestHeaders, name)
}

/// Sets a request header field to exactly one value.
pub(crate) fn set_request_header(name: &str, value: &[u8]) -> Result<(), HostError> {
    abi::replace_header(MapType::HttpRequestHeaders, name.as_bytes(), value)
}

/// Adds a request header field.
pub(crate) fn add_request_header(name: &str, value: &[u8]) -> Result<(), HostError> {
    abi::add_header(MapType::HttpRequestHeaders, name.as_bytes(), value)
}

/// All header fields of the answer whose context is active.
pub(crate) fn response_headers() -> Result<HeaderBuffer, HostError> {
    abi::header_map_pairs(MapType::HttpResponseHeaders)
}

/// Carries out one change to the answer's header fields.
pub(crate) fn mutate_response(mutation: ResponseMutation<'_>) -> Result<(), HostError> {
    const MAP: MapType = MapType::HttpResponseHeaders;
    match mutation {
        ResponseMutation::Remove(name) => abi::remove_header(MAP, name.as_bytes()),
        ResponseMutation::Set(name, value) => {
            abi::replace_header(MAP, name.as_bytes(), value.as_bytes())
        }
        ResponseMutation::Add(name, value) => {
            abi::add_header(MAP, name.as_bytes(), value.as_bytes())
        }
    }
}

/// Answers the request whose context is active. The reason code becomes Envoy's response code details.
pub(crate) fn send_local_reply(reply: &LocalReply) -> Result<(), HostError> {
    let headers: Vec<(&[u8], &[u8])> = reply
        .headers
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
        .collect();
    let details = format!("edge_auth_{}", reply.reason.code());
    abi::send_local_response(u32::from(reply.status), &details, &headers, &reply.body)
}

/// Lets the request whose context is active go on.
pub(crate) fn resume_request() -> Result<(), HostError> {
    abi::continue_request()
}

/// Makes calls act on the context `id` until the current callback returns or this is called again.
pub(crate) fn set_effective_context(id: u32) -> Result<(), HostError> {
    abi::set_effective_context(id)
}

/// Sends a GET; the answer arrives in the plugin context that is active, under the token returned.
///
/// # Errors
/// The host refuses a cluster it does not know.
pub(crate) fn dispatch(fetch: &Fetch) -> Result<u32, HostError> {
    let headers = vec![
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", fetch.authority.as_str()),
        (":path", fetch.path.as_str()),
        ("accept", "application/json"),
        (
            "user-agent",
            concat!("edge-auth/", env!("CARGO_PKG_VERSION")),
        ),
    ];
    hostcalls::dispatch_http_call(&fetch.cluster, headers, None, Vec::new(), fetch.timeout)
        .map_err(|status| HostError(status as u32))
}

/// Makes a unary gRPC call to a cluster; the answer arrives under the token returned, in the context whose callback
/// runs now.
///
/// # Errors
/// The host knows no such cluster, or none of its endpoints is healthy.
pub(crate) fn call_rate_limit_service(
    cluster: &str,
    message: &[u8],
    timeout: Duration,
) -> Result<u32, HostError> {
    let target = service::target(cluster);
    // The SDK takes a name only; a name within the configuration's bounds makes a message that is text.
    let target = str::from_utf8(&target).map_err(|_| HostError(Status::BadArgument as u32))?;
    // It panics on a status that is none of these two and of success: Envoy has no other for a `GrpcService` with a
    // cluster in it.
    hostcalls::dispatch_grpc_call(
        target,
        service::SERVICE,
        service::METHOD,
        Vec::new(),
        Some(message),
        timeout,
    )
    .map_err(|status| HostError(status as u32))
}

/// The message of the gRPC call's answer that is being delivered: what it has of the first `most` bytes.
pub(crate) fn grpc_message(most: usize) -> Vec<u8> {
    hostcalls::get_buffer(BufferType::GrpcReceiveBuffer, 0, most)
        .ok()
        .flatten()
        .unwrap_or_default()
}

/// The peer address of the downstream connection, as `address:port`.
pub(crate) fn source_address() -> Option<Vec<u8>> {
    abi::property(b"source\0address").ok()
}

/// Whether the downstream connection is TLS.
pub(crate) fn is_tls() -> bool {
    abi::property(b"connection\0tls_version").is_ok_and(|version| !version.is_empty())
}

/// The stored value and its version.
pub(crate) fn shared_data(key: &str) -> Result<(Vec<u8>, u32), HostError> {
    abi::shared_data(key)
}

/// Stores a value if the stored version is `version`; zero stores whatever is there.
pub(crate) fn set_shared_data(key: &str, value: &[u8], version: u32) -> Result<(), HostError> {
    abi::set_shared_data(key, value, version)
}

/// Calls a function that the host registered under `name`.
pub(crate) fn call_foreign_function(name: &str, arguments: &[u8]) -> Result<Vec<u8>, HostError> {
    abi::call_foreign_function(name, arguments)
}

/// Defines a counter and returns its id.
pub(crate) fn define_counter(name: &str) -> Option<u32> {
    hostcalls::define_metric(MetricType::Counter, name).ok()
}

/// Defines a gauge and returns its id.
pub(crate) fn define_gauge(name: &str) -> Option<u32> {
    hostcalls::define_metric(MetricType::Gauge, name).ok()
}

/// Defines a histogram and returns its id.
pub(crate) fn define_histogram(name: &str) -> Option<u32> {
    hostcalls::define_metric(MetricType::Histogram, name).ok()
}

/// Adds a value to a histogram.
pub(crate) fn record(id: u32, value: u64) {
    let _ = hostcalls::record_metric(id, value);
}

/// Whether the proxy's log keeps lines of this level.
pub(crate) fn is_logged(level: LogLevel) -> bool {
    // A host that can't say logs everything.
    abi::log_level().is_none_or(|least| least <= level as u32)
}

/// Sets filter state of the request whose context is active, for the access log.
pub(crate) fn set_filter_state(key: &str, value: &str) -> Result<(), HostError> {
    abi::set_property(key.as_bytes(), value.as_bytes())
}

/// Adds `by` to a counter.
pub(crate) fn increment_counter(id: u32, by: u64) {
    let _ = hostcalls::increment_metric(id, i64::try_from(by).unwrap_or(i64::MAX));
}

/// Sets a gauge.
pub(crate) fn set_gauge(id: u32, value: u64) {
    let _ = hostcalls::record_metric(id, value);
}

/// Sixteen random bytes from the host.
pub(crate) fn random() -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    getrandom::getrandom(&mut bytes).ok().map(|()| bytes)
}
