//! What operators do at three in the morning, the same for every service: look at dead letters and unsent events,
//! replay, retry or discard them, and read who did so. Mounted under `/admin` of each service that has a database;
//! the command line uses [`Operations`] directly.
//!
//! Nothing is changed in a message: events are immutable. What is wrong is mended in code or data, then replayed.

mod api;
mod dead_letters;
mod handlers;
mod history;
mod http;
mod outbox;
mod sampling;
mod trace;
mod types;

use std::sync::Arc;

use async_trait::async_trait;
use database::Database;
use events::topology::{self, QUEUES};
use messaging::Transport;
use service::{Caller, Error, Page, PageQuery};
use uuid::Uuid;

pub use api::router;
pub use history::MOST_DELIVERIES;
pub use http::Http;
pub use sampling::sample;
pub use trace::trace;
pub use types::*;

/// Tables that this needs in a service's schema.
pub const TABLES: &[&str] = &["operator_acts", "failed_attempts"];

/// Every SQL statement, by name.
pub fn statements() -> Vec<(&'static str, &'static str)> {
    [database::attempts::ALL, database::audit::ALL, database::history::ALL, database::outbox::ALL].concat()
}

/// An operator's view of one service. Every operation needs the role admin.
#[async_trait]
pub trait OperationsApi: Send + Sync {
    /// How the outbox stands, and what it holds, oldest first.
    async fn outbox(&self, caller: &Caller, filter: OutboxFilter, page: PageQuery) -> Result<Outbox, Error>;

    /// One unsent event, with the whole message. Errors: `event_not_found`.
    async fn unsent_event(&self, caller: &Caller, event_id: Uuid) -> Result<UnsentDetail, Error>;

    /// Lets a failed event be sent again. Errors: `event_not_found`, `event_not_failed`.
    async fn retry_event(&self, caller: &Caller, event_id: Uuid) -> Result<UnsentEvent, Error>;

    /// Gives up sending a failed event. Errors: `event_not_found`, `event_not_failed`.
    async fn discard_event(&self, caller: &Caller, event_id: Uuid, input: DiscardEvent) -> Result<UnsentEvent, Error>;

    /// Dead letters of the service's queues, oldest first. Errors: `queue_not_found`.
    async fn dead_letters(
        &self,
        caller: &Caller,
        filter: DeadLetterFilter,
        page: PageQuery,
    ) -> Result<DeadLetters, Error>;

    /// One dead letter, with the whole message. Errors: `queue_not_found`, `dead_letter_not_found`.
    async fn dead_letter(&self, caller: &Caller, queue: &str, id: Uuid) -> Result<DeadLetterDetail, Error>;

    /// Puts dead letters back into their queues. Errors: `queue_not_found`.
    async fn replay(&self, caller: &Caller, selection: Selection) -> Result<Handled, Error>;

    /// Throws dead letters away. Errors: `queue_not_found`.
    async fn discard(&self, caller: &Caller, input: DiscardDeadLetters) -> Result<Handled, Error>;

    /// What operators did, newest first.
    async fn acts(&self, caller: &Caller, filter: ActFilter, page: PageQuery) -> Result<Page<Act>, Error>;

    /// Events that this service recorded: those of a saga, or one.
    async fn events(&self, caller: &Caller, filter: EventFilter, page: PageQuery)
    -> Result<Page<RecordedEvent>, Error>;

    /// What became of these events in this service's queues, at most [`MOST_DELIVERIES`]. Nothing is said of those that
    /// it neither applied nor tried.
    async fn deliveries(&self, caller: &Caller, events: &[Uuid]) -> Result<Vec<Delivery>, Error>;

    /// How much waits in this service's queues.
    async fn queues(&self, caller: &Caller) -> Result<Vec<Queue>, Error>;
}

/// The operator's hand on one service, in this process.
pub struct Operations {
    service: &'static str,
    database: Database,
    transport: Transport,
}

impl Operations {
    /// Over a service's own database and transport.
    pub fn new(service: &'static str, database: Database, transport: Transport) -> Arc<Operations> {
        Arc::new(Operations { service, database, transport })
    }

    /// The service's name.
    pub fn service(&self) -> &'static str {
        self.service
    }

    /// The service's queues; or the one of this name, or whose dead-letter queue has it.
    fn own_queues(&self, named: Option<&str>) -> Result<Vec<&'static topology::Queue>, Error> {
        let own = QUEUES.iter().filter(|queue| queue.service == self.service);
        let Some(name) = named else { return Ok(own.collect()) };
        let found = own.clone().find(|queue| queue.name() == name || queue.dead_letter_queue() == name);
        found
            .map(|queue| vec![queue])
            .ok_or_else(|| Error::not_found("queue_not_found", format!("{} has no queue of this name", self.service)))
    }
}
