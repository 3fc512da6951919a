//! The table: medians, and medians of the ratios of each round.

use serde_json::{Value, json};

use super::load::Turn;
use crate::paint;

/// The turns of one variant, in the order of rounds.
#[derive(Clone, Debug)]
pub(super) struct Measured {
    name: String,
    pub(super) turns: Vec<Turn>,
}

/// What the others are compared with, and the column's title.
const COMPARED: [(&str, &str); 3] = [
    ("wasm that does nothing", "÷ noop"),
    ("native chain", "÷ chain"),
    ("native chain, cache", "÷ cached"),
];

impl Measured {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            turns: Vec::new(),
        }
    }

    /// The median over the turns.
    pub(super) fn median(&self, of: impl Fn(&Turn) -> f64) -> f64 {
        median(self.turns.iter().map(of).collect())
    }

    /// The median of the ratios of requests per second, round by round.
    pub(super) fn ratio(&self, other: &Self) -> f64 {
        self.ratio_of(other, |turn| turn.per_second)
    }

    /// The median of the ratios of something measured, round by round.
    pub(super) fn ratio_of(&self, other: &Self, of: impl Fn(&Turn) -> f64) -> f64 {
        let turns = self.turns.iter().zip(&other.turns);
        median(turns.map(|(own, other)| of(own) / of(other)).collect())
    }

    /// Every turn, for programs.
    pub(super) fn turns_json(&self) -> Value {
        let turns = self.turns.iter().map(|turn| {
            json!({
                "requests": turn.requests, "requests_per_second": turn.per_second,
                "p50_micros": turn.p50_micros, "p99_micros": turn.p99_micros,
                "cpu_micros": turn.cpu_micros,
            })
        });
        turns.collect()
    }
}

/// The middle, or the mean of the two in the middle; not a number where there is none.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    if values.len() % 2 == 1 {
        at(middle)
    } else {
        f64::midpoint(at(middle.wrapping_sub(1)), at(middle))
    }
}

/// Prints the table as Markdown, so that it can be pasted.
pub(super) fn print(measured: &[Measured], envoy: &str) {
    let compared: Vec<_> = COMPARED
        .iter()
        .filter_map(|(name, title)| Some((find(measured, name)?, *title)))
        .collect();
    println!(
        "\n{}",
        paint::stdout().bold(format!("Envoy {envoy}, {}", machine()))
    );
    print!(
        "| {:<34} | requests/s | p50 µs | p99 µs | CPU µs |",
        "variant"
    );
    for (_, title) in &compared {
        print!(" {title:>8} |");
    }
    print!("\n|{:-<36}|-----------:|-------:|-------:|-------:|", "");
    for _ in &compared {
        print!("---------:|");
    }
    println!();
    for row in measured {
        print!(
            "| {:<34} | {:>10.0} | {:>6.0} | {:>6.0} | {:>6.1} |",
            row.name,
            row.median(|turn| turn.per_second),
            row.median(|turn| whole(turn.p50_micros)),
            row.median(|turn| whole(turn.p99_micros)),
            row.median(|turn| turn.cpu_micros),
        );
        for (other, _) in &compared {
            print!(" {:>8.2} |", row.ratio(other));
        }
        println!();
    }
}

/// The same for programs, with every turn.
pub(super) fn json(measured: &[Measured], envoy: &str) -> Value {
    let rows = measured.iter().map(|row| {
        let ratios: serde_json::Map<_, _> = COMPARED
            .iter()
            .filter_map(|(name, _)| Some((*name, find(measured, name)?)))
            .map(|(name, other)| (name.to_owned(), json!(row.ratio(other))))
            .collect();
        json!({"variant": row.name, "ratios": ratios, "turns": row.turns_json()})
    });
    json!({"envoy": envoy, "machine": machine(), "variants": rows.collect::<Vec<_>>()})
}

fn find<'m>(measured: &'m [Measured], name: &str) -> Option<&'m Measured> {
    measured.iter().find(|row| row.name == name)
}

/// What it ran on.
pub(super) fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "{}-{}, {cores} cores",
        std::env::consts::OS,
        std::env::consts::ARCH
    )
}

#[expect(clippy::cast_precision_loss, reason = "microseconds far below 2^52")]
pub(super) fn whole(micros: u64) -> f64 {
    micros as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(name: &str, per_second: &[f64]) -> Measured {
        let turn = |&per_second| Turn {
            requests: 1,
            per_second,
            p50_micros: 1,
            p99_micros: 1,
            cpu_micros: 1.0,
        };
        Measured {
            name: name.into(),
            turns: per_second.iter().map(turn).collect(),
        }
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        // In the second round the machine was busy: for both.
        let own = measured("own", &[200.0, 20.0, 210.0]);
        let other = measured("other", &[100.0, 10.0, 100.0]);
        assert!((own.ratio(&other) - 2.0).abs() < 1e-9);
    }

    #[test]
    fn the_median_of_an_even_number_is_between_the_two_in_the_middle() {
        assert!((median(vec![4.0, 1.0, 3.0, 2.0]) - 2.5).abs() < 1e-9);
        assert!(median(Vec::new()).is_nan());
    }
}
