//! Live status of an order.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Context, ID, Result, Subscription};
use events::{OrderId, OrderStatus};
use futures_util::stream::{self, Stream};
use service::{Caller, Error};

use crate::Clients;
use crate::errors::fault;
use crate::live::{Change, Moved, Watcher};
use crate::orders::Order;
use crate::scalars::id_of;
use crate::scope::Scope;

/// A read that failed for want of the service is tried again after this time.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Live views.
pub struct Subscriptions;

/// What can be followed live, over WebSocket (graphql-transport-ws).
#[Subscription(name = "Subscription")]
impl Subscriptions {
    /// The order as it is, at once, and then after every change, passing states included. Ends at CONFIRMED, SHIPPED,
    /// DELIVERED, COMPENSATED or CANCELLED. Needs the login of the buyer, or of an admin.
    async fn order_status(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order's id.")] order_id: ID,
    ) -> Result<impl Stream<Item = Result<Order>> + use<>> {
        let scope = Scope::of(ctx).clone();
        scope.caller.user().map_err(fault)?;
        let not_found = || Error::not_found("order_not_found", "there is no such order");
        let id: OrderId = id_of(&order_id, "order_id").map_err(|_| fault(not_found()))?;
        let changes = scope.live.watch(id);
        let order = scope.clients.orders.order(&scope.caller, id).await.map_err(fault)?;
        let following = Following { view: View::new(order), changes, id, scope };
        Ok(stream::unfold(Some(following), async |following| {
            let mut following = following?;
            match following.next().await {
                Some(Ok(order)) => Some((Ok(order), Some(following))),
                Some(Err(error)) => Some((Err(fault(error)), None)),
                None => None,
            }
        }))
    }
}

/// One subscriber.
struct Following {
    id: OrderId,
    scope: Arc<Scope>,
    changes: Watcher,
    view: View,
}

impl Following {
    async fn next(&mut self) -> Option<Result<Order, Error>> {
        loop {
            if let Some(order) = self.view.unshown.pop_front() {
                self.scope.loaders.clear();
                return Some(Ok(Order::new(order, self.scope.caller.clone())));
            }
            if self.view.has_ended {
                return None;
            }
            match self.changes.next().await {
                None => return Some(Err(Error::unavailable("the live view of orders has ended"))),
                Some(Change::Moved(moved)) if self.view.can_follow(&moved) => self.view.moved(&moved),
                Some(Change::Moved(_) | Change::Unknown) => {
                    match read(&self.scope.clients, &self.scope.caller, self.id).await {
                        Ok(order) => self.view.read(order),
                        Err(error) => return Some(Err(error)),
                    }
                }
            }
        }
    }
}

/// Reads an order, and waits for a service that is away: a watcher that gives up would miss the end.
async fn read(clients: &Clients, caller: &Caller, id: OrderId) -> Result<orders_client::Order, Error> {
    loop {
        match clients.orders.order(caller, id).await {
            Err(error) if error.status.is_server_error() => {
                tracing::debug!(%error, order_id = %id, "cannot read a watched order");
                tokio::time::sleep(RETRY_DELAY).await;
            }
            answer => return answer,
        }
    }
}

/// What a subscriber knows of an order, and what is still to be shown. Never goes back to an older version.
struct View {
    order: orders_client::Order,
    unshown: VecDeque<orders_client::Order>,
    has_ended: bool,
}

impl View {
    fn new(order: orders_client::Order) -> Self {
        Self { has_ended: order.status.ends_subscription(), unshown: VecDeque::from([order.clone()]), order }
    }

    /// Whether the event tells enough. The end of a failure whose beginning came late or was missed does not tell
    /// the reason.
    fn can_follow(&self, moved: &Moved) -> bool {
        self.order.failure_code.is_some() || !moved.statuses.contains(&OrderStatus::Compensated)
    }

    /// An event: shows each state that the order passed through.
    fn moved(&mut self, moved: &Moved) {
        if moved.version <= self.order.version || self.has_ended {
            return;
        }
        self.order.version = moved.version;
        self.order.updated_at = self.order.updated_at.max(moved.at);
        if let Some((code, reason)) = &moved.failure {
            self.order.failure_code = Some(code.clone());
            self.order.failure_reason = Some(reason.clone());
        }
        for status in &moved.statuses {
            if *status != self.order.status {
                self.order.status = *status;
                self.show();
            }
        }
    }

    /// A read after a gap: shows where the order stands now, if that is news.
    fn read(&mut self, order: orders_client::Order) {
        if order.version <= self.order.version || self.has_ended {
            return;
        }
        self.order = order;
        self.show();
    }

    fn show(&mut self) {
        if !self.has_ended {
            self.unshown.push_back(self.order.clone());
            self.has_ended = self.order.status.ends_subscription();
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use events::OrderStatus::*;

    use super::*;
    use crate::tests_support::order;

    fn moved(version: i64, statuses: &[OrderStatus]) -> Moved {
        Moved { version, statuses: statuses.to_vec(), at: Utc::now(), failure: None }
    }

    fn shown(view: &mut View) -> Vec<OrderStatus> {
        view.unshown.drain(..).map(|order| order.status).collect()
    }

    #[test]
    fn every_state_is_shown_once_and_in_order() {
        let mut view = View::new(order(1, Pending));
        view.moved(&moved(2, &[CartValidated]));
        view.moved(&moved(2, &[CartValidated]));
        view.moved(&moved(3, &[InventoryReserved]));
        view.moved(&moved(4, &[PaymentProcessed, Confirmed]));
        view.moved(&moved(5, &[Shipped]));
        assert_eq!(shown(&mut view), [Pending, CartValidated, InventoryReserved, PaymentProcessed, Confirmed]);
        assert!(view.has_ended);
    }

    #[test]
    fn an_event_from_before_the_read_shows_nothing() {
        let mut view = View::new(order(3, InventoryReserved));
        view.moved(&moved(2, &[CartValidated]));
        view.moved(&moved(3, &[InventoryReserved]));
        assert_eq!(shown(&mut view), [InventoryReserved]);
    }

    #[test]
    fn a_gap_is_closed_by_reading() {
        let mut view = View::new(order(1, Pending));
        view.read(order(1, Pending));
        view.read(order(3, InventoryReserved));
        view.moved(&moved(2, &[CartValidated]));
        view.moved(&moved(4, &[PaymentProcessed, Confirmed]));
        assert_eq!(shown(&mut view), [Pending, InventoryReserved, PaymentProcessed, Confirmed]);
    }

    #[test]
    fn a_failure_tells_its_reason_until_the_end() {
        let mut view = View::new(order(3, InventoryReserved));
        assert!(!view.can_follow(&moved(6, &[Compensated])));
        let reason = ("PAYMENT_DECLINED".to_owned(), "The card was declined.".to_owned());
        view.moved(&Moved { failure: Some(reason), ..moved(4, &[Failed]) });
        assert!(view.can_follow(&moved(6, &[Compensated])));
        view.moved(&moved(6, &[Compensated]));
        assert!(view.has_ended);
        let last = view.unshown.back().unwrap().clone();
        assert_eq!((last.status, last.failure_code.as_deref()), (Compensated, Some("PAYMENT_DECLINED")));
        assert_eq!(shown(&mut view), [InventoryReserved, Failed, Compensated]);
    }

    #[test]
    fn an_order_at_its_end_is_shown_and_that_is_all() {
        let mut view = View::new(order(9, Delivered));
        view.moved(&moved(10, &[Cancelling]));
        assert_eq!(shown(&mut view), [Delivered]);
        assert!(view.has_ended);
    }
}
