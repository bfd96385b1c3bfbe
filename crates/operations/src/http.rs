//! Another process's operations over HTTP.

use async_trait::async_trait;
use serde::Serialize;
use service::{Caller, ConfigError, Error, HttpClient, Page, PageQuery};
use uuid::Uuid;

use crate::{
    Act, ActFilter, DeadLetterDetail, DeadLetterFilter, DeadLetters, Delivery, DeliveryFilter, DiscardDeadLetters,
    DiscardEvent, EventFilter, Handled, OperationsApi, Outbox, OutboxFilter, Queue, RecordedEvent, Selection,
    UnsentDetail, UnsentEvent,
};

/// A service in another process.
pub struct Http {
    http: HttpClient,
}

impl Http {
    /// Asks the service at `base_url`.
    pub fn new(service: &'static str, base_url: &str) -> Result<Http, ConfigError> {
        Ok(Http { http: HttpClient::new(service, base_url)? })
    }
}

/// A filter and a page in one query string.
#[derive(Serialize)]
struct Filtered<'a, F> {
    #[serde(flatten)]
    filter: &'a F,
    #[serde(flatten)]
    page: &'a PageQuery,
}

#[async_trait]
impl OperationsApi for Http {
    async fn outbox(&self, caller: &Caller, filter: OutboxFilter, page: PageQuery) -> Result<Outbox, Error> {
        self.http.get(caller, "/admin/outbox").query(&Filtered { filter: &filter, page: &page }).send().await
    }

    async fn unsent_event(&self, caller: &Caller, event_id: Uuid) -> Result<UnsentDetail, Error> {
        self.http.get(caller, &format!("/admin/outbox/{event_id}")).send().await
    }

    async fn retry_event(&self, caller: &Caller, event_id: Uuid) -> Result<UnsentEvent, Error> {
        self.http.post(caller, &format!("/admin/outbox/{event_id}/retry")).send().await
    }

    async fn discard_event(&self, caller: &Caller, event_id: Uuid, input: DiscardEvent) -> Result<UnsentEvent, Error> {
        self.http.post(caller, &format!("/admin/outbox/{event_id}/discard")).json(&input).send().await
    }

    async fn dead_letters(
        &self,
        caller: &Caller,
        filter: DeadLetterFilter,
        page: PageQuery,
    ) -> Result<DeadLetters, Error> {
        self.http.get(caller, "/admin/dlq").query(&Filtered { filter: &filter, page: &page }).send().await
    }

    async fn dead_letter(&self, caller: &Caller, queue: &str, id: Uuid) -> Result<DeadLetterDetail, Error> {
        // A queue's name is part of the path: nothing but names of ours may get there.
        let is_name = queue.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
        if !is_name {
            return Err(Error::not_found("queue_not_found", "there is no queue of this name"));
        }
        self.http.get(caller, &format!("/admin/dlq/{queue}/{id}")).send().await
    }

    async fn replay(&self, caller: &Caller, selection: Selection) -> Result<Handled, Error> {
        self.http.post(caller, "/admin/dlq/replay").json(&selection).send().await
    }

    async fn discard(&self, caller: &Caller, input: DiscardDeadLetters) -> Result<Handled, Error> {
        self.http.post(caller, "/admin/dlq/discard").json(&input).send().await
    }

    async fn acts(&self, caller: &Caller, filter: ActFilter, page: PageQuery) -> Result<Page<Act>, Error> {
        self.http.get(caller, "/admin/audit").query(&Filtered { filter: &filter, page: &page }).send().await
    }

    async fn events(
        &self,
        caller: &Caller,
        filter: EventFilter,
        page: PageQuery,
    ) -> Result<Page<RecordedEvent>, Error> {
        self.http.get(caller, "/admin/events").query(&Filtered { filter: &filter, page: &page }).send().await
    }

    async fn deliveries(&self, caller: &Caller, events: &[Uuid]) -> Result<Vec<Delivery>, Error> {
        let event_ids = events.iter().map(Uuid::to_string).collect::<Vec<_>>().join(",");
        self.http.get(caller, "/admin/deliveries").query(&DeliveryFilter { event_ids }).send().await
    }

    async fn queues(&self, caller: &Caller) -> Result<Vec<Queue>, Error> {
        self.http.get(caller, "/admin/queues").send().await
    }
}
