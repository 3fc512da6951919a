//! The table of routes: medians, and medians of the ratios of each round.

use serde_json::{Value, json};

use super::servers::OURS;
use crate::bench::load::Turn;
use crate::bench::report::{Measured, machine, whole};
use crate::paint;

/// One route of one server.
#[derive(Clone, Debug)]
pub(super) struct Row {
    route: &'static str,
    server: &'static str,
    measured: Measured,
    /// Bytes in memory after each turn.
    resident: Vec<u64>,
}

impl Row {
    pub(super) fn new(route: &'static str, server: &'static str) -> Self {
        Self {
            route,
            server,
            measured: Measured::new(route),
            resident: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, turn: Turn, resident_bytes: u64) {
        self.measured.turns.push(turn);
        self.resident.push(resident_bytes);
    }

    /// The most memory after any turn.
    fn resident(&self) -> u64 {
        self.resident.iter().copied().max().unwrap_or_default()
    }

    /// Of the same route, how many times this server's requests per second ours serves, and how many times our CPU
    /// time per request it takes.
    fn ratios(&self, rows: &[Self]) -> Option<(f64, f64)> {
        let ours = rows
            .iter()
            .find(|row| row.route == self.route && row.server == OURS)?;
        let cpu = self
            .measured
            .ratio_of(&ours.measured, |turn| turn.cpu_micros);
        Some((ours.measured.ratio(&self.measured), cpu))
    }
}

/// Prints the table as Markdown, so that it can be pasted.
pub(super) fn print(rows: &[Row]) {
    println!(
        "\n{}",
        paint::stdout().bold(format!("one core each, {}", machine()))
    );
    println!(
        "| route  | server         | requests/s | p50 µs | p99 µs | CPU µs | MiB | ours, requests/s | ours, CPU |"
    );
    println!(
        "|--------|----------------|-----------:|-------:|-------:|-------:|----:|-----------------:|----------:|"
    );
    for row in rows {
        let (requests, cpu) = row.ratios(rows).unwrap_or((f64::NAN, f64::NAN));
        println!(
            "| {:<6} | {:<14} | {:>10.0} | {:>6.0} | {:>6.0} | {:>6.1} | {:>3} | {requests:>14.2} × | {cpu:>7.2} × |",
            row.route,
            row.server,
            row.measured.median(|turn| turn.per_second),
            row.measured.median(|turn| whole(turn.p50_micros)),
            row.measured.median(|turn| whole(turn.p99_micros)),
            row.measured.median(|turn| turn.cpu_micros),
            row.resident() >> 20,
        );
    }
}

/// The same for programs, with every turn.
pub(super) fn json(rows: &[Row]) -> Value {
    let all = rows.iter().map(|row| {
        let (requests, cpu) = row.ratios(rows).unwrap_or((f64::NAN, f64::NAN));
        json!({
            "route": row.route, "server": row.server, "resident_bytes": row.resident,
            "ours_requests_ratio": requests, "ours_cpu_ratio": cpu, "turns": row.measured.turns_json(),
        })
    });
    all.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(route: &'static str, server: &'static str, per_second: f64, cpu_micros: f64) -> Row {
        let mut row = Row::new(route, server);
        let turn = Turn {
            requests: 1,
            per_second,
            p50_micros: 1,
            p99_micros: 1,
            cpu_micros,
        };
        row.push(turn, 1 << 20);
        row
    }

    #[test]
    fn a_route_is_compared_with_the_same_route_of_the_other_server() {
        let rows = [
            row("list", OURS, 900.0, 50.0),
            row("list", "theirs", 100.0, 500.0),
            row("list", "tuned", 300.0, 100.0),
            row("get", "theirs", 10.0, 1.0),
        ];
        for (row, expected) in [(1, (9.0, 10.0)), (2, (3.0, 2.0)), (0, (1.0, 1.0))] {
            let (requests, cpu) = rows[row].ratios(&rows).unwrap();
            let (wanted_requests, wanted_cpu): (f64, f64) = expected;
            assert!((requests - wanted_requests).abs() < 1e-9, "{row}");
            assert!((cpu - wanted_cpu).abs() < 1e-9, "{row}");
        }
        assert!(rows[3].ratios(&rows).is_none());
    }
}
