//! Messages over RabbitMQ, 3.10 and later.
//!
//! A service has two connections: one to publish, which the broker may block when it is short of memory or
//! disk, and one to consume, which it never blocks. On the latter each subscription has a channel of its own.

mod dead_letters;
mod headers;
mod link;
mod publisher;
mod receiver;
mod tap;
mod topology;

use std::sync::Arc;
use std::time::Duration;

use events::topology::{Exchange, QUEUES, Queue};
use futures_util::future::try_join_all;
use lapin::options::QueueDeclareOptions;
use lapin::types::{FieldTable, ShortString};
use lapin::uri::AMQPUri;
use tokio::time::timeout;

use self::link::Slot;
use self::publisher::{Message, Publisher};
pub(crate) use self::receiver::RabbitReceiver;
pub(crate) use self::tap::RabbitTap;
use crate::delivery::{Outgoing, PublishError};
use crate::transport::{QueueDepth, TransportError};

const CHECK_LIMIT: Duration = Duration::from_secs(2);

/// How to reach the broker.
#[derive(Debug, Clone)]
pub struct RabbitConfig {
    /// `amqp://user:password@host:port/vhost`, or `amqps://` for TLS with the system's trust store.
    pub url: String,
}

impl RabbitConfig {
    /// Whether this can be a broker's URL.
    pub fn check_url(url: &str) -> Result<(), String> {
        url.parse::<AMQPUri>().map(drop)
    }
}

impl From<lapin::Error> for TransportError {
    fn from(error: lapin::Error) -> TransportError {
        TransportError::Rabbit(error.to_string())
    }
}

#[derive(Clone)]
pub(crate) struct RabbitTransport {
    publishing: Arc<Slot>,
    consuming: Arc<Slot>,
    events: Arc<Publisher>,
    /// Retries, dead letters and replays, apart from the relay's batches.
    redirects: Arc<Publisher>,
    /// Held while dead letters are looked at.
    looking: Arc<tokio::sync::Mutex<()>>,
}

impl RabbitTransport {
    pub fn new(config: RabbitConfig) -> RabbitTransport {
        let publishing = Slot::new(&config.url, "prost-publishing");
        RabbitTransport {
            consuming: Slot::new(&config.url, "prost-consuming"),
            events: Arc::new(Publisher::new(Arc::clone(&publishing))),
            redirects: Arc::new(Publisher::new(Arc::clone(&publishing))),
            publishing,
            looking: Arc::default(),
        }
    }

    /// Is there a connection, or can there be one? A blocked one is fine: the outbox takes what it does not.
    pub async fn check(&self) -> Result<(), TransportError> {
        match timeout(CHECK_LIMIT, self.publishing.link()).await {
            Ok(link) => link.map(drop),
            Err(_) => Err(TransportError::Rabbit(format!("not connected after {} s", CHECK_LIMIT.as_secs()))),
        }
    }

    pub async fn publish(&self, batch: &[Outgoing]) -> Vec<Result<(), PublishError>> {
        let messages: Vec<Message<'_>> = batch
            .iter()
            .map(|outgoing| Message {
                exchange: &outgoing.exchange,
                routing_key: &outgoing.routing_key,
                body: outgoing.body.as_bytes(),
                properties: publisher::properties(outgoing.event_id.to_string().into()),
            })
            .collect();
        self.events.publish(&messages).await
    }

    pub async fn subscribe(&self, queue: &Queue, prefetch: u16) -> Result<RabbitReceiver, TransportError> {
        RabbitReceiver::open(&self.consuming, Arc::clone(&self.redirects), queue, prefetch).await
    }

    pub fn tap(&self, exchanges: &[Exchange]) -> RabbitTap {
        RabbitTap::open(Arc::clone(&self.consuming), exchanges)
    }

    /// Of each queue what is ready; what is being handled and what waits for a retry only the management
    /// plugin could tell apart by queue. The shared retry queues stand at the end, under service `prost`.
    pub async fn depths(&self) -> Result<Vec<QueueDepth>, TransportError> {
        let channel = self.consuming.link().await?.channel().await?;
        let count = async |name: String| -> Result<i64, TransportError> {
            let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
            let queue = channel.queue_declare(ShortString::from(name), passive, FieldTable::default()).await?;
            Ok(i64::from(queue.message_count()))
        };
        let mut depths = try_join_all(QUEUES.iter().map(async |queue| {
            let (ready, dead) = (count(queue.name()).await?, count(queue.dead_letter_queue()).await?);
            let service = queue.service.to_owned();
            Ok::<_, TransportError>(QueueDepth { queue: queue.name(), service, ready, delayed: 0, dead })
        }))
        .await?;
        for queue in topology::tiers() {
            let delayed = count(queue.clone()).await?;
            depths.push(QueueDepth { queue, service: "prost".to_owned(), ready: 0, delayed, dead: 0 });
        }
        Ok(depths)
    }
}
