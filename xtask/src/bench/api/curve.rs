//! What a page costs an owner of one document, and one of a million: the same.

use std::fs;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::documents::{Database, Middle};
use super::{Bench, WARM_UP, servers};
use crate::bench::load::{Carried, PATH, Turn};
use crate::bench::tokens;
use crate::command;
use crate::service::Services;

/// Documents of one owner each; all owners share a database.
const SIZES: [usize; 7] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000];
/// So many sizes with `--quick`: the last would be half a minute of writing.
const QUICK: usize = 6;

/// One owner's requests.
#[derive(Clone, Debug)]
pub(super) struct Point {
    documents: usize,
    /// First page, page in the middle, one document.
    turns: [Turn; 3],
}

const ROUTES: [&str; 3] = ["first page", "middle page", "document"];

/// Measures every size.
///
/// # Errors
///
/// When the database can't be made, or a request is refused.
pub(super) fn measure(
    bench: &Bench<'_>,
    services: &mut Services,
    quick: bool,
) -> Result<Vec<Point>> {
    command::announce("one owner with ever more documents");
    let sizes = if quick { &SIZES[..QUICK] } else { &SIZES[..] };
    let owners: Vec<_> = sizes
        .iter()
        .enumerate()
        .map(|(number, size)| (tokens::subject(number), *size))
        .collect();
    let database = Database::make(bench, "curve", &owners)?;
    let server = servers::api_server(bench, services, &database)?;
    let tokens = fs::read_to_string(&bench.tokens.usual)?;
    let mut points = Vec::new();
    for ((size, token), middle) in sizes.iter().zip(tokens.lines()).zip(database.middles()) {
        let turn = |path: String| -> Result<Turn> {
            let lines = bench.folder.join("curve.txt");
            fs::write(&lines, format!("{path}\t{token}\n"))?;
            let carried = Carried::tokens(&lines);
            let load = |time| {
                bench
                    .load
                    .turn(server.address, carried, time, server.process)
            };
            load(WARM_UP)?;
            load(bench.time).with_context(|| path.clone())
        };
        let Middle { id, cursor } = middle;
        let turns = [
            turn(PATH.to_owned())?,
            turn(format!("{PATH}?cursor={cursor}"))?,
            turn(format!("{PATH}/{id}"))?,
        ];
        eprintln!("    {size} documents");
        points.push(Point {
            documents: *size,
            turns,
        });
    }
    Ok(points)
}

/// Prints a table as Markdown.
pub(super) fn print(points: &[Point]) {
    print!("\n| documents |");
    for route in ROUTES {
        print!(" {route:>11} CPU µs | p99 µs |");
    }
    print!("\n|----------:|");
    for _ in ROUTES {
        print!("-------------------:|-------:|");
    }
    println!();
    for point in points {
        print!("| {:>9} |", point.documents);
        for turn in &point.turns {
            print!(" {:>18.1} | {:>6} |", turn.cpu_micros, turn.p99_micros);
        }
        println!();
    }
}

/// The same for programs.
pub(super) fn json(points: &[Point]) -> Value {
    let all = points.iter().map(|point| {
        let routes = ROUTES.iter().zip(&point.turns).map(|(route, turn)| {
            json!({
                "route": route, "requests_per_second": turn.per_second, "cpu_micros": turn.cpu_micros,
                "p50_micros": turn.p50_micros, "p99_micros": turn.p99_micros,
            })
        });
        json!({"documents": point.documents, "routes": routes.collect::<Vec<_>>()})
    });
    all.collect()
}
