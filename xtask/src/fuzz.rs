//! `cargo xtask fuzz`: every parser under libFuzzer, guided by coverage, on the pinned stable compiler.
//!
//! CI feeds the same parsers mutated seeds without coverage (`filter/policy/tests/fuzz`); this is the long run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::{command, paint, workspace};

/// What to fuzz, and for how long
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The targets, by the names of the files in `filter/policy/fuzz/fuzz_targets`; all where none is named
    targets: Vec<String>,
    /// How long each target runs, in seconds
    #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// How many targets run at once
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..))]
    jobs: u8,
}

/// Builds the targets and runs them; each with what it found.
///
/// # Errors
///
/// When a target is not there, can't be built, or has found something.
pub fn run(arguments: &Arguments) -> Result<()> {
    let known = targets()?;
    let chosen = if arguments.targets.is_empty() {
        known.clone()
    } else {
        arguments.targets.clone()
    };
    for name in &chosen {
        if !known.contains(name) {
            bail!("there is no target {name}; there are {}", known.join(", "));
        }
    }
    let programs = build()?;
    let seconds = Duration::from_secs(arguments.seconds);
    command::announce(&format!(
        "{} targets, {} s each, {} at once",
        chosen.len(),
        arguments.seconds,
        arguments.jobs
    ));
    let waiting = Mutex::new(chosen.iter());
    let findings = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..arguments.jobs {
            scope.spawn(|| {
                loop {
                    let Some(name) = waiting.lock().ok().and_then(|mut names| names.next()) else {
                        return;
                    };
                    match fuzz(&programs, name, seconds) {
                        Ok(told) => eprintln!("    {name:<18} {told}"),
                        Err(error) => {
                            eprintln!("    {name:<18} {}", paint::stderr().red("did not end well"));
                            if let Ok(mut findings) = findings.lock() {
                                findings.push(format!("{error:#}"));
                            }
                        }
                    }
                }
            });
        }
    });
    let findings = findings.into_inner().unwrap_or_default();
    if findings.is_empty() {
        return Ok(());
    }
    bail!("{}", findings.join("\n"))
}

/// The names of all targets, sorted.
fn targets() -> Result<Vec<String>> {
    let folder = crate_folder().join("fuzz_targets");
    let mut names: Vec<String> = fs::read_dir(&folder)
        .with_context(|| format!("can't read {}", folder.display()))?
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            Some(path.file_stem()?.to_str()?.to_owned())
        })
        .collect();
    names.sort();
    Ok(names)
}

/// Builds all targets with counters at each edge and each comparison; the folder the programs are in.
fn build() -> Result<PathBuf> {
    let host = command::output(Command::new("rustc").arg("-vV"))
        .context("can't run rustc")?
        .lines()
        .find_map(|line| line.strip_prefix("host: ").map(str::to_owned))
        .context("rustc does not name its host")?;
    let target = workspace::target().join("fuzz");
    command::announce("building the fuzz targets");
    // A target of its own, even where it is the host: build scripts and macros stay without the counters.
    command::run(
        command::cargo()
            .args(["build", "--release", "--target", &host])
            .arg("--target-dir")
            .arg(&target)
            .current_dir(crate_folder())
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .env("RUSTFLAGS", COVERAGE),
    )?;
    Ok(target.join(host).join("release"))
}

/// Runs one target; what it reached, in words.
fn fuzz(programs: &Path, name: &str, seconds: Duration) -> Result<String> {
    let folder = workspace::target().join("fuzz").join("runs").join(name);
    let corpus = folder.join("corpus");
    fs::create_dir_all(&corpus)?;
    let log = folder.join("log");
    let mut target = Command::new(programs.join(name));
    target
        .arg(format!("-max_total_time={}", seconds.as_secs()))
        .args(["-max_len=20000", "-timeout=10", "-print_final_stats=1"])
        .arg(format!("-artifact_prefix={}/", folder.display()))
        .arg(&corpus)
        .current_dir(crate_folder())
        .stderr(fs::File::create(&log)?);
    let seeds = crate_folder().join("seeds").join(name);
    if seeds.exists() {
        target.arg(seeds);
    }
    let status = target
        .status()
        .with_context(|| format!("can't start {name}"))?;
    let told = fs::read_to_string(&log)?;
    if !status.success() {
        bail!(
            "{name}: see {}; run the program on the file it names to see it again",
            log.display()
        );
    }
    summary(&told).with_context(|| format!("{name} told nothing of its run: {}", log.display()))
}

/// What libFuzzer says at the end: how many inputs, and how many edges they took.
fn summary(log: &str) -> Option<String> {
    let inputs = log
        .lines()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))?
        .trim();
    let (_, rest) = log.rsplit_once(" cov: ")?;
    let edges = rest.split(' ').next()?;
    Some(format!("{inputs} inputs, {edges} edges, nothing found"))
}

fn crate_folder() -> PathBuf {
    workspace::root().join("filter/policy/fuzz")
}

/// What cargo-fuzz passes too where it has no sanitizer; all of it is stable.
const COVERAGE: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 -Cdebug-assertions";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_of_the_manifest_is_a_file_and_the_other_way_round() {
        let manifest = fs::read_to_string(crate_folder().join("Cargo.toml")).unwrap();
        let mut named: Vec<_> = manifest
            .lines()
            .filter_map(|line| {
                line.strip_prefix("path = \"fuzz_targets/")?
                    .strip_suffix(".rs\"")
            })
            .collect();
        named.sort_unstable();
        assert_eq!(named, targets().unwrap());
    }

    #[test]
    fn a_run_is_summed_up_by_its_last_figures() {
        let log = "#2 INITED cov: 10 ft: 11\n#9 DONE cov: 935 ft: 5272 corp: 1933\n\
                   stat::number_of_executed_units: 38763394\n";
        assert_eq!(
            summary(log).unwrap(),
            "38763394 inputs, 935 edges, nothing found"
        );
        assert_eq!(summary("no libFuzzer at all"), None);
    }
}
