//! Holds orders against their payments: money that is missing, and money that was kept.
//!
//! Both are told by two services that each are right by themselves, so nobody else would notice. The comparison goes
//! round through all orders, a bounded piece at a time, and looks at what differed again in every round.

mod repository;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use events::{OrderId, OrderStatus};
use payments_client::{MAX_ORDERS, PaymentStatus, PaymentsApi};
use service::{Caller, Error, TokenKeys};
use tokio_util::sync::CancellationToken;

pub(crate) use repository::ALL;

use crate::{Orders, SERVICE};

/// Pages of [`MAX_ORDERS`] orders in one round.
const PAGES: usize = 10;
/// Orders that differ, remembered at most: with more, what is wrong is not an order.
const MOST_DIFFERING: usize = 1_000;

/// How an order and its payment contradict each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Difference {
    /// It goes to the customer, and nothing was captured for it.
    ConfirmedWithoutCapture,
    /// It is undone, and its money was kept.
    CapturedThoughUndone,
}

impl Difference {
    const ALL: [Difference; 2] = [Difference::ConfirmedWithoutCapture, Difference::CapturedThoughUndone];

    fn as_str(self) -> &'static str {
        match self {
            Difference::ConfirmedWithoutCapture => "confirmed_without_capture",
            Difference::CapturedThoughUndone => "captured_though_undone",
        }
    }

    /// What is wrong with an order in this state whose payment is in that, if something is.
    fn between(order: OrderStatus, payment: Option<PaymentStatus>) -> Option<Difference> {
        use PaymentStatus::{Authorized, Captured, Declined, Failed, PartiallyRefunded, Pending, Refunded};
        let (was_captured, is_kept) = match payment {
            Some(Captured | PartiallyRefunded) => (true, true),
            Some(Refunded) => (true, false),
            Some(Pending | Authorized | Declined | Failed) | None => (false, false),
        };
        match order {
            OrderStatus::Confirmed | OrderStatus::Shipped | OrderStatus::Delivered if !was_captured => {
                Some(Difference::ConfirmedWithoutCapture)
            }
            OrderStatus::Compensated | OrderStatus::Cancelled if is_kept => Some(Difference::CapturedThoughUndone),
            _ => None,
        }
    }
}

/// How far the comparison has come, and what differed.
#[derive(Default)]
struct Books {
    after: Option<OrderId>,
    differing: BTreeMap<OrderId, Difference>,
}

/// Compares until `shutdown`, now and then every [`crate::OrdersConfig::reconcile_interval`].
pub async fn reconcile(
    service: Arc<Orders>,
    payments: Arc<dyn PaymentsApi>,
    keys: TokenKeys,
    shutdown: CancellationToken,
) {
    let mut books = Books::default();
    loop {
        if let Err(error) = books.round(&service, &*payments, &keys).await {
            tracing::warn!(?error, "orders could not be compared with their payments; they are compared again");
        }
        let pause = tokio::time::sleep(service.config.reconcile_interval);
        if shutdown.run_until_cancelled(pause).await.is_none() {
            return;
        }
    }
}

impl Books {
    async fn round(&mut self, service: &Orders, payments: &dyn PaymentsApi, keys: &TokenKeys) -> Result<(), Error> {
        let caller = Caller::of_service(SERVICE, keys)?;
        let known: Vec<OrderId> = self.differing.keys().copied().collect();
        for orders in known.chunks(MAX_ORDERS) {
            let db = service.database.read().await?;
            let orders = repository::among(&db, orders).await?;
            drop(db);
            self.compare(&orders, payments, &caller).await?;
        }
        for _ in 0..PAGES {
            let db = service.database.read().await?;
            let limit = i64::try_from(MAX_ORDERS).unwrap_or(i64::MAX);
            let orders = repository::ended(&db, self.after, limit).await?;
            drop(db);
            self.compare(&orders, payments, &caller).await?;
            self.after = orders.last().map(|(id, _)| *id).filter(|_| orders.len() == MAX_ORDERS);
            if self.after.is_none() {
                break;
            }
        }
        for kind in Difference::ALL {
            let count = self.differing.values().filter(|difference| **difference == kind).count();
            metrics::gauge!("reconciliation_differences", "kind" => kind.as_str()).set(count as f64);
        }
        Ok(())
    }

    async fn compare(
        &mut self,
        orders: &[(OrderId, OrderStatus)],
        payments: &dyn PaymentsApi,
        caller: &Caller,
    ) -> Result<(), Error> {
        let ids: Vec<OrderId> = orders.iter().map(|(id, _)| *id).collect();
        let found = payments.payments_of_orders(caller, &ids).await?;
        let of_order: HashMap<OrderId, PaymentStatus> =
            found.into_iter().map(|payment| (payment.order_id, payment.status)).collect();
        for (order_id, status) in orders {
            let payment = of_order.get(order_id).copied();
            let Some(difference) = Difference::between(*status, payment) else {
                self.differing.remove(order_id);
                continue;
            };
            if self.differing.len() < MOST_DIFFERING && self.differing.insert(*order_id, difference) != Some(difference)
            {
                tracing::error!(%order_id, order = status.as_str(), payment = payment.map(PaymentStatus::as_str),
                    difference = difference.as_str(), "an order and its payment contradict each other");
            }
        }
        metrics::counter!("reconciliation_orders_total").increment(orders.len() as u64);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_that_goes_out_is_paid_and_one_that_is_undone_is_not() {
        use PaymentStatus::{Captured, Declined, PartiallyRefunded, Pending, Refunded};
        for order in [OrderStatus::Confirmed, OrderStatus::Shipped, OrderStatus::Delivered] {
            for payment in [Captured, PartiallyRefunded, Refunded] {
                assert_eq!(Difference::between(order, Some(payment)), None, "{order:?} {payment:?}");
            }
            for payment in [None, Some(Pending), Some(Declined)] {
                let difference = Difference::between(order, payment);
                assert_eq!(difference, Some(Difference::ConfirmedWithoutCapture), "{order:?} {payment:?}");
            }
        }
        for order in [OrderStatus::Compensated, OrderStatus::Cancelled] {
            for payment in [None, Some(Pending), Some(Declined), Some(Refunded)] {
                assert_eq!(Difference::between(order, payment), None, "{order:?} {payment:?}");
            }
            for payment in [Captured, PartiallyRefunded] {
                let difference = Difference::between(order, Some(payment));
                assert_eq!(difference, Some(Difference::CapturedThoughUndone), "{order:?} {payment:?}");
            }
        }
        assert_eq!(Difference::between(OrderStatus::Failed, Some(Captured)), None, "its refund is still to come");
    }
}
