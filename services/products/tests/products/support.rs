//! A products service with a database of its own, and orders that speak to it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cache::Backend;
use database::{Database, outbox};
use events::{
    CartId, CorrelationId, Currency, Draft, Event, Money, OrderConfirmed, OrderId, OrderLine, OrderPlaced, ProductId,
    ReleaseRequested, UserId,
};
use messaging::{Relay, Transport};
use products::{Products, ProductsConfig};
use products_client::{CreateProduct, Product, ProductsApi, StockAdjustment};
use service::{Caller, Claims, Error, Role, TokenKeys};
use testkit::{TestDatabase, drain_until_idle, foundation_with};
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

/// Anything slower is a fault.
pub const SOON: Duration = Duration::from_secs(20);

pub struct Shop {
    pub db: TestDatabase,
    pub owner: Client,
    pub products: Arc<Products>,
    pub orders: Database,
    pub admin: Caller,
    pub anyone: Caller,
    pub keys: TokenKeys,
    /// What the tests' service caches with; see [`cache_of_run`].
    pub cache: Backend,
    transport: Option<Transport>,
    pub shutdown: CancellationToken,
}

impl Shop {
    /// A service that nobody speaks to yet.
    pub async fn quiet() -> Shop {
        Shop::with(ProductsConfig::default()).await
    }

    pub async fn with(config: ProductsConfig) -> Shop {
        let deploy = [products::migrations().unwrap(), foundation_with("orders", "orders", "")];
        let db = TestDatabase::new(&deploy).await;
        let database = db.database(products::SERVICE, products::SCHEMA);
        let keys = TokenKeys::new("a secret of the tests, 32 bytes or more", None).unwrap();
        let cache = cache_of_run(&database).await;
        Shop {
            owner: db.owner().await,
            products: Products::with_cache(database, config, cache.clone()),
            orders: db.database("orders", "orders"),
            admin: caller(&keys, Role::Admin),
            anyone: Caller::anonymous(CorrelationId::new()),
            keys,
            transport: None,
            shutdown: CancellationToken::new(),
            db,
            cache,
        }
    }

    /// A process of its own on the same database: with its own pool and copies.
    pub async fn another(&self, cache: Backend) -> Arc<Products> {
        let database = self.db.database(products::SERVICE, products::SCHEMA);
        Products::with_cache(database, ProductsConfig::default(), cache)
    }

    /// A service whose consumers run, `replicas` of each.
    pub async fn listening(replicas: usize) -> Shop {
        let mut shop = Shop::quiet().await;
        shop.listen(replicas);
        shop
    }

    pub fn listen(&mut self, replicas: usize) {
        let transport = self.db.transport(&self.orders);
        tokio::spawn(Relay::new("orders", self.orders.clone(), transport.clone()).run(self.shutdown.clone()));
        self.transport = Some(transport);
        for _ in 0..replicas {
            let database = self.db.database(products::SERVICE, products::SCHEMA);
            let transport = self.db.transport(&database);
            let relay = Relay::new(products::SERVICE, database.clone(), transport.clone());
            tokio::spawn(relay.run(self.shutdown.clone()));
            // One process: its consumers and its readers share the versions.
            let replica = Products::with_cache(database, ProductsConfig::default(), self.cache.clone());
            for consumer in products::consumers(&replica) {
                tokio::spawn(consumer.run(transport.clone(), self.shutdown.clone()));
            }
        }
    }

    pub async fn settle(&self) {
        drain_until_idle(&self.db, self.transport.as_ref().unwrap(), &["products"], SOON).await;
    }

    /// Messages in the dead letters of the service.
    pub async fn dead(&self) -> i64 {
        let depths = self.transport.as_ref().unwrap().depths().await.unwrap();
        depths.iter().filter(|depth| depth.service == products::SERVICE).map(|depth| depth.dead).sum()
    }

    pub async fn product(&self, sku: &str, stock_quantity: i32) -> Product {
        self.products.create_product(&self.admin, new_product(sku, stock_quantity)).await.unwrap()
    }

    pub async fn stock_of(&self, id: ProductId) -> Stock {
        let sql = "SELECT (SELECT stock_quantity::bigint FROM catalog.products WHERE id = $1) AS available,
            (SELECT coalesce(sum(change), 0)::bigint FROM catalog.inventory_history WHERE product_id = $1) AS received,
            coalesce(sum(quantity) FILTER (WHERE status = 'held'), 0)::bigint AS held,
            coalesce(sum(quantity) FILTER (WHERE status = 'committed'), 0)::bigint AS sold
            FROM catalog.inventory_reservations WHERE product_id = $1";
        let row = self.owner.query_one(sql, &[&id]).await.unwrap();
        let stock = Stock { available: row.get("available"), held: row.get("held"), sold: row.get("sold") };
        let received: i64 = row.get("received");
        assert_eq!(stock.available + stock.held + stock.sold, received, "{stock:?}");
        stock
    }

    /// What the service said, oldest first: event, and what `read` finds in its payload.
    pub async fn said<E: Event>(&self) -> Vec<E> {
        let sql = "SELECT envelope::text AS envelope FROM catalog.events WHERE event_type = $1 ORDER BY event_id";
        let rows = self.owner.query(sql, &[&E::TYPE]).await.unwrap();
        let envelope = |text: String| events::Envelope::parse(text.as_bytes()).unwrap();
        rows.iter().map(|row| envelope(row.get("envelope")).decode::<E>().unwrap()).collect()
    }

    /// Events of orders, in one transaction.
    pub async fn tell(&self, drafts: Vec<Draft>) {
        let record = self.orders.write(move |tx| Box::pin(async move { outbox::record(tx, &drafts).await }));
        record.await.map_err(|error: database::Error| error).unwrap();
    }

    pub async fn adjust(&self, id: ProductId, by: i32) -> Result<i32, Error> {
        let adjusted = self.products.adjust_stock(&self.admin, id, StockAdjustment::adjust(by, "a test")).await;
        adjusted.map(|entry| entry.stock_quantity)
    }
}

/// By default every copy is trusted, as by the only process of a database. `PRODUCTS_TEST_CACHE=redis` runs the whole
/// suite with Redis, `=none` without copies.
async fn cache_of_run(database: &Database) -> Backend {
    match std::env::var("PRODUCTS_TEST_CACHE").as_deref() {
        Ok("redis") => products::redis_cache(database, &testkit::redis_url().await).await.unwrap(),
        Ok("none") => Backend::in_process(),
        _ => trusted(),
    }
}

/// Copies in this process, as if it had made sure that it is alone.
pub fn trusted() -> Backend {
    let backend = Backend::in_process();
    backend.trust_for(Instant::now(), Duration::from_secs(3600));
    backend
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub struct Stock {
    pub available: i64,
    pub held: i64,
    pub sold: i64,
}

pub fn stock(available: i64, held: i64, sold: i64) -> Stock {
    Stock { available, held, sold }
}

pub fn caller(keys: &TokenKeys, role: Role) -> Caller {
    let token = keys.sign(&Claims::new(UserId::new(), "ann@example.com", "ann", role)).unwrap();
    Caller::anonymous(CorrelationId::new()).with_token(keys, token.reveal()).unwrap()
}

pub fn euros(amount: &str) -> Money {
    Money::parse(amount, Currency::EUR).unwrap()
}

pub fn new_product(sku: &str, stock_quantity: i32) -> CreateProduct {
    CreateProduct {
        name: format!("Product {sku}"),
        sku: sku.to_owned(),
        price: euros("5.00"),
        description: None,
        stock_quantity,
        category_id: None,
        image_url: None,
        images: Vec::new(),
        supplier_id: None,
    }
}

/// One order's side of the conversation.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    pub id: OrderId,
    pub cart_id: CartId,
    pub user_id: UserId,
    pub correlation_id: CorrelationId,
}

impl Order {
    pub fn new() -> Order {
        Order {
            id: OrderId::new(),
            cart_id: CartId::new(),
            user_id: UserId::new(),
            correlation_id: CorrelationId::new(),
        }
    }

    pub fn placed(&self, lines: &[(&Product, u32)]) -> Draft {
        let line = |(product, quantity): &(&Product, u32)| OrderLine {
            product_id: product.id,
            name: product.name.clone(),
            quantity: *quantity,
            unit_price: product.price,
        };
        self.draft(&OrderPlaced {
            order_id: self.id,
            user_id: self.user_id,
            cart_id: self.cart_id,
            statuses: Vec::new(),
            lines: lines.iter().map(line).collect(),
            total: euros("0.00"),
        })
    }

    pub fn confirmed(&self) -> Draft {
        self.draft(&OrderConfirmed {
            order_id: self.id,
            user_id: self.user_id,
            cart_id: self.cart_id,
            statuses: Vec::new(),
            lines: Vec::new(),
            total: euros("0.00"),
        })
    }

    pub fn release(&self) -> Draft {
        self.draft(&ReleaseRequested {
            order_id: self.id,
            user_id: self.user_id,
            cart_id: self.cart_id,
            statuses: Vec::new(),
        })
    }

    fn draft<E: Event>(&self, event: &E) -> Draft {
        Draft::new(event, 1, self.correlation_id, "orders")
    }
}
