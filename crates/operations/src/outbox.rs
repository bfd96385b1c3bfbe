//! Unsent events, and the trail of acts.

use database::Connection;
use database::audit::{self, Operator};
use database::history;
use database::outbox::{self, Which};
use events::EventId;
use service::{Caller, Error, Page, PageQuery};
use uuid::Uuid;

use crate::handlers::operator;
use crate::{Act, ActFilter, Operations, Outbox, OutboxFilter, OutboxStatus, UnsentDetail, UnsentEvent, UnsentStatus};

/// What is done to a failed event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settle {
    Retry,
    Discard,
}

impl Operations {
    /// How the outbox stands.
    pub async fn outbox_status(&self) -> Result<OutboxStatus, Error> {
        let db = self.database.read().await?;
        Ok(OutboxStatus::of(self.service, outbox::backlog(&db).await?))
    }

    /// How the outbox stands, and a page of what it holds.
    pub async fn unsent(&self, filter: &OutboxFilter, page: &PageQuery) -> Result<Outbox, Error> {
        let which = match filter.status {
            None => Which::Unsent,
            Some(UnsentStatus::Pending) => Which::Pending,
            Some(UnsentStatus::Failed) => Which::Failed,
        };
        let db = self.database.read().await?;
        let rows = outbox::list(&db, which, filter.about, page.after()?, page.rows()?).await?;
        let status = OutboxStatus::of(self.service, outbox::backlog(&db).await?);
        let page = Page::new(page, rows, |row| row.event_id)?.map(|row| UnsentEvent::of(self.service, row));
        Ok(Outbox { status, items: page.items, next_cursor: page.next_cursor })
    }

    /// One unsent event, with its message.
    pub(crate) async fn unsent_detail(&self, event_id: Uuid) -> Result<UnsentDetail, Error> {
        let id = EventId(event_id);
        let db = self.database.read().await?;
        let unsent = find(&db, id).await?.ok_or_else(not_found)?;
        let recorded = history::recorded(&db, history::Which::One(id), None, 1).await?;
        let body = recorded.into_iter().next().ok_or_else(not_found)?.envelope;
        Ok(UnsentDetail { event: UnsentEvent::of(self.service, unsent), body })
    }

    /// Lets failed events be sent again; returns those that were failed.
    pub async fn retry_unsent(&self, caller: &Caller, events: Vec<EventId>) -> Result<Vec<EventId>, Error> {
        let operator = operator(caller, None)?;
        self.database.write(move |tx| Box::pin(async move { Ok(outbox::retry(tx, &operator, &events).await?) })).await
    }

    /// Gives up sending failed events; returns those that were failed.
    pub async fn discard_unsent(
        &self,
        caller: &Caller,
        events: Vec<EventId>,
        reason: &str,
    ) -> Result<Vec<EventId>, Error> {
        let operator = operator(caller, Some(reason))?;
        self.database.write(move |tx| Box::pin(async move { Ok(outbox::discard(tx, &operator, &events).await?) })).await
    }

    /// What operators did, newest first.
    pub async fn trail(&self, filter: &ActFilter, page: &PageQuery) -> Result<Page<Act>, Error> {
        let db = self.database.read().await?;
        let rows = audit::list(&db, filter.about, page.after()?, page.rows()?).await?;
        Ok(Page::new(page, rows, |act| act.id)?.map(|act| Act::of(self.service, act)))
    }
}

/// Settles one failed event in the open transaction; answers it as it stands then, or as it stood.
pub(crate) async fn settle(
    tx: &Connection,
    service: &str,
    operator: &Operator,
    event_id: Uuid,
    how: Settle,
) -> Result<UnsentEvent, Error> {
    let id = EventId(event_id);
    let before = find(tx, id).await?.ok_or_else(not_found)?;
    let settled = match how {
        Settle::Retry => outbox::retry(tx, operator, &[id]).await?,
        Settle::Discard => outbox::discard(tx, operator, &[id]).await?,
    };
    if settled.is_empty() {
        let message = "this event is still being sent; only one that failed can be retried or discarded";
        return Err(Error::conflict("event_not_failed", message));
    }
    let shown = match how {
        Settle::Retry => find(tx, id).await?.ok_or_else(not_found)?,
        Settle::Discard => before,
    };
    Ok(UnsentEvent::of(service, shown))
}

async fn find(db: &Connection, id: EventId) -> Result<Option<outbox::Unsent>, Error> {
    let found = outbox::list(db, Which::Unsent, Some(id.uuid()), None, 1).await?;
    Ok(found.into_iter().find(|unsent| unsent.event_id == id))
}

fn not_found() -> Error {
    Error::not_found("event_not_found", "the outbox holds no such event: it was sent, or it never was there")
}
