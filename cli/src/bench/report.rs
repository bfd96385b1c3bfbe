//! What is told: a table for people and docs, JSON for machines.

use serde::Serialize;

use super::profile::Statement;
use super::statistics::{Measured, spread};
use super::{Load, Scenario};
use crate::data_folder::Transport;
use crate::error::{Error, Result};
use crate::terminal;

/// The figures of all runs.
#[derive(Debug, Serialize)]
pub struct Report {
    transport: Transport,
    cores: usize,
    /// Reference of the same session: `pgbench -N -M prepared -c 32 -s 20`, transactions per second.
    pgbench_tps: Option<f64>,
    runs: Vec<Run>,
    /// What SQL took, the costliest first, if that was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    profile: Vec<Statement>,
}

#[derive(Debug, Serialize)]
struct Run {
    #[serde(flatten)]
    load: Load,
    #[serde(flatten)]
    measured: Measured,
}

impl Report {
    /// Nothing measured yet.
    pub fn new(transport: Transport, pgbench_tps: Option<f64>) -> Report {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Report { transport, cores, pgbench_tps, runs: Vec::new(), profile: Vec::new() }
    }

    /// Adds the runs of a load.
    pub fn add(&mut self, load: &Load, runs: Vec<Measured>) {
        self.runs.extend(runs.into_iter().map(|measured| match load.scenario {
            Scenario::Checkout => {
                Run { load: *load, measured: Measured { reference_rate: self.pgbench_tps, ..measured } }
            }
            _ => Run { load: *load, measured },
        }));
    }

    /// Adds what SQL took.
    pub fn set_profile(&mut self, profile: Vec<Statement>) {
        self.profile = profile;
    }

    /// All runs, one document.
    pub fn print_json(&self) -> Result<()> {
        terminal::print_json(self)
    }

    /// Fails if anything under load did not end as it should.
    pub fn check(&self) -> Result<()> {
        let wrong: Vec<String> = self
            .runs
            .iter()
            .filter(|run| run.measured.errors > 0 || run.measured.turns == 0)
            .map(|run| format!("{} ({} were right, {} were not)", run.load, run.measured.turns, run.measured.errors))
            .collect();
        if wrong.is_empty() {
            return Ok(());
        }
        Err(Error::failed(
            format!("not everything ended as it should: {}", wrong.join("; ")),
            "The first failure of each run stands above; with fewer --clients the machine may keep up",
        ))
    }

    /// Medians with their spread, as a Markdown table.
    pub fn print_table(&self) -> Result<()> {
        let mut text = format!("\n{} cores, transport {:?}, full durability", self.cores, self.transport);
        if let Some(tps) = self.pgbench_tps {
            text += &format!(", pgbench -N in the same session {tps:.0} tps");
        }
        text += "\n\n| scenario | goal | per second | of its reference | p50 ms | p99 ms | errors | CPU ms each: shop / database / \
                 broker / load | MB: shop / database / broker / load |\n|---|---|---|---|---|---|---|---|---|\n";
        let mut told: Vec<Load> = Vec::new();
        for load in self.runs.iter().map(|run| run.load) {
            if !told.contains(&load) {
                told.push(load);
                text += &self.row(load);
            }
        }
        if !self.profile.is_empty() {
            text += "\n| ms per journey | calls per journey | mean ms | statement |\n|---|---|---|---|\n";
        }
        for statement in &self.profile {
            text += &format!(
                "| {:.3} | {:.2} | {:.3} | {} |\n",
                statement.ms_per_journey, statement.calls_per_journey, statement.mean_ms, statement.text
            );
        }
        terminal::print(&text)
    }

    fn row(&self, load: Load) -> String {
        let runs: Vec<&Measured> = self.runs.iter().filter(|run| run.load == load).map(|run| &run.measured).collect();
        let figure = |figures: Vec<f64>, digits: usize| {
            let (median, least, greatest) = spread(figures.iter().copied());
            match figures.len() {
                0 => "–".to_owned(),
                1 => format!("{median:.digits$}"),
                _ => format!("{median:.digits$} ({least:.digits$}–{greatest:.digits$})"),
            }
        };
        let each = |pick: fn(&Measured) -> f64| runs.iter().map(|run| pick(run)).collect::<Vec<f64>>();
        let median = |pick: fn(&Measured) -> f64| spread(runs.iter().map(|run| pick(run))).0;
        let ratios = runs.iter().filter_map(|run| Some(run.rate / run.reference_rate.filter(|rate| *rate > 0.0)?));
        format!(
            "| {load} | {} | {} | {} | {} | {} | {} | {:.3} / {:.3} / {:.3} / {:.3} | {:.0} / {:.0} / {:.0} / {:.0} |\n",
            self.goal(load),
            figure(each(|run| run.rate), 0),
            figure(ratios.collect(), 3),
            figure(each(|run| run.p50_ms), 1),
            figure(each(|run| run.p99_ms), 1),
            runs.iter().map(|run| run.errors).sum::<usize>(),
            median(|run| run.cpu_ms.shop),
            median(|run| run.cpu_ms.database),
            median(|run| run.cpu_ms.broker),
            median(|run| run.cpu_ms.generator),
            median(|run| run.memory_mb.shop),
            median(|run| run.memory_mb.database),
            median(|run| run.memory_mb.broker),
            median(|run| run.memory_mb.generator),
        )
    }

    /// What is aimed at on two cores, at the size that is run unless told otherwise.
    fn goal(&self, load: Load) -> &'static str {
        let embedded = self.transport == Transport::Postgres;
        match load.scenario {
            Scenario::Checkout if load.size != 256 => "–",
            Scenario::Checkout if embedded => "1,000/s; 0.09 of pgbench",
            Scenario::Checkout => "500/s",
            Scenario::Latency if load.size != 100 => "–",
            Scenario::Latency if embedded => "p50 10, p99 50 ms",
            Scenario::Latency => "p50 15, p99 75 ms",
            Scenario::Catalog => "20,000/s; 0.5 of a static answer",
            Scenario::CatalogSignedIn => "0.5 of a static answer",
            Scenario::Product => "25,000/s",
            Scenario::Cart => "4,000/s",
            Scenario::FlashSale if embedded => "2,000/s",
            Scenario::FlashSale => "1,500/s",
            Scenario::Login => "–",
            Scenario::Outbox if embedded => "p50 2, p99 5 ms",
            Scenario::Outbox => "p50 3, p99 8 ms",
            Scenario::Growth => "0.9 of a new shop",
        }
    }
}
