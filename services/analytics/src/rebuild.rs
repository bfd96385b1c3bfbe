//! The reports, built again from the archive.

use events::{DecodeError, Envelope, EventId};
use uuid::Uuid;

use crate::Analytics;
use crate::changes::News;
use crate::consumers::{RecordError, record};
use crate::repository;

/// Events that are held in memory at a time.
const PAGE: i64 = 2000;

/// Why the reports could not be rebuilt; they are as they were.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// The database failed.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// This release cannot read an archived event.
    #[error("an archived event cannot be read: {0}")]
    Event(#[from] DecodeError),
    /// What was just written cannot be read.
    #[error("facts cannot be kept: {0}")]
    State(serde_json::Error),
}

impl From<RecordError> for RebuildError {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Database(error) => RebuildError::Database(error),
            RecordError::State(error) => RebuildError::State(error),
        }
    }
}

impl Analytics {
    /// Throws all figures away and builds them from the archive, in one transaction: readers see the old ones until
    /// then, consumers wait. Returns how many events there were.
    pub async fn rebuild(&self) -> Result<usize, RebuildError> {
        self.database
            .write(|tx| {
                Box::pin(async move {
                    repository::lock_and_forget(tx).await?;
                    let (mut after, mut count) = (EventId(Uuid::nil()), 0);
                    loop {
                        let page = repository::read_archive(tx, after, PAGE).await?;
                        let Some(last) = page.last() else { return Ok(count) };
                        after = last.event_id;
                        count += page.len();
                        let envelopes: Vec<Envelope> = page
                            .iter()
                            .map(|archived| Envelope::parse(archived.envelope.as_bytes()))
                            .collect::<Result<_, _>>()?;
                        record(tx, News::read(&envelopes)?).await?;
                    }
                })
            })
            .await
    }
}
