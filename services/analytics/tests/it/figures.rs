//! Figures are exact however the events came.

use analytics_client::{AbandonedDay, FunnelDay, Outcome, OutcomeDay, ProductSales, ReportName, Rows, SalesDay};
use events::{Draft, ProductId};
use testkit::{prepare_all, publish_to_postgres};

use crate::support::{Story, World, at, eur};

#[tokio::test]
async fn every_statement_fits_the_schema() {
    let world = World::new().await;
    let database = world.db.database(analytics::SERVICE, analytics::SCHEMA);
    prepare_all(&database, &analytics::statements()).await;
    database::startup::check(&database, &analytics::migrations().unwrap(), analytics::TABLES).await.unwrap();
}

/// Ten orders: five confirmed, three declined, two cancelled; and a cart left behind.
fn stories(product: ProductId) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for number in 0..10 {
        let story = Story::new(product, 2);
        drafts.extend(match number {
            0..5 => story.confirmed(),
            5..8 => story.declined(),
            _ => story.cancelled(),
        });
    }
    drafts.push(Story::new(product, 1).filled());
    drafts
}

fn expected(product: ProductId) -> Vec<Rows> {
    let day = at(0).date_naive();
    let outcome = |outcome, code: Option<&str>, sagas, minutes: i64| OutcomeDay {
        day,
        outcome,
        code: code.map(str::to_owned),
        sagas,
        mean_duration_ms: minutes * 60_000,
    };
    vec![
        Rows::SalesPerDay(vec![SalesDay {
            day,
            orders: 7,
            gross: eur("180.60"),
            refunds: 2,
            refunded: eur("51.60"),
            net: eur("129.00"),
            cancelled: 2,
        }]),
        Rows::TopProducts(vec![ProductSales {
            product_id: product,
            name: "Espresso".to_owned(),
            orders: 5,
            units: 10,
            revenue: eur("129.00"),
        }]),
        Rows::CheckoutFunnel(vec![FunnelDay {
            day,
            carts_filled: 11,
            checkouts: 10,
            stock_reserved: 10,
            paid: 7,
            confirmed: 7,
            shipped: 0,
            delivered: 0,
        }]),
        // The carts of declined orders are back with their shoppers.
        Rows::AbandonedCarts(vec![AbandonedDay { day, carts: 4, value: eur("90.30") }]),
        Rows::SagaOutcomes(vec![
            outcome(Outcome::Cancelled, None, 2, 8),
            outcome(Outcome::Compensated, Some("PAYMENT_DECLINED"), 3, 4),
            outcome(Outcome::Confirmed, None, 5, 2),
        ]),
    ]
}

#[tokio::test]
async fn figures_come_from_events_alone() {
    let (world, product) = (World::new().await, ProductId::new());
    world.start();
    world.publish(&stories(product)).await;
    world.idle().await;
    assert_eq!(world.reports().await, expected(product));
    world.stop().await;
}

#[tokio::test]
async fn duplicates_and_disorder_change_nothing() {
    let (world, product) = (World::new().await, ProductId::new());
    let mut drafts = stories(product);
    drafts.extend(drafts.clone());
    drafts.sort_by_key(|draft| draft.envelope.event_id.uuid().as_u128().reverse_bits());
    let half = drafts.len() / 2;
    // One half waits before anybody consumes and comes as large batches, the other comes bit by bit.
    world.publish(&drafts[..half]).await;
    world.start();
    world.publish(&drafts[half..]).await;
    world.idle().await;
    assert_eq!(world.reports().await, expected(product));
    let archived: i64 =
        world.db.owner().await.query_one("SELECT count(*) FROM events_archive", &[]).await.unwrap().get(0);
    assert_eq!(usize::try_from(archived).unwrap() * 2, drafts.len());
    world.stop().await;
}

#[tokio::test]
async fn reports_can_be_built_again_from_the_archive_while_events_come() {
    let (world, product) = (World::new().await, ProductId::new());
    let drafts = stories(product);
    let half = drafts.len() / 2;
    world.start();
    world.publish(&drafts[..half]).await;
    world.idle().await;
    let owner = world.db.owner().await;
    owner.batch_execute("UPDATE reports SET count = 1000, amount = 0; DELETE FROM facts").await.unwrap();
    let (rebuilt, ()) = tokio::join!(world.analytics.rebuild(), world.publish(&drafts[half..]));
    assert!(rebuilt.unwrap() >= half);
    world.idle().await;
    assert_eq!(world.reports().await, expected(product));
    assert_eq!(world.analytics.rebuild().await.unwrap(), drafts.len());
    assert_eq!(world.reports().await, expected(product));
    world.stop().await;
}

#[tokio::test]
async fn what_cannot_be_read_is_parked_alone() {
    let (world, product) = (World::new().await, ProductId::new());
    let drafts = stories(product);
    let mut malformed = drafts[0].clone();
    malformed.envelope.payload = serde_json::value::to_raw_value(&["nonsense"]).unwrap();
    let mut unknown = drafts[1].clone();
    unknown.envelope.version = "99".to_owned();
    let owner = world.db.owner().await;
    for poison in [&malformed, &unknown] {
        let body = serde_json::to_string(&poison.envelope).unwrap();
        publish_to_postgres(&owner, poison.exchange.name(), poison.routing_key, &body).await;
    }
    world.publish(&drafts).await;
    world.start();
    world.idle().await;
    assert_eq!(world.dead().await, 2);
    assert_eq!(world.reports().await, expected(product));
    world.stop().await;
}

#[tokio::test]
async fn a_cart_is_abandoned_only_after_a_day() {
    let world = World::new().await;
    world.start();
    let mut fresh = Story::new(ProductId::new(), 1).filled();
    fresh.envelope.timestamp = chrono::Utc::now();
    world.publish(&[fresh]).await;
    world.idle().await;
    let query = analytics_client::ReportQuery::default();
    let admin = world.caller(service::Role::Admin);
    let report =
        analytics_client::AnalyticsApi::report(&*world.analytics, &admin, ReportName::AbandonedCarts, query).await;
    assert_eq!(report.unwrap().rows, Rows::AbandonedCarts(vec![]));
    world.stop().await;
}
