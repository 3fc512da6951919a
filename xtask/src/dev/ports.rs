//! Loopback ports: the one asked for, or a usual one, or any free one.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context, Result, bail};

/// The port for `purpose`: `asked` if it was given with `option`, else `usual` if it is free, else any.
///
/// Nothing holds it until the server it is for starts, so that server's own error is the last word.
///
/// # Errors
///
/// When the port that was asked for is taken.
pub(super) fn choose(purpose: &str, option: &str, asked: Option<u16>, usual: u16) -> Result<u16> {
    match asked {
        Some(port) => match free(port) {
            Some(port) => Ok(port),
            None => bail!(
                "port {port} for {purpose} is taken.\n\
                 Next step: end what listens there (`lsof -i :{port}` names it), or give another {option}"
            ),
        },
        None => match free(usual) {
            Some(port) => Ok(port),
            None => free_port(),
        },
    }
}

/// Any free port.
pub(super) const ANY: u16 = 0;

/// A port nobody listens on.
///
/// # Errors
///
/// When there is none on 127.0.0.1.
pub(crate) fn free_port() -> Result<u16> {
    free(ANY).context("no port is free on 127.0.0.1")
}

fn free(port: u16) -> Option<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()?;
    Some(listener.local_addr().ok()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_that_was_asked_for_is_an_error_with_the_next_step() {
        let held = TcpListener::bind((Ipv4Addr::LOCALHOST, ANY)).unwrap();
        let port = held.local_addr().unwrap().port();
        let error = choose("HTTPS", "--https-port", Some(port), ANY).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains(&port.to_string()) && text.contains("--https-port"),
            "{text}"
        );
    }

    #[test]
    fn a_usual_port_that_is_taken_gives_way_to_a_free_one() {
        let held = TcpListener::bind((Ipv4Addr::LOCALHOST, ANY)).unwrap();
        let port = held.local_addr().unwrap().port();
        assert_ne!(choose("HTTPS", "--https-port", None, port).unwrap(), port);
    }
}
