//! A message per event and version: its envelope, its payload's schema, an example.

use events::topology::{EventKind, EventVisitor, visit_events};
use events::{CorrelationId, Draft, Envelope, Event};
use serde_json::{Map, Value, json};
use utoipa::{PartialSchema, ToSchema};

use crate::schema::{self, SCHEMAS};

const ENVELOPE: &str = "Envelope";
const HEADERS: &str = "Headers";

/// The messages by name, and every schema that they refer to.
pub struct Messages {
    pub messages: Map<String, Value>,
    pub schemas: Map<String, Value>,
}

impl Messages {
    /// The messages of all events.
    pub fn of_all_events() -> Messages {
        let mut all = Messages { messages: Map::new(), schemas: Map::new() };
        all.refer_to::<Envelope>();
        all.schemas.insert(ENVELOPE.to_owned(), schema::of(Envelope::schema()));
        all.schemas.insert(HEADERS.to_owned(), headers());
        visit_events(&mut all);
        all
    }

    fn refer_to<T: ToSchema>(&mut self) {
        let mut referred = Vec::new();
        T::schemas(&mut referred);
        self.schemas.extend(referred.into_iter().map(|(name, of)| (name, schema::of(of))));
    }
}

/// `OrderPlaced.v1`: the name of an event's message, and of its payload's schema.
pub fn name(event: &EventKind) -> String {
    versioned(event.event_type, event.version)
}

fn versioned(event_type: &str, version: &str) -> String {
    format!("{event_type}.v{version}")
}

impl EventVisitor for Messages {
    fn visit<E: Event>(&mut self) {
        self.refer_to::<E>();
        let payload = schema::of(E::schema());
        let example = example::<E>(&payload, &self.schemas);
        let message = message::<E>(payload["description"].as_str().unwrap_or_default(), &example);
        let name = versioned(E::TYPE, E::VERSION);
        self.schemas.insert(name.clone(), payload);
        self.messages.insert(name, message);
    }
}

fn message<E: Event>(documentation: &str, example: &Value) -> Value {
    let summary = documentation.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    json!({
        "name": E::TYPE,
        "title": format!("{}, version {}", E::TYPE, E::VERSION),
        "summary": summary,
        "contentType": "application/json",
        "headers": { "$ref": format!("{SCHEMAS}{HEADERS}") },
        "correlationId": { "$ref": "#/components/correlationIds/saga" },
        "payload": {
            "allOf": [
                { "$ref": format!("{SCHEMAS}{ENVELOPE}") },
                {
                    "type": "object",
                    "properties": {
                        "event_type": { "const": E::TYPE },
                        "version": { "const": E::VERSION },
                        "aggregate_type": { "const": E::AGGREGATE_TYPE },
                        "source": { "const": E::EXCHANGE.publisher() },
                        "payload": { "$ref": format!("{SCHEMAS}{}", versioned(E::TYPE, E::VERSION)) },
                    },
                },
            ],
        },
        "examples": [{ "name": E::TYPE, "payload": example }],
        "x-routing-key": E::ROUTING_KEY,
    })
}

/// The event as its service would publish it, of what the schemas give as examples: each text has to give one.
fn example<E: Event>(payload: &Value, schemas: &Map<String, Value>) -> Value {
    let payload = schema::example(payload, schemas);
    let event: E = serde_json::from_value(payload).unwrap_or_else(|error| panic!("an example of {}: {error}", E::TYPE));
    let draft = Draft::new(&event, 1, CorrelationId::new(), E::EXCHANGE.publisher());
    let mut envelope = serde_json::to_value(draft.envelope).expect("an envelope is JSON");
    let given = schema::example(&schemas[ENVELOPE], schemas);
    for fresh in ["event_id", "correlation_id", "timestamp"] {
        envelope[fresh] = given[fresh].clone();
    }
    envelope
}

fn headers() -> Value {
    json!({
        "type": "object",
        "description": "AMQP's headers.",
        "properties": {
            "traceparent": {
                "type": "string",
                "description": "The trace that the event belongs to, as W3C Trace Context writes it; absent without one.",
                "pattern": "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}",
            },
        },
    })
}
