//! The ramp from shadow to enforcement: a rule's denials are carried out for some per cent of its callers.
//!
//! Who is among them depends on the rule and the caller alone. The same caller fares the same on every worker and
//! every proxy, today and after a restart; a higher per cent takes more callers in and lets none out. The hash is
//! keyed by the rule's name, so each rule begins with other callers. It is no secret and need not be: the rest are
//! let through because the operator says so.

use std::net::IpAddr;

use super::Request;
use super::trace::Event;
use crate::client_address::RateLimitKey;
use crate::config::{Mode, Rule};
use crate::jwt::VerifiedClaims;
use crate::store::{ContentHash, KeyedHash};
use crate::token_cache::VerifiedToken;

/// Whether what `rule` denies this caller is only counted.
pub(super) fn is_only_watched(
    rule: Option<&Rule>,
    verified: Option<&VerifiedToken>,
    request: &Request<'_>,
) -> bool {
    let Some(rule) = rule else { return false };
    match rule.mode {
        Mode::Enforce => false,
        Mode::Shadow => true,
        Mode::Ramp { enforce_percent } => {
            let claims = verified.map(|token| &token.claims);
            let place = place(&rule.name, claims, request.client);
            let is_enforced = place.is_none_or(|place| place < enforce_percent);
            request.listener.tell(Event::Ramp { is_enforced });
            !is_enforced
        }
    }
}

/// The caller's place from 0 to 99: by its subject, else its client, where a token was verified, else by its
/// address (IPv6 by /64, which one client has to itself). `None` where nothing is known of it.
fn place(rule: &str, claims: Option<&VerifiedClaims>, client: Option<IpAddr>) -> Option<u8> {
    let ContentHash(key) = ContentHash::of_parts(&["shadow ramp", rule]);
    let hash = KeyedHash::new(&key);
    let named = claims.and_then(|claims| {
        let name = claims.subject().or_else(|| claims.client_id())?;
        Some((claims.issuer(), name))
    });
    let hash = match (named, client) {
        (Some((issuer, name)), _) => hash
            .part(b"token")
            .part(issuer.as_bytes())
            .part(name.as_bytes()),
        (None, Some(address)) => match RateLimitKey::from(address) {
            RateLimitKey::V4(address) => hash.part(b"address").part(&address.octets()),
            RateLimitKey::V6Network(network) => hash.part(b"network").part(&network.octets()),
        },
        (None, None) => return None,
    };
    u8::try_from(hash.finish() % 100).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(rule: &str, text: &str) -> u8 {
        place(rule, None, Some(text.parse().unwrap())).unwrap()
    }

    #[test]
    fn places_are_spread_evenly_and_differ_by_rule() {
        let nth = |rule: &str, n: u32| {
            let client = Some(IpAddr::from(n.to_be_bytes()));
            place(rule, None, client).unwrap()
        };
        let below_ten = (0..10_000).filter(|n| nth("a", *n) < 10).count();
        assert!((900..1_100).contains(&below_ten), "{below_ten}");
        let same = (0..1_000).filter(|n| nth("a", *n) == nth("b", *n)).count();
        assert!(same < 40, "{same}");
    }

    #[test]
    fn one_client_has_one_place_in_its_whole_network() {
        assert_eq!(
            address("a", "2001:db8::1"),
            address("a", "2001:db8::ffff:1")
        );
        let others = (0..50).filter(|n| {
            address("a", &format!("2001:db8:0:{n:x}::1")) == address("a", "2001:db8:1::1")
        });
        assert!(others.count() < 10);
        assert_eq!(place("a", None, None), None);
    }

    /// A change of the hash would move every caller of every ramp in use.
    #[test]
    fn places_stay_what_they_are() {
        let places =
            ["192.0.2.1", "192.0.2.2", "2001:db8::1"].map(|text| address("rules[0]", text));
        assert_eq!(places, [95, 78, 27]);
    }
}
