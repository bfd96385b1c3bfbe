//! What the load buys, and who buys it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use events::{Currency, Money};
use products_client::{CreateProduct, ProductsApi};
use servers::Progress;
use service::{Caller, Claims, Role};
use tokio::task::JoinSet;
use users_client::Secret;

use super::shop::Shop;
use crate::error::Result;
use crate::wire;

const USERS: usize = 1_000;
const PRODUCTS: usize = 1_000;
/// Enough for every run: the load is about speed, not about running out.
const STOCK: i32 = 1_000_000;
/// Products made at the same time.
const WORKERS: usize = 8;
/// Buyers and wares of a grown shop, from all over its tables.
const SOME_USERS: &str = "
    SELECT id, email, username FROM users.users TABLESAMPLE SYSTEM (least(100, 100 * 20000 / $1::float8)::real)
    ORDER BY random() LIMIT 1000";
const SOME_PRODUCTS: &str = "
    SELECT id, round(price, 2)::text AS price
    FROM catalog.products TABLESAMPLE SYSTEM (least(100, 100 * 200000 / $1::float8)::real)
    ORDER BY random() LIMIT 20000";

/// A registered user.
pub struct Buyer {
    /// With what they log in.
    pub email: String,
    /// Their bearer token.
    pub token: String,
}

/// A product.
pub struct Ware {
    /// Its id.
    pub id: String,
    /// Its price in euros, as the shop tells it.
    pub price: String,
}

/// Buyers and wares.
pub struct Market {
    /// Those who buy.
    pub buyers: Vec<Buyer>,
    /// The password of each.
    pub password: String,
    /// What they buy.
    pub wares: Vec<Ware>,
    next: AtomicUsize,
}

impl Market {
    /// Registers the users and makes the products.
    pub async fn open(shop: &Shop, progress: &Progress) -> Result<Arc<Market>> {
        progress.step(format!("registering {USERS} users"));
        let password = uuid::Uuid::new_v4().to_string();
        let accounts = wire::bulk_register(&shop.settings, USERS, Secret::new(password.clone())).await?;
        let buyers = accounts.into_iter().map(|account| Buyer { email: account.email, token: account.token }).collect();
        progress.step(format!("making {PRODUCTS} products"));
        let wares = make_products(shop).await?;
        Ok(Arc::new(Market { buyers, password, wares, next: AtomicUsize::new(0) }))
    }

    /// Some of the `size` users and products of a grown shop. Nobody knows their password.
    pub async fn of_grown(shop: &Shop, size: u32) -> Result<Arc<Market>> {
        let owner = shop.owner().await?;
        let size = f64::from(size);
        let users = owner.query(SOME_USERS, &[&size]).await.map_err(wire::Error::from)?;
        let products = owner.query(SOME_PRODUCTS, &[&size]).await.map_err(wire::Error::from)?;
        let keys = shop.settings.keys()?;
        let buyer = |row: &tokio_postgres::Row| {
            let email: String = row.get("email");
            let claims = Claims::new(row.get("id"), &email, row.get::<_, &str>("username"), Role::User);
            let token = keys.sign(&claims).map_err(wire::Error::from)?.reveal().to_owned();
            Ok(Buyer { email, token })
        };
        let ware = |row: &tokio_postgres::Row| Ware {
            id: row.get::<_, uuid::Uuid>("id").to_string(),
            price: row.get("price"),
        };
        Ok(Arc::new(Market {
            buyers: users.iter().map(buyer).collect::<Result<_>>()?,
            password: String::new(),
            wares: products.iter().map(ware).collect(),
            next: AtomicUsize::new(0),
        }))
    }

    /// Products in turn, so that no row is hotter than another.
    pub fn next_ware(&self) -> &Ware {
        &self.wares[self.next.fetch_add(1, Ordering::Relaxed) % self.wares.len()]
    }

    /// Users in turn.
    pub fn next_buyer(&self) -> &Buyer {
        &self.buyers[self.next.fetch_add(1, Ordering::Relaxed) % self.buyers.len()]
    }
}

/// A product of its own, with so many in stock.
pub async fn make_product(shop: &Shop, stock: u32) -> Result<Ware> {
    let sku = format!("FLASH-{}", uuid::Uuid::new_v4().simple());
    let wanted = CreateProduct { sku, stock_quantity: stock.cast_signed(), ..product(0).map_err(wire::Error::from)? };
    Ok(Supplier::new(shop)?.bring(wanted).await.map_err(wire::Error::from)?)
}

async fn make_products(shop: &Shop) -> Result<Vec<Ware>> {
    let supplier = Supplier::new(shop)?;
    let mut workers = JoinSet::new();
    for worker in 0..WORKERS {
        let supplier = supplier.clone();
        workers.spawn(async move {
            let mut made = Vec::new();
            for number in (worker..PRODUCTS).step_by(WORKERS) {
                made.push(supplier.bring(product(number)?).await?);
            }
            Ok::<_, service::Error>(made)
        });
    }
    let mut wares = Vec::with_capacity(PRODUCTS);
    for made in workers.join_all().await {
        wares.extend(made.map_err(wire::Error::from)?);
    }
    Ok(wares)
}

/// An admin at the door of products.
#[derive(Clone)]
struct Supplier {
    products: Arc<products_client::Http>,
    admin: Caller,
}

impl Supplier {
    fn new(shop: &Shop) -> Result<Supplier> {
        let keys = shop.settings.keys()?;
        let claims = Claims::new(events::UserId::new(), "bench@prost.example", "bench", Role::Admin);
        let token = keys.sign(&claims).map_err(wire::Error::from)?;
        let admin = Caller::anonymous(events::CorrelationId::new())
            .with_token(&keys, token.reveal())
            .map_err(wire::Error::from)?;
        let products = Arc::new(products_client::Http::new(&shop.products_url).map_err(wire::Error::from)?);
        Ok(Supplier { products, admin })
    }

    async fn bring(&self, wanted: CreateProduct) -> Result<Ware, service::Error> {
        let made = self.products.create_product(&self.admin, wanted).await?;
        Ok(Ware { id: made.id.to_string(), price: made.price.amount() })
    }
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
        image_url: Some(format!("/images/bench-{number}.svg")),
        images: Vec::new(),
        supplier_id: None,
    })
}
