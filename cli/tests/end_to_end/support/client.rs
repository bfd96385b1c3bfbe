//! Whoever uses the shop: through GraphQL, and live over WebSocket.

use std::sync::Once;
use std::time::Duration;

use events::UserId;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use service::{Claims, Role, TokenKeys};
use testkit::eventually;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use uuid::Uuid;

use super::shop::JWT_SECRET;

/// One TLS provider for the test's process; reqwest asks for it even where nothing is encrypted.
pub fn http() -> reqwest::Client {
    static TLS: Once = Once::new();
    TLS.call_once(|| rustls::crypto::ring::default_provider().install_default().expect("installed once"));
    reqwest::Client::new()
}

/// A client with a token, or without.
#[derive(Clone)]
pub struct Client {
    gateway: String,
    http: reqwest::Client,
    token: Option<String>,
}

impl Client {
    pub fn new(gateway: String) -> Client {
        Client { gateway, http: http(), token: None }
    }

    /// Somebody with a valid token who never registered: orders and carts only know ids.
    pub fn signed_in(&self, role: Role) -> Client {
        let id = UserId::new();
        let keys = TokenKeys::new(JWT_SECRET, None).expect("a valid secret");
        let token = keys.sign(&Claims::new(id, format!("{id}@example.com"), id.to_string(), role)).expect("sign");
        Client { token: Some(token.reveal().to_owned()), ..self.clone() }
    }

    pub fn with_token(&self, token: &str) -> Client {
        Client { token: Some(token.to_owned()), ..self.clone() }
    }

    /// Sends a document; `Err` for transport failures and top-level errors.
    pub async fn try_graphql(&self, query: &str, variables: Value) -> Result<Value, String> {
        let mut request =
            self.http.post(format!("{}/graphql", self.gateway)).json(&json!({"query": query, "variables": variables}));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.map_err(|error| error.to_string())?;
        let body: Value = answer.json().await.map_err(|error| error.to_string())?;
        match body.get("errors") {
            Some(errors) => Err(errors.to_string()),
            None => Ok(body["data"].clone()),
        }
    }

    /// Sends a document that has to succeed.
    pub async fn graphql(&self, query: &str, variables: Value) -> Value {
        self.try_graphql(query, variables).await.unwrap_or_else(|error| panic!("{query}: {error}"))
    }

    /// Makes a product (needs an admin) and returns its id.
    pub async fn create_product(&self, name: &str, price: &str, stock: u32) -> String {
        let data = self
            .graphql(
                "mutation($input: CreateProductInput!) { createProduct(input: $input) { product { id } userErrors { code message } } }",
                json!({"input": {"name": name, "sku": format!("T-{}", Uuid::new_v4().simple()), "stockQuantity": stock,
                                 "price": {"amount": price, "currencyCode": "EUR"}}}),
            )
            .await;
        data["createProduct"]["product"]["id"].as_str().unwrap_or_else(|| panic!("{data}")).to_owned()
    }

    /// A new cart with one line; returns its id.
    pub async fn cart_with(&self, product: &str, quantity: u32) -> String {
        self.add(None, product, quantity).await
    }

    /// Adds a line to a cart, or to a new one.
    pub async fn add(&self, cart: Option<&str>, product: &str, quantity: u32) -> String {
        let data = self
            .graphql(
                "mutation($input: AddToCartInput!) { addToCart(input: $input) { cart { id } userErrors { code message } } }",
                json!({"input": {"cartId": cart, "productId": product, "quantity": quantity}}),
            )
            .await;
        data["addToCart"]["cart"]["id"].as_str().unwrap_or_else(|| panic!("{data}")).to_owned()
    }

    /// Checks out; the payload, with user errors if there are any.
    pub async fn try_checkout(&self, cart: &str, method: &str, key: Option<&str>) -> Result<Value, String> {
        let data = self
            .try_graphql(
                "mutation($input: CheckoutInput!) { checkout(input: $input) {
                    order { id status correlationId total { amount } } userErrors { code field message } } }",
                json!({"input": {"cartId": cart, "paymentMethod": method, "idempotencyKey": key,
                    "shippingAddress": {"fullName": "Ada Lovelace", "line1": "1 Analytical Way", "city": "London",
                                        "postalCode": "N1 9GU", "countryCode": "GB"}}}),
            )
            .await?;
        Ok(data["checkout"].clone())
    }

    /// Checks out, and returns the order's id.
    pub async fn checkout(&self, cart: &str, method: &str) -> String {
        let payload = self.try_checkout(cart, method, None).await.expect("checkout");
        payload["order"]["id"].as_str().unwrap_or_else(|| panic!("{payload}")).to_owned()
    }

    /// Everything about an order.
    pub async fn order(&self, id: &str) -> Value {
        let data = self
            .graphql(
                "query($id: ID!) { order(id: $id) { id status failureCode failureReason total { amount }
                    items { quantity unitPrice { amount } lineTotal { amount } product { id } }
                    timeline { event service at detail } } }",
                json!({"id": id}),
            )
            .await;
        data["order"].clone()
    }

    /// Waits until an order is in one of these states, and returns it.
    pub async fn order_in(&self, id: &str, states: &[&str], limit: Duration) -> Value {
        eventually(limit, || async {
            let data = self.try_graphql("query($id: ID!) { order(id: $id) { status } }", json!({"id": id})).await?;
            let status = data["order"]["status"].as_str().unwrap_or("(none)");
            if states.contains(&status) { Ok(()) } else { Err(format!("order {id} is {status}")) }
        })
        .await;
        self.order(id).await
    }

    /// The same person at another gateway.
    pub fn at(&self, gateway: String) -> Client {
        Client { gateway, ..self.clone() }
    }

    /// Watches an order live until its subscription ends; the states in the order in which they came, each told at once.
    pub async fn watch(&self, order: &str, told: impl Fn(&str)) -> Vec<String> {
        let mut states = Vec::new();
        let watching = self.try_watch(order, |status| {
            told(status);
            states.push(status.to_owned());
        });
        watching.await.unwrap_or_else(|error| panic!("watching {order}: {error}"));
        states
    }

    /// The same; `Err` if it is broken off.
    pub async fn try_watch(&self, order: &str, mut told: impl FnMut(&str)) -> Result<(), String> {
        let url = format!("{}/graphql", self.gateway.replacen("http", "ws", 1));
        let mut request = url.into_client_request().expect("a WebSocket URL");
        request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().expect("a header"));
        let (mut socket, _) = connect_async(request).await.map_err(|error| error.to_string())?;
        let token = self.token.as_deref().unwrap_or_default();
        let init = json!({"type": "connection_init", "payload": {"authorization": format!("Bearer {token}")}});
        let query = "subscription($id: ID!) { orderStatus(orderId: $id) { id status } }";
        let subscribe =
            json!({"id": "1", "type": "subscribe", "payload": {"query": query, "variables": {"id": order}}});
        let mut say = Some(init);
        loop {
            if let Some(message) = say.take() {
                socket.send(Message::text(message.to_string())).await.map_err(|error| error.to_string())?;
            }
            let text = match socket.next().await {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                other => return Err(format!("the socket ended: {other:?}")),
            };
            let message: Value = serde_json::from_str(&text).expect("JSON");
            let status = message["payload"]["data"]["orderStatus"]["status"].as_str();
            match (message["type"].as_str(), status) {
                (Some("connection_ack"), _) => say = Some(subscribe.clone()),
                (Some("next"), Some(status)) => told(status),
                (Some("ping"), _) => say = Some(json!({"type": "pong"})),
                (Some("complete"), _) => return Ok(()),
                _ => return Err(format!("unexpected: {message}")),
            }
        }
    }
}
