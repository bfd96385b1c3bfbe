//! One transport, two implementations.

use std::time::Duration;

use database::{Connection, Database};
use events::Envelope;
use events::topology::{Exchange, Queue};
use tokio_util::sync::CancellationToken;

use crate::delivery::{Delivery, Outgoing, PublishError, Received, Taken};
use crate::postgres::{PostgresReceiver, PostgresTap, PostgresTransport, Wakes};
use crate::rabbit::{Brokers, RabbitConfig, RabbitReceiver, RabbitTap, RabbitTransport};

/// The transport is away or refuses.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The Postgres transport's database.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// RabbitMQ.
    #[error("rabbitmq: {0}")]
    Rabbit(String),
    /// A message was not taken.
    #[error("{0}")]
    Publish(String),
}

/// How a service's messages travel. Cheap to clone.
///
/// Publishing is the relay's alone: a service records events in its outbox. Only poison needs none.
#[derive(Clone)]
pub struct Transport {
    pub(crate) inner: Inner,
}

#[derive(Clone)]
pub(crate) enum Inner {
    Postgres(PostgresTransport),
    Rabbit(RabbitTransport),
}

/// How much waits in a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueDepth {
    /// Name of the queue.
    pub queue: String,
    /// The service that reads it.
    pub service: String,
    /// Ready or being handled.
    pub ready: i64,
    /// Waiting for their next try.
    pub delayed: i64,
    /// Parked in its dead-letter queue.
    pub dead: i64,
}

/// How much waits in a queue of one service, as far as the transport can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueBacklog {
    /// Name of the queue.
    pub queue: String,
    /// Waiting for a consumer.
    pub ready: i64,
    /// Handed to a consumer and not settled; RabbitMQ does not tell.
    pub in_flight: Option<i64>,
    /// Waiting for their next try; over RabbitMQ all services share the queues of those.
    pub delayed: Option<i64>,
    /// Parked in its dead-letter queue.
    pub dead: i64,
}

impl Transport {
    /// Messages in PostgreSQL. `database` logs in under the service's role where the `messaging` schema lies.
    pub fn postgres(database: Database, wakes: Wakes) -> Transport {
        Transport { inner: Inner::Postgres(PostgresTransport::new(database, wakes)) }
    }

    /// Messages over RabbitMQ, on connections of its own; services of one process share them through [`Brokers`].
    pub fn rabbit(config: RabbitConfig) -> Transport {
        Brokers::default().transport(config)
    }

    pub(crate) fn over(rabbit: RabbitTransport) -> Transport {
        Transport { inner: Inner::Rabbit(rabbit) }
    }

    /// Can it be used right now? For readiness.
    pub async fn check(&self) -> Result<(), TransportError> {
        match &self.inner {
            Inner::Postgres(postgres) => postgres.check().await,
            Inner::Rabbit(rabbit) => rabbit.check().await,
        }
    }

    /// Makes sure that every queue is there. The Postgres transport's are made with its tables:
    /// [`declare_queues`](crate::declare_queues).
    pub async fn declare(&self) -> Result<(), TransportError> {
        match &self.inner {
            Inner::Postgres(_) => Ok(()),
            Inner::Rabbit(rabbit) => rabbit.declare().await,
        }
    }

    /// Whether this service's outbox lies in the very database that carries the messages.
    pub(crate) fn shares_database_with(&self, database: &Database) -> bool {
        match &self.inner {
            Inner::Postgres(postgres) => postgres.shares_database_with(database),
            Inner::Rabbit(_) => false,
        }
    }

    /// Where the queues lie in this very database, recorded events go straight into them from now on, and consumers
    /// take them within the transactions of their effects. Said before anything is consumed.
    pub fn carry_straight(&self, database: &Database) {
        match &self.inner {
            Inner::Postgres(postgres) => postgres.carry_straight(database),
            Inner::Rabbit(_) => {}
        }
    }

    /// Publishes a batch; one answer per message, in order. `Ok` only once the broker has it safely.
    pub(crate) async fn publish(&self, batch: &[Outgoing]) -> Vec<Result<(), PublishError>> {
        match &self.inner {
            Inner::Postgres(postgres) => postgres.publish(batch).await,
            Inner::Rabbit(rabbit) => rabbit.publish(batch).await,
        }
    }

    /// Tells consumers in this process that their queues got something.
    pub(crate) fn wake(&self, queues: &[String]) {
        match &self.inner {
            Inner::Postgres(postgres) => postgres.wake(queues),
            Inner::Rabbit(_) => {}
        }
    }

    /// Names this process in hints, so that it does not wake itself twice.
    pub(crate) fn origin(&self) -> &str {
        match &self.inner {
            Inner::Postgres(postgres) => postgres.origin(),
            Inner::Rabbit(_) => "",
        }
    }

    /// Starts to receive from a durable queue; at most `prefetch` messages are unsettled at a time.
    /// Effects are written to `database`.
    pub(crate) async fn subscribe(
        &self,
        queue: &Queue,
        prefetch: u16,
        database: &Database,
    ) -> Result<Receiver, TransportError> {
        Ok(match &self.inner {
            Inner::Postgres(postgres) => Receiver::Postgres(postgres.subscribe(queue, database)),
            Inner::Rabbit(rabbit) => Receiver::Rabbit(rabbit.subscribe(queue, prefetch).await?),
        })
    }

    /// A short-lived queue of this process's own that gets every event of these exchanges from now on.
    pub async fn tap(&self, exchanges: &[Exchange]) -> Tap {
        Tap {
            inner: match &self.inner {
                Inner::Postgres(postgres) => TapInner::Postgres(postgres.tap(exchanges)),
                Inner::Rabbit(rabbit) => TapInner::Rabbit(rabbit.tap(exchanges)),
            },
        }
    }

    /// How much waits in each queue of a service: one statement, or two questions to the broker for each queue.
    pub async fn backlogs(&self, service: &str) -> Result<Vec<QueueBacklog>, TransportError> {
        match &self.inner {
            Inner::Postgres(postgres) => postgres.backlogs(service).await,
            Inner::Rabbit(rabbit) => rabbit.backlogs(service).await,
        }
    }

    /// How much waits in each queue, of whichever service.
    pub async fn depths(&self) -> Result<Vec<QueueDepth>, TransportError> {
        match &self.inner {
            Inner::Postgres(postgres) => postgres.depths().await,
            Inner::Rabbit(rabbit) => rabbit.depths().await,
        }
    }
}

/// What a tap yields.
#[derive(Debug)]
pub enum Tapped {
    /// An event that was published.
    Event(Box<Envelope>),
    /// Events may have been missed: whoever mirrors a state reads it again.
    Gap,
}

/// A live, lossy view of what is published; [`Tapped::Gap`] says when something may be missing.
pub struct Tap {
    inner: TapInner,
}

enum TapInner {
    Postgres(PostgresTap),
    Rabbit(RabbitTap),
}

impl Tap {
    /// Waits for the next. The first is always a `Gap`: what happened before is not told.
    pub async fn next(&mut self) -> Tapped {
        match &mut self.inner {
            TapInner::Postgres(tap) => tap.next().await,
            TapInner::Rabbit(tap) => tap.next().await,
        }
    }
}

/// The receiving end of one durable queue.
#[derive(Clone)]
pub(crate) enum Receiver {
    Postgres(PostgresReceiver),
    Rabbit(RabbitReceiver),
}

impl Receiver {
    /// Waits until there is at least one message; returns up to `max` of those at hand, or none at the shutdown.
    pub async fn receive(&self, max: usize, shutdown: &CancellationToken) -> Result<Received, TransportError> {
        match self {
            Receiver::Postgres(receiver) => receiver.receive(max, shutdown).await,
            // Until it has a message it holds nothing, and then it does not wait any more.
            Receiver::Rabbit(receiver) => {
                let received = shutdown.run_until_cancelled(receiver.receive(max)).await;
                Ok(Received::Leased(received.unwrap_or_else(|| Ok(Vec::new()))?))
            }
        }
    }

    /// After [`Received::Hint`]: opens the transaction and takes what is there, with the idempotency records of
    /// `service`.
    pub async fn take(&self, tx: &Connection, service: &str, max: usize) -> Result<Vec<Taken>, database::Error> {
        match self {
            Receiver::Postgres(receiver) => receiver.take(tx, service, max).await,
            Receiver::Rabbit(_) => Ok(Vec::new()),
        }
    }

    /// What became of it: how many of `max` were taken, or that none were, because their effects failed.
    pub fn took(&self, taken: Option<usize>, max: usize) {
        match (self, taken) {
            (Receiver::Postgres(receiver), Some(count)) => receiver.took(count, max),
            (Receiver::Postgres(receiver), None) => receiver.took_nothing(),
            (Receiver::Rabbit(_), _) => {}
        }
    }

    /// Whether effect and acknowledgement can be one commit: [`Receiver::settle_in`] a transaction of `database`.
    /// Elsewhere [`Receiver::settle`] follows the commit.
    pub fn settles_inside(&self, database: &Database) -> bool {
        match self {
            Receiver::Postgres(receiver) => receiver.settles_inside(database),
            Receiver::Rabbit(_) => false,
        }
    }

    /// Acknowledges inside the consumer's transaction, where the receiver [`settles_inside`](Receiver::settles_inside).
    pub async fn settle_in(&self, tx: &Connection, deliveries: &[Delivery]) -> Result<(), database::Error> {
        match self {
            Receiver::Postgres(receiver) => receiver.settle_in(tx, deliveries).await,
            Receiver::Rabbit(_) => Ok(()),
        }
    }

    /// Acknowledges handled messages.
    pub async fn settle(&self, deliveries: &[Delivery]) -> Result<(), TransportError> {
        match self {
            Receiver::Postgres(receiver) => receiver.settle(deliveries).await,
            Receiver::Rabbit(receiver) => receiver.settle(deliveries).await,
        }
    }

    /// Gives back what was received and not settled. RabbitMQ does that by itself when the channel closes; here it
    /// still hears of what was settled last.
    pub async fn release(&self) -> Result<(), TransportError> {
        match self {
            Receiver::Postgres(receiver) => receiver.release().await,
            Receiver::Rabbit(receiver) => {
                receiver.release().await;
                Ok(())
            }
        }
    }

    /// Gives a message another try after `delay`, with one more attempt on its count.
    pub async fn retry(&self, delivery: &Delivery, delay: Duration) -> Result<(), TransportError> {
        match self {
            Receiver::Postgres(receiver) => receiver.retry(delivery, delay).await,
            Receiver::Rabbit(receiver) => receiver.retry(delivery, delay).await,
        }
    }

    /// Parks a message in the dead-letter queue.
    pub async fn park(&self, delivery: &Delivery, reason: &str) -> Result<(), TransportError> {
        match self {
            Receiver::Postgres(receiver) => receiver.park(delivery, reason).await,
            Receiver::Rabbit(receiver) => receiver.park(delivery, reason).await,
        }
    }
}
