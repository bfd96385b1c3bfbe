//! The operations of the shop of the tests: each act is refused, since only who asked for it is looked at.

use async_trait::async_trait;
use operations::{
    Act, ActFilter, DeadLetterDetail, DeadLetterFilter, DeadLetters, Delivery, DiscardDeadLetters, DiscardEvent,
    EventFilter, Handled, OperationsApi, Outbox, OutboxFilter, Queue, RecordedEvent, Selection, UnsentDetail,
    UnsentEvent,
};
use service::{Caller, Error, Page, PageQuery};
use uuid::Uuid;

use crate::shop::{Shop, outside};

fn gone<T>() -> Result<T, Error> {
    Err(Error::not_found("event_not_found", "somebody else was quicker"))
}

#[async_trait]
impl OperationsApi for Shop {
    async fn outbox(&self, _: &Caller, _: OutboxFilter, _: PageQuery) -> Result<Outbox, Error> {
        outside()
    }
    async fn unsent_event(&self, _: &Caller, _: Uuid) -> Result<UnsentDetail, Error> {
        outside()
    }
    async fn retry_event(&self, caller: &Caller, _: Uuid) -> Result<UnsentEvent, Error> {
        self.called(caller, "retry_event")?;
        gone()
    }
    async fn discard_event(&self, caller: &Caller, _: Uuid, _: DiscardEvent) -> Result<UnsentEvent, Error> {
        self.called(caller, "discard_event")?;
        gone()
    }
    async fn dead_letters(&self, _: &Caller, _: DeadLetterFilter, _: PageQuery) -> Result<DeadLetters, Error> {
        outside()
    }
    async fn dead_letter(&self, _: &Caller, _: &str, _: Uuid) -> Result<DeadLetterDetail, Error> {
        outside()
    }
    async fn replay(&self, caller: &Caller, _: Selection) -> Result<Handled, Error> {
        self.called(caller, "replay")?;
        gone()
    }
    async fn discard(&self, caller: &Caller, _: DiscardDeadLetters) -> Result<Handled, Error> {
        self.called(caller, "discard")?;
        gone()
    }
    async fn acts(&self, _: &Caller, _: ActFilter, _: PageQuery) -> Result<Page<Act>, Error> {
        outside()
    }
    async fn events(&self, _: &Caller, _: EventFilter, _: PageQuery) -> Result<Page<RecordedEvent>, Error> {
        outside()
    }
    async fn deliveries(&self, _: &Caller, _: &[Uuid]) -> Result<Vec<Delivery>, Error> {
        outside()
    }
    async fn queues(&self, _: &Caller) -> Result<Vec<Queue>, Error> {
        outside()
    }
}
