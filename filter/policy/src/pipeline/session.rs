//! Step 6 for browsers: the session cookie is opened, and its access token stands where a bearer token would.
//!
//! The cookie is a credential like any other: one that is present must open, also where a token is optional, and
//! beside another token it must carry the same one. It never reaches an upstream that asks for a token, in one piece
//! or in several; on public routes nobody looks at it, and api-server gets it as it came.

use std::sync::Arc;

use super::{Gateway, Request, Stop};
use crate::config::SessionSettings;
use crate::credentials::{TokenSource, UnverifiedCredential, cookie_pairs};
use crate::pipeline::trace::Event;
use crate::rejection::Reason;
use crate::request::RequestHead;
use crate::session::{self, Opener, Purpose, Session, Unopenable};
use crate::store::seed::Seed;
use crate::time::UnixTime;
use crate::token_cache::OpenedSessions;

/// The session cookie's name and keys, ready for every request.
#[derive(Debug)]
pub(super) struct SessionCookie {
    name: Box<str>,
    /// `None` where the keys were never looked up: then none opens.
    opener: Option<Opener>,
    opened: OpenedSessions,
    /// The cookie and its pieces, to be taken out of what goes upstream.
    sources: Vec<TokenSource>,
}

impl SessionCookie {
    /// `max_bytes` bounds the sessions that are remembered.
    pub(super) fn new(settings: &SessionSettings, max_bytes: u64, seed: Seed) -> Self {
        let pieces = (0..=9).map(|index| format!("{}.{index}", settings.cookie).into());
        Self {
            name: settings.cookie.clone(),
            opener: settings
                .keys
                .as_ref()
                .map(|keys| keys.opener(Purpose::Session)),
            opened: OpenedSessions::new(max_bytes, seed),
            sources: std::iter::once(settings.cookie.clone())
                .chain(pieces)
                .map(TokenSource::Cookie)
                .collect(),
        }
    }

    /// The session that a request brings; `None` where it brings no such cookie.
    fn open(
        &mut self,
        head: &RequestHead<'_>,
        now: UnixTime,
    ) -> Result<Option<Arc<Session>>, Unopenable> {
        let Some(sealed) = session::find(&self.name, cookies(head, &self.name))? else {
            return Ok(None);
        };
        let opener = self.opener.as_ref().ok_or(Unopenable)?;
        self.opened.open(opener, &sealed, now).map(Some)
    }
}

/// The cookies whose names begin with `name`. A value that is no text is given as one that can't be opened.
fn cookies<'a>(head: &RequestHead<'a>, name: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    cookie_pairs(head).filter_map(move |pair| {
        let (found, value) = pair.split_at_checked(pair.iter().position(|byte| *byte == b'=')?)?;
        // Some readers take `name =value` for `name=value`.
        let found = found.trim_ascii();
        if !found.starts_with(name.as_bytes()) {
            return None;
        }
        let value = value.get(1..)?.trim_ascii();
        Some((
            std::str::from_utf8(found).ok()?,
            std::str::from_utf8(value).unwrap_or_default(),
        ))
    })
}

impl Gateway {
    /// Opens the request's session cookie, if it has one.
    pub(super) fn open_session(
        &mut self,
        request: &mut Request<'_>,
        now: UnixTime,
    ) -> Result<(), Stop> {
        let Some(cookie) = &mut self.session else {
            return Ok(());
        };
        request.session = cookie
            .open(&request.head, now)
            .map_err(|_| Reason::InvalidSession)?;
        if request.session.is_some() {
            request.listener.tell(Event::Session);
        }
        Ok(())
    }

    /// Where the session cookie stands in a request; nothing where none is configured.
    pub(super) fn session_sources(&self) -> &[TokenSource] {
        self.session
            .as_ref()
            .map_or(&[], |cookie| cookie.sources.as_slice())
    }
}

impl Request<'_> {
    /// The opened session's access token: as unverified as any other, and carried by a cookie alone.
    pub(super) fn session_credential(&self) -> Option<UnverifiedCredential<'_>> {
        let session = self.session.as_ref()?;
        Some(UnverifiedCredential {
            token: session.access_token.as_bytes(),
            only_by_cookie: true,
        })
    }
}
