//! `prost bench`: load scenarios against a shop of their own, as `up` runs it.
//!
//! The load generator is this process; shop, database and broker run beside it on the same cores. Latencies
//! of the open-loop scenario count from when a request was due, not from when it was sent.

mod fixture;
mod journey;
mod profile;
mod report;
mod resources;
mod scenarios;
mod shop;
mod statistics;

use std::time::Duration;

use clap::ValueEnum;
use serde::Serialize;

use crate::data_folder::{DataFolder, Transport};
use crate::error::Result;
use crate::terminal;

/// A load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scenario {
    /// Whole journeys, closed loop: cart, item, checkout, until CONFIRMED
    Checkout,
    /// Checkouts at a fixed rate, open loop: the time from checkout to CONFIRMED
    Latency,
}

/// Options of `bench`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// What to run; everything if nothing is named
    #[arg(value_enum)]
    scenarios: Vec<Scenario>,
    /// Shoppers at the same time in `checkout` [default: 256 and 32]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=2_000))]
    clients: Option<u32>,
    /// Checkouts per second in `latency`
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    rate: u32,
    /// Length of a run in seconds, after a warm-up of a quarter of it
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    seconds: u64,
    /// Runs of each scenario; their median is told, with the spread
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: u32,
    /// How the shop's messages travel
    #[arg(long, value_enum, default_value_t = Transport::Postgres)]
    transport: Transport,
    /// Also tell which SQL statements took the time (needs PostgreSQL's contrib modules)
    #[arg(long)]
    profile: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub async fn run(folder: &DataFolder, options: Options) -> Result<()> {
    let progress = terminal::progress();
    let outcome = measure(folder, &options, &progress).await;
    terminal::finish(&progress);
    let report = outcome?;
    if options.json { report.print_json() } else { report.print_table() }
}

async fn measure(folder: &DataFolder, options: &Options, progress: &servers::Progress) -> Result<report::Report> {
    let shop = shop::Shop::start(folder, options.transport, options.profile.into(), progress).await?;
    let outcome = async {
        let market = fixture::prepare(&shop, progress).await?;
        let mut report = report::Report::new(options.transport, shop.pgbench().await);
        if options.profile {
            profile::begin(&shop).await?;
        }
        for load in options.loads() {
            for run in 1..=options.runs {
                progress.step(format!("{load}: run {run} of {}", options.runs));
                report.add(&load, scenarios::run(&shop, &market, &load, options.length()).await?);
            }
        }
        if options.profile {
            report.set_profile(profile::end(&shop).await?);
        }
        Ok(report)
    }
    .await;
    shop.stop(progress).await?;
    outcome
}

/// One scenario with its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Load {
    /// What.
    pub scenario: Scenario,
    /// Shoppers at the same time, or checkouts per second.
    pub size: u32,
}

impl std::fmt::Display for Load {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.scenario {
            Scenario::Checkout => write!(f, "checkout, {} clients", self.size),
            Scenario::Latency => write!(f, "latency at {}/s", self.size),
        }
    }
}

impl Options {
    fn length(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    fn loads(&self) -> Vec<Load> {
        let wanted = |scenario| self.scenarios.is_empty() || self.scenarios.contains(&scenario);
        let mut loads = Vec::new();
        if wanted(Scenario::Checkout) {
            let sizes = self.clients.map_or(vec![256, 32], |clients| vec![clients]);
            loads.extend(sizes.into_iter().map(|size| Load { scenario: Scenario::Checkout, size }));
        }
        if wanted(Scenario::Latency) {
            loads.push(Load { scenario: Scenario::Latency, size: self.rate });
        }
        loads
    }
}
