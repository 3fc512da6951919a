//! Real sockets: where the server listens, and how it ends.

use std::collections::BTreeMap;
use std::time::Duration;

use api_server::config::Settings;
use api_server::run;
use auth0_sim::{Auth0Sim, Options};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{oneshot, watch};

use super::server::Storage;

#[tokio::test]
async fn requests_in_flight_are_answered_and_new_ones_are_not_taken() {
    let tenant = Auth0Sim::start(Options::default()).await.unwrap();
    let storage = Storage::create();
    let settings = Settings::read(&BTreeMap::from([
        ("API_ISSUER".to_owned(), tenant.issuer().to_owned()),
        ("API_LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
        ("API_INTERNAL_LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
        ("API_DATABASE_URL".to_owned(), storage.url()),
    ]))
    .unwrap();
    let (stop, stopped) = watch::channel(false);
    let (ready, addresses) = oneshot::channel();
    let serving = tokio::spawn(run::run(settings, stopped, move |public, internal| {
        ready.send((public, internal)).unwrap();
    }));
    let (public, internal) = addresses.await.unwrap();
    assert_ne!(public.port(), internal.port());

    // A request whose body is still on its way when the signal comes.
    let mut slow = TcpStream::connect(public).await.unwrap();
    slow.write_all(
        b"POST /healthz HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n",
    )
    .await
    .unwrap();
    let mut idle = TcpStream::connect(public).await.unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    let mut head = [0_u8; 15];
    idle.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 200 OK");

    stop.send(true).unwrap();
    let mut answer = String::new();
    slow.write_all(b"{}").await.unwrap();
    slow.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
    let ended = tokio::time::timeout(Duration::from_secs(60), serving).await;
    ended.unwrap().unwrap().unwrap();
    assert!(TcpStream::connect(public).await.is_err());
    assert!(TcpStream::connect(internal).await.is_err());
}
