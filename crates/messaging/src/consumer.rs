//! The runtime around a service's handlers: batches, idempotency, retries, dead letters.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use database::{Connection, Database, attempts, idempotency};
use events::topology::{EVENTS, Queue};
use events::{DecodeError, Envelope, EventId, TraceParent};
use tokio_util::sync::CancellationToken;
use tracing::field::display;
use tracing::{Instrument, Span};

use crate::dead_letters::Glance;
use crate::delivery::{Delivery, MAX_DELIVERIES, RETRY_DELAYS, Received, legible};
use crate::taking::Taking;
use crate::transport::{Receiver, Transport, TransportError};

/// Messages per transaction, at most. Batches grow with load and vanish without it.
const BATCH: u16 = 200;

/// Between a failed session and the next.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Why a handler did not apply a batch. Nothing of it is kept.
#[derive(Debug, thiserror::Error)]
pub enum HandlerError {
    /// May succeed later: tried again after 1 s, 10 s, 60 s, then parked.
    #[error("{0}")]
    Retry(String),
    /// Never succeeds: parked at once.
    #[error("{0}")]
    Reject(String),
    /// The database failed. If it is away, the message waits without end; it is not to blame.
    #[error(transparent)]
    Database(#[from] database::Error),
}

impl From<DecodeError> for HandlerError {
    fn from(error: DecodeError) -> Self {
        HandlerError::Reject(error.to_string())
    }
}

/// Applies events to a service's state.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Applies a batch in the open transaction: state changes and the events they cause. None of the
    /// batch was applied before; their idempotency records are part of the same transaction.
    ///
    /// Nothing may leave the process here: no calls, no charges, no mails. It may end with
    /// [`outbox::record_with`](database::outbox::record_with), which may commit: nothing that can fail may follow.
    async fn handle(&self, tx: &Connection, batch: &[Envelope]) -> Result<(), HandlerError>;

    /// The batch is committed: forget cached copies, nudge workers.
    fn committed(&self, _batch: &[Envelope]) {}

    /// How long to rest after a batch that was not full. None, unless nobody waits for the effects: then messages
    /// gather meanwhile, and a few large batches cost less than many small ones.
    fn rest(&self) -> Duration {
        Duration::ZERO
    }
}

/// One queue, and the handler that empties it.
pub struct Consumer {
    /// What is consumed.
    pub queue: &'static Queue,
    /// Where effects and idempotency records are written.
    pub database: Database,
    /// What applies the events.
    pub handler: Arc<dyn Handler>,
}

/// Some message took its consumer down, again and again. Those before it were settled one by one, so it is
/// the first that was delivered too often, and the others were only in hand with it: a session sets one
/// aside, to be tried again later, and tries the rest. An innocent one is late; the culprit is set aside
/// until its retries are used up.
#[derive(Debug, PartialEq, Eq)]
enum Suspect {
    Wanted,
    SetAside,
}

/// Whether messages that were never tried may be tried as one batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Company {
    Welcome,
    /// As a batch they have failed just now.
    Refused,
}

/// A message that could be read.
struct Readable {
    delivery: Delivery,
    envelope: Envelope,
}

/// Messages that are applied together: each delivery stands where its envelope does.
#[derive(Clone, Default)]
struct Batch {
    deliveries: Vec<Delivery>,
    envelopes: Vec<Envelope>,
}

impl Batch {
    fn push(&mut self, message: Readable) {
        self.deliveries.push(message.delivery);
        self.envelopes.push(message.envelope);
    }

    /// The trace of each event that belongs to one.
    fn traces(&self) -> impl Iterator<Item = (EventId, TraceParent)> {
        let both = self.deliveries.iter().zip(&self.envelopes);
        both.filter_map(|(delivery, envelope)| Some((envelope.event_id, delivery.traceparent?)))
    }

    fn into_messages(self) -> impl Iterator<Item = Readable> {
        self.deliveries.into_iter().zip(self.envelopes).map(|(delivery, envelope)| Readable { delivery, envelope })
    }
}

impl From<Readable> for Batch {
    fn from(message: Readable) -> Batch {
        Batch { deliveries: vec![message.delivery], envelopes: vec![message.envelope] }
    }
}

/// What the log lines about one message carry.
fn span_of(delivery: &Delivery, envelope: &Envelope) -> Span {
    // At the highest level, so that no filter takes the ids from the lines it lets through.
    tracing::error_span!("message", correlation_id = %envelope.correlation_id, event_id = %envelope.event_id,
        event_type = envelope.event_type, trace_id = delivery.traceparent.map(|trace| trace.trace_id()))
}

/// The same of a message that cannot be read, as far as it says anything.
fn span_of_unreadable(delivery: &Delivery) -> Span {
    let glance = Glance::at(&String::from_utf8_lossy(&delivery.body));
    let (correlation_id, event_id) = (glance.correlation_id.map(display), glance.event_id.map(display));
    tracing::error_span!("message", correlation_id, event_id, event_type = glance.event_type)
}

/// Parses an envelope and checks that this release knows the event and this queue wants it.
pub(crate) fn read(queue: &Queue, delivery: &Delivery) -> Result<Envelope, DecodeError> {
    let envelope = Envelope::parse(&delivery.body)?;
    let known = EVENTS
        .iter()
        .find(|kind| kind.event_type == envelope.event_type && kind.exchange == queue.exchange)
        .ok_or_else(|| DecodeError::UnknownType(envelope.event_type.clone()))?;
    if known.version != envelope.version {
        return Err(DecodeError::UnknownVersion {
            event_type: envelope.event_type.clone(),
            version: envelope.version.clone(),
        });
    }
    Ok(envelope)
}

impl Consumer {
    /// Consumes until `shutdown`; finishes what is in hand. Survives every failure of transport and database.
    pub async fn run(self, transport: Transport, shutdown: CancellationToken) {
        let mut delay = SHORTEST_PAUSE;
        let mut held = None;
        while !shutdown.is_cancelled() {
            let started = Instant::now();
            let Err(error) = self.session(&transport, &mut held, &shutdown).await else { return };
            tracing::warn!(queue = self.queue.name(), %error, "consuming is interrupted; it starts again");
            if started.elapsed() > LONGEST_PAUSE {
                delay = SHORTEST_PAUSE;
            }
            shutdown.run_until_cancelled(tokio::time::sleep(delay)).await;
            delay = (delay * 2).min(LONGEST_PAUSE);
        }
    }

    /// From subscribing to shutdown or the first failure. `held`: the receiver of an interrupted session,
    /// which may still lease messages.
    async fn session(
        &self,
        transport: &Transport,
        held: &mut Option<Receiver>,
        shutdown: &CancellationToken,
    ) -> Result<(), TransportError> {
        if let Some(receiver) = held {
            receiver.release().await?;
        }
        let receiver = held.insert(transport.subscribe(self.queue, BATCH, &self.database).await?);
        self.consume(receiver, shutdown).await?;
        receiver.release().await
    }

    async fn consume(&self, receiver: &Receiver, shutdown: &CancellationToken) -> Result<(), TransportError> {
        let mut suspect = Suspect::Wanted;
        let mut company = Company::Welcome;
        loop {
            let batch = match receiver.receive(usize::from(BATCH), shutdown).await? {
                Received::Hint => {
                    let taken = self.take(receiver).await;
                    company = if taken.is_some() { Company::Welcome } else { Company::Refused };
                    self.rest(taken.unwrap_or_default(), shutdown).await;
                    continue;
                }
                Received::Leased(batch) if batch.is_empty() => return Ok(()),
                Received::Leased(batch) => batch,
            };
            let received = batch.len();
            self.process(receiver, batch, &mut suspect, company, shutdown).await?;
            company = Company::Welcome;
            self.rest(received, shutdown).await;
        }
    }

    /// After a batch of so many.
    async fn rest(&self, handled: usize, shutdown: &CancellationToken) {
        let rest = self.handler.rest();
        if (1..usize::from(BATCH)).contains(&handled) && !rest.is_zero() {
            shutdown.run_until_cancelled(tokio::time::sleep(rest)).await;
        }
    }

    /// Messages and their effects in one transaction; how many. If that fails nothing has happened: the messages are
    /// received again, under a lease, and handled one by one.
    async fn take(&self, receiver: &Receiver) -> Option<usize> {
        let started = Instant::now();
        let max = usize::from(BATCH);
        let (receiver, handler) = (receiver.clone(), Arc::clone(&self.handler));
        let taking = Taking { queue: self.queue, receiver: receiver.clone(), handler, max };
        match self.database.write_opening(move |tx| Box::pin(async move { taking.run(tx).await })).await {
            Ok(took) => {
                self.handler.committed(&took.fresh);
                self.count(took.count, took.fresh.len(), started);
                receiver.took(Some(took.count), max);
                Some(took.count)
            }
            Err(error) => {
                tracing::debug!(queue = self.queue.name(), %error, "a batch failed; its messages go one by one");
                self.took("failed", started);
                receiver.took(None, max);
                None
            }
        }
    }

    async fn process(
        &self,
        receiver: &Receiver,
        batch: Vec<Delivery>,
        suspect: &mut Suspect,
        company: Company,
        shutdown: &CancellationToken,
    ) -> Result<(), TransportError> {
        let mut together = Batch::default();
        let mut alone = Vec::new();
        for delivery in batch {
            match read(self.queue, &delivery) {
                // Whoever had it before died with it: alone, it takes nobody along.
                Ok(envelope) if delivery.deliveries > 1 => alone.push(Readable { delivery, envelope }),
                Ok(envelope) => together.push(Readable { delivery, envelope }),
                Err(error) => {
                    let span = span_of_unreadable(&delivery);
                    self.park(receiver, &delivery, &error.to_string()).instrument(span).await?;
                }
            }
        }
        if *suspect == Suspect::Wanted
            && let Some(at) = alone.iter().position(|message| message.delivery.deliveries > MAX_DELIVERIES)
        {
            let Readable { delivery, envelope } = alone.remove(at);
            let error = format!("delivered {} times without an answer", delivery.deliveries - 1);
            let span = span_of(&delivery, &envelope);
            self.retry(receiver, &delivery, &envelope, &error).instrument(span).await?;
            *suspect = Suspect::SetAside;
        }
        self.apply_one_by_one(receiver, alone.into_iter(), shutdown).await?;
        if together.deliveries.is_empty() || shutdown.is_cancelled() {
            return Ok(());
        }
        if company == Company::Refused {
            return self.apply_one_by_one(receiver, together.into_messages(), shutdown).await;
        }
        let together = Arc::new(together);
        match self.apply(receiver, &together).await {
            Ok(()) => Ok(()),
            Err(AttemptError::Transport(error)) => Err(error),
            Err(AttemptError::Handler(_)) => {
                let messages = Arc::unwrap_or_clone(together).into_messages();
                self.apply_one_by_one(receiver, messages, shutdown).await
            }
        }
    }

    /// What is not begun at shutdown stays unsettled, and is delivered again.
    async fn apply_one_by_one(
        &self,
        receiver: &Receiver,
        messages: impl Iterator<Item = Readable>,
        shutdown: &CancellationToken,
    ) -> Result<(), TransportError> {
        for message in messages {
            if shutdown.is_cancelled() {
                return Ok(());
            }
            let span = span_of(&message.delivery, &message.envelope);
            self.apply_alone(receiver, message, shutdown).instrument(span).await?;
        }
        Ok(())
    }

    /// One message, until it is applied, given another try, or parked. A database that is away is waited for.
    async fn apply_alone(
        &self,
        receiver: &Receiver,
        message: Readable,
        shutdown: &CancellationToken,
    ) -> Result<(), TransportError> {
        let message = Arc::new(Batch::from(message));
        let mut delay = Duration::from_millis(50);
        loop {
            let error = match self.apply(receiver, &message).await {
                Ok(()) => return Ok(()),
                Err(AttemptError::Transport(error)) => return Err(error),
                Err(AttemptError::Handler(error)) => error,
            };
            let (delivery, envelope) = (&message.deliveries[0], &message.envelopes[0]);
            match error {
                HandlerError::Database(error) if error.is_unavailable() || error.is_conflict() => {
                    tracing::debug!(queue = self.queue.name(), %error, "a message waits for the database");
                    tokio::select! {
                        () = tokio::time::sleep(delay) => {}
                        // Unsettled, so it is delivered again.
                        () = shutdown.cancelled() => return Ok(()),
                    }
                    delay = (delay * 2).min(Duration::from_secs(2));
                }
                HandlerError::Reject(reason) => {
                    self.note_failure(envelope, &reason).await;
                    return self.park(receiver, delivery, &reason).await;
                }
                HandlerError::Retry(_) | HandlerError::Database(_) => {
                    return self.retry(receiver, delivery, envelope, &error.to_string()).await;
                }
            }
        }
    }

    async fn retry(
        &self,
        receiver: &Receiver,
        delivery: &Delivery,
        envelope: &Envelope,
        error: &str,
    ) -> Result<(), TransportError> {
        self.note_failure(envelope, error).await;
        let tier = usize::try_from(delivery.attempts).unwrap_or(usize::MAX);
        match RETRY_DELAYS.get(tier) {
            Some(delay) => {
                tracing::warn!(queue = self.queue.name(), attempts = delivery.attempts + 1, %error, "a message is tried again later");
                metrics::counter!("consumer_retries_total", "queue" => self.queue.name()).increment(1);
                receiver.retry(delivery, *delay).await
            }
            None => self.park(receiver, delivery, error).await,
        }
    }

    /// For whoever follows an order. A note that cannot be written must not keep the message from its next try.
    async fn note_failure(&self, envelope: &Envelope, error: &str) {
        let note = async {
            let db = self.database.read().await?;
            attempts::note(&db, envelope.event_id, &self.queue.name(), &legible(error)).await
        };
        if let Err(error) = note.await {
            tracing::warn!(queue = self.queue.name(), %error, "a failed attempt is told here alone");
        }
    }

    async fn park(&self, receiver: &Receiver, delivery: &Delivery, reason: &str) -> Result<(), TransportError> {
        let reason = legible(reason);
        tracing::error!(queue = self.queue.name(), reason, "a message is parked in the dead-letter queue");
        metrics::counter!("consumer_dead_letters_total", "queue" => self.queue.name()).increment(1);
        receiver.park(delivery, &reason).await
    }

    /// One transaction: idempotency records, effects, events, and the acknowledgement where the
    /// transport can; elsewhere the acknowledgement follows the commit.
    async fn apply(&self, receiver: &Receiver, batch: &Arc<Batch>) -> Result<(), AttemptError> {
        let started = Instant::now();
        let settles_inside = receiver.settles_inside(&self.database);
        let work = Work {
            service: self.queue.service,
            settles_inside,
            receiver: receiver.clone(),
            handler: Arc::clone(&self.handler),
            batch: Arc::clone(batch),
        };
        let done = if settles_inside {
            self.database.write_batch(move |tx| Box::pin(async move { work.run(tx).await })).await
        } else {
            // Nothing follows the work, so its last statements take the COMMIT with them.
            self.database.write_opening(move |tx| Box::pin(async move { work.run(tx).await })).await
        };
        let fresh = done.inspect_err(|_| self.took("failed", started)).map_err(AttemptError::Handler)?;
        // Before the acknowledgement: if that fails, the copy that comes next is a duplicate, and not fresh any more.
        let fresh = fresh.as_deref().unwrap_or(&batch.envelopes);
        self.handler.committed(fresh);
        if !settles_inside {
            receiver.settle(&batch.deliveries).await.map_err(AttemptError::Transport)?;
        }
        self.count(batch.envelopes.len(), fresh.len(), started);
        Ok(())
    }

    fn count(&self, all: usize, fresh: usize, started: Instant) {
        let queue = self.queue.name();
        metrics::counter!("consumer_messages_total", "queue" => queue.clone()).increment(all as u64);
        metrics::counter!("consumer_duplicates_total", "queue" => queue).increment((all - fresh) as u64);
        self.took("applied", started);
    }

    fn took(&self, outcome: &'static str, started: Instant) {
        metrics::histogram!("consumer_batch_seconds", "queue" => self.queue.name(), "outcome" => outcome)
            .record(started.elapsed().as_secs_f64());
    }
}

enum AttemptError {
    Handler(HandlerError),
    Transport(TransportError),
}

/// What one transaction needs, owned, because it runs detached.
struct Work {
    service: &'static str,
    settles_inside: bool,
    receiver: Receiver,
    handler: Arc<dyn Handler>,
    batch: Arc<Batch>,
}

impl Work {
    /// What had not been applied before; `None` if that is all of the batch.
    async fn run(self, tx: &Connection) -> Result<Option<Vec<Envelope>>, HandlerError> {
        let all = &self.batch.envelopes;
        let claims: Vec<(EventId, &str)> =
            all.iter().map(|envelope| (envelope.event_id, envelope.event_type.as_str())).collect();
        let mut fresh_ids: HashSet<EventId> = idempotency::claim_opening(tx, self.service, &claims).await?;
        // `remove`, because one batch may hold two copies of an event.
        let fresh: Option<Vec<Envelope>> = (fresh_ids.len() < all.len())
            .then(|| all.iter().filter(|envelope| fresh_ids.remove(&envelope.event_id)).cloned().collect());
        let applied = fresh.as_deref().unwrap_or(all);
        tx.note_traces(self.batch.traces());
        if !applied.is_empty() {
            self.handler.handle(tx, applied).await?;
        }
        if self.settles_inside {
            self.receiver.settle_in(tx, &self.batch.deliveries).await?;
        }
        Ok(fresh)
    }
}
