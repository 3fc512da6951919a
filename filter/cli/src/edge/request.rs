//! A request as an operator writes it, made into the head that Envoy would hand over.

use std::net::IpAddr;

use anyhow::{Result, bail};
use edge_auth_policy::credentials::TokenSource;
use edge_auth_policy::request::{HeaderField, RequestHead};
use proxy_wasm_host::Headers;

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    method: String,
    scheme: &'static str,
    authority: String,
    path: String,
    headers: Vec<(String, String)>,
    address: Option<IpAddr>,
    tls: bool,
}

impl Request {
    /// A request for `url`, which is taken as it is: no `..` is resolved and nothing is escaped, because a
    /// client need not either.
    ///
    /// # Errors
    /// The URL is neither `http(s)://host/path` nor a path.
    pub(crate) fn new(method: &str, url: &str) -> Result<Self> {
        let (scheme, rest) = match url.split_once("://") {
            Some(("https", rest)) => ("https", rest),
            Some(("http", rest)) => ("http", rest),
            None if url.starts_with('/') => {
                return Ok(Self::over("https", method, "edge-auth.invalid", url));
            }
            _ => bail!("{url:?} is no URL: write https://host/path, http://host/path or /path"),
        };
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let path = match path {
            "" => "/".to_owned(),
            path if path.starts_with('/') => path.to_owned(),
            path => format!("/{path}"),
        };
        Ok(Self::over(scheme, method, authority, &path))
    }

    fn over(scheme: &'static str, method: &str, authority: &str, path: &str) -> Self {
        Self {
            method: method.to_owned(),
            scheme,
            authority: authority.to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            address: Some(IpAddr::from([192, 0, 2, 1])),
            tls: scheme == "https",
        }
    }

    /// Adds a header field; its name is written in lower case, as Envoy does.
    pub(crate) fn header(&mut self, name: &str, value: &str) {
        self.headers
            .push((name.to_ascii_lowercase(), value.to_owned()));
    }

    /// Sets the address of the connection's peer; 192.0.2.1 where nothing else is said.
    pub(crate) fn came_from(&mut self, address: IpAddr) {
        self.address = Some(address);
    }

    /// Sets whether the connection is TLS; as the URL says where nothing else is said.
    pub(crate) fn over_tls(&mut self, tls: bool) {
        self.tls = tls;
    }

    /// Puts a token where the first of `sources` has it.
    pub(super) fn carry(&mut self, token: &str, sources: &[TokenSource]) {
        match sources.first() {
            Some(TokenSource::Header { name, value_prefix }) => {
                self.header(name, &format!("{value_prefix}{token}"));
            }
            Some(TokenSource::Cookie(name)) => self.header("cookie", &format!("{name}={token}")),
            Some(TokenSource::Query(name)) => {
                let and = if self.path.contains('?') { '&' } else { '?' };
                self.path = format!("{}{and}{name}={token}", self.path);
            }
            Some(TokenSource::WebSocketProtocol) => {
                self.header("sec-websocket-protocol", &format!("bearer, {token}"));
            }
            None => {}
        }
    }

    /// `GET https://api.example/documents`, without a token that stands in the query.
    pub(crate) fn shown(&self) -> String {
        let path = self.path.split('?').next().unwrap_or_default();
        format!("{} {}://{}{path}", self.method, self.scheme, self.authority)
    }

    /// The method.
    pub(super) fn method(&self) -> &str {
        &self.method
    }

    /// The request as it reaches the proxy.
    pub(super) fn received(&self) -> proxy_wasm_host::Request {
        let mut request = proxy_wasm_host::Request::new(&self.method, &self.path);
        if !self.tls {
            request = request.plaintext();
        }
        if let Some(address) = self.address {
            request = request.source(address.to_string());
        }
        let request = request
            .authority(&self.authority)
            .pseudo(":scheme", self.scheme);
        let fields = self.headers.iter();
        fields.fold(request, |request, (name, value)| {
            request.header(name, value)
        })
    }

    /// The header fields that a filter sees: a proxy has appended the peer's address to `x-forwarded-for`, and
    /// joined what must not be there twice.
    pub(super) fn head(&self, trusted_hops: u8) -> Headers {
        self.received().head(trusted_hops.into(), 1)
    }

    /// These `fields` as the policy is given them.
    pub(super) fn given<'f>(&self, fields: &'f [HeaderField<'f>]) -> RequestHead<'f> {
        RequestHead {
            headers: fields,
            source_address: self.address,
            tls: self.tls,
        }
    }
}
