//! The rounds: each variant in its turn, in an Envoy of one worker.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::load::{Carried, Load, PATH, Turn};
use super::report::{self, Measured};
use super::tokens::{self, Tokens};
use super::variants::{self, Carries, Counted, Parts, Variant};
use super::{Edge, noop};
use crate::service::Services;
use crate::{command, envoy, filter, http, workspace};

/// Before the first turn counts, caches are filled and hot code is compiled again, better, while it runs: seconds of
/// it, on the core that answers.
const WARM_UP: Duration = Duration::from_secs(1);
/// So many of them at most.
const WARM_UPS: usize = 8;
/// A variant that twice did not get cheaper than this part of its best is warm.
const SETTLED: f64 = 0.97;

pub(super) fn run(arguments: &Edge) -> Result<()> {
    let (rounds, time) = arguments.length.plan();

    let folder = tokens::folder()?;
    let load = Load::prepare(&folder)?;
    let envoy = envoy::find_or_install()?;
    let module = module(arguments.module.as_deref(), arguments.toolchain)?;
    let programs = tokens::programs()?;
    let noop = folder.join("noop.wasm");
    fs::write(&noop, noop::module())?;

    let mut services = Services::new()?;
    command::announce("preparing");
    let tokens = tokens::prepare(&folder, &programs, &mut services)?;
    services.end();
    let mut variants = variants::all(&Parts {
        module: &module,
        beside: arguments.beside.as_deref(),
        noop: &noop,
        tokens: &tokens,
    });
    let only = &arguments.only;
    variants.retain(|variant| only.is_empty() || only.iter().any(|o| variant.name.contains(o)));
    ensure!(!variants.is_empty(), "--only leaves no variant");
    let admin = place(&mut variants)?;

    let bootstrap = variants::bootstrap(&variants, admin);
    let path = folder.join("envoy.json");
    fs::write(&path, serde_json::to_vec(&bootstrap)?)?;
    let mut command = load.on_core("0", &envoy.path);
    command
        .arg("--config-path")
        .arg(&path)
        .args(["--concurrency", "1", "--use-dynamic-base-id"])
        .args(["--log-level", "error"]);
    let ready = |_: &[String]| (http::status(admin, "/ready").ok()? == 200).then_some(());
    services.start("envoy", 36, &mut command, ready)?;
    let process = services.process("envoy").context("envoy has ended")?;

    command::announce("each variant does the work its name says");
    for variant in &variants {
        decides(variant, &tokens)?;
        let turn = || load.turn(variant.address, of(variant, &tokens), WARM_UP, process);
        warm_up(turn).with_context(|| variant.name.clone())?;
    }
    command::announce(&format!(
        "{rounds} rounds of {} variants, {} s each{}",
        variants.len(),
        time.as_secs(),
        if load.pinned {
            ", Envoy on one core and the load on another"
        } else {
            ""
        },
    ));
    let mut measured: Vec<Measured> = variants.iter().map(|v| Measured::new(&v.name)).collect();
    for round in 1..=rounds {
        for (variant, measured) in variants.iter().zip(&mut measured) {
            let before = verified(admin, variant)?;
            let turn = load
                .turn(variant.address, of(variant, &tokens), time, process)
                .with_context(|| variant.name.clone())?;
            proves(variant, &turn, before, verified(admin, variant)?)?;
            eprintln!(
                "    {round}/{rounds} {:<34} {:>8.0} requests/s {:>7.1} µs CPU",
                variant.name, turn.per_second, turn.cpu_micros
            );
            measured.turns.push(turn);
        }
    }
    report::print(&measured, &envoy.version);
    let path = folder.join("edge.json");
    fs::write(
        &path,
        serde_json::to_vec_pretty(&report::json(&measured, &envoy.version))?,
    )?;
    println!("\n{}", workspace::relative(&path));
    Ok(())
}

/// The module named, or one built now.
pub(super) fn module(named: Option<&Path>, toolchain: filter::Choice) -> Result<PathBuf> {
    match named {
        Some(module) => Ok(module.to_owned()),
        None => filter::publish(&filter::build(&filter::find(toolchain)?)?),
    }
}

/// Gives every variant a free port, and one to the admin interface.
fn place(variants: &mut [Variant]) -> Result<SocketAddr> {
    // All are held until all are found, so that none is given twice.
    let hold = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let mut held = Vec::new();
    for variant in variants {
        let listener = hold()?;
        variant.address = listener.local_addr()?;
        held.push(listener);
    }
    Ok(hold()?.local_addr()?)
}

fn of<'t>(variant: &Variant, tokens: &'t Tokens) -> Carried<'t> {
    match variant.carries {
        Carries::Tokens => Carried::tokens(&tokens.usual),
        Carries::LargeTokens => Carried::tokens(&tokens.large),
        Carries::Es256Tokens => Carried::tokens(&tokens.es256),
        Carries::Sessions => Carried {
            lines: &tokens.sessions,
            field: "cookie",
            prefix: "",
            body: None,
        },
    }
}

/// Turns that do not count, until the CPU time per request falls no more.
fn warm_up(turn: impl Fn() -> Result<Turn>) -> Result<()> {
    let (mut best, mut settled) = (f64::INFINITY, 0);
    for _ in 0..WARM_UPS {
        let cpu_micros = turn()?.cpu_micros;
        if cpu_micros < best * SETTLED {
            settled = 0;
        } else {
            settled += 1;
        }
        best = best.min(cpu_micros);
        if settled == 2 {
            break;
        }
    }
    Ok(())
}

/// A variant that lets through what it should refuse measures something else.
fn decides(variant: &Variant, tokens: &Tokens) -> Result<()> {
    let good = fs::read_to_string(&tokens.usual)?;
    let good = good.lines().next().unwrap_or_default();
    let bad = format!("{}AAAA", &good[..good.len().saturating_sub(4)]);
    let expect = |what: &str, token: &str, allowed: bool| {
        // Where sessions are opened, tokens still count as they are.
        let status = http::status_with_token(variant.address, PATH, token)?;
        if (status == 200) != allowed {
            bail!("{}: {what} was answered with {status}", variant.name);
        }
        Ok(())
    };
    expect("a good token", good, true)?;
    expect("a forged token", &bad, !variant.checks_tokens())?;
    expect(
        "a token without the scope",
        &tokens.without_scope,
        !variant.checks_scopes(),
    )
}

/// How many signatures our module says were checked by the host, and how many in the module.
fn verified(admin: SocketAddr, variant: &Variant) -> Result<(u64, u64)> {
    let Some((prefix, _)) = &variant.proof else {
        return Ok((0, 0));
    };
    // Counters are handed over on ticks of half a second.
    std::thread::sleep(Duration::from_millis(600));
    let stats = http::get(admin, &format!("/stats?filter={prefix}"))?;
    let count = |name: &str| {
        let line = format!("{prefix}.{name}: ");
        let value = stats
            .lines()
            .find_map(|l| l.split_once(&line).map(|(_, value)| value));
        value
            .and_then(|value| value.trim().parse().ok())
            .unwrap_or(0)
    };
    Ok((count("verified_by_host"), count("verified_by_module")))
}

fn proves(variant: &Variant, turn: &Turn, before: (u64, u64), after: (u64, u64)) -> Result<()> {
    let Some((_, counted)) = &variant.proof else {
        return Ok(());
    };
    let by_host = after.0.saturating_sub(before.0);
    let in_module = after.1.saturating_sub(before.1);
    // A token now and then is still remembered when it comes again.
    let most = turn.requests - turn.requests / 20;
    let few = turn.requests / 20;
    let holds = match counted {
        Counted::Nowhere => by_host + in_module <= few,
        Counted::ByHost => by_host >= most && in_module == 0,
        Counted::InModule => in_module >= most && by_host == 0,
    };
    if !holds {
        bail!(
            "{}: of {} requests {by_host} signatures were checked by the host and {in_module} in the module",
            variant.name,
            turn.requests
        );
    }
    Ok(())
}
