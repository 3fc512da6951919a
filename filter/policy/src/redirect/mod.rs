//! Plain HTTP is answered with the same URL over HTTPS.
//!
//! RFC 9110 §15.4: a browser may turn a POST into a GET on 301 and 302, so only GET and HEAD get the
//! configured status and every other method a 308, which keeps method and content. The target is the host
//! the client asked for, in a form that can name nothing else (see [`crate::authority`]; CVE-2020-11053,
//! CVE-2020-4037), and the path that was judged. No header but `:authority` has a say in it.

#[cfg(test)]
mod tests;

use crate::authority::{Authority, Invalid};
use crate::client_address::Scheme;
use crate::path::{LiteralError, RequestTarget, check_literal};
use crate::request::RequestHead;
use crate::route::HostPattern;

/// When and how plain HTTP is redirected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpsRedirect {
    /// The status for GET and HEAD.
    pub status: RedirectStatus,
    /// Paths that are served over plain HTTP too.
    pub except: Vec<Exception>,
    /// The port of HTTPS; `None` for 443, which is not written.
    pub port: Option<Port>,
    /// The hosts to redirect to; empty for every host a client can name.
    pub hosts: Vec<HostPattern>,
}

/// The status of a redirect after GET or HEAD.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RedirectStatus {
    /// 301 Moved Permanently, the default.
    #[default]
    MovedPermanently,
    /// 302 Found.
    Found,
    /// 307 Temporary Redirect.
    TemporaryRedirect,
    /// 308 Permanent Redirect.
    PermanentRedirect,
}

impl RedirectStatus {
    /// The status of this code, where it is one of the four.
    pub const fn from_code(code: u16) -> Option<Self> {
        match code {
            301 => Some(Self::MovedPermanently),
            302 => Some(Self::Found),
            307 => Some(Self::TemporaryRedirect),
            308 => Some(Self::PermanentRedirect),
            _ => None,
        }
    }

    /// The status code.
    pub const fn code(self) -> u16 {
        match self {
            Self::MovedPermanently => 301,
            Self::Found => 302,
            Self::TemporaryRedirect => 307,
            Self::PermanentRedirect => 308,
        }
    }

    /// The status for `method`: temporary stays temporary, and a method with content is kept.
    const fn keeping_method(self) -> u16 {
        match self {
            Self::MovedPermanently | Self::PermanentRedirect => 308,
            Self::Found | Self::TemporaryRedirect => 307,
        }
    }
}

/// A port other than 0 and 443.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port(u16);

impl Port {
    /// `port`, or `None` where it need not be written: 443. Also for 0, which is no port.
    pub const fn new(port: u16) -> Option<Self> {
        match port {
            0 | 443 => None,
            port => Some(Self(port)),
        }
    }

    /// The port's number.
    pub const fn number(self) -> u16 {
        self.0
    }
}

/// A path, or where it ends with `/` everything below it, that is not redirected.
///
/// Health checks and ACME's HTTP-01 challenges (RFC 8555 §8.3) come over plain HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception(Box<str>);

impl Exception {
    /// Parses an exact path, or a prefix that ends with `/`.
    ///
    /// # Errors
    /// [`ExceptionError`]
    pub fn parse(text: &str) -> Result<Self, ExceptionError> {
        check_literal(text)?;
        if text == "/" {
            return Err(ExceptionError::Everything);
        }
        Ok(Self(text.into()))
    }

    fn matches(&self, path: &str) -> bool {
        if self.0.ends_with('/') {
            path.starts_with(&*self.0)
        } else {
            path == &*self.0
        }
    }
}

/// Why a path cannot be an exception.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExceptionError {
    /// No request can have this path.
    #[error(transparent)]
    Path(#[from] LiteralError),
    /// `/` stands for everything below it, which is every path.
    #[error("\"/\" would except every path; leave https_redirect out instead")]
    Everything,
}

/// Where the client is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// 301, 302, 307 or 308.
    pub status: u16,
    /// An absolute `https:` URL.
    pub location: String,
}

impl HttpsRedirect {
    /// The redirect for a request that came by `scheme`, or `None` where it is to be decided as it is.
    ///
    /// # Errors
    /// [`Invalid`] where the host is missing, not in the form that may be repeated, or not among
    /// [`Self::hosts`]. The answer is 400.
    pub fn location(
        &self,
        head: &RequestHead<'_>,
        scheme: Scheme,
        target: &RequestTarget<'_>,
    ) -> Result<Option<Redirect>, Invalid> {
        let path = target.path();
        if scheme == Scheme::Https || self.except.iter().any(|exception| exception.matches(path)) {
            return Ok(None);
        }
        let authority = Authority::of(head)?.ok_or(Invalid)?;
        if !self.hosts.is_empty() && !self.hosts.iter().any(|pattern| pattern.matches(&authority)) {
            return Err(Invalid);
        }
        let status = match head.first(":method") {
            Some(b"GET" | b"HEAD") => self.status.code(),
            _ => self.status.keeping_method(),
        };
        Ok(Some(Redirect {
            status,
            location: self.url(&authority, target),
        }))
    }

    fn url(&self, authority: &Authority<'_>, target: &RequestTarget<'_>) -> String {
        // `*` (RFC 9112 §3.2.4) stands for the server, whose URL has an empty path.
        let path = if target.path() == "*" {
            ""
        } else {
            target.path()
        };
        let mut url = format!("https://{}", authority.host());
        if let Some(port) = self.port {
            url.push(':');
            url.push_str(&port.number().to_string());
        }
        url.push_str(path);
        if let Some(query) = target.query() {
            url.push('?');
            url.push_str(query);
        }
        url
    }
}
