use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

fn product(number: u8, minor: i64) -> ProductCopy {
    ProductCopy {
        id: ProductId(Uuid::from_u128(u128::from(number))),
        name: format!("Tea {number}"),
        sku: format!("T-{number}"),
        price: Money::from_minor(minor, Currency::EUR).unwrap(),
        image_url: None,
        version: 1,
        deleted: false,
    }
}

fn cart_of(lines: &[(u8, i64, i32)]) -> StoredCart {
    let mut cart = StoredCart::new(CartId::new(), None, Currency::EUR);
    for (number, minor, quantity) in lines {
        cart.add(&product(*number, *minor), *quantity).unwrap();
    }
    cart
}

fn check_sums(cart: &Cart) {
    let mut total = 0;
    for item in &cart.items {
        assert!((1..=MAX_QUANTITY).contains(&item.quantity), "{item:?}");
        assert_eq!(item.line_total.minor(), item.unit_price.minor() * i64::from(item.quantity));
        total += item.line_total.minor();
    }
    assert_eq!(cart.total.minor(), total);
    assert_eq!(cart.item_count, cart.items.iter().map(|item| i64::from(item.quantity)).sum::<i64>());
    let products: HashSet<ProductId> = cart.items.iter().map(|item| item.product_id).collect();
    assert_eq!(products.len(), cart.items.len(), "one line per product");
}

#[derive(Debug, Clone)]
enum Step {
    Add(u8, i64, i32),
    Set(usize, i32),
    Remove(usize),
    Clear,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..8_u8, 0..100_000_i64, 1..=MAX_QUANTITY).prop_map(|(product, minor, quantity)| Step::Add(product, minor, quantity)),
        3 => (0..8_usize, 1..=MAX_QUANTITY).prop_map(|(line, quantity)| Step::Set(line, quantity)),
        2 => (0..8_usize).prop_map(Step::Remove),
        1 => Just(Step::Clear),
    ]
}

proptest! {
    #[test]
    fn sums_are_right_after_whatever_is_done(steps in prop::collection::vec(step(), 0..40)) {
        let mut cart = cart_of(&[]);
        for step in steps {
            let mut next = cart.clone();
            let line = |index: usize| next.cart.items.get(index).map_or(CartItemId(Uuid::nil()), |item| item.id);
            let done = match step {
                Step::Add(number, minor, quantity) => next.add(&product(number, minor), quantity).map(drop),
                Step::Set(index, quantity) => { let id = line(index); next.set_quantity(id, quantity).map(drop) }
                Step::Remove(index) => { let id = line(index); next.remove(id) }
                Step::Clear => next.clear(),
            };
            // A refused change is never stored.
            if done.is_ok() {
                cart = next;
            }
            check_sums(&cart.cart);
        }
    }

    #[test]
    fn merging_loses_nothing_that_fits(
        one in prop::collection::btree_map(0..12_u8, (0..10_000_i64, 1..=MAX_QUANTITY), 0..12),
        other in prop::collection::btree_map(0..12_u8, (0..10_000_i64, 1..=MAX_QUANTITY), 0..12),
    ) {
        let lines = |map: &std::collections::BTreeMap<u8, (i64, i32)>| {
            cart_of(&map.iter().map(|(number, (minor, quantity))| (*number, *minor, *quantity)).collect::<Vec<_>>())
        };
        let merged = lines(&one).merged_with(&lines(&other)).unwrap().expect("one currency, few lines");
        check_sums(&merged.cart);
        for number in 0..12 {
            let wanted = [&one, &other].iter().filter_map(|map| map.get(&number)).map(|line| line.1).sum::<i32>();
            let id = product(number, 0).id;
            let found = merged.cart.items.iter().find(|item| item.product_id == id).map_or(0, |item| item.quantity);
            prop_assert_eq!(found, wanted.min(MAX_QUANTITY));
        }
    }
}

#[test]
fn carts_that_do_not_fit_together_are_not_merged() {
    let many = |from: u8, to: u8| cart_of(&(from..to).map(|number| (number, 100, 1)).collect::<Vec<_>>());
    assert!(many(0, 60).merged_with(&many(60, 100)).unwrap().is_some());
    assert_eq!(many(0, 60).merged_with(&many(60, 101)).unwrap(), None);
    let mut yen = StoredCart::new(CartId::new(), None, Currency::EUR);
    let price = Money::parse("500", "JPY".parse().unwrap()).unwrap();
    yen.add(&ProductCopy { price, ..product(1, 1) }, 1).unwrap();
    assert_eq!(many(0, 2).merged_with(&yen).unwrap(), None);
    assert_eq!(many(0, 0).merged_with(&yen).unwrap().map(|merged| merged.cart.total), Some(price));
}

#[test]
fn adding_more_shows_the_present_price() {
    let mut cart = cart_of(&[(1, 500, 2)]);
    let item = cart.add(&product(1, 600), 1).unwrap();
    assert_eq!((item.quantity, item.unit_price.minor(), cart.cart.total.minor()), (3, 600, 1800));
    let changed = cart.set_quantity(item.id, 1).unwrap();
    assert_eq!(changed.unit_price.minor(), 600, "a new quantity does not change the price");
}

#[test]
fn a_total_beyond_what_money_can_be_is_refused() {
    let mut cart = cart_of(&[]);
    let refused = cart.add(&product(1, Money::MAX_MINOR), 2).unwrap_err();
    assert_eq!(refused.code, "total_too_large");
}

#[test]
fn each_state_has_its_answer_to_a_checkout() {
    let user = UserId::new();
    let order = OrderId::new();
    let of = |status, order_id, user_id| {
        let mut cart = cart_of(&[(1, 100, 1)]);
        (cart.cart.status, cart.order_id, cart.cart.user_id) = (status, order_id, user_id);
        cart
    };
    let code = |cart: StoredCart| cart.checkout(user).unwrap_err().code.into_owned();
    for owner in [None, Some(user)] {
        assert_eq!(of(CartStatus::Active, None, owner).checkout(user).unwrap(), Checkout::Begin);
        assert_eq!(of(CartStatus::Abandoned, None, owner).checkout(user).unwrap(), Checkout::Begin);
    }
    let begun = of(CartStatus::CheckingOut, Some(order), Some(user));
    assert_eq!(begun.checkout(user).unwrap(), Checkout::Begun(order));
    assert_eq!(code(of(CartStatus::Ordered, Some(order), Some(user))), "cart_already_ordered");
    let empty = StoredCart::new(CartId::new(), Some(user), Currency::EUR);
    assert_eq!(code(empty), "cart_empty");
    for status in CartStatus::ALL {
        assert_eq!(code(of(status, Some(order), Some(UserId::new()))), "cart_not_found");
    }
}

#[test]
fn only_the_order_that_a_cart_is_becoming_can_change_it() {
    let (current, earlier) = (OrderId::new(), OrderId::new());
    for status in CartStatus::ALL {
        for order_id in [Some(current), Some(earlier), None] {
            let cart = Standing { cart_id: CartId::new(), status, order_id, version: 4 };
            let acts = status == CartStatus::CheckingOut && order_id == Some(current);

            let mut confirmed = cart.clone();
            assert_eq!(confirmed.confirm(current), acts);
            let ordered = Standing { status: CartStatus::Ordered, version: 5, ..cart.clone() };
            assert_eq!(confirmed, if acts { ordered } else { cart.clone() });

            let mut reopened = cart.clone();
            assert_eq!(reopened.reopen(current), acts);
            let active = Standing { status: CartStatus::Active, order_id: None, version: 5, ..cart.clone() };
            assert_eq!(reopened, if acts { active } else { cart });
        }
    }
}

#[test]
fn the_address_is_stored_tidily() {
    let address = Address {
        full_name: " Ada ".to_owned(),
        line1: "Street 1".to_owned(),
        line2: Some("  ".to_owned()),
        city: "London".to_owned(),
        postal_code: " N1 ".to_owned(),
        country_code: "gb".to_owned(),
        phone: Some(" 123 ".to_owned()),
    };
    let tidied = tidy(address);
    assert_eq!((tidied.full_name.as_str(), tidied.line2, tidied.postal_code.as_str()), ("Ada", None, "N1"));
    assert_eq!((tidied.country_code.as_str(), tidied.phone.as_deref()), ("GB", Some("123")));
}
