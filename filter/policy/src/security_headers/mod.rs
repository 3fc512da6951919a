//! The response headers by which a site asks browsers for protection.
//!
//! RFC 6797 (HSTS), CSP Level 3, HTML §7.1.3 (COOP), Fetch §3.7 (CORP) and §3.6 (nosniff), Referrer Policy,
//! Permissions Policy. They go on every answer, those made here too. Where the upstream has set one itself it
//! stays, unless the operator says otherwise: an application knows its own scripts.

#[cfg(test)]
mod tests;
mod value;

use crate::client_address::Scheme;
use crate::sort::sort_by;

pub use value::Error;

/// A header of this module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecurityHeader {
    /// `Strict-Transport-Security`, sent over HTTPS only (RFC 6797 §7.2).
    StrictTransportSecurity,
    /// `Content-Security-Policy`.
    ContentSecurityPolicy,
    /// `X-Content-Type-Options`.
    ContentTypeOptions,
    /// `Referrer-Policy`.
    ReferrerPolicy,
    /// `X-Frame-Options`.
    FrameOptions,
    /// `Permissions-Policy`.
    PermissionsPolicy,
    /// `Cross-Origin-Opener-Policy`.
    CrossOriginOpenerPolicy,
    /// `Cross-Origin-Resource-Policy`.
    CrossOriginResourcePolicy,
}

impl SecurityHeader {
    /// All of them, in the order they are sent.
    pub const ALL: [Self; 8] = [
        Self::StrictTransportSecurity,
        Self::ContentSecurityPolicy,
        Self::ContentTypeOptions,
        Self::ReferrerPolicy,
        Self::FrameOptions,
        Self::PermissionsPolicy,
        Self::CrossOriginOpenerPolicy,
        Self::CrossOriginResourcePolicy,
    ];

    /// The header field's name, in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::StrictTransportSecurity => "strict-transport-security",
            Self::ContentSecurityPolicy => "content-security-policy",
            Self::ContentTypeOptions => "x-content-type-options",
            Self::ReferrerPolicy => "referrer-policy",
            Self::FrameOptions => "x-frame-options",
            Self::PermissionsPolicy => "permissions-policy",
            Self::CrossOriginOpenerPolicy => "cross-origin-opener-policy",
            Self::CrossOriginResourcePolicy => "cross-origin-resource-policy",
        }
    }

    /// The value where the configuration has none; `None` for what only the application can know.
    ///
    /// HSTS leaves subdomains out: they may be somebody else's to decide. The opener policy lets a page open
    /// the login window of an identity provider. There is no default content security policy: none that
    /// protects fits every application.
    pub const fn default_value(self) -> Option<&'static str> {
        match self {
            Self::StrictTransportSecurity => Some("max-age=31536000"),
            Self::ContentSecurityPolicy => None,
            Self::ContentTypeOptions => Some("nosniff"),
            Self::ReferrerPolicy => Some("strict-origin-when-cross-origin"),
            Self::FrameOptions => Some("DENY"),
            Self::PermissionsPolicy => Some("camera=(), geolocation=(), microphone=()"),
            Self::CrossOriginOpenerPolicy => Some("same-origin-allow-popups"),
            Self::CrossOriginResourcePolicy => Some("same-origin"),
        }
    }
}

/// What is sent, and whether it replaces what the upstream sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityHeaders {
    values: Vec<(SecurityHeader, Box<str>)>,
    overwrite: bool,
}

impl Default for SecurityHeaders {
    /// Every header with its default value; the upstream's own stay.
    fn default() -> Self {
        let defaults = SecurityHeader::ALL.into_iter();
        let values = defaults.filter_map(|header| Some((header, header.default_value()?.into())));
        Self {
            values: values.collect(),
            overwrite: false,
        }
    }
}

impl SecurityHeaders {
    /// Gives `header` another value.
    ///
    /// # Errors
    /// [`Error`], where a browser would ignore the value, or read something else in it.
    pub fn set(&mut self, header: SecurityHeader, text: &str) -> Result<(), Error> {
        let text = value::check(header, text)?;
        self.omit(header);
        self.values.push((header, text.into()));
        sort_by(&mut self.values, |(a, _), (b, _)| {
            (*a as u8).cmp(&(*b as u8))
        });
        Ok(())
    }

    /// Leaves `header` to the upstream.
    pub fn omit(&mut self, header: SecurityHeader) {
        self.values.retain(|(own, _)| *own != header);
    }

    /// Replaces headers that the upstream has set itself.
    pub fn set_overwrite(&mut self, overwrite: bool) {
        self.overwrite = overwrite;
    }

    /// Whether these headers replace the upstream's, or are added only where it has none.
    pub const fn overwrite(&self) -> bool {
        self.overwrite
    }

    /// Names and values for an answer to a request that came by `scheme`.
    pub fn iter(&self, scheme: Scheme) -> impl Iterator<Item = (&'static str, &str)> {
        self.values
            .iter()
            .filter(move |(header, _)| {
                scheme == Scheme::Https || *header != SecurityHeader::StrictTransportSecurity
            })
            .map(|(header, value)| (header.name(), &**value))
    }
}
