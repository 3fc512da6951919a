//! What the pipeline tells of one decision while it makes it, to whoever asks.
//!
//! It is told from inside the steps themselves, so that an explanation is what happened and not a second
//! reading of the rules. Nothing of a token is told but which provider's it is. Without a listener a step costs
//! one comparison more.

use std::net::IpAddr;

use crate::client_address::Scheme;
use crate::condition::{Place, Truth};
use crate::rejection::Reason;
use crate::step_up::Insufficient;

/// A step of the pipeline, in the order of decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// The path is normalised or refused.
    Path,
    /// Plain HTTP is redirected.
    HttpsRedirect,
    /// The metadata of a protected resource is served.
    ResourceMetadata,
    /// A CORS preflight is answered.
    Preflight,
    /// A blocked address is refused.
    BlockedAddress,
    /// The first rule that matches is looked for.
    Rule,
    /// A client whose credentials were refused too often is refused.
    FailedAuthentications,
    /// The token is taken from where its provider allows it.
    Credential,
    /// The provider is chosen by the token's issuer.
    Provider,
    /// Signature and claims are verified with the provider's keys.
    Verification,
    /// A token that was taken back is refused.
    Revocation,
    /// Scopes and claims are compared with what the rule asks for.
    Authorization,
    /// The strength and the age of the authentication are compared with what the rule asks for.
    StepUp,
    /// Rate limits are counted, here and by the service.
    RateLimits,
    /// The request's headers and path are changed for the upstream.
    Forward,
}

/// What is told, in order: a step begins, what it found, the next one begins. The last that began decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'e> {
    /// A step begins; the one before let the request pass.
    Begins(Step),
    /// The path that is judged, normalised.
    Path(&'e str),
    /// The client's address, as far as it is known.
    Client(Option<IpAddr>),
    /// How the request reached the first trusted proxy.
    Scheme(Scheme),
    /// The index of the rule that matches; `None` for the default.
    Rule(Option<usize>),
    /// The rule is public: no token is looked at.
    Public,
    /// The session cookie was opened.
    Session,
    /// There is no token, and the rule does without.
    NoToken,
    /// The index of the provider that the token names.
    Provider(usize),
    /// A part of the rule's conditions and how it was judged, told where they do not hold as a whole.
    Condition {
        /// Where in the requirement it stands.
        place: &'e Place<'e>,
        /// Whether the token says so.
        truth: Truth,
    },
    /// Why the authentication does not suffice.
    StepUp(Insufficient),
    /// A limit was counted, and this many requests are left in its window.
    Counted {
        /// The limit's name.
        limit: &'e str,
        /// Requests left in the window.
        remaining: u32,
    },
    /// The rate limit service is to be asked about a limit.
    AsksService {
        /// The limit's name.
        limit: &'e str,
    },
    /// The step denies, and the rule is enforced for a part of its callers: whether this one is among them.
    Ramp {
        /// Whether the denial is carried out.
        is_enforced: bool,
    },
    /// The step denies, and the rule is in shadow mode: the request goes on without identity.
    WouldDeny(Reason),
}

/// Who listens, if anybody.
#[derive(Clone, Copy)]
pub(super) struct Listener<'l>(pub(super) Option<&'l dyn Fn(Event<'_>)>);

impl Listener<'_> {
    pub(super) fn tell(self, event: Event<'_>) {
        if let Some(listener) = self.0 {
            listener(event);
        }
    }

    pub(super) fn is_there(self) -> bool {
        self.0.is_some()
    }

    pub(super) fn begin(self, step: Step) {
        self.tell(Event::Begins(step));
    }
}
