//! Whether what was valid has been taken back: revoked tokens, sessions, subjects, clients, blocked addresses.

use super::authenticate::Caller;
use super::denial::Denial;
use super::trace::Step;
use super::{Gateway, Patience, Request, Stop};
use crate::decision::Wait;
use crate::rejection::Reason;
use crate::revocation::{Credential, Refusal};
use crate::time::UnixTime;

impl Gateway {
    /// Refuses a client by its address, on every route: whoever is blocked is blocked from login too.
    pub(super) fn blocked_address(&self, request: &Request<'_>, now: UnixTime) -> Result<(), Stop> {
        let (Some(feed), Some(address)) = (&self.revocations, request.client) else {
            return Ok(());
        };
        request.listener.begin(Step::BlockedAddress);
        feed.check_address(address, now)
            .map_err(|_| Reason::AddressBlocked.into())
    }

    /// Refuses a verified token that was revoked, or of which that cannot be known.
    pub(super) fn revoked(
        &self,
        request: &Request<'_>,
        caller: &Caller,
        now: UnixTime,
    ) -> Result<(), Stop> {
        let (Some(feed), Some(claims)) = (&self.revocations, caller.claims()) else {
            return Ok(());
        };
        request.listener.begin(Step::Revocation);
        let token = Credential::from(claims);
        // The session api-server keeps, beside the provider's own, which the token's `sid` names.
        let session = request.session.as_ref().map(|session| Credential {
            issuer: token.issuer,
            session_id: Some(&session.session_id),
            issued_at: token.issued_at,
            ..Credential::default()
        });
        let checked = feed
            .check(&token, now)
            .and_then(|()| session.map_or(Ok(()), |session| feed.check(&session, now)));
        match checked {
            Ok(()) => Ok(()),
            Err(Refusal::Unavailable) => {
                let is_first = feed.age(now).is_none() && feed.failures() == 0;
                if is_first && request.patience == Patience::MayWait {
                    return Err(Stop::Wait(Wait::FirstRevocations));
                }
                Err(Denial::of(Reason::RevocationsUnavailable).into())
            }
            Err(Refusal::AddressBlocked) => Err(Reason::AddressBlocked.into()),
            Err(
                Refusal::TokenRevoked
                | Refusal::SessionRevoked
                | Refusal::SubjectRevoked
                | Refusal::ClientRevoked,
            ) => Err(Reason::Revoked.into()),
        }
    }

    /// How old the revocations are and how many are in force; `None` where no feed is configured, and no age
    /// where it never answered.
    pub fn revocation_status(&self, now: UnixTime) -> Option<(Option<std::time::Duration>, usize)> {
        self.revocations
            .as_ref()
            .map(|feed| (feed.age(now), feed.len()))
    }
}
