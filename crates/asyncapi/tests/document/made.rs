//! The document, made of what stands in [`events`]: an event is described as soon as it is in the topology.

use serde_json::{Value, json};

use crate::channels;
use crate::messages::Messages;

/// What a reader has to know beside shapes and names.
const DESCRIPTION: &str = "\
What happens in the shop, told by the service in which it happens. Each event is recorded in the transaction of the \
change it tells of, and published after its commit.

- **At least once.** A copy of an event has its `event_id`: remember what was applied, and skip it.
- **In no order.** Decide by `aggregate_version`, which counts the changes of the thing with `aggregate_id`: write only \
what is newer.
- **Immutable.** An event of another shape is another `version`. Refuse types and versions that are not known, and \
ignore fields that are not.
- **Listen with a queue of your own**: declare it, and bind it to the exchanges with the routing keys that matter. The \
queues below belong to the services; who reads from one takes messages away from the shop.

In AMQP's properties, `message_id` is the `event_id`, `correlation_id` that of the body, `content_type` is \
`application/json`, and messages are persistent.";

/// The document.
pub fn document() -> Value {
    let Messages { messages, schemas } = Messages::of_all_events();
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Prost: events",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": { "name": env!("CARGO_PKG_LICENSE") },
        },
        "defaultContentType": "application/json",
        "servers": { "rabbitmq": server() },
        "channels": channels::channels(),
        "operations": channels::operations(),
        "components": {
            "schemas": schemas,
            "messages": messages,
            "correlationIds": {
                "saga": {
                    "description": "One per saga, from checkout to its last event.",
                    "location": "$message.payload#/correlation_id",
                },
            },
            "securitySchemes": { "login": { "type": "userPassword", "description": "A user of the broker." } },
        },
    })
}

fn server() -> Value {
    json!({
        "host": "{host}",
        "pathname": "/{vhost}",
        "protocol": "amqp",
        "protocolVersion": "0.9.1",
        "title": "RabbitMQ",
        "description": "The broker that AMQP_URL names. A shop without one carries the same messages, under the same \
                        names, in its PostgreSQL, for its own services alone.",
        "variables": {
            "host": { "default": "localhost:5672", "description": "Host and port of AMQP_URL." },
            "vhost": { "default": "%2F", "description": "The virtual host in which the services meet." },
        },
        "security": [{ "$ref": "#/components/securitySchemes/login" }],
    })
}
