//! How long sagas took, from the checkout to their end. The order's id is made at the checkout, and tells its time.

use chrono::Utc;
use events::{OrderId, OrderStatus};

/// Tells Prometheus that a saga rests now, if that is one of its ends.
pub(crate) fn tell(order_id: OrderId, status: OrderStatus) {
    let outcome = match status {
        OrderStatus::Confirmed | OrderStatus::Compensated | OrderStatus::Cancelled => status.as_str(),
        _ => return,
    };
    if let Some(duration_s) = since(order_id) {
        metrics::histogram!("saga_duration_seconds", "outcome" => outcome).record(duration_s);
    }
}

/// Seconds since this id was made; `None` if it does not say when.
fn since(order_id: OrderId) -> Option<f64> {
    let (seconds, nanos) = order_id.uuid().get_timestamp()?.to_unix();
    let begun = chrono::DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanos)?;
    (Utc::now() - begun).to_std().ok().map(|age| age.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_orders_id_tells_its_age() {
        let age = since(OrderId::new()).unwrap();
        assert!((0.0..5.0).contains(&age), "{age}");
        assert_eq!(since(OrderId(uuid::Uuid::new_v4())), None);
    }
}
