//! Many requests at once.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Result;
use tokio::task::JoinSet;

use crate::client::{Connection, Request, Response};

/// Sends the requests over so many connections at once, each connection taking the next request as soon as it has
/// its answer. The answers come in no particular order.
pub async fn send_all<I>(
    address: SocketAddr,
    connections: usize,
    requests: I,
) -> Result<Vec<Response>>
where
    I: IntoIterator<Item = Request>,
    I::IntoIter: Send + 'static,
{
    let requests = Arc::new(Mutex::new(requests.into_iter()));
    let mut clients = JoinSet::new();
    for _ in 0..connections {
        clients.spawn(client(address, Arc::clone(&requests)));
    }
    let mut answers = Vec::new();
    while let Some(of_one) = clients.join_next().await {
        answers.extend(of_one??);
    }
    Ok(answers)
}

async fn client<I: Iterator<Item = Request>>(
    address: SocketAddr,
    requests: Arc<Mutex<I>>,
) -> Result<Vec<Response>> {
    let next = || {
        requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .next()
    };
    let mut connection = Connection::open(address).await?;
    let mut answers = Vec::new();
    while let Some(request) = next() {
        let answer = connection.send(&request).await?;
        if answer.header("connection") == Some("close") {
            connection = Connection::open(address).await?;
        }
        answers.push(answer);
    }
    Ok(answers)
}
