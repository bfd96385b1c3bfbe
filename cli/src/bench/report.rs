//! What is told: a table for people and docs, JSON for machines.

use serde::Serialize;

use super::Load;
use super::profile::Statement;
use super::statistics::{Measured, spread};
use crate::data_folder::Transport;
use crate::error::Result;
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

    /// Adds a run.
    pub fn add(&mut self, load: &Load, measured: Measured) {
        self.runs.push(Run { load: *load, measured });
    }

    /// Adds what SQL took.
    pub fn set_profile(&mut self, profile: Vec<Statement>) {
        self.profile = profile;
    }

    /// All runs, one document.
    pub fn print_json(&self) -> Result<()> {
        terminal::print_json(self)
    }

    /// Medians with their spread, as a Markdown table.
    pub fn print_table(&self) -> Result<()> {
        let mut text = format!("\n{} cores, transport {:?}, full durability", self.cores, self.transport);
        if let Some(tps) = self.pgbench_tps {
            text += &format!(", pgbench -N in the same session {tps:.0} tps");
        }
        text += "\n\n| scenario | per second | p50 ms | p99 ms | errors | CPU ms each: shop / database / broker / load | shop MB |\n\
                 |---|---|---|---|---|---|---|\n";
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
        let figure = |pick: fn(&Measured) -> f64, digits: usize| {
            let (median, least, greatest) = spread(runs.iter().map(|run| pick(run)));
            if runs.len() == 1 {
                format!("{median:.digits$}")
            } else {
                format!("{median:.digits$} ({least:.digits$}–{greatest:.digits$})")
            }
        };
        let median = |pick: fn(&Measured) -> f64| spread(runs.iter().map(|run| pick(run))).0;
        format!(
            "| {load} | {} | {} | {} | {} | {:.2} / {:.2} / {:.2} / {:.2} | {:.0} |\n",
            figure(|run| run.rate, 0),
            figure(|run| run.p50_ms, 1),
            figure(|run| run.p99_ms, 1),
            runs.iter().map(|run| run.errors).sum::<usize>(),
            median(|run| run.cpu_ms.shop),
            median(|run| run.cpu_ms.database),
            median(|run| run.cpu_ms.broker),
            median(|run| run.cpu_ms.generator),
            median(|run| run.shop_memory_mb),
        )
    }
}
