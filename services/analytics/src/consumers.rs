//! Event -> archive -> what is known -> figures.

use std::time::Duration;

use async_trait::async_trait;
use database::Connection;
use events::Envelope;
use messaging::{Handler, HandlerError};

use crate::changes::News;
use crate::facts::{self, CartFacts, OrderFacts, Tally};
use crate::repository::{self, Known};

/// Figures may be this old: orders do not share their cores with one transaction per event.
const REST: Duration = Duration::from_millis(250);

/// Archives events and keeps the reports. Its idempotency record lies in the same transaction, and what repeats under
/// a new id is merged: figures are exact.
pub(crate) struct Recorder;

#[async_trait]
impl Handler for Recorder {
    async fn handle(&self, tx: &Connection, batch: &[Envelope]) -> Result<(), HandlerError> {
        let news = News::read(batch)?;
        repository::archive(tx, batch).await?;
        Ok(record(tx, news).await?)
    }

    fn rest(&self) -> Duration {
        REST
    }
}

/// Why figures could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    #[error(transparent)]
    Database(#[from] database::Error),
    #[error("the state of an order or a cart cannot be read: {0}; rebuild the reports")]
    State(#[from] serde_json::Error),
}

impl From<RecordError> for HandlerError {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Database(error) => error.into(),
            RecordError::State(_) => HandlerError::Retry(error.to_string()),
        }
    }
}

/// Brings facts and figures of all growing generations up to date. One writer at a time: what is read stays true until
/// it is written.
pub(crate) async fn record(tx: &Connection, news: News) -> Result<(), RecordError> {
    let ids = news.ids();
    if ids.is_empty() {
        return Ok(());
    }
    let (generations, known) = repository::lock_and_load(tx, &ids).await?;
    for generation in generations.growing() {
        merge(tx, generation, &known, news.clone()).await?;
    }
    Ok(())
}

/// Brings one generation up to date, of whose things `known` is what is known.
pub(crate) async fn merge(tx: &Connection, generation: i32, known: &Known, news: News) -> Result<(), RecordError> {
    let (mut tally, mut changed) = (Tally::default(), Vec::new());
    let known = |id| known.get(&(generation, id)).map(String::as_str);
    for (id, changes) in news.orders {
        let state = facts::merge::<OrderFacts>(known(id), changes, &mut tally)?;
        changed.extend(state.map(|state| (id, state)));
    }
    for (id, changes) in news.carts {
        let state = facts::merge::<CartFacts>(known(id), changes, &mut tally)?;
        changed.extend(state.map(|state| (id, state)));
    }
    Ok(repository::store(tx, generation, &changed, &tally).await?)
}
