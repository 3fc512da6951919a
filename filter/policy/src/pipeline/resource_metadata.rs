//! The protected resource metadata of RFC 9728: served before any rule, and named in challenges.
//!
//! The document says nothing about who asks, so every page of every origin may read it (§3 wants clients in browsers
//! to), whatever `cors` says of the rest, and every cache may keep it.

use super::trace::Step;
use super::{Gateway, Request, Stop};
use crate::decision::LocalReply;
use crate::path::RequestTarget;
use crate::protected_resource::{ProtectedResource, covering, requested};
use crate::rejection::Reason;
use crate::request::RequestHead;

impl Gateway {
    /// Answers a request for metadata, and the preflight of one.
    pub(super) fn resource_metadata(&self, request: &Request<'_>) -> Result<(), Stop> {
        let head = &request.head;
        let Some(resource) = self.is_metadata(head) else {
            return Ok(());
        };
        request.listener.begin(Step::ResourceMetadata);
        let field = |name: &'static str, value: &str| (name.into(), value.to_owned().into());
        let origin = field("access-control-allow-origin", "*");
        Err(Stop::Reply(if is_preflight(head) {
            LocalReply {
                status: Reason::Preflight.row().status,
                headers: vec![
                    origin,
                    field("access-control-allow-methods", "GET"),
                    field("access-control-allow-headers", "*"),
                    field("access-control-max-age", "7200"),
                ],
                body: Vec::new(),
                reason: Reason::Preflight,
            }
        } else {
            LocalReply {
                status: Reason::ResourceMetadata.row().status,
                headers: vec![
                    field("content-type", "application/json"),
                    field("cache-control", resource.cache_control()),
                    origin,
                ],
                body: resource.document().to_vec(),
                reason: Reason::ResourceMetadata,
            }
        }))
    }

    /// The resource of which this request gets the metadata: a GET, a HEAD, or a preflight.
    pub(super) fn is_metadata(&self, head: &RequestHead<'_>) -> Option<&ProtectedResource> {
        let resource = requested(&self.config.protected_resources, head)?;
        let is_read = matches!(head.only(":method"), Ok(Some(b"GET" | b"HEAD")));
        (is_read || is_preflight(head)).then_some(resource)
    }

    /// The URL of the metadata of the resource that a refused request was for.
    pub(super) fn metadata_url(&self, head: &RequestHead<'_>) -> Option<&str> {
        if self.config.protected_resources.is_empty() {
            return None;
        }
        let target = RequestTarget::of(head).ok()?;
        covering(&self.config.protected_resources, head, target.path())
            .map(ProtectedResource::metadata_url)
    }
}

fn is_preflight(head: &RequestHead<'_>) -> bool {
    head.first(":method") == Some(b"OPTIONS")
        && head.first("origin").is_some()
        && head.first("access-control-request-method").is_some()
}
