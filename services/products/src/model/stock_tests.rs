use events::Currency;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn euros(cents: i64) -> Money {
    Money::from_minor(cents, Currency::EUR).unwrap()
}

fn product(n: u8) -> ProductId {
    ProductId(Uuid::from_u128(u128::from(n)))
}

fn order(n: u8) -> OrderId {
    OrderId(Uuid::from_u128(1000 + u128::from(n)))
}

fn cart(n: u8) -> CartId {
    CartId(Uuid::from_u128(2000 + u128::from(n)))
}

fn shelf(stock: &[i32]) -> Shelf {
    let on_shelf = |available: &i32| OnShelf {
        name: "Tea".to_owned(),
        price: euros(500),
        available: *available,
        is_deleted: false,
    };
    let ids = (0..).map(product);
    Shelf { products: ids.zip(stock.iter().map(on_shelf)).collect(), hold_until: DateTime::default() }
}

fn line(n: u8, quantity: u32, cents: i64) -> OrderLine {
    OrderLine { product_id: product(n), name: "Tea".to_owned(), quantity, unit_price: euros(cents) }
}

fn place(n: u8, lines: Vec<OrderLine>) -> Request {
    let reservation_id = ReservationId(Uuid::from_u128(3000 + u128::from(n)));
    Request::Place(Placement { order_id: order(n), cart_id: cart(n), lines, reservation_id })
}

fn release(n: u8) -> Request {
    Request::Release(order(n), cart(n))
}

fn refusals(answer: Option<Answer>) -> Vec<(ProductId, StockRefusal)> {
    match answer {
        Some(Answer::Failed(failed)) => failed.lines.iter().map(|line| (line.product_id, line.refusal)).collect(),
        other => panic!("not refused: {other:?}"),
    }
}

fn available(ledger: &Ledger) -> Vec<i32> {
    ledger.shelf.products.values().map(|product| product.available).collect()
}

#[test]
fn all_lines_or_none() {
    let mut ledger = Ledger::new(shelf(&[5, 1]), BTreeMap::new());
    let answer = ledger.apply(place(1, vec![line(0, 2, 500), line(1, 2, 500)])).unwrap();
    assert_eq!(refusals(answer), [(product(1), StockRefusal::OutOfStock)]);
    assert_eq!(available(&ledger), [5, 1]);
}

#[test]
fn lines_of_one_product_add_up() {
    let mut ledger = Ledger::new(shelf(&[5]), BTreeMap::new());
    let answer = ledger.apply(place(1, vec![line(0, 3, 500), line(0, 3, 500)])).unwrap();
    assert_eq!(refusals(answer), [(product(0), StockRefusal::OutOfStock)]);
    let answer = ledger.apply(place(2, vec![line(0, 3, 500), line(0, 2, 500)])).unwrap();
    let Some(Answer::Reserved(reserved)) = answer else { panic!("{answer:?}") };
    assert_eq!(reserved.lines, [StockLine { product_id: product(0), quantity: 5 }]);
    assert_eq!(available(&ledger), [0]);
}

#[test]
fn quantities_beyond_every_number_are_out_of_stock() {
    let mut ledger = Ledger::new(shelf(&[i32::MAX]), BTreeMap::new());
    let lines = vec![line(0, u32::MAX, 500), line(0, u32::MAX, 500)];
    assert_eq!(refusals(ledger.apply(place(1, lines)).unwrap()), [(product(0), StockRefusal::OutOfStock)]);
}

#[test]
fn each_reason_is_told() {
    let mut shelf = shelf(&[5, 5, 0]);
    shelf.products.get_mut(&product(1)).unwrap().is_deleted = true;
    let mut ledger = Ledger::new(shelf, BTreeMap::new());
    let lines = vec![line(0, 1, 499), line(1, 1, 500), line(2, 1, 500), line(9, 1, 500)];
    let expected = [
        (product(0), StockRefusal::PriceChanged),
        (product(1), StockRefusal::ProductUnavailable),
        (product(2), StockRefusal::OutOfStock),
        (product(9), StockRefusal::ProductUnavailable),
    ];
    assert_eq!(refusals(ledger.apply(place(1, lines)).unwrap()), expected);
}

#[test]
fn first_come_first_served() {
    let mut ledger = Ledger::new(shelf(&[3]), BTreeMap::new());
    let granted: Vec<bool> = [2, 2, 1]
        .into_iter()
        .zip(1..)
        .map(|(quantity, n)| ledger.apply(place(n, vec![line(0, quantity, 500)])).unwrap())
        .map(|answer| matches!(answer, Some(Answer::Reserved(_))))
        .collect();
    assert_eq!(granted, [true, false, true]);
}

#[test]
fn a_release_that_comes_first_is_a_tombstone() {
    let mut ledger = Ledger::new(shelf(&[3]), BTreeMap::new());
    let expected = Answer::Released(StockReleased { order_id: order(1), reservation_id: None, lines: Vec::new() });
    assert_eq!(ledger.apply(release(1)).unwrap(), Some(expected));
    assert_eq!(ledger.apply(place(1, vec![line(0, 1, 500)])).unwrap(), None);
    assert_eq!(available(&ledger), [3]);
    assert_eq!(ledger.changes().moves, []);
}

#[test]
fn a_sale_can_be_taken_back() {
    let mut ledger = Ledger::new(shelf(&[3]), BTreeMap::new());
    ledger.apply(place(1, vec![line(0, 2, 500)])).unwrap();
    assert_eq!(ledger.apply(Request::Commit(order(1))).unwrap(), None);
    let first = ledger.apply(release(1)).unwrap();
    assert_eq!(available(&ledger), [3]);
    let again = ledger.apply(release(1)).unwrap();
    assert_eq!(first, again, "asked again, answered again");
    assert_eq!(ledger.apply(Request::Commit(order(1))).unwrap(), None, "too late, and no harm");
    assert_eq!(available(&ledger), [3]);
}

#[test]
fn a_confirmation_without_a_hold_is_illegal() {
    let mut ledger = Ledger::new(shelf(&[0]), BTreeMap::new());
    assert_eq!(ledger.apply(Request::Commit(order(1))), Err(Illegal::NeverHeld(order(1))));
    ledger.apply(place(2, vec![line(0, 1, 500)])).unwrap();
    assert_eq!(ledger.apply(Request::Commit(order(2))), Err(Illegal::NeverHeld(order(2))));
}

#[test]
fn an_order_for_nothing_is_illegal() {
    let mut ledger = Ledger::new(shelf(&[1]), BTreeMap::new());
    for lines in [vec![], vec![line(0, 1, 500), line(0, 0, 500)]] {
        assert_eq!(ledger.apply(place(1, lines)), Err(Illegal::AsksForNothing(order(1))));
    }
    assert!(ledger.changes().is_empty());
}

#[derive(Debug, Clone)]
enum Step {
    Place(u8, Vec<(u8, u32, bool)>),
    Commit(u8),
    Release(u8),
}

/// Few orders and products, so that steps meet; products 0 to 2 exist, 3 does not.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let wanted = (0..4u8, 1..6u32, prop::bool::weighted(0.9));
    let step = prop_oneof![
        3 => (0..8u8, prop::collection::vec(wanted, 1..4)).prop_map(|(n, lines)| Step::Place(n, lines)),
        1 => (0..8u8).prop_map(Step::Commit),
        1 => (0..8u8).prop_map(Step::Release),
    ];
    prop::collection::vec(step, 0..40)
}

fn request(step: &Step) -> Request {
    match step {
        Step::Place(n, lines) => {
            let price = |is_current: bool| if is_current { 500 } else { 499 };
            place(*n, lines.iter().map(|(p, q, is_current)| line(*p, *q, price(*is_current))).collect())
        }
        Step::Commit(n) => Request::Commit(order(*n)),
        Step::Release(n) => release(*n),
    }
}

/// Available, held and sold units of a product, counted from the books alone.
fn count(ledger: &Ledger, id: ProductId) -> (i64, i64, i64) {
    let of = |hold: &Hold| -> i64 {
        hold.lines.iter().filter(|line| line.product_id == id).map(|line| i64::from(line.quantity)).sum()
    };
    let (mut held, mut sold) = (0, 0);
    for order in ledger.orders.values() {
        match &order.standing {
            Standing::Held(hold) => held += of(hold),
            Standing::Committed(hold) => sold += of(hold),
            Standing::Refused(_) | Standing::Released(_) => {}
        }
    }
    (i64::from(ledger.shelf.products[&id].available), held, sold)
}

/// Writes the changes into `rows` as the database would, and opens the books anew.
fn reopen(ledger: Ledger, rows: &mut (Shelf, BTreeMap<OrderId, OrderStock>)) -> Ledger {
    let (shelf, orders) = (ledger.shelf.clone(), ledger.orders.clone());
    let changes = ledger.changes();
    for (id, units) in changes.moves {
        rows.0.products.get_mut(&id).unwrap().available += units;
    }
    for (id, order) in changes.new_orders {
        assert_eq!(rows.1.insert(id, order), None, "new");
    }
    for (id, order) in changes.changed_orders {
        assert!(rows.1.insert(id, order).is_some(), "known");
    }
    assert_eq!(*rows, (shelf, orders), "the changes tell the whole story");
    Ledger::new(rows.0.clone(), rows.1.clone())
}

proptest! {
    #[test]
    fn units_are_neither_made_nor_lost(stock in prop::collection::vec(0..12i32, 3), steps in steps()) {
        let mut ledger = Ledger::new(shelf(&stock), BTreeMap::new());
        for step in &steps {
            let before = ledger.clone();
            if ledger.apply(request(step)).is_err() {
                prop_assert_eq!(available(&before), available(&ledger));
                prop_assert_eq!(before.orders, ledger.orders.clone());
            }
            for (n, received) in stock.iter().enumerate() {
                let (available, held, sold) = count(&ledger, product(n as u8));
                prop_assert!(available >= 0, "oversold by {step:?}");
                prop_assert_eq!(available + held + sold, i64::from(*received), "{:?}", step);
            }
        }
    }

    #[test]
    fn nobody_is_refused_what_is_there(stock in prop::collection::vec(0..12i32, 3), steps in steps()) {
        let mut ledger = Ledger::new(shelf(&stock), BTreeMap::new());
        for step in &steps {
            let before = ledger.clone();
            let answer = ledger.apply(request(step));
            let (Step::Place(n, lines), Ok(Some(Answer::Failed(_)))) = (step, &answer) else { continue };
            if before.orders.contains_key(&order(*n)) { continue }
            let fits = |(p, _, is_current): &(u8, u32, bool)| {
                let wanted: i64 = lines.iter().filter(|other| other.0 == *p).map(|other| i64::from(other.1)).sum();
                *is_current && before.shelf.products.get(&product(*p)).is_some_and(|shelved| i64::from(shelved.available) >= wanted)
            };
            prop_assert!(!lines.iter().all(fits), "{lines:?} was there");
        }
    }

    #[test]
    fn a_batch_means_what_its_requests_mean(
        stock in prop::collection::vec(0..12i32, 3), steps in steps(), cut in 1..6usize,
    ) {
        let mut at_once = Ledger::new(shelf(&stock), BTreeMap::new());
        let mut in_parts = at_once.clone();
        let mut rows = (shelf(&stock), BTreeMap::new());
        for (n, step) in steps.iter().enumerate() {
            prop_assert_eq!(at_once.apply(request(step)), in_parts.apply(request(step)));
            if n % cut == 0 {
                in_parts = reopen(in_parts, &mut rows);
            }
        }
        prop_assert_eq!(at_once.shelf, in_parts.shelf);
        prop_assert_eq!(at_once.orders, in_parts.orders);
    }

    #[test]
    fn asked_again_is_answered_again_and_changes_nothing(
        stock in prop::collection::vec(0..12i32, 3), steps in steps(),
    ) {
        let mut ledger = Ledger::new(shelf(&stock), BTreeMap::new());
        for step in &steps {
            let Ok(first) = ledger.apply(request(step)) else { continue };
            let before = ledger.clone();
            prop_assert_eq!(ledger.apply(request(step)), Ok(first));
            prop_assert_eq!(before.shelf, ledger.shelf.clone());
            prop_assert_eq!(before.orders, ledger.orders.clone());
        }
    }
}
