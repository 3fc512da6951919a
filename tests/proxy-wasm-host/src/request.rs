//! A request as a client sends it, and what Envoy's HTTP connection manager makes of it before a filter sees it.

use crate::headers::Headers;

/// A request to a worker. Without further calls: over TLS, for `example.com`, from `192.0.2.1`.
#[derive(Clone, Debug)]
pub struct Request {
    pub(crate) pseudo: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) fields: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) body: Vec<Vec<u8>>,
    pub(crate) trailers: Headers,
    pub(crate) source: String,
    pub(crate) tls: bool,
    pub(crate) properties: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Request {
    /// A request with this `:method` and `:path`.
    pub fn new(method: impl AsRef<[u8]>, path: impl AsRef<[u8]>) -> Self {
        let pseudo = |name: &str, value: &[u8]| (name.as_bytes().to_vec(), value.to_vec());
        Self {
            pseudo: vec![
                pseudo(":authority", b"example.com"),
                pseudo(":path", path.as_ref()),
                pseudo(":method", method.as_ref()),
                pseudo(":scheme", b"https"),
            ],
            fields: Vec::new(),
            body: Vec::new(),
            trailers: Headers::new(),
            source: "192.0.2.1".to_owned(),
            tls: true,
            properties: Vec::new(),
        }
    }

    /// `GET path`.
    pub fn get(path: impl AsRef<[u8]>) -> Self {
        Self::new("GET", path)
    }

    /// `POST path`.
    pub fn post(path: impl AsRef<[u8]>) -> Self {
        Self::new("POST", path)
    }

    /// `DELETE path`.
    pub fn delete(path: impl AsRef<[u8]>) -> Self {
        Self::new("DELETE", path)
    }

    /// Adds a header line, also one of a name that is there already.
    #[must_use]
    pub fn header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.fields
            .push((name.as_ref().to_vec(), value.as_ref().to_vec()));
        self
    }

    /// Sets a pseudo header such as `:authority`; `None` leaves it out, as a CONNECT leaves out `:path`.
    #[must_use]
    pub fn pseudo<'v>(mut self, name: &str, value: impl Into<Option<&'v str>>) -> Self {
        self.pseudo.retain(|(known, _)| known != name.as_bytes());
        if let Some(value) = value.into() {
            self.pseudo
                .push((name.as_bytes().to_vec(), value.as_bytes().to_vec()));
        }
        self
    }

    /// Sets `:authority`.
    #[must_use]
    pub fn authority(self, authority: &str) -> Self {
        self.pseudo(":authority", authority)
    }

    /// The address the connection comes from, with or without a port; an IPv6 address in brackets if with.
    #[must_use]
    pub fn source(mut self, address: impl Into<String>) -> Self {
        self.source = address.into();
        self
    }

    /// Comes without TLS.
    #[must_use]
    pub fn plaintext(mut self) -> Self {
        self.tls = false;
        self.pseudo(":scheme", "http")
    }

    /// Appends a piece of the body; each piece is a `proxy_on_request_body` of its own.
    #[must_use]
    pub fn body(mut self, piece: impl Into<Vec<u8>>) -> Self {
        self.body.push(piece.into());
        self
    }

    /// Adds a trailer.
    #[must_use]
    pub fn trailer(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.trailers.add(name, value);
        self
    }

    /// Sets an attribute of the stream, as its bytes look to the module: `["connection", "mtls"]` is `[1]`.
    ///
    /// Wins over what the host derives from the request itself.
    #[must_use]
    pub fn property(mut self, path: &[&str], value: impl Into<Vec<u8>>) -> Self {
        self.properties
            .push((path.join("\0").into_bytes(), value.into()));
        self
    }

    /// The address and port of the client.
    pub(crate) fn source_address(&self) -> (String, u16) {
        match self.source.parse::<std::net::SocketAddr>() {
            Ok(address) => (address.to_string(), address.port()),
            Err(_) if self.source.contains(':') => (format!("[{}]:40000", self.source), 40000),
            Err(_) => (format!("{}:40000", self.source), 40000),
        }
    }

    /// The address of the client without its port.
    fn source_ip(&self) -> String {
        match self.source.parse::<std::net::SocketAddr>() {
            Ok(address) => address.ip().to_string(),
            Err(_) => self.source.clone(),
        }
    }

    /// The headers the first filter sees behind an edge Envoy (`use_remote_address: true`).
    ///
    /// The client's address is appended to `x-forwarded-for` and is `x-envoy-external-address`.
    /// `x-forwarded-proto` says what the connection is, unless `trusted_hops` proxies in front are trusted
    /// to have said it. Names only Envoys may use among themselves are removed. `host` is `:authority`.
    pub fn head(&self, trusted_hops: u32, request_id: u64) -> Headers {
        let mut headers = Headers::new();
        for (name, value) in &self.pseudo {
            headers.set(name, value);
        }
        for (name, value) in &self.fields {
            if name.eq_ignore_ascii_case(b"host") {
                headers.set(":authority", value);
            } else {
                headers.add(name, value);
            }
        }
        for name in INTERNAL {
            headers.remove(name);
        }
        headers.add("x-forwarded-for", self.source_ip());
        if trusted_hops == 0 || !headers.contains("x-forwarded-proto") {
            headers.set("x-forwarded-proto", if self.tls { "https" } else { "http" });
        }
        headers.set("x-envoy-external-address", self.source_ip());
        headers.set(
            "x-request-id",
            format!("00000000-0000-4000-8000-{request_id:012x}"),
        );
        headers
    }
}

/// What Envoy 1.40 removes from an external request, found out by sending each.
const INTERNAL: [&str; 17] = [
    "x-envoy-decorator-operation",
    "x-envoy-downstream-service-cluster",
    "x-envoy-downstream-service-node",
    "x-envoy-expected-rq-timeout-ms",
    "x-envoy-external-address",
    "x-envoy-force-trace",
    "x-envoy-internal",
    "x-envoy-ip-tags",
    "x-envoy-max-retries",
    "x-envoy-original-host",
    "x-envoy-original-path",
    "x-envoy-retriable-header-names",
    "x-envoy-retriable-status-codes",
    "x-envoy-retry-on",
    "x-envoy-upstream-alt-stat-name",
    "x-envoy-upstream-rq-timeout-ms",
    "x-forwarded-client-cert",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(request: &Request, hops: u32, name: &str, expected: Option<&str>) {
        assert_eq!(request.head(hops, 0).text(name), expected, "{name}");
    }

    #[test]
    fn the_connection_manager_overwrites_what_an_untrusted_client_claims() {
        let request = Request::get("/x")
            .plaintext()
            .source("203.0.113.7")
            .header("X-Forwarded-Proto", "https")
            .header("X-Forwarded-For", "1.1.1.1")
            .header("X-Request-Id", "mine");
        check(&request, 0, "x-forwarded-proto", Some("http"));
        check(&request, 1, "x-forwarded-proto", Some("https"));
        check(&request, 0, "x-forwarded-for", Some("1.1.1.1,203.0.113.7"));
        check(
            &request,
            0,
            "x-request-id",
            Some("00000000-0000-4000-8000-000000000000"),
        );
    }

    #[test]
    fn cve_2023_27487_a_client_cannot_send_what_envoys_tell_each_other() {
        let request = Request::get("/")
            .header("X-Envoy-Original-Path", "/public")
            .header("x-envoy-external-address", "10.0.0.1");
        check(&request, 0, "x-envoy-original-path", None);
        check(&request, 0, "x-envoy-external-address", Some("192.0.2.1"));
        check(
            &Request::get("/").header("x-envoy-foo", "1"),
            0,
            "x-envoy-foo",
            Some("1"),
        );
    }

    #[test]
    fn two_authorization_headers_reach_a_filter_as_one() {
        let request = Request::get("/")
            .header("authorization", "a")
            .header("Authorization", "b");
        check(&request, 0, "authorization", Some("a,b"));
    }

    #[test]
    fn the_host_header_is_the_authority() {
        check(
            &Request::get("/").header("Host", "h"),
            0,
            ":authority",
            Some("h"),
        );
        check(&Request::get("/").pseudo(":path", None), 0, ":path", None);
    }

    #[test]
    fn a_source_has_a_port_whatever_was_given() {
        let source = |given: &str| Request::get("/").source(given).source_address().0;
        assert_eq!(source("203.0.113.7"), "203.0.113.7:40000");
        assert_eq!(source("203.0.113.7:9"), "203.0.113.7:9");
        assert_eq!(source("2001:db8::1"), "[2001:db8::1]:40000");
        assert_eq!(source("[2001:db8::1]:9"), "[2001:db8::1]:9");
    }
}
