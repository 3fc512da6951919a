//! The issuer's keys: the policy's state machine, driven by one task.
//!
//! The machine decides when to fetch and which keys may be used; this file only carries requests and answers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use edge_auth_policy::jwk::KeySet;
use edge_auth_policy::jwks::{JwksSettings, Location, RemoteKeys, Source, UnknownKeyId};
use edge_auth_policy::store::MemoryStore;
use edge_auth_policy::store::fetch::{Fetch, Outcome, Response};
use edge_auth_policy::time::UnixTime;
use tokio::sync::{Notify, watch};
use url::Url;

use crate::clock::Clock;
use crate::config::KeySettings;

/// The key set of one issuer.
#[derive(Debug)]
pub struct Keys {
    machine: Mutex<Machine>,
    client: reqwest::Client,
    origin: Url,
    timeout: Duration,
    /// Counts the attempts that ended.
    settled: watch::Sender<u64>,
    wake: Notify,
}

#[derive(Debug)]
struct Machine {
    remote: RemoteKeys,
    store: MemoryStore,
    /// What `remote` has loaded, to be shared without a copy.
    loaded: Option<Arc<KeySet>>,
}

impl Machine {
    fn reload(&mut self, now: UnixTime) {
        self.loaded = self.remote.usable(now).cloned().map(Arc::new);
    }
}

/// How often the machine is asked whether something is due.
const TICK: Duration = Duration::from_secs(1);

impl Keys {
    /// Keys to be fetched from `uri` once [`Keys::run`] is polled.
    ///
    /// # Errors
    /// The machine has no usable TLS configuration.
    pub fn new(uri: &Url, settings: KeySettings) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            // The operator named one place; a redirect would name another (CVE-2026-41413).
            .redirect(reqwest::redirect::Policy::none())
            .user_agent("edge-auth-api-server")
            .build()?;
        let location = Location {
            authority: uri.authority().to_owned(),
            path: uri[url::Position::BeforePath..url::Position::AfterQuery].to_owned(),
        };
        let machine = JwksSettings {
            cache_duration: settings.cache_duration,
            max_stale: settings.max_stale,
            unknown_kid_cooldown: settings.cooldown,
            timeout: settings.timeout,
            ..JwksSettings::new("", Source::Jwks(location))
        };
        Ok(Self {
            machine: Mutex::new(Machine {
                remote: RemoteKeys::new(machine, rand::random()),
                store: MemoryStore::default(),
                loaded: None,
            }),
            client,
            origin: uri.clone(),
            timeout: settings.timeout,
            settled: watch::Sender::new(0),
            wake: Notify::new(),
        })
    }

    /// Fetches and refreshes, for ever.
    pub async fn run(self: Arc<Self>, clock: Arc<dyn Clock>) {
        loop {
            let poll = {
                let Machine { remote, store, .. } = &mut *self.lock();
                remote.poll(clock.now(), store)
            };
            if let Some(fetch) = poll.fetch {
                self.carry_out(fetch, clock.as_ref()).await;
                self.settled.send_modify(|count| *count += 1);
                continue;
            }
            let _ = tokio::time::timeout(TICK, self.wake.notified()).await;
        }
    }

    /// The keys that may be used now; `None` means 503.
    pub fn usable(&self, now: UnixTime) -> Option<Arc<KeySet>> {
        let machine = self.lock();
        if machine.remote.usable(now).is_none() {
            // Whoever asks shouldn't wait for the next tick; the machine itself bounds how often it fetches.
            self.wake.notify_one();
            return None;
        }
        machine.loaded.clone()
    }

    /// A token names a key that `usable` does not have: waits for a fetch if one may be made. Answers whether
    /// looking again makes sense.
    pub async fn await_unknown(&self, now: UnixTime) -> bool {
        let mut settled = self.settled.subscribe();
        settled.borrow_and_update();
        let answer = {
            let Machine { remote, store, .. } = &mut *self.lock();
            remote.on_unknown_key_id(now, store)
        };
        match answer {
            UnknownKeyId::KeysChanged => true,
            UnknownKeyId::CoolingDown { .. } => false,
            UnknownKeyId::FetchPending => {
                self.wake.notify_one();
                tokio::time::timeout(self.timeout, settled.changed())
                    .await
                    .is_ok()
            }
        }
    }

    async fn carry_out(&self, fetch: Fetch, clock: &dyn Clock) {
        let mut next = Some(fetch);
        while let Some(fetch) = next.take() {
            let answer = tokio::time::timeout(fetch.timeout, self.send(&fetch)).await;
            let machine = &mut *self.lock();
            let Machine { remote, store, .. } = machine;
            let now = clock.now();
            let outcome = match &answer {
                Ok(Ok((status, headers, body))) => {
                    let headers: Vec<_> = headers
                        .iter()
                        .map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()))
                        .collect();
                    let response = Response {
                        status: *status,
                        headers: &headers,
                        body,
                    };
                    remote.on_response(fetch.id, now, &response, store)
                }
                Ok(Err(_)) | Err(_) => remote.on_failure(fetch.id, now, store),
            };
            match outcome {
                Outcome::Changed => {
                    machine.reload(now);
                    tracing::info!("the issuer's keys were loaded");
                }
                Outcome::Failed(failure) => {
                    tracing::warn!(reason = failure.reason(), "the issuer's keys: {failure}");
                }
                Outcome::Continue(fetch) => next = Some(fetch),
                Outcome::Unchanged | Outcome::Ignored => {}
            }
        }
    }

    async fn send(
        &self,
        fetch: &Fetch,
    ) -> Result<(u16, reqwest::header::HeaderMap, Vec<u8>), reqwest::Error> {
        let mut url = self.origin.clone();
        let (path, query) = match fetch.path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (fetch.path.as_str(), None),
        };
        url.set_path(path);
        url.set_query(query);
        let mut response = self.client.get(url).send().await?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let mut body = Vec::new();
        // A body without end is cut just past the limit, where the machine refuses it.
        while let Some(chunk) = response.chunk().await? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_BODY_BYTES {
                break;
            }
        }
        Ok((status, headers, body))
    }

    fn lock(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Read at most; the machine's own limit lies below.
const MAX_BODY_BYTES: usize = 1 << 20;
