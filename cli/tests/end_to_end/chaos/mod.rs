//! A shop under load, hurt again and again from a seed; then the oracle.
//!
//! `./prost chaos` plays a long storm, which has more around it: [`surroundings`]. `./prost test` plays a short one on
//! each transport, with a fixed list of faults. The seed decides what happens in which order; when it happens is up to the
//! machine.

mod duplicates;
mod faults;
mod load;
mod report;
mod soak;
mod surroundings;

use std::env;
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use crate::support::{Shop, Transport, oracle, promises};
use faults::{Fault, Weather};
use load::Load;
use report::Report;
use surroundings::Surroundings;

/// CONTRACT: every interrupted order ends within 60 s of the services being ready again.
const RECOVERY: Duration = Duration::from_secs(60);
/// A wire that is half open tells nobody; it is noticed when an answer stays away for so long.
const SILENCE: Duration = Duration::from_secs(40);

/// How bad it gets.
struct Plan {
    seed: u64,
    /// Of a long storm; a short one has its own.
    faults: usize,
    orders: usize,
    /// Whether somebody asked for it by `./prost chaos`.
    is_long: bool,
}

impl Plan {
    /// As the environment says, else short.
    fn from_environment() -> Plan {
        Plan {
            seed: number("CHAOS_SEED", 1) as u64,
            faults: number("CHAOS_FAULTS", 0),
            orders: number("CHAOS_ORDERS", 160),
            is_long: env::var_os("CHAOS_FAULTS").is_some(),
        }
    }
}

/// What the environment says, else `default`.
fn number(variable: &str, default: usize) -> usize {
    env::var(variable)
        .map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}

#[tokio::test]
async fn a_storm_over_postgres() {
    storm(Transport::Postgres).await;
}

#[tokio::test]
async fn a_storm_over_rabbitmq() {
    storm(Transport::Rabbit).await;
}

async fn storm(transport: Transport) {
    let plan = Plan::from_environment();
    let mut random = SmallRng::seed_from_u64(plan.seed);
    let surroundings = if plan.is_long { Some(Surroundings::start().await) } else { None };
    let settings = surroundings.as_ref().map(Surroundings::settings).unwrap_or_default();
    let more = surroundings.as_ref().map(Surroundings::faults).unwrap_or_default();
    let disk = surroundings.as_ref().and_then(|around| around.disk.as_deref());
    let (shop, wires) = Shop::behind_wires(transport, &settings, disk).await;
    let mut load = Load::start(&shop, plan.orders, random.random()).await;
    let mut weather = Weather::new(shop, wires, surroundings);
    let faults = if plan.is_long {
        Fault::of_a_long_storm(transport, &more, plan.faults, &mut random)
    } else {
        Fault::of_a_short_storm(transport, &mut random)
    };
    let mut report = Report::new(transport, plan.seed, faults.len());
    let mut limit = RECOVERY;

    for (number, fault) in faults.iter().copied().enumerate() {
        // Spread over the whole load, and never waiting for it: some faults keep everybody from buying.
        load.wait_for(plan.orders * number / faults.len(), Duration::from_secs(10)).await;
        load.allow(plan.orders * (number + 1) / faults.len());
        if fault.is_silent() {
            limit = RECOVERY + SILENCE;
        }
        let begun = Instant::now();
        weather.strike(fault, &mut random).await;
        report.suffered(fault, begun.elapsed(), load.begun());
    }
    weather.clear().await;
    let recovering = Instant::now();
    // Shoppers may go on: what the storm interrupted does not wait for them.
    let (promised, ()) = tokio::join!(load.finish(), oracle::interrupted_orders_end(&weather.shop, limit));
    oracle::holds_but_for(&weather.shop, &weather.poison, limit).await;
    report.recovered(recovering.elapsed(), limit);
    promises::are_kept(&weather.shop, &promised).await;
    report.print(&weather.shop, &promised).await;
}
