//! The tables of a migrated shop, against what is promised of them.

use std::collections::BTreeSet;

use testkit::connect;
use tokio_postgres::Client;

use crate::support::{Shop, Transport};

/// The least that each table has.
const COLUMNS: &[(&str, &str)] = &[
    ("users.users", "id email username password_hash role email_verified created_at updated_at deleted_at"),
    (
        "catalog.products",
        "id name description price category_id sku stock_quantity image_url supplier_id created_at updated_at deleted_at",
    ),
    ("catalog.categories", "id name description created_at updated_at deleted_at"),
    ("catalog.inventory_history", "id product_id change reason actor created_at"),
    (
        "catalog.inventory_reservations",
        "id product_id quantity order_id reservation_id status created_at expires_at released_at",
    ),
    ("cart.carts", "id user_id status total created_at updated_at abandoned_at"),
    ("cart.cart_items", "id cart_id product_id quantity price created_at updated_at"),
    ("cart.inventory_locks", "id cart_id product_id quantity reservation_id status created_at expires_at released_at"),
    (
        "cart.saga_states",
        "id correlation_id saga_type status cart_id payload compensation_log created_at updated_at expires_at",
    ),
    (
        "orders.orders",
        "id user_id cart_id total status saga_correlation_id created_at updated_at shipped_at delivered_at cancelled_at",
    ),
    ("orders.order_items", "id order_id product_id quantity price created_at"),
    (
        "orders.saga_states",
        "id correlation_id saga_type status order_id payload compensation_log created_at updated_at expires_at",
    ),
    (
        "orders.compensation_log",
        "id order_id saga_correlation_id compensation_event compensation_payload status created_at completed_at",
    ),
    (
        "orders.inventory_reservations",
        "id order_id product_id quantity reservation_id status created_at expires_at released_at fulfilled_at",
    ),
    ("payments.payments", "id order_id status currency"),
    ("payments.refunds", "id payment_id status currency"),
];

/// What each schema has besides.
const EVERYWHERE: &[(&str, &str)] = &[
    ("schema_migrations", "version name checksum applied_at duration_ms"),
    ("idempotency_records", "id event_id service_name action result created_at"),
];

/// What each schema has that publishes.
const PUBLISHING: &[(&str, &str)] = &[("events", "event_id event_type envelope"), ("outbox", "event_id")];

async fn columns_of(database: &Client, table: &str) -> BTreeSet<String> {
    let (schema, table) = table.split_once('.').expect("schema.table");
    let sql = "SELECT column_name::text AS name FROM information_schema.columns
               WHERE table_schema = $1 AND table_name = $2";
    let rows = database.query(sql, &[&schema, &table]).await.expect("look at a table");
    rows.iter().map(|row| row.get("name")).collect()
}

async fn has_columns(database: &Client, table: &str, columns: &str) {
    let found = columns_of(database, table).await;
    for column in columns.split(' ') {
        assert!(found.contains(column), "{table} has no {column}, only {found:?}");
    }
}

#[tokio::test]
async fn every_table_has_the_columns_that_are_promised() {
    let shop = Shop::migrated(Transport::Postgres).await;
    let (prost, analytics) = (shop.database.owner().await, connect(shop.analytics_url()).await);
    for (table, columns) in COLUMNS {
        has_columns(&prost, table, columns).await;
    }
    for schema in ["users", "catalog", "cart", "orders", "payments"] {
        for (table, columns) in EVERYWHERE.iter().chain(PUBLISHING) {
            has_columns(&prost, &format!("{schema}.{table}"), columns).await;
        }
    }
    for (table, columns) in EVERYWHERE.iter().chain(&[("reports", "name day updated_at")]) {
        has_columns(&analytics, &format!("public.{table}"), columns).await;
    }
}

#[tokio::test]
async fn an_event_has_one_record_per_service_and_events_lie_by_day() {
    let shop = Shop::migrated(Transport::Postgres).await;
    let prost = shop.database.owner().await;
    for schema in ["users", "catalog", "cart", "orders", "payments"] {
        let sql = "SELECT count(*) AS found FROM pg_constraint WHERE conrelid = $1::text::regclass AND contype = 'u'
                   AND pg_get_constraintdef(oid) = 'UNIQUE (event_id, service_name)'";
        let row = prost.query_one(sql, &[&format!("{schema}.idempotency_records")]).await.expect("look");
        assert_eq!(row.get::<_, i64>("found"), 1, "{schema} may apply an event twice");
        let sql = "SELECT pg_get_partkeydef($1::text::regclass) AS key";
        let row = prost.query_one(sql, &[&format!("{schema}.events")]).await.expect("look");
        assert_eq!(row.get::<_, Option<String>>("key").as_deref(), Some("RANGE (recorded_at)"), "{schema}");
    }
}

#[tokio::test]
async fn foreign_keys_stay_in_their_schema_and_are_indexed() {
    let shop = Shop::migrated(Transport::Postgres).await;
    let sql = "SELECT conrelid::regclass::text || ' ' || pg_get_constraintdef(k.oid) AS key,
                      child.relnamespace = parent.relnamespace AS is_inside,
                      EXISTS (SELECT 1 FROM pg_index i
                              WHERE i.indrelid = conrelid AND (i.indkey::int2[])[0:cardinality(conkey) - 1] = conkey)
                          AS is_indexed
               FROM pg_constraint k JOIN pg_class child ON child.oid = conrelid JOIN pg_class parent ON parent.oid = confrelid
               WHERE contype = 'f'";
    let keys = shop.database.owner().await.query(sql, &[]).await.expect("list the foreign keys");
    assert!(keys.len() > 10, "only {} foreign keys", keys.len());
    for key in keys {
        let name: String = key.get("key");
        assert!(key.get::<_, bool>("is_inside"), "{name} leaves its schema");
        assert!(key.get::<_, bool>("is_indexed"), "{name} has no index");
    }
}

#[tokio::test]
async fn a_currency_stands_beside_every_price_and_no_price_is_a_float() {
    let shop = Shop::migrated(Transport::Postgres).await;
    // The test provider's refunds have the currency of their charge; they are not the shop's books.
    let sql =
        "SELECT c.table_schema || '.' || c.table_name AS place, c.column_name::text AS name, c.data_type::text AS kind,
                      c.numeric_scale AS scale,
                      EXISTS (SELECT 1 FROM information_schema.columns other
                              WHERE other.table_schema = c.table_schema AND other.table_name = c.table_name
                                AND other.column_name = 'currency' AND other.data_type = 'character'
                                AND other.character_maximum_length = 3) AS has_currency
               FROM information_schema.columns c
               WHERE c.table_schema IN ('users', 'catalog', 'cart', 'orders', 'payments')
                 AND c.data_type IN ('numeric', 'money', 'real', 'double precision')
                 AND c.table_name <> 'test_provider_refunds'";
    let prices = shop.database.owner().await.query(sql, &[]).await.expect("list the prices");
    assert!(prices.len() > 6, "only {} prices", prices.len());
    for price in prices {
        let name = format!("{}.{}", price.get::<_, String>("place"), price.get::<_, String>("name"));
        assert_eq!((price.get("kind"), price.get("scale")), ("numeric", Some(4)), "{name}");
        assert!(price.get::<_, bool>("has_currency"), "{name} has no currency");
    }
}
