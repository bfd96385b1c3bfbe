//! Messages over RabbitMQ, 3.10 and later.
//!
//! A login has two connections: one to publish, which the broker may block when it is short of memory or disk, and
//! one to consume, which it never blocks. Services of one process that share a login share them ([`Brokers`]): each
//! has channels of its own, for each kind of publishing and for each subscription.

mod dead_letters;
mod headers;
mod link;
mod publisher;
mod receiver;
mod rights;
mod tap;
mod topology;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use events::topology::{Exchange, QUEUES, Queue};
use futures_util::future::try_join_all;
use lapin::Channel;
use lapin::options::QueueDeclareOptions;
use lapin::types::{FieldTable, ShortString};
use lapin::uri::AMQPUri;
use tokio::time::timeout;

use self::link::Slot;
use self::publisher::{Message, Publisher};
pub(crate) use self::receiver::RabbitReceiver;
pub use self::rights::{Rights, rights};
pub(crate) use self::tap::RabbitTap;
use crate::delivery::{Outgoing, PublishError};
use crate::transport::{QueueBacklog, QueueDepth, Transport, TransportError};

/// As many batches of events are on their way at a time.
const LANES: usize = 3;
const CHECK_LIMIT: Duration = Duration::from_secs(2);

/// How to reach the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RabbitConfig {
    /// `amqp://user:password@host:port/vhost`, or `amqps://` for TLS with the system's trust store.
    pub url: String,
    /// What it may declare.
    pub declares: Declares,
}

/// What a connection declares on the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Declares {
    /// Everything there is, so that lost queues and bindings come back. The login needs all rights.
    Everything,
    /// The queues that it consumes, each when it is consumed; the rest is there already ([`Transport::declare`]). The
    /// login needs the [`rights`] of its service, and no more.
    ///
    /// [`Transport::declare`]: crate::Transport::declare
    OwnQueues,
}

/// Who logs in where, out of a broker's URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RabbitLogin {
    /// The user.
    pub user: String,
    /// Their password.
    pub password: String,
    /// The virtual host.
    pub vhost: String,
}

impl RabbitConfig {
    /// Whether this can be a broker's URL.
    pub fn check_url(url: &str) -> Result<(), String> {
        url.parse::<AMQPUri>().map(drop)
    }

    /// Who this is, as the broker's administrator has to know them.
    ///
    /// Errors: it is no broker's URL.
    pub fn login(&self) -> Result<RabbitLogin, String> {
        let uri: AMQPUri = self.url.parse()?;
        let userinfo = uri.authority.userinfo;
        Ok(RabbitLogin { user: userinfo.username, password: userinfo.password, vhost: uri.vhost })
    }
}

impl From<lapin::Error> for TransportError {
    fn from(error: lapin::Error) -> TransportError {
        TransportError::Rabbit(error.to_string())
    }
}

/// The connections of a process, one pair for each login. They are opened when they are first used.
#[derive(Default)]
pub struct Brokers {
    by_login: Mutex<Vec<(RabbitConfig, Connections)>>,
}

impl Brokers {
    /// A service's messages over RabbitMQ. Connects in the background and for as long as it takes.
    pub fn transport(&self, config: RabbitConfig) -> Transport {
        let mut by_login = self.by_login.lock().unwrap_or_else(PoisonError::into_inner);
        let known = by_login.iter().find(|(other, _)| *other == config).map(|(_, connections)| connections.clone());
        let connections = known.unwrap_or_else(|| {
            let opened = Connections::new(&config);
            by_login.push((config, opened.clone()));
            opened
        });
        Transport::over(RabbitTransport::new(connections))
    }
}

#[derive(Clone)]
struct Connections {
    publishing: Arc<Slot>,
    consuming: Arc<Slot>,
}

impl Connections {
    fn new(config: &RabbitConfig) -> Connections {
        Connections {
            publishing: Slot::new(config, "prost-publishing"),
            consuming: Slot::new(config, "prost-consuming"),
        }
    }
}

#[derive(Clone)]
pub(crate) struct RabbitTransport {
    connections: Connections,
    events: Arc<Publisher>,
    /// Retries, dead letters and replays, apart from the relay's batches.
    redirects: Arc<Publisher>,
    /// Held while dead letters are looked at.
    looking: Arc<tokio::sync::Mutex<()>>,
}

impl RabbitTransport {
    fn new(connections: Connections) -> RabbitTransport {
        let publisher = |lanes| Arc::new(Publisher::new(Arc::clone(&connections.publishing), lanes));
        let (events, redirects) = (publisher(LANES), publisher(1));
        RabbitTransport { events, redirects, connections, looking: Arc::default() }
    }

    /// Is there a connection, or can there be one? A blocked one is fine: the outbox takes what it does not.
    pub async fn check(&self) -> Result<(), TransportError> {
        match timeout(CHECK_LIMIT, self.connections.publishing.link()).await {
            Ok(link) => link.map(drop),
            Err(_) => Err(TransportError::Rabbit(format!("not connected after {} s", CHECK_LIMIT.as_secs()))),
        }
    }

    /// Connects, which declares what the login may.
    pub async fn declare(&self) -> Result<(), TransportError> {
        self.connections.publishing.link().await.map(drop)
    }

    pub async fn publish(&self, batch: &[Outgoing]) -> Vec<Result<(), PublishError>> {
        let messages: Vec<Message<'_>> = batch
            .iter()
            .map(|outgoing| Message {
                exchange: &outgoing.exchange,
                routing_key: &outgoing.routing_key,
                body: outgoing.body.as_bytes(),
                properties: publisher::event_properties(outgoing),
            })
            .collect();
        self.events.publish(&messages).await
    }

    pub async fn subscribe(&self, queue: &Queue, prefetch: u16) -> Result<RabbitReceiver, TransportError> {
        RabbitReceiver::open(&self.connections.consuming, Arc::clone(&self.redirects), queue, prefetch).await
    }

    pub fn tap(&self, exchanges: &[Exchange]) -> RabbitTap {
        RabbitTap::open(Arc::clone(&self.connections.consuming), exchanges)
    }

    /// Of each queue of a service what is ready, and what is dead.
    pub async fn backlogs(&self, service: &str) -> Result<Vec<QueueBacklog>, TransportError> {
        let channel = self.connections.consuming.link().await?.channel().await?;
        let own = QUEUES.iter().filter(|queue| queue.service == service);
        let backlogs = try_join_all(own.map(async |queue| {
            let (ready, dead) =
                (count(&channel, queue.name()).await?, count(&channel, queue.dead_letter_queue()).await?);
            Ok::<_, TransportError>(QueueBacklog { queue: queue.name(), ready, in_flight: None, delayed: None, dead })
        }))
        .await?;
        channel.close(200, "counted".into()).await?;
        Ok(backlogs)
    }

    /// Of each queue what is ready; what is being handled and what waits for a retry only the management
    /// plugin could tell apart by queue. The shared retry queues stand at the end, under service `prost`.
    pub async fn depths(&self) -> Result<Vec<QueueDepth>, TransportError> {
        let channel = self.connections.consuming.link().await?.channel().await?;
        let mut depths = try_join_all(QUEUES.iter().map(async |queue| {
            let (ready, dead) =
                (count(&channel, queue.name()).await?, count(&channel, queue.dead_letter_queue()).await?);
            let service = queue.service.to_owned();
            Ok::<_, TransportError>(QueueDepth { queue: queue.name(), service, ready, delayed: 0, dead })
        }))
        .await?;
        for queue in topology::tiers() {
            let delayed = count(&channel, queue.clone()).await?;
            depths.push(QueueDepth { queue, service: "prost".to_owned(), ready: 0, delayed, dead: 0 });
        }
        Ok(depths)
    }
}

/// Messages that are ready in a queue.
async fn count(channel: &Channel, queue: String) -> Result<i64, TransportError> {
    let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let queue = channel.queue_declare(ShortString::from(queue), passive, FieldTable::default()).await?;
    Ok(i64::from(queue.message_count()))
}
