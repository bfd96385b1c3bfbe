//! The accept loop, over real connections on loopback.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use service::server::{app, serve};
use service::{Json, Shutdown, SignedIn};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::support::{Thing, config, routes};

async fn start(router: Router, drain: Duration) -> (SocketAddr, Shutdown, JoinHandle<std::io::Result<()>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = Shutdown::new();
    let serving = tokio::spawn(serve(listener, app(router, config()), shutdown.token(), drain));
    (address, shutdown, serving)
}

async fn answer(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test]
async fn the_client_of_a_huge_body_sees_the_413() {
    let routes = Router::new()
        .route("/read", post(async |Json(_): Json<Thing>| ()))
        .route("/mine", post(async |SignedIn(_): SignedIn, Json(_): Json<Thing>| ()));
    let (address, shutdown, serving) = start(routes, Duration::from_secs(5)).await;
    for (path, status) in [("/read", "413"), ("/mine", "401")] {
        let body_bytes = 20 * 1024 * 1024;
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {body_bytes}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&vec![b' '; body_bytes]).await.unwrap(); // no reset while sending
        let text = answer(stream).await;
        assert!(text.starts_with(&format!("HTTP/1.1 {status}")), "{text}");
        assert!(text.contains("correlation_id"), "{text}");
    }
    shutdown.begin();
    serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn shutdown_finishes_what_is_in_flight_and_accepts_no_more() {
    let (entered, leave) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (on_entry, on_leave) = (entered.clone(), leave.clone());
    let routes = Router::new().route(
        "/wait",
        get(move || {
            let (entered, leave) = (on_entry.clone(), on_leave.clone());
            async move {
                entered.notify_one();
                leave.notified().await;
                "done"
            }
        }),
    );
    let (address, shutdown, serving) = start(routes, Duration::from_secs(5)).await;
    let idle = TcpStream::connect(address).await.unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    entered.notified().await;
    shutdown.begin();
    assert_eq!(answer(idle).await, "", "an idle connection is closed at once");
    assert!(TcpStream::connect(address).await.is_err());
    leave.notify_one();
    let text = answer(stream).await;
    assert!(text.starts_with("HTTP/1.1 200") && text.ends_with("done"), "{text}");
    serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_is_deaf_to_the_shutdown_is_cut_at_the_deadline() {
    let entered = Arc::new(Notify::new());
    let on_entry = entered.clone();
    let routes = Router::new().route(
        "/deaf",
        get(move || {
            on_entry.notify_one();
            std::future::pending::<()>()
        }),
    );
    let (address, shutdown, serving) = start(routes, Duration::from_millis(20)).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /deaf HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    entered.notified().await;
    shutdown.begin();
    serving.await.unwrap().unwrap();
    assert_eq!(answer(stream).await, "");
}

#[tokio::test]
async fn the_peer_is_the_client_and_forwarded_addresses_are_not_believed() {
    let (address, shutdown, serving) = start(routes(), Duration::from_secs(5)).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = "GET /who HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-forwarded-for: 6.6.6.6\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let text = answer(stream).await;
    assert!(text.contains(r#""address":"127.0.0.1""#), "{text}");
    shutdown.begin();
    serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_client_that_leaves_cancels_its_read() {
    struct Dropped(Arc<Notify>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }
    let (entered, dropped) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (on_entry, on_drop) = (entered.clone(), dropped.clone());
    let routes = Router::new().route(
        "/read",
        get(move || {
            let held = Dropped(on_drop.clone());
            on_entry.notify_one();
            async move {
                std::future::pending::<()>().await;
                drop(held);
            }
        }),
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = Shutdown::new();
    let patient = service::server::AppConfig { request_timeout: Duration::from_secs(600), ..config() };
    let serving = tokio::spawn(serve(listener, app(routes, patient), shutdown.token(), Duration::from_secs(5)));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /read HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    entered.notified().await;
    drop(stream);
    dropped.notified().await;
    shutdown.begin();
    serving.await.unwrap().unwrap();
}
