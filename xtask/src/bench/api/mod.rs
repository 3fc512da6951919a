//! The same three routes of api-server and of a small `FastAPI` server, in turns; then api-server alone, with one owner
//! of ever more documents.
//!
//! `FastAPI` comes twice: as a team would write it, and tuned. All have the same schema, documents, durability and
//! tokens, check the same things and answer the same; this is tried before anything is measured. Each has one core, the
//! load another; those whose turn it is not wait.

mod answers;
mod curve;
mod documents;
mod report;
mod servers;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;

use super::load::{Carried, Load, PATH};
use super::tokens::{self, Tokens};
use super::{Length, process};
use crate::service::Services;
use crate::{command, workspace};
use documents::Database;
use report::Row;
use servers::Jose;

/// Documents of each of the owners that come in turns.
const DOCUMENTS: usize = 50;
/// What is created: a note of the usual size.
const NOTE: &str = include_str!("note.json");
/// Before the first turn counts, caches are filled.
const WARM_UP: Duration = Duration::from_secs(1);

pub(super) fn run(length: Length) -> Result<()> {
    let (count, time) = length.plan();
    let folder = tokens::folder()?;
    let load = Load::prepare(&folder)?;
    let programs = tokens::programs()?;
    let program = servers::build()?;
    let python = servers::python()?;
    command::announce("preparing");
    let mut services = Services::new()?;
    let tokens = tokens::prepare(&folder, &programs, &mut services)?;
    services.end();
    let issuer = tokens::issuer(&programs, &mut services)?;

    let bench = Bench {
        folder: &folder,
        load: &load,
        tokens: &tokens,
        program: &program,
        python: &python,
        issuer,
        time,
    };
    let rows = bench.compare(&mut services, count)?;
    let points = curve::measure(&bench, &mut services, length.quick)?;
    services.end();
    report::print(&rows);
    curve::print(&points);
    let path = folder.join("api.json");
    let all = json!({
        "machine": super::report::machine(),
        "routes": report::json(&rows),
        "curve": curve::json(&points),
    });
    fs::write(&path, serde_json::to_vec_pretty(&all)?)?;
    println!("\n{}", workspace::relative(&path));
    Ok(())
}

/// What all measurements share.
struct Bench<'b> {
    folder: &'b Path,
    load: &'b Load,
    tokens: &'b Tokens,
    program: &'b Path,
    python: &'b Path,
    issuer: SocketAddr,
    time: Duration,
}

impl Bench<'_> {
    /// Rounds of every route on all servers.
    fn compare(&self, services: &mut Services, rounds: u16) -> Result<Vec<Row>> {
        let owners: Vec<_> = (0..tokens::COUNT)
            .map(|number| (tokens::subject(number), DOCUMENTS))
            .collect();
        let database = Database::make(self, "ours", &owners)?;
        // Copied before anything opens it.
        let copies = [
            database.copy(&self.folder.join("fastapi.db"))?,
            database.copy(&self.folder.join("fastapi-tuned.db"))?,
        ];
        let [usual, tuned] = &copies;
        let all = [
            servers::api_server(self, services, &database)?,
            servers::fastapi(self, services, usual, Jose::WebKey)?,
            servers::fastapi(self, services, tuned, Jose::Constructed)?,
        ];
        command::announce("all answer the same");
        let paths = self.paths(&database)?;
        answers::compare(&all, self.tokens, &paths)?;

        let routes = [
            ("list", Carried::tokens(&self.tokens.usual)),
            ("get", Carried::tokens(&paths)),
            (
                "create",
                Carried {
                    body: Some(NOTE),
                    ..Carried::tokens(&self.tokens.usual)
                },
            ),
        ];
        let mut rows = Vec::new();
        for (route, carried) in routes {
            for server in &all {
                rows.push(Row::new(route, server.name));
                self.load
                    .turn(server.address, carried, WARM_UP, server.process)?;
            }
        }
        command::announce(&format!(
            "{rounds} rounds, {} s for each route of each server",
            self.time.as_secs()
        ));
        for round in 1..=rounds {
            let turns = routes
                .iter()
                .flat_map(|route| all.iter().map(move |server| (route, server)));
            for ((route, server), row) in turns.zip(&mut rows) {
                let (name, carried) = *route;
                let turn = self
                    .load
                    .turn(server.address, carried, self.time, server.process)
                    .with_context(|| format!("{name}, {}", server.name))?;
                eprintln!(
                    "    {round}/{rounds} {name:<7} {:<14} {:>8.0} requests/s {:>7.1} µs CPU",
                    server.name, turn.per_second, turn.cpu_micros
                );
                row.push(turn, process::resident_bytes(server.process)?);
            }
        }
        for server in all {
            services.end_one(server.name);
        }
        Ok(rows)
    }

    /// For each owner the path of one of their documents, and their token.
    fn paths(&self, database: &Database) -> Result<PathBuf> {
        let tokens = fs::read_to_string(&self.tokens.usual)?;
        let lines: Vec<_> = tokens
            .lines()
            .zip(database.middles())
            .map(|(token, middle)| format!("{PATH}/{}\t{token}", middle.id))
            .collect();
        let path = self.folder.join("paths.txt");
        fs::write(&path, lines.join("\n") + "\n")?;
        Ok(path)
    }
}
