//! Moves sagas: locks their rows, asks [`crate::saga::next`], and writes states, logs and events, a whole
//! batch at a time, in the transaction it is given.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use chrono::Utc;
use database::{Connection, outbox};
use events::{Draft, OrderId};

use crate::model::{self, Cause, Failure, Hold, Step, Stored};
use crate::repository::{self, Happened, Locked, Saved, UndoRun};
use crate::saga::{self, Command, Input, State, Undo};
use crate::{OrdersConfig, SERVICE};

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The saga moved, or did not need to.
    Done,
    /// The order's state does not allow it.
    Illegal,
    /// There is no such order.
    Unknown,
    /// The saga's row makes no sense.
    Unreadable,
}

/// After so long the watchdog complains again about a saga that cannot be read.
const UNREADABLE_PATIENCE: Duration = Duration::from_secs(5 * 60);

/// Everything that a batch of steps changes, collected before anything is written.
#[derive(Default)]
struct Changes {
    failures: HashMap<OrderId, Failure>,
    moved: Vec<OrderId>,
    happened: Vec<Happened>,
    undos: Vec<UndoRun>,
    answered: Vec<(OrderId, &'static str)>,
    confirmed: Vec<OrderId>,
    released: Vec<OrderId>,
    holds: Vec<Hold>,
    drafts: Vec<Draft>,
}

/// Takes these steps, in order; one answer each. Nothing leaves the process before the commit.
pub async fn advance(tx: &Connection, config: &OrdersConfig, steps: &[Step]) -> Result<Vec<Outcome>, database::Error> {
    let mut ids: Vec<OrderId> = steps.iter().map(|step| step.order_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let locked = repository::lock(tx, &ids).await?;
    report_unreadable(&locked);
    advance_locked(tx, config, locked, steps).await
}

/// Gives every saga whose deadline has passed its `Deadline`; one that cannot be read is postponed, so that it keeps no
/// other waiting. Returns how many there were.
pub async fn expire(tx: &Connection, config: &OrdersConfig, limit: i64) -> Result<usize, database::Error> {
    let locked = repository::lock_expired(tx, limit).await?;
    report_unreadable(&locked);
    let unreadable: Vec<OrderId> = locked.unreadable.iter().map(|saga| saga.order_id).collect();
    let steps: Vec<Step> = locked.sagas.iter().map(|saga| Step::of(saga.order_id, Input::Deadline)).collect();
    advance_locked(tx, config, locked, &steps).await?;
    repository::postpone(tx, &unreadable, UNREADABLE_PATIENCE).await?;
    Ok(steps.len() + unreadable.len())
}

fn report_unreadable(locked: &Locked) {
    for saga in &locked.unreadable {
        tracing::error!(order_id = %saga.order_id, reason = saga.reason,
            "a saga cannot be read, and so does not move: mend its row in saga_states");
        metrics::counter!("saga_unreadable_total").increment(1);
    }
}

async fn advance_locked(
    tx: &Connection,
    config: &OrdersConfig,
    locked: Locked,
    steps: &[Step],
) -> Result<Vec<Outcome>, database::Error> {
    let unreadable: HashSet<OrderId> = locked.unreadable.into_iter().map(|saga| saga.order_id).collect();
    let mut sagas: HashMap<OrderId, Stored> = locked.sagas.into_iter().map(|saga| (saga.order_id, saga)).collect();
    let mut changes = Changes::default();
    let mut outcomes = Vec::with_capacity(steps.len());
    for step in steps {
        outcomes.push(match sagas.get_mut(&step.order_id) {
            Some(saga) => changes.take(config, saga, step),
            None if unreadable.contains(&step.order_id) => Outcome::Unreadable,
            None => Outcome::Unknown,
        });
    }
    Box::pin(changes.write(tx, config, &sagas)).await?;
    Ok(outcomes)
}

impl Changes {
    fn take(&mut self, config: &OrdersConfig, saga: &mut Stored, step: &Step) -> Outcome {
        let Ok(transition) = saga::next(&saga.state, step.input) else { return Outcome::Illegal };
        if let Some(cause) = &step.cause {
            self.happened.push(happened(step, cause));
        }
        self.holds.extend(step.hold.clone());
        if transition.to == saga.state && transition.commands.is_empty() {
            return Outcome::Done;
        }
        if matches!(step.input, Input::Cancel) {
            saga.cancel_reason.clone_from(&step.note);
        }
        let due_at = Utc::now() + config.payment_deadline;
        let drafts = model::drafts(saga, step, &transition.to, &transition.commands, due_at);
        self.log_undos(saga, step.input, &transition.to);
        for (command, draft) in transition.commands.iter().zip(&drafts) {
            self.note(saga, step, command, draft);
        }
        if matches!(transition.to, State::Stuck(..)) {
            tracing::error!(order_id = %saga.order_id, correlation_id = %saga.correlation_id, owed = ?transition.to.owed(),
                "a saga is stuck: an undo stays unanswered. Find the cause, then: prost saga retry <order id>");
            metrics::counter!("saga_stuck_total").increment(1);
        }
        self.drafts.extend(drafts);
        self.moved.push(saga.order_id);
        saga.state = transition.to;
        saga.version += 1;
        Outcome::Done
    }

    /// Closes the log of the undo that this input answers.
    fn log_undos(&mut self, saga: &Stored, input: Input, to: &State) {
        let answered = match input {
            Input::Refunded => Undo::Refund,
            Input::StockReleased => Undo::Release,
            Input::CartReopened => Undo::Reopen,
            _ => return,
        };
        if saga.state.owed().first() == Some(&answered) && saga.state != *to {
            self.answered.push((saga.order_id, request_event(answered)));
            if answered == Undo::Release {
                self.released.push(saga.order_id);
            }
        }
    }

    fn note(&mut self, saga: &Stored, step: &Step, command: &Command, draft: &Draft) {
        match command {
            Command::Ask(undo) => self.undos.push(UndoRun {
                order_id: saga.order_id,
                correlation_id: saga.correlation_id,
                event: request_event(*undo).to_owned(),
                payload: draft.envelope.payload.get().to_owned(),
            }),
            Command::Confirm => self.confirmed.push(saga.order_id),
            Command::Fail => {
                let failure = step.failure.clone().unwrap_or_else(model::expired);
                self.failures.insert(saga.order_id, failure);
            }
            Command::Place
            | Command::RequestPayment
            | Command::RollBack
            | Command::EndCancelled
            | Command::Ship
            | Command::Deliver => {}
        }
        let detail = match command {
            Command::Fail => self.failures.get(&saga.order_id).map(|failure| failure.code.clone()),
            Command::EndCancelled => saga.cancel_reason.clone(),
            Command::Place
            | Command::RequestPayment
            | Command::Confirm
            | Command::Ask(_)
            | Command::RollBack
            | Command::Ship
            | Command::Deliver => None,
        };
        self.happened.push(Happened {
            order_id: saga.order_id,
            event_id: draft.envelope.event_id.uuid(),
            event: draft.envelope.event_type.clone(),
            service: SERVICE.to_owned(),
            detail,
            at: draft.envelope.timestamp,
        });
    }

    /// Everything at once: the statements travel together in one pipeline.
    async fn write(
        mut self,
        tx: &Connection,
        config: &OrdersConfig,
        sagas: &HashMap<OrderId, Stored>,
    ) -> Result<(), database::Error> {
        if self.happened.is_empty() && self.moved.is_empty() {
            return Ok(());
        }
        self.moved.sort_unstable();
        self.moved.dedup();
        let saved: Vec<Saved<'_>> = self
            .moved
            .iter()
            .filter_map(|id| sagas.get(id))
            .map(|saga| Saved {
                order_id: saga.order_id,
                state: &saga.state,
                version: saga.version,
                patience: model::deadline(&saga.state, config),
                failure: self.failures.get(&saga.order_id),
                cancel_reason: saga.cancel_reason.as_deref(),
            })
            .collect();
        let holds: Vec<(Hold, &str)> = std::mem::take(&mut self.holds)
            .into_iter()
            .filter_map(|hold| sagas.get(&hold.order_id).map(|saga| (hold, model::hold_status(&saga.state))))
            .collect();
        tokio::try_join!(
            repository::save(tx, &saved),
            repository::add_timeline(tx, &self.happened),
            repository::begin_undos(tx, &self.undos),
            repository::end_undos(tx, &self.answered),
            repository::hold(tx, &holds),
            repository::commit_holds(tx, &self.confirmed),
            repository::release_holds(tx, &self.released),
            outbox::record(tx, &self.drafts),
        )?;
        Ok(())
    }
}

fn request_event(undo: Undo) -> &'static str {
    match undo {
        Undo::Refund => "RefundRequested",
        Undo::Release => "ReleaseRequested",
        Undo::Reopen => "ReopenRequested",
    }
}

fn happened(step: &Step, cause: &Cause) -> Happened {
    Happened {
        order_id: step.order_id,
        event_id: cause.event_id.uuid(),
        event: cause.event.clone(),
        service: cause.service.clone(),
        detail: step.failure.as_ref().map(|failure| failure.code.clone()).or_else(|| step.note.clone()),
        at: cause.at,
    }
}
