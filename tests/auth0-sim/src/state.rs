//! The tenant's state, shared by the endpoints and by the test that holds the simulation.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use serde_json::{Map, Value};

use crate::{
    Client, Fault, SigningKey, TokenBuilder, grants::Grants, key_ring::KeyRing,
    routes::login::AuthorizationRequest, stats::Stats, token::LIFETIME_SECONDS,
};

/// Everything that changes, behind one lock; what doesn't, beside it.
#[derive(Debug)]
pub(crate) struct Tenant {
    pub(crate) issuer: String,
    pub(crate) jwks_cache_control: Option<String>,
    pub(crate) clients: Vec<Client>,
    started: Instant,
    changing: Mutex<Changing>,
}

/// The part under the lock.
#[derive(Debug)]
pub(crate) struct Changing {
    pub(crate) keys: KeyRing,
    pub(crate) stats: Stats,
    pub(crate) grants: Grants,
    /// Those who are at the login page, by the `state` of its address.
    pub(crate) logging_in: HashMap<String, AuthorizationRequest>,
    /// How many seconds the access tokens of logins are good for.
    pub(crate) access_token_lifetime: u64,
    /// What the Management API knows, by `user_id`.
    pub(crate) users: BTreeMap<String, Map<String, Value>>,
    /// Management API tokens that are good, with their scope.
    pub(crate) management_tokens: HashMap<String, String>,
    /// How many of them were ever issued.
    pub(crate) management_tokens_issued: u64,
    faults: HashMap<String, Armed>,
}

impl Tenant {
    pub(crate) fn new(
        issuer: String,
        jwks_cache_control: Option<String>,
        clients: Vec<Client>,
    ) -> Self {
        Self {
            issuer,
            jwks_cache_control,
            clients,
            started: Instant::now(),
            changing: Mutex::new(Changing {
                keys: KeyRing::default(),
                stats: Stats::default(),
                grants: Grants::default(),
                logging_in: HashMap::new(),
                access_token_lifetime: LIFETIME_SECONDS,
                users: BTreeMap::new(),
                management_tokens: HashMap::new(),
                management_tokens_issued: 0,
                faults: HashMap::new(),
            }),
        }
    }

    pub(crate) fn client(&self, client_id: Option<&str>) -> Option<&Client> {
        let client_id = client_id?;
        self.clients.iter().find(|it| it.client_id == client_id)
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Changing> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request, and gives the fault it is to meet with the keys published at that moment.
    pub(crate) fn arrival(&self, path: Option<&str>) -> Option<(Fault, Vec<SigningKey>)> {
        let mut changing = self.lock();
        changing.stats.record(path, self.started.elapsed());
        let fault = changing.next_fault(path?)?;
        Some((fault, changing.keys.published().to_vec()))
    }

    /// A valid token as the tenant issues it now.
    pub(crate) fn token(&self) -> TokenBuilder {
        TokenBuilder::valid(&self.issuer, now()).signed_with(self.lock().keys.signing().clone())
    }
}

/// Seconds since the epoch: the one place where the simulation reads the clock for what it hands out.
pub(crate) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since_epoch| since_epoch.as_secs())
}

impl Changing {
    /// Arms a fault for a path: for so many requests, or until it is cleared.
    pub(crate) fn arm(&mut self, path: &str, fault: Fault, times: Option<u32>) {
        let armed = Armed {
            fault,
            remaining: times,
        };
        self.faults.insert(path.into(), armed);
    }

    pub(crate) fn clear_faults(&mut self) {
        self.faults.clear();
    }

    fn next_fault(&mut self, path: &str) -> Option<Fault> {
        let armed = self.faults.get_mut(path)?;
        match &mut armed.remaining {
            None => {}
            Some(0) => {
                self.faults.remove(path);
                return None;
            }
            Some(remaining) => *remaining -= 1,
        }
        Some(armed.fault.clone())
    }
}

#[derive(Debug)]
struct Armed {
    fault: Fault,
    remaining: Option<u32>,
}
