//! Figures are exact however the events came.

use analytics::{Next, Rebuilt};
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

/// Rebuilds the reports; returns how many events were read.
async fn rebuild(world: &World) -> usize {
    let mut last = None;
    let go_on = |state| {
        last = Some(state);
        Next::Go
    };
    assert_eq!(world.analytics.rebuild("shell:test".into(), go_on).await.unwrap(), Rebuilt::Shown);
    let last = last.unwrap();
    assert_eq!((last.running, last.actor.as_deref()), (true, Some("shell:test")));
    usize::try_from(last.events_read).unwrap()
}

#[tokio::test]
async fn a_rebuilding_that_is_stopped_leaves_what_was_shown_and_nothing_else() {
    let (world, product) = (World::new().await, ProductId::new());
    let drafts = stories(product);
    let half = drafts.len() / 2;
    world.start();
    world.publish(&drafts[..half]).await;
    world.idle().await;
    let before = world.reports().await;
    for calls in [1, 2] {
        let mut told = 0;
        let stop = |_| {
            told += 1;
            if told == calls { Next::Stop } else { Next::Go }
        };
        assert_eq!(world.analytics.rebuild("shell:test".into(), stop).await.unwrap(), Rebuilt::GivenUp);
        assert_eq!(world.reports().await, before);
    }
    // One that died on the way is given up for the next one.
    let owner = world.db.owner().await;
    owner.batch_execute("UPDATE generations SET building = shown + 1").await.unwrap();
    world.publish(&drafts[half..]).await;
    world.idle().await;
    assert_eq!(world.reports().await, expected(product));
    assert_eq!(rebuild(&world).await, drafts.len());
    assert_eq!(world.reports().await, expected(product));
    for table in ["facts", "reports"] {
        let sql = format!("SELECT count(DISTINCT generation) FROM {table}");
        assert_eq!(owner.query_one(&sql, &[]).await.unwrap().get::<_, i64>(0), 1, "{table}");
    }
    let acts = "SELECT count(*) FROM operator_acts WHERE action = 'reports.rebuild' AND actor = 'shell:test'";
    assert_eq!(owner.query_one(acts, &[]).await.unwrap().get::<_, i64>(0), 3);
    world.stop().await;
}

#[tokio::test]
async fn all_that_was_archived_told_again_in_disorder_and_twice_makes_the_same_reports() {
    let (world, product) = (World::new().await, ProductId::new());
    world.start();
    world.publish(&stories(product)).await;
    world.idle().await;
    let rows = world.db.owner().await.query("SELECT envelope::text FROM events_archive", &[]).await.unwrap();
    let archived: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let empty = World::new().await;
    empty.start();
    empty.replay(&archived).await;
    empty.idle().await;
    assert_eq!(empty.reports().await, world.reports().await);
    assert_eq!(empty.reports().await, expected(product));
    world.stop().await;
    empty.stop().await;
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
    let (read, ()) = tokio::join!(rebuild(&world), world.publish(&drafts[half..]));
    assert!(read >= half);
    world.idle().await;
    assert_eq!(world.reports().await, expected(product));
    assert_eq!(rebuild(&world).await, drafts.len());
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
