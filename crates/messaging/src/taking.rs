//! Messages, their idempotency records and their effects in one transaction, where the queue lies beside the tables.

use std::collections::HashSet;
use std::sync::Arc;

use database::Connection;
use events::Envelope;
use events::topology::Queue;

use crate::consumer::{Handler, HandlerError, read};
use crate::delivery::Taken;
use crate::transport::Receiver;

/// What one transaction needs, owned, because it runs detached.
pub(crate) struct Taking {
    pub queue: &'static Queue,
    pub receiver: Receiver,
    pub handler: Arc<dyn Handler>,
    /// Messages at most.
    pub max: usize,
}

/// What was taken, once it is committed.
pub(crate) struct Took {
    /// All of it, duplicates among them.
    pub count: usize,
    /// What had not been applied before.
    pub fresh: Vec<Envelope>,
}

impl Taking {
    /// Errors: one of the messages cannot be read or applied. Then all of them stay where they were.
    pub async fn run(self, tx: &Connection) -> Result<Took, HandlerError> {
        let taken = self.receiver.take(tx, self.queue.service, self.max).await?;
        let count = taken.len();
        let (mut fresh, mut seen) = (Vec::with_capacity(count), HashSet::new());
        for Taken { delivery, event_id, is_fresh } in taken {
            let envelope = read(self.queue, &delivery)?;
            if envelope.event_id != event_id {
                return Err(HandlerError::Reject(format!("a message of event {event_id} names another")));
            }
            // One batch may hold two copies of an event.
            if is_fresh && seen.insert(event_id) {
                tx.note_traces(delivery.traceparent.map(|trace| (event_id, trace)));
                fresh.push(envelope);
            }
        }
        if !fresh.is_empty() {
            self.handler.handle(tx, &fresh).await?;
        }
        Ok(Took { count, fresh })
    }
}
