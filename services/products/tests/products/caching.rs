//! Copies are never older than an answer, whoever writes and whatever becomes of Redis.

use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cache::Backend;
use products::Products;
use products_client::{
    CatalogueVersion, CreateCategory, CreateProduct, Precondition, Product, ProductFilter, ProductsApi, RelatedQuery,
    StockAdjustment, SuggestionQuery, UpdateProduct,
};
use servers::{Progress, RedisServer, Server};
use service::{Caller, PageQuery};
use testkit::eventually;
use tokio_util::sync::CancellationToken;

use crate::support::{Order, SOON, Shop, euros, new_product, stock, trusted};

/// A Redis of the test's own; gone at its end.
struct PrivateRedis(RedisServer);

impl PrivateRedis {
    async fn start() -> PrivateRedis {
        let folder = std::env::temp_dir().join(format!("products-redis-{}", uuid::Uuid::new_v4()));
        let redis = PrivateRedis(RedisServer::new(folder));
        redis.0.start(&Progress::new(|_| {})).await.unwrap();
        redis
    }
}

impl Drop for PrivateRedis {
    fn drop(&mut self) {
        let server = self.0.clone();
        let destroying = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(server.destroy(&Progress::new(|_| {}))).unwrap();
        });
        destroying.join().unwrap();
    }
}

fn by_stock() -> ProductFilter {
    ProductFilter { in_stock: Some(true), ..Default::default() }
}

/// The product's stock by each way of reading it.
async fn seen(products: &Products, anyone: &Caller, id: events::ProductId, way: usize) -> i32 {
    let of = |items: &[Product]| items.iter().find(|product| product.id == id).map_or(0, |found| found.stock_quantity);
    let page = PageQuery::default();
    match way % 4 {
        0 => products.product(anyone, id).await.unwrap().stock_quantity,
        1 => of(&products.products_by_ids(anyone, &[id]).await.unwrap()),
        2 => of(&products.products(anyone, &ProductFilter::default(), &page).await.unwrap().items),
        _ => of(&products.products(anyone, &by_stock(), &page).await.unwrap().items),
    }
}

/// Readers on every service, by every way, while `writers` count a product up; nothing read is older than an answer.
async fn race(shop: &Shop, services: &[Arc<Products>], writes: i32) {
    let id = shop.product("RACE", 1).await.id;
    let answered = Arc::new(AtomicI32::new(1));
    let done = Arc::new(AtomicBool::new(false));
    let readers = (0..8_usize).map(|n| {
        let products = services[n / 4 % services.len()].clone();
        let (anyone, answered, done) = (shop.anyone.clone(), answered.clone(), done.clone());
        tokio::spawn(async move {
            let mut reads = 0;
            while !done.load(Ordering::SeqCst) {
                let before = answered.load(Ordering::SeqCst);
                let read = seen(&products, &anyone, id, n).await;
                assert!(read >= before, "way {n} read {read} after {before} was answered");
                reads += 1;
                tokio::task::yield_now().await;
            }
            reads
        })
    });
    let readers: Vec<_> = readers.collect();
    for units in 2..=writes {
        let writer = &services[usize::try_from(units).unwrap() % services.len()];
        let set = StockAdjustment::set(units, "count");
        assert_eq!(writer.adjust_stock(&shop.admin, id, set).await.unwrap().stock_quantity, units);
        answered.store(units, Ordering::SeqCst);
    }
    done.store(true, Ordering::SeqCst);
    for reader in readers {
        assert!(reader.await.unwrap() > 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_and_writers_of_one_process() {
    let shop = Shop::quiet().await;
    race(&shop, std::slice::from_ref(&shop.products), 300).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_and_writers_of_two_processes_with_redis() {
    let shop = Shop::quiet().await;
    let url = testkit::redis_url().await;
    let database = shop.db.database(products::SERVICE, products::SCHEMA);
    let mut processes = Vec::new();
    for _ in 0..2 {
        processes.push(shop.another(products::redis_cache(&database, &url).await.unwrap()).await);
    }
    race(&shop, &processes, 200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_redis_that_is_flushed_and_killed_changes_latency_only() {
    let redis = PrivateRedis::start().await;
    let url = redis.0.url().unwrap();
    let shop = Shop::quiet().await;
    let database = shop.db.database(products::SERVICE, products::SCHEMA);
    let process = shop.another(products::redis_cache(&database, &url).await.unwrap()).await;
    let faults = async {
        for _ in 0..10 {
            flush(&url).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        redis.0.kill().unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        redis.0.revive(&Progress::new(|_| {})).await.unwrap();
    };
    let services = [process];
    tokio::join!(race(&shop, &services, 400), faults);
}

/// What `redis-cli FLUSHALL` does.
async fn flush(url: &str) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (password, address) = url.trim_start_matches("redis://:").trim_end_matches('/').split_once('@').unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("AUTH {password}\r\nFLUSHALL\r\n").as_bytes()).await.unwrap();
    let mut answer = [0; 10];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"+OK\r\n+OK\r\n");
}

#[tokio::test]
async fn what_is_cached_needs_no_database() {
    let shop = Shop::quiet().await;
    let database = shop.db.database(products::SERVICE, products::SCHEMA);
    let service = Products::with_cache(database.clone(), Default::default(), trusted());
    let category = CreateCategory { name: "Tea".into(), description: None };
    let category = service.create_category(&shop.admin, category).await.unwrap();
    let new = CreateProduct { category_id: Some(category.id), ..new_product("TEA", 3) };
    let tea = service.create_product(&shop.admin, new).await.unwrap();
    let (anyone, page, all) = (&shop.anyone, PageQuery::default(), ProductFilter::default());
    let read = async || {
        let listed = service.products(anyone, &all, &page).await.unwrap().items;
        let in_stock = service.products(anyone, &by_stock(), &page).await.unwrap().items;
        let of_category = service.products_by_categories(anyone, &[category.id], &page).await.unwrap();
        assert_eq!([&listed, &in_stock, &of_category[0].products.items], [&vec![tea.clone()]; 3]);
        assert_eq!(service.product(anyone, tea.id).await.unwrap(), tea);
        assert_eq!(service.products_by_ids(anyone, &[tea.id]).await.unwrap(), std::slice::from_ref(&tea));
        assert_eq!(service.categories(anyone, &page).await.unwrap().items, std::slice::from_ref(&category));
        assert_eq!(service.category(anyone, category.id).await.unwrap(), category);
        let typed = SuggestionQuery { q: "product t".into(), limit: None };
        assert_eq!(service.suggestions(anyone, &typed).await.unwrap(), std::slice::from_ref(&tea));
        let related = RelatedQuery { ids: vec![tea.id], limit: None };
        assert_eq!(service.related_products(anyone, &related).await.unwrap()[0].products, []);
        assert_eq!(service.facets(anyone, &by_stock()).await.unwrap().total_count, 1);
        assert_eq!(service.facets_by_categories(anyone, &[category.id]).await.unwrap()[0].facets.in_stock, 1);
    };
    read().await;
    database.close();
    read().await;
}

#[tokio::test]
async fn every_write_is_seen_at_once() {
    let shop = Shop::quiet().await;
    let (anyone, page, all) = (&shop.anyone, PageQuery::default(), ProductFilter::default());
    let names = async || -> Vec<String> {
        let listed = shop.products.products(anyone, &all, &page).await.unwrap();
        listed.items.into_iter().map(|product| product.name).collect()
    };
    let in_stock = async || shop.products.products(anyone, &by_stock(), &page).await.unwrap().items.len();
    assert!(names().await.is_empty());
    let tea = shop.product("TEA", 1).await;
    assert_eq!((names().await, in_stock().await), (vec!["Product TEA".to_owned()], 1));

    let change = UpdateProduct { name: Some("Tea".into()), price: Some(euros("6.00")), ..Default::default() };
    shop.products.update_product(&shop.admin, tea.id, Precondition::Exists, change).await.unwrap();
    assert_eq!(names().await, ["Tea"]);
    assert_eq!(shop.products.product(anyone, tea.id).await.unwrap().price, euros("6.00"));

    shop.adjust(tea.id, -1).await.unwrap();
    assert_eq!((in_stock().await, shop.products.product(anyone, tea.id).await.unwrap().stock_quantity), (0, 0));
    shop.products.delete_product(&shop.admin, tea.id).await.unwrap();
    assert!(names().await.is_empty());
    assert_eq!(shop.products.product(anyone, tea.id).await.unwrap_err().code, "product_not_found");

    assert!(shop.products.all_categories(anyone).await.unwrap().is_empty());
    let category = CreateCategory { name: "Tea".into(), description: None };
    shop.products.create_category(&shop.admin, category).await.unwrap();
    assert_eq!(shop.products.all_categories(anyone).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hold_that_was_answered_is_seen() {
    let shop = Shop::listening(1).await;
    let tea = shop.product("TEA", 50).await;
    let mut sold = 0;
    for _ in 0..20 {
        assert_eq!(shop.products.product(&shop.anyone, tea.id).await.unwrap().stock_quantity, 50 - sold);
        let order = Order::new();
        shop.tell(vec![order.placed(&[(&tea, 1)])]).await;
        sold += 1;
        // As soon as the answer is in the database, long before it is delivered.
        eventually(SOON, || async {
            let answers = shop.said::<events::StockReserved>().await.len();
            if answers == usize::try_from(sold).unwrap() { Ok(()) } else { Err(format!("{answers} answers")) }
        })
        .await;
        assert_eq!(shop.products.product(&shop.anyone, tea.id).await.unwrap().stock_quantity, 50 - sold);
    }
    assert_eq!(shop.stock_of(tea.id).await, stock(30, 20, 0));
}

/// A process with its background work, until the token ends it.
async fn process(shop: &Shop) -> (Arc<Products>, Backend, CancellationToken) {
    let (backend, shutdown) = (Backend::in_process(), CancellationToken::new());
    let products = shop.another(backend.clone()).await;
    products.join().await.unwrap();
    tokio::spawn(products::background(products.clone(), shutdown.clone()));
    (products, backend, shutdown)
}

async fn until(backend: &Backend, is_trusted: bool) {
    eventually(SOON, || async {
        if backend.is_trusted() == is_trusted { Ok(()) } else { Err(format!("trusted: {}", !is_trusted)) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_keeps_copies_only_while_it_is_alone() {
    let shop = Shop::quiet().await;
    let (first, copies, _first_ends) = process(&shop).await;
    until(&copies, true).await;
    let tea = first.create_product(&shop.admin, new_product("TEA", 1)).await.unwrap();
    assert_eq!(first.product(&shop.anyone, tea.id).await.unwrap().stock_quantity, 1);
    let alone = first.version();

    let (second, its_copies, second_ends) = process(&shop).await;
    assert!(!copies.is_trusted(), "the second waited for that before it may write");
    assert_eq!((first.version(), second.version()), (None, None));
    second.adjust_stock(&shop.admin, tea.id, StockAdjustment::set(9, "count")).await.unwrap();
    assert_eq!(first.product(&shop.anyone, tea.id).await.unwrap().stock_quantity, 9);
    assert!(!its_copies.is_trusted());

    second_ends.cancel();
    until(&copies, true).await;
    let again = first.version();
    assert!(again.is_none() || again != alone, "what was told before the second came is out of date");
    assert_eq!(first.product(&shop.anyone, tea.id).await.unwrap().stock_quantity, 9);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_session_costs_the_copies_for_a_moment() {
    let shop = Shop::quiet().await;
    let (_products, copies, _ends) = process(&shop).await;
    until(&copies, true).await;
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = 7021
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    assert!(!shop.owner.query(kill, &[]).await.unwrap().is_empty());
    until(&copies, false).await;
    until(&copies, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_seed_from_elsewhere_is_seen_at_once() {
    let shop = Shop::quiet().await;
    let (first, copies, _ends) = process(&shop).await;
    until(&copies, true).await;
    assert!(first.all_categories(&shop.anyone).await.unwrap().is_empty());
    let other = shop.another(Backend::in_process()).await;
    products::seed(&other).await.unwrap();
    assert!(!first.all_categories(&shop.anyone).await.unwrap().is_empty());
    let page = first.products(&shop.anyone, &ProductFilter::default(), &PageQuery::default()).await.unwrap();
    assert_eq!(page.items.len(), 20);
}

/// A shop whose only process keeps copies, and whose consumers run.
async fn alone() -> Shop {
    let mut shop = Shop::quiet().await;
    shop.cache = trusted();
    shop.products = shop.another(shop.cache.clone()).await;
    shop.listen(1);
    shop
}

/// Long enough on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// A version that was never before, once there is one.
async fn another_version(shop: &Shop, seen: &mut Vec<CatalogueVersion>, after: &str) {
    let version = eventually(PATIENCE, || async {
        let new = shop.products.version().filter(|version| !seen.contains(version));
        new.ok_or_else(|| format!("no other version after {after}"))
    });
    seen.push(version.await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_change_makes_another_version_and_no_read_does() {
    let shop = alone().await;
    let (products, admin) = (&shop.products, &shop.admin);
    let mut seen = vec![products.version().unwrap()];
    let category = CreateCategory { name: "Tea".into(), description: None };
    products.create_category(admin, category).await.unwrap();
    another_version(&shop, &mut seen, "a new category").await;
    let tea = shop.product("TEA", 9).await;
    another_version(&shop, &mut seen, "a new product").await;
    for change in [
        UpdateProduct { price: Some(euros("6.00")), ..Default::default() },
        UpdateProduct { stock_quantity: Some(10), ..Default::default() },
    ] {
        products.update_product(admin, tea.id, Precondition::Exists, change).await.unwrap();
        another_version(&shop, &mut seen, "an update").await;
    }
    let tea = products.product(&shop.anyone, tea.id).await.unwrap();
    shop.adjust(tea.id, -1).await.unwrap();
    another_version(&shop, &mut seen, "a count").await;
    let order = Order::new();
    for (step, left) in [(order.placed(&[(&tea, 2)]), 7), (order.release(), 9)] {
        shop.tell(vec![step]).await;
        shop.settle().await;
        another_version(&shop, &mut seen, "a hold or its release").await;
        assert_eq!(products.product(&shop.anyone, tea.id).await.unwrap().stock_quantity, left);
    }
    products.delete_product(admin, tea.id).await.unwrap();
    another_version(&shop, &mut seen, "a deletion").await;
    products::seed(products).await.unwrap();
    another_version(&shop, &mut seen, "a seed").await;

    let page = PageQuery::default();
    products.products(&shop.anyone, &ProductFilter::default(), &page).await.unwrap();
    products.facets(&shop.anyone, &by_stock()).await.unwrap();
    products.product(&shop.anyone, tea.id).await.unwrap_err();
    assert_eq!(products.version().as_ref(), seen.last());
}

/// What is kept as the gateway keeps whole answers: under the version before it was asked for.
#[derive(Default)]
struct Kept {
    answer: Mutex<Option<(CatalogueVersion, i32)>>,
    hits: AtomicI32,
}

impl Kept {
    async fn stock(&self, shop: &Shop, id: events::ProductId, way: usize) -> i32 {
        let version = shop.products.version();
        let kept = self.answer.lock().unwrap().filter(|(of, _)| Some(*of) == version);
        if let Some((_, stock)) = kept {
            self.hits.fetch_add(1, Ordering::SeqCst);
            return stock;
        }
        let stock = seen(&shop.products, &shop.anyone, id, way).await;
        if let Some(version) = version {
            *self.answer.lock().unwrap() = Some((version, stock));
        }
        stock
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_asked_for_after_a_version_holds_as_long_as_it_does() {
    let shop = Arc::new(alone().await);
    let tea = shop.product("TEA", 1).await.id;
    let (kept, answered, done) = (Arc::new(Kept::default()), Arc::new(AtomicI32::new(1)), Arc::<AtomicBool>::default());
    let readers = (0..4_usize).map(|way| {
        let (shop, kept, answered, done) = (shop.clone(), kept.clone(), answered.clone(), done.clone());
        tokio::spawn(async move {
            while !done.load(Ordering::SeqCst) {
                let before = answered.load(Ordering::SeqCst);
                let read = kept.stock(&shop, tea, way).await;
                assert!(read >= before, "way {way} read {read} after {before} was answered");
                tokio::task::yield_now().await;
            }
        })
    });
    let readers: Vec<_> = readers.collect();
    for units in 2..=200 {
        shop.adjust(tea, 1).await.unwrap();
        answered.store(units, Ordering::SeqCst);
        if units % 10 == 0 {
            let before = kept.hits.load(Ordering::SeqCst);
            eventually(PATIENCE, || async {
                if kept.hits.load(Ordering::SeqCst) > before { Ok(()) } else { Err("nothing kept is read".to_owned()) }
            })
            .await;
        }
    }
    done.store(true, Ordering::SeqCst);
    for reader in readers {
        reader.await.unwrap();
    }
}
