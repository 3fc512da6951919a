//! Logs: text for people or JSON for machines, one line per request, never a token.
//!
//! What is never logged, at any level: tokens, codes, cookies, secrets, query strings, bodies, claims' free text.

pub mod metrics;
pub mod request;
pub mod traceparent;

use std::str::FromStr;

use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("is neither text nor json".to_owned()),
        }
    }
}

/// Libraries whose finer logs show header fields, tokens among them, or statements: never below warnings, whatever an
/// operator asks for.
const CAPPED: [&str; 7] = [
    "h2",
    "hyper",
    "hyper_util",
    "reqwest",
    "rustls",
    "sqlx",
    "tower_http",
];

fn with_caps(filter: &str) -> EnvFilter {
    let own: Vec<_> = filter
        .split(',')
        .filter(|directive| {
            let target = directive.trim().split(['=', ':', '[']).next();
            !target.is_some_and(|target| CAPPED.contains(&target))
        })
        .collect();
    CAPPED.iter().fold(
        EnvFilter::new(own.join(",")),
        |filter, name| match format!("{name}=warn").parse() {
            Ok(directive) => filter.add_directive(directive),
            Err(_) => filter,
        },
    )
}

/// Sends logs to standard error for the rest of the process. The first call counts.
pub fn init(filter: &str, format: LogFormat) {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(with_caps(filter))
        .with_writer(std::io::stderr);
    let done = match format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    if done.is_err() {
        tracing::debug!("logging was set up before");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_filter_makes_libraries_log_header_fields() {
        for filter in ["trace", "info,h2=trace, hyper::proto=debug", "info"] {
            let filter = with_caps(filter).to_string();
            for name in CAPPED {
                assert!(filter.contains(&format!("{name}=warn")), "{filter}");
            }
            assert!(
                !filter.contains("h2=trace") && !filter.contains("proto"),
                "{filter}"
            );
        }
        assert!(
            with_caps("warn,api_server=debug")
                .to_string()
                .contains("api_server=debug")
        );
    }
}
