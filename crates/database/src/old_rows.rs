//! What is done once to each row that is old enough, such as forgetting an address: a walk over the ids, once a day.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{Connection, Database, Error};

/// Nothing is urgent here.
const EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// The old rows of a table, in the order of their ids, which are UUIDv7: that of time. It needs no index of its own.
///
/// A walk begins where the one before found the first row that could not be done yet; what lies before is done and never
/// read again. That place is kept in memory: a process that starts looks at all once.
#[derive(Debug)]
pub struct OldRows {
    statement: &'static str,
    days: i32,
    begin_after: Mutex<Uuid>,
}

impl OldRows {
    /// `statement` does one page: those rows after the id `$1` that are older than `$2` days. It answers one row: `last`,
    /// the last id of the page (NULL if it is empty); `waits`, the first one that has to be looked at again (NULL if
    /// none has); and `done`, how many it changed.
    pub fn new(statement: &'static str, days: i32) -> OldRows {
        OldRows { statement, days, begin_after: Mutex::new(Uuid::nil()) }
    }

    /// Walks to the end; returns how many rows it changed. What changes under its feet is left to the next walk.
    pub async fn walk<E: From<Error>>(&self, database: &Database) -> Result<i64, E> {
        let mut after = *self.begin_after.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut waits, mut done) = (None, 0);
        loop {
            let (statement, days) = (self.statement, self.days);
            let page: Page = database
                .write_statement(move |db| Box::pin(async move { page(db, statement, after, days).await }))
                .await
                .map_err(E::from)?;
            done += page.done;
            waits = waits.or(page.waits);
            match page.last {
                Some(last) => after = last,
                None => break,
            }
        }
        *self.begin_after.lock().unwrap_or_else(PoisonError::into_inner) = waits.map_or(after, just_before);
        Ok(done)
    }

    /// Walks at the start and every day, until `shutdown`. `what` says what was done, in the log.
    pub async fn walk_daily(&self, database: &Database, what: &'static str, shutdown: &CancellationToken) {
        loop {
            match self.walk::<Error>(database).await {
                Ok(0) => {}
                Ok(rows) => tracing::info!(rows, what, "old rows are done"),
                Err(error) => tracing::warn!(%error, what, "old rows could not be done; the next walk tries again"),
            }
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = shutdown.cancelled() => return,
            }
        }
    }
}

struct Page {
    last: Option<Uuid>,
    waits: Option<Uuid>,
    done: i64,
}

async fn page(db: &Connection, statement: &'static str, after: Uuid, days: i32) -> Result<Page, Error> {
    let row = db.query_one(statement, &[&after, &days]).await?;
    Ok(Page { last: row.get("last"), waits: row.get("waits"), done: row.get("done") })
}

fn just_before(id: Uuid) -> Uuid {
    Uuid::from_u128(id.as_u128().saturating_sub(1))
}
