//! From events to steps of the saga.

use std::sync::Arc;

use async_trait::async_trait;
use database::Connection;
use events::topology::QUEUES;
use events::{
    CartCheckoutInitiated, CartReopened, Envelope, Event, OrderId, PaymentFailed, PaymentProcessed, PaymentRefunded,
    StockReleased, StockReservationFailed, StockReserved,
};
use messaging::{Consumer, Handler, HandlerError};

use crate::model::{self, Cause, Failure, Step};
use crate::repository::{self, Hold};
use crate::runner::{self, Outcome};
use crate::saga::Input;
use crate::{Orders, OrdersConfig, SERVICE};

/// One consumer per queue of this service.
pub fn consumers(service: &Arc<Orders>) -> Vec<Consumer> {
    QUEUES
        .iter()
        .filter(|queue| queue.service == SERVICE)
        .map(|queue| Consumer {
            queue,
            database: service.database.clone(),
            handler: Arc::new(SagaHandler { config: service.config.clone() }),
        })
        .collect()
}

struct SagaHandler {
    config: OrdersConfig,
}

/// A batch, read.
#[derive(Default)]
struct Batch {
    steps: Vec<Step>,
    checkouts: Vec<CartCheckoutInitiated>,
    holds: Vec<Hold>,
}

#[async_trait]
impl Handler for SagaHandler {
    async fn handle(&self, tx: &Connection, envelopes: &[Envelope]) -> Result<(), HandlerError> {
        let mut batch = Batch::default();
        for envelope in envelopes {
            batch.read(envelope)?;
        }
        // Usually there already, from POST /orders; if orders died in between, the event creates the order.
        if !batch.checkouts.is_empty() {
            repository::insert(tx, &batch.checkouts, self.config.reservation_deadline).await?;
        }
        let outcomes = runner::advance(tx, &self.config, &batch.steps).await?;
        for (step, outcome) in batch.steps.iter().zip(outcomes) {
            if outcome == Outcome::Unknown {
                return Err(HandlerError::Retry(format!("order {} is not known here", step.order_id)));
            }
        }
        repository::hold(tx, &batch.holds).await?;
        Ok(())
    }
}

impl Batch {
    fn read(&mut self, envelope: &Envelope) -> Result<(), HandlerError> {
        let (order_id, input, failure) = match envelope.event_type.as_str() {
            CartCheckoutInitiated::TYPE => {
                let event: CartCheckoutInitiated = envelope.decode()?;
                let order_id = event.order_id;
                self.checkouts.push(event);
                (order_id, Input::CheckoutInitiated, None)
            }
            CartReopened::TYPE => (envelope.decode::<CartReopened>()?.order_id, Input::CartReopened, None),
            StockReserved::TYPE => (self.reserved(envelope.decode()?), Input::StockReserved, None),
            StockReservationFailed::TYPE => {
                let event: StockReservationFailed = envelope.decode()?;
                (event.order_id, Input::StockRefused, Some(model::refused(&event)))
            }
            StockReleased::TYPE => (envelope.decode::<StockReleased>()?.order_id, Input::StockReleased, None),
            PaymentProcessed::TYPE => (envelope.decode::<PaymentProcessed>()?.order_id, Input::PaymentProcessed, None),
            PaymentFailed::TYPE => {
                let event: PaymentFailed = envelope.decode()?;
                let failure = Failure { code: event.code, reason: event.reason };
                (event.order_id, Input::PaymentFailed, Some(failure))
            }
            PaymentRefunded::TYPE => {
                let event: PaymentRefunded = envelope.decode()?;
                let input = if event.complete { Input::Refunded } else { Input::PartlyRefunded };
                (event.order_id, input, None)
            }
            other => return Err(HandlerError::Reject(format!("orders does not handle `{other}`"))),
        };
        let cause = Cause {
            event_id: envelope.event_id,
            event: envelope.event_type.clone(),
            service: envelope.source.clone(),
            at: envelope.timestamp,
        };
        self.steps.push(Step { order_id, input, cause: Some(cause), failure, note: None });
        Ok(())
    }

    fn reserved(&mut self, event: StockReserved) -> OrderId {
        self.holds.push(Hold {
            order_id: event.order_id,
            reservation_id: event.reservation_id,
            lines: event.lines,
            expires_at: event.expires_at,
        });
        event.order_id
    }
}
