//! One plain HTTP request on loopback: enough to ask whether a server is ready and to have a token made.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result};

const TIMEOUT: Duration = Duration::from_secs(5);

/// The status of `GET path`.
///
/// # Errors
///
/// When nobody answers in HTTP.
pub(crate) fn status(address: SocketAddr, path: &str) -> Result<u16> {
    status_with(address, path, "")
}

/// The status of `GET path` with a bearer token.
///
/// # Errors
///
/// When nobody answers in HTTP.
pub(crate) fn status_with_token(address: SocketAddr, path: &str, token: &str) -> Result<u16> {
    status_with(address, path, &format!("authorization: Bearer {token}\r\n"))
}

/// The body of the answer to `GET path`.
///
/// # Errors
///
/// When nobody answers in HTTP, or not with 200.
pub(crate) fn get(address: SocketAddr, path: &str) -> Result<String> {
    let (status, body) = exchange(address, &request(path, ""))?;
    anyhow::ensure!(status == 200, "{path} answered {status}: {body}");
    Ok(body)
}

/// Where `http://ADDRESS`, as servers print it, is.
pub(crate) fn address(url: &str) -> Option<SocketAddr> {
    url.strip_prefix("http://")?
        .trim_end_matches('/')
        .parse()
        .ok()
}

/// Status and body of the answer to a request with a bearer token: a POST with JSON where there is a body.
///
/// # Errors
///
/// When nobody answers in HTTP.
pub(crate) fn ask(
    address: SocketAddr,
    path: &str,
    token: &str,
    body: Option<&str>,
) -> Result<(u16, String)> {
    let fields = format!("authorization: Bearer {token}\r\n");
    let request = match body {
        None => request(path, &fields),
        Some(body) => post(path, &fields, body),
    };
    exchange(address, &request)
}

fn status_with(address: SocketAddr, path: &str, fields: &str) -> Result<u16> {
    Ok(exchange(address, &request(path, fields))?.0)
}

fn request(path: &str, fields: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{fields}\r\n")
}

/// The body of the answer to `POST path` with a JSON body.
///
/// # Errors
///
/// When nobody answers in HTTP, or not with 200.
pub(crate) fn post_json(address: SocketAddr, path: &str, body: &str) -> Result<String> {
    let (status, body) = exchange(address, &post(path, "", body))?;
    anyhow::ensure!(status == 200, "{path} answered {status}: {body}");
    Ok(body)
}

fn post(path: &str, fields: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n{fields}\r\n{body}",
        body.len()
    )
}

/// The answer ends with the connection. Envoy refuses HTTP/1.0, so it has to be asked to close.
fn exchange(address: SocketAddr, request: &str) -> Result<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").context("no HTTP answer")?;
    let status = head.split(' ').nth(1).context("no status line")?.parse()?;
    Ok((status, body.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_from_what_servers_print() {
        let expected: SocketAddr = ([127, 0, 0, 1], 80).into();
        assert_eq!(address("http://127.0.0.1:80"), Some(expected));
        assert_eq!(address("http://127.0.0.1:80/"), Some(expected));
        assert_eq!(address("https://127.0.0.1:80"), None);
    }
}
