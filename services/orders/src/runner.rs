//! Moves sagas: locks their rows, asks [`crate::saga::next`], and writes states, logs and events, a whole
//! batch at a time, in the transaction it is given.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use chrono::Utc;
use database::{Connection, outbox};
use events::{CartCheckoutInitiated, Draft, OrderId};

use crate::model::{self, Cause, Failure, Hold, Step, Stored};
use crate::repository::{self, Happened, Locked, Saved, UndoRun};
use crate::saga::{self, Command, Input, State, Undo};
use crate::{OrdersConfig, SERVICE, durations};

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
    reached: Vec<(OrderId, State)>,
    happened: Vec<Happened>,
    undos: Vec<UndoRun>,
    answered: Vec<(OrderId, &'static str)>,
    confirmed: Vec<OrderId>,
    released: Vec<OrderId>,
    holds: Vec<Hold>,
    drafts: Vec<Draft>,
}

/// What became of steps, and all that they change; nothing is written yet.
pub struct Decided {
    /// One answer for each step, in order.
    pub outcomes: Vec<Outcome>,
    sagas: HashMap<OrderId, Stored>,
    changes: Changes,
}

/// Takes these steps, in order. Nothing leaves the process before the commit.
pub async fn advance(tx: &Connection, config: &OrdersConfig, steps: &[Step]) -> Result<Vec<Outcome>, database::Error> {
    let decided = decide(tx, config, &[], steps).await?;
    let outcomes = decided.outcomes.clone();
    decided.write(tx, config).await?;
    Ok(outcomes)
}

/// Locks the sagas of these steps and decides.
///
/// An order that is not stored yet is, if it is among `checkouts`: usually POST /orders was here before.
pub async fn decide(
    tx: &Connection,
    config: &OrdersConfig,
    checkouts: &[CartCheckoutInitiated],
    steps: &[Step],
) -> Result<Decided, database::Error> {
    let ids: BTreeSet<OrderId> = steps.iter().map(|step| step.order_id).collect();
    let mut locked = repository::lock(tx, &Vec::from_iter(ids)).await?;
    let missing: Vec<&CartCheckoutInitiated> = checkouts.iter().filter(|it| !locked.has(it.order_id)).collect();
    if !missing.is_empty() {
        repository::insert(tx, &missing, config.reservation_deadline).await?;
        // Out of order: should two batches meet in a circle, the database parts them, and they go one by one.
        let ids: BTreeSet<OrderId> = missing.iter().map(|it| it.order_id).collect();
        locked.extend(repository::lock(tx, &Vec::from_iter(ids)).await?);
    }
    report_unreadable(&locked);
    Ok(Decided::of(config, locked, steps))
}

/// Gives every saga whose deadline has passed its `Deadline`; one that cannot be read is postponed, so that it keeps no
/// other waiting. Returns how many there were.
pub async fn expire(tx: &Connection, config: &OrdersConfig, limit: i64) -> Result<usize, database::Error> {
    let locked = repository::lock_expired(tx, limit).await?;
    report_unreadable(&locked);
    let unreadable: Vec<OrderId> = locked.unreadable.iter().map(|saga| saga.order_id).collect();
    let steps: Vec<Step> = locked.sagas.iter().map(|saga| Step::of(saga.order_id, Input::Deadline)).collect();
    Decided::of(config, locked, &steps).write(tx, config).await?;
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

impl Decided {
    fn of(config: &OrdersConfig, locked: Locked, steps: &[Step]) -> Decided {
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
        Decided { outcomes, sagas, changes }
    }

    /// Everything at once. The last of a transaction's work, where that is a batch of events.
    pub async fn write(mut self, tx: &Connection, config: &OrdersConfig) -> Result<(), database::Error> {
        let reached = std::mem::take(&mut self.changes.reached);
        Box::pin(self.changes.write(tx, config, &self.sagas)).await?;
        for (order_id, state) in &reached {
            durations::tell(*order_id, state);
        }
        Ok(())
    }
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
        if model::columns(&saga.state).0 != model::columns(&transition.to).0 {
            self.reached.push((saga.order_id, transition.to.clone()));
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

    /// The statements travel together in one pipeline.
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
        let mut commands = vec![repository::save(&saved, &self.happened)];
        commands.extend(repository::begin_undos(&self.undos));
        commands.extend(repository::end_undos(&self.answered));
        commands.extend(repository::hold(&holds));
        commands.extend(repository::commit_holds(&self.confirmed));
        commands.extend(repository::release_holds(&self.released));
        outbox::record_with(tx, commands, &self.drafts).await
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
