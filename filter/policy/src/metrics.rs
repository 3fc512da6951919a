//! The names of all metrics, once: the adapter counts under them, and `docs/metrics.md` is their list.
//!
//! Names stand behind `<stat_prefix>.`; Envoy puts `wasmcustom.` in front of that.

/// How a metric behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Is what it was last set to; each worker sets it, and the last one's value is seen.
    Gauge,
    /// Is a distribution of values.
    Histogram,
}

/// One metric, or a family of them where its name has a part in angle brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// The name behind the prefix.
    pub name: &'static str,
    /// How it behaves.
    pub kind: Kind,
    /// What it counts or measures, with its unit.
    pub means: &'static str,
}

macro_rules! metrics {
    ($($constant:ident $kind:ident $name:literal $means:literal)*) => {
        $(#[doc = $means] pub const $constant: &str = $name;)*

        /// All of them, in the order of the documentation.
        pub const ALL: &[Metric] =
            &[$(Metric { name: $name, kind: Kind::$kind, means: $means }),*];
    };
}

metrics! {
    ALLOWED Counter "allowed" "Requests that went on to the upstream."
    WOULD_DENY Counter "would_deny" "Requests that went on although their rule denies them, because it is in shadow mode."
    WAITED Counter "waited" "Requests that were held for keys or revocations."
    REPLY Counter "reply.<reason>" "Requests answered at the edge, by reason code."
    VERIFIED_BY_HOST Counter "verified_by_host" "Signatures checked by Envoy's cryptography."
    VERIFIED_BY_MODULE Counter "verified_by_module" "Signatures checked in the module."
    FETCH_OK Counter "fetch_ok" "Fetches of key sets and of the revocation feed that brought what they should."
    FETCH_FAILED Counter "fetch_failed" "Fetches that brought nothing; what was loaded stays in use."
    RATE_LIMIT_ASKED Counter "rate_limit_service.asked" "Requests that the rate limit service was to decide."
    RATE_LIMIT_OVER Counter "rate_limit_service.over_limit" "Requests that the rate limit service found over a limit."
    RATE_LIMIT_FAILED Counter "rate_limit_service.failed.<why>" "Requests that the rate limit service did not decide, by why: `not_sent`, `too_many`, `no_answer`, `grpc_status`, `too_long`, `malformed`, `unknown_code`; `failure_mode` did."
    AUDIT_LINES Counter "audit_lines" "Audit lines written."
    AUDIT_SUPPRESSED Counter "audit_suppressed" "Audit lines left out, because there were too many in one second."
    DECISION_MICROSECONDS Histogram "decision_microseconds" "Time from the callback to the decision carried out, in microseconds, of `histogram_sample_percent` of requests; waiting is not in it."
    HOST_MICROSECONDS Histogram "verification_by_host_microseconds" "Time of one signature check by Envoy's cryptography, in microseconds."
    MODULE_MICROSECONDS Histogram "verification_by_module_microseconds" "Time of one signature check in the module, in microseconds."
    KEYS_AGE_SECONDS Gauge "keys.<provider>.age_seconds" "How long ago the provider's keys were fetched, in seconds."
    KEYS_COUNT Gauge "keys.<provider>.count" "Keys that can be used; 0 while there are none, and then every token gets 503."
    KEYS_SKIPPED Gauge "keys.<provider>.skipped" "Keys of the provider's set that cannot be used: another type, too short, for encryption."
    REVOCATIONS_AGE_SECONDS Gauge "revocations.age_seconds" "How old the revocations are that requests are decided by, in seconds."
    REVOCATIONS_COUNT Gauge "revocations.count" "Revocations in force."
    TOKEN_CACHE_TOKENS Gauge "token_cache.tokens" "Verified tokens that a worker remembers."
    TOKEN_CACHE_BYTES Gauge "token_cache.bytes" "Memory those take, in bytes."
    WAITING Gauge "waiting" "Requests of a worker that are held now."
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> String {
        let rows = ALL.iter().map(|metric| {
            let Metric { name, kind, means } = metric;
            let kind = format!("{kind:?}").to_lowercase();
            format!("| `{name}` | {kind} | {means} |\n")
        });
        format!(
            "| name | kind | means |\n|---|---|---|\n{}",
            rows.collect::<String>()
        )
    }

    #[test]
    fn the_documentation_lists_every_metric_and_no_other() {
        let documentation = include_str!("../../../docs/metrics.md");
        let start = documentation.find("| name | kind |").unwrap();
        let listed: String = documentation[start..]
            .lines()
            .take_while(|line| line.starts_with('|'))
            .flat_map(|line| [line, "\n"])
            .collect();
        assert_eq!(listed, table());
    }

    #[test]
    fn no_two_metrics_share_a_name() {
        let names: std::collections::BTreeSet<_> = ALL.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), ALL.len());
    }
}
