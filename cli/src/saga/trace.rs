//! The events of a saga and what became of each, as lines.

use chrono::{DateTime, Utc};
use operations::{Delivery, DeliveryOutcome, Trace, TracedEvent};

use crate::operator::shortened;
use crate::terminal::{self, Paint};

/// A block per event: when it was recorded and by whom, then a line for each queue that wants it.
pub fn text(trace: &Trace, paint: Paint) -> String {
    let Some(first) = trace.events.first() else { return String::new() };
    let mut text = format!("\nEvents, since {} UTC:\n", first.event.recorded_at.format("%Y-%m-%d %H:%M:%S%.3f"));
    for event in &trace.events {
        text.push_str(&block(event, first.event.recorded_at, paint));
    }
    if !trace.unreachable.is_empty() {
        let away = trace.unreachable.join(", ");
        text.push_str(&paint.yellow(&format!("Nothing is known of {away}, which could not be asked.\n")));
    }
    text
}

fn block(traced: &TracedEvent, since: DateTime<Utc>, paint: Paint) -> String {
    let event = &traced.event;
    let after = format!("+{} ms", (event.recorded_at - since).num_milliseconds());
    let mut head = format!("{after:>10}  {} {}  {}", event.service, paint.bold(&event.event_type), event.event_id);
    if !event.published {
        let error = event.last_error.as_deref().map_or_else(String::new, |error| format!(": {}", shortened(error, 80)));
        let waits = format!("waits in the outbox after {} attempts{error}", event.attempts);
        head.push_str(&format!("  {}", paint.yellow(&waits)));
    }
    let rows: Vec<Vec<String>> = traced.deliveries.iter().map(|delivery| row(delivery, paint)).collect();
    format!("{head}\n{}", terminal::table(&rows))
}

fn row(delivery: &Delivery, paint: Paint) -> Vec<String> {
    let outcome = delivery.outcome.as_str();
    let outcome = match delivery.outcome {
        DeliveryOutcome::Applied => outcome.to_owned(),
        DeliveryOutcome::Waiting | DeliveryOutcome::Skipped => paint.yellow(outcome),
        DeliveryOutcome::Retrying | DeliveryOutcome::Dead => paint.red(outcome),
    };
    let after = delivery.delay_ms.map_or_else(String::new, |delay| format!("after {delay} ms"));
    let mut remarks = Vec::new();
    if delivery.attempts > 1 || delivery.outcome != DeliveryOutcome::Applied && delivery.attempts > 0 {
        remarks.push(format!("{} attempts", delivery.attempts));
    }
    remarks.extend(delivery.last_error.as_deref().map(|error| shortened(error, 80)));
    remarks.extend(delivery.dead_letter_id.map(|id| format!("./prost dlq show {id}")));
    vec![String::new(), "      ".to_owned(), format!("→ {}", delivery.service), outcome, after, remarks.join("; ")]
}

#[cfg(test)]
mod tests {
    use operations::RecordedEvent;
    use uuid::Uuid;

    use super::*;

    fn delivery(service: &str, outcome: DeliveryOutcome) -> Delivery {
        Delivery {
            event_id: Uuid::nil(),
            service: service.to_owned(),
            queue: format!("{service}.orders.events.queue"),
            outcome,
            handler: None,
            attempts: i32::from(outcome == DeliveryOutcome::Applied),
            handled_at: None,
            delay_ms: None,
            last_error: None,
            dead_letter_id: None,
        }
    }

    #[test]
    fn a_trace_says_when_who_and_how_often() {
        let at = DateTime::UNIX_EPOCH;
        let event = |event_type: &str, after_ms: i64| RecordedEvent {
            event_id: Uuid::nil(),
            service: "orders".to_owned(),
            event_type: event_type.to_owned(),
            aggregate_type: "order".to_owned(),
            aggregate_id: Uuid::nil(),
            correlation_id: Uuid::nil(),
            causation_id: None,
            exchange: "orders.events".to_owned(),
            routing_key: "order.placed".to_owned(),
            recorded_at: at + chrono::Duration::milliseconds(after_ms),
            published: after_ms == 0,
            attempts: 2,
            last_error: Some("unroutable".to_owned()),
            trace_id: None,
            payload: serde_json::Value::Null,
        };
        let easy = Delivery { delay_ms: Some(4), ..delivery("products", DeliveryOutcome::Applied) };
        let hard = Delivery {
            attempts: 3,
            delay_ms: Some(11_042),
            last_error: Some("the stock\nis locked".to_owned()),
            ..delivery("analytics", DeliveryOutcome::Applied)
        };
        let deliveries = vec![easy, hard, delivery("payments", DeliveryOutcome::Waiting)];
        let events = vec![
            TracedEvent { event: event("OrderPlaced", 0), published_at: Some(at), deliveries },
            TracedEvent { event: event("OrderConfirmed", 12), published_at: None, deliveries: Vec::new() },
        ];
        let trace = Trace { correlation_id: Uuid::nil(), events, unreachable: vec!["users"] };
        let told = text(&trace, Paint::none());
        for expected in [
            "     +0 ms  orders OrderPlaced  00000000",
            "→ products   applied  after 4 ms\n",
            "→ analytics  applied  after 11042 ms  3 attempts; the stock is locked\n",
            "→ payments   waiting\n",
            "    +12 ms  orders OrderConfirmed",
            "waits in the outbox after 2 attempts: unroutable\n",
            "Nothing is known of users",
        ] {
            assert!(told.contains(expected), "{expected}:\n{told}");
        }
    }
}
