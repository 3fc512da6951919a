//! Writes as the stores make them: durable together, undone alone.

use std::sync::Arc;

use api_server::database::{Connection, Database, Error};
use tokio::sync::Notify;

use super::server::{Server, Storage};

async fn add(tx: &mut Connection, subject: &str) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO users (subject, change_seq, created_at) VALUES ($1, 0, 0)",
        api_server::args![subject],
    )
    .await?;
    Ok(())
}

/// A store's own error, which no statement made.
#[derive(Debug)]
enum Refused {
    OnPurpose,
    Database,
}

impl From<Error> for Refused {
    fn from(_: Error) -> Self {
        Self::Database
    }
}

async fn subjects(server: &Server) -> Vec<String> {
    let mut connection = server.app.database.read().await.unwrap();
    let rows: Vec<(String,)> = connection
        .fetch_all("SELECT subject FROM users ORDER BY subject", &[])
        .await
        .unwrap();
    rows.into_iter().map(|(subject,)| subject).collect()
}

#[tokio::test]
async fn of_writes_that_wait_together_each_stays_or_goes_alone() {
    let server = Server::start().await;
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let first = tokio::spawn({
        let (database, begun, go_on) = (server.app.database.clone(), begun.clone(), go_on.clone());
        async move {
            let work = database.write::<(), Error, _>(move |tx| {
                Box::pin(async move {
                    begun.notify_one();
                    go_on.notified().await;
                    add(tx, "first").await
                })
            });
            work.await
        }
    });
    begun.notified().await;
    // These find the writer busy: in `SQLite` they will share a transaction.
    let database = &server.app.database;
    let same = database.write::<(), Error, _>(|tx| {
        Box::pin(async move {
            add(tx, "undone").await?;
            // A constraint: the statement fails, and the write with it.
            add(tx, "undone").await
        })
    });
    let refused = database.write::<(), Refused, _>(|tx| {
        Box::pin(async move {
            add(tx, "refused").await?;
            Err(Refused::OnPurpose)
        })
    });
    let kept = database.write::<(), Error, _>(|tx| Box::pin(add(tx, "kept")));
    let release = async { go_on.notify_one() };
    let (same, refused, kept, ()) = futures::join!(same, refused, kept, release);
    first.await.unwrap().unwrap();
    assert!(matches!(same, Err(Error::Statement(_))), "{same:?}");
    assert!(matches!(refused, Err(Refused::OnPurpose)), "{refused:?}");
    kept.unwrap();
    assert_eq!(subjects(&server).await, ["first", "kept"]);
}

#[tokio::test]
async fn a_write_that_panics_leaves_nothing_and_the_next_one_goes_on() {
    let server = Server::start().await;
    let database = &server.app.database;
    let panicked = database
        .write::<(), Error, _>(|tx| {
            Box::pin(async move {
                add(tx, "lost").await?;
                panic!("on purpose")
            })
        })
        .await;
    assert!(matches!(panicked, Err(Error::Panicked)), "{panicked:?}");
    let next = database.write::<(), Error, _>(|tx| Box::pin(add(tx, "next")));
    next.await.unwrap();
    assert_eq!(subjects(&server).await, ["next"]);
}

/// Replicas are started together, on a database nobody has prepared.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_start_at_once_all_find_the_schema() {
    let storage = Storage::create();
    let url = storage.url().parse().unwrap();
    let databases = futures::future::join_all((0..8).map(|_| Database::open(&url, 1))).await;
    for database in databases {
        let database = database.unwrap();
        let mut connection = database.read().await.unwrap();
        let rows: Vec<(String,)> = connection
            .fetch_all("SELECT subject FROM users", &[])
            .await
            .unwrap();
        assert!(rows.is_empty());
        drop(connection);
        database.close().await;
    }
}
