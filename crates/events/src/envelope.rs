//! The envelope around every event.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::topology::Exchange;
use crate::{CorrelationId, EventId};

/// A fact that a service publishes. Past tense, immutable, self-contained.
pub trait Event: Serialize + DeserializeOwned + ToSchema + Send + Sync {
    /// Its name, e.g. `OrderPlaced`.
    const TYPE: &'static str;
    /// Version of the payload's shape.
    const VERSION: &'static str;
    /// What kind of thing it is about.
    const AGGREGATE_TYPE: &'static str;
    /// Where it is published.
    const EXCHANGE: Exchange;
    /// With which routing key.
    const ROUTING_KEY: &'static str;
    /// Which thing it is about.
    fn aggregate_id(&self) -> Uuid;
}

/// Implements [`Event`] for a payload: type, exchange, routing key, aggregate and its id field.
macro_rules! event {
    ($name:ident, $exchange:ident, $key:literal, $aggregate:literal, $id:ident) => {
        impl crate::Event for $name {
            const TYPE: &'static str = stringify!($name);
            const VERSION: &'static str = "1";
            const AGGREGATE_TYPE: &'static str = $aggregate;
            const EXCHANGE: crate::topology::Exchange = crate::topology::Exchange::$exchange;
            const ROUTING_KEY: &'static str = $key;
            fn aggregate_id(&self) -> uuid::Uuid {
                self.$id.uuid()
            }
        }
    };
}
pub(crate) use event;

/// An event as it travels: who, what, when, why, and the payload still unparsed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Envelope {
    /// Unique; consumers recognise duplicates by it.
    pub event_id: EventId,
    /// Name of the event, e.g. `OrderPlaced`.
    pub event_type: String,
    /// Kind of thing it is about, e.g. `order`.
    pub aggregate_type: String,
    /// The thing it is about.
    pub aggregate_id: Uuid,
    /// Version of that thing after the event; projections write only newer ones.
    pub aggregate_version: i64,
    /// One per saga, from checkout to its last event.
    pub correlation_id: CorrelationId,
    /// The event that caused this one, if one did.
    pub causation_id: Option<EventId>,
    /// Version of the payload's shape.
    pub version: String,
    /// When it happened.
    pub timestamp: DateTime<Utc>,
    /// The service that says so.
    pub source: String,
    /// What happened, in the shape of its type and version.
    #[schema(value_type = Object)]
    pub payload: Box<RawValue>,
}

/// Why a message cannot be read. None of these gets better by retrying.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not JSON, or not an envelope.
    #[error("malformed envelope: {0}")]
    Envelope(serde_json::Error),
    /// Nobody here knows that event.
    #[error("unknown event type `{0}`")]
    UnknownType(String),
    /// The event is known, this version of it is not.
    #[error("unknown version `{version}` of event `{event_type}`")]
    UnknownVersion {
        /// Name of the event.
        event_type: String,
        /// The version it carries.
        version: String,
    },
    /// The payload does not have the shape of its version.
    #[error("malformed payload of `{event_type}`: {error}")]
    Payload {
        /// Name of the event.
        event_type: String,
        /// What serde says.
        error: serde_json::Error,
    },
}

impl Envelope {
    /// Parses the bytes of a message.
    pub fn parse(body: &[u8]) -> Result<Envelope, DecodeError> {
        serde_json::from_slice(body).map_err(DecodeError::Envelope)
    }

    /// Is it this event, whatever the version?
    pub fn is<E: Event>(&self) -> bool {
        self.event_type == E::TYPE
    }

    /// Parses the payload. The one place where older versions would be upcast.
    ///
    /// Errors: the type is another, the version is not known, the payload is malformed.
    pub fn decode<E: Event>(&self) -> Result<E, DecodeError> {
        if !self.is::<E>() {
            return Err(DecodeError::UnknownType(self.event_type.clone()));
        }
        if self.version != E::VERSION {
            return Err(DecodeError::UnknownVersion {
                event_type: self.event_type.clone(),
                version: self.version.clone(),
            });
        }
        serde_json::from_str(self.payload.get())
            .map_err(|error| DecodeError::Payload { event_type: self.event_type.clone(), error })
    }
}

/// An event that is about to be recorded: its envelope and where it will be published.
#[derive(Debug, Clone)]
pub struct Draft {
    /// What will be published.
    pub envelope: Envelope,
    /// To which exchange.
    pub exchange: Exchange,
    /// With which routing key.
    pub routing_key: &'static str,
}

impl Draft {
    /// Wraps a payload. `aggregate_version` is the version of the aggregate after the change.
    ///
    /// # Panics
    /// Never for the payloads of this crate: they hold no maps with odd keys, so they serialise.
    pub fn new<E: Event>(event: &E, aggregate_version: i64, correlation_id: CorrelationId, source: &str) -> Draft {
        let payload = serde_json::value::to_raw_value(event).expect("payloads of this crate serialise");
        Draft {
            envelope: Envelope {
                event_id: EventId::new(),
                event_type: E::TYPE.to_owned(),
                aggregate_type: E::AGGREGATE_TYPE.to_owned(),
                aggregate_id: event.aggregate_id(),
                aggregate_version,
                correlation_id,
                causation_id: None,
                version: E::VERSION.to_owned(),
                timestamp: Utc::now(),
                source: source.to_owned(),
                payload,
            },
            exchange: E::EXCHANGE,
            routing_key: E::ROUTING_KEY,
        }
    }

    /// Names the event that caused this one.
    pub fn caused_by(mut self, cause: EventId) -> Draft {
        self.envelope.causation_id = Some(cause);
        self
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::CartId;
    use crate::cart::CartCleared;

    fn draft() -> Draft {
        Draft::new(&CartCleared { cart_id: CartId::new() }, 7, CorrelationId::new(), "cart")
    }

    #[test]
    fn an_envelope_has_the_fields_that_are_promised() {
        let cause = draft().envelope.event_id;
        let envelope = draft().caused_by(cause).envelope;
        let sent = serde_json::to_value(&envelope).expect("JSON");
        let fields: BTreeSet<&str> = sent.as_object().expect("an object").keys().map(String::as_str).collect();
        let promised = [
            "event_id",
            "event_type",
            "aggregate_type",
            "aggregate_id",
            "aggregate_version",
            "correlation_id",
            "causation_id",
            "version",
            "timestamp",
            "source",
            "payload",
        ];
        assert_eq!(fields, promised.into());
        assert_eq!(sent["version"], Value::from("1"), "a string");
        assert_eq!(sent["causation_id"], Value::from(cause.to_string()));
        assert_eq!(envelope.event_id.uuid().get_version_num(), 7);
        let text = serde_json::to_vec(&sent).expect("JSON");
        let read = Envelope::parse(&text).expect("an envelope").decode::<CartCleared>().expect("readable");
        assert_eq!(read.cart_id.uuid(), envelope.aggregate_id, "self-contained");
    }

    #[test]
    fn what_this_release_cannot_read_says_what_it_is() {
        let unknown = Envelope { version: "99".to_owned(), ..draft().envelope };
        let error = unknown.decode::<CartCleared>().expect_err("nobody reads it").to_string();
        assert_eq!(error, "unknown version `99` of event `CartCleared`");
    }
}
