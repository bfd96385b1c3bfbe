//! A shopper of the load: one keep-alive connection, one socket for live states.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

const ADD: &str = "mutation A($i: AddToCartInput!) { addToCart(input: $i) { cart { id } userErrors { code } } }";
const CHECKOUT: &str = "mutation C($i: CheckoutInput!) { checkout(input: $i) { order { id } userErrors { code } } }";
const WATCH: &str = "subscription S($id: ID!) { orderStatus(orderId: $id) { status } }";
/// An order that is not confirmed after this time is an error.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why a journey did not end as it should; shown in the report.
pub type Failure = String;

/// A shopper.
pub struct Shopper {
    gateway: String,
    http: reqwest::Client,
    token: String,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    subscriptions: u64,
}

impl Shopper {
    /// Logs in by token and opens the socket.
    pub async fn enter(gateway: &str, token: &str) -> Result<Shopper, Failure> {
        let url = format!("{}/graphql", gateway.replacen("http", "ws", 1));
        let mut request = url.into_client_request().map_err(failed)?;
        let protocol = "graphql-transport-ws".parse().map_err(failed)?;
        request.headers_mut().insert("sec-websocket-protocol", protocol);
        let (mut socket, _) = connect_async(request).await.map_err(failed)?;
        let init = json!({"type": "connection_init", "payload": {"authorization": format!("Bearer {token}")}});
        socket.send(Message::text(init.to_string())).await.map_err(failed)?;
        let http = reqwest::Client::builder().tcp_nodelay(true).no_proxy().build().map_err(failed)?;
        let mut shopper =
            Shopper { gateway: gateway.to_owned(), http, token: token.to_owned(), socket, subscriptions: 0 };
        match shopper.message().await? {
            message if message["type"] == "connection_ack" => Ok(shopper),
            message => Err(message.to_string()),
        }
    }

    /// A new cart with one of `product`.
    pub async fn fill_cart(&self, product: &str) -> Result<String, Failure> {
        let data = self.ask(ADD, json!({"i": {"productId": product, "quantity": 1}})).await?;
        text(&data["addToCart"]["cart"]["id"]).ok_or_else(|| data.to_string())
    }

    /// Checks out and waits until CONFIRMED. Returns how long that took since `due`.
    pub async fn buy(&mut self, cart: &str, due: Instant) -> Result<Duration, Failure> {
        let input = json!({"i": {"cartId": cart, "paymentMethod": "pm_card_visa", "shippingAddress": {
            "fullName": "Load Test", "line1": "1 Bench Road", "city": "Berlin", "postalCode": "10115", "countryCode": "DE"}}});
        let data = self.ask(CHECKOUT, input).await?;
        let order = text(&data["checkout"]["order"]["id"]).ok_or_else(|| data.to_string())?;
        tokio::time::timeout(PATIENCE, self.until_confirmed(&order))
            .await
            .map_err(|_| format!("order {order} was not confirmed in {PATIENCE:?}"))??;
        Ok(due.elapsed())
    }

    async fn until_confirmed(&mut self, order: &str) -> Result<(), Failure> {
        self.subscriptions += 1;
        let id = self.subscriptions.to_string();
        let subscribe = json!({"id": id, "type": "subscribe", "payload": {"query": WATCH, "variables": {"id": order}}});
        self.socket.send(Message::text(subscribe.to_string())).await.map_err(failed)?;
        let mut status = String::new();
        loop {
            let message = self.message().await?;
            match message["type"].as_str() {
                Some("next") => {
                    let seen = &message["payload"]["data"]["orderStatus"]["status"];
                    status = text(seen).ok_or_else(|| message.to_string())?;
                }
                Some("complete") if status == "CONFIRMED" => return Ok(()),
                Some("ping") => self.socket.send(Message::text(r#"{"type":"pong"}"#)).await.map_err(failed)?,
                _ => return Err(format!("order {order}: {status}: {message}")),
            }
        }
    }

    async fn message(&mut self) -> Result<Value, Failure> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).map_err(failed),
                Some(Ok(Message::Close(frame))) => return Err(format!("the socket was closed: {frame:?}")),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(failed(error)),
                None => return Err("the socket ended".to_owned()),
            }
        }
    }

    async fn ask(&self, query: &str, variables: Value) -> Result<Value, Failure> {
        let answer = self
            .http
            .post(format!("{}/graphql", self.gateway))
            .bearer_auth(&self.token)
            .json(&json!({"query": query, "variables": variables}))
            .send()
            .await
            .map_err(failed)?;
        let mut body: Value = answer.json().await.map_err(failed)?;
        match body.get("errors") {
            Some(errors) => Err(errors.to_string()),
            None => Ok(body["data"].take()),
        }
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn failed(error: impl std::fmt::Display) -> Failure {
    error.to_string()
}
