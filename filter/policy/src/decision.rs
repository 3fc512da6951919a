//! What to do with a request: forward it with changes, let it wait, or answer it here.
//!
//! There is no fourth outcome and no default that forwards: a `Decision` is made by the
//! [pipeline](crate::pipeline) and carried out by an adapter, which adds nothing of its own.

use std::borrow::Cow;
use std::sync::Arc;

use crate::rejection::Reason;

/// The outcome for one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Let the request go on to the upstream after these changes.
    Forward(Mutations),
    /// Hold the request and ask again when keys change or its time is up.
    Wait(Wait),
    /// Answer the request here; the upstream never sees it.
    Reply(LocalReply),
}

/// Why a request is held. The adapter bounds how many and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// The provider's first key set has not arrived.
    FirstKeys,
    /// The first revocations have not arrived.
    FirstRevocations,
    /// The token names a `kid` that may be in the key set being fetched now.
    NewKey,
    /// The rate limit service has not said whether the request is within its limits.
    RateLimitService,
}

/// Changes to a request's header fields. Removals come first, then replacements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mutations {
    /// Names, as the client spelled them, of fields to remove.
    pub remove: Vec<Box<[u8]>>,
    /// Fields to set to exactly one value.
    pub set: Vec<(Cow<'static, str>, Vec<u8>)>,
    /// Fields that say who the caller is, to set to exactly one value each.
    pub identity: Option<IdentityFields>,
}

/// Names and values of identity header fields: made once per verified token, shared by its requests.
pub type IdentityFields = Arc<[(Arc<str>, Box<[u8]>)]>;

impl Mutations {
    /// Whether the request goes on untouched.
    pub fn is_empty(&self) -> bool {
        self.remove.is_empty() && self.fields().next().is_none()
    }

    /// All fields to set, with their values.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let identity = self.identity.iter().flat_map(|fields| fields.iter());
        self.set
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .chain(identity.map(|(name, value)| (&**name, &**value)))
    }
}

/// An answer made at the edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalReply {
    /// The HTTP status code.
    pub status: u16,
    /// Header fields in order; names are lower case.
    pub headers: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    /// The body, possibly empty.
    pub body: Vec<u8>,
    /// Why, from the bounded set that metrics, audit lines and Envoy's response code details use.
    pub reason: Reason,
}

impl LocalReply {
    /// The value of the header `name`, which is written in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(field, _)| field == name)
            .map(|(_, value)| value.as_ref())
    }
}
