//! Step 6: who calls. The token is taken from where its provider allows it, and verified or refused.

use std::sync::Arc;

use super::forward::identity_fields;
use super::keys::ProviderKeys;
use super::trace::{Event, Step};
use super::{Gateway, Host, Patience, Request, Stop};
use crate::config::TokenRequirement;
use crate::cors::Cors;
use crate::cors::csrf::is_cross_site;
use crate::credentials::{self, UnverifiedCredential};
use crate::decision::Wait;
use crate::jwks::UnknownKeyId;
use crate::jwt::{self, UnverifiedToken, VerifiedClaims};
use crate::pipeline::denial::Denial;
use crate::rejection::Reason;
use crate::store::SharedStore;
use crate::time::UnixTime;
use crate::token_cache::{RefusedBy, VerifiedToken};

/// Who a request comes from, as far as its rule asks.
#[derive(Debug)]
pub(super) enum Caller {
    /// Nobody is known: the rule is public, or its token is optional and absent.
    Nobody,
    /// The bearer of a verified token.
    Bearer(Arc<VerifiedToken>),
}

impl Caller {
    pub(super) fn claims(&self) -> Option<&VerifiedClaims> {
        match self {
            Self::Nobody => None,
            Self::Bearer(token) => Some(&token.claims),
        }
    }

    pub(super) const fn token(&self) -> Option<&Arc<VerifiedToken>> {
        match self {
            Self::Nobody => None,
            Self::Bearer(token) => Some(token),
        }
    }
}

impl Gateway {
    pub(super) fn authenticate<S: SharedStore>(
        &mut self,
        request: &mut Request<'_>,
        required: &TokenRequirement,
        host: &mut Host<'_, S>,
    ) -> Result<Caller, Stop> {
        request.listener.begin(Step::Credential);
        self.open_session(request, host.now)?;
        let request = &*request;
        let Some(credential) = self.credential(request, required)? else {
            // "Optional" means absent, and only absent: CVE-2021-21378 read it otherwise.
            return if required.optional {
                request.listener.tell(Event::NoToken);
                Ok(Caller::Nobody)
            } else {
                Err(Denial::of(Reason::MissingToken).asking_for(required).into())
            };
        };
        self.refuse_cross_site(request, credential)?;
        request.listener.begin(Step::Provider);
        let verified = if let Some(verified) =
            self.remembered(request, credential.token, required, host.now)
        {
            request.provider_found(verified.provider);
            request.listener.begin(Step::Verification);
            verified
        } else {
            if credential.is_joined() {
                return Err(Reason::SeveralTokens.into());
            }
            let token = UnverifiedToken::parse(credential.token).map_err(Reason::from)?;
            let provider = token
                .unverified_issuer()
                .and_then(|issuer| self.provider(request, issuer, required))
                .ok_or(Reason::WrongIssuer)?;
            request.provider_found(provider);
            request.listener.begin(Step::Verification);
            self.verify(request, credential.token, token, provider, host)?
        };
        let mut audiences = required.audiences.iter();
        if !required.audiences.is_empty() && !audiences.any(|it| verified.claims.has_audience(it)) {
            return Err(Reason::WrongAudience.into());
        }
        Ok(Caller::Bearer(verified))
    }

    /// The one token in the session cookie and the places that the requirement's providers name.
    fn credential<'r>(
        &self,
        request: &'r Request<'_>,
        required: &TokenRequirement,
    ) -> Result<Option<UnverifiedCredential<'r>>, Stop> {
        let mut found = request.session_credential();
        for provider in required
            .providers
            .iter()
            .filter_map(|&p| self.config.providers.get(p))
        {
            let taken = credentials::take(&request.head, request.target.query(), &provider.sources)
                .map_err(|_| Reason::SeveralTokens)?;
            found = match (found, taken) {
                (Some(first), Some(second)) if first.token != second.token => {
                    return Err(Reason::SeveralTokens.into());
                }
                (Some(first), Some(second)) => Some(UnverifiedCredential {
                    only_by_cookie: first.only_by_cookie && second.only_by_cookie,
                    ..first
                }),
                (first, second) => first.or(second),
            };
        }
        Ok(found)
    }

    /// A browser sends a cookie along whichever page made the request: an unsafe one must come from here.
    fn refuse_cross_site(
        &self,
        request: &Request<'_>,
        credential: UnverifiedCredential<'_>,
    ) -> Result<(), Stop> {
        let scheme = self.config.client_address.scheme(&request.head);
        let allowed = self.config.cors.as_ref().map_or(&[][..], Cors::origins);
        if credential.only_by_cookie && is_cross_site(&request.head, scheme, allowed) {
            return Err(Reason::CrossSite.into());
        }
        Ok(())
    }

    /// The first provider whose issuer this is, if the token stands where that provider's may. The name is not
    /// trusted yet: it chooses whose keys the signature is checked with, and those keys then say whether the
    /// name was right.
    fn provider(
        &self,
        request: &Request<'_>,
        issuer: &str,
        required: &TokenRequirement,
    ) -> Option<usize> {
        // Where there is one provider, the token was found in its places.
        let is_only = required.providers.len() == 1;
        let accepts = |index: &&usize| {
            self.config.providers.get(**index).is_some_and(|provider| {
                let (head, query) = (&request.head, request.target.query());
                // A session's token is where it may be, whoever issued it.
                provider.profile.issuers.iter().any(|own| **own == *issuer)
                    && (is_only
                        || request.session.is_some()
                        || matches!(
                            credentials::take(head, query, &provider.sources),
                            Ok(Some(_))
                        ))
            })
        };
        required.providers.iter().find(accepts).copied()
    }

    /// The token, if it was verified before and would be verified again: with the same provider, by a key that is
    /// still in its key set, at this time.
    fn remembered(
        &mut self,
        request: &Request<'_>,
        credential: &[u8],
        required: &TokenRequirement,
        now: UnixTime,
    ) -> Option<Arc<VerifiedToken>> {
        let verified = self.tokens.verified(credential)?;
        let claims = &verified.claims;
        // The same token may belong to another provider on another route.
        if self.provider(request, claims.issuer(), required) != Some(verified.provider) {
            return None;
        }
        let settings = self.config.providers.get(verified.provider)?;
        // Without keys the answer is 503, for this token as for any other.
        let keys = self.keys.get_mut(verified.provider)?.usable(now)?;
        if claims.still_hold(&settings.profile, keys, now) {
            return Some(Arc::clone(verified));
        }
        self.tokens.forget(credential);
        None
    }

    fn verify<S: SharedStore>(
        &mut self,
        request: &Request<'_>,
        credential: &[u8],
        token: UnverifiedToken<'_>,
        provider: usize,
        host: &mut Host<'_, S>,
    ) -> Result<Arc<VerifiedToken>, Stop> {
        let (Some(settings), Some(keys)) = (
            self.config.providers.get(provider),
            self.keys.get_mut(provider),
        ) else {
            return Err(Reason::Internal.into());
        };
        let mut parsed = Some(token);
        // Twice at most: the second time with keys that another worker fetched meanwhile.
        for _ in 0..2 {
            let Some(set) = keys.usable(host.now) else {
                let may_wait = request.patience == Patience::MayWait && !keys.is_failing();
                return Err(if may_wait {
                    Stop::Wait(Wait::FirstKeys)
                } else {
                    unavailable(keys, host.now).into()
                });
            };
            let refused_by = RefusedBy {
                provider,
                keys: set.id(),
            };
            if self.tokens.refused(credential) == Some(refused_by) {
                return Err(Reason::from(jwt::Error::SignatureMismatch).into());
            }
            let token = match parsed.take() {
                Some(token) => token,
                None => UnverifiedToken::parse(credential).map_err(Reason::from)?,
            };
            match jwt::verify(token, &settings.profile, set, host.verifier, host.now) {
                Ok(claims) => {
                    let identity = identity_fields(settings, &claims)?;
                    let verified = Arc::new(VerifiedToken::new(provider, claims, identity));
                    self.tokens.remember(credential, &verified);
                    return Ok(verified);
                }
                Err(jwt::Error::UnknownKeyId) => {}
                Err(error) => {
                    if error == jwt::Error::SignatureMismatch {
                        self.tokens.refuse(credential, refused_by);
                    }
                    return Err(Reason::from(error).into());
                }
            }
            match keys.on_unknown_key_id(host.now, host.store) {
                UnknownKeyId::KeysChanged => {}
                UnknownKeyId::FetchPending if request.patience == Patience::MayWait => {
                    return Err(Stop::Wait(Wait::NewKey));
                }
                // The provider is slow: whether it has such a key is not known, and no reason to log anybody out.
                UnknownKeyId::FetchPending => return Err(unavailable(keys, host.now).into()),
                UnknownKeyId::CoolingDown { .. } => break,
            }
        }
        // A document that is not there may hold the key.
        if keys.is_incomplete(host.now) {
            return Err(unavailable(keys, host.now).into());
        }
        Err(Reason::UnknownKeyId.into())
    }
}

/// 503, and when the provider is asked again.
fn unavailable(keys: &ProviderKeys, now: UnixTime) -> Denial {
    Denial {
        retry_after: Some(keys.retry_after(now).as_secs()),
        ..Denial::of(Reason::KeysUnavailable)
    }
}
