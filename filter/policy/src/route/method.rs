//! Sets of request methods. RFC 9110 §9: methods are case-sensitive, and HEAD is GET without the content.

use std::fmt;

use super::Error;
use crate::sort::sort_by;

/// The methods with a bit of their own; every other one is kept by name.
const KNOWN: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE",
];
const GET: u16 = 1;
const HEAD: u16 = 2;

/// Every method, or some. GET covers HEAD: whoever may read may ask for the headers alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MethodSet {
    any: bool,
    known: u16,
    custom: Vec<Box<str>>,
}

/// A request's method, looked up once.
#[derive(Clone, Copy)]
pub(super) struct Method<'a> {
    bit: u16,
    name: &'a str,
}

impl<'a> Method<'a> {
    pub(super) fn new(name: &'a str) -> Self {
        Self {
            bit: bit(name).unwrap_or(0),
            name,
        }
    }
}

impl MethodSet {
    /// Every method, those nobody has heard of among them.
    pub const fn any() -> Self {
        Self {
            any: true,
            known: 0,
            custom: Vec::new(),
        }
    }

    /// The methods of these names.
    ///
    /// # Errors
    /// [`Error::Method`], [`Error::NoMethods`]
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let mut set = Self {
            any: false,
            known: 0,
            custom: Vec::new(),
        };
        for name in names {
            match bit(name) {
                Some(GET) => set.known |= GET | HEAD,
                Some(bit) => set.known |= bit,
                None if is_custom(name) => set.custom.push(name.into()),
                None => {
                    return Err(Error::Method {
                        method: name.to_owned(),
                    });
                }
            }
        }
        if set.known == 0 && set.custom.is_empty() {
            return Err(Error::NoMethods);
        }
        sort_by(&mut set.custom, Ord::cmp);
        set.custom.dedup();
        Ok(set)
    }

    /// Whether `method` is in the set.
    pub fn contains(&self, method: &str) -> bool {
        self.has(Method::new(method))
    }

    pub(super) fn has(&self, method: Method<'_>) -> bool {
        self.any || self.known & method.bit != 0 || self.has_custom(method.name)
    }

    fn has_custom(&self, name: &str) -> bool {
        !self.custom.is_empty() && self.custom.iter().any(|custom| &**custom == name)
    }

    /// Whether every method of `other` is in the set already.
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.any
            || (!other.any
                && other.known & !self.known == 0
                && other.custom.iter().all(|name| self.has_custom(name)))
    }

    /// Adds the methods of `other`.
    pub(super) fn extend(&mut self, other: &Self) {
        self.any |= other.any;
        self.known |= other.known;
        self.custom.extend_from_slice(&other.custom);
    }

    /// The set without a method.
    pub(super) const fn empty() -> Self {
        Self {
            any: false,
            known: 0,
            custom: Vec::new(),
        }
    }
}

impl fmt::Display for MethodSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.any {
            return f.write_str("any");
        }
        let known = KNOWN
            .iter()
            .enumerate()
            .filter(|(index, _)| self.known & 1 << index != 0)
            .map(|(_, name)| *name);
        let custom = self.custom.iter().map(|name| &**name);
        for (index, name) in known.chain(custom).enumerate() {
            f.write_str(if index == 0 { "" } else { "," })?;
            f.write_str(name)?;
        }
        Ok(())
    }
}

fn bit(name: &str) -> Option<u16> {
    KNOWN
        .iter()
        .position(|known| *known == name)
        .map(|index| 1 << index)
}

/// A token (RFC 9110 §5.6.2) that is no misspelt standard method.
fn is_custom(name: &str) -> bool {
    crate::token::is_token(name) && !KNOWN.iter().any(|known| known.eq_ignore_ascii_case(name))
}
