//! `prost bench`: load scenarios against a shop of their own, as `up` runs it.
//!
//! The load generator is this process; shop, database and broker run beside it on the same cores. Latencies
//! of open loops count from when a request was due, not from when it was sent. Every scenario checks what it is told,
//! and `bench` fails if anything was wrong.

mod fixture;
mod growth;
mod journey;
mod line;
mod profile;
mod reference;
mod report;
mod resources;
mod scenarios;
mod shop;
mod statistics;

use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
use serde::Serialize;
use servers::Progress;

use self::fixture::Market;
use self::report::Report;
use self::shop::{Profiling, Shop};
use self::statistics::Measured;
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
    /// The first 20 products through GraphQL, beside a static answer of the same size
    Catalog,
    /// The same for customers who are logged in: each answer is put together anew
    CatalogSignedIn,
    /// A product's page through GraphQL
    Product,
    /// A product into a new cart
    Cart,
    /// One product, one unit for five carts, all carts checked out at once: decisions per second
    FlashSale,
    /// Logins, each with its bcrypt
    Login,
    /// `checkout` in a shop with a million products, users and orders (10 GB of disk), beside a new one
    Growth,
    /// From the commit of an event to its handler, at low load
    Outbox,
}

impl Scenario {
    /// The last one starts the shop anew, with a setting of its own.
    const ALL: [Scenario; 10] = [
        Scenario::Checkout,
        Scenario::Latency,
        Scenario::Catalog,
        Scenario::CatalogSignedIn,
        Scenario::Product,
        Scenario::Cart,
        Scenario::FlashSale,
        Scenario::Login,
        Scenario::Growth,
        Scenario::Outbox,
    ];
}

/// Options of `bench`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// What to run; everything if nothing is named
    #[arg(value_enum)]
    scenarios: Vec<Scenario>,
    /// Clients at the same time in closed loops [default: 256 and 32 in checkout, 256 in growth, 8 in login, else 32]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=2_000))]
    clients: Option<u32>,
    /// Checkouts per second in `latency`
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    rate: u32,
    /// Checkouts per second in `outbox`
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    outbox_rate: u32,
    /// Carts in `flash-sale`
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(5..=100_000))]
    carts: u32,
    /// Products, users and orders that are there before `growth` begins
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1_000..=10_000_000))]
    grown: u32,
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
    let outcome = Bench { folder, options: &options, progress: &progress }.measure().await;
    terminal::finish(&progress);
    let report = outcome?;
    if options.json {
        report.print_json()?
    } else {
        report.print_table()?
    }
    report.check()
}

/// One call of the command.
struct Bench<'a> {
    folder: &'a DataFolder,
    options: &'a Options,
    progress: &'a Progress,
}

impl Bench<'_> {
    async fn measure(&self) -> Result<Report> {
        let mut shop = self.start("-bench", self.options.profile.into()).await?;
        let outcome = self.measure_on(&mut shop).await;
        shop.stop(self.progress).await?;
        outcome
    }

    async fn start(&self, ending: &str, profiling: Profiling) -> Result<Shop> {
        Shop::start(self.folder, ending, self.options.transport, profiling, self.progress).await
    }

    async fn measure_on(&self, shop: &mut Shop) -> Result<Report> {
        let market = Market::open(shop, self.progress).await?;
        let loads = self.options.loads();
        let pgbench_tps = match loads.iter().any(|load| load.scenario == Scenario::Checkout) {
            true => {
                self.progress.step("running pgbench, the reference");
                shop.pgbench().await
            }
            false => None,
        };
        let mut report = Report::new(self.options.transport, pgbench_tps);
        if self.options.profile {
            profile::begin(shop).await?;
        }
        for load in loads {
            if load.scenario == Scenario::Outbox {
                shop.track_commits().await?;
            }
            let runs = match load.scenario {
                Scenario::Growth => self.compare(shop, &market, &load).await?,
                _ => self.repeat(shop, &market, &load).await?,
            };
            report.add(&load, runs);
        }
        if self.options.profile {
            report.set_profile(profile::end(shop).await?);
        }
        Ok(report)
    }

    async fn repeat(&self, shop: &Shop, market: &Arc<Market>, load: &Load) -> Result<Vec<Measured>> {
        let mut runs = Vec::new();
        for run in 1..=self.options.runs {
            self.tell(load, run);
            runs.push(scenarios::run(shop, market, load, self.options.length()).await?);
        }
        Ok(runs)
    }

    /// The same load in turn on a new shop and on one that has grown: what disturbs one disturbs the other.
    async fn compare(&self, new: &Shop, market: &Arc<Market>, load: &Load) -> Result<Vec<Measured>> {
        let grown = self.start("-bench-grown", Profiling::Off).await?;
        let outcome = async {
            let grown_market = growth::grow(&grown, self.options.grown, self.progress).await?;
            for shop in [new, &grown] {
                // None in the middle of a run, and both begin with whole pages in the log.
                shop.execute("CHECKPOINT").await?;
            }
            let mut runs = Vec::new();
            for run in 1..=self.options.runs {
                self.tell(load, run);
                let reference = scenarios::run(new, market, load, self.options.length()).await?;
                let measured = scenarios::run(&grown, &grown_market, load, self.options.length()).await?;
                let errors = measured.errors + reference.errors;
                runs.push(Measured { reference_rate: Some(reference.rate), errors, ..measured });
            }
            Ok(runs)
        };
        let outcome = outcome.await;
        grown.stop(self.progress).await?;
        outcome
    }

    fn tell(&self, load: &Load, run: u32) {
        self.progress.step(format!("{load}: run {run} of {}", self.options.runs));
    }
}

/// One scenario with its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Load {
    /// What.
    pub scenario: Scenario,
    /// Clients at the same time, checkouts per second, or carts.
    pub size: u32,
}

impl std::fmt::Display for Load {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let size = self.size;
        match self.scenario {
            Scenario::Checkout => write!(f, "checkout, {size} clients"),
            Scenario::Latency => write!(f, "latency at {size}/s"),
            Scenario::Catalog => write!(f, "catalog, {size} clients"),
            Scenario::CatalogSignedIn => write!(f, "catalog, {size} clients who are logged in"),
            Scenario::Product => write!(f, "product, {size} clients"),
            Scenario::Cart => write!(f, "cart, {size} clients"),
            Scenario::FlashSale => write!(f, "flash-sale, {size} carts"),
            Scenario::Login => write!(f, "login, {size} clients"),
            Scenario::Growth => write!(f, "growth: checkout, {size} clients"),
            Scenario::Outbox => write!(f, "outbox at {size} orders/s"),
        }
    }
}

impl Options {
    fn length(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    fn loads(&self) -> Vec<Load> {
        let wanted = |scenario: &Scenario| self.scenarios.is_empty() || self.scenarios.contains(scenario);
        let loads = |scenario| self.sizes(scenario).into_iter().map(move |size| Load { scenario, size });
        Scenario::ALL.into_iter().filter(wanted).flat_map(loads).collect()
    }

    fn sizes(&self, scenario: Scenario) -> Vec<u32> {
        match scenario {
            Scenario::Checkout => self.clients.map_or(vec![256, 32], |clients| vec![clients]),
            Scenario::Growth => vec![self.clients.unwrap_or(256)],
            Scenario::Login => vec![self.clients.unwrap_or(8)],
            Scenario::Catalog | Scenario::CatalogSignedIn | Scenario::Product | Scenario::Cart => {
                vec![self.clients.unwrap_or(32)]
            }
            Scenario::Latency => vec![self.rate],
            Scenario::FlashSale => vec![self.carts],
            Scenario::Outbox => vec![self.outbox_rate],
        }
    }
}
