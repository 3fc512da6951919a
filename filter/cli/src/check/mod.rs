//! `check`: every mistake in every configuration of the files given, each with its place.

mod warnings;

use std::fmt::Write as _;

use anyhow::{Result, bail};
use edge_auth_policy::config::Config;
use edge_auth_policy::pipeline::Gateway;
use edge_auth_policy::store::MemoryStore;

use crate::Report;
use crate::document::{self, File};
use crate::edge::module::Module;
use crate::found::{self, Found};

/// What `check` is given
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Plugin configurations, Envoy bootstraps, Istio or Envoy Gateway manifests; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// Treat warnings as errors
    #[arg(long)]
    deny_warnings: bool,
    /// The module: it is configured with each configuration too, and must accept what this command accepts and
    /// nothing else
    #[arg(long, value_name = "MODULE")]
    wasm: Option<String>,
}

/// What was found, over all files.
#[derive(Debug, Default)]
struct Counts {
    configurations: usize,
    errors: usize,
    warnings: usize,
}

/// Checks all files.
///
/// # Errors
/// A file or the module cannot be read, or there is no configuration in any of them.
pub(crate) fn run(arguments: &Arguments) -> Result<Report> {
    let files: Vec<File> = arguments
        .files
        .iter()
        .map(|name| document::read(name))
        .collect::<Result<_>>()?;
    let module = arguments.wasm.as_deref().map(Module::read).transpose()?;
    let mut text = String::new();
    let mut counts = Counts::default();
    for file in &files {
        check_file(file, module.as_ref(), &mut text, &mut counts)?;
    }
    if counts.configurations == 0 && counts.errors == 0 {
        bail!(
            "no edge-auth configuration in {}: it is looked for at the top of a document, in the wasm filters of \
             an Envoy configuration or EnvoyFilter, in WasmPlugin, TrafficExtension and EnvoyExtensionPolicy",
            arguments.files.join(", ")
        );
    }
    let _ = writeln!(
        text,
        "{}, {}, {}",
        counted(counts.configurations, "configuration"),
        counted(counts.errors, "error"),
        counted(counts.warnings, "warning"),
    );
    let right = counts.errors == 0 && !(arguments.deny_warnings && counts.warnings > 0);
    Ok(Report { text, right })
}

fn check_file(
    file: &File,
    module: Option<&Module>,
    text: &mut String,
    counts: &mut Counts,
) -> Result<()> {
    let several = file.documents.len() > 1 || file.error.is_some();
    let mut anything = false;
    for (index, document) in file.documents.iter().enumerate() {
        let mut header = file.name.clone();
        if several {
            let _ = write!(header, ": document {}", index + 1);
        }
        let findings = found::find(document);
        for other in &findings.others {
            let _ = writeln!(text, "{header}: {other}: another wasm filter, not checked");
        }
        for found in &findings.found {
            anything = true;
            counts.configurations += 1;
            let header = match &*found.place {
                "" => header.clone(),
                place => format!("{header}: {place}"),
            };
            check_one(&header, found, module, text, counts)?;
        }
    }
    if let Some(error) = &file.error {
        counts.errors += 1;
        let number = file.documents.len() + 1;
        let _ = writeln!(
            text,
            "{}: document {number}\n  error: cannot be read: {error}",
            file.name
        );
    } else if !anything {
        let _ = writeln!(text, "{}: no edge-auth configuration", file.name);
    }
    Ok(())
}

fn check_one(
    header: &str,
    found: &Found,
    module: Option<&Module>,
    text: &mut String,
    counts: &mut Counts,
) -> Result<()> {
    let read = read(&found.text);
    let disagreement = match module {
        Some(module) => disagreement(module, &found.text, read.as_ref().ok())?,
        None => None,
    };
    let (mut errors, warnings) = match read {
        Ok(config) => (Vec::new(), warnings::of(&config, found)),
        Err(errors) => (errors, warnings::of_surroundings(&found.surroundings)),
    };
    errors.extend(disagreement);
    counts.errors += errors.len();
    counts.warnings += warnings.len();
    if errors.is_empty() && warnings.is_empty() {
        let _ = writeln!(text, "{header}: ok");
        return Ok(());
    }
    let _ = writeln!(text, "{header}");
    for error in errors {
        let _ = writeln!(text, "  error: {error}");
    }
    for warning in warnings {
        let _ = writeln!(text, "  warning: {warning}");
    }
    Ok(())
}

/// In what the module differs, if in anything, from what this command says of a configuration.
///
/// # Errors
/// The module does not start before it is asked.
fn disagreement(module: &Module, text: &str, read: Option<&Config>) -> Result<Option<String>> {
    Ok(match (read, module.accepts(text, read)?) {
        (Some(_), Ok(())) | (None, Err(_)) => None,
        (Some(_), Err(logged)) => Some(format!(
            "the module refuses what this command accepts: {logged}"
        )),
        (None, Ok(())) => Some("the module accepts what this command refuses".to_owned()),
    })
}

/// The configuration, if a worker would start with it.
fn read(text: &str) -> Result<Config, Vec<String>> {
    let shown = |errors: Vec<_>| errors.iter().map(ToString::to_string).collect::<Vec<_>>();
    let config = Config::from_json(text.as_bytes()).map_err(shown)?;
    Gateway::new(config.clone(), [0; 16], &mut MemoryStore::default()).map_err(shown)?;
    Ok(config)
}

/// `1 error`, `2 errors`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{s}")
}
