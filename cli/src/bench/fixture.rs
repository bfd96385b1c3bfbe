//! What the load buys, and who buys it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use events::{Currency, Money};
use products_client::{CreateProduct, ProductsApi};
use servers::Progress;
use service::{Caller, Claims, Role};
use tokio::task::JoinSet;

use super::shop::Shop;
use crate::error::Result;
use crate::wire;

const USERS: usize = 1_000;
const PRODUCTS: usize = 1_000;
/// Enough for every run: the load is about speed, not about running out.
const STOCK: i32 = 1_000_000;
/// Products made at the same time.
const WORKERS: usize = 8;

/// Buyers and wares.
pub struct Market {
    /// A token for each registered user.
    pub tokens: Vec<String>,
    products: Vec<String>,
    next: AtomicUsize,
}

impl Market {
    /// Products in turn, so that no row is hotter than another.
    pub fn next_product(&self) -> &str {
        &self.products[self.next.fetch_add(1, Ordering::Relaxed) % self.products.len()]
    }
}

/// Registers the users and makes the products.
pub async fn prepare(shop: &Shop, progress: &Progress) -> Result<Arc<Market>> {
    progress.step(format!("registering {USERS} users"));
    let tokens = wire::bulk_register(&shop.settings, USERS).await?;
    progress.step(format!("making {PRODUCTS} products"));
    let products = make_products(shop).await?;
    Ok(Arc::new(Market { tokens, products, next: AtomicUsize::new(0) }))
}

async fn make_products(shop: &Shop) -> Result<Vec<String>> {
    let keys = shop.settings.keys()?;
    let claims = Claims::new(events::UserId::new(), "bench@prost.example", "bench", Role::Admin);
    let token = keys.sign(&claims).map_err(wire::Error::from)?;
    let admin =
        Caller::anonymous(events::CorrelationId::new()).with_token(&keys, token.reveal()).map_err(wire::Error::from)?;
    let client = Arc::new(products_client::Http::new(&shop.products_url).map_err(wire::Error::from)?);
    let mut workers = JoinSet::new();
    for worker in 0..WORKERS {
        let (client, admin) = (Arc::clone(&client), admin.clone());
        workers.spawn(async move {
            let mut made = Vec::new();
            for number in (worker..PRODUCTS).step_by(WORKERS) {
                made.push(client.create_product(&admin, product(number)?).await?.id.to_string());
            }
            Ok::<_, service::Error>(made)
        });
    }
    let mut products = Vec::with_capacity(PRODUCTS);
    for made in workers.join_all().await {
        products.extend(made.map_err(wire::Error::from)?);
    }
    Ok(products)
}

fn product(number: usize) -> Result<CreateProduct, service::Error> {
    let price = Money::from_minor(199 + 10 * number as i64, Currency::EUR).map_err(service::Error::internal)?;
    Ok(CreateProduct {
        name: format!("Bench product {number}"),
        sku: format!("BENCH-{number:05}"),
        price,
        description: Some("Made for the load test.".to_owned()),
        stock_quantity: STOCK,
        category_id: None,
        image_url: None,
        images: Vec::new(),
        supplier_id: None,
    })
}
