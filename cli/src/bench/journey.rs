//! A shopper of the load: one keep-alive connection, one socket for live states.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use super::line::{Failure, Line, PATIENCE, failed};

const ADD: &str = "mutation A($i: AddToCartInput!) { addToCart(input: $i) { cart { id } userErrors { code } } }";
const CHECKOUT: &str = "mutation C($i: CheckoutInput!) { checkout(input: $i) { order { id } userErrors { code } } }";
const WATCH: &str = "subscription S($id: ID!) { orderStatus(orderId: $id) { status } }";

/// A new cart with one of `product`; its id.
pub async fn fill_cart(line: &mut Line, product: &str) -> Result<String, Failure> {
    let data = line.ask(ADD, &json!({"i": {"productId": product, "quantity": 1}})).await?;
    text(&data["addToCart"]["cart"]["id"]).ok_or_else(|| data.to_string())
}

/// Checks a cart out; the order's id.
pub async fn check_out(line: &mut Line, cart: &str) -> Result<String, Failure> {
    let input = json!({"i": {"cartId": cart, "paymentMethod": "pm_card_visa", "shippingAddress": {
        "fullName": "Load Test", "line1": "1 Bench Road", "city": "Berlin", "postalCode": "10115", "countryCode": "DE"}}});
    let data = line.ask(CHECKOUT, &input).await?;
    text(&data["checkout"]["order"]["id"]).ok_or_else(|| data.to_string())
}

/// A shopper.
pub struct Shopper {
    line: Line,
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
        // The load's own share of the processor is to be small.
        let config = WebSocketConfig::default().read_buffer_size(4096);
        let (mut socket, _) = connect_async_with_config(request, Some(config), false).await.map_err(failed)?;
        let init = json!({"type": "connection_init", "payload": {"authorization": format!("Bearer {token}")}});
        socket.send(Message::text(init.to_string())).await.map_err(failed)?;
        let line = Line::open(gateway, Some(token)).await?;
        let mut shopper = Shopper { line, socket, subscriptions: 0 };
        match shopper.message().await? {
            message if message["type"] == "connection_ack" => Ok(shopper),
            message => Err(message.to_string()),
        }
    }

    /// A new cart with one of `product`.
    pub async fn fill_cart(&mut self, product: &str) -> Result<String, Failure> {
        fill_cart(&mut self.line, product).await
    }

    /// Checks out and waits until CONFIRMED. Returns how long that took since `due`.
    pub async fn buy(&mut self, cart: &str, due: Instant) -> Result<Duration, Failure> {
        let order = check_out(&mut self.line, cart).await?;
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
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}
