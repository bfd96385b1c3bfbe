//! What operators send and get.

mod history;

use chrono::{DateTime, Utc};
use database::audit;
use database::outbox;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

pub use history::*;

/// Which dead letters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct DeadLetterFilter {
    /// Only those of this queue, e.g. `orders.cart.events.queue`, or of this dead-letter queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// Only those that hold this text, e.g. an event's id, a correlation id, an order's id or an e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
}

/// A parked message in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeadLetter {
    /// The dead letter's own id.
    pub id: Uuid,
    /// The service whose queue it is.
    pub service: String,
    /// The queue it was parked of, and where a replay puts it.
    pub queue: String,
    /// The event, if the message names one.
    pub event_id: Option<Uuid>,
    /// Its name, if the message says so.
    pub event_type: Option<String>,
    /// Its saga, if the message names one.
    pub correlation_id: Option<Uuid>,
    /// Where it was published.
    pub exchange: String,
    /// With which key.
    pub routing_key: String,
    /// Why it was parked.
    pub reason: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was parked.
    pub dead_at: DateTime<Utc>,
}

impl DeadLetter {
    pub(crate) fn of(service: &str, letter: &messaging::DeadLetter) -> DeadLetter {
        DeadLetter {
            id: letter.id,
            service: service.to_owned(),
            queue: letter.queue.clone(),
            event_id: letter.event_id,
            event_type: letter.event_type.clone(),
            correlation_id: letter.correlation_id,
            exchange: letter.exchange.clone(),
            routing_key: letter.routing_key.clone(),
            reason: letter.reason.clone(),
            attempts: letter.attempts,
            dead_at: letter.dead_at,
        }
    }
}

/// A parked message, all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeadLetterDetail {
    /// What the list says.
    #[serde(flatten)]
    pub letter: DeadLetter,
    /// The message as JSON; `null` if it is not JSON.
    pub envelope: Option<serde_json::Value>,
    /// The message as it was published.
    pub body: String,
}

/// A page of dead letters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeadLetters {
    /// The letters, oldest first.
    pub items: Vec<DeadLetter>,
    /// Where the next page begins; `null` on the last one.
    pub next_cursor: Option<String>,
    /// How many the queue has that was asked for, or the service; whatever text was looked for.
    pub total: i64,
}

/// Which dead letters an act is on: those named, or all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// Only those of this queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// Ids of dead letters or of their events; 500 at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<Uuid>>,
    /// All there are. One request handles a few hundred; `more` says whether to ask again.
    #[serde(default)]
    pub all: bool,
    /// With `all`: those parked until then. Give back the answer's `until` when asking again, so that a letter that
    /// was replayed in vain is not replayed once more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// Only says what would be done.
    #[serde(default)]
    pub dry_run: bool,
}

/// Throws dead letters away.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DiscardDeadLetters {
    /// Only those of this queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// Ids of dead letters or of their events; 500 at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<Uuid>>,
    /// All there are, as in a replay.
    #[serde(default)]
    pub all: bool,
    /// With `all`: those parked until then, as in a replay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// Only says what would be done.
    #[serde(default)]
    pub dry_run: bool,
    /// Why, for the audit trail; 1 to 500 characters.
    pub reason: String,
}

impl DiscardDeadLetters {
    // Not flattened into each other: serde would let misspelt fields pass, `dry_run` among them.
    pub(crate) fn into_selection(self) -> Selection {
        let DiscardDeadLetters { queue, ids, all, until, dry_run, reason: _ } = self;
        Selection { queue, ids, all, until, dry_run }
    }
}

/// Gives up an unsent event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DiscardEvent {
    /// Why, for the audit trail; 1 to 500 characters.
    pub reason: String,
}

/// What became of an act on dead letters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Handled {
    /// Nothing was done: this is what would be.
    pub dry_run: bool,
    /// The letters that were handled.
    pub items: Vec<DeadLetter>,
    /// Letters that somebody else handled first, and ids that name none.
    pub missing: Vec<Uuid>,
    /// There are more.
    pub more: bool,
    /// When the act on all began.
    pub until: DateTime<Utc>,
}

/// How an outbox stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OutboxStatus {
    /// Whose.
    pub service: String,
    /// Events waiting to be sent.
    pub pending: i64,
    /// Age of the oldest of them, in seconds.
    pub oldest_age_s: Option<i64>,
    /// Events given up.
    pub failed: i64,
    /// The latest error.
    pub last_error: Option<String>,
}

impl OutboxStatus {
    pub(crate) fn of(service: &str, backlog: outbox::Backlog) -> OutboxStatus {
        OutboxStatus {
            service: service.to_owned(),
            pending: backlog.pending,
            oldest_age_s: backlog.oldest.map(|oldest| (Utc::now() - oldest).num_seconds().max(0)),
            failed: backlog.failed,
            last_error: backlog.last_error,
        }
    }
}

/// Which unsent events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct OutboxFilter {
    /// Only those in this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub status: Option<UnsentStatus>,
    /// Only those of this event, saga or thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<Uuid>,
}

/// Whether an unsent event is still tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnsentStatus {
    /// It is.
    Pending,
    /// It was given up, until an operator retries it.
    Failed,
}

/// An event that is recorded and not published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnsentEvent {
    /// The event.
    pub event_id: Uuid,
    /// The service that recorded it.
    pub service: String,
    /// Whether it is still tried.
    pub status: UnsentStatus,
    /// Its name.
    pub event_type: String,
    /// What it is about.
    pub aggregate_id: Uuid,
    /// Its saga.
    pub correlation_id: Uuid,
    /// Where it goes.
    pub exchange: String,
    /// With which key.
    pub routing_key: String,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// How often the broker refused it.
    pub attempts: i32,
    /// When it is tried next; `null` if it failed.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// What was said last.
    pub last_error: Option<String>,
    /// When it was given up.
    pub failed_at: Option<DateTime<Utc>>,
}

impl UnsentEvent {
    pub(crate) fn of(service: &str, unsent: outbox::Unsent) -> UnsentEvent {
        let status = if unsent.failed_at.is_some() { UnsentStatus::Failed } else { UnsentStatus::Pending };
        UnsentEvent {
            event_id: unsent.event_id.uuid(),
            service: service.to_owned(),
            status,
            event_type: unsent.event_type,
            aggregate_id: unsent.aggregate_id,
            correlation_id: unsent.correlation_id,
            exchange: unsent.exchange,
            routing_key: unsent.routing_key,
            recorded_at: unsent.recorded_at,
            attempts: unsent.attempts,
            next_attempt_at: (status == UnsentStatus::Pending).then_some(unsent.next_attempt_at),
            last_error: unsent.last_error,
            failed_at: unsent.failed_at,
        }
    }
}

/// An event that is recorded and not published, all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnsentDetail {
    /// What the list says.
    #[serde(flatten)]
    pub event: UnsentEvent,
    /// The message as it will be published.
    pub body: String,
}

/// How an outbox stands, and what it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Outbox {
    /// How it stands.
    pub status: OutboxStatus,
    /// Unsent events, oldest first.
    pub items: Vec<UnsentEvent>,
    /// Where the next page begins; `null` on the last one.
    pub next_cursor: Option<String>,
}

/// Which acts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct ActFilter {
    /// Only those on this dead letter, event, order, payment or account, or on anything of the saga with this correlation id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<Uuid>,
}

/// What an operator did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Act {
    /// Its id, in the order of acts.
    pub id: Uuid,
    /// The service where it was done.
    pub service: String,
    /// When.
    pub acted_at: DateTime<Utc>,
    /// Who: `user:` and an id, or `shell:` and a login.
    pub actor: String,
    /// What: `dead_letter.replay`, `dead_letter.discard`, `outbox.retry`, `outbox.discard`, `saga.retry`,
    /// `order.ship`, `order.deliver`, `order.cancel`, `payment.refund`, `user.set_role` or `reports.rebuild`.
    pub action: String,
    /// To which dead letter, event, saga, order, payment or account.
    pub subject_id: Uuid,
    /// Of which queue, if it was a dead letter.
    pub queue: Option<String>,
    /// Which event, if there was one.
    pub event_id: Option<Uuid>,
    /// Its name.
    pub event_type: Option<String>,
    /// The correlation id of its saga, if it is part of one.
    #[serde(default)]
    pub correlation_id: Option<Uuid>,
    /// Why.
    pub reason: Option<String>,
    /// `done`; `missing` if somebody else was faster; `begun` if it was interrupted and may have happened.
    pub outcome: String,
}

impl Act {
    pub(crate) fn of(service: &str, act: audit::Act) -> Act {
        Act {
            id: act.id,
            service: service.to_owned(),
            acted_at: act.acted_at,
            actor: act.actor,
            action: act.action,
            subject_id: act.subject.id,
            queue: act.subject.queue,
            event_id: act.subject.event_id,
            event_type: act.subject.event_type,
            correlation_id: act.subject.correlation_id,
            reason: act.reason,
            outcome: act.outcome,
        }
    }
}
