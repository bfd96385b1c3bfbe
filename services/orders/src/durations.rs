//! How long sagas took, from the checkout to each of their states. The order's id is made at the checkout, and tells its
//! time.

use chrono::Utc;
use events::{OrderId, OrderStatus};

use crate::model;
use crate::saga::State;

/// Tells Prometheus that a saga has come to this state, and whether that is one of its ends.
pub(crate) fn tell(order_id: OrderId, state: &State) {
    let Some(duration_s) = since(order_id) else { return };
    let (status, ..) = model::columns(state);
    metrics::histogram!("saga_state_reached_seconds", "status" => status).record(duration_s);
    if matches!(state.order_status(), OrderStatus::Confirmed | OrderStatus::Compensated | OrderStatus::Cancelled) {
        metrics::histogram!("saga_duration_seconds", "outcome" => status).record(duration_s);
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
