//! The loads themselves.

mod flash_sale;
mod journeys;
mod loops;
mod outbox;
mod requests;

use std::sync::Arc;
use std::time::Duration;

use super::fixture::Market;
use super::line::Failure;
use super::resources::Parts;
use super::shop::Shop;
use super::statistics::{Measured, percentile};
use super::{Load, Scenario};
use crate::error::{Error, Result};

/// What a run brings home.
pub struct Outcome {
    /// Of each that ended as it should, the warm-up left out.
    pub latencies: Vec<Duration>,
    /// Why others did not, the warm-up included.
    pub failures: Vec<Failure>,
    /// All that ended as they should, also in the warm-up and after the measured time.
    pub turns: usize,
    /// The time in which the latencies were gathered.
    pub elapsed: Duration,
    /// Processor seconds used meanwhile.
    pub cpu_s: Parts,
    /// Resident memory at its end.
    pub memory_mb: Parts,
    /// What the rate is held against.
    pub reference_rate: Option<f64>,
}

/// Runs one load once.
pub async fn run(shop: &Shop, market: &Arc<Market>, load: &Load, length: Duration) -> Result<Measured> {
    let outcome = match load.scenario {
        Scenario::Checkout | Scenario::Growth => journeys::checkout(shop, market, load.size, length).await?,
        Scenario::Latency => journeys::latency(shop, market, load.size, length).await?,
        Scenario::Catalog => requests::catalog(shop, None, load.size, length).await?,
        Scenario::CatalogSignedIn => requests::catalog(shop, Some(market.next_buyer()), load.size, length).await?,
        Scenario::Product => requests::product(shop, market, load.size, length).await?,
        Scenario::Cart => requests::cart(shop, market, load.size, length).await?,
        Scenario::FlashSale => flash_sale::run(shop, market, load.size).await?,
        Scenario::Login => requests::login(shop, market, load.size, length).await?,
        Scenario::Outbox => outbox::run(shop, market, load.size, length).await?,
    };
    Ok(outcome.measured())
}

impl Outcome {
    /// Its figures; failures are told on stderr.
    pub fn measured(mut self) -> Measured {
        self.latencies.sort_unstable();
        if let Some(first) = self.failures.first() {
            eprintln!("{} failed, the first: {first}", self.failures.len());
        }
        let completed = self.latencies.len();
        let each = |seconds: f64| if completed == 0 { 0.0 } else { seconds * 1e3 / completed as f64 };
        Measured {
            rate: completed as f64 / self.elapsed.as_secs_f64(),
            reference_rate: self.reference_rate,
            p50_ms: percentile(&self.latencies, 0.50),
            p99_ms: percentile(&self.latencies, 0.99),
            completed,
            turns: self.turns,
            errors: self.failures.len(),
            cpu_ms: self.cpu_s.with(Parts::default(), |seconds, _| each(seconds)),
            memory_mb: self.memory_mb,
        }
    }
}

/// A load that cannot even begin.
fn not_begun(failure: Failure) -> Error {
    Error::failed(format!("the load could not begin: {failure}"), "Report this: the shop under load answers wrongly")
}
