//! The order of decisions, from a request's head to forward, wait or reply.
//!
//! 1. The path is normalised or refused; nothing before it looks at a route.
//! 2. Plain HTTP is redirected.
//! 3. A protected resource's metadata is served, and a CORS preflight answered; neither carries a token.
//! 4. A blocked address is refused.
//! 5. The first rule that matches decides; without one, the default, which requires a token.
//! 6. The token is taken, its provider found, its signature and claims verified.
//! 7. Revocations, then scopes, claims and the authentication are compared with what the rule asks for.
//! 8. Rate limits are counted.
//! 9. The rate limit service is asked, where it counts some of them.
//! 10. Identity headers are removed and set; the upstream sees the path that was judged.
//!
//! [`Gateway`] is one worker's end of all of this. It is called with plain data and the time, natively as in
//! wasm, and returns what to do.

mod authenticate;
mod authorize;
mod denial;
mod fetches;
mod forward;
mod keys;
mod limit;
mod needs;
mod ramp;
mod resource_metadata;
mod response;
mod revoked;
mod service;
mod session;
mod sight;
mod trace;

use std::cell::Cell;
use std::net::IpAddr;
use std::sync::Arc;

use crate::audit::{Auditor, StateField};
use crate::authority::Authority;
use crate::config::{Config, ConfigError, Mode, Requirement, Rule, TokenRequirement};
use crate::decision::{Decision, LocalReply, Mutations, Wait};
use crate::decision_id::{self, DecisionId, DecisionIds};
use crate::identity::IdentityHeaders;
use crate::path::RequestTarget;
use crate::rate_limit::{Fields, RateLimit};
use crate::rejection::Reason;
use crate::request::RequestHead;
use crate::revocation::{RevocationFeed, RevocationSettings};
use crate::route::Matcher;
use crate::session::Session;
use crate::signature::SignatureVerifier;
use crate::store::SharedStore;
use crate::store::seed::Seed;
use crate::time::UnixTime;
use crate::token_cache::{TokenCache, VerifiedToken};

use authenticate::Caller;
use denial::Denial;
use keys::ProviderKeys;
use ramp::is_only_watched;
use service::Question;
use session::SessionCookie;
use sight::Seen;
use trace::Listener;

pub use crate::token_cache::CacheFill;
pub use fetches::{Failure, FetchAnswer, FetchEvent, FetchHandle, Tick};
pub use keys::KeyStatus;
pub use needs::ConnectionNeeds;
pub use response::{ResponseMutation, ResponsePlan};
pub use service::Held;
pub use trace::{Event, Step};

/// One worker's end of the policy: the compiled configuration and the keys it has loaded.
#[derive(Debug)]
pub struct Gateway {
    config: Arc<Config>,
    matcher: Matcher,
    identity: IdentityHeaders,
    keys: Vec<ProviderKeys>,
    limits: Vec<RateLimit>,
    revocations: Option<RevocationFeed>,
    tokens: TokenCache,
    session: Option<SessionCookie>,
    ids: Option<DecisionIds>,
    audit: Option<Auditor>,
}

/// What a decision needs from the host: the time, what workers share, and a place to check signatures.
#[expect(
    missing_debug_implementations,
    reason = "a verifier need not be printable"
)]
pub struct Host<'h, S> {
    /// The time of this decision.
    pub now: UnixTime,
    /// What all workers of the proxy share.
    pub store: &'h mut S,
    /// Where signatures are checked.
    pub verifier: &'h mut dyn SignatureVerifier,
}

/// Whether a request may still be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// It may wait for keys and revocations.
    MayWait,
    /// It has waited long enough: decide now. The rate limit service may still be asked, which has a time of its own.
    Exhausted,
}

/// A decision, and what there is to say about it in metrics and audit lines.
#[derive(Debug)]
pub struct Judgement {
    /// What to do.
    pub decision: Decision,
    /// What to ask the rate limit service, and whom for: there where the decision is [`Wait::RateLimitService`].
    pub held: Option<Box<Held>>,
    /// Header fields that the answer to a forwarded request is to have too.
    pub answer_fields: Vec<(&'static str, String)>,
    /// The index of the rule that decided; `None` for the default and for what is refused before any rule.
    pub rule: Option<usize>,
    /// Why a rule in shadow mode would have denied what was forwarded.
    pub would_deny: Option<Reason>,
    /// The decision's name, where decisions have one.
    pub id: Option<DecisionId>,
    /// The audit line, where there is to be one.
    pub audit: Option<String>,
    /// What Envoy's access log is to know.
    pub filter_state: Vec<(StateField, String)>,
}

impl Judgement {
    /// A decision of which there is nothing to say.
    fn of(decision: Decision) -> Self {
        Self {
            decision,
            held: None,
            answer_fields: Vec::new(),
            rule: None,
            would_deny: None,
            id: None,
            audit: None,
            filter_state: Vec::new(),
        }
    }
}

/// A request that may go on.
#[derive(Debug)]
struct Passed {
    /// What letting it go on takes.
    mutations: Mutations,
    /// What its client may be told of its limits.
    told: Fields,
}

/// Why a request does not go on: each step ends with this or hands over to the next.
enum Stop {
    Wait(Wait),
    Deny(Denial),
    Reply(LocalReply),
}

impl From<Denial> for Stop {
    fn from(denial: Denial) -> Self {
        Self::Deny(denial)
    }
}

impl From<Reason> for Stop {
    fn from(reason: Reason) -> Self {
        Self::Deny(Denial::of(reason))
    }
}

/// What the rule that matched, or the default, asks for.
#[derive(Clone, Copy)]
enum Requires<'c> {
    Nothing,
    Token(&'c TokenRequirement),
}

/// What is known of a request once its path and its client are.
struct Request<'r> {
    head: RequestHead<'r>,
    target: RequestTarget<'r>,
    client: Option<IpAddr>,
    patience: Patience,
    listener: Listener<'r>,
    /// The session that its cookie brought, once that was opened.
    session: Option<Arc<Session>>,
    /// The provider that its token names, once that was found.
    provider: Cell<Option<usize>>,
    /// Its token, once that was verified.
    token: Option<Arc<VerifiedToken>>,
}

impl Gateway {
    /// A gateway for `config`. `proposal` is 16 random bytes; the workers of a proxy agree on one of theirs.
    ///
    /// # Errors
    /// Rules and header names that are right one by one and wrong together.
    pub fn new(
        config: Config,
        proposal: [u8; 16],
        store: &mut impl SharedStore,
    ) -> Result<Self, Vec<ConfigError>> {
        let seed = Seed::agree(proposal, store);
        let matches: Vec<_> = config
            .rules
            .iter()
            .map(|rule| rule.matches.clone())
            .collect();
        let matcher =
            Matcher::compile(&matches).map_err(|error| vec![ConfigError::at("rules", &error)])?;
        let names = config.providers.iter().flat_map(|provider| {
            provider
                .claim_to_headers
                .iter()
                .map(|claim| claim.header_name.as_ref())
        });
        let names = names.chain(config.decision_id.map(|_| decision_id::HEADER));
        let identity = IdentityHeaders::compile(names).map_err(|errors| {
            let at = |error| ConfigError::at("providers", error);
            errors.iter().map(at).collect::<Vec<_>>()
        })?;
        let keys = config
            .providers
            .iter()
            .map(|provider| ProviderKeys::new(provider, &seed))
            .collect();
        let scope = config.stat_prefix.clone();
        let limits = config
            .rate_limits
            .iter()
            .map(|limit| RateLimit::new(limit.clone(), &scope, seed))
            .collect();
        let feed = |settings: &RevocationSettings| RevocationFeed::new(settings.clone(), seed);
        let revocations = config.revocations.as_ref().map(feed);
        let tokens = TokenCache::new(config.token_cache_bytes, seed);
        let session = config
            .session
            .as_ref()
            .map(|settings| SessionCookie::new(settings, config.token_cache_bytes / 2, seed));
        let ids = config.decision_id.map(|it| DecisionIds::new(it, proposal));
        let audit = config.audit.clone().map(|it| Auditor::new(it, &seed));
        Ok(Self {
            config: Arc::new(config),
            matcher,
            identity,
            keys,
            limits,
            revocations,
            tokens,
            session,
            ids,
            audit,
        })
    }

    /// How full the cache of verified tokens is.
    pub fn token_cache_fill(&self) -> CacheFill {
        self.tokens.fill()
    }

    /// What decisions need to know of a connection, so that the host is asked for nothing else.
    pub fn needs(&self) -> ConnectionNeeds {
        ConnectionNeeds::of(&self.config)
    }

    /// The configuration this gateway was made of.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Decides one request. Called again for a request that waited, with the same head.
    pub fn on_request_headers<S: SharedStore>(
        &mut self,
        head: &RequestHead<'_>,
        patience: Patience,
        host: &mut Host<'_, S>,
    ) -> Judgement {
        self.decide(head, patience, host, Listener(None))
    }

    /// The same decision, and what led to it, told to `listener` while it is made.
    pub fn explain<S: SharedStore>(
        &mut self,
        head: &RequestHead<'_>,
        patience: Patience,
        host: &mut Host<'_, S>,
        listener: &dyn Fn(Event<'_>),
    ) -> Judgement {
        self.decide(head, patience, host, Listener(Some(listener)))
    }

    fn decide<S: SharedStore>(
        &mut self,
        head: &RequestHead<'_>,
        patience: Patience,
        host: &mut Host<'_, S>,
        listener: Listener<'_>,
    ) -> Judgement {
        let mut seen = Seen::default();
        match self.judge(head, patience, host, listener, &mut seen) {
            Ok((passed, Some(question))) => Judgement {
                rule: seen.rule,
                held: Some(Box::new(Held::new(question, passed, seen))),
                ..Judgement::of(Decision::Wait(Wait::RateLimitService))
            },
            Ok((passed, None)) => self.conclude(head, &seen, Ok(passed), host.now),
            Err(stop) => self.conclude(head, &seen, Err(stop), host.now),
        }
    }

    /// The judgement of a request: its decision, made into a reply where it is denied, and what is told of it.
    fn conclude(
        &mut self,
        head: &RequestHead<'_>,
        seen: &Seen,
        outcome: Result<Passed, Stop>,
        now: UnixTime,
    ) -> Judgement {
        let mut answer_fields = Vec::new();
        let decision = match outcome {
            Ok(passed) => {
                answer_fields = self.told_of_limits(passed.told);
                Decision::Forward(passed.mutations)
            }
            Err(Stop::Wait(wait)) => Decision::Wait(wait),
            Err(Stop::Deny(mut denial)) => {
                denial.resource_metadata = self.metadata_url(head).map(Into::into);
                Decision::Reply(self.dress(head, denial.reply(&self.config.errors)))
            }
            Err(Stop::Reply(reply)) => Decision::Reply(self.dress(head, reply)),
        };
        let mut judgement = Judgement {
            rule: seen.rule,
            would_deny: seen.would_deny,
            answer_fields,
            ..Judgement::of(decision)
        };
        self.tell(Some(head), seen, now, &mut judgement);
        judgement
    }

    /// Whether a field of this name is identity, in any spelling: such fields come from here only.
    pub fn is_identity(&self, name: &[u8]) -> bool {
        self.identity.is_identity(name)
    }

    fn judge<S: SharedStore>(
        &mut self,
        head: &RequestHead<'_>,
        patience: Patience,
        host: &mut Host<'_, S>,
        listener: Listener<'_>,
        seen: &mut Seen,
    ) -> Result<(Passed, Option<Question>), Stop> {
        listener.begin(Step::Path);
        let client = self.config.client_address.resolve(head);
        seen.client = client;
        let target = RequestTarget::of(head).map_err(|_| Reason::InvalidPath)?;
        let mut request = Request {
            head: *head,
            target,
            client,
            patience,
            listener,
            session: None,
            provider: Cell::new(None),
            token: None,
        };
        listener.tell(Event::Path(request.target.path()));
        listener.tell(Event::Client(client));
        self.redirect(&request)?;
        self.resource_metadata(&request)?;
        self.preflight(&request)?;
        self.blocked_address(&request, host.now)?;
        seen.rule = self.route(&request)?;
        seen.routed = true;
        listener.tell(Event::Rule(seen.rule));
        let config = Arc::clone(&self.config);
        let rule = seen.rule.and_then(|index| config.rules.get(index));
        // What is only watched is never held.
        if rule.is_some_and(|rule| rule.mode == Mode::Shadow) {
            request.patience = Patience::Exhausted;
        }
        let requires = rule.map_or(Requires::Token(&config.default), |rule| {
            match &rule.requires {
                Requirement::Public => Requires::Nothing,
                Requirement::Token(required) => Requires::Token(required),
            }
        });
        let admitted = self.admit(&mut request, rule, requires, host);
        seen.provider = request.provider.get();
        seen.token = request.token.take();
        let (caller, told) = match admitted {
            Ok(admitted) => admitted,
            Err(Stop::Deny(denial)) if is_only_watched(rule, seen.token.as_deref(), &request) => {
                seen.would_deny = Some(denial.reason);
                listener.tell(Event::WouldDeny(denial.reason));
                (Caller::Nobody, Fields::default())
            }
            Err(stop) => return Err(stop),
        };
        let question = rule
            .filter(|rule| !rule.service_limits.is_empty() && seen.would_deny.is_none())
            .filter(|_| !is_only_watched(rule, seen.token.as_deref(), &request))
            .and_then(|rule| self.question(&request, rule, &caller));
        listener.begin(Step::Forward);
        let mutations = self.forward(&request, requires, &caller)?;
        Ok((Passed { mutations, told }, question))
    }

    /// Steps 6 to 8: who calls, whether they may, and how often.
    fn admit<S: SharedStore>(
        &mut self,
        request: &mut Request<'_>,
        rule: Option<&Rule>,
        requires: Requires<'_>,
        host: &mut Host<'_, S>,
    ) -> Result<(Caller, Fields), Stop> {
        let caller = match requires {
            Requires::Nothing => {
                request.listener.tell(Event::Public);
                Caller::Nobody
            }
            Requires::Token(required) => {
                let caller = self.identify(request, rule, required, host)?;
                request.token = caller.token().cloned();
                self.revoked(request, &caller, host.now)?;
                request.listener.begin(Step::Authorization);
                self.authorize(request, required, &caller, host.now)?;
                caller
            }
        };
        let told = match rule {
            Some(rule) => self.limit(request, rule, &caller, host)?,
            None => Fields::default(),
        };
        Ok((caller, told))
    }

    /// Step 6, and the count of those who fail it.
    fn identify<S: SharedStore>(
        &mut self,
        request: &mut Request<'_>,
        rule: Option<&Rule>,
        required: &TokenRequirement,
        host: &mut Host<'_, S>,
    ) -> Result<Caller, Stop> {
        if let Some(rule) = rule {
            self.blocked(request, rule, host)?;
        }
        let identified = self.authenticate(request, required, host);
        if let (Some(rule), Err(Stop::Deny(denial))) = (rule, &identified)
            && denial.reason.row().error == Some("invalid_token")
        {
            self.count_failure(request, rule, host);
        }
        identified
    }

    fn redirect(&self, request: &Request<'_>) -> Result<(), Stop> {
        let Some(redirect) = &self.config.https_redirect else {
            return Ok(());
        };
        let scheme = self.config.client_address.scheme(&request.head);
        request.listener.begin(Step::HttpsRedirect);
        request.listener.tell(Event::Scheme(scheme));
        match redirect.location(&request.head, scheme, &request.target) {
            Ok(None) => Ok(()),
            Ok(Some(redirect)) => Err(Stop::Reply(denial::redirect(redirect))),
            Err(_) => Err(Reason::InvalidAuthority.into()),
        }
    }

    fn route(&self, request: &Request<'_>) -> Result<Option<usize>, Stop> {
        request.listener.begin(Step::Rule);
        // A host that is no host name would still match every rule without hosts, and reach an upstream that
        // reads it in its own way.
        let host = Authority::of(&request.head).map_err(|_| Reason::InvalidAuthority)?;
        let method = request.head.only(":method");
        let method = method.map_err(|_| Reason::InvalidAuthority)?;
        let method = str::from_utf8(method.unwrap_or_default());
        let method = method.map_err(|_| Reason::InvalidAuthority)?;
        Ok(self.matcher.find(host, method, request.target.path()))
    }

    fn refusal(&self, reason: Reason) -> Decision {
        Decision::Reply(Denial::of(reason).reply(&self.config.errors))
    }
}

#[cfg(test)]
mod tests;
