//! One case, as it is written.

use std::collections::BTreeMap;
use std::net::IpAddr;

use anyhow::Result;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::edge::{Credential, Request};

/// A request and what must become of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    /// A sentence.
    pub(super) name: String,
    pub(super) request: RequestFields,
    /// Claims to sign with a throw-away key.
    claims: Option<Map<String, Value>>,
    /// A token as it is sent.
    token: Option<String>,
    /// The time of the decision, in seconds since 1970-01-01; now where left out.
    pub(super) now: Option<u64>,
    /// How often the request is sent; the last answer counts.
    #[serde(default = "once")]
    pub(super) repeat: u32,
    pub(super) expect: Expect,
}

/// A request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestFields {
    method: Option<String>,
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, OneOrMore>,
    address: Option<IpAddr>,
    tls: Option<bool>,
}

/// A header field that is there once, or several times.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

/// What must become of a request; what is left out may be anything.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expect {
    pub(super) decision: Option<DecisionName>,
    pub(super) status: Option<u16>,
    pub(super) reason: Option<String>,
    pub(super) rule: Option<String>,
    pub(super) would_deny: Option<String>,
    #[serde(default)]
    pub(super) headers: ExpectHeaders,
}

/// Header fields, of the request that goes on or of the reply.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectHeaders {
    /// Fields that must have these values; null: must not be set.
    #[serde(default)]
    pub(super) set: BTreeMap<String, Option<String>>,
    /// Fields of the client that must be removed.
    #[serde(default)]
    pub(super) removed: Vec<String>,
}

/// What is done with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum DecisionName {
    Forward,
    Reply,
    Wait,
}

impl DecisionName {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Reply => "reply",
            Self::Wait => "wait",
        }
    }
}

impl Case {
    pub(super) fn credential(&self) -> Credential {
        match (&self.token, &self.claims) {
            (Some(token), _) => Credential::Token(token.clone()),
            (None, Some(claims)) => Credential::Claims(claims.clone()),
            (None, None) => Credential::Absent,
        }
    }
}

impl RequestFields {
    pub(super) fn request(&self) -> Result<Request> {
        let mut request = Request::new(self.method.as_deref().unwrap_or("GET"), &self.url)?;
        for (name, values) in &self.headers {
            match values {
                OneOrMore::One(value) => request.header(name, value),
                OneOrMore::More(values) => {
                    for value in values {
                        request.header(name, value);
                    }
                }
            }
        }
        if let Some(address) = self.address {
            request.came_from(address);
        }
        if let Some(tls) = self.tls {
            request.over_tls(tls);
        }
        Ok(request)
    }
}

const fn once() -> u32 {
    1
}
