//! Step 9: what the upstream sees. Identity headers are removed in every spelling before any is set.

use std::borrow::Cow;
use std::sync::Arc;

use super::authenticate::Caller;
use super::{Gateway, Request, Requires, Stop};
use crate::claims::{breaks_a_field, header_text};
use crate::config::{ClaimToHeader, Provider};
use crate::credentials;
use crate::decision::{IdentityFields, Mutations};
use crate::jwt::VerifiedClaims;
use crate::rejection::Reason;

impl Gateway {
    pub(super) fn forward(
        &self,
        request: &Request<'_>,
        requires: Requires<'_>,
        caller: &Caller,
    ) -> Result<Mutations, Stop> {
        let mut mutations = Mutations::default();
        for (name, _) in request.head.headers {
            if self.identity.is_identity(name) {
                mutations.remove.push((*name).into());
            }
        }
        let mut path = request.target.rewritten().map(Cow::Owned);
        if let Requires::Token(required) = requires {
            // All at once: each provider's cookies taken out by itself would put the others' back.
            let sources: Vec<_> = required
                .providers
                .iter()
                .filter_map(|&p| self.config.providers.get(p))
                .filter(|provider| !provider.forward)
                .flat_map(|provider| &provider.sources)
                .chain(self.session_sources())
                .collect();
            if !sources.is_empty() {
                let mut stripped = match path {
                    Some(path) => path,
                    None => Cow::Borrowed(path_of(request)?),
                };
                credentials::strip(&request.head, &mut stripped, &sources, &mut mutations);
                path = Some(stripped);
            }
        }
        if let Some(path) = path
            && request.head.first(":path") != Some(path.as_bytes())
        {
            let path = path.into_owned().into_bytes();
            mutations.set.push((":path".into(), path));
        }
        if let Caller::Bearer(token) = caller {
            let forwards = self
                .config
                .providers
                .get(token.provider)
                .is_some_and(|it| it.forward);
            if let Some(session) = request.session.as_ref().filter(|_| forwards) {
                let bearer = format!("Bearer {}", session.access_token).into_bytes();
                mutations.set.push(("authorization".into(), bearer));
            }
            mutations.identity = Some(Arc::clone(&token.identity));
        }
        Ok(mutations)
    }
}

/// What the upstream is told of a caller. A claim that is absent, or that has no safe text, sets no field.
///
/// # Errors
/// A claim that no field can carry: without it the upstream would see a request of nobody.
pub(super) fn identity_fields(
    provider: &Provider,
    claims: &VerifiedClaims,
) -> Result<IdentityFields, Reason> {
    let claim = |wanted: &ClaimToHeader| claims.claim(&wanted.claim);
    let wanted = &provider.claim_to_headers;
    if wanted.iter().filter_map(claim).any(breaks_a_field) {
        return Err(Reason::InvalidClaims);
    }
    let field = |wanted: &ClaimToHeader| {
        let text = claim(wanted).and_then(header_text)?;
        let value = text.into_owned().into_bytes().into_boxed_slice();
        Some((Arc::clone(&wanted.header_name), value))
    };
    Ok(wanted.iter().filter_map(field).collect())
}

fn path_of<'r>(request: &Request<'r>) -> Result<&'r str, Stop> {
    let raw = request.head.first(":path").unwrap_or_default();
    std::str::from_utf8(raw).map_err(|_| Reason::InvalidPath.into())
}
