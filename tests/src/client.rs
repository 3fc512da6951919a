//! An HTTP/1.1 client that sends exactly the bytes it is told.
//!
//! Request libraries parse, escape and refuse what a hostile client would send: a raw `#` in the path, bytes that are
//! not UTF-8 in a header, two `authorization` fields. This one writes the request line and the fields as given, and
//! parses only the answer. It reads bodies with `Content-Length`, in chunks, or up to the end of the connection.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use serde::de::DeserializeOwned;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// A request, kept as the bytes that are sent.
#[derive(Clone, Debug)]
pub struct Request {
    method: String,
    target: Vec<u8>,
    host: Option<String>,
    fields: Vec<(Vec<u8>, Vec<u8>)>,
    body: Vec<u8>,
}

impl Request {
    /// A request with this method and request target (RFC 9112 §3.2), and `Host: api.pymd.io`.
    pub fn new(method: &str, target: impl AsRef<[u8]>) -> Self {
        Self {
            method: method.into(),
            target: target.as_ref().into(),
            host: Some("api.pymd.io".into()),
            fields: Vec::new(),
            body: Vec::new(),
        }
    }

    /// A GET request.
    pub fn get(target: impl AsRef<[u8]>) -> Self {
        Self::new("GET", target)
    }

    /// Another `Host`, or none.
    #[must_use]
    pub fn host(mut self, host: Option<&str>) -> Self {
        self.host = host.map(Into::into);
        self
    }

    /// Adds a header field; called twice with one name, it is sent twice.
    #[must_use]
    pub fn header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.fields
            .push((name.as_ref().into(), value.as_ref().into()));
        self
    }

    /// Adds `Authorization: Bearer <token>` (RFC 6750 §2.1).
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// Sends a body, with its `Content-Length`.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        let length = self.body.len().to_string();
        self.header("content-length", length)
    }

    /// Sends the request on a connection of its own.
    pub async fn send(&self, address: SocketAddr) -> Result<Response> {
        Connection::open(address).await?.send(self).await
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = [self.method.as_bytes(), b" ", &self.target, b" HTTP/1.1\r\n"].concat();
        if let Some(host) = &self.host {
            bytes.extend_from_slice(format!("host: {host}\r\n").as_bytes());
        }
        for (name, value) in &self.fields {
            bytes.extend_from_slice(&[name, b": ".as_slice(), value, b"\r\n"].concat());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The header fields in order, names in lower case, values as text.
    pub headers: Vec<(String, String)>,
    /// The body, chunks joined.
    pub body: Vec<u8>,
}

impl Response {
    /// The first value of a header, named in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The body as text, whatever it is.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).with_context(|| format!("no JSON in {self:?}"))
    }
}

/// One connection, for requests one after the other.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)
            .await
            .with_context(|| format!("can't connect to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            received: Vec::new(),
        })
    }

    /// Sends a request and reads its answer; the connection serves the next one after that, unless the peer closed it.
    pub async fn send(&mut self, request: &Request) -> Result<Response> {
        self.send_raw(&request.bytes(), request.method == "HEAD")
            .await
    }

    /// Sends these bytes as they are and reads one answer, for which it waits a minute.
    pub async fn send_raw(&mut self, bytes: &[u8], is_head: bool) -> Result<Response> {
        timeout(ANSWER_WITHIN, self.exchange(bytes, is_head))
            .await
            .context("no answer within a minute")?
    }

    async fn exchange(&mut self, bytes: &[u8], is_head: bool) -> Result<Response> {
        // A peer that refuses early may close before it has read everything; its answer counts.
        let written = self.stream.write_all(bytes).await;
        let (head_length, mut response) = loop {
            if let Some(head) = parse_head(&self.received)? {
                break head;
            }
            if !self.receive().await? {
                written.context("can't send")?;
                bail!("the connection was closed before an answer");
            }
        };
        self.received.drain(..head_length);
        response.body = self.read_body(&response, is_head).await?;
        Ok(response)
    }

    async fn read_body(&mut self, head: &Response, is_head: bool) -> Result<Vec<u8>> {
        if is_head || head.status == 204 || head.status == 304 {
            return Ok(Vec::new());
        }
        if head.header("transfer-encoding") == Some("chunked") {
            return self.read_chunks().await;
        }
        if let Some(length) = head.header("content-length") {
            return self.take(length.parse()?).await;
        }
        while self.receive().await? {}
        Ok(std::mem::take(&mut self.received))
    }

    async fn read_chunks(&mut self) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            match httparse::parse_chunk_size(&self.received) {
                Ok(httparse::Status::Complete((line, size))) => {
                    self.take(line).await?;
                    body.extend(self.take(usize::try_from(size)?).await?);
                    ensure!(
                        self.take(2).await? == b"\r\n",
                        "a chunk does not end where it says"
                    );
                    if size == 0 {
                        return Ok(body);
                    }
                }
                Ok(httparse::Status::Partial) => {
                    ensure!(
                        self.receive().await?,
                        "the connection was closed amid a chunk size"
                    );
                }
                Err(_) => bail!("malformed chunk size"),
            }
        }
    }

    /// The next `length` bytes.
    async fn take(&mut self, length: usize) -> Result<Vec<u8>> {
        while self.received.len() < length {
            ensure!(
                self.receive().await?,
                "the connection was closed amid a body"
            );
        }
        let rest = self.received.split_off(length);
        Ok(std::mem::replace(&mut self.received, rest))
    }

    /// Receives some more; false at the end of the connection.
    async fn receive(&mut self) -> Result<bool> {
        Ok(self.stream.read_buf(&mut self.received).await? > 0)
    }
}

/// The length of the response head and the response without its body, `None` while the head is incomplete.
fn parse_head(bytes: &[u8]) -> Result<Option<(usize, Response)>> {
    let mut fields = [httparse::EMPTY_HEADER; 100];
    let mut parsed = httparse::Response::new(&mut fields);
    let httparse::Status::Complete(length) = parsed.parse(bytes)? else {
        return Ok(None);
    };
    let headers = parsed.headers.iter().map(|field| {
        let value = String::from_utf8_lossy(field.value).into_owned();
        (field.name.to_ascii_lowercase(), value)
    });
    let response = Response {
        status: parsed.code.context("a response head without a status")?,
        headers: headers.collect(),
        body: Vec::new(),
    };
    Ok(Some((length, response)))
}

const ANSWER_WITHIN: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// A peer that answers each of its connections with these bytes and closes it.
    async fn answer(bytes: &'static [u8]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 1024];
                let _length = stream.read(&mut request).await.unwrap();
                stream.write_all(bytes).await.unwrap();
            }
        });
        address
    }

    #[track_caller]
    fn check(seen: &Result<Response>, status: u16, body: &str) {
        let seen = seen.as_ref().unwrap();
        assert_eq!((seen.status, seen.text().as_str()), (status, body));
    }

    #[tokio::test]
    async fn bodies_end_by_length_by_chunks_or_with_the_connection() {
        let get = async |bytes| Request::get("/").send(answer(bytes).await).await;
        check(
            &get(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").await,
            200,
            "hi",
        );
        check(
            &get(b"HTTP/1.1 404 Not Found\r\n\r\ngone").await,
            404,
            "gone",
        );
        check(&get(b"HTTP/1.1 204 No Content\r\n\r\n").await, 204, "");
        let chunks =
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n1\r\n!\r\n0\r\n\r\n";
        check(&get(chunks).await, 200, "hi!");
    }

    #[tokio::test]
    async fn an_answer_that_breaks_off_is_an_error() {
        for bytes in [
            &b""[..],
            b"HTTP/1.1 200 OK\r\ncontent-len",
            b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nhi",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n",
        ] {
            assert!(Request::get("/").send(answer(bytes).await).await.is_err());
        }
    }

    #[test]
    fn hostile_bytes_go_out_as_they_are() {
        let request = Request::get(b"/a#b\xff")
            .host(None)
            .header("authorization", b"Bearer \xfe")
            .header("authorization", "Bearer b");
        assert_eq!(
            request.bytes(),
            b"GET /a#b\xff HTTP/1.1\r\nauthorization: Bearer \xfe\r\nauthorization: Bearer b\r\n\r\n"
        );
    }
}
