//! The numbers of proxy-wasm ABI 0.2.1: what crosses the boundary as an integer, named.
//!
//! The specification: <https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1>.

/// What a hostcall answers (`proxy_status_t`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u32)]
pub enum Status {
    /// Done.
    Ok = 0,
    /// There is no such key, function, metric or context.
    NotFound = 1,
    /// An argument is out of range, or not valid in this callback.
    BadArgument = 2,
    /// A property can't be written as bytes.
    SerializationFailure = 3,
    /// A serialised argument can't be read.
    ParseFailure = 4,
    /// An expression of `expr_create` can't be read.
    BadExpression = 5,
    /// A pointer or size lies outside of the module's memory.
    InvalidMemoryAccess = 6,
    /// The shared queue has no element.
    Empty = 7,
    /// Another VM wrote the shared datum first.
    CasMismatch = 8,
    /// The host gave another type than was asked for.
    ResultMismatch = 9,
    /// The host could not do it, for instance because no upstream host is healthy.
    InternalFailure = 10,
    /// The connection broke.
    BrokenConnection = 11,
    /// The host does not have this hostcall.
    Unimplemented = 12,
}

/// A severity of `proxy_log`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u32)]
pub enum LogLevel {
    /// `trace`
    Trace = 0,
    /// `debug`
    Debug = 1,
    /// `info`
    Info = 2,
    /// `warn`
    Warn = 3,
    /// `error`
    Error = 4,
    /// `critical`
    Critical = 5,
}

/// What a metric does with a recorded value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u32)]
pub enum MetricType {
    /// Only grows.
    Counter = 0,
    /// Is set, grows and shrinks.
    Gauge = 1,
    /// Keeps a distribution.
    Histogram = 2,
}

/// Which header map a hostcall means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MapType {
    RequestHeaders,
    RequestTrailers,
    ResponseHeaders,
    ResponseTrailers,
    GrpcReceiveInitialMetadata,
    GrpcReceiveTrailingMetadata,
    HttpCallResponseHeaders,
    HttpCallResponseTrailers,
}

/// Which buffer a hostcall means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BufferType {
    HttpRequestBody,
    HttpResponseBody,
    DownstreamData,
    UpstreamData,
    HttpCallResponseBody,
    GrpcReceiveBuffer,
    VmConfiguration,
    PluginConfiguration,
    CallData,
}

/// Which half of a stream `proxy_continue_stream` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StreamType {
    Request,
    Response,
    Downstream,
    Upstream,
}

impl TryFrom<u32> for LogLevel {
    type Error = Status;

    fn try_from(level: u32) -> Result<Self, Status> {
        Ok(match level {
            0 => Self::Trace,
            1 => Self::Debug,
            2 => Self::Info,
            3 => Self::Warn,
            4 => Self::Error,
            5 => Self::Critical,
            _ => return Err(Status::BadArgument),
        })
    }
}

impl TryFrom<u32> for MetricType {
    type Error = Status;

    fn try_from(metric_type: u32) -> Result<Self, Status> {
        Ok(match metric_type {
            0 => Self::Counter,
            1 => Self::Gauge,
            2 => Self::Histogram,
            _ => return Err(Status::BadArgument),
        })
    }
}

impl TryFrom<u32> for MapType {
    type Error = Status;

    fn try_from(map_type: u32) -> Result<Self, Status> {
        Ok(match map_type {
            0 => Self::RequestHeaders,
            1 => Self::RequestTrailers,
            2 => Self::ResponseHeaders,
            3 => Self::ResponseTrailers,
            4 => Self::GrpcReceiveInitialMetadata,
            5 => Self::GrpcReceiveTrailingMetadata,
            6 => Self::HttpCallResponseHeaders,
            7 => Self::HttpCallResponseTrailers,
            _ => return Err(Status::BadArgument),
        })
    }
}

impl TryFrom<u32> for BufferType {
    type Error = Status;

    fn try_from(buffer_type: u32) -> Result<Self, Status> {
        Ok(match buffer_type {
            0 => Self::HttpRequestBody,
            1 => Self::HttpResponseBody,
            2 => Self::DownstreamData,
            3 => Self::UpstreamData,
            4 => Self::HttpCallResponseBody,
            5 => Self::GrpcReceiveBuffer,
            6 => Self::VmConfiguration,
            7 => Self::PluginConfiguration,
            8 => Self::CallData,
            _ => return Err(Status::BadArgument),
        })
    }
}

impl TryFrom<u32> for StreamType {
    type Error = Status;

    fn try_from(stream_type: u32) -> Result<Self, Status> {
        Ok(match stream_type {
            0 => Self::Request,
            1 => Self::Response,
            2 => Self::Downstream,
            3 => Self::Upstream,
            _ => return Err(Status::BadArgument),
        })
    }
}
