//! The reports, built again from the archive, while they are shown and events come in.
//!
//! A second generation of facts and figures grows beside the one that is shown: page by page from the archive, each page
//! in a transaction of its own, and what consumers record meanwhile goes into both. Merging does not depend on order, and
//! what comes twice changes nothing; so when the archive has been read, the new generation is exact, and is shown.
//! Whoever stops, or dies, leaves the old one.

use analytics_client::Rebuild;
use database::audit::{self, Action, Operator, Subject};
use database::{Connection, Database};
use events::{DecodeError, Envelope, EventId};
use uuid::Uuid;

use crate::Analytics;
use crate::changes::News;
use crate::consumers::{RecordError, merge};
use crate::repository::{self, Generations};

/// Events that are held in memory at a time.
const PAGE: i64 = 2000;
const REBUILD_REPORTS: Action = Action::named("reports.rebuild");

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

/// How a rebuilding ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rebuilt {
    /// The new figures are shown.
    Shown,
    /// It was stopped, or another one begun: the old figures stay.
    GivenUp,
}

/// Whether to go on, after each page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// With the next page.
    Go,
    /// Not at all.
    Stop,
}

impl Analytics {
    /// Builds the reports again, and hears after each page whether to go on.
    pub async fn rebuild(&self, actor: String, mut told: impl FnMut(Rebuild) -> Next) -> Result<Rebuilt, RebuildError> {
        let database = &self.database;
        let begun = database.write(move |tx| Box::pin(async move { begin(tx, &actor).await })).await?;
        if told(shown(&begun)) == Next::Stop {
            stop(database, begun.building).await?;
        }
        continue_with(database, begun, told).await
    }
}

/// Begins a generation, and notes who wanted it.
pub(crate) async fn begin(tx: &Connection, actor: &str) -> Result<Generations, database::Error> {
    let begun = repository::begin_generation(tx, actor).await?;
    let subject = Subject::new(Uuid::now_v7());
    let operator = Operator { actor: actor.to_owned(), reason: None };
    audit::record(tx, &operator, REBUILD_REPORTS, &[subject], audit::Outcome::Done).await?;
    Ok(begun)
}

/// Gives up this generation, or without one whatever is being built; whether there was something.
pub(crate) async fn stop(database: &Database, generation: Option<i32>) -> Result<bool, database::Error> {
    database.write(move |tx| Box::pin(async move { repository::give_up(tx, generation).await })).await
}

/// Builds a generation that has begun, shows it, and removes what is not shown any more.
pub(crate) async fn continue_with(
    database: &Database,
    begun: Generations,
    mut told: impl FnMut(Rebuild) -> Next,
) -> Result<Rebuilt, RebuildError> {
    let Some(generation) = begun.building else { return Ok(Rebuilt::GivenUp) };
    let built = build(database, generation, &mut told).await;
    if built.is_err() {
        stop(database, Some(generation)).await?;
    }
    database.write(|tx| Box::pin(async move { repository::prune(tx).await })).await?;
    built
}

async fn build(
    database: &Database,
    generation: i32,
    told: &mut impl FnMut(Rebuild) -> Next,
) -> Result<Rebuilt, RebuildError> {
    let mut after = EventId(Uuid::nil());
    loop {
        let page = database.write(move |tx| Box::pin(async move { read_on(tx, generation, after).await })).await?;
        match page {
            Page::GivenUp => return Ok(Rebuilt::GivenUp),
            Page::Read(last, state) => {
                after = last;
                if told(shown(&state)) == Next::Stop {
                    stop(database, Some(generation)).await?;
                }
            }
            Page::End => break,
        }
    }
    let is_shown = database.write(move |tx| Box::pin(async move { repository::show(tx, generation).await })).await?;
    Ok(if is_shown { Rebuilt::Shown } else { Rebuilt::GivenUp })
}

enum Page {
    /// Up to this event.
    Read(EventId, Generations),
    /// There is no more.
    End,
    /// Somebody does not want this generation any more.
    GivenUp,
}

/// Reads a page of the archive into a generation.
async fn read_on(tx: &Connection, generation: i32, after: EventId) -> Result<Page, RebuildError> {
    let page = repository::read_archive(tx, after, PAGE).await?;
    let Some(last) = page.last().map(|archived| archived.event_id) else { return Ok(Page::End) };
    let envelopes: Result<Vec<Envelope>, _> =
        page.iter().map(|archived| Envelope::parse(archived.envelope.as_bytes())).collect();
    let news = News::read(&envelopes?)?;
    let (generations, known) = repository::lock_and_load(tx, &news.ids()).await?;
    if generations.building != Some(generation) {
        return Ok(Page::GivenUp);
    }
    merge(tx, generation, &known, news).await?;
    let read = i64::try_from(page.len()).unwrap_or(PAGE);
    repository::move_on(tx, generation, read).await?;
    Ok(Page::Read(last, Generations { done: generations.done + read, ..generations }))
}

/// How a rebuilding is told to others.
pub(crate) fn shown(generations: &Generations) -> Rebuild {
    Rebuild {
        running: generations.building.is_some(),
        events_read: generations.done,
        events: generations.wanted,
        actor: generations.actor.clone(),
        began_at: generations.began_at,
        moved_at: generations.moved_at,
    }
}
