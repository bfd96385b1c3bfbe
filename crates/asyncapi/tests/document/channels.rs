//! Where events are published and from where they are consumed, and who does it.

use events::topology::{EVENTS, EventKind, Exchange, QUEUES, Queue};
use serde_json::{Map, Value, json};

use crate::messages;

/// The version of AsyncAPI's words for AMQP.
const BINDING: &str = "0.3.0";

/// A channel per exchange, and one per queue.
pub fn channels() -> Map<String, Value> {
    let exchanges = Exchange::ALL.into_iter().map(|exchange| (exchange.name().to_owned(), exchange_channel(exchange)));
    exchanges.chain(QUEUES.iter().map(|queue| (queue.name(), queue_channel(queue)))).collect()
}

/// What each service publishes, event by event, and what it consumes, queue by queue.
pub fn operations() -> Map<String, Value> {
    let sends = EVENTS
        .iter()
        .map(|event| (format!("{}.sends.{}", event.exchange.publisher(), messages::name(event)), send(event)));
    sends
        .chain(QUEUES.iter().map(|queue| (format!("{}.receives.{}", queue.service, queue.exchange), receive(queue))))
        .collect()
}

fn exchange_channel(exchange: Exchange) -> Value {
    let published: Vec<&EventKind> = EVENTS.iter().filter(|event| event.exchange == exchange).collect();
    let keys: Vec<&str> = published.iter().map(|event| event.routing_key).collect();
    json!({
        "address": "{routing_key}",
        "title": exchange.name(),
        "summary": format!("What {} publishes.", exchange.publisher()),
        "description": "Bind a queue of your own to this exchange.",
        "servers": servers(),
        "parameters": {
            "routing_key": { "description": "Each event has its own: `x-routing-key` of its message.", "enum": keys },
        },
        "messages": messages_of(&published),
        "bindings": { "amqp": {
            "is": "routingKey",
            "exchange": {
                "name": exchange.name(), "type": "topic", "durable": true, "autoDelete": false, "vhost": "/",
            },
            "bindingVersion": BINDING,
        } },
    })
}

fn queue_channel(queue: &Queue) -> Value {
    json!({
        "address": queue.name(),
        "title": queue.name(),
        "summary": format!("What {} consumes of {}.", queue.service, queue.exchange),
        "description": "The service's own: who else reads from it takes messages away from the shop.",
        "servers": servers(),
        "messages": messages_of(&received(queue)),
        "bindings": { "amqp": {
            "is": "queue",
            "queue": {
                "name": queue.name(), "durable": true, "exclusive": false, "autoDelete": false, "vhost": "/",
            },
            "bindingVersion": BINDING,
            "x-queue-type": "quorum",
            "x-bound-to": { "exchange": queue.exchange.name(), "routing_keys": queue.routing_keys },
            "x-dead-letter-exchange": queue.dead_letter_exchange(),
            "x-dead-letter-queue": queue.dead_letter_queue(),
        } },
    })
}

fn send(event: &EventKind) -> Value {
    let EventKind { event_type, exchange, routing_key, .. } = event;
    json!({
        "action": "send",
        "title": format!("{} publishes {event_type}", exchange.publisher()),
        "channel": { "$ref": channel(exchange.name()) },
        "messages": [{ "$ref": message_of(exchange.name(), event) }],
        "tags": [{ "name": exchange.publisher() }],
        "bindings": { "amqp": {
            "cc": [routing_key], "deliveryMode": 2, "mandatory": true, "bindingVersion": BINDING,
        } },
    })
}

fn receive(queue: &Queue) -> Value {
    let messages = received(queue);
    let messages: Vec<Value> =
        messages.iter().map(|event| json!({ "$ref": message_of(&queue.name(), event) })).collect();
    json!({
        "action": "receive",
        "title": format!("{} consumes {}", queue.service, queue.exchange),
        "channel": { "$ref": channel(&queue.name()) },
        "messages": messages,
        "tags": [{ "name": queue.service }],
        "bindings": { "amqp": { "ack": true, "bindingVersion": BINDING } },
    })
}

fn received(queue: &Queue) -> Vec<&'static EventKind> {
    EVENTS.iter().filter(|event| queue.receives(event)).collect()
}

fn messages_of(events: &[&EventKind]) -> Map<String, Value> {
    let named = events.iter().map(|event| messages::name(event));
    named.map(|name| (name.clone(), json!({ "$ref": format!("#/components/messages/{name}") }))).collect()
}

fn servers() -> Value {
    json!([{ "$ref": "#/servers/rabbitmq" }])
}

fn channel(name: &str) -> String {
    format!("#/channels/{name}")
}

fn message_of(channel_name: &str, event: &EventKind) -> String {
    format!("{}/messages/{}", channel(channel_name), messages::name(event))
}
