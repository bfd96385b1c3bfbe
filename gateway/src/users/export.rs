//! What the shop keeps about a person, from all services, for that person.

use events::OrderId;
use orders_client::{Order, OrderFilter};
use payments_client::Payment;
use serde::Serialize;
use service::{Error, PageQuery, pagination};

use crate::scope::Scope;

/// Nobody has more; whoever had would read in its place why the rest is missing.
const MAX_ORDERS: usize = 10_000;

#[derive(Serialize)]
struct OwnData {
    account: users_client::Export,
    orders: Vec<Order>,
    payments: Vec<Payment>,
    cart: Option<cart_client::Cart>,
}

/// The caller's own data as JSON.
///
/// Errors: 401 for anonymous callers.
pub async fn own_data(scope: &Scope) -> Result<String, Error> {
    let own = scope.caller.user()?.user_id;
    let orders = orders(scope, OrderFilter { user_id: Some(own), ..OrderFilter::default() }).await?;
    let data = OwnData {
        account: scope.clients.users.export(&scope.caller, own).await?,
        payments: payments(scope, &orders).await?,
        orders,
        cart: scope.clients.cart.active_cart_of_user(&scope.caller, own).await?,
    };
    serde_json::to_string_pretty(&data).map_err(Error::internal)
}

async fn payments(scope: &Scope, orders: &[Order]) -> Result<Vec<Payment>, Error> {
    let mut payments = Vec::with_capacity(orders.len());
    for some in orders.chunks(payments_client::MAX_ORDERS) {
        let ids: Vec<OrderId> = some.iter().map(|order| order.id).collect();
        payments.extend(scope.clients.payments.payments_of_orders(&scope.caller, &ids).await?);
    }
    Ok(payments)
}

async fn orders(scope: &Scope, filter: OrderFilter) -> Result<Vec<Order>, Error> {
    let (mut orders, mut page) = (Vec::new(), PageQuery::first(pagination::MAX_LIMIT));
    loop {
        let next = scope.clients.orders.orders(&scope.caller, filter.clone(), page.clone()).await?;
        orders.extend(next.items);
        if orders.len() > MAX_ORDERS {
            return Err(Error::unprocessable("too_much_data", "these are too many orders for one text; please ask us"));
        }
        match next.next_cursor {
            Some(cursor) => page.cursor = Some(cursor),
            None => return Ok(orders),
        }
    }
}
