//! The trail of operators' acts: who did what to this service's dead letters, to its unsent events, and to what else it
//! lets them act on.
//!
//! An act inside the service's database is recorded in the act's own transaction. An act on a broker is recorded
//! as begun before it, and completed after it: what stays begun was interrupted, and may have happened.

use chrono::{DateTime, Utc};
use events::CorrelationId;
use uuid::Uuid;

use crate::{Connection, Error};

/// What an operator does, by the name that the trail keeps, e.g. `outbox.retry`.
///
/// Whoever offers an act declares it. The table's CHECK knows the names that its service may record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action(&'static str);

impl Action {
    /// The act of this name.
    pub const fn named(name: &'static str) -> Action {
        Action(name)
    }

    /// As stored.
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

/// What became of an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Under way, or interrupted.
    Begun,
    /// It happened.
    Done,
    /// Its subject was gone: somebody else was faster.
    Missing,
}

impl Outcome {
    fn as_str(self) -> &'static str {
        match self {
            Outcome::Begun => "begun",
            Outcome::Done => "done",
            Outcome::Missing => "missing",
        }
    }
}

/// Who acts, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// E.g. `user:0199…` or `shell:root`.
    pub actor: String,
    /// Why, where a reason is asked for.
    pub reason: Option<String>,
}

/// What an act is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The dead letter, the event, or the row of the service.
    pub id: Uuid,
    /// The queue, of a dead letter.
    pub queue: Option<String>,
    /// The event, if there is one.
    pub event_id: Option<Uuid>,
    /// Its name.
    pub event_type: Option<String>,
    /// The saga that it is part of, by which an order finds what was done about it.
    pub correlation_id: Option<Uuid>,
}

impl Subject {
    /// What is neither a message nor part of a saga.
    pub fn new(id: Uuid) -> Subject {
        Subject { id, queue: None, event_id: None, event_type: None, correlation_id: None }
    }

    /// What is part of a saga.
    pub fn of_saga(id: Uuid, correlation_id: CorrelationId) -> Subject {
        Subject { correlation_id: Some(correlation_id.uuid()), ..Subject::new(id) }
    }
}

/// A line of the trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// Its id, in the order of acts.
    pub id: Uuid,
    /// When.
    pub acted_at: DateTime<Utc>,
    /// Who.
    pub actor: String,
    /// E.g. `dead_letter.replay`.
    pub action: String,
    /// To what.
    pub subject: Subject,
    /// Why.
    pub reason: Option<String>,
    /// `begun`, `done` or `missing`.
    pub outcome: String,
}

crate::statements! {
    RECORD = "INSERT INTO operator_acts
            (id, actor, action, subject_id, queue, event_id, event_type, correlation_id, reason, outcome)
        SELECT id, $2, $3, subject_id, queue, event_id, event_type, correlation_id, $9, $10
        FROM unnest($1::uuid[], $4::uuid[], $5::text[], $6::uuid[], $7::text[], $8::uuid[])
            AS act (id, subject_id, queue, event_id, event_type, correlation_id)";
    COMPLETE = "UPDATE operator_acts
        SET outcome = CASE WHEN subject_id = ANY ($2) THEN 'done' ELSE 'missing' END
        WHERE id = ANY ($1)";
    LIST = "SELECT id, acted_at, actor, action, subject_id, queue, event_id, event_type, correlation_id, reason, outcome
        FROM operator_acts
        WHERE $1::uuid IS NULL OR id < $1
        ORDER BY id DESC LIMIT $2";
    /// By the indexes of each, before they are put in order: walked newest first, a trail in which there is little about
    /// this would be read whole.
    LIST_ABOUT = "WITH found AS MATERIALIZED (
            SELECT id, acted_at, actor, action, subject_id, queue, event_id, event_type, correlation_id, reason, outcome
            FROM operator_acts WHERE subject_id = $3 OR event_id = $3 OR correlation_id = $3)
        SELECT * FROM found WHERE $1::uuid IS NULL OR id < $1
        ORDER BY id DESC LIMIT $2";
}

/// Records one act on several subjects; returns the ids of the lines, for [`complete`].
pub async fn record(
    tx: &Connection,
    operator: &Operator,
    action: Action,
    subjects: &[Subject],
    outcome: Outcome,
) -> Result<Vec<Uuid>, Error> {
    let ids: Vec<Uuid> = subjects.iter().map(|_| Uuid::now_v7()).collect();
    let about: Vec<Uuid> = subjects.iter().map(|subject| subject.id).collect();
    let queues: Vec<Option<&str>> = subjects.iter().map(|subject| subject.queue.as_deref()).collect();
    let events: Vec<Option<Uuid>> = subjects.iter().map(|subject| subject.event_id).collect();
    let types: Vec<Option<&str>> = subjects.iter().map(|subject| subject.event_type.as_deref()).collect();
    let sagas: Vec<Option<Uuid>> = subjects.iter().map(|subject| subject.correlation_id).collect();
    let (Operator { actor, reason }, action, outcome) = (operator, action.as_str(), outcome.as_str());
    tx.execute(RECORD, &[&ids, actor, &action, &about, &queues, &events, &types, &sagas, reason, &outcome]).await?;
    Ok(ids)
}

/// Completes acts that were begun: done for these subjects, missing for the others.
pub async fn complete(db: &Connection, acts: &[Uuid], done: &[Uuid]) -> Result<(), Error> {
    db.execute(COMPLETE, &[&acts, &done]).await?;
    Ok(())
}

/// Acts, newest first, before the act `before`; those about one subject, event or saga, if `about` names it.
pub async fn list(db: &Connection, about: Option<Uuid>, before: Option<Uuid>, limit: i64) -> Result<Vec<Act>, Error> {
    let rows = match about {
        None => db.query(LIST, &[&before, &limit]).await?,
        Some(about) => db.query(LIST_ABOUT, &[&before, &limit, &about]).await?,
    };
    Ok(rows
        .iter()
        .map(|row| Act {
            id: row.get("id"),
            acted_at: row.get("acted_at"),
            actor: row.get("actor"),
            action: row.get("action"),
            subject: Subject {
                id: row.get("subject_id"),
                queue: row.get("queue"),
                event_id: row.get("event_id"),
                event_type: row.get("event_type"),
                correlation_id: row.get("correlation_id"),
            },
            reason: row.get("reason"),
            outcome: row.get("outcome"),
        })
        .collect())
}
