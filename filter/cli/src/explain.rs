//! `explain`: which rule and which step decides a request, told by the pipeline itself.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};

use crate::Report;
use crate::document;
use crate::edge::module::Module;
use crate::edge::{self, Account, Credential, Decided, Edge, Request};

/// What `explain` is given
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The plugin configuration, alone or in a bootstrap or manifest
    config: String,
    /// The request's URL, or its path alone; it is taken as it is
    #[arg(long)]
    url: String,
    /// The request's method
    #[arg(long, default_value = "GET")]
    method: String,
    /// A header field, as in `accept: text/html`; may be repeated
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header)]
    headers: Vec<(String, String)>,
    /// The address of the connection's peer
    #[arg(long, value_name = "IP")]
    address: Option<IpAddr>,
    /// A file that holds the token; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "claims")]
    token: Option<String>,
    /// Claims as a JSON object, signed here with a throw-away key that replaces the provider's;
    /// iss, aud, sub, iat and exp are filled in, null leaves one out
    #[arg(long, value_name = "JSON", value_parser = claims)]
    claims: Option<Claims>,
    /// A provider's key set (RFC 7517) to verify the token with
    #[arg(long, value_name = "[PROVIDER=]FILE")]
    jwks: Option<String>,
    /// The time of the decision, in seconds since 1970-01-01; now where left out
    #[arg(long, value_name = "SECONDS")]
    now: Option<u64>,
    /// The module: it decides the request too, and must decide as the policy does
    #[arg(long, value_name = "FILE")]
    wasm: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A JSON object of claims.
#[derive(Clone, Debug)]
struct Claims(Map<String, Value>);

/// Decides one request, in the module too where one is given.
///
/// # Errors
/// The configuration, the URL, the token, the key set or the module cannot be read.
pub(crate) fn run(arguments: &Arguments) -> Result<Report> {
    let (mut config, raw) = edge::load(&arguments.config)?;
    let mut request = Request::new(&arguments.method, &arguments.url)?;
    for (name, value) in &arguments.headers {
        request.header(name, value);
    }
    if let Some(address) = arguments.address {
        request.came_from(address);
    }
    let mut keys = Vec::new();
    if let Some(file) = &arguments.jwks {
        keys.push(edge::use_keys(&mut config, file)?);
    }
    let credential = match (&arguments.token, &arguments.claims) {
        (Some(file), _) => Credential::Token(document::read_text(file)?.trim().to_owned()),
        (None, Some(Claims(claims))) => Credential::Claims(claims.clone()),
        (None, None) => Credential::Absent,
    };
    let now = match arguments.now {
        Some(now) => now,
        None => now_in_seconds()?,
    };
    let presented = edge::present(&credential, &mut request, &mut config, now)?;
    keys.extend(presented.stand_in);
    let in_module = match &arguments.wasm {
        Some(file) => {
            let edge = Module::read(file)?.start(&raw, &config, &keys, now)?;
            Some(edge.ask(&request))
        }
        None => None,
    };
    let mut edge = Edge::new(config, now)?;
    let account = edge.ask(&request);
    let differences = in_module.map(|outcome| edge.differences(&request, &account, &outcome));
    let text = if arguments.json {
        let mut value = serde_json::to_value(&account)?;
        value["request"] = json!(request.shown());
        value["notes"] = json!(presented.notes);
        if let Some(differences) = &differences {
            value["module_differences"] = json!(differences);
        }
        format!("{}\n", serde_json::to_string_pretty(&value)?)
    } else {
        let mut text = terminal(&request, &account, &presented.notes);
        if let Some(differences) = &differences {
            text.push_str(&agreement(differences));
        }
        text
    };
    Ok(Report {
        text,
        right: differences.is_none_or(|differences| differences.is_empty()),
    })
}

/// Whether the module decides as the policy does.
fn agreement(differences: &[String]) -> String {
    if differences.is_empty() {
        return "\nthe module decides the same\n".to_owned();
    }
    let lines = differences.iter().map(|line| format!("  {line}\n"));
    format!(
        "\nthe module decides otherwise:\n{}",
        lines.collect::<String>()
    )
}

fn terminal(request: &Request, account: &Account, notes: &[String]) -> String {
    let mut text = format!("{}\n\n", request.shown());
    for note in notes {
        let _ = writeln!(text, "note: {note}");
    }
    if !notes.is_empty() {
        text.push('\n');
    }
    let forwarded = matches!(account.decided, Decided::Forward { .. });
    let last = account.steps.len().saturating_sub(1);
    for (index, told) in account.steps.iter().enumerate() {
        let mark = match &account.decided {
            _ if index < last || forwarded => "ok",
            Decided::Wait { .. } => "wait",
            _ => "STOP",
        };
        let line = format!("  {mark:<5}{:<23}{}", told.step, told.found.join(", "));
        let _ = writeln!(text, "{}", line.trim_end());
    }
    let rule = account.rule.as_deref().unwrap_or("no rule yet");
    let step = account.steps.last().map_or("", |told| told.step);
    let _ = match &account.decided {
        Decided::Forward { set, removed } => {
            let _ = writeln!(text, "\nforward, by {rule}");
            for name in removed {
                let _ = writeln!(text, "  - {name}");
            }
            for (name, value) in set {
                let _ = writeln!(text, "  + {name}: {value}");
            }
            Ok(())
        }
        Decided::Wait { reason } => {
            writeln!(
                text,
                "\nwait ({reason}), by {rule} at {step}{}",
                hint(reason)
            )
        }
        Decided::Reply {
            status,
            reason,
            headers,
            body,
        } => {
            let _ = writeln!(text, "\nreply {status} {reason}, by {rule} at {step}");
            for (name, value) in headers {
                let _ = writeln!(text, "  {name}: {value}");
            }
            if body.is_empty() {
                Ok(())
            } else {
                writeln!(text, "\n  {body}")
            }
        }
    };
    text
}

/// Why a native run waits, and what to do about it.
fn hint(reason: &str) -> &'static str {
    match reason {
        "first_keys" => {
            "\n  no keys are fetched here: give the provider's key set with --jwks, or claims with --claims"
        }
        _ => "",
    }
}

/// The time, in seconds since 1970-01-01.
///
/// # Errors
/// The machine's clock stands before that.
pub(crate) fn now_in_seconds() -> Result<u64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    Ok(now.context("the clock stands before 1970")?.as_secs())
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("write NAME: VALUE")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn claims(text: &str) -> Result<Claims, String> {
    match serde_json::from_str(text) {
        Ok(Value::Object(claims)) => Ok(Claims(claims)),
        Ok(_) => Err("claims are a JSON object, as in {\"scope\": \"read\"}".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
