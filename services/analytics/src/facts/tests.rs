use events::{Currency, ProductId};
use proptest::prelude::*;
use proptest::sample::{Index, subsequence};

use super::*;

fn at(minute: i64) -> DateTime<Utc> {
    "2026-03-31T22:00:00Z".parse::<DateTime<Utc>>().unwrap() + chrono::Duration::minutes(minute)
}

fn eur(minor: i64) -> Money {
    Money::from_minor(minor, Currency::EUR).unwrap()
}

fn sale(minor: i64) -> Sale {
    let line = OrderLine {
        product_id: ProductId(uuid::Uuid::nil()),
        name: "Espresso".to_owned(),
        quantity: 2,
        unit_price: eur(minor / 2),
    };
    Sale { at: at(3), total: eur(minor), lines: vec![line] }
}

fn refund(version: i64, minute: i64, minor: i64) -> OrderChange {
    OrderChange::Refunded { version, refund: Refund { at: at(minute), amount: eur(minor) } }
}

fn known<F: Facts>(changes: impl IntoIterator<Item = F::Change>) -> F {
    let mut facts = F::default();
    changes.into_iter().for_each(|change| facts.merge(change));
    facts
}

/// Report, dimension, count, quantity and minor units.
fn rows(tally: &Tally) -> Vec<(&'static str, &str, i64, i64, String)> {
    tally
        .rows()
        .map(|(key, of)| {
            (key.report.as_str(), &*key.dimension, of.count, of.quantity, of.amount.normalize().to_string())
        })
        .collect()
}

fn of(report: ReportName, tally: &Tally) -> Vec<(&str, i64, i64, String)> {
    rows(tally)
        .into_iter()
        .filter(|row| row.0 == report.as_str())
        .map(|(_, dimension, count, quantity, amount)| (dimension, count, quantity, amount))
        .collect()
}

/// A life of an order, as it may be told.
fn life() -> Vec<OrderChange> {
    vec![
        OrderChange::CheckoutStarted(at(0)),
        OrderChange::StockReserved(at(1)),
        OrderChange::Paid(at(2)),
        OrderChange::Confirmed(sale(2000)),
        OrderChange::Failed { code: "PAYMENT_DECLINED".into() },
        OrderChange::RolledBack(at(5)),
        OrderChange::Cancelled(at(130)),
        OrderChange::Shipped(at(60)),
        OrderChange::Delivered(at(120)),
        refund(3, 90, 500),
        refund(4, 125, 1500),
        refund(4, 126, 2000),
        refund(5, 127, 2000),
    ]
}

fn cart_life() -> Vec<CartChange> {
    let filled = |version, minute, minor| CartChange::Filled {
        version,
        addition: Addition { at: at(minute), value: eur(minor) },
    };
    vec![
        filled(1, 0, 100),
        filled(2, 1, 250),
        CartChange::Cleared { version: 3 },
        filled(4, 110, 300),
        filled(5, 125, 700),
        CartChange::CheckedOut { version: 6 },
        CartChange::Reopened { version: 7, at: at(140) },
        CartChange::CheckedOut { version: 8 },
    ]
}

/// Some of these, in some order, some of them again.
fn told<C: Clone + std::fmt::Debug + 'static>(life: Vec<C>) -> impl Strategy<Value = (Vec<C>, Vec<C>)> {
    let length = life.len();
    subsequence(life, 0..=length).prop_flat_map(|some| {
        let again = proptest::collection::vec(any::<Index>(), 0..4);
        (Just(some.clone()), again).prop_flat_map(move |(some, again)| {
            let mut all = some.clone();
            if !some.is_empty() {
                all.extend(again.iter().map(|index| some[index.index(some.len())].clone()));
            }
            (Just(some), Just(all).prop_shuffle())
        })
    })
}

/// What the table holds after these changes came in batches of these sizes.
fn table<F: Facts>(changes: Vec<F::Change>, sizes: &[usize]) -> Tally {
    let (mut table, mut state, mut changes) = (Tally::default(), None, changes.into_iter());
    for size in sizes.iter().copied().chain([usize::MAX]) {
        let mut batch = Tally::default();
        let next = merge::<F>(state.as_deref(), changes.by_ref().take(size).collect(), &mut batch).unwrap();
        state = next.or(state);
        table.replace(Tally::default(), batch);
    }
    table
}

proptest! {
    #[test]
    fn figures_of_orders_are_the_same_however_the_events_came(
        (straight, shuffled) in told(life()), sizes in proptest::collection::vec(1_usize..4, 0..8)
    ) {
        let (straight, shuffled) = (table::<OrderFacts>(straight, &[]), table::<OrderFacts>(shuffled, &sizes));
        prop_assert_eq!(rows(&straight), rows(&shuffled));
    }

    #[test]
    fn figures_of_carts_are_the_same_however_the_events_came(
        (straight, shuffled) in told(cart_life()), sizes in proptest::collection::vec(1_usize..4, 0..8)
    ) {
        let (straight, shuffled) = (table::<CartFacts>(straight, &[]), table::<CartFacts>(shuffled, &sizes));
        prop_assert_eq!(rows(&straight), rows(&shuffled));
    }
}

#[test]
fn a_confirmed_order_is_a_sale() {
    let tally = known::<OrderFacts>(life().into_iter().take(4)).figures();
    assert_eq!(of(ReportName::SalesPerDay, &tally), [(GROSS, 1, 0, "20".to_owned())]);
    let product = uuid::Uuid::nil().to_string();
    assert_eq!(of(ReportName::TopProducts, &tally), [(product.as_str(), 1, 2, "20".to_owned())]);
    assert_eq!(of(ReportName::SagaOutcomes, &tally), [(r#"["CONFIRMED",null]"#, 1, 180_000, "0".to_owned())]);
}

#[test]
fn an_order_that_was_never_confirmed_sold_nothing_even_if_money_went_to_and_fro() {
    let changes = [OrderChange::CheckoutStarted(at(0)), OrderChange::Paid(at(2)), refund(2, 3, 2000)];
    let tally = known::<OrderFacts>(changes).figures();
    assert_eq!(of(ReportName::SalesPerDay, &tally), []);
    assert_eq!(of(ReportName::CheckoutFunnel, &tally).len(), 2);
}

#[test]
fn refunds_count_once_and_never_more_than_was_paid() {
    let refunded = |refunds: Vec<OrderChange>| {
        let tally = known::<OrderFacts>([OrderChange::Confirmed(sale(2000))].into_iter().chain(refunds)).figures();
        let rows = of(ReportName::SalesPerDay, &tally);
        let sum: Decimal =
            rows.iter().filter(|row| row.0 == REFUNDED).map(|row| row.3.parse::<Decimal>().unwrap()).sum();
        (rows.iter().filter(|row| row.0 == REFUNDED).map(|row| row.1).sum::<i64>(), sum.to_string())
    };
    assert_eq!(refunded(vec![refund(2, 4, 500)]), (1, "5".to_owned()));
    assert_eq!(refunded(vec![refund(2, 4, 500), refund(3, 5, 500)]), (2, "10".to_owned()));
    assert_eq!(refunded(vec![refund(2, 4, 2000), refund(2, 5, 2000)]), (1, "20".to_owned()), "told twice");
    let repeated_as_a_whole = vec![refund(2, 4, 500), refund(3, 5, 1500), refund(3, 6, 2000), refund(4, 7, 2000)];
    assert_eq!(refunded(repeated_as_a_whole), (2, "20".to_owned()));
}

#[test]
fn a_cancelled_order_is_no_product_sale() {
    let changes = [OrderChange::Confirmed(sale(2000)), OrderChange::Cancelled(at(130))];
    let tally = known::<OrderFacts>(changes).figures();
    assert_eq!(of(ReportName::TopProducts, &tally), []);
    assert_eq!(of(ReportName::SagaOutcomes, &tally)[0].0, r#"["CANCELLED",null]"#);
    let days: Vec<_> =
        tally.rows().filter(|(key, _)| key.report == ReportName::SalesPerDay).map(|(k, _)| k.day).collect();
    assert_ne!(days[0], days[1], "the sale stands on its day, the cancellation on its own");
}

#[test]
fn a_failed_order_tells_why() {
    let changes = [OrderChange::Failed { code: "OUT_OF_STOCK".into() }, OrderChange::RolledBack(at(5))];
    let tally = known::<OrderFacts>(changes).figures();
    let dimension = of(ReportName::SagaOutcomes, &tally)[0].0.to_owned();
    assert_eq!(outcome_of(&dimension).unwrap(), (Outcome::Compensated, Some("OUT_OF_STOCK".to_owned())));
}

#[test]
fn a_cart_is_left_until_it_is_cleared_or_checks_out() {
    let left = |count: usize| {
        let tally = known::<CartFacts>(cart_life().into_iter().take(count)).figures();
        of(ReportName::AbandonedCarts, &tally).first().map(|row| row.3.clone())
    };
    let left: Vec<_> = (0..=8).map(left).collect();
    let left: Vec<_> = left.iter().map(|value| value.as_deref().unwrap_or("-")).collect();
    assert_eq!(left, ["-", "1", "3.5", "-", "3", "10", "-", "10", "-"]);
}

#[test]
fn a_cart_filled_without_end_stays_small_and_keeps_its_sum() {
    let filled = |version| CartChange::Filled { version, addition: Addition { at: at(version), value: eur(100) } };
    let facts = known::<CartFacts>((1..=1000).map(filled));
    assert!(serde_json::to_string(&facts).unwrap().len() < 20_000);
    assert_eq!(of(ReportName::AbandonedCarts, &facts.figures())[0].3, "1000");
    let cleared = known::<CartFacts>((1..=1000).map(filled).chain([CartChange::Cleared { version: 1001 }]));
    assert_eq!(of(ReportName::AbandonedCarts, &cleared.figures()), []);
}
