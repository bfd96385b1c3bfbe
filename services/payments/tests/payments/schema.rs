use crate::support::migrations;
use testkit::{TestDatabase, prepare_all};

#[tokio::test]
async fn every_statement_fits_the_schema() {
    let test = TestDatabase::new(&migrations()).await;
    prepare_all(&test.database("payments", "payments"), &payments::statements()).await;
}

#[tokio::test]
async fn a_migrated_schema_passes_the_check_at_start() {
    let test = TestDatabase::new(&migrations()).await;
    let database = test.database("payments", "payments");
    database::startup::check(&database, &payments::migrations().unwrap(), payments::TABLES).await.unwrap();
}

#[tokio::test]
async fn the_database_itself_refuses_to_give_back_too_much() {
    let test = TestDatabase::new(&migrations()).await;
    let insert = "INSERT INTO payments.payments (id, order_id, user_id, amount, currency, payment_method, provider,
                      status, captured, promised, correlation_id)
                  VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 5, 'EUR', 'pm_card_visa', 'test',
                      'captured', 5, 5.01, gen_random_uuid())";
    let error = test.owner().await.execute(insert, &[]).await.unwrap_err();
    assert_eq!(error.as_db_error().unwrap().constraint(), Some("payments_refund_limit"));
}
