//! `rules`: which requests, and what they must bring. The first rule that matches decides.

use super::reader::{Choice, Integer, Kind, List, Object, Parsed, Section, Text};
use super::requirement::{Requirement, Requires};
use super::{LimitPlace, Names};
use crate::route::{HostPattern, MethodSet, PathMatch, RouteMatch};

/// One rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name in metrics and audit lines: its own, or `rules[<index>]`.
    pub name: Box<str>,
    /// The requests it is for.
    pub matches: RouteMatch,
    /// What they must bring.
    pub requires: Requirement,
    /// The limits of this proxy that they count against, as indices, in this order.
    pub rate_limits: Vec<usize>,
    /// The limits that the rate limit service is asked about, as indices, all in one call.
    pub service_limits: Vec<usize>,
    /// Whether a denial is carried out.
    pub mode: Mode,
}

/// Whether a rule's denials are carried out or only counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// A request that is denied is answered here.
    #[default]
    Enforce,
    /// A request that would be denied goes on without identity, and is counted.
    Shadow,
    /// As enforced for some of the callers, always the same, and as in shadow mode for the rest.
    Ramp {
        /// How many per cent of the callers.
        enforce_percent: u8,
    },
}

pub(super) fn rule(o: &mut Object<'_>, names: &Names) -> Option<Rule> {
    let name = o.optional(
        "name",
        Text { max: 64 },
        "The rule's name in metrics and audit lines.",
    );
    let matches = o.required(
        "match",
        Section(route_match),
        "The requests this rule is for.",
    );
    let requires = o.required("requires", Requires { names }, "What they must bring.");
    let rate_limits = o.optional(
        "rate_limits",
        List {
            of: Parsed {
                of: Text { max: 64 },
                with: |name: Box<str>| names.rate_limit(&name),
            },
            min: 0,
            max: 8,
        },
        "The limits they count against, by their names in rate_limits, in this order, and in rate_limit_service.limits, \
         all of which the service is asked about in one call, after the others.",
    );
    let mode = o.default(
        "mode",
        Choice(&[("enforce", Mode::Enforce), ("shadow", Mode::Shadow)]),
        ("enforce", Mode::Enforce),
        "`shadow` counts and logs what would be denied, and lets it through without identity.",
    );
    let percent = o.optional(
        "enforce_percent",
        Integer { min: 0, max: 100 },
        "With `mode: shadow`: for how many per cent of the callers a denial is carried out all the same, 0 to 100. \
         Always the same callers on every proxy, by the verified token's subject, else by client address.",
    );
    let mode = match (mode, percent) {
        (mode, None) | (mode @ Mode::Shadow, Some(0)) => mode,
        (Mode::Shadow, Some(percent)) => Mode::Ramp {
            enforce_percent: u8::try_from(percent).unwrap_or(100),
        },
        (_, Some(_)) => {
            o.fail(
                "enforce_percent",
                "means something only with `mode: shadow`",
            );
            return None;
        }
    };
    let (mut here, mut by_service) = (Vec::new(), Vec::new());
    for place in rate_limits.unwrap_or_default() {
        match place {
            LimitPlace::Here(index) => here.push(index),
            LimitPlace::ByService(index) => by_service.push(index),
        }
    }
    Some(Rule {
        name: name.unwrap_or_default(),
        matches: matches?,
        requires: requires?,
        rate_limits: here,
        service_limits: by_service,
        mode,
    })
}

fn route_match(o: &mut Object<'_>) -> Option<RouteMatch> {
    let hosts = o.optional(
        "hosts",
        List {
            of: host_pattern(),
            min: 1,
            max: 64,
        },
        "Host names, or `*.` and a suffix; any host where left out.",
    );
    let methods = o.optional(
        "methods",
        Parsed {
            of: List {
                of: Text { max: 32 },
                min: 1,
                max: 16,
            },
            with: |methods: Vec<Box<str>>| {
                MethodSet::new(methods.iter().map(AsRef::as_ref)).map_err(|error| error.to_string())
            },
        },
        "Methods; GET covers HEAD; any method where left out.",
    );
    let exact = o.optional(
        "path",
        path(PathMatch::exact),
        "Exactly this normalised path.",
    );
    let prefix = o.optional(
        "prefix",
        path(PathMatch::prefix),
        "This path and every path below it, by whole segments.",
    );
    let template = o.optional(
        "template",
        path(PathMatch::template),
        "A path whose `{name}` segments stand for any one segment.",
    );
    let given = ["path", "prefix", "template"]
        .iter()
        .filter(|name| o.has(name))
        .count();
    if given > 1 {
        o.fail_here("needs at most one of path, prefix and template");
        return None;
    }
    let path = if given == 0 {
        PathMatch::Any
    } else {
        exact.or(prefix).or(template)?
    };
    Some(RouteMatch {
        hosts: hosts.unwrap_or_default(),
        methods: methods.unwrap_or_else(MethodSet::any),
        path,
    })
}

/// A host name, or `*.` and a suffix.
pub(super) fn host_pattern() -> impl Kind<Output = HostPattern> {
    Parsed {
        of: Text { max: 255 },
        with: |host: Box<str>| HostPattern::parse(&host).map_err(|error| error.to_string()),
    }
}

/// A path, made into a match by `make`.
fn path<E: std::fmt::Display>(
    make: impl Fn(&str) -> Result<PathMatch, E>,
) -> impl Kind<Output = PathMatch> {
    Parsed {
        of: Text { max: 2048 },
        with: move |path: Box<str>| make(&path).map_err(|error| error.to_string()),
    }
}
