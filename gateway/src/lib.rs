//! The gateway: one GraphQL API over all services, reached through their clients only.
//!
//! One file per domain holds its types, queries and mutations; [`Gateway::router`] is what the outside sees. The
//! gateway decides nothing about the shop: each service verifies the forwarded caller itself.

mod answers;
mod assets;
mod cart;
mod connections;
mod demo;
mod document;
mod errors;
mod graphiql;
mod http;
mod live;
mod loaders;
mod openapi;
mod operations;
mod orders;
mod pictures;
mod products;
mod reports;
mod scalars;
mod schema;
mod scope;
mod session;
mod site;
mod subscription;
#[cfg(test)]
mod tests_support;
mod users;
mod websocket;

use std::sync::Arc;
use std::time::Duration;

use analytics_client::AnalyticsApi;
use axum::Router;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::routing::get;
use cart_client::CartApi;
use orders_client::OrdersApi;
use payments_client::PaymentsApi;
use products_client::ProductsApi;
use service::{Shutdown, TokenKeys};
use tokio::sync::Semaphore;
use users_client::UsersApi;

pub use demo::{Demo, DemoLogin, SendPoison, poison_over};
pub use document::DocumentLimits;
pub use live::{TapSource, tap_source};
pub use openapi::openapi;
pub use operations::Operated;
pub use schema::sdl;
pub use websocket::WebSocketLimits;

use answers::Answers;
use document::Documents;
use live::LiveOrders;
use schema::Schema;

/// Name in logs, metrics and configuration.
pub const SERVICE: &str = "gateway";

/// What an operation may cost, unless something else is configured.
pub const MAX_COMPLEXITY: usize = 20_000;

/// The services that the gateway asks, in this process or over HTTP.
#[derive(Clone)]
pub struct Clients {
    /// Accounts.
    pub users: Arc<dyn UsersApi>,
    /// Catalogue.
    pub products: Arc<dyn ProductsApi>,
    /// Carts.
    pub cart: Arc<dyn CartApi>,
    /// Orders.
    pub orders: Arc<dyn OrdersApi>,
    /// Payments.
    pub payments: Arc<dyn PaymentsApi>,
    /// Reports.
    pub analytics: Arc<dyn AnalyticsApi>,
    /// What operators do, at each service that has a database.
    pub operations: Vec<Operated>,
}

/// How the gateway behaves.
#[derive(Clone)]
pub struct GatewayConfig {
    /// Verifies tokens that come over WebSockets.
    pub keys: TokenKeys,
    /// Web origins besides our own that may open WebSockets (`CORS_ALLOWED_ORIGINS`).
    pub allowed_origins: Vec<HeaderValue>,
    /// What a document may be like.
    pub document: DocumentLimits,
    /// What an operation may cost: one per field, times `first` in a connection.
    pub max_complexity: usize,
    /// How WebSockets are treated.
    pub websocket: WebSocketLimits,
    /// What only a shop with demo data has.
    pub demo: Option<Demo>,
    /// How long an answer about the catalogue is kept at most.
    pub max_answer_age: Duration,
    /// How long events are still followed after the last live view was closed.
    pub tap_linger: Duration,
}

impl GatewayConfig {
    /// The contract's limits, and no foreign origins.
    pub fn new(keys: TokenKeys) -> Self {
        Self {
            keys,
            allowed_origins: Vec::new(),
            document: DocumentLimits::default(),
            max_complexity: MAX_COMPLEXITY,
            websocket: WebSocketLimits::default(),
            demo: None,
            max_answer_age: answers::MAX_AGE,
            tap_linger: Duration::from_secs(30),
        }
    }
}

/// The gateway.
pub struct Gateway {
    clients: Arc<Clients>,
    config: GatewayConfig,
    schema: Schema,
    documents: Documents,
    answers: Answers,
    live: LiveOrders,
    demo: Option<Arc<Demo>>,
    sockets: Arc<Semaphore>,
    shutdown: Shutdown,
}

impl Gateway {
    /// A gateway over these services. `tap` is opened while somebody watches an order; live views and WebSockets
    /// end with `shutdown`.
    pub fn new(clients: Clients, tap: TapSource, config: GatewayConfig, shutdown: Shutdown) -> Arc<Gateway> {
        Arc::new(Gateway {
            clients: Arc::new(clients),
            schema: schema::build(config.max_complexity),
            documents: Documents::new(config.document.clone()),
            answers: Answers::new(config.max_answer_age),
            live: LiveOrders::new(tap, config.tap_linger, shutdown.clone()),
            demo: config.demo.clone().map(Arc::new),
            sockets: Arc::new(Semaphore::new(config.websocket.max_connections)),
            config,
            shutdown,
        })
    }
}

/// The gateway's own routes. They need [`service::server::app`] around them, and the routes that every service has.
pub fn router(gateway: Arc<Gateway>) -> Router {
    let sdl: axum::body::Bytes = sdl().into();
    let schema = async move || ([(CONTENT_TYPE, "text/plain; charset=utf-8")], sdl);
    let events = async || ([(CONTENT_TYPE, "application/json")], asyncapi::DOCUMENT);
    Router::new()
        .route("/graphql", get(http::get).post(http::post))
        .route("/graphiql", get(graphiql::page))
        .route("/graphiql/", get(graphiql::page))
        .route("/graphiql/{*file}", get(graphiql::asset))
        .route("/images/{file}", get(pictures::of_demo))
        .route("/pictures/{file}", get(pictures::uploaded))
        .route("/schema.graphql", get(schema))
        .route("/asyncapi.json", get(events))
        .fallback(site::page_or_file)
        .with_state(gateway)
}
