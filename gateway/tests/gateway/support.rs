//! A gateway over the shop of the tests, and how to talk to it.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Request, StatusCode};
use futures_util::StreamExt;
use futures_util::stream;
use gateway::{Clients, Gateway, GatewayConfig, Operated, TapSource};
use http_body_util::BodyExt;
use messaging::Tapped;
use serde_json::{Value, json};
use service::server::{AppConfig, app};
use service::{Shutdown, TokenKeys};
use tokio::sync::{Mutex as AsyncMutex, mpsc};
use tower::ServiceExt;

use crate::shop::Shop;

pub fn keys() -> TokenKeys {
    TokenKeys::new("a secret of the tests, 32 bytes or more", None).unwrap()
}

/// A gateway over a shop, with a tap that the test feeds.
pub struct Running {
    pub shop: Arc<Shop>,
    pub router: Router,
    pub shutdown: Shutdown,
    /// What the tap yields.
    pub events: mpsc::UnboundedSender<Tapped>,
    /// What the gateway does with the tap.
    pub tap: mpsc::UnboundedReceiver<TapIs>,
}

impl Running {
    pub fn new() -> Running {
        Running::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut GatewayConfig)) -> Running {
        let shop = Shop::new();
        let clients = Clients {
            users: shop.clone(),
            products: shop.clone(),
            cart: shop.clone(),
            orders: shop.clone(),
            payments: shop.clone(),
            analytics: shop.clone(),
            operations: vec![Operated { service: "orders", api: shop.clone() }],
        };
        let mut config = GatewayConfig { tap_linger: Duration::from_millis(20), ..GatewayConfig::new(keys()) };
        change(&mut config);
        let (events, tapped) = mpsc::unbounded_channel();
        let (tap_is, tap) = mpsc::unbounded_channel();
        let shutdown = Shutdown::new();
        let gateway = Gateway::new(clients, source(tapped, tap_is), config, shutdown.clone());
        let router = app(gateway::router(gateway), AppConfig::new("gateway", keys()));
        Running { shop, router, shutdown, events, tap }
    }

    pub async fn send(&self, request: Request<Body>) -> (StatusCode, HeaderMap, String) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (parts.status, parts.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    /// Posts a document, as an anonymous caller or with a token.
    pub async fn post(&self, query: &str, token: Option<&str>) -> Value {
        let (status, _, body) = self.send(post(json!({"query": query}), "application/json", token)).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        serde_json::from_str(&body).unwrap()
    }
}

pub fn post(body: Value, accept: &str, token: Option<&str>) -> Request<Body> {
    let request = Request::post("/graphql").header(CONTENT_TYPE, "application/json").header(ACCEPT, accept);
    let request = match token {
        Some(token) => request.header(AUTHORIZATION, format!("Bearer {token}")),
        None => request,
    };
    request.body(body.to_string().into()).unwrap()
}

/// What the gateway did with its tap.
#[derive(Debug, PartialEq, Eq)]
pub enum TapIs {
    Open,
    Closed,
}

struct Open(mpsc::UnboundedSender<TapIs>);

impl Drop for Open {
    fn drop(&mut self) {
        // At the end of a test nobody listens any more.
        self.0.send(TapIs::Closed).unwrap_or_default();
    }
}

/// Like a real tap, each opening begins with a gap.
fn source(tapped: mpsc::UnboundedReceiver<Tapped>, tap: mpsc::UnboundedSender<TapIs>) -> TapSource {
    let tapped = Arc::new(AsyncMutex::new(tapped));
    Arc::new(move || {
        tap.send(TapIs::Open).unwrap();
        let state = (tapped.clone(), Open(tap.clone()));
        let events = stream::unfold(state, async |(tapped, open)| {
            let event = tapped.lock().await.recv().await?;
            Some((event, (tapped, open)))
        });
        stream::once(async { Tapped::Gap }).chain(events).boxed()
    })
}
