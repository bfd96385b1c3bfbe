//! What was injected, how often, and what held.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::faults::Fault;
use crate::support::promises::{Promise, Told};
use crate::support::{Shop, Transport};

pub struct Report {
    transport: Transport,
    seed: u64,
    /// How many faults there will be.
    faults: usize,
    begun: Instant,
    suffered: BTreeMap<Fault, (usize, Duration)>,
    recovered: Duration,
    limit: Duration,
}

impl Report {
    pub fn new(transport: Transport, seed: u64, faults: usize) -> Report {
        let (suffered, recovered, limit) = (BTreeMap::new(), Duration::ZERO, Duration::ZERO);
        Report { transport, seed, faults, begun: Instant::now(), suffered, recovered, limit }
    }

    /// A fault struck, it took so long until it was set right, and so many orders were begun by then.
    pub fn suffered(&mut self, fault: Fault, time: Duration, orders: usize) {
        let (count, sum) = self.suffered.entry(fault).or_default();
        *count += 1;
        *sum += time;
        let number: usize = self.suffered.values().map(|(count, _)| count).sum();
        let (minutes, seconds) = (self.begun.elapsed().as_secs() / 60, time.as_secs_f32());
        eprintln!("{minutes:>3} min  fault {number} of {}, order {orders}: {seconds:>5.1} s  {fault:?}", self.faults);
    }

    /// After the storm it took so long until every promise held; what it had interrupted had this limit to end.
    pub fn recovered(&mut self, time: Duration, limit: Duration) {
        (self.recovered, self.limit) = (time, limit);
    }

    pub async fn print(&self, shop: &Shop, promises: &[Promise]) {
        let owner = shop.database.owner().await;
        println!("A storm over {:?}, seed {}", self.transport, self.seed);
        println!("  faults:");
        for (fault, (count, time)) in &self.suffered {
            println!("    {count:>5} × {fault:?}, {:.1} s in all", time.as_secs_f32());
        }
        println!("    {:>5} in all", self.suffered.values().map(|(count, _)| count).sum::<usize>());
        let hung_up = promises.iter().filter(|promise| promise.hung_up).count();
        let confirmed = promises.iter().filter(|promise| promise.told == Told::Confirmed).count();
        println!("  orders that a shopper was told of: {}, after hanging up: {hung_up}", promises.len());
        println!("  that they are confirmed, and not called off: {confirmed}");
        let rows = owner.query("SELECT status, count(*) FROM orders.orders GROUP BY status ORDER BY status", &[]).await;
        for row in rows.expect("count orders") {
            println!("    {:>5} {}", row.get::<_, i64>(1), row.get::<_, String>(0));
        }
        let why = if self.limit > super::RECOVERY { ", 40 s of them for a wire that was half open" } else { "" };
        println!(
            "  every order that the storm interrupted ended within {} s of ready services{why}",
            self.limit.as_secs()
        );
        println!(
            "  every rule held {:.1} s after ready services, the last shopper included",
            self.recovered.as_secs_f32()
        );
        println!("  0 violations, {} min in all", self.begun.elapsed().as_secs().div_ceil(60));
    }
}
