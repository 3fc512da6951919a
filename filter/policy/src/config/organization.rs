//! `organization`: which organisation's tokens open which host.

use super::reader::{Kind, List, Object, Parsed, Path, Report, Text, found};
use crate::authority::Authority;
use crate::claims::ClaimPath;
use crate::condition::{Hosts, Organization, Template};
use crate::json::Value;
use crate::sort::sort_by;

pub(super) fn organization(o: &mut Object<'_>) -> Option<Organization> {
    let path = o.required(
        "path",
        Parsed {
            of: List {
                of: Text { max: 256 },
                min: 1,
                max: 8,
            },
            with: |names: Vec<Box<str>>| ClaimPath::new(names).map_err(|error| error.to_string()),
        },
        "The claim that names the token's organisation, as a list of literal names; Auth0's are `org_id` and `org_name`.",
    );
    let hosts = o.optional(
        "hosts",
        HostMap,
        "Host names and the organisation of each. A request for any other host is denied.",
    );
    let template = o.optional(
        "host_template",
        Parsed {
            of: Text { max: 255 },
            with: |text: Box<str>| Template::parse(&text).map_err(|error| error.to_string()),
        },
        "The host's name with `{org}` where the organisation stands, without dots and in lower case, as in \
         `{org}.example.com`. A request for any other host is denied.",
    );
    let hosts = match (o.has("hosts"), o.has("host_template")) {
        (true, false) => Hosts::Listed(hosts?),
        (false, true) => Hosts::Template(template?),
        _ => {
            o.fail_here("needs exactly one of hosts and host_template");
            return None;
        }
    };
    Some(Organization { path: path?, hosts })
}

/// An object of host names and organisations.
struct HostMap;

impl Kind for HostMap {
    type Output = Vec<(Box<str>, Box<str>)>;

    fn read(&self, value: &Value, at: &Path<'_>, report: &mut Report) -> Option<Self::Output> {
        let Value::Object(members) = value else {
            report.fail(at, format!("is {}; an object is expected", found(value)));
            return None;
        };
        let count = members.iter().count();
        if !(1..=MAX_HOSTS).contains(&count) {
            report.fail(
                at,
                format!("has {count} hosts; 1 to {MAX_HOSTS} are allowed"),
            );
            return None;
        }
        let mut hosts: Self::Output = Vec::with_capacity(count);
        for (host, organization) in members.iter() {
            let normal = Authority::parse(host.as_bytes())
                .ok()
                .filter(|authority| authority.port().is_none())
                .map(|authority| authority.normal_host().into());
            let Some(normal) = normal else {
                report.fail(at, "has a name that is no host name, or has a port");
                continue;
            };
            if let Some(organization) = ORGANIZATION.read(organization, &at.field(host), report) {
                hosts.push((normal, organization));
            }
        }
        sort_by(&mut hosts, Ord::cmp);
        let neighbours = hosts.iter().zip(hosts.iter().skip(1));
        for (_, (host, _)) in neighbours.filter(|(one, other)| one.0 == other.0) {
            report.fail(at, format!("has {host} twice, spelled differently"));
        }
        (hosts.len() == count).then_some(hosts)
    }

    fn schema(&self) -> serde_json::Value {
        serde_json::json!({
            "type": "object",
            "additionalProperties": ORGANIZATION.schema(),
            "minProperties": 1,
            "maxProperties": MAX_HOSTS,
        })
    }
}

const ORGANIZATION: Text = Text { max: 256 };
const MAX_HOSTS: usize = 4096;
