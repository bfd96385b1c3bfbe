//! A shop under load, hurt again and again from a seed; then the oracle.
//!
//! `./prost chaos` plays a long storm, which has more around it: [`surroundings`]. `./prost test` plays a short one on
//! each transport. The seed decides what happens in which order; when it happens is up to the machine.

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

use crate::support::{Shop, Transport, oracle};
use faults::{Fault, Weather};
use load::Load;
use report::Report;
use surroundings::Surroundings;

/// CONTRACT: every interrupted order ends within 60 s of the services being ready again. A wire that is half open tells
/// nobody; it is noticed when an answer stays away for 40 s.
const RECOVERY: Duration = Duration::from_secs(60 + 40);

/// How bad it gets.
struct Plan {
    seed: u64,
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
            faults: number("CHAOS_FAULTS", 10),
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
    let (shop, wires) = Shop::behind_wires(transport, &settings).await;
    let mut load = Load::start(&shop, plan.orders, random.random()).await;
    let mut weather = Weather::new(shop, wires, surroundings);
    let mut report = Report::new(transport, plan.seed, plan.faults);

    for number in 0..plan.faults {
        // Spread over the whole load, and never waiting for it: some faults keep everybody from buying.
        load.wait_for(plan.orders * number / plan.faults, Duration::from_secs(10)).await;
        load.allow(plan.orders * (number + 1) / plan.faults);
        let is_middle = plan.is_long && number == plan.faults / 2;
        let fault = if is_middle { Fault::LongOutage } else { Fault::choose(transport, &more, &mut random) };
        let begun = Instant::now();
        weather.strike(fault, &mut random).await;
        report.suffered(fault, begun.elapsed(), load.begun());
    }
    weather.clear().await;
    let promised = load.finish().await;
    let recovering = Instant::now();
    oracle::holds(&weather.shop, weather.poison, RECOVERY).await;
    report.recovered(recovering.elapsed());
    load::keeps_promises(&weather.shop, &promised).await;
    report.print(&weather.shop, &promised).await;
}
