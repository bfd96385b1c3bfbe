//! Acts on dead letters: find them, record the act, do it, record that it is done.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use database::audit::{self, Action, Operator, Outcome, Subject};
use messaging::TransportError;
use service::{Caller, Error, PageQuery, pagination};
use uuid::Uuid;

use crate::{DeadLetter, DeadLetterDetail, DeadLetterFilter, DeadLetters, Handled, Operations, Queue, Selection};

/// Dead letters per round of an act.
const ROUND: usize = 200;
/// Ids in one request.
const MOST_IDS: usize = 500;

/// What is done to dead letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dispose {
    /// Back into their queue.
    Replay,
    /// Thrown away.
    Discard,
}

impl Operations {
    /// A page of dead letters, oldest first, over all queues asked for.
    pub(crate) async fn letters(&self, filter: &DeadLetterFilter, page: &PageQuery) -> Result<DeadLetters, Error> {
        let limit = usize::from(page.limit()?);
        let wanted = messaging::DeadLetterFilter { about: filter.about.clone(), until: None, after: page.after()? };
        let mut found = Vec::new();
        for queue in self.own_queues(filter.queue.as_deref())? {
            found.extend(self.transport.dead_letters(queue, &wanted, limit + 1).await.map_err(failed)?);
        }
        // A letter's own id is not part of its message.
        if let Some(id) = filter.about.as_deref().and_then(|about| about.parse().ok()) {
            found.extend(self.letters_named(filter.queue.as_deref(), id, &wanted).await?);
        }
        found.sort_by_key(messaging::DeadLetter::place);
        found.dedup_by_key(|letter| letter.id);
        let next_cursor = match found.get(limit.saturating_sub(1)) {
            Some(last) if found.len() > limit => Some(pagination::encode(&last.place())?),
            _ => None,
        };
        let items = found.iter().take(limit).map(|letter| DeadLetter::of(self.service, letter)).collect();
        Ok(DeadLetters { items, next_cursor, total: self.dead(filter.queue.as_deref()).await? })
    }

    async fn letters_named(
        &self,
        queue: Option<&str>,
        id: Uuid,
        wanted: &messaging::DeadLetterFilter,
    ) -> Result<Vec<messaging::DeadLetter>, Error> {
        let mut named = Vec::new();
        for queue in self.own_queues(queue)? {
            named.extend(self.transport.dead_letters_named(queue, &[id]).await.map_err(failed)?);
        }
        named.retain(|letter| wanted.after.is_none_or(|place| letter.place() > place));
        Ok(named)
    }

    /// How much waits in the service's queues.
    pub async fn backlogs(&self) -> Result<Vec<Queue>, Error> {
        let backlogs = self.transport.backlogs(self.service).await.map_err(failed)?;
        Ok(backlogs.into_iter().map(|backlog| Queue::of(self.service, backlog)).collect())
    }

    /// How many dead letters there are, of all the service's queues or of one.
    pub async fn dead(&self, queue: Option<&str>) -> Result<i64, Error> {
        let names: HashSet<String> = self.own_queues(queue)?.into_iter().map(|queue| queue.name()).collect();
        let backlogs = self.transport.backlogs(self.service).await.map_err(failed)?;
        Ok(backlogs.iter().filter(|backlog| names.contains(&backlog.queue)).map(|backlog| backlog.dead).sum())
    }

    /// One dead letter by its own id or its event's, whichever queue it was parked of.
    pub async fn find_dead_letter(&self, caller: &Caller, id: Uuid) -> Result<Option<DeadLetterDetail>, Error> {
        caller.admin()?;
        self.letter(None, id).await
    }

    pub(crate) async fn letter(&self, queue: Option<&str>, id: Uuid) -> Result<Option<DeadLetterDetail>, Error> {
        for queue in self.own_queues(queue)? {
            if let Some(found) =
                self.transport.dead_letters_named(queue, &[id]).await.map_err(failed)?.into_iter().next()
            {
                return Ok(Some(DeadLetterDetail {
                    letter: DeadLetter::of(self.service, &found),
                    envelope: serde_json::from_str(&found.body).ok(),
                    body: found.body,
                }));
            }
        }
        Ok(None)
    }

    /// One round of an act: up to [`ROUND`] letters of those selected, or all that are named.
    pub(crate) async fn dispose(
        &self,
        operator: &Operator,
        how: Dispose,
        selection: &Selection,
    ) -> Result<Handled, Error> {
        let until = selection.until.unwrap_or_else(Utc::now);
        let (letters, mut missing) = self.select(selection, until).await?;
        let mut more = letters.len() == ROUND && selection.all;
        let mut items = Vec::with_capacity(letters.len());
        if selection.dry_run {
            items.extend(letters.iter().map(|letter| DeadLetter::of(self.service, letter)));
        } else {
            let done = self.act_on(operator, how, &letters).await?;
            for letter in letters {
                if done.contains(&letter.id) {
                    items.push(DeadLetter::of(self.service, &letter));
                } else {
                    missing.push(letter.id);
                }
            }
            // Who gets nowhere stops.
            more = selection.all && !items.is_empty();
        }
        Ok(Handled { dry_run: selection.dry_run, items, missing, more, until })
    }

    /// The letters selected, and ids that name none.
    async fn select(
        &self,
        selection: &Selection,
        until: DateTime<Utc>,
    ) -> Result<(Vec<messaging::DeadLetter>, Vec<Uuid>), Error> {
        let ids = match (&selection.ids, selection.all) {
            (Some(ids), false) if ids.len() <= MOST_IDS => Some(ids),
            (None, true) => None,
            (Some(_), false) => {
                return Err(Error::invalid("ids", "too_many", format!("{MOST_IDS} ids at most")));
            }
            _ => return Err(Error::invalid("ids", "invalid", "give either ids or all")),
        };
        let mut letters = Vec::new();
        for queue in self.own_queues(selection.queue.as_deref())? {
            letters.extend(match ids {
                Some(ids) => self.transport.dead_letters_named(queue, ids).await.map_err(failed)?,
                None => {
                    let all = messaging::DeadLetterFilter { until: Some(until), ..Default::default() };
                    let room = ROUND.saturating_sub(letters.len());
                    self.transport.dead_letters(queue, &all, room).await.map_err(failed)?
                }
            });
            if ids.is_none() && letters.len() >= ROUND {
                break;
            }
        }
        let names: HashSet<Uuid> =
            letters.iter().flat_map(|letter| [Some(letter.id), letter.event_id]).flatten().collect();
        let missing = ids.into_iter().flatten().filter(|id| !names.contains(id)).copied().collect();
        Ok((letters, missing))
    }

    /// Records, acts, records: an interrupted act stays `begun` in the trail.
    async fn act_on(
        &self,
        operator: &Operator,
        how: Dispose,
        letters: &[messaging::DeadLetter],
    ) -> Result<HashSet<Uuid>, Error> {
        let action = match how {
            Dispose::Replay => Action::named("dead_letter.replay"),
            Dispose::Discard => Action::named("dead_letter.discard"),
        };
        let mut all_done = HashSet::new();
        for queue in self.own_queues(None)? {
            let of_queue: Vec<&messaging::DeadLetter> =
                letters.iter().filter(|letter| letter.queue == queue.name()).collect();
            if of_queue.is_empty() {
                continue;
            }
            let ids: Vec<Uuid> = of_queue.iter().map(|letter| letter.id).collect();
            let subjects: Vec<Subject> = of_queue.into_iter().map(subject).collect();
            let db = self.database.read().await?;
            let acts = audit::record(&db, operator, action, &subjects, Outcome::Begun).await?;
            drop(db); // the broker takes its time
            let done = match how {
                Dispose::Replay => self.transport.replay_dead_letters(queue, &ids).await,
                Dispose::Discard => self.transport.discard_dead_letters(queue, &ids).await,
            }
            .map_err(failed)?;
            let db = self.database.read().await?;
            audit::complete(&db, &acts, &done).await?;
            tracing::info!(
                queue = queue.name(),
                actor = operator.actor,
                action = action.as_str(),
                letters = done.len(),
                "an operator acted on dead letters"
            );
            all_done.extend(done);
        }
        Ok(all_done)
    }
}

fn subject(letter: &messaging::DeadLetter) -> Subject {
    Subject {
        id: letter.id,
        queue: Some(letter.queue.clone()),
        event_id: letter.event_id,
        event_type: letter.event_type.clone(),
        correlation_id: letter.correlation_id,
    }
}

pub(crate) fn failed(error: TransportError) -> Error {
    match error {
        TransportError::Database(error) => error.into(),
        error @ (TransportError::Rabbit(_) | TransportError::Publish(_)) => Error::unavailable(error),
    }
}
