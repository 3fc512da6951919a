//! Step 9: what the upstream sees. Identity headers are removed in every spelling before any is set.

use super::authenticate::Caller;
use super::{Gateway, Request, Requires, Stop};
use crate::claims::header_text;
use crate::credentials;
use crate::decision::Mutations;
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
        let mut path = request.target.rewritten();
        if let Requires::Token(required) = requires {
            // All at once: each provider's cookies taken out by itself would put the others' back.
            let sources: Vec<_> = required
                .providers
                .iter()
                .filter_map(|&p| self.config.providers.get(p))
                .filter(|provider| !provider.forward)
                .flat_map(|provider| &provider.sources)
                .collect();
            if !sources.is_empty() {
                let mut stripped = match path {
                    Some(path) => path,
                    None => path_of(request)?,
                };
                credentials::strip(&request.head, &mut stripped, &sources, &mut mutations);
                path = Some(stripped);
            }
        }
        if let Some(path) = path
            && request.head.first(":path") != Some(path.as_bytes())
        {
            mutations.set.push((":path".into(), path.into_bytes()));
        }
        if let Caller::Bearer { provider, claims } = caller
            && let Some(provider) = self.config.providers.get(*provider)
        {
            for wanted in &provider.claim_to_headers {
                if let Some(text) = claims.claim(&wanted.claim).and_then(header_text) {
                    let name = wanted.header_name.to_string();
                    mutations
                        .set
                        .push((name.into(), text.into_owned().into_bytes()));
                }
            }
        }
        Ok(mutations)
    }
}

fn path_of(request: &Request<'_>) -> Result<String, Stop> {
    let raw = request.head.first(":path").unwrap_or_default();
    let text = std::str::from_utf8(raw).map_err(|_| Reason::InvalidPath)?;
    Ok(text.to_owned())
}
