//! Step 7: whether the caller may. What the rule asks for is compared with what the token says.

use super::authenticate::Caller;
use super::denial::{Denial, challenge};
use crate::config::TokenRequirement;
use crate::rejection::Reason;

/// Compares scopes first, claims second: a missing scope is what a client can ask for.
pub(super) fn authorize(required: &TokenRequirement, caller: &Caller) -> Result<(), Denial> {
    let Some(claims) = caller.claims() else {
        return Ok(());
    };
    if !required.scopes.is_met_by(claims.scopes()) {
        let scope = challenge(&required.scopes);
        return Err(Denial {
            scope,
            ..Denial::of(Reason::InsufficientScope)
        });
    }
    if required.claims.iter().all(|rule| rule.is_met_by(claims)) {
        Ok(())
    } else {
        Err(Denial::of(Reason::ClaimMismatch))
    }
}
