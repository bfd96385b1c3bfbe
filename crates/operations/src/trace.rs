//! The trace of a saga: every event of every service, and what became of each delivery.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use events::topology::{QUEUES, matches};
use futures_util::future::join_all;
use service::{Caller, Error, PageQuery};
use uuid::Uuid;

use crate::history::MOST_DELIVERIES;
use crate::{Delivery, DeliveryOutcome, EventFilter, OperationsApi, RecordedEvent, Trace, TracedEvent};

/// Events of one service that are followed; a saga has some dozens.
const MOST_EVENTS: usize = 1_000;

/// Everything that belongs to a saga, oldest first. A service that is away is named, and the rest is told.
///
/// Errors: those that are not a service's being away, e.g. a caller who is no admin.
pub async fn trace(
    services: &[(&'static str, &dyn OperationsApi)],
    caller: &Caller,
    correlation_id: Uuid,
) -> Result<Trace, Error> {
    let mut unreachable = Vec::new();
    let asked = services.iter().map(async |(name, api)| (*name, events_of(*api, caller, correlation_id).await));
    let mut events = Vec::new();
    for (name, answer) in join_all(asked).await {
        events.extend(unless_away(name, answer, &mut unreachable)?.unwrap_or_default());
    }
    events.sort_by_key(|event| (event.recorded_at, event.event_id));

    let ids: Vec<Uuid> = events.iter().map(|event| event.event_id).collect();
    let asked = services.iter().map(async |(name, api)| (*name, deliveries_of(*api, caller, &ids).await));
    let mut known: HashMap<(Uuid, String), Delivery> = HashMap::new();
    for (name, answer) in join_all(asked).await {
        let deliveries = unless_away(name, answer, &mut unreachable)?.unwrap_or_default();
        known.extend(deliveries.into_iter().map(|delivery| ((delivery.event_id, delivery.queue.clone()), delivery)));
    }
    unreachable.sort_unstable();
    unreachable.dedup();
    let events = events.into_iter().map(|event| followed(event, &mut known, &unreachable)).collect();
    Ok(Trace { correlation_id, events, unreachable })
}

/// Adds what became of an event in each queue that wants it.
fn followed(
    event: RecordedEvent,
    known: &mut HashMap<(Uuid, String), Delivery>,
    unreachable: &[&'static str],
) -> TracedEvent {
    let wants = QUEUES.iter().filter(|queue| {
        let is_bound = queue.routing_keys.iter().any(|pattern| matches(pattern, &event.routing_key));
        is_bound && queue.exchange.name() == event.exchange && !unreachable.contains(&queue.service)
    });
    let mut deliveries: BTreeMap<(Option<DateTime<Utc>>, String), Delivery> = BTreeMap::new();
    for queue in wants {
        let found = known.remove(&(event.event_id, queue.name()));
        let mut delivery = found
            .unwrap_or_else(|| Delivery::new(event.event_id, queue.service, queue.name(), DeliveryOutcome::Waiting));
        delivery.delay_ms = delivery.handled_at.map(|at| (at - event.recorded_at).num_milliseconds());
        deliveries.insert((delivery.handled_at, delivery.queue.clone()), delivery);
    }
    // Who has not handled it yet stands at the end.
    let (open, handled): (Vec<Delivery>, Vec<Delivery>) =
        deliveries.into_values().partition(|delivery| delivery.handled_at.is_none());
    let deliveries: Vec<Delivery> = handled.into_iter().chain(open).collect();
    let published_at = match deliveries.first() {
        Some(first) if event.published => first.handled_at,
        _ => None,
    };
    TracedEvent { published_at, deliveries, event }
}

async fn events_of(
    api: &dyn OperationsApi,
    caller: &Caller,
    correlation_id: Uuid,
) -> Result<Vec<RecordedEvent>, Error> {
    let filter = EventFilter { correlation_id: Some(correlation_id), event_id: None };
    let (mut events, mut page) = (Vec::new(), PageQuery::first(100));
    loop {
        let found = api.events(caller, filter, page.clone()).await?;
        events.extend(found.items);
        match found.next_cursor {
            Some(cursor) if events.len() < MOST_EVENTS => page.cursor = Some(cursor),
            _ => return Ok(events),
        }
    }
}

async fn deliveries_of(api: &dyn OperationsApi, caller: &Caller, ids: &[Uuid]) -> Result<Vec<Delivery>, Error> {
    let mut deliveries = Vec::new();
    for ids in ids.chunks(MOST_DELIVERIES) {
        deliveries.extend(api.deliveries(caller, ids).await?);
    }
    Ok(deliveries)
}

fn unless_away<T>(
    service: &'static str,
    answer: Result<T, Error>,
    unreachable: &mut Vec<&'static str>,
) -> Result<Option<T>, Error> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.status.is_server_error() => {
            tracing::warn!(service, ?error, "a service is left out of a trace");
            unreachable.push(service);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
