//! The loads themselves.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tokio::task::JoinSet;

use super::fixture::Market;
use super::journey::{Failure, Shopper};
use super::shop::{Shop, Usage};
use super::statistics::{CpuPerJourney, Measured, percentile};
use super::{Load, Scenario};
use crate::error::{Error, Result};

/// What a shopper brings home.
#[derive(Default)]
struct Journeys {
    latencies: Vec<Duration>,
    failures: Vec<Failure>,
}

/// Runs one load once.
pub async fn run(shop: &Shop, market: &Arc<Market>, load: &Load, length: Duration) -> Result<Measured> {
    let shoppers = enter(shop, market, load).await?;
    let (journeys, usage, elapsed) = match load.scenario {
        Scenario::Checkout => closed_loop(shop, market, shoppers, length).await,
        Scenario::Latency => open_loop(shop, market, shoppers, load.size, length).await,
    };
    Ok(summary(shop, journeys, usage, elapsed))
}

async fn enter(shop: &Shop, market: &Market, load: &Load) -> Result<Vec<Shopper>> {
    // For `latency` enough that none has to wait for another, unless the shop is a second behind.
    let count = load.size as usize;
    let mut shoppers = Vec::with_capacity(count);
    for token in market.tokens.iter().cycle().take(count) {
        let shopper = Shopper::enter(&shop.gateway, token).await;
        shoppers
            .push(shopper.map_err(|error| Error::failed(error, "Look into the log of the shop that bench started"))?);
    }
    Ok(shoppers)
}

/// Each shopper begins the next journey when the last is done. What ends within the warm-up does not count.
async fn closed_loop(
    shop: &Shop,
    market: &Arc<Market>,
    shoppers: Vec<Shopper>,
    length: Duration,
) -> (Journeys, Usage, Duration) {
    let warm_up = length / 4;
    let begin = Instant::now() + warm_up;
    let end = begin + length;
    let mut running = JoinSet::new();
    for mut shopper in shoppers {
        let market = Arc::clone(market);
        running.spawn(async move {
            let mut journeys = Journeys::default();
            while Instant::now() < end {
                let started = Instant::now();
                let journey = async {
                    let cart = shopper.fill_cart(market.next_product()).await?;
                    shopper.buy(&cart, started).await
                };
                let outcome = journey.await;
                let done = Instant::now();
                match outcome {
                    Ok(latency) if (begin..end).contains(&done) => journeys.latencies.push(latency),
                    Ok(_) => {}
                    Err(failure) => {
                        journeys.failures.push(failure);
                        break;
                    }
                }
            }
            journeys
        });
    }
    tokio::time::sleep_until(begin.into()).await;
    let before = shop.usage();
    tokio::time::sleep_until(end.into()).await;
    let usage = shop.usage().since(&before);
    (gather(running).await, usage, length)
}

/// A checkout is due at every tick, whether or not the last is done; its cart was filled before.
async fn open_loop(
    shop: &Shop,
    market: &Arc<Market>,
    shoppers: Vec<Shopper>,
    rate: u32,
    length: Duration,
) -> (Journeys, Usage, Duration) {
    let total = (length.as_secs_f64() * f64::from(rate)) as u32;
    let warm_up = total / 4;
    let prepared = fill_carts(market, shoppers, warm_up + total).await;
    let idle = Arc::new(Mutex::new(prepared));
    let start = Instant::now() + Duration::from_millis(50);
    let mut running = JoinSet::new();
    let mut before = shop.usage();
    for number in 0..warm_up + total {
        let due = start + Duration::from_secs(1) * number / rate;
        tokio::time::sleep_until(due.into()).await;
        if number == warm_up {
            before = shop.usage();
        }
        let idle = Arc::clone(&idle);
        running.spawn(async move {
            let mut journeys = Journeys::default();
            let Some((mut shopper, mut carts)) = idle.lock().await.pop_front() else {
                journeys.failures.push("no shopper was free: the shop is far behind".to_owned());
                return journeys;
            };
            match carts.pop() {
                Some(cart) => match shopper.buy(&cart, due).await {
                    Ok(latency) if number >= warm_up => journeys.latencies.push(latency),
                    Ok(_) => {}
                    Err(failure) => journeys.failures.push(failure),
                },
                None => journeys.failures.push("a shopper has no cart left".to_owned()),
            }
            idle.lock().await.push_back((shopper, carts));
            journeys
        });
    }
    let journeys = gather(running).await;
    let usage = shop.usage().since(&before);
    (journeys, usage, length)
}

/// Fills as many carts as there will be checkouts, evenly over the shoppers and a little more.
async fn fill_carts(market: &Arc<Market>, shoppers: Vec<Shopper>, checkouts: u32) -> VecDeque<(Shopper, Vec<String>)> {
    let each = checkouts as usize / shoppers.len() + 3;
    let mut filling = JoinSet::new();
    for shopper in shoppers {
        let market = Arc::clone(market);
        filling.spawn(async move {
            let mut carts = Vec::with_capacity(each);
            for _ in 0..each {
                // A cart that could not be filled is missed, and told, when its checkout is due.
                match shopper.fill_cart(market.next_product()).await {
                    Ok(cart) => carts.push(cart),
                    Err(failure) => tracing::warn!(failure, "a cart could not be filled"),
                }
            }
            (shopper, carts)
        });
    }
    filling.join_all().await.into()
}

async fn gather(mut running: JoinSet<Journeys>) -> Journeys {
    let mut all = Journeys::default();
    while let Some(ended) = running.join_next().await {
        match ended {
            Ok(journeys) => {
                all.latencies.extend(journeys.latencies);
                all.failures.extend(journeys.failures);
            }
            Err(error) => all.failures.push(error.to_string()),
        }
    }
    all
}

fn summary(shop: &Shop, mut journeys: Journeys, usage: Usage, elapsed: Duration) -> Measured {
    journeys.latencies.sort_unstable();
    if let Some(first) = journeys.failures.first() {
        tracing::error!(failures = journeys.failures.len(), first, "journeys failed");
        eprintln!("{} journeys failed, the first: {first}", journeys.failures.len());
    }
    let completed = journeys.latencies.len();
    let each = |seconds: f64| if completed == 0 { 0.0 } else { seconds * 1e3 / completed as f64 };
    Measured {
        rate: completed as f64 / elapsed.as_secs_f64(),
        p50_ms: percentile(&journeys.latencies, 0.50),
        p99_ms: percentile(&journeys.latencies, 0.99),
        completed,
        errors: journeys.failures.len(),
        cpu_ms: CpuPerJourney {
            shop: each(usage.shop_s),
            database: each(usage.database_s),
            broker: each(usage.broker_s),
            generator: each(usage.generator_s),
        },
        shop_memory_mb: shop.memory_mb(),
    }
}
