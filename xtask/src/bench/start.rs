//! `bench start`: how long Envoy takes until it serves a request through our module, beside Envoy without it.
//!
//! What is timed is a whole Envoy: from its process to the first answer of 200. The difference to one without a
//! filter is the module's: read, compiled, instantiated for each thread, configured.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::load::PATH;
use super::report::median;
use super::variants::{self, Parts, Variant};
use super::{Start, edge, noop, tokens};
use crate::service::Services;
use crate::{command, envoy, paint, workspace};

/// Between two questions whether it serves.
const POLL: Duration = Duration::from_millis(1);
/// An Envoy that takes longer than this does not serve.
const LIMIT: Duration = Duration::from_secs(60);

pub(super) fn run(arguments: &Start) -> Result<()> {
    let folder = tokens::folder()?;
    let envoy = envoy::find_or_install()?;
    let module = edge::module(arguments.module.as_deref(), arguments.toolchain)?;
    let programs = tokens::programs()?;
    let noop = folder.join("noop.wasm");
    fs::write(&noop, noop::module())?;
    let mut services = Services::new()?;
    let tokens = tokens::prepare(&folder, &programs, &mut services)?;
    services.end();
    let token = fs::read_to_string(&tokens.usual)?;
    let token = token.lines().next().context("no token")?;
    let mut variants = variants::starts(&Parts {
        module: &module,
        beside: None,
        noop: &noop,
        tokens: &tokens,
    });
    let rounds = arguments.rounds;
    command::announce(&format!("{rounds} starts of each of {}", variants.len()));
    let mut millis = vec![Vec::new(); variants.len()];
    for round in 1..=rounds {
        for (variant, millis) in variants.iter_mut().zip(&mut millis) {
            let took = start(variant, &envoy.path, &folder, token)?;
            eprintln!("    {round}/{rounds} {:<34} {took:>7.0} ms", variant.name);
            millis.push(took);
        }
    }
    print(&variants, &millis, &envoy.version);
    let path = folder.join("start.json");
    let rows = variants.iter().zip(&millis);
    let rows: Vec<Value> = rows
        .map(|(variant, millis)| json!({"variant": variant.name, "milliseconds": millis}))
        .collect();
    let all = json!({"envoy": envoy.version, "variants": rows});
    fs::write(&path, serde_json::to_vec_pretty(&all)?)?;
    println!("\n{}", workspace::relative(&path));
    Ok(())
}

/// Starts an Envoy with this variant alone, and ends it; milliseconds until it answered.
fn start(variant: &mut Variant, envoy: &Path, folder: &Path, token: &str) -> Result<f64> {
    let hold = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let (listener, admin) = (hold()?, hold()?);
    variant.address = listener.local_addr()?;
    let bootstrap = variants::bootstrap(std::slice::from_ref(variant), admin.local_addr()?);
    drop((listener, admin));
    let path = folder.join("start-envoy.json");
    fs::write(&path, serde_json::to_vec(&bootstrap)?)?;
    let mut command = Command::new(envoy);
    command
        .arg("--config-path")
        .arg(&path)
        .args(["--concurrency", "1", "--use-dynamic-base-id"])
        .args(["--log-level", "off"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let begin = Instant::now();
    let mut running = Running(command.spawn().context("can't start Envoy")?);
    serves(&mut running, variant, variant.address, token)?;
    Ok(begin.elapsed().as_secs_f64() * 1e3)
}

fn serves(running: &mut Running, variant: &Variant, at: SocketAddr, token: &str) -> Result<()> {
    let begin = Instant::now();
    while begin.elapsed() < LIMIT {
        match crate::http::status_with_token(at, PATH, token) {
            Ok(200) => return Ok(()),
            Ok(status) => bail!("{}: a good token was answered with {status}", variant.name),
            // It does not listen yet.
            Err(_) => thread::sleep(POLL),
        }
        if let Some(status) = running.0.try_wait()? {
            bail!("{}: Envoy ended ({status})", variant.name);
        }
    }
    bail!("{}: Envoy does not serve after {LIMIT:?}", variant.name)
}

/// An Envoy that ends with its measurement.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Of no effect on one that has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn print(variants: &[Variant], millis: &[Vec<f64>], envoy: &str) {
    println!(
        "\n{}",
        paint::stdout().bold(format!("Envoy {envoy}, from its start to its first answer"))
    );
    println!("| {:<34} |   ms | more than without |", "variant");
    println!("|{:-<36}|-----:|------------------:|", "");
    let base = millis.first().cloned().map_or(f64::NAN, median);
    for (variant, millis) in variants.iter().zip(millis) {
        let took = median(millis.clone());
        println!(
            "| {:<34} | {took:>4.0} | {:>17.0} |",
            variant.name,
            took - base
        );
    }
}
