//! Prometheus metrics, in the `OpenMetrics` text format: bounded labels only, never a subject or an address.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::audit::Event;

/// What this process counts.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Histogram, fn() -> Histogram>,
    events: Family<EventLabels, Counter>,
    active_sessions: Gauge,
    login_duration: Histogram,
    management_requests: Family<ManagementLabels, Counter>,
    profile_updates_pending: Gauge,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct EventLabels {
    event: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ManagementLabels {
    operation: &'static str,
    outcome: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("edge_auth_api");
        let requests: Family<_, _, fn() -> Histogram> = Family::new_with_constructor(latency);
        let events = Family::default();
        let active_sessions = Gauge::default();
        registry.register_with_unit(
            "http_request_duration",
            "How long requests took, by route",
            Unit::Seconds,
            requests.clone(),
        );
        registry.register(
            "auth_events",
            "Events of authentication, by outcome",
            events.clone(),
        );
        registry.register(
            "active_sessions",
            "Browser sessions that live, over all replicas",
            active_sessions.clone(),
        );
        let login_duration = Histogram::new([
            0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0,
        ]);
        registry.register_with_unit(
            "login_duration",
            "From the beginning of a login to its session, the user's own time included",
            Unit::Seconds,
            login_duration.clone(),
        );
        let management_requests = Family::default();
        registry.register(
            "management_requests",
            "Requests to the provider's Management API, by outcome",
            management_requests.clone(),
        );
        let profile_updates_pending = Gauge::default();
        registry.register(
            "profile_updates_pending",
            "Edited profiles the provider has not been told of yet, over all replicas",
            profile_updates_pending.clone(),
        );
        Self {
            registry,
            requests,
            events,
            active_sessions,
            login_duration,
            management_requests,
            profile_updates_pending,
        }
    }
}

/// From a cached read to a slow provider, in seconds.
fn latency() -> Histogram {
    Histogram::new([
        0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0,
    ])
}

impl Metrics {
    /// A request was answered.
    pub fn request(&self, method: &'static str, route: &str, status: u16, took: Duration) {
        let labels = RequestLabels {
            method,
            route: route.to_owned(),
            status,
        };
        self.requests
            .get_or_create(&labels)
            .observe(took.as_secs_f64());
    }

    /// Something happened to somebody's authentication.
    pub fn event(&self, event: Event, outcome: &'static str) {
        let labels = EventLabels {
            event: event.code(),
            outcome,
        };
        self.events.get_or_create(&labels).inc();
    }

    /// A login came to its session.
    pub fn login_took(&self, took: Duration) {
        self.login_duration.observe(took.as_secs_f64());
    }

    /// The Management API answered, or did not.
    pub fn management_request(&self, operation: &'static str, outcome: &'static str) {
        let labels = ManagementLabels { operation, outcome };
        self.management_requests.get_or_create(&labels).inc();
    }

    /// The text a scraper gets.
    pub fn render(&self, active_sessions: i64, profile_updates_pending: i64) -> String {
        self.active_sessions.set(active_sessions);
        self.profile_updates_pending.set(profile_updates_pending);
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
