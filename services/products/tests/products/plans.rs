//! In a catalogue of a hundred thousand products no search reads them all.

use database::{Database, PoolLimits};
use products::{Products, ProductsConfig};
use products_client::{ProductFilter, ProductSort, ProductsApi, RelatedQuery, SuggestionQuery};
use service::PageQuery;

use crate::support::Shop;

const CATALOGUE: &str = "
    INSERT INTO catalog.categories (id, name)
        SELECT ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'Category ' || n
        FROM generate_series(1, 50) n;
    INSERT INTO catalog.products (id, name, sku, price, currency, description, stock_quantity, category_id)
        SELECT gen_random_uuid(), adjective || ' ' || noun || ' ' || n, 'SKU-' || n, (n % 900) + 1, 'EUR',
            'Picked by hand in valley ' || n % 1000, n % 20,
            ('00000000-0000-7000-8000-' || lpad((n % 50 + 1)::text, 12, '0'))::uuid
        FROM generate_series(1, 100000) n,
            LATERAL (SELECT (ARRAY['Dark', 'Green', 'Golden', 'Quiet', 'Bold', 'Late'])[n % 6 + 1] AS adjective,
                (ARRAY['Espresso', 'Riesling', 'Lemonade', 'Porter', 'Tea', 'Cider', 'Kombucha'])[n % 7 + 1] AS noun) w;
    VACUUM ANALYZE catalog.products";

/// A service on one connection and without copies, so that its statistics can be read.
struct Measured {
    shop: Shop,
    service: std::sync::Arc<Products>,
    database: Database,
}

impl Measured {
    async fn new() -> Measured {
        let shop = Shop::quiet().await;
        for statement in CATALOGUE.split_inclusive(';') {
            shop.owner.batch_execute(statement).await.unwrap();
        }
        let limits = PoolLimits { max: 1, warm: 0, ..PoolLimits::default() };
        let database = shop.db.database_with(products::SERVICE, products::SCHEMA, &limits);
        let service = Products::with_cache(database.clone(), ProductsConfig::default(), cache::Backend::in_process());
        Measured { shop, service, database }
    }

    /// How often the whole table was read so far.
    async fn whole_reads(&self) -> i64 {
        let flush = "SELECT pg_stat_force_next_flush()";
        self.database.read().await.unwrap().query_one(flush, &[]).await.unwrap();
        let sql = "SELECT seq_scan FROM pg_stat_user_tables WHERE relid = 'catalog.products'::regclass";
        self.shop.owner.query_one(sql, &[]).await.unwrap().get("seq_scan")
    }

    /// Runs `read` often enough for the server to settle on one plan for all parameters.
    async fn assert_indexed<F: Future>(&self, what: &str, read: impl Fn() -> F) {
        let before = self.whole_reads().await;
        for _ in 0..8 {
            read().await;
        }
        assert_eq!(self.whole_reads().await, before, "{what} reads the whole table");
    }
}

fn filters() -> Vec<ProductFilter> {
    let category = "00000000-0000-7000-8000-000000000007".parse().ok();
    let all = ProductFilter::default;
    let q = |q: &str| ProductFilter { q: Some(q.to_owned()), ..all() };
    vec![
        all(),
        ProductFilter { category, ..all() },
        ProductFilter { min_price: Some("890".into()), ..all() },
        ProductFilter { max_price: Some("5".into()), in_stock: Some(true), category, ..all() },
        ProductFilter { in_stock: Some(true), ..all() },
        q("porter 4711"),
        q("SKU-815"),
        q("valley 77"),
        q("lemonad 500"),
        q("kombuhca 4711"),
        ProductFilter { category, ..q("valley 77") },
    ]
}

#[tokio::test]
async fn searches_use_indexes() {
    let measured = Measured::new().await;
    let (service, anyone) = (&measured.service, &measured.shop.anyone);
    for filter in filters() {
        for sort in [ProductSort::Newest, ProductSort::Name, ProductSort::PriceAsc, ProductSort::PriceDesc] {
            let filter = ProductFilter { sort: Some(sort), ..filter.clone() };
            let page = PageQuery::first(20);
            let first = service.products(anyone, &filter, &page).await.unwrap();
            let next = PageQuery { cursor: first.next_cursor.clone(), ..page };
            let read = || async { service.products(anyone, &filter, &next).await.unwrap() };
            measured.assert_indexed(&format!("the list of {filter:?}"), read).await;
        }
        let ranked = ProductFilter { sort: Some(ProductSort::Relevance), ..filter.clone() };
        let read = || async { service.products(anyone, &ranked, &PageQuery::default()).await.unwrap() };
        measured.assert_indexed(&format!("the ranked list of {filter:?}"), read).await;
        let read = || async { service.facets(anyone, &filter).await.unwrap() };
        measured.assert_indexed(&format!("the facets of {filter:?}"), read).await;
    }
    for typed in ["r", "ri", "ries", "rieslng", "late riesl", "sku-9", "4711"] {
        let query = SuggestionQuery { q: typed.to_owned(), limit: None };
        let read = || async { service.suggestions(anyone, &query).await.unwrap() };
        measured.assert_indexed(&format!("suggestions for {typed}"), read).await;
    }
    let ids = service.products(anyone, &ProductFilter::default(), &PageQuery::first(100)).await.unwrap().items;
    let query = RelatedQuery { ids: ids.iter().map(|product| product.id).collect(), limit: Some(24) };
    let read = || async { service.related_products(anyone, &query).await.unwrap() };
    measured.assert_indexed("related products", read).await;
    let whole = service.facets(anyone, &ProductFilter::default()).await.unwrap();
    assert_eq!((whole.total_count, whole.total_count_is_exact), (10_000, false));
    assert_eq!(
        (whole.min_price.unwrap().amount(), whole.max_price.unwrap().amount()),
        ("1.00".into(), "900.00".into())
    );
}
