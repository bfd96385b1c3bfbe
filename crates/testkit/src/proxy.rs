//! A TCP proxy that misbehaves on command.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

/// What the proxy does with connections, old and new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Pass,
    Delay(Duration),
    Stall,
    HalfOpen,
    Cut,
}

/// Stands between a client and a server on loopback; gone when dropped.
pub struct FaultProxy {
    address: SocketAddr,
    target: String,
    mode: watch::Sender<Mode>,
    connections: Arc<AtomicUsize>,
    _end: DropGuard,
}

impl FaultProxy {
    /// A proxy in front of `target` that passes everything on until told otherwise.
    pub async fn new(target: SocketAddr) -> FaultProxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind the proxy");
        let address = listener.local_addr().expect("the proxy's address");
        let (mode, orders) = watch::channel(Mode::Pass);
        let (end, connections) = (CancellationToken::new(), Arc::<AtomicUsize>::default());
        let accepting = accept(listener, target, orders, Arc::clone(&connections), end.clone());
        tokio::spawn(end.clone().run_until_cancelled_owned(accepting));
        FaultProxy { address, target: target.to_string(), mode, connections, _end: end.drop_guard() }
    }

    /// A proxy in front of the server that this URL names by address and port.
    pub async fn of_url(url: &str) -> FaultProxy {
        let authority = url.split("://").nth(1).and_then(|rest| rest.split(['/', '?']).next()).unwrap_or_default();
        let target = authority.rsplit('@').next().unwrap_or_default().parse();
        FaultProxy::new(target.unwrap_or_else(|error| panic!("{authority} is no address and port: {error}"))).await
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How often somebody has connected, in vain or not.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// The URL with the proxy in the server's place.
    pub fn rewrite(&self, url: &str) -> String {
        assert!(url.contains(&self.target), "the URL does not name {}", self.target);
        url.replacen(&self.target, &self.address.to_string(), 1)
    }

    /// All is well (again). Connections that were stalled go on; those that were half open stay dead.
    pub fn pass(&self) {
        self.mode.send_replace(Mode::Pass);
    }

    /// Each piece arrives so much later.
    pub fn delay(&self, by: Duration) {
        self.mode.send_replace(Mode::Delay(by));
    }

    /// Nothing moves; nothing is lost.
    pub fn stall(&self) {
        self.mode.send_replace(Mode::Stall);
    }

    /// The server loses its connections, and clients are not told: what they send vanishes.
    pub fn half_open(&self) {
        self.mode.send_replace(Mode::HalfOpen);
    }

    /// Connections break, and new ones break at once.
    pub fn cut(&self) {
        self.mode.send_replace(Mode::Cut);
    }
}

async fn accept(
    listener: TcpListener,
    target: SocketAddr,
    orders: watch::Receiver<Mode>,
    connections: Arc<AtomicUsize>,
    end: CancellationToken,
) {
    loop {
        let Ok((client, _)) = listener.accept().await else { return };
        connections.fetch_add(1, Ordering::Relaxed);
        let orders = orders.clone();
        tokio::spawn(end.clone().run_until_cancelled_owned(serve(client, target, orders)));
    }
}

async fn serve(client: TcpStream, target: SocketAddr, mut orders: watch::Receiver<Mode>) {
    let mode = *orders.borrow_and_update();
    match mode {
        Mode::Cut => return,
        Mode::HalfOpen => return swallow(client).await,
        Mode::Pass | Mode::Delay(_) | Mode::Stall => {}
    }
    // A server that is down looks like a cut.
    let Ok(server) = TcpStream::connect(target).await else { return };
    if client.set_nodelay(true).and_then(|()| server.set_nodelay(true)).is_err() {
        return;
    }
    let (mut client_read, mut client_write) = client.into_split();
    let (mut server_read, mut server_write) = server.into_split();
    tokio::select! {
        () = pump(&mut client_read, &mut server_write, orders.clone()) => return,
        () = pump(&mut server_read, &mut client_write, orders.clone()) => return,
        () = until(&mut orders, Mode::HalfOpen) => {}
    }
    drop((server_read, server_write));
    let mut lost = [0; 4096];
    while matches!(client_read.read(&mut lost).await, Ok(1..)) {}
    drop(client_write);
}

/// Moves bytes one way until an end closes or the proxy cuts.
async fn pump(from: &mut OwnedReadHalf, to: &mut OwnedWriteHalf, mut orders: watch::Receiver<Mode>) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = tokio::select! {
            read = from.read(&mut buffer) => read,
            () = until(&mut orders, Mode::Cut) => return,
        };
        let Ok(length @ 1..) = read else { return };
        loop {
            let mode = *orders.borrow_and_update();
            match mode {
                Mode::Pass => break,
                Mode::Delay(by) => {
                    tokio::time::sleep(by).await;
                    break;
                }
                Mode::Stall => {
                    if orders.changed().await.is_err() {
                        return;
                    }
                }
                Mode::Cut => return,
                Mode::HalfOpen => return std::future::pending().await,
            }
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

async fn until(orders: &mut watch::Receiver<Mode>, wanted: Mode) {
    if orders.wait_for(|mode| *mode == wanted).await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn swallow(mut client: TcpStream) {
    let mut lost = [0; 4096];
    while matches!(client.read(&mut lost).await, Ok(1..)) {}
}
