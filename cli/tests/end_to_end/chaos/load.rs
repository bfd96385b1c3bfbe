//! Shoppers who do not give up, and some who hang up in the middle.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use serde_json::json;
use service::Role;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use uuid::Uuid;

use crate::support::promises::{Promise, Told};
use crate::support::{Client, Shop};

const PRODUCTS: usize = 6;
/// Shoppers at once.
const AT_ONCE: usize = 24;
/// So long a shopper asks again before the storm counts as too long: two minutes may pass without a database, and a
/// slow machine needs its time after that.
const PATIENCE: Duration = Duration::from_secs(600);
/// Longer than any answer of a healthy shop; a half-open wire never answers.
const ANSWER: Duration = Duration::from_secs(20);
/// Every so many orders somebody looks on live, for a moment: in a calm shop long enough to see the end.
const SEEN_LIVE: usize = 4;
const MOMENT: Duration = Duration::from_secs(2);

/// A load of orders under way.
pub struct Load {
    shoppers: JoinSet<Vec<Promise>>,
    progress: Arc<Progress>,
}

#[derive(Default)]
struct Progress {
    /// Orders that somebody is going to place.
    taken: AtomicUsize,
    begun: AtomicUsize,
    changed: Notify,
    /// So many may be begun; more when the storm is as far.
    allowed: watch::Sender<usize>,
}

impl Load {
    /// Prepares for so many orders; they begin as they are allowed. There is too little stock for all.
    pub async fn start(shop: &Shop, orders: usize, seed: u64) -> Load {
        let admin = shop.client().signed_in(Role::Admin);
        let units = u32::try_from(orders * 3 / 2 / PRODUCTS / 2).expect("a number of units").max(1);
        let mut products = Vec::with_capacity(PRODUCTS);
        for number in 0..PRODUCTS {
            products.push(admin.create_product(&format!("Storm glass {number}"), "3.00", units).await);
        }
        let progress = Arc::new(Progress::default());
        let mut shoppers = JoinSet::new();
        for number in 0..AT_ONCE {
            let (products, progress, client) = (products.clone(), Arc::clone(&progress), shop.client());
            let random = SmallRng::seed_from_u64(seed.wrapping_add(number as u64));
            shoppers.spawn(async move { shop_on(client, products, orders, random, &progress).await });
        }
        Load { shoppers, progress }
    }

    /// Waits until so many orders were begun, but no longer than `limit`.
    pub async fn wait_for(&mut self, orders: usize, limit: Duration) {
        let reached = async {
            loop {
                let changed = self.progress.changed.notified();
                if self.progress.begun.load(Ordering::Relaxed) >= orders {
                    return;
                }
                changed.await;
            }
        };
        // Not reached is an answer, too: the storm goes on.
        drop(timeout(limit, reached).await);
    }

    /// Lets shoppers begin up to so many orders, so that no fault strikes a shop that nobody uses any more.
    pub fn allow(&self, orders: usize) {
        self.progress.allowed.send_replace(orders);
    }

    /// How many orders were begun.
    pub fn begun(&self) -> usize {
        self.progress.begun.load(Ordering::Relaxed)
    }

    /// Waits for every shopper's answer.
    pub async fn finish(self) -> Vec<Promise> {
        self.shoppers.join_all().await.into_iter().flatten().collect()
    }
}

async fn shop_on(
    client: Client,
    products: Vec<String>,
    orders: usize,
    mut random: SmallRng,
    progress: &Progress,
) -> Vec<Promise> {
    let mut bought: Vec<(Client, Promise)> = Vec::new();
    let mut allowed = progress.allowed.subscribe();
    loop {
        let number = progress.taken.fetch_add(1, Ordering::Relaxed);
        if number >= orders {
            return bought.into_iter().map(|(_, promise)| promise).collect();
        }
        allowed.wait_for(|allowed| number < *allowed).await.expect("the storm goes on");
        progress.begun.fetch_add(1, Ordering::Relaxed);
        progress.changed.notify_waiters();
        let shopper = client.signed_in(Role::User);
        let mut promise = buy(&shopper, &products, &mut random).await;
        if number.is_multiple_of(SEEN_LIVE) {
            look_on(&shopper, &mut promise).await;
        }
        if let Some((shopper, promise)) = bought.last_mut() {
            ask_again(shopper, promise).await;
        }
        bought.push((shopper, promise));
    }
}

/// One journey: one to three products in any order, a payment method, perhaps second thoughts.
async fn buy(shopper: &Client, products: &[String], random: &mut SmallRng) -> Promise {
    let lines = random.random_range(1..=3);
    let mut wanted: Vec<&String> = products.sample(random, lines).collect();
    wanted.shuffle(random);
    let mut hung_up = false;
    let mut cart = None;
    for product in wanted {
        let key = Uuid::new_v4().to_string();
        let into = cart.clone();
        let input = json!({"input": {"cartId": into, "productId": product, "quantity": 1, "idempotencyKey": key}});
        let ask = || async {
            let document = "mutation($input: AddToCartInput!) { addToCart(input: $input) { cart { id } } }";
            let data = shopper.try_graphql(document, input.clone()).await?;
            data["addToCart"]["cart"]["id"].as_str().map(str::to_owned).ok_or_else(|| data.to_string())
        };
        cart = Some(insist(ask, random, &mut hung_up).await);
    }
    let cart = cart.expect("at least one product");
    let method = *METHODS.choose(random).expect("there are methods");
    let key = Uuid::new_v4().to_string();
    let check_out = || async {
        let payload = shopper.try_checkout(&cart, method, Some(&key)).await?;
        payload["order"]["id"].as_str().map(str::to_owned).ok_or_else(|| payload.to_string())
    };
    let order = insist(check_out, random, &mut hung_up).await;
    // Told twice is told alike.
    if random.random_bool(0.1) {
        assert_eq!(insist(check_out, random, &mut hung_up).await, order, "a repeated checkout gave another order");
    }
    let told = if random.random_bool(0.1) { cancel(shopper, &order).await } else { Told::Placed };
    Promise { order: order.parse().expect("an id"), told, hung_up }
}

const METHODS: &[&str] = &[
    "pm_card_visa",
    "pm_card_visa",
    "pm_card_visa",
    "pm_card_visa",
    "pm_card_visa",
    "pm_card_visa",
    "pm_card_chargeDeclined",
    "pm_test_timeout",
    "pm_test_error",
];

/// Asks until there is an answer; hangs up now and then before it comes.
async fn insist<F>(ask: impl Fn() -> F, random: &mut SmallRng, hung_up: &mut bool) -> String
where
    F: Future<Output = Result<String, String>>,
{
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let impatient = random.random_bool(0.1);
        let wait = if impatient { Duration::from_millis(random.random_range(0..60)) } else { ANSWER };
        let answer = timeout(wait, ask()).await;
        match answer {
            Ok(Ok(answer)) => return answer,
            Ok(Err(error)) if tokio::time::Instant::now() > deadline => panic!("no answer in {PATIENCE:?}: {error}"),
            Ok(Err(_)) => {}
            Err(_) => *hung_up = true,
        }
        tokio::time::sleep(Duration::from_millis(random.random_range(50..300))).await;
    }
}

async fn cancel(shopper: &Client, order: &str) -> Told {
    let document = "mutation($input: CancelOrderInput!) { cancelOrder(input: $input) { order { status } } }";
    let answer = timeout(ANSWER, shopper.try_graphql(document, json!({"input": {"id": order}}))).await;
    match answer {
        Ok(Ok(data)) if data["cancelOrder"]["order"].is_object() => Told::CalledOff,
        _ => Told::PerhapsCalledOff,
    }
}

async fn look_on(shopper: &Client, promise: &mut Promise) {
    let order = promise.order.to_string();
    let looking = shopper.try_watch(&order, |status| hear(status, promise));
    // What ends it early takes nothing back of what was heard.
    drop(timeout(MOMENT, looking).await);
}

async fn ask_again(shopper: &Client, promise: &mut Promise) {
    let document = "query($id: ID!) { order(id: $id) { status } }";
    if let Ok(Ok(data)) = timeout(ANSWER, shopper.try_graphql(document, json!({"id": promise.order}))).await {
        hear(data["order"]["status"].as_str().unwrap_or_default(), promise);
    }
}

fn hear(status: &str, promise: &mut Promise) {
    if status == "CONFIRMED" && promise.told == Told::Placed {
        promise.told = Told::Confirmed;
    }
}
