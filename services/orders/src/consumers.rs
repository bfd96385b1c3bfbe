//! From events to steps of the saga.

use std::sync::Arc;

use async_trait::async_trait;
use database::Connection;
use events::topology::QUEUES;
use events::{
    CartCheckoutInitiated, CartReopened, Envelope, Event, PaymentFailed, PaymentProcessed, PaymentRefunded,
    StockReleased, StockReservationFailed, StockReserved,
};
use messaging::{Consumer, Handler, HandlerError};

use crate::model::{self, Cause, Failure, Hold, Step};
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
}

#[async_trait]
impl Handler for SagaHandler {
    async fn handle(&self, tx: &Connection, envelopes: &[Envelope]) -> Result<(), HandlerError> {
        let mut batch = Batch::default();
        for envelope in envelopes {
            batch.read(envelope)?;
        }
        let decided = runner::decide(tx, &self.config, &batch.checkouts, &batch.steps).await?;
        for (step, outcome) in batch.steps.iter().zip(&decided.outcomes) {
            match outcome {
                Outcome::Done | Outcome::Illegal => {}
                Outcome::Unknown => {
                    return Err(HandlerError::Retry(format!("order {} is not known here", step.order_id)));
                }
                Outcome::Unreadable => {
                    let reason = format!("the saga of order {} cannot be read; mend it, then replay", step.order_id);
                    return Err(HandlerError::Reject(reason));
                }
            }
        }
        Ok(decided.write(tx, &self.config).await?)
    }
}

impl Batch {
    fn read(&mut self, envelope: &Envelope) -> Result<(), HandlerError> {
        let cause = Cause {
            event_id: envelope.event_id,
            event: envelope.event_type.clone(),
            service: envelope.source.clone(),
            at: envelope.timestamp,
        };
        let step = |order_id, input| Step { cause: Some(cause), ..Step::of(order_id, input) };
        self.steps.push(match envelope.event_type.as_str() {
            CartCheckoutInitiated::TYPE => {
                let event: CartCheckoutInitiated = envelope.decode()?;
                let order_id = event.order_id;
                self.checkouts.push(event);
                step(order_id, Input::CheckoutInitiated)
            }
            CartReopened::TYPE => step(envelope.decode::<CartReopened>()?.order_id, Input::CartReopened),
            StockReserved::TYPE => {
                let StockReserved { order_id, reservation_id, lines, expires_at, .. } = envelope.decode()?;
                let hold = Hold { order_id, reservation_id, lines, expires_at };
                Step { hold: Some(hold), ..step(order_id, Input::StockReserved) }
            }
            StockReservationFailed::TYPE => {
                let event: StockReservationFailed = envelope.decode()?;
                Step { failure: Some(model::refused(&event)), ..step(event.order_id, Input::StockRefused) }
            }
            StockReleased::TYPE => step(envelope.decode::<StockReleased>()?.order_id, Input::StockReleased),
            PaymentProcessed::TYPE => step(envelope.decode::<PaymentProcessed>()?.order_id, Input::PaymentProcessed),
            PaymentFailed::TYPE => {
                let PaymentFailed { order_id, code, reason, .. } = envelope.decode()?;
                Step { failure: Some(Failure { code, reason }), ..step(order_id, Input::PaymentFailed) }
            }
            PaymentRefunded::TYPE => {
                let event: PaymentRefunded = envelope.decode()?;
                step(event.order_id, if event.complete { Input::Refunded } else { Input::PartlyRefunded })
            }
            other => return Err(HandlerError::Reject(format!("orders does not handle `{other}`"))),
        });
        Ok(())
    }
}
