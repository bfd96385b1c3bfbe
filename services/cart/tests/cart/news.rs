//! What becomes of a cart and its mirror of holds when events arrive: twice, late, and out of order.

use cart_client::{Cart, CartApi, CartStatus};
use chrono::{Duration, Utc};
use events::{
    CartCheckoutInitiated, CartReopened, CorrelationId, Draft, OrderConfirmed, OrderId, OrderStatus, ProductId,
    ProductUpdated, ReopenRequested, ReservationId, StockLine, StockReleased, StockReserved,
};
use service::Caller;

use crate::support::{SOON, Shop, checkout, eur, refusal};

async fn begun(shop: &Shop, caller: &Caller) -> (Cart, CartCheckoutInitiated) {
    let product = shop.product("10.00").await;
    let cart = shop.cart_with(caller, product, 2).await;
    let begun = shop.carts.checkout(caller, cart.id, checkout()).await.expect("begun");
    (cart, begun)
}

fn confirmed(of: &CartCheckoutInitiated) -> OrderConfirmed {
    OrderConfirmed {
        order_id: of.order_id,
        user_id: of.user_id,
        cart_id: of.cart_id,
        statuses: vec![OrderStatus::Confirmed],
        lines: of.lines.clone(),
        total: of.total,
    }
}

fn reopen(of: &CartCheckoutInitiated) -> ReopenRequested {
    ReopenRequested { order_id: of.order_id, user_id: of.user_id, cart_id: of.cart_id, statuses: vec![] }
}

fn reserved(of: &CartCheckoutInitiated, reservation_id: ReservationId) -> StockReserved {
    StockReserved {
        order_id: of.order_id,
        cart_id: of.cart_id,
        reservation_id,
        lines: stock_lines(of),
        expires_at: Utc::now() + Duration::hours(1),
    }
}

fn released(of: &CartCheckoutInitiated, reservation_id: ReservationId) -> StockReleased {
    StockReleased { order_id: of.order_id, reservation_id: Some(reservation_id), lines: stock_lines(of) }
}

fn stock_lines(of: &CartCheckoutInitiated) -> Vec<StockLine> {
    of.lines.iter().map(|line| StockLine { product_id: line.product_id, quantity: line.quantity }).collect()
}

fn repriced(product_id: ProductId, price: &str) -> ProductUpdated {
    ProductUpdated {
        product_id,
        sku: "S".to_owned(),
        name: "Morning Coffee".to_owned(),
        price: eur(price),
        category_id: None,
        image_url: None,
        deleted: false,
    }
}

async fn locks(shop: &Shop) -> Vec<(String, i32)> {
    let db = shop.database.read().await.expect("connected");
    let rows = db.query("SELECT status, quantity FROM inventory_locks ORDER BY id", &[]).await.expect("read");
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[tokio::test]
async fn a_confirmed_order_makes_the_cart_ordered() {
    let shop = Shop::open().await;
    let ada = shop.shopper();
    let (cart, begun) = begun(&shop, &ada).await;
    shop.tell(&confirmed(&begun), 3).await;
    assert_eq!(shop.get(&ada, cart.id).await.status, CartStatus::Ordered);
    assert_eq!(shop.number("SELECT count(*) FROM saga_states WHERE status = 'completed'").await, 1);
    assert_eq!(refusal(shop.carts.checkout(&ada, cart.id, checkout()).await), "cart_already_ordered");

    // A cancelled order leaves it ordered, and is answered all the same.
    shop.tell(&reopen(&begun), 9).await;
    assert_eq!(shop.get(&ada, cart.id).await.status, CartStatus::Ordered);
    assert_eq!(shop.recorded("CartReopened").await, 1);
}

#[tokio::test]
async fn a_refused_order_gives_the_cart_back_for_another_try() {
    let shop = Shop::open().await;
    let ada = shop.shopper();
    let (cart, first) = begun(&shop, &ada).await;
    let request = Draft::new(&reopen(&first), 4, first.correlation_id, "orders");
    shop.tell_all(vec![request.clone()]).await;

    let back = shop.get(&ada, cart.id).await;
    assert_eq!((back.status, back.items.len(), back.total), (CartStatus::Active, 1, eur("20.00")));
    let (answer, told): (_, CartReopened) = shop.latest().await;
    assert_eq!(told, CartReopened { cart_id: cart.id, order_id: first.order_id });
    assert_eq!((answer.correlation_id, answer.causation_id), (first.correlation_id, Some(request.envelope.event_id)));
    assert_eq!(answer.aggregate_version, 3);
    let logged =
        "SELECT count(*) FROM saga_states WHERE status = 'compensated' AND jsonb_array_length(compensation_log) = 1";
    assert_eq!(shop.number(logged).await, 1);

    let second = shop.carts.checkout(&ada, cart.id, checkout()).await.expect("again");
    assert_ne!(second.order_id, first.order_id);
    assert_ne!(second.correlation_id, first.correlation_id);
    // Orders asks again about the first: answered, and the second is left alone.
    shop.tell(&reopen(&first), 5).await;
    shop.tell(&confirmed(&first), 6).await;
    assert_eq!(shop.get(&ada, cart.id).await.status, CartStatus::CheckingOut);
    assert_eq!(shop.recorded("CartReopened").await, 2);
    shop.tell(&confirmed(&second), 3).await;
    assert_eq!(shop.get(&ada, cart.id).await.status, CartStatus::Ordered);
}

#[tokio::test]
async fn a_request_for_a_cart_that_is_gone_is_answered() {
    let shop = Shop::open().await;
    let ada = shop.shopper();
    let (cart, first) = begun(&shop, &ada).await;
    shop.tell(&reopen(&first), 4).await;
    shop.carts.delete(&ada, cart.id).await.expect("deleted");
    shop.tell(&reopen(&first), 5).await;
    assert_eq!(shop.recorded("CartReopened").await, 2);
    let unknown = ReopenRequested { order_id: OrderId::new(), ..reopen(&first) };
    shop.tell(&unknown, 1).await;
    assert_eq!(shop.recorded("CartReopened").await, 3);
    assert_eq!(shop.number("SELECT count(*) FROM saga_states WHERE cart_id IS NULL").await, 1);
}

#[tokio::test]
async fn the_price_stays_until_an_order_is_refused() {
    let shop = Shop::open().await;
    let ada = shop.shopper();
    let product = shop.product("10.00").await;
    let cart = shop.cart_with(&ada, product, 2).await;
    shop.tell(&repriced(product, "11.00"), 2).await;
    assert_eq!(shop.get(&ada, cart.id).await.total, eur("20.00"));
    let begun = shop.carts.checkout(&ada, cart.id, checkout()).await.expect("begun");
    assert_eq!(begun.lines[0].unit_price, eur("10.00"));
    shop.tell(&reopen(&begun), 4).await;
    let back = shop.get(&ada, cart.id).await;
    assert_eq!((back.items[0].unit_price, back.total), (eur("11.00"), eur("22.00")));
}

#[tokio::test]
async fn a_price_told_after_the_refusal_it_caused_is_shown_too() {
    let shop = Shop::open().await;
    let ada = shop.shopper();
    let (cart, begun) = begun(&shop, &ada).await;
    shop.tell(&reopen(&begun), 4).await;
    shop.tell(&repriced(begun.lines[0].product_id, "12.00"), 2).await;
    let back = shop.get(&ada, cart.id).await;
    assert_eq!((back.items[0].unit_price, back.total), (eur("12.00"), eur("24.00")));
}

/// As it is told when the change was made so long after the cart came back; before it if negative.
fn repriced_after(back: &Cart, seconds: i64, product_id: ProductId, price: &str, version: i64) -> Draft {
    let mut draft = Draft::new(&repriced(product_id, price), version, CorrelationId::new(), "products");
    draft.envelope.timestamp = back.updated_at + Duration::seconds(seconds);
    draft
}

#[tokio::test]
async fn a_price_that_caused_a_refusal_counts_however_late_it_is_told_and_a_later_price_does_not() {
    let shop = Shop::open().await;
    let ada = shop.shopper();
    let owner = shop.testbed.owner().await;
    for (reopened_s_ago, changed_s_later, total) in
        [(120, -1, "24.00"), (590, -30, "24.00"), (610, -30, "20.00"), (300, 61, "20.00")]
    {
        let (cart, begun) = begun(&shop, &ada).await;
        shop.tell(&reopen(&begun), 4).await;
        let long_ago = "UPDATE cart.carts SET reopened_at = now() - $2 * interval '1 second',
            updated_at = now() - $2 * interval '1 second' WHERE id = $1";
        owner.execute(long_ago, &[&cart.id, &f64::from(reopened_s_ago)]).await.expect("aged");
        let back = shop.get(&ada, cart.id).await;
        let product = begun.lines[0].product_id;
        shop.tell_all(vec![repriced_after(&back, changed_s_later, product, "12.00", 2)]).await;
        assert_eq!(
            shop.get(&ada, cart.id).await.total,
            eur(total),
            "{reopened_s_ago} s ago, {changed_s_later} s later"
        );
    }
}

/// Whether somebody waits for a lock of this database; asked by the owner, since a service does not see what others do.
async fn is_waiting(owner: &tokio_postgres::Client) -> bool {
    let sql = "SELECT EXISTS (SELECT 1 FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock')";
    owner.query_one(sql, &[]).await.expect("asked").get(0)
}

#[tokio::test]
async fn a_price_being_written_while_the_cart_comes_back_is_not_lost() {
    let shop = Shop::open().await;
    let ada = shop.shopper();
    let (cart, begun) = begun(&shop, &ada).await;
    let (mut owner, onlooker) = (shop.testbed.owner().await, shop.testbed.owner().await);
    // Another process has written the price and looked for carts that came back, but not committed yet.
    let writing = owner.transaction().await.expect("begun");
    let put = "UPDATE cart.products SET price = 12, version = 2 WHERE product_id = $1";
    writing.execute(put, &[&begun.lines[0].product_id]).await.expect("written");
    let request = reopen(&begun);
    let reopening = shop.tell(&request, 4);
    let committing = async {
        testkit::eventually(SOON, || async {
            let came_back = shop.get(&ada, cart.id).await.status == CartStatus::Active;
            if came_back || is_waiting(&onlooker).await { Ok(()) } else { Err("neither waits nor is back".to_owned()) }
        })
        .await;
        writing.commit().await.expect("committed");
    };
    futures_util::join!(reopening, committing);
    let back = shop.get(&ada, cart.id).await;
    assert_eq!((back.status, back.total), (CartStatus::Active, eur("24.00")));
}

#[tokio::test]
async fn deleting_a_cart_locks_in_the_same_order_as_the_news_of_it() {
    let shop = Shop::open().await;
    let ada = shop.shopper();
    let (cart, begun) = begun(&shop, &ada).await;
    shop.tell(&reopen(&begun), 4).await;
    let (mut owner, onlooker) = (shop.testbed.owner().await, shop.testbed.owner().await);
    // News of its checkout are being applied: the checkout is locked, the cart will be.
    let applying = owner.transaction().await.expect("begun");
    let lock = "SELECT 1 FROM cart.saga_states WHERE order_id = $1 FOR NO KEY UPDATE";
    applying.execute(lock, &[&begun.order_id]).await.expect("locked");
    let committing = async {
        testkit::eventually(SOON, || async {
            if is_waiting(&onlooker).await { Ok(()) } else { Err("the deletion does not wait".to_owned()) }
        })
        .await;
        let lock = "SELECT 1 FROM cart.carts WHERE id = $1 FOR NO KEY UPDATE NOWAIT";
        applying.execute(lock, &[&cart.id]).await.expect("whoever waits for the checkout does not hold the cart");
        applying.commit().await.expect("committed");
    };
    let (deleted, ()) = futures_util::join!(shop.carts.delete(&ada, cart.id), committing);
    deleted.expect("deleted");
}

#[tokio::test]
async fn holds_are_mirrored_in_whatever_order_they_are_told() {
    let shop = Shop::open().await;
    let ada = shop.shopper();
    let (_, first) = begun(&shop, &ada).await;
    let hold = ReservationId::new();
    shop.tell(&reserved(&first, hold), 1).await;
    assert_eq!(locks(&shop).await, [("held".to_owned(), 2)]);
    shop.tell(&confirmed(&first), 3).await;
    assert_eq!(locks(&shop).await, [("committed".to_owned(), 2)]);
    shop.tell(&released(&first, hold), 2).await;
    assert_eq!(locks(&shop).await, [("released".to_owned(), 2)]);
    shop.tell(&reserved(&first, hold), 1).await;
    assert_eq!(locks(&shop).await, [("released".to_owned(), 2)], "told late, by another event");

    let (_, second) = begun(&shop, &ada).await;
    shop.tell(&confirmed(&second), 3).await;
    shop.tell(&reserved(&second, ReservationId::new()), 1).await;
    assert_eq!(locks(&shop).await[1].0, "committed", "a hold told after its sale");
    let nothing = StockReleased { order_id: second.order_id, reservation_id: None, lines: vec![] };
    shop.tell(&nothing, 2).await;
    assert_eq!(locks(&shop).await.len(), 2);
}

#[tokio::test]
async fn one_batch_may_hold_news_of_many_orders() {
    let shop = Shop::open().await;
    let ada = shop.shopper();
    let product = shop.product("10.00").await;
    let mut drafts = Vec::new();
    let mut carts = Vec::new();
    for number in 0..30 {
        let cart = shop.cart_with(&ada, product, 1).await;
        let begun = shop.carts.checkout(&ada, cart.id, checkout()).await.expect("begun");
        carts.push((cart.id, number % 2 == 0));
        let correlation = CorrelationId::new();
        drafts.push(match number % 2 {
            0 => Draft::new(&confirmed(&begun), 3, correlation, "orders"),
            _ => Draft::new(&reopen(&begun), 4, correlation, "orders"),
        });
    }
    shop.tell_all(drafts).await;
    for (cart_id, is_ordered) in carts {
        let expected = if is_ordered { CartStatus::Ordered } else { CartStatus::Active };
        assert_eq!(shop.get(&ada, cart_id).await.status, expected);
    }
    assert_eq!(shop.recorded("CartReopened").await, 15);
}
