//! What orders ask for: money, or their money back.
//!
//! The handler stores intents and decides; the provider is called by the worker after the commit.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use database::{Connection, outbox};
use events::topology::{Exchange, QUEUES};
use events::{DecodeError, Envelope, Event, EventId, OrderId, PaymentId, PaymentRequested, RefundRequested};
use messaging::{Consumer, Handler, HandlerError};
use uuid::Uuid;

use crate::model::Payment;
use crate::provider::Charge;
use crate::recorder::begin_refund;
use crate::repository::{self, NewPayment, NewRefundRequest, StoreError};
use crate::worker::{Call, Worker};
use crate::{Payments, SERVICE, announce};

/// A batch that was prepared but not committed is forgotten after this time; its rows were rolled back, or
/// their leases expire.
const FORGET_AFTER: Duration = Duration::from_secs(30);

/// The consumers of this service.
pub fn consumers(service: &Arc<Payments>) -> Vec<Consumer> {
    QUEUES
        .iter()
        .filter(|queue| queue.service == SERVICE && queue.exchange == Exchange::Orders)
        .map(|queue| Consumer {
            queue,
            database: service.database.clone(),
            handler: Arc::new(OrdersHandler { worker: Arc::clone(&service.worker), prepared: Mutex::default() }),
        })
        .collect()
}

struct OrdersHandler {
    worker: Arc<Worker>,
    /// By the first event of its batch.
    prepared: Mutex<HashMap<EventId, Prepared>>,
}

/// What the worker does once the batch is committed.
struct Prepared {
    since: Instant,
    charges: Option<Leased>,
    sweep: Sweep,
}

/// Charges that this process holds the lease of.
struct Leased {
    lease: Uuid,
    calls: Vec<Call>,
}

/// Whether the batch left something for the sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sweep {
    Needed,
    NotNeeded,
}

#[async_trait]
impl Handler for OrdersHandler {
    async fn handle(&self, tx: &Connection, batch: &[Envelope]) -> Result<(), HandlerError> {
        let (mut requests, mut refunds) = (Vec::new(), Vec::new());
        for envelope in batch {
            if envelope.is::<PaymentRequested>() {
                requests.push(new_payment(envelope)?);
            } else if envelope.is::<RefundRequested>() {
                refunds.push(new_refund_request(envelope)?);
            } else {
                return Err(DecodeError::UnknownType(envelope.event_type.clone()).into());
            }
        }
        let sweep = if refunds.is_empty() { Sweep::NotNeeded } else { Sweep::Needed };
        // Refunds first: an order called off in the same batch is not charged at all.
        if !refunds.is_empty() {
            self.request_refunds(tx, refunds).await?;
        }
        let mut prepared = Prepared { since: Instant::now(), charges: None, sweep };
        if !requests.is_empty() {
            self.request_payments(tx, requests, &mut prepared).await?;
        }
        if let Some(first) = batch.first() {
            let mut waiting = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.retain(|_, old| old.since.elapsed() < FORGET_AFTER);
            waiting.insert(first.event_id, prepared);
        }
        Ok(())
    }

    fn committed(&self, batch: &[Envelope]) {
        let Some(first) = batch.first() else { return };
        let prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner).remove(&first.event_id);
        let Some(prepared) = prepared else { return };
        if let Some(Leased { lease, calls }) = prepared.charges {
            self.worker.start(lease, calls);
        }
        if prepared.sweep == Sweep::Needed {
            self.worker.nudge();
        }
    }
}

impl OrdersHandler {
    /// Stores intents; as many as there are free slots are leased to this process from the start.
    async fn request_payments(
        &self,
        tx: &Connection,
        mut wanted: Vec<NewPayment>,
        prepared: &mut Prepared,
    ) -> Result<(), StoreError> {
        let leased = self.worker.free_slots();
        let lease = Uuid::new_v4();
        for new in wanted.iter_mut().take(leased) {
            new.lease = Some(lease);
        }
        if leased < wanted.len() {
            prepared.sweep = Sweep::Needed;
        }
        let config = &self.worker.config;
        let stored = repository::insert_payments(tx, &wanted, self.worker.provider.name(), config.lease).await?;
        let stored: HashSet<PaymentId> = stored.into_iter().collect();
        let (new, repeated): (Vec<NewPayment>, Vec<NewPayment>) =
            wanted.into_iter().partition(|new| stored.contains(&new.id));
        let calls = new.into_iter().filter(|new| new.lease.is_some()).map(charge).collect();
        prepared.charges = Some(Leased { lease, calls });
        if repeated.is_empty() { Ok(()) } else { answer_again(tx, &repeated).await }
    }

    async fn request_refunds(&self, tx: &Connection, wanted: Vec<NewRefundRequest>) -> Result<(), StoreError> {
        // An order that asks twice in one batch is answered once, for its latest request.
        let wanted: HashMap<OrderId, NewRefundRequest> = wanted.into_iter().map(|new| (new.order_id, new)).collect();
        let wanted: Vec<NewRefundRequest> = wanted.into_values().collect();
        let mut payments = repository::request_refunds(tx, &wanted, self.worker.provider.name()).await?;
        let (mut refunds, mut drafts) = (Vec::new(), Vec::new());
        for payment in &mut payments {
            begin_refund(payment, &mut refunds, &mut drafts)?;
        }
        // What is not settled yet may be leased to somebody, and has not changed.
        let changed: Vec<&Payment> = payments.iter().filter(|payment| payment.is_settled()).collect();
        repository::save_payments(tx, &changed).await?;
        repository::insert_refunds(tx, &refunds).await?;
        outbox::record(tx, &drafts).await?;
        Ok(())
    }
}

/// Orders that have a payment are told again what became of it, if it is known.
async fn answer_again(tx: &Connection, repeated: &[NewPayment]) -> Result<(), StoreError> {
    let causes: HashMap<OrderId, EventId> = repeated.iter().map(|new| (new.order_id, new.requested_by)).collect();
    let orders: Vec<OrderId> = causes.keys().copied().collect();
    let payments = repository::lock_payments_of_orders(tx, &orders).await?;
    let drafts: Vec<_> = payments
        .iter()
        .filter_map(|payment| {
            let cause = causes.get(&payment.order_id).copied();
            payment.answer_again().map(|answer| announce::answer(payment, answer, cause))
        })
        .collect();
    outbox::record(tx, &drafts).await?;
    Ok(())
}

fn new_payment(envelope: &Envelope) -> Result<NewPayment, HandlerError> {
    let event: PaymentRequested = envelope.decode()?;
    if event.amount.is_negative() {
        return Err(HandlerError::Reject(format!("{} asks for a negative amount", PaymentRequested::TYPE)));
    }
    Ok(NewPayment {
        id: PaymentId::new(),
        order_id: event.order_id,
        user_id: event.user_id,
        amount: event.amount,
        method: event.payment_method,
        correlation_id: envelope.correlation_id,
        requested_by: envelope.event_id,
        lease: None,
    })
}

fn new_refund_request(envelope: &Envelope) -> Result<NewRefundRequest, HandlerError> {
    let event: RefundRequested = envelope.decode()?;
    Ok(NewRefundRequest {
        order_id: event.order_id,
        user_id: event.user_id,
        correlation_id: envelope.correlation_id,
        requested_by: envelope.event_id,
        reason: event.reason,
    })
}

fn charge(new: NewPayment) -> Call {
    Call::Charge(Charge { key: new.id, order_id: new.order_id, amount: new.amount, method: new.method })
}
