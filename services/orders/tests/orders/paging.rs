//! Every list, read while orders come and change.

use events::{OrderStatus, UserId};
use orders_client::{Order, OrderFilter, OrdersApi, SagaFilter};
use serde_json::json;
use service::{Caller, Page, PageQuery};
use testkit::{NewIds, PageOfIds, copy_row, pages_survive_writes};
use uuid::Uuid;

use crate::support::{Checkout, Shop};

/// Orders of one user, all waiting for their stock, and their owner.
async fn orders_of_one_user(shop: &Shop) -> UserId {
    let user = UserId::new();
    let checkouts: Vec<Checkout> = (0..6)
        .map(|_| {
            let mut it = Checkout::new();
            it.0.user_id = user;
            it
        })
        .collect();
    shop.tell(checkouts.iter().map(Checkout::initiated).collect()).await;
    user
}

fn two_after(cursor: Option<String>) -> PageQuery {
    PageQuery { cursor, ..PageQuery::first(2) }
}

fn of_orders(page: Page<Order>) -> PageOfIds {
    (page.items.iter().map(|order| order.id.uuid()).collect(), page.next_cursor)
}

/// New orders beside the one that was read last and at both ends of time; all others move on.
async fn trade_goes_on(shop: &Shop, last: Uuid, new: NewIds) {
    for id in [new.beside, new.at_the_ends].concat() {
        let other = json!({"id": id, "saga_correlation_id": Uuid::new_v4()});
        copy_row(&shop.owner, "orders.orders", "id", last, other).await;
    }
    let moved = "UPDATE orders.orders SET version = version + 1, updated_at = now()";
    shop.owner.execute(moved, &[]).await.unwrap();
}

#[tokio::test]
async fn pages_of_orders_survive_writes() {
    let shop = Shop::open().await;
    let user_id = orders_of_one_user(&shop).await;
    let ago = chrono::Utc::now() - chrono::TimeDelta::hours(1);
    let all = OrderFilter::default();
    let lists: [(Caller, OrderFilter); 5] = [
        (shop.user(user_id), all.clone()),
        (shop.admin.clone(), all.clone()),
        (shop.admin.clone(), OrderFilter { user_id: Some(user_id), ..all.clone() }),
        (shop.admin.clone(), OrderFilter { status: Some(OrderStatus::CartValidated), ..all.clone() }),
        (shop.admin.clone(), OrderFilter { from: Some(ago), to: Some(ago + chrono::TimeDelta::hours(2)), ..all }),
    ];
    for (caller, filter) in &lists {
        let read =
            async |cursor| of_orders(shop.orders.orders(caller, filter.clone(), two_after(cursor)).await.unwrap());
        pages_survive_writes(read, async |last, new| trade_goes_on(&shop, last, new).await).await;
    }
    let read = async |cursor| {
        let mut pages = shop.orders.orders_of_users(&shop.admin, &[user_id], &two_after(cursor)).await.unwrap();
        of_orders(pages.remove(0).orders)
    };
    pages_survive_writes(read, async |last, new| trade_goes_on(&shop, last, new).await).await;
}

#[tokio::test]
async fn pages_of_sagas_survive_writes() {
    let shop = Shop::open().await;
    let user_id = orders_of_one_user(&shop).await;
    let all = SagaFilter { status: None, user_id: None };
    let open = SagaFilter { status: Some("CART_VALIDATED".to_owned()), ..all.clone() };
    for filter in [all.clone(), open, SagaFilter { user_id: Some(user_id), ..all }] {
        let read = async |cursor| {
            let page = shop.orders.sagas(&shop.admin, filter.clone(), two_after(cursor)).await.unwrap();
            (page.items.iter().map(|saga| saga.id).collect(), page.next_cursor)
        };
        pages_survive_writes(read, async |last, new| {
            let its_order = "SELECT order_id FROM orders.saga_states WHERE id = $1";
            let order: Uuid = shop.owner.query_one(its_order, &[&last]).await.unwrap().get(0);
            for id in [new.beside, new.at_the_ends].concat() {
                let correlation_id = Uuid::new_v4();
                let other = json!({"id": id, "saga_correlation_id": correlation_id});
                copy_row(&shop.owner, "orders.orders", "id", order, other).await;
                let other = json!({"id": id, "order_id": id, "correlation_id": correlation_id});
                copy_row(&shop.owner, "orders.saga_states", "id", last, other).await;
            }
            let moved = "UPDATE orders.saga_states SET asked = asked + 1, updated_at = now()";
            shop.owner.execute(moved, &[]).await.unwrap();
        })
        .await;
    }
}
