//! `test`: a file of requests and what must become of them, for CI.

mod case;
mod compare;

use std::fmt::Write as _;

use anyhow::{Context as _, Result, bail};
use edge_auth_policy::config::Config;
use serde_json::Value;

use crate::Report;
use crate::check::counted;
use crate::document;
use crate::edge::module::Module;
use crate::edge::{self, Account, Edge};
use crate::explain::now_in_seconds;
use case::Case;

/// What `test` is given
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Cases: requests and what must become of them
    #[arg(required = true, value_name = "CASES")]
    files: Vec<String>,
    /// The plugin configuration, alone or in a bootstrap or manifest
    #[arg(long)]
    config: String,
    /// The module: each case runs in it too, and must be decided as the policy decides it
    #[arg(long, value_name = "FILE")]
    wasm: Option<String>,
}

/// Runs all cases, each on a proxy of its own that has seen no request before.
///
/// # Errors
/// The configuration or the cases cannot be read, or there are none.
pub(crate) fn run(arguments: &Arguments) -> Result<Report> {
    let (config, raw) = edge::load(&arguments.config)?;
    let module = arguments.wasm.as_deref().map(Module::read).transpose()?;
    let now = now_in_seconds()?;
    let mut text = String::new();
    let (mut ran, mut failed) = (0, 0);
    for file in &arguments.files {
        for (index, case) in read(file)?.into_iter().enumerate() {
            let case = case.with_context(|| format!("{file}: cases[{index}]"))?;
            let module = module.as_ref().map(|module| (module, &raw));
            let (account, disagreements) = decide(&case, config.clone(), module, now)
                .with_context(|| format!("{file}: cases[{index}], {}", case.name))?;
            let mut differences = compare::differences(&case.expect, &account);
            differences.extend(disagreements);
            ran += 1;
            if differences.is_empty() {
                let _ = writeln!(text, "ok    {}", case.name);
                continue;
            }
            failed += 1;
            let _ = writeln!(text, "FAIL  {}  ({file}: cases[{index}])", case.name);
            for difference in differences {
                let _ = writeln!(text, "        {difference}");
            }
            let _ = writeln!(text, "        steps: {}", steps(&account));
        }
    }
    if ran == 0 {
        bail!("no cases in {}", arguments.files.join(", "));
    }
    let _ = writeln!(text, "{}, {failed} failed", counted(ran, "case"));
    Ok(Report {
        text,
        right: failed == 0,
    })
}

/// What the policy decides, and in what the module differs, if there is one.
fn decide(
    case: &Case,
    mut config: Config,
    module: Option<(&Module, &Value)>,
    now: u64,
) -> Result<(Account, Vec<String>)> {
    let mut request = case.request.request()?;
    let now = case.now.unwrap_or(now);
    let presented = edge::present(&case.credential(), &mut request, &mut config, now)?;
    let in_module = match module {
        Some((module, raw)) => {
            Some(module.start(raw, &config, presented.stand_in.as_slice(), now)?)
        }
        None => None,
    };
    let mut edge = Edge::new(config, now)?;
    let mut ask = || {
        let account = edge.ask(&request);
        let outcome = in_module.as_ref().map(|module| module.ask(&request));
        (account, outcome)
    };
    for _ in 1..case.repeat {
        ask();
    }
    let (account, outcome) = ask();
    let differences = outcome.map_or_else(Vec::new, |outcome| {
        edge.differences(&request, &account, &outcome)
    });
    Ok((account, differences))
}

/// The steps up to the one that decided, with what they found.
fn steps(account: &Account) -> String {
    let step = |told: &edge::Told| match told.found.join(", ") {
        found if found.is_empty() => told.step.to_owned(),
        found => format!("{} ({found})", told.step),
    };
    account
        .steps
        .iter()
        .map(step)
        .collect::<Vec<_>>()
        .join(" → ")
}

/// The cases of a file, one by one, so that a mistake has its place.
fn read(name: &str) -> Result<Vec<Result<Case>>> {
    let file = document::read(name)?;
    if let Some(error) = file.error {
        bail!("{name} cannot be read: {error}");
    }
    let mut cases = Vec::new();
    for document in file.documents {
        let Value::Object(mut members) = document else {
            bail!("{name} is no object with a list `cases`");
        };
        let Some(Value::Array(list)) = members.remove("cases") else {
            bail!("{name} has no list `cases`");
        };
        if let Some(other) = members.keys().next() {
            bail!("{name}: {other} is not known; known is cases");
        }
        let case = |value| serde_json::from_value(value).map_err(anyhow::Error::from);
        cases.extend(list.into_iter().map(case));
    }
    Ok(cases)
}
