//! Connections. Whatever fails is dropped, and the next use builds it anew: connect, declare the topology.
//! lapin's own recovery stays off: it replays a channel without saying that messages were missed.

use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use lapin::tcp::{AsyncTcpStream, TLSConfig};
use lapin::uri::{AMQPScheme, AMQPUri};
use lapin::{Channel, Connection, ConnectionProperties, Event};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use super::{Declares, RabbitConfig, topology};
use crate::transport::TransportError;

const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// Shorter, so that no late socket outlives a connection that was given up.
const TCP_LIMIT: Duration = Duration::from_secs(3);
/// The very first declaration makes some two dozen replicated queues.
const DECLARE_LIMIT: Duration = Duration::from_secs(30);
const OPEN_LIMIT: Duration = Duration::from_secs(5);
/// Seconds; a silent broker is given up after twice that.
const HEARTBEAT: u16 = 10;

/// A connection on which the topology is declared.
pub(super) struct Link {
    declares: Declares,
    connection: Connection,
    socket: Arc<Socket>,
    blocked: watch::Receiver<Option<String>>,
}

impl Link {
    async fn open(uri: &AMQPUri, name: &str, declares: Declares) -> Result<Link, TransportError> {
        let socket = Arc::new(Socket::default());
        let opened = Arc::clone(&socket);
        let handshake = Connection::connector(
            uri.clone(),
            lapin::runtime::default_runtime()?,
            async move |uri, runtime| {
                let host = (uri.authority.host.as_str(), uri.authority.port);
                let connecting = async {
                    let addresses: Vec<SocketAddr> = tokio::net::lookup_host(host).await?.collect();
                    AsyncTcpStream::connect(&runtime, addresses).await
                };
                let stream = timeout(TCP_LIMIT, connecting).await.map_err(std::io::Error::from)??;
                if let AsyncTcpStream::Plain(stream) = &stream {
                    opened.hold(stream.get_ref())?;
                }
                match uri.scheme {
                    AMQPScheme::AMQP => Ok(stream),
                    AMQPScheme::AMQPS => Ok(stream.into_tls(host.0, TLSConfig::default()).await?),
                }
            },
            ConnectionProperties::default().with_connection_name(name.into()),
        );
        match timeout(CONNECT_LIMIT, handshake).await {
            Ok(Ok(connection)) => {
                let blocked = watch_blocked(&connection);
                Ok(Link { declares, connection, socket, blocked })
            }
            Ok(Err(error)) => {
                socket.sever();
                Err(error.into())
            }
            Err(_) => {
                socket.sever();
                Err(too_slow("connecting", CONNECT_LIMIT))
            }
        }
    }

    pub fn is_up(&self) -> bool {
        self.connection.status().connected()
    }

    /// Why the broker takes no publishes at the moment, if it takes none (memory or disk alarm).
    pub fn blocked(&self) -> watch::Receiver<Option<String>> {
        self.blocked.clone()
    }

    pub async fn channel(&self) -> Result<Channel, TransportError> {
        match timeout(OPEN_LIMIT, self.connection.create_channel()).await {
            Ok(channel) => Ok(channel?),
            Err(_) => Err(too_slow("opening a channel", OPEN_LIMIT)),
        }
    }

    /// Everything, if this connection may.
    pub async fn declare_topology(&self) -> Result<(), TransportError> {
        if self.declares == Declares::OwnQueues {
            return Ok(());
        }
        let channel = self.channel().await?;
        match timeout(DECLARE_LIMIT, topology::declare(&channel)).await {
            Ok(declared) => Ok(declared?),
            Err(_) => Err(too_slow("declaring the topology", DECLARE_LIMIT)),
        }
    }
}

fn too_slow(what: &str, limit: Duration) -> TransportError {
    TransportError::Rabbit(format!("{what} took longer than {} s", limit.as_secs()))
}

/// Follows `connection.blocked` and `connection.unblocked` for as long as the connection lives.
fn watch_blocked(connection: &Connection) -> watch::Receiver<Option<String>> {
    let (tell, blocked) = watch::channel(None);
    let mut events = connection.events_listener();
    tokio::spawn(async move {
        loop {
            let event = tokio::select! {
                event = events.next() => event,
                () = tell.closed() => return,
            };
            match event {
                Some(Event::ConnectionBlocked(reason)) => {
                    tracing::warn!(reason, "RabbitMQ takes no messages; they wait in the outbox");
                    tell.send_replace(Some(reason));
                }
                Some(Event::ConnectionUnblocked) => {
                    tracing::info!("RabbitMQ takes messages again");
                    tell.send_replace(None);
                }
                Some(_) => {}
                None => return,
            }
        }
    });
    blocked
}

/// A handle on the connection's socket, to end it when lapin cannot: it would wait for a silent peer.
#[derive(Default)]
struct Socket(OnceLock<std::net::TcpStream>);

impl Socket {
    fn hold(&self, stream: &TcpStream) -> std::io::Result<()> {
        let handle = stream.as_fd().try_clone_to_owned()?;
        // lapin connects once, as its recovery is off.
        self.0.set(handle.into()).map_err(|_| std::io::Error::other("connected twice"))
    }

    fn sever(&self) {
        if let Some(socket) = self.0.get()
            && let Err(error) = socket.shutdown(std::net::Shutdown::Both)
        {
            tracing::trace!(%error, "the broker closed the socket first");
        }
    }
}

/// The place of one connection: empty, or with a link that worked when it was last used.
pub(super) struct Slot {
    uri: Result<AMQPUri, String>,
    name: &'static str,
    declares: Declares,
    current: tokio::sync::Mutex<Current>,
}

#[derive(Default)]
struct Current {
    link: Option<Arc<Link>>,
    /// When the last attempt to build one failed, and why.
    failure: Option<(Instant, String)>,
}

impl Slot {
    /// `name` is what the broker shows.
    pub fn new(config: &RabbitConfig, name: &'static str) -> Arc<Slot> {
        let uri = config.url.parse().map(|mut uri: AMQPUri| {
            uri.query.heartbeat.get_or_insert(HEARTBEAT);
            uri
        });
        Arc::new(Slot { uri, name, declares: config.declares, current: tokio::sync::Mutex::default() })
    }

    /// The link, built if there is none. Building goes on if the caller gives up waiting, so that callers
    /// with short patience do not keep each other from ever connecting.
    pub async fn link(self: &Arc<Self>) -> Result<Arc<Link>, TransportError> {
        if let Ok(current) = self.current.try_lock()
            && let Some(link) = current.link.as_ref().filter(|link| link.is_up())
        {
            return Ok(Arc::clone(link));
        }
        let (slot, asked_at) = (Arc::clone(self), Instant::now());
        match tokio::spawn(async move { slot.build(asked_at).await }).await {
            Ok(link) => link,
            Err(error) => Err(TransportError::Rabbit(format!("connecting was interrupted: {error}"))),
        }
    }

    /// Whoever waited while an attempt failed shares its failure: however many ask, one attempt is made at a time.
    async fn build(&self, asked_at: Instant) -> Result<Arc<Link>, TransportError> {
        let mut current = self.current.lock().await;
        if let Some(link) = current.link.as_ref().filter(|link| link.is_up()) {
            return Ok(Arc::clone(link));
        }
        if let Some((_, why)) = current.failure.as_ref().filter(|(failed_at, _)| *failed_at > asked_at) {
            return Err(TransportError::Rabbit(why.clone()));
        }
        *current = Current::default();
        match self.attempt().await {
            Ok(link) => Ok(Arc::clone(current.link.insert(link))),
            Err(error) => {
                if let TransportError::Rabbit(why) = &error {
                    current.failure = Some((Instant::now(), why.clone()));
                }
                Err(error)
            }
        }
    }

    async fn attempt(&self) -> Result<Arc<Link>, TransportError> {
        let uri = self.uri.as_ref().map_err(|error| TransportError::Rabbit(format!("the broker's URL: {error}")))?;
        let link = Link::open(uri, self.name, self.declares).await?;
        if let Err(error) = link.declare_topology().await {
            link.socket.sever();
            return Err(error);
        }
        tracing::debug!(name = self.name, "connected to RabbitMQ");
        Ok(Arc::new(link))
    }

    /// Ends a link that failed; the next use builds another.
    pub fn discard(&self, link: &Arc<Link>) {
        link.socket.sever();
        // Who holds the lock builds already, or will see that this link is down.
        if let Ok(mut current) = self.current.try_lock()
            && current.link.as_ref().is_some_and(|current| Arc::ptr_eq(current, link))
        {
            current.link = None;
        }
    }
}
