//! A shop under load, hurt again and again from a seed; then the oracle.
//!
//! `./prost chaos` plays a long storm. `./prost test` plays a short one on each transport. The seed decides what
//! happens in which order; when it happens is up to the machine.

mod faults;
mod load;
mod report;

use std::env;
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use crate::support::{Shop, Transport, oracle};
use faults::{Fault, Weather};
use load::Load;
use report::Report;

/// CONTRACT: every interrupted order ends within 60 s of the services being ready again. A wire that is half open tells
/// nobody; it is noticed when an answer stays away for 40 s.
const RECOVERY: Duration = Duration::from_secs(60 + 40);

/// How bad it gets.
struct Plan {
    seed: u64,
    faults: usize,
    orders: usize,
}

impl Plan {
    /// As the environment says, else short.
    fn from_environment() -> Plan {
        let number = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
        let count = |name: &str| number(name).map(|count| usize::try_from(count).expect("a count"));
        Plan {
            seed: number("CHAOS_SEED").unwrap_or(1),
            faults: count("CHAOS_FAULTS").unwrap_or(10),
            orders: count("CHAOS_ORDERS").unwrap_or(160),
        }
    }
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
    let (shop, wires) = Shop::behind_wires(transport).await;
    let mut load = Load::start(&shop, plan.orders, random.random()).await;
    let mut weather = Weather::new(shop, wires);
    let mut report = Report::new(transport, plan.seed);

    for number in 0..plan.faults {
        // Spread over the whole load, and never waiting for it: some faults keep everybody from buying.
        load.wait_for(plan.orders * number / plan.faults, Duration::from_secs(10)).await;
        let fault = Fault::choose(transport, &mut random);
        let begun = Instant::now();
        weather.strike(fault, &mut random).await;
        report.suffered(fault, begun.elapsed());
    }
    weather.clear().await;
    let promised = load.finish().await;
    let recovering = Instant::now();
    oracle::holds(&weather.shop, weather.poison, RECOVERY).await;
    report.recovered(recovering.elapsed());
    load::keeps_promises(&weather.shop, &promised).await;
    report.print(&weather.shop, &promised).await;
}
