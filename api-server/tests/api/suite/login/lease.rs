//! Who may call the provider for a session, and what becomes of it when a browser or a replica goes away meanwhile.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use api_server::clock::Clock as _;
use api_server::sessions::store;
use api_server::timestamp::Timestamp;
use axum::http::{Method, StatusCode};

use super::refresh::refresh;
use super::{Browser, SESSION, Site};
use crate::suite::provider::Misbehaviour;

/// Runs `future` until it was polled so often and has not ended; then it is dropped, as a request is whose browser
/// went away.
async fn poll_at_most<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            // What has no polls left would be woken for nothing.
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Enough for a request that waits for another to have looked whether it is its turn: one poll begins to look, one
/// takes the answer and begins to wait, and one more begins to look again.
const LOOKED: usize = 3;

async fn row(site: &Site, browser: &Browser) -> store::Stored {
    let mut connection = site.server.app.database.read().await.unwrap();
    let id = browser.session().session_id;
    store::find(&mut connection, &id).await.unwrap().unwrap()
}

fn refreshes(site: &Site) -> u64 {
    site.provider.refreshes.load(Ordering::SeqCst)
}

/// The provider has rotated the refresh token by then: given up, the next refresh would look like theft.
#[tokio::test]
async fn a_browser_that_goes_away_during_a_refresh_keeps_its_session() {
    let site = Site::start().await;
    let mut browser = site.log_in("auth0|u").await;
    site.provider.hold();
    tokio::select! {
        reply = browser.peek(refresh(&site.server)) => panic!("{}", reply.text()),
        () = site.provider.until_held() => {}
    }
    site.provider.release();
    let reply = browser.send(refresh(&site.server)).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    assert_eq!(refreshes(&site), 1);
    site.server.advance(Duration::from_mins(5));
    let reply = browser.send(refresh(&site.server)).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
}

/// A lease that is taken and not used would keep everybody out until it is over.
#[tokio::test]
async fn a_browser_may_go_away_at_any_moment_of_a_refresh() {
    let site = Site::start().await;
    for polls in 0.. {
        let mut browser = site.log_in(&format!("auth0|{polls}")).await;
        let first = poll_at_most(polls, browser.peek(refresh(&site.server))).await;
        let reply = browser.send(refresh(&site.server)).await;
        assert_eq!(reply.status, StatusCode::OK, "{polls}: {}", reply.text());
        if first.is_some() {
            assert!(polls > 1, "it never waited");
            return;
        }
    }
}

#[tokio::test]
async fn the_lease_of_a_replica_that_died_is_over_after_half_a_minute() {
    let site = Site::start().await;
    let mut browser = site.log_in("auth0|u").await;
    let id = browser.session().session_id.to_string();
    let now = Timestamp::from(site.server.clock.now()).as_millis();
    let until = Timestamp::from_millis(now + 30_000);
    let database = &site.server.app.database;
    database
        .write(move |tx| Box::pin(async move { store::take_lease(tx, &id, until).await }))
        .await
        .unwrap();
    site.server.advance(Duration::from_millis(29_999));
    let early = poll_at_most(LOOKED, browser.peek(refresh(&site.server))).await;
    assert!(early.is_none() && refreshes(&site) == 0);
    site.server.advance(Duration::from_millis(1));
    let reply = browser.send(refresh(&site.server)).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    assert_eq!(refreshes(&site), 1);
}

#[tokio::test]
async fn a_lease_holds_for_half_a_minute_over_all_replicas() {
    let site = Site::start().await;
    let replica = site.replica().await;
    let browser = site.log_in("auth0|u").await;
    site.provider.hold();
    let first = tokio::spawn({
        let (call, mut tab) = (refresh(&site.server), browser.clone());
        async move { tab.send(call).await }
    });
    site.provider.until_held().await;
    site.server.advance(Duration::from_millis(29_999));
    let second = poll_at_most(LOOKED, browser.peek(refresh(&replica))).await;
    assert!(second.is_none(), "{}", second.unwrap().text());
    site.provider.release();
    assert_eq!(first.await.unwrap().status, StatusCode::OK);
    let third = browser.peek(refresh(&replica)).await;
    assert_eq!(third.status, StatusCode::OK, "{}", third.text());
    assert_eq!(refreshes(&site), 1);
}

/// What ends a session while its tokens are renewed has the last word: no token comes back into the row.
#[tokio::test]
async fn a_session_that_ends_during_its_refresh_stays_ended() {
    for misbehaviour in [Misbehaviour::None, Misbehaviour::UnpublishedKey] {
        let site = Site::start().await;
        let mut browser = site.log_in("auth0|u").await;
        site.provider.misbehave(misbehaviour);
        site.provider.hold();
        let refreshing = tokio::spawn({
            let (call, mut tab) = (refresh(&site.server), browser.clone());
            async move { (tab.send(call).await, tab) }
        });
        site.provider.until_held().await;
        let ended = browser.clone();
        let logout = site.server.request(Method::POST, "/api/v1/auth/logout");
        assert_eq!(browser.send(logout).await.status, StatusCode::OK);
        site.provider.release();
        let (reply, tab) = refreshing.await.unwrap();
        if misbehaviour == Misbehaviour::None {
            assert_eq!(reply.json()["error"], "invalid_session");
            assert!(!tab.cookies.contains_key(SESSION));
        } else {
            // Nobody knows yet whether the tokens were good; the next try is told that the session is over.
            assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
        }
        let row = row(&site, &ended).await;
        assert_eq!((row.access_token.as_str(), row.generation), ("", 1));
        assert!(row.refresh_token.is_none() && row.revoked_at.is_some());
        assert_eq!(site.revoked_sessions().await, [row.id]);
    }
}
