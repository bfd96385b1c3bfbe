//! How load arrives: closed, where each customer waits for an answer and goes on; open, where nobody waits.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tokio::task::JoinSet;

use super::Outcome;
use crate::bench::line::Failure;
use crate::bench::resources::Parts;
use crate::bench::shop::Shop;

/// Somebody who does the same again and again.
pub trait Customer: Send + 'static {
    /// Does it once.
    fn turn(&mut self) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// What one customer, or one request, brings home.
#[derive(Default)]
struct Part {
    latencies: Vec<Duration>,
    failures: Vec<Failure>,
    turns: usize,
}

/// Each customer takes the next turn when the last is done. What ends within the warm-up, a quarter of `length`, does not
/// count.
pub async fn closed<C: Customer>(shop: &Shop, customers: Vec<C>, length: Duration) -> Outcome {
    let begin = Instant::now() + length / 4;
    let end = begin + length;
    let mut running = JoinSet::new();
    for mut customer in customers {
        running.spawn(async move {
            let mut part = Part::default();
            while Instant::now() < end {
                let started = Instant::now();
                if let Err(failure) = customer.turn().await {
                    part.failures.push(failure);
                    break;
                }
                let done = Instant::now();
                part.turns += 1;
                if (begin..end).contains(&done) {
                    part.latencies.push(done - started);
                }
            }
            part
        });
    }
    tokio::time::sleep_until(begin.into()).await;
    let before = shop.cpu_seconds();
    tokio::time::sleep_until(end.into()).await;
    let used = Used::since(shop, before);
    used.outcome(gather(running).await, length)
}

/// What is due at each tick of an open loop: it is handed one of the idle customers, who comes back to the others.
pub trait Patron: Send + 'static {
    /// Does what was due; how long that took since then.
    fn serve(&mut self, due: Instant) -> impl Future<Output = Result<Duration, Failure>> + Send;
}

/// Something is due `rate` times a second for `length`, whether or not the last is done, after a warm-up of a quarter of it.
/// Times count from when it was due, so that a slow answer cannot hide behind a late start.
pub async fn open<P: Patron>(shop: &Shop, patrons: Vec<P>, rate: u32, length: Duration) -> Outcome {
    let total = turns(rate, length);
    let warm_up = total / 5;
    let idle = Arc::new(Mutex::new(VecDeque::from(patrons)));
    let start = Instant::now() + Duration::from_millis(50);
    let mut running = JoinSet::new();
    let mut before = shop.cpu_seconds();
    for number in 0..total {
        let due = start + Duration::from_secs(1) * number / rate;
        tokio::time::sleep_until(due.into()).await;
        if number == warm_up {
            before = shop.cpu_seconds();
        }
        let idle = Arc::clone(&idle);
        running.spawn(async move {
            let mut part = Part::default();
            let Some(mut patron) = idle.lock().await.pop_front() else {
                part.failures.push("nobody was free: the shop is far behind".to_owned());
                return part;
            };
            match patron.serve(due).await {
                Ok(latency) => {
                    part.turns += 1;
                    part.latencies.extend((number >= warm_up).then_some(latency));
                }
                Err(failure) => part.failures.push(failure),
            }
            idle.lock().await.push_back(patron);
            part
        });
    }
    let part = gather(running).await;
    Used::since(shop, before).outcome(part, length)
}

/// How often something is due, warm-up included.
pub fn turns(rate: u32, length: Duration) -> u32 {
    (length.as_secs_f64() * 1.25 * f64::from(rate)).ceil() as u32
}

/// What a load used.
pub struct Used {
    cpu_s: Parts,
    memory_mb: Parts,
}

impl Used {
    /// Until now.
    pub fn since(shop: &Shop, before: Parts) -> Used {
        Used { cpu_s: shop.cpu_seconds().with(before, |now, then| now - then), memory_mb: shop.memory_mb() }
    }

    /// By what brought these latencies and failures.
    pub fn with(self, latencies: Vec<Duration>, failures: Vec<Failure>, elapsed: Duration) -> Outcome {
        let turns = latencies.len();
        self.outcome(Part { latencies, failures, turns }, elapsed)
    }

    fn outcome(self, part: Part, elapsed: Duration) -> Outcome {
        let Part { latencies, failures, turns } = part;
        let Used { cpu_s, memory_mb } = self;
        Outcome { latencies, failures, turns, elapsed, cpu_s, memory_mb, reference_rate: None }
    }
}

async fn gather(mut running: JoinSet<Part>) -> Part {
    let mut all = Part::default();
    while let Some(ended) = running.join_next().await {
        match ended {
            Ok(part) => {
                all.latencies.extend(part.latencies);
                all.failures.extend(part.failures);
                all.turns += part.turns;
            }
            Err(error) => all.failures.push(error.to_string()),
        }
    }
    all
}
