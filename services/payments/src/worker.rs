//! Carries out what is wanted: calls the provider outside every transaction, as many at once as there are slots.
//!
//! A charge usually comes straight from the consumer that stored its intent, already leased to this process.
//! Whatever has no free slot, waits for another try, or was left behind by a process that died is found by the
//! sweep: by state, with `SKIP LOCKED`, under a new lease.

use std::sync::Arc;
use std::time::{Duration, Instant};

use database::Database;
use events::{PaymentId, RefundId};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::model::{Payment, Refund, Wish};
use crate::provider::{Charge, ChargeOutcome, PaymentProvider, Reversal, ReversalOutcome, Unanswered};
use crate::repository::{self, StoreError};

/// How the worker works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentsConfig {
    /// Calls to the provider at once.
    pub concurrency: usize,
    /// A call that takes longer counts as unanswered. Shorter than the lease.
    pub call_timeout: Duration,
    /// A process that dies with a payment in hand holds it no longer than this.
    pub lease: Duration,
    /// How often due work is looked for that nobody pointed to.
    pub sweep: Duration,
}

impl Default for PaymentsConfig {
    fn default() -> Self {
        PaymentsConfig {
            concurrency: 128,
            call_timeout: Duration::from_secs(8),
            lease: Duration::from_secs(15),
            sweep: Duration::from_secs(1),
        }
    }
}

/// One call to the provider.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Call {
    Charge(Charge),
    /// The order wants its money back and nobody knows whether it was charged.
    Void(Charge),
    Refund(Reversal),
}

/// A provider's answer, and the lease under which it was asked.
#[derive(Debug)]
pub(crate) enum Answered {
    Charge { payment: PaymentId, lease: Uuid, said: Result<ChargeOutcome, Unanswered> },
    Refund { refund: RefundId, lease: Uuid, said: Result<ReversalOutcome, Unanswered> },
}

pub(crate) struct Worker {
    pub database: Database,
    pub provider: Arc<dyn PaymentProvider>,
    pub config: PaymentsConfig,
    slots: Arc<Semaphore>,
    due: Notify,
    answers: mpsc::Sender<Answered>,
    calls: TaskTracker,
}

impl Worker {
    /// A worker whose answers go to `answers`.
    pub fn new(
        database: Database,
        provider: Arc<dyn PaymentProvider>,
        config: PaymentsConfig,
        answers: mpsc::Sender<Answered>,
    ) -> Worker {
        Worker {
            slots: Arc::new(Semaphore::new(config.concurrency)),
            database,
            provider,
            config,
            due: Notify::new(),
            answers,
            calls: TaskTracker::new(),
        }
    }

    /// How many calls could begin right now; none while the worker shuts down.
    pub fn free_slots(&self) -> usize {
        if self.slots.is_closed() { 0 } else { self.slots.available_permits() }
    }

    /// Tells the sweep that something is due.
    pub fn nudge(&self) {
        self.due.notify_one();
    }

    /// Calls the provider for each, in the background, as soon as there is a slot. Whatever finds none
    /// because the worker shuts down keeps its lease until that expires, and is found by a sweep.
    pub fn start(self: &Arc<Self>, lease: Uuid, calls: Vec<Call>) {
        for call in calls {
            let worker = Arc::clone(self);
            self.calls.spawn(async move {
                if let Ok(slot) = Arc::clone(&worker.slots).acquire_owned().await {
                    worker.ask(lease, call, slot).await;
                }
            });
        }
    }

    /// One call, and its answer to the recorder.
    async fn ask(&self, lease: Uuid, call: Call, slot: OwnedSemaphorePermit) {
        let answered = self.call(lease, call).await;
        // The recorder outlives every call that it waits for; after it, the lease expires.
        if self.answers.send(answered).await.is_err() {
            tracing::debug!("an answer of the provider came after the end; it is asked for again");
        }
        drop(slot);
    }

    async fn call(&self, lease: Uuid, call: Call) -> Answered {
        let started = Instant::now();
        let answered = match call {
            Call::Charge(charge) if charge.amount.is_zero() => {
                let said = Ok(ChargeOutcome::Captured { reference: "nothing to pay".to_owned() });
                Answered::Charge { payment: charge.key, lease, said }
            }
            Call::Charge(charge) => {
                let said = self.in_time(self.provider.charge(&charge)).await;
                Answered::Charge { payment: charge.key, lease, said }
            }
            Call::Void(charge) => {
                let said = self.in_time(self.provider.void(&charge)).await;
                Answered::Charge { payment: charge.key, lease, said }
            }
            Call::Refund(reversal) => {
                let said = self.in_time(self.provider.refund(&reversal)).await;
                Answered::Refund { refund: reversal.key, lease, said }
            }
        };
        metrics::histogram!("payments_provider_seconds").record(started.elapsed().as_secs_f64());
        answered
    }

    async fn in_time<T>(&self, call: impl Future<Output = Result<T, Unanswered>>) -> Result<T, Unanswered> {
        match tokio::time::timeout(self.config.call_timeout, call).await {
            Ok(said) => said,
            Err(_) => Err(Unanswered(format!("no answer within {:?}", self.config.call_timeout))),
        }
    }

    /// Looks for due work until `shutdown`, then waits for the calls that are under way.
    pub async fn run(self: &Arc<Self>, shutdown: &CancellationToken) {
        loop {
            tokio::select! {
                () = self.due.notified() => {}
                () = tokio::time::sleep(self.config.sweep) => {}
                () = shutdown.cancelled() => break,
            }
            tokio::select! {
                result = self.sweep() => {
                    if let Err(error) = result {
                        tracing::warn!(%error, "due payments could not be looked for");
                    }
                }
                () = shutdown.cancelled() => break,
            }
        }
        self.slots.close();
        self.calls.close();
        self.calls.wait().await;
    }

    /// Takes due work as long as there is some.
    async fn sweep(self: &Arc<Self>) -> Result<(), StoreError> {
        loop {
            let Ok(mut slots) = Arc::clone(&self.slots).acquire_owned().await else { return Ok(()) };
            while let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() {
                slots.merge(slot);
            }
            let free = slots.num_permits();
            let lease = Uuid::new_v4();
            let calls = self.claim(free, lease).await?;
            let found = calls.len();
            for call in calls {
                let Some(slot) = slots.split(1) else { break };
                let worker = Arc::clone(self);
                self.calls.spawn(async move { worker.ask(lease, call, slot).await });
            }
            if found < free {
                return Ok(());
            }
        }
    }

    /// At most `limit` calls that are due.
    async fn claim(&self, limit: usize, lease: Uuid) -> Result<Vec<Call>, StoreError> {
        let db = self.database.read().await?;
        let rows = i64::try_from(limit).unwrap_or(i64::MAX);
        let payments = repository::claim_payments(&db, rows, lease, self.config.lease).await?;
        let mut calls: Vec<Call> = payments.into_iter().filter_map(call_of).collect();
        let rows = i64::try_from(limit - calls.len()).unwrap_or(i64::MAX);
        if rows > 0 {
            let refunds = repository::claim_refunds(&db, rows, lease, self.config.lease).await?;
            calls.extend(refunds.into_iter().map(reversal_of));
        }
        Ok(calls)
    }
}

/// What to ask the provider about an open payment.
fn call_of(payment: Payment) -> Option<Call> {
    let wish = payment.wish();
    let bill = payment.bill?;
    let charge = Charge { key: payment.id, order_id: payment.order_id, amount: bill.amount, method: bill.method };
    Some(match wish {
        Wish::Pay => Call::Charge(charge),
        Wish::Refund => Call::Void(charge),
    })
}

fn reversal_of(refund: Refund) -> Call {
    Call::Refund(Reversal { key: refund.id, charge: refund.payment_id, amount: refund.amount })
}
