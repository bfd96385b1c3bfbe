//! What a service recorded, and what became of what it was sent.

use std::collections::{HashMap, HashSet};

use database::history::{self, Recorded, Which};
use events::topology::{EVENTS, QUEUES};
use events::{CorrelationId, EventId};
use service::{Error, Page, PageQuery};
use uuid::Uuid;

use crate::dead_letters::failed;
use crate::{Delivery, DeliveryOutcome, EventFilter, Operations, RecordedEvent};

/// Events whose deliveries are asked for at once.
pub const MOST_DELIVERIES: usize = 100;

impl Operations {
    pub(crate) async fn recorded(&self, filter: &EventFilter, page: &PageQuery) -> Result<Page<RecordedEvent>, Error> {
        let which = match (filter.correlation_id, filter.event_id) {
            (Some(saga), None) => Which::OfSaga(CorrelationId(saga)),
            (None, Some(event)) => Which::One(EventId(event)),
            _ => return Err(Error::invalid("correlation_id", "missing", "give either correlation_id or event_id")),
        };
        let db = self.database.read().await?;
        let rows = history::recorded(&db, which, page.after()?, page.rows()?).await?;
        let events = rows.into_iter().map(|row| recorded(self.service, row)).collect::<Result<_, _>>()?;
        Page::new(page, events, |event: &RecordedEvent| event.event_id)
    }

    /// What became of these events here. Nothing is said of those that this service neither applied nor tried.
    pub(crate) async fn delivered(&self, ids: &[Uuid]) -> Result<Vec<Delivery>, Error> {
        if ids.len() > MOST_DELIVERIES {
            return Err(Error::invalid("event_ids", "too_many", format!("{MOST_DELIVERIES} ids at most")));
        }
        let wanted: Vec<EventId> = ids.iter().copied().map(EventId).collect();
        let db = self.database.read().await?;
        let handled = history::handled(&db, self.service, &wanted).await?;
        drop(db);
        let applied: HashSet<Uuid> = handled.applied.iter().map(|applied| applied.event_id.uuid()).collect();
        let mut failures: HashMap<(Uuid, String), (i32, String)> = handled
            .failed
            .into_iter()
            .map(|failed| ((failed.event_id.uuid(), failed.queue), (failed.attempts, failed.last_error)))
            .collect();
        let mut deliveries = Vec::new();
        for one in handled.applied {
            let Some(queue) = own_queue(self.service, &one.action) else { continue };
            let failure = failures.remove(&(one.event_id.uuid(), queue.clone()));
            let (failed, last_error) = failure.unzip();
            let mut delivery = self.delivery(one.event_id.uuid(), queue, DeliveryOutcome::Applied);
            delivery.attempts = failed.unwrap_or(0) + 1;
            delivery.handler = Some(one.action);
            delivery.handled_at = Some(one.at);
            delivery.last_error = last_error;
            deliveries.push(delivery);
        }
        let open: Vec<Uuid> = ids.iter().filter(|id| !applied.contains(id)).copied().collect();
        let mut dead = self.dead_deliveries(&open).await?;
        for delivery in &mut dead {
            failures.remove(&(delivery.event_id, delivery.queue.clone()));
        }
        deliveries.append(&mut dead);
        let discarded: HashSet<(Uuid, String)> =
            handled.discarded.into_iter().filter_map(|(event, queue)| Some((event.uuid(), queue?))).collect();
        deliveries.extend(failures.into_iter().map(|((event, queue), (attempts, last_error))| {
            let given_up = discarded.contains(&(event, queue.clone()));
            let outcome = if given_up { DeliveryOutcome::Skipped } else { DeliveryOutcome::Retrying };
            Delivery { attempts, last_error: Some(last_error), ..self.delivery(event, queue, outcome) }
        }));
        Ok(deliveries)
    }

    /// Only of events that were not applied: a copy that died beside an applied one changes nothing.
    async fn dead_deliveries(&self, open: &[Uuid]) -> Result<Vec<Delivery>, Error> {
        let mut dead = Vec::new();
        if open.is_empty() {
            return Ok(dead);
        }
        for queue in self.own_queues(None)? {
            for letter in self.transport.dead_letters_named(queue, open).await.map_err(failed)? {
                let Some(event_id) = letter.event_id else { continue };
                dead.push(Delivery {
                    attempts: i32::try_from(letter.attempts).unwrap_or(i32::MAX),
                    handled_at: Some(letter.dead_at),
                    last_error: Some(letter.reason),
                    dead_letter_id: Some(letter.id),
                    ..self.delivery(event_id, letter.queue, DeliveryOutcome::Dead)
                });
            }
        }
        Ok(dead)
    }

    fn delivery(&self, event_id: Uuid, queue: String, outcome: DeliveryOutcome) -> Delivery {
        Delivery::new(event_id, self.service, queue, outcome)
    }
}

/// The queue through which a service gets this event.
fn own_queue(service: &str, event_type: &str) -> Option<String> {
    let event = EVENTS.iter().find(|event| event.event_type == event_type)?;
    QUEUES.iter().find(|queue| queue.service == service && queue.exchange == event.exchange).map(|queue| queue.name())
}

fn recorded(service: &str, row: Recorded) -> Result<RecordedEvent, Error> {
    let envelope: serde_json::Value = serde_json::from_str(&row.envelope).map_err(Error::internal)?;
    let text = |name: &str| envelope.get(name).and_then(serde_json::Value::as_str);
    let trace: Option<events::TraceParent> = row.traceparent.as_deref().and_then(|text| text.parse().ok());
    Ok(RecordedEvent {
        event_id: row.event_id.uuid(),
        service: service.to_owned(),
        causation_id: text("causation_id").and_then(|id| id.parse().ok()),
        payload: envelope.get("payload").cloned().unwrap_or_default(),
        event_type: row.event_type,
        aggregate_type: row.aggregate_type,
        aggregate_id: row.aggregate_id,
        correlation_id: row.correlation_id.uuid(),
        exchange: row.exchange,
        routing_key: row.routing_key,
        recorded_at: row.recorded_at,
        published: row.published,
        attempts: row.attempts,
        last_error: row.last_error,
        trace_id: trace.map(|trace| trace.trace_id()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_of_an_applied_event_is_known_by_its_name() {
        assert_eq!(own_queue("products", "OrderPlaced").as_deref(), Some("products.orders.events.queue"));
        assert_eq!(own_queue("users", "OrderPlaced"), None);
        assert_eq!(own_queue("products", "http:POST /products"), None);
    }
}
