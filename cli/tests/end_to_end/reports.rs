//! Reports are what the services' own books say, and what the archive of events says in whatever order it is told.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use analytics::{Analytics, AnalyticsConfig};
use analytics_client::{AnalyticsApi, Http, Report, ReportName, ReportQuery, Rows};
use chrono::{DateTime, Days, NaiveDate, Utc};
use events::{CorrelationId, Envelope, UserId, topology};
use serde_json::{Value, json};
use service::{Caller, Claims, Role, TokenKeys};
use testkit::{TestDatabase, eventually, publish_to_postgres};
use tokio_postgres::{Client as Connection, NoTls};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::support::{Shop, Transport, oracle};

const SOON: Duration = Duration::from_secs(60);

/// What the console shows, as one row of texts beside [`BOOKS`].
const SHOWN: &str = "{ reports { salesPerDay { gross { amount } refunded { amount } } topProducts { units }
    checkoutFunnel { checkouts paid confirmed shipped } sagaOutcomes { outcome sagas } } }";

/// The same out of the services' own tables.
const BOOKS: &str = "SELECT
    (SELECT sum(captured)::numeric(19,2)::text FROM payments.payments),
    (SELECT sum(refunded)::numeric(19,2)::text FROM payments.payments),
    (SELECT sum(quantity)::text FROM orders.order_items WHERE order_id IN
        (SELECT id FROM orders.orders WHERE status IN ('CONFIRMED', 'SHIPPED', 'DELIVERED'))),
    (SELECT count(*)::text FROM orders.orders),
    (SELECT count(*)::text FROM payments.payments WHERE captured > 0),
    (SELECT count(*)::text FROM orders.orders WHERE status = 'SHIPPED'),
    (SELECT count(*)::text FROM orders.orders WHERE status = 'COMPENSATED'),
    (SELECT count(*)::text FROM orders.orders WHERE status = 'CANCELLED')";

/// Confirmed, declined, cancelled and shipped orders; returns a confirmed one.
async fn trade(shop: &Shop) -> String {
    let admin = shop.client().signed_in(Role::Admin);
    let shopper = shop.client().signed_in(Role::User);
    let (tea, pot) = (admin.create_product("Oolong", "4.20", 50).await, admin.create_product("Pot", "39.90", 50).await);
    let mut confirmed = Vec::new();
    for quantity in 1..=4 {
        let cart = shopper.cart_with(&tea, quantity).await;
        shopper.add(Some(&cart), &pot, 1).await;
        let order = shopper.checkout(&cart, "pm_card_visa").await;
        shopper.order_in(&order, &["CONFIRMED"], SOON).await;
        confirmed.push(order);
    }
    let cart = shopper.cart_with(&tea, 2).await;
    let declined = shopper.checkout(&cart, "pm_card_chargeDeclined").await;
    shopper.order_in(&declined, &["COMPENSATED"], SOON).await;
    let cancel = "mutation($input: CancelOrderInput!) { cancelOrder(input: $input) { order { status } } }";
    shopper.graphql(cancel, json!({"input": {"id": confirmed[0]}})).await;
    shopper.order_in(&confirmed[0], &["CANCELLED"], SOON).await;
    let ship = "mutation($input: ShipOrderInput!) { shipOrder(input: $input) { order { status } } }";
    admin.graphql(ship, json!({"input": {"id": confirmed[1]}})).await;
    confirmed.remove(2)
}

/// Gives a part of what was paid back.
async fn refund_some(shop: &Shop, order: &str) {
    let admin = shop.client().signed_in(Role::Admin);
    let payments = "query($id: ID!) { order(id: $id) { payments { id } } }";
    let data = admin.graphql(payments, json!({"id": order})).await;
    let refund = "mutation($input: RefundPaymentInput!) { refundPayment(input: $input) { userErrors { code } } }";
    let five = json!({"amount": "5.00", "currencyCode": "EUR"});
    let input = json!({"paymentId": data["order"]["payments"][0]["id"], "amount": five, "reason": "chipped"});
    let refunded = admin.graphql(refund, json!({"input": input})).await;
    assert_eq!(refunded["refundPayment"]["userErrors"], json!([]));
}

/// What the console shows, in the words of [`BOOKS`].
async fn shown(shop: &Shop) -> Result<Vec<String>, String> {
    let reports = shop.client().signed_in(Role::Admin).try_graphql(SHOWN, json!({})).await?["reports"].clone();
    let cents = |value: &Value| value["amount"].as_str().unwrap_or("0").replace('.', "").parse::<i64>().unwrap_or(-1);
    let days = reports["salesPerDay"].as_array().cloned().unwrap_or_default();
    let money = |field: &str| {
        let sum: i64 = days.iter().map(|day| cents(&day[field])).sum();
        format!("{}.{:02}", sum / 100, sum % 100)
    };
    let number = |value: &Value| value.as_i64().unwrap_or(-1);
    let units: i64 =
        reports["topProducts"].as_array().into_iter().flatten().map(|product| number(&product["units"])).sum();
    let outcomes = |outcome: &str| {
        let rows = reports["sagaOutcomes"].as_array().into_iter().flatten();
        rows.filter(|row| row["outcome"] == outcome).map(|row| number(&row["sagas"])).sum::<i64>().to_string()
    };
    let funnel = &reports["checkoutFunnel"];
    assert_eq!(funnel["paid"], funnel["confirmed"]);
    Ok(vec![
        money("gross"),
        money("refunded"),
        units.to_string(),
        number(&funnel["checkouts"]).to_string(),
        number(&funnel["paid"]).to_string(),
        number(&funnel["shipped"]).to_string(),
        outcomes("COMPENSATED"),
        outcomes("CANCELLED"),
    ])
}

async fn books(owner: &Connection) -> Result<Vec<String>, String> {
    let row = owner.query_one(BOOKS, &[]).await.map_err(|error| error.to_string())?;
    Ok((0..row.len()).map(|column| row.get::<_, Option<String>>(column).unwrap_or_default()).collect())
}

async fn all_reports(api: &dyn AnalyticsApi, admin: &Caller) -> Vec<Report> {
    let mut all = Vec::new();
    for name in ReportName::ALL {
        all.push(api.report(admin, name, ReportQuery::default()).await.expect("a report"));
    }
    all
}

/// The days of the services' own books, if every saga had happened so many days ($2) before: what each day brought,
/// and what each product brought on it.
const DAYS: &str = "WITH moved AS (SELECT * FROM unnest($1::uuid[], $2::int[]) AS moved (saga, days)),
    told AS (
        SELECT o.id, o.status, t.event, (t.at AT TIME ZONE 'UTC')::date - moved.days AS day
        FROM orders.orders o JOIN moved ON saga = saga_correlation_id JOIN orders.timeline t ON t.order_id = o.id),
    sales AS (
        SELECT day, 1 AS orders, captured AS gross, 0 AS refunds, 0 AS refunded, 0 AS cancelled
        FROM told JOIN payments.payments p ON p.order_id = told.id WHERE event = 'OrderConfirmed'
        UNION ALL
        SELECT day, 0, 0, 1, refunded, 0
        FROM told JOIN payments.payments p ON p.order_id = told.id WHERE event = 'PaymentRefunded'
        UNION ALL
        SELECT day, 0, 0, 0, 0, 1 FROM told WHERE event = 'OrderCancelled')
    SELECT concat_ws(' ', day, sum(orders), sum(gross)::numeric(19,2), sum(refunds), sum(refunded)::numeric(19,2),
                     sum(cancelled)) FROM sales GROUP BY day
    UNION ALL
    SELECT concat_ws(' ', day, product_id, count(*), sum(quantity), sum(quantity * price)::numeric(19,2))
    FROM told JOIN orders.order_items i ON i.order_id = told.id
    WHERE event = 'OrderConfirmed' AND told.status <> 'CANCELLED' GROUP BY day, product_id";

/// The same out of the reports of each of these days.
async fn shown_by_day(api: &dyn AnalyticsApi, admin: &Caller, days: &[NaiveDate]) -> Vec<String> {
    let mut lines = Vec::new();
    for day in days {
        let query = ReportQuery { from: Some(*day), to: Some(*day), limit: None };
        for name in [ReportName::SalesPerDay, ReportName::TopProducts] {
            match api.report(admin, name, query.clone()).await.expect("a report").rows {
                Rows::SalesPerDay(days) => lines.extend(days.into_iter().map(|it| {
                    let (gross, refunded) = (it.gross.amount(), it.refunded.amount());
                    format!("{} {} {gross} {} {refunded} {}", it.day, it.orders, it.refunds, it.cancelled)
                })),
                Rows::TopProducts(products) => {
                    lines.extend(products.into_iter().map(|it| {
                        format!("{day} {} {} {} {}", it.product_id, it.orders, it.units, it.revenue.amount())
                    }))
                }
                other => panic!("not asked for: {other:?}"),
            }
        }
    }
    lines.sort();
    lines
}

/// The archive as if each saga had happened some days before: one on its day, the next a day earlier, and so on.
fn moved_in_time(archived: &[String], days_of: &HashMap<Uuid, i32>) -> Vec<String> {
    let moved = |text: &String| {
        let mut envelope: Value = serde_json::from_str(text).expect("JSON");
        let saga: Uuid = envelope["correlation_id"].as_str().and_then(|id| id.parse().ok()).expect("a saga");
        let at: DateTime<Utc> = envelope["timestamp"].as_str().and_then(|at| at.parse().ok()).expect("a time");
        let days = days_of.get(&saga).copied().unwrap_or(0);
        envelope["timestamp"] = json!(at - Days::new(days.unsigned_abs().into()));
        envelope.to_string()
    };
    archived.iter().map(moved).collect()
}

/// Spread over three days, told twice and in disorder, the reports of each day and product are what the books say.
async fn each_day_is_as_in_the_books(owner: &Connection, archived: &[String], admin: &Caller) {
    let sagas = "SELECT saga_correlation_id FROM orders.orders ORDER BY id";
    let sagas: Vec<Uuid> = owner.query(sagas, &[]).await.expect("the sagas").iter().map(|row| row.get(0)).collect();
    let days: Vec<i32> = (0..3).cycle().take(sagas.len()).collect();
    let days_of = sagas.iter().copied().zip(days.iter().copied()).collect();
    let (analytics, _database) = told_again(&moved_in_time(archived, &days_of)).await;

    let mut books: Vec<String> =
        owner.query(DAYS, &[&sagas, &days]).await.expect("the books").iter().map(|row| row.get(0)).collect();
    books.sort();
    let mut of_days: Vec<NaiveDate> = books.iter().map(|line| line[..10].parse().expect("a day")).collect();
    of_days.dedup();
    assert!(of_days.len() >= 3 && books.len() >= 9, "there is something to compare: {books:#?}");
    assert_eq!(shown_by_day(&*analytics, admin, &of_days).await, books);
}

/// An analytics service that knows nothing is told everything, twice, in an order that has nothing to do with time.
async fn told_again(archived: &[String]) -> (Arc<Analytics>, TestDatabase) {
    let database = TestDatabase::new(&[analytics::migrations().expect("migrations")]).await;
    let analytics =
        Analytics::new(database.database(analytics::SERVICE, analytics::SCHEMA), AnalyticsConfig::default());
    let transport = database.transport(&database.database(analytics::SERVICE, analytics::SCHEMA));
    let owner = database.owner().await;
    let mut twice: Vec<&String> = archived.iter().chain(archived).collect();
    twice.sort_by_key(|text| text.bytes().rev().collect::<Vec<u8>>());
    for text in twice {
        let envelope = Envelope::parse(text.as_bytes()).expect("an envelope");
        let kind = topology::EVENTS.iter().find(|kind| kind.event_type == envelope.event_type).expect("known");
        publish_to_postgres(&owner, kind.exchange.name(), kind.routing_key, text).await;
    }
    let shutdown = CancellationToken::new();
    let consumers = analytics::consumers(&analytics).into_iter();
    let tasks: Vec<_> = consumers.map(|one| tokio::spawn(one.run(transport.clone(), shutdown.clone()))).collect();
    eventually(SOON, || async {
        let depths = transport.depths().await.map_err(|error| error.to_string())?;
        let waiting: i64 =
            depths.iter().filter(|depth| depth.service == "analytics").map(|depth| depth.ready + depth.delayed).sum();
        if waiting == 0 { Ok(()) } else { Err(format!("{waiting} messages wait")) }
    })
    .await;
    shutdown.cancel();
    for task in tasks {
        task.await.expect("a consumer ends in order");
    }
    (analytics, database)
}

#[tokio::test]
async fn reports_equal_the_books_after_a_replay_of_everything_and_after_a_rebuilding() {
    let shop = Shop::in_one_process(Transport::Postgres).await;
    let confirmed = trade(&shop).await;
    oracle::holds(&shop, 0, SOON).await;
    refund_some(&shop, &confirmed).await;
    let owner = shop.database.owner().await;
    eventually(SOON, || async {
        match oracle::count(&owner, "SELECT count(*) FROM payments.payments WHERE refunded = 5").await {
            1 => Ok(()),
            other => Err(format!("{other} payments are refunded in part")),
        }
    })
    .await;
    eventually(SOON, || async {
        match oracle::count(&owner, "SELECT count(*) FROM orders.timeline WHERE event = 'PaymentRefunded'").await {
            2 => Ok(()),
            other => Err(format!("orders heard of {other} refunds, of a cancelled order's and of this one")),
        }
    })
    .await;
    eventually(SOON, || async {
        let (shown, books) = (shown(&shop).await?, books(&owner).await?);
        if shown == books { Ok(()) } else { Err(format!("{shown:?} is shown, {books:?} are the books")) }
    })
    .await;
    assert_eq!(books(&owner).await.expect("the books")[6..], ["1", "1"], "there is something to compare");

    let keys = TokenKeys::new(shop.setting("JWT_SECRET"), None).expect("a secret");
    let token = keys.sign(&Claims::new(UserId::new(), "a@example.com", "a", Role::Admin)).expect("sign");
    let admin = Caller::anonymous(CorrelationId::new()).with_token(&keys, token.reveal()).expect("a valid token");
    let service = Http::new(&shop.url("analytics")).expect("a URL");
    let before = all_reports(&service, &admin).await;
    let (archive, connection) =
        tokio_postgres::connect(shop.setting("ANALYTICS_DATABASE_URL"), NoTls).await.expect("the archive");
    tokio::spawn(connection);
    let rows = archive.query("SELECT envelope::text FROM events_archive", &[]).await.expect("the archive");
    let archived: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let (told, _database) = told_again(&archived).await;
    assert_eq!(all_reports(&*told, &admin).await, before);
    each_day_is_as_in_the_books(&owner, &archived, &admin).await;

    archive.batch_execute("UPDATE reports SET count = count + 7; DELETE FROM facts").await.expect("spoil the figures");
    let rebuilt: Value = serde_json::from_str(&shop.run(&["analytics", "rebuild", "--json"])).expect("JSON");
    assert_eq!(rebuilt, json!({"events": archived.len(), "rebuilt": true}));
    assert_eq!(all_reports(&service, &admin).await, before);
}
