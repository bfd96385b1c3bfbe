use database::migrate::{self, DataLoss};
use testkit::{TestDatabase, prepare_all};

use crate::support::Shop;

#[tokio::test]
async fn every_statement_fits_the_schema() {
    let shop = Shop::quiet().await;
    let database = shop.db.database(products::SERVICE, products::SCHEMA);
    prepare_all(&database, &products::statements()).await;
    database::startup::check(&database, &products::migrations().unwrap(), products::TABLES).await.unwrap();
}

#[tokio::test]
async fn the_schema_goes_up_down_and_up_again() {
    let db = TestDatabase::empty().await;
    let (owner, migrations) = (db.owner().await, products::migrations().unwrap());
    let all = migrations.list().len();
    for _ in 0..2 {
        assert_eq!(migrate::up(&owner, std::slice::from_ref(&migrations)).await.unwrap().len(), all);
        assert!(migrate::up(&owner, std::slice::from_ref(&migrations)).await.unwrap().is_empty());
        let refusal = migrate::down(&owner, &migrations, 0, DataLoss::Refuse).await;
        assert!(refusal.is_err(), "throws data away");
        assert_eq!(migrate::down(&owner, &migrations, 0, DataLoss::Allow).await.unwrap().len(), all);
    }
}

/// What a hold changes may stand in no index: only then is the hot row updated in place.
#[tokio::test]
async fn no_index_mentions_the_stock() {
    let shop = Shop::quiet().await;
    let sql = "SELECT pg_get_indexdef(indexrelid) AS definition FROM pg_index
        WHERE indrelid = 'catalog.products'::regclass";
    let rows = shop.owner.query(sql, &[]).await.unwrap();
    assert!(rows.len() > 4);
    for row in rows {
        let definition: String = row.get("definition");
        assert!(!definition.contains("stock_quantity"), "{definition}");
    }
}
