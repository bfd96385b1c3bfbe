//! Writes down what the provider said: all answers at hand in one transaction, with the events they cause.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use database::{Connection, Database, outbox};
use events::{Draft, PaymentId, RefundId};
use payments_client::RefundStatus;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::announce;
use crate::model::{Payment, Refund, RefundPlan, RefundVerdict, Verdict, settle_refund};
use crate::provider::{ChargeOutcome, ReversalOutcome, Unanswered};
use crate::repository::{self, StoreError};
use crate::worker::{Answered, Worker};

/// Answers per transaction, at most.
const BATCH: usize = 200;

/// A provider's answers about charges, by payment.
type Charges = HashMap<PaymentId, (Uuid, Result<ChargeOutcome, Unanswered>)>;
/// A provider's answers about refunds, by refund.
type Reversals = HashMap<RefundId, (Uuid, Result<ReversalOutcome, Unanswered>)>;

/// Records answers until `finished` and nothing is left.
pub(crate) async fn run(worker: &Worker, answers: &mut mpsc::Receiver<Answered>, finished: &CancellationToken) {
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        tokio::select! {
            biased;
            _ = answers.recv_many(&mut batch, BATCH) => {}
            () = finished.cancelled() => return,
        }
        record_surely(worker, std::mem::take(&mut batch)).await;
    }
}

/// Tries until the leases run out: after that somebody asks the provider again, with the same keys.
async fn record_surely(worker: &Worker, batch: Vec<Answered>) {
    let started = Instant::now();
    let mut delay = Duration::from_millis(50);
    let mut parts: Vec<(Charges, Reversals)> = vec![split(batch)];
    while let Some((charges, reversals)) = parts.pop() {
        let result = record(&worker.database, charges.clone(), reversals.clone()).await;
        let error = match result {
            Ok(Recorded::NothingDue) => continue,
            Ok(Recorded::Due) => {
                worker.nudge();
                continue;
            }
            Err(error) => error,
        };
        if started.elapsed() > worker.config.lease {
            tracing::warn!(%error, "answers of the provider could not be recorded; they are asked for again");
            return;
        }
        if is_passing(&error) {
            tokio::time::sleep(delay).await;
            delay = (delay * 2).min(Duration::from_secs(1));
            parts.push((charges, reversals));
        } else if charges.len() + reversals.len() > 1 {
            // One of them is to blame: each by itself, so that it takes nobody along.
            parts.extend(charges.into_iter().map(|charge| (Charges::from([charge]), Reversals::new())));
            parts.extend(reversals.into_iter().map(|reversal| (Charges::new(), Reversals::from([reversal]))));
        } else {
            tracing::error!(%error, ?charges, ?reversals, "an answer of the provider cannot be recorded");
        }
    }
}

fn is_passing(error: &StoreError) -> bool {
    match error {
        StoreError::Database(error) => error.is_unavailable() || error.is_overdue() || error.is_conflict(),
        StoreError::Money(_) | StoreError::Status(_) => false,
    }
}

fn split(batch: Vec<Answered>) -> (Charges, Reversals) {
    let (mut charges, mut reversals) = (Charges::new(), Reversals::new());
    for answered in batch {
        match answered {
            Answered::Charge { payment, lease, said } => {
                charges.insert(payment, (lease, said));
            }
            Answered::Refund { refund, lease, said } => {
                reversals.insert(refund, (lease, said));
            }
        }
    }
    (charges, reversals)
}

/// Whether recording answers has made something due.
enum Recorded {
    Due,
    NothingDue,
}

async fn record(database: &Database, charges: Charges, reversals: Reversals) -> Result<Recorded, StoreError> {
    database
        .write_opening(move |tx| {
            Box::pin(async move {
                let mut drafts = Vec::with_capacity(charges.len() + reversals.len());
                let mut recorded = Recorded::NothingDue;
                if !charges.is_empty() {
                    recorded = record_charges(tx, &charges, &mut drafts).await?;
                }
                if !reversals.is_empty() {
                    record_refunds(tx, &reversals, &mut drafts).await?;
                }
                outbox::record_with(tx, Vec::new(), &drafts).await?;
                Ok(recorded)
            })
        })
        .await
}

async fn record_charges(tx: &Connection, charges: &Charges, drafts: &mut Vec<Draft>) -> Result<Recorded, StoreError> {
    let held: Vec<(PaymentId, Uuid)> = charges.iter().map(|(id, (lease, _))| (*id, *lease)).collect();
    let mut payments = repository::lock_leased_payments(tx, &held).await?;
    let mut refunds: Vec<Refund> = Vec::new();
    for payment in &mut payments {
        let Some((_, said)) = charges.get(&payment.id) else { continue };
        let verdict = payment.settle(said);
        trace(payment, verdict, said);
        match verdict {
            Verdict::Settle(_, answer) => {
                let refund_request = payment.refund_request.as_ref().map(|request| request.requested_by);
                drafts.push(announce::answer(payment, answer, refund_request.or(payment.requested_by)));
            }
            Verdict::CaptureAndRefund => begin_refund(payment, &mut refunds, drafts)?,
            Verdict::AskAgain | Verdict::Keep | Verdict::Contradiction => {}
        }
    }
    repository::save_payments(tx, &payments.iter().collect::<Vec<_>>()).await?;
    repository::insert_refunds(tx, &refunds).await?;
    Ok(if refunds.is_empty() { Recorded::NothingDue } else { Recorded::Due })
}

/// Gives back what the order asked for, or tells it that there is nothing; what is begun ends with an answer.
pub(crate) fn begin_refund(
    payment: &mut Payment,
    refunds: &mut Vec<Refund>,
    drafts: &mut Vec<Draft>,
) -> Result<(), StoreError> {
    let plan = payment.refund_all()?;
    let Some(request) = payment.refund_request.clone() else { return Ok(()) };
    match plan {
        RefundPlan::Wait => {}
        RefundPlan::Begin(amount) => refunds.push(Refund {
            id: RefundId::new(),
            payment_id: payment.id,
            amount,
            reason: request.reason,
            status: RefundStatus::Pending,
            provider_ref: None,
            failure_reason: None,
            asked_by: None,
            requested_by: Some(request.requested_by),
            attempts: 0,
        }),
        RefundPlan::Answer(answer) => drafts.push(announce::answer(payment, answer, Some(request.requested_by))),
    }
    Ok(())
}

async fn record_refunds(tx: &Connection, reversals: &Reversals, drafts: &mut Vec<Draft>) -> Result<(), StoreError> {
    let held: Vec<(RefundId, Uuid)> = reversals.iter().map(|(id, (lease, _))| (*id, *lease)).collect();
    let (mut payments, mut refunds) = repository::lock_leased_refunds(tx, &held).await?;
    for refund in &mut refunds {
        let Some((_, said)) = reversals.get(&refund.id) else { continue };
        let Some(payment) = payments.iter_mut().find(|payment| payment.id == refund.payment_id) else { continue };
        let verdict = settle_refund(payment, refund, said)?;
        let (order_id, correlation_id) = (payment.order_id, payment.correlation_id);
        match verdict {
            RefundVerdict::Succeeded => drafts.push(announce::refunded(payment, refund)),
            RefundVerdict::Failed => {
                tracing::error!(%order_id, %correlation_id, refund_id = %refund.id, ?said, "the provider refused a refund");
            }
            RefundVerdict::AskAgain => {
                tracing::warn!(%order_id, %correlation_id, refund_id = %refund.id, ?said, "a refund is unanswered; it is asked for again");
            }
            RefundVerdict::Keep => {}
            RefundVerdict::Contradiction => {
                tracing::error!(%order_id, %correlation_id, refund_id = %refund.id, ?said, "the provider contradicts itself about a refund");
            }
        }
    }
    // Payments of refunds are settled and hold no lease of their own, except those not ours to touch.
    let touched: Vec<&Payment> =
        payments.iter().filter(|payment| refunds.iter().any(|refund| refund.payment_id == payment.id)).collect();
    repository::save_payments(tx, &touched).await?;
    repository::save_refunds(tx, &refunds).await
}

fn trace(payment: &Payment, verdict: Verdict, said: &Result<ChargeOutcome, Unanswered>) {
    let (order_id, correlation_id) = (payment.order_id, payment.correlation_id);
    let result = match verdict {
        Verdict::Settle(status, _) => {
            tracing::debug!(%order_id, %correlation_id, status = status.as_str(), "a payment is settled");
            status.as_str()
        }
        Verdict::CaptureAndRefund => {
            tracing::info!(%order_id, %correlation_id, "a payment was captured that its order wants back");
            "captured"
        }
        Verdict::AskAgain => {
            tracing::warn!(%order_id, %correlation_id, attempts = payment.attempts, ?said, "a charge is unanswered; it is asked for again");
            "unanswered"
        }
        Verdict::Keep => "known",
        Verdict::Contradiction => {
            tracing::error!(%order_id, %correlation_id, status = payment.status.as_str(), ?said, "the provider contradicts itself about a charge");
            "contradiction"
        }
    };
    metrics::counter!("payments_answers_total", "result" => result).increment(1);
}
