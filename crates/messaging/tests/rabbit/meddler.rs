//! A proxy that speaks out of turn: it slips a frame of its own between those of a client.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use events::topology::Queue;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Type, channel and size, before the payload; then one octet that ends it.
const FRAME_HEADER: usize = 7;
const METHOD: u8 = 1;
const FRAME_END: u8 = 0xCE;
const BASIC_CONSUME: [u8; 4] = [0, 60, 0, 20];
const BASIC_ACK: [u8; 4] = [0, 60, 0, 80];

/// Stands between a client and the broker; knows on which channel a queue is consumed.
pub struct Meddler {
    address: SocketAddr,
    target: SocketAddr,
    shared: Arc<Shared>,
    _end: DropGuard,
}

struct Shared {
    queue: String,
    connections: AtomicUsize,
    subscriptions: AtomicUsize,
    meddle: Notify,
}

impl Meddler {
    pub async fn before(url: &str, queue: &Queue) -> Meddler {
        let authority = url.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
        let target = authority.rsplit('@').next().unwrap_or_default().parse().expect("an address and a port");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            queue: queue.name(),
            connections: AtomicUsize::new(0),
            subscriptions: AtomicUsize::new(0),
            meddle: Notify::new(),
        });
        let end = CancellationToken::new();
        tokio::spawn(end.clone().run_until_cancelled_owned(accept(listener, target, Arc::clone(&shared))));
        Meddler { address, target, shared, _end: end.drop_guard() }
    }

    /// The URL with this proxy in the broker's place.
    pub fn rewrite(&self, url: &str) -> String {
        url.replacen(&self.target.to_string(), &self.address.to_string(), 1)
    }

    /// Connections there ever were.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// How often the queue was subscribed to.
    pub fn subscriptions(&self) -> usize {
        self.shared.subscriptions.load(Ordering::SeqCst)
    }

    /// On the queue's channel, acknowledges a delivery that there never was.
    pub fn acknowledge_the_unknown(&self) {
        self.shared.meddle.notify_one();
    }
}

async fn accept(listener: TcpListener, target: SocketAddr, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        shared.connections.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(serve(client, target, Arc::clone(&shared)));
    }
}

/// Until either end closes.
async fn serve(client: TcpStream, target: SocketAddr, shared: Arc<Shared>) -> io::Result<()> {
    let (mut server_read, server_write) = TcpStream::connect(target).await?.into_split();
    let (client_read, mut client_write) = client.into_split();
    let (frames, whole) = mpsc::channel(16);
    tokio::select! {
        ended = read_frames(client_read, frames) => ended,
        ended = forward(whole, server_write, &shared) => ended,
        ended = tokio::io::copy(&mut server_read, &mut client_write) => ended.map(drop),
    }
}

/// The protocol's header first, then frame by frame.
async fn read_frames(mut from: OwnedReadHalf, frames: mpsc::Sender<Vec<u8>>) -> io::Result<()> {
    let mut next = vec![0; 8];
    from.read_exact(&mut next).await?;
    while frames.send(next).await.is_ok() {
        next = vec![0; FRAME_HEADER];
        from.read_exact(&mut next).await?;
        let size = u32::from_be_bytes([next[3], next[4], next[5], next[6]]) as usize;
        next.resize(FRAME_HEADER + size + 1, 0);
        from.read_exact(&mut next[FRAME_HEADER..]).await?;
    }
    Ok(())
}

async fn forward(mut frames: mpsc::Receiver<Vec<u8>>, mut to: OwnedWriteHalf, shared: &Shared) -> io::Result<()> {
    let mut consuming = None;
    loop {
        tokio::select! {
            frame = frames.recv() => {
                let Some(frame) = frame else { return Ok(()) };
                to.write_all(&frame).await?;
                if let Some(channel) = subscribes(&frame, &shared.queue) {
                    consuming = Some(channel);
                    shared.subscriptions.fetch_add(1, Ordering::SeqCst);
                }
            }
            () = shared.meddle.notified(), if consuming.is_some() => {
                to.write_all(&acknowledgement(consuming.unwrap_or_default())).await?;
            }
        }
    }
}

/// The channel on which this frame subscribes to the queue, if it does.
fn subscribes(frame: &[u8], queue: &str) -> Option<[u8; 2]> {
    let (header, payload) = frame.split_at_checked(FRAME_HEADER)?;
    let arguments = payload.strip_prefix(&BASIC_CONSUME).filter(|_| header[0] == METHOD)?;
    // Two reserved octets, then the name after its length.
    let name = arguments.get(3..)?.get(..usize::from(arguments[2]))?;
    (name == queue.as_bytes()).then_some([header[1], header[2]])
}

fn acknowledgement(channel: [u8; 2]) -> Vec<u8> {
    let one_alone = [0];
    let payload = [&BASIC_ACK[..], &u64::MAX.to_be_bytes(), &one_alone].concat();
    let size = u32::try_from(payload.len()).expect("a short frame").to_be_bytes();
    [&[METHOD], &channel[..], &size, &payload, &[FRAME_END]].concat()
}
