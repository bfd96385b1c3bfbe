//! The HTTP server: a router with its layers, and the loop that serves it.

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, DefaultBodyLimit};
use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_MATCH, RETRY_AFTER};
use axum::http::{Method, Request};
use axum::middleware::from_fn_with_state;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;
use tower_http::cors::CorsLayer;

use crate::auth::TokenKeys;
use crate::compression::compressed;
use crate::config::{ConfigError, Env};
use crate::idempotency::IDEMPOTENCY_KEY;
use crate::layers::{self, CORRELATION_ID, TRACEPARENT};
use crate::proxies::TrustedProxies;
use crate::rate_limit::{RateLimit, limit_rate};
use crate::shutdown::telling;

/// More connections than this wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 10_000;

/// A client has this long to send the head of a request; an idle connection is closed after it.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);

/// After this much of a shutdown, connections that are still busy are cut.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(20);

/// How a router treats its requests.
#[derive(Clone, Debug)]
pub struct AppConfig {
    /// Name of the service in logs and metrics.
    pub service: &'static str,
    /// Verifies tokens.
    pub keys: TokenKeys,
    /// Believed about the client's address.
    pub trusted_proxies: TrustedProxies,
    /// Web origins allowed to call from a browser (`CORS_ALLOWED_ORIGINS`).
    pub cors_allowed_origins: Vec<HeaderValue>,
    /// After this the answer is 503 `timed_out`, and the handler's reads are cancelled.
    pub request_timeout: Duration,
    /// A larger body is 413.
    pub body_limit_bytes: usize,
    /// Whether answers are compressed for clients that ask for it.
    pub compression: Compression,
    /// Requests per minute from one address; unlimited if absent.
    pub rate_limit_per_address: Option<NonZeroU32>,
}

/// Whether answers are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Never: between services, which are near each other.
    Off,
    /// With gzip, for clients that accept it: towards browsers.
    Gzip,
}

impl AppConfig {
    /// The defaults: 30 s, 1 MiB, no proxies, no foreign origins, no compression.
    pub fn new(service: &'static str, keys: TokenKeys) -> Self {
        Self {
            service,
            keys,
            trusted_proxies: TrustedProxies::default(),
            cors_allowed_origins: Vec::new(),
            request_timeout: Duration::from_secs(30),
            body_limit_bytes: 1024 * 1024,
            compression: Compression::Off,
            rate_limit_per_address: None,
        }
    }

    /// Reads `JWT_SECRET`, `JWT_SECRET_PREVIOUS`, `TRUSTED_PROXIES` and `CORS_ALLOWED_ORIGINS`.
    pub fn from_env(service: &'static str, env: &Env) -> Result<Self, ConfigError> {
        let origin = |origin: String| {
            let is_origin = origin.starts_with("http://") || origin.starts_with("https://");
            HeaderValue::from_str(&origin).ok().filter(|_| is_origin && !origin.ends_with('/')).ok_or_else(|| {
                ConfigError::invalid("CORS_ALLOWED_ORIGINS", origin, "origins such as https://shop.example")
            })
        };
        Ok(Self {
            trusted_proxies: env
                .parse("TRUSTED_PROXIES", "addresses and networks, e.g. 10.0.0.0/8,::1")?
                .unwrap_or_default(),
            cors_allowed_origins: env.list("CORS_ALLOWED_ORIGINS").into_iter().map(origin).collect::<Result<_, _>>()?,
            ..Self::new(service, TokenKeys::from_env(env)?)
        })
    }

    /// What faces the outside, the gateway, compresses, and reads `RATE_LIMIT_PER_ADDRESS` besides: a service behind
    /// it would count the gateway.
    pub fn facing_outside(self, env: &Env) -> Result<Self, ConfigError> {
        let expected = "a number of requests per minute, at least 1";
        let rate_limit_per_address = env.parse("RATE_LIMIT_PER_ADDRESS", expected)?;
        Ok(Self { rate_limit_per_address, compression: Compression::Gzip, ..self })
    }
}

/// Puts the layers around a service's routes.
pub fn app(router: Router, config: AppConfig) -> Router {
    let cors = cors(&config.cors_allowed_origins);
    let compression = config.compression;
    let rate_limit = config.rate_limit_per_address.map(RateLimit::new);
    let config = Arc::new(config);
    let router = router
        .layer(DefaultBodyLimit::disable()) // the guard limits every body, whoever reads it
        .layer(from_fn_with_state(config.clone(), layers::guard));
    let router = match rate_limit {
        None => router,
        Some(limit) => router.layer(from_fn_with_state(Arc::new(limit), limit_rate)),
    };
    let router = match compression {
        Compression::Off => router,
        Compression::Gzip => compressed(router),
    };
    let router = match cors {
        None => router,
        Some(cors) => router.layer(cors),
    };
    router.layer(from_fn_with_state(config, layers::observe))
}

fn cors(origins: &[HeaderValue]) -> Option<CorsLayer> {
    let answer_headers = [CORRELATION_ID, ETAG, RETRY_AFTER]
        .into_iter()
        .chain(["ratelimit", "ratelimit-policy"].map(HeaderName::from_static));
    (!origins.is_empty()).then(|| {
        CorsLayer::new()
            .allow_origin(origins.to_vec())
            .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::DELETE])
            .allow_headers([
                ACCEPT,
                AUTHORIZATION,
                CONTENT_TYPE,
                IF_MATCH,
                IDEMPOTENCY_KEY,
                CORRELATION_ID,
                TRACEPARENT,
            ])
            .expose_headers(answer_headers.collect::<Vec<_>>())
            .max_age(Duration::from_secs(3600))
    })
}

/// Serves until `shutdown` is cancelled; then stops accepting, finishes what is in flight, and after `drain_timeout`
/// cuts the rest. WebSockets are upgraded connections: whoever runs them watches the shutdown on its own.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
    drain_timeout: Duration,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    let connections = TaskTracker::new();
    let cut = CancellationToken::new();
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    while let Some((slot, stream, peer)) = accept(&listener, &slots, &shutdown).await? {
        let (router, shutdown, cut) = (router.clone(), shutdown.clone(), cut.clone());
        connections.spawn(async move {
            connection(stream, peer, router, shutdown, cut).await;
            drop(slot);
        });
    }
    drop(listener);
    connections.close();
    let drained = tokio::time::timeout(drain_timeout, connections.wait());
    let tell = || tracing::info!(%address, connections = connections.len(), "draining: these are not answered yet");
    if telling(drained, tell).await.is_err() {
        tracing::warn!(%address, connections = connections.len(), "cutting connections that are still busy");
        cut.cancel();
        connections.wait().await;
    }
    Ok(())
}

type Accepted = (tokio::sync::OwnedSemaphorePermit, TcpStream, SocketAddr);

/// The next connection, or `None` when the shutdown begins.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
    shutdown: &CancellationToken,
) -> io::Result<Option<Accepted>> {
    let next = async {
        let slot = slots.clone().acquire_owned().await.map_err(io::Error::other)?;
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => return Ok((slot, stream, peer)),
                Err(error) if is_of_one_connection(&error) => {
                    tracing::debug!(%error, "connection lost before it was accepted")
                }
                Err(error) => {
                    // Out of file descriptors or memory: what runs may free some.
                    tracing::error!(%error, "cannot accept connections");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            }
        }
    };
    tokio::select! {
        biased;
        () = shutdown.cancelled() => Ok(None),
        accepted = next => accepted.map(Some),
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    shutdown: CancellationToken,
    cut: CancellationToken,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection.as_mut() => ended,
                () = cut.cancelled() => return,
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended early");
    }
}
