//! Step 6: who calls. The token is taken from where its provider allows it, and verified or refused.

use std::sync::Arc;

use super::trace::{Event, Step};
use super::{Gateway, Host, Patience, Request, Stop};
use crate::config::TokenRequirement;
use crate::cors::Cors;
use crate::cors::csrf::is_cross_site;
use crate::credentials::{self, UnverifiedCredential};
use crate::decision::Wait;
use crate::jwks::UnknownKeyId;
use crate::jwt::{self, UnverifiedToken, VerifiedClaims};
use crate::pipeline::denial::{Denial, challenge};
use crate::rejection::Reason;
use crate::store::SharedStore;

/// Who a request comes from, as far as its rule asks.
#[derive(Debug)]
pub(super) enum Caller {
    /// Nobody is known: the rule is public, or its token is optional and absent.
    Nobody,
    /// The bearer of a verified token.
    Bearer {
        /// The index of the provider that issued it.
        provider: usize,
        /// What the token says.
        claims: Arc<VerifiedClaims>,
    },
}

impl Caller {
    pub(super) fn claims(&self) -> Option<&VerifiedClaims> {
        match self {
            Self::Nobody => None,
            Self::Bearer { claims, .. } => Some(claims),
        }
    }
}

impl Gateway {
    pub(super) fn authenticate<S: SharedStore>(
        &mut self,
        request: &Request<'_>,
        required: &TokenRequirement,
        host: &mut Host<'_, S>,
    ) -> Result<Caller, Stop> {
        request.listener.begin(Step::Credential);
        let Some(credential) = self.credential(request, required)? else {
            // "Optional" means absent, and only absent: CVE-2021-21378 read it otherwise.
            return if required.optional {
                request.listener.tell(Event::NoToken);
                Ok(Caller::Nobody)
            } else {
                let scope = challenge(&required.scopes);
                Err(Denial {
                    scope,
                    ..Denial::of(Reason::MissingToken)
                }
                .into())
            };
        };
        self.refuse_cross_site(request, credential)?;
        request.listener.begin(Step::Provider);
        let token = UnverifiedToken::parse(credential.token).map_err(Reason::from)?;
        let provider = self
            .provider(request, &token, required)
            .ok_or(Reason::WrongIssuer)?;
        request.listener.tell(Event::Provider(provider));
        request.listener.begin(Step::Verification);
        self.verify(request, credential.token, provider, required, host)
            .map(|claims| Caller::Bearer {
                provider,
                claims: Arc::new(claims),
            })
    }

    /// The one token in the places that the requirement's providers name.
    fn credential<'r>(
        &self,
        request: &Request<'r>,
        required: &TokenRequirement,
    ) -> Result<Option<UnverifiedCredential<'r>>, Stop> {
        let mut found: Option<UnverifiedCredential<'_>> = None;
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

    /// The provider whose issuer the token names, if the token stands where that provider's may. The name is
    /// not trusted yet: it chooses whose keys the signature is checked with, and those keys then say whether
    /// the name was right.
    fn provider(
        &self,
        request: &Request<'_>,
        token: &UnverifiedToken<'_>,
        required: &TokenRequirement,
    ) -> Option<usize> {
        let issuer = token.unverified_issuer()?;
        let accepts = |index: &&usize| {
            self.config.providers.get(**index).is_some_and(|provider| {
                let (head, query) = (&request.head, request.target.query());
                provider.profile.issuers.iter().any(|own| **own == *issuer)
                    && matches!(
                        credentials::take(head, query, &provider.sources),
                        Ok(Some(_))
                    )
            })
        };
        required.providers.iter().find(accepts).copied()
    }

    fn verify<S: SharedStore>(
        &mut self,
        request: &Request<'_>,
        credential: &[u8],
        provider: usize,
        required: &TokenRequirement,
        host: &mut Host<'_, S>,
    ) -> Result<VerifiedClaims, Stop> {
        let (Some(settings), Some(keys)) = (
            self.config.providers.get(provider),
            self.keys.get_mut(provider),
        ) else {
            return Err(Reason::Internal.into());
        };
        // Twice at most: the second time with keys that another worker fetched meanwhile.
        for _ in 0..2 {
            let Some(set) = keys.usable(host.now) else {
                let may_wait = request.patience == Patience::MayWait && !keys.is_failing();
                return Err(if may_wait {
                    Stop::Wait(Wait::FirstKeys)
                } else {
                    let retry_after = Some(keys.retry_after(host.now).as_secs());
                    Denial {
                        retry_after,
                        ..Denial::of(Reason::KeysUnavailable)
                    }
                    .into()
                });
            };
            let token = UnverifiedToken::parse(credential).map_err(Reason::from)?;
            match jwt::verify(token, &settings.profile, set, host.verifier, host.now) {
                Ok(claims) if !required.audiences.is_empty() => {
                    let named = required
                        .audiences
                        .iter()
                        .any(|own| claims.has_audience(own));
                    return if named {
                        Ok(claims)
                    } else {
                        Err(Reason::WrongAudience.into())
                    };
                }
                Ok(claims) => return Ok(claims),
                Err(jwt::Error::UnknownKeyId) => {}
                Err(error) => return Err(Reason::from(error).into()),
            }
            match keys.on_unknown_key_id(host.now, host.store) {
                UnknownKeyId::KeysChanged => {}
                UnknownKeyId::FetchPending if request.patience == Patience::MayWait => {
                    return Err(Stop::Wait(Wait::NewKey));
                }
                UnknownKeyId::FetchPending | UnknownKeyId::CoolingDown { .. } => break,
            }
        }
        Err(Reason::UnknownKeyId.into())
    }
}
