//! Whole journeys: a cart, an item, the checkout, until CONFIRMED.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::loops::{self, Customer, Patron};
use super::{Outcome, not_begun};
use crate::bench::fixture::Market;
use crate::bench::journey::Shopper;
use crate::bench::line::Failure;
use crate::bench::shop::Shop;
use crate::error::Result;

/// Shoppers of an open loop, unless it asks for more each second.
const MOST_SHOPPERS: u32 = 256;

/// Journey after journey, by so many shoppers.
pub async fn checkout(shop: &Shop, market: &Arc<Market>, clients: u32, length: Duration) -> Result<Outcome> {
    let journeyers = enter(shop, market, clients).await?.into_iter();
    let journeyers = journeyers.map(|shopper| Journeyer { shopper, market: Arc::clone(market) }).collect();
    Ok(loops::closed(shop, journeyers, length).await)
}

struct Journeyer {
    shopper: Shopper,
    market: Arc<Market>,
}

impl Customer for Journeyer {
    async fn turn(&mut self) -> Result<(), Failure> {
        let cart = self.shopper.fill_cart(&self.market.next_ware().id).await?;
        self.shopper.buy(&cart, Instant::now()).await?;
        Ok(())
    }
}

/// Checkouts of carts that were filled before, so many per second.
pub async fn latency(shop: &Shop, market: &Arc<Market>, rate: u32, length: Duration) -> Result<Outcome> {
    let checkouts = loops::turns(rate, length);
    // Enough that none has to wait for another, unless the shop is more than a second behind.
    let shoppers = enter(shop, market, checkouts.min(MOST_SHOPPERS.max(rate))).await?;
    let each = checkouts as usize / shoppers.len() + 3;
    let mut filling = JoinSet::new();
    for mut shopper in shoppers {
        let market = Arc::clone(market);
        filling.spawn(async move {
            let mut carts = Vec::with_capacity(each);
            for _ in 0..each {
                carts.push(shopper.fill_cart(&market.next_ware().id).await?);
            }
            Ok::<_, Failure>(Prepared { shopper, carts })
        });
    }
    let prepared: Result<Vec<Prepared>, Failure> = filling.join_all().await.into_iter().collect();
    Ok(loops::open(shop, prepared.map_err(not_begun)?, rate, length).await)
}

/// A shopper with full carts.
struct Prepared {
    shopper: Shopper,
    carts: Vec<String>,
}

impl Patron for Prepared {
    async fn serve(&mut self, due: Instant) -> Result<Duration, Failure> {
        let cart = self.carts.pop().ok_or("a shopper has no cart left")?;
        self.shopper.buy(&cart, due).await
    }
}

async fn enter(shop: &Shop, market: &Market, count: u32) -> Result<Vec<Shopper>> {
    let mut shoppers = Vec::with_capacity(count as usize);
    for _ in 0..count {
        shoppers.push(Shopper::enter(&shop.gateway, &market.next_buyer().token).await.map_err(not_begun)?);
    }
    Ok(shoppers)
}
