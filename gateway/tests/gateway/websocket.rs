//! `graphql-transport-ws` as a client speaks it, over a real connection; live status of orders.

use std::time::Duration;

use events::OrderStatus::{self, *};
use futures_util::{SinkExt, StreamExt};
use messaging::Tapped;
use serde_json::{Value, json};
use service::Role;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::support::{Running, TapIs};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    async fn open(running: &Running) -> Client {
        Client::open_with(running, "graphql-transport-ws", None).await.unwrap()
    }

    /// The HTTP status if the handshake is refused.
    async fn open_with(running: &Running, protocol: &str, origin: Option<&str>) -> Result<Client, u16> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = service::server::serve(listener, running.router.clone(), running.shutdown.token(), PATIENCE);
        tokio::spawn(serving);
        let mut request = format!("ws://{address}/graphql").into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", protocol.parse().unwrap());
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        match connect_async(request).await {
            Ok((socket, _)) => Ok(Client(socket)),
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Opened and initialised with a token.
    async fn ready(running: &Running, token: &str) -> Client {
        let mut client = Client::open(running).await;
        client.say(json!({"type": "connection_init", "payload": {"authorization": format!("Bearer {token}")}})).await;
        assert_eq!(client.hear().await, json!({"type": "connection_ack"}));
        client
    }

    async fn say(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    /// One message in frames of so many bytes.
    async fn say_in_pieces(&mut self, message: Value, bytes: usize) {
        let text = message.to_string();
        let pieces: Vec<&[u8]> = text.as_bytes().chunks(bytes).collect();
        for (index, piece) in pieces.iter().enumerate() {
            let kind = if index == 0 { Data::Text } else { Data::Continue };
            let is_last = index + 1 == pieces.len();
            let frame = Frame::message(piece.to_vec(), OpCode::Data(kind), is_last);
            self.0.send(Message::Frame(frame)).await.unwrap();
        }
    }

    async fn subscribe(&mut self, id: &str, query: &str) {
        self.say(json!({"id": id, "type": "subscribe", "payload": {"query": query}})).await;
    }

    async fn next(&mut self) -> Message {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.0.next()).await.expect("the gateway is silent");
            match message.unwrap().unwrap() {
                Message::Ping(_) | Message::Pong(_) => {}
                message => return message,
            }
        }
    }

    async fn hear(&mut self) -> Value {
        serde_json::from_str(self.next().await.to_text().unwrap()).unwrap()
    }

    async fn status(&mut self) -> String {
        let message = self.hear().await;
        let status = message["payload"]["data"]["orderStatus"]["status"].as_str();
        status.unwrap_or_else(|| panic!("{message}")).to_owned()
    }

    async fn close_code(&mut self) -> u16 {
        loop {
            match self.next().await {
                Message::Close(Some(frame)) => return frame.code.into(),
                Message::Close(None) => panic!("closed without a code"),
                _ => {}
            }
        }
    }
}

fn order_status(running: &Running) -> String {
    let id = running.shop.order.lock().unwrap().id;
    format!(
        "subscription {{ orderStatus(orderId: \"{id}\") {{ id status failureCode items {{ product {{ name }} }} }} }}"
    )
}

async fn tap(running: &mut Running) -> TapIs {
    tokio::time::timeout(PATIENCE, running.tap.recv()).await.expect("nothing happens to the tap").unwrap()
}

fn tell(running: &Running, statuses: &[OrderStatus]) {
    running.events.send(running.shop.move_order(statuses)).unwrap();
}

#[tokio::test]
async fn every_state_of_an_order_arrives_and_the_stream_ends() {
    let mut running = Running::new();
    let mut client = Client::ready(&running, &running.shop.token(Role::User)).await;
    client.subscribe("1", &order_status(&running)).await;
    let first = client.hear().await;
    assert_eq!((&first["id"], &first["type"]), (&json!("1"), &json!("next")));
    assert_eq!(first["payload"]["data"]["orderStatus"]["status"], "PENDING");
    assert_eq!(first["payload"]["data"]["orderStatus"]["items"][5]["product"]["name"], "Product 5");
    assert_eq!(tap(&mut running).await, TapIs::Open);
    tell(&running, &[CartValidated]);
    tell(&running, &[InventoryReserved]);
    tell(&running, &[PaymentProcessed, Confirmed]);
    for status in ["CART_VALIDATED", "INVENTORY_RESERVED", "PAYMENT_PROCESSED", "CONFIRMED"] {
        assert_eq!(client.status().await, status);
    }
    assert_eq!(client.hear().await, json!({"id": "1", "type": "complete"}));
}

#[tokio::test]
async fn what_a_gap_swallowed_is_read() {
    let mut running = Running::new();
    let mut client = Client::ready(&running, &running.shop.token(Role::User)).await;
    client.subscribe("1", &order_status(&running)).await;
    assert_eq!(client.status().await, "PENDING");
    assert_eq!(tap(&mut running).await, TapIs::Open);
    running.shop.move_order(&[CartValidated]);
    running.shop.move_order(&[InventoryReserved]);
    running.events.send(Tapped::Gap).unwrap();
    assert_eq!(client.status().await, "INVENTORY_RESERVED");
    tell(&running, &[Failed]);
    tell(&running, &[Compensated]);
    assert_eq!(client.hear().await["payload"]["data"]["orderStatus"]["failureCode"], "PAYMENT_DECLINED");
    assert_eq!(client.status().await, "COMPENSATED");
    assert_eq!(client.hear().await["type"], "complete");
}

#[tokio::test]
async fn one_tap_serves_all_and_is_closed_when_nobody_watches() {
    let mut running = Running::new();
    let token = running.shop.token(Role::User);
    let mut clients = [Client::ready(&running, &token).await, Client::ready(&running, &token).await];
    for client in &mut clients {
        client.subscribe("1", &order_status(&running)).await;
        assert_eq!(client.status().await, "PENDING");
    }
    assert_eq!(tap(&mut running).await, TapIs::Open);
    assert!(running.tap.try_recv().is_err(), "a second tap was opened");
    tell(&running, &[CartValidated]);
    for client in &mut clients {
        assert_eq!(client.status().await, "CART_VALIDATED");
        client.say(json!({"id": "1", "type": "complete"})).await;
        client.say(json!({"type": "ping", "payload": {"n": 1}})).await;
        assert_eq!(client.hear().await, json!({"type": "pong", "payload": {"n": 1}}));
    }
    // Nobody watches any more.
    assert_eq!(tap(&mut running).await, TapIs::Closed);
    clients[0].subscribe("2", &order_status(&running)).await;
    assert_eq!(clients[0].status().await, "CART_VALIDATED");
    assert_eq!(tap(&mut running).await, TapIs::Open);
}

#[tokio::test]
async fn subscriptions_are_authorised_per_order() {
    let running = Running::new();
    let foreign = "subscription { orderStatus(orderId: \"01951e7a-0000-7000-8000-000000000001\") { id } }";
    let mut client = Client::ready(&running, &running.shop.token(Role::User)).await;
    client.subscribe("1", foreign).await;
    let message = client.hear().await;
    assert_eq!((&message["id"], &message["type"]), (&json!("1"), &json!("error")));
    assert_eq!(message["payload"][0]["extensions"]["code"], "ORDER_NOT_FOUND");
    // The connection and the id are still good.
    client.subscribe("1", "{ __typename }").await;
    assert_eq!(client.hear().await["payload"], json!({"data": {"__typename": "Query"}}));
    assert_eq!(client.hear().await["type"], "complete");

    let mut anonymous = Client::open(&running).await;
    anonymous.say(json!({"type": "connection_init"})).await;
    assert_eq!(anonymous.hear().await["type"], "connection_ack");
    anonymous.subscribe("1", &order_status(&running)).await;
    assert_eq!(anonymous.hear().await["payload"][0]["extensions"]["code"], "UNAUTHENTICATED");
}

#[tokio::test]
async fn mutations_and_bad_documents_are_refused() {
    let running = Running::new();
    let mut client = Client::ready(&running, &running.shop.token(Role::User)).await;
    let refused = [
        ("mutation { createCart { cart { id } } }", "OPERATION_NOT_ALLOWED"),
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("", "BAD_REQUEST"),
    ];
    for (query, code) in refused {
        client.subscribe("1", query).await;
        let message = client.hear().await;
        assert_eq!((&message["type"], &message["payload"][0]["extensions"]["code"]), (&json!("error"), &json!(code)));
    }
    assert_eq!(running.shop.take_calls(), Vec::<&str>::new());
}

/// Longer than what is read at once; cut where no character ends.
#[tokio::test]
async fn a_long_message_arrives_whole_however_it_is_cut() {
    let running = Running::new();
    let mut client = Client::ready(&running, &running.shop.token(Role::User)).await;
    for characters in [1_000, 3_000, 30_000] {
        let payload = json!({"x": "ü".repeat(characters)});
        let (ping, pong) = (json!({"type": "ping", "payload": payload}), json!({"type": "pong", "payload": payload}));
        client.say(ping.clone()).await;
        assert_eq!(client.hear().await, pong);
        for bytes in [501, 4_097, 20_001] {
            client.say_in_pieces(ping.clone(), bytes).await;
            assert_eq!(client.hear().await, pong);
        }
    }
    // The limit is one of messages, not of frames.
    client.say_in_pieces(json!({"type": "ping", "payload": {"x": "x".repeat(64 * 1024)}}), 20_001).await;
    assert_eq!(client.close_code().await, 4400);
}

#[tokio::test]
async fn breaches_of_the_protocol_end_the_connection() {
    let running = Running::new();
    let token = running.shop.token(Role::User);
    let init = json!({"type": "connection_init"});
    let subscribe = json!({"id": "1", "type": "subscribe", "payload": {"query": order_status(&running)}});
    let large = json!({"type": "ping", "payload": {"x": "x".repeat(64 * 1024)}});
    let breaches: [(&[&Value], u16); 5] = [
        (&[&subscribe], 4401),
        (&[&init, &init], 4429),
        (&[&init, &json!({"type": "nothing"})], 4400),
        (&[&init, &large], 4400),
        (&[&json!({"type": "connection_init", "payload": {"Authorization": "Bearer x.y.z"}})], 4403),
    ];
    for (messages, code) in breaches {
        let mut client = Client::open(&running).await;
        for message in messages {
            client.say((*message).clone()).await;
        }
        assert_eq!(client.close_code().await, code);
    }
    let mut client = Client::ready(&running, &token).await;
    client.say(subscribe.clone()).await;
    client.say(subscribe).await;
    assert_eq!(client.close_code().await, 4409);
    let impatient = Running::with(|config| config.websocket.init_timeout = Duration::from_millis(100));
    let mut silent = Client::open(&impatient).await;
    assert_eq!(silent.close_code().await, 4408);
}

#[tokio::test]
async fn an_expired_token_and_a_shutdown_end_the_connection() {
    let running = Running::new();
    let soon = running.shop.token_until(Role::User, chrono::Utc::now().timestamp() + 5);
    let mut client = Client::ready(&running, &soon).await;
    client.subscribe("1", &order_status(&running)).await;
    assert_eq!(client.status().await, "PENDING");
    assert_eq!(client.close_code().await, 4403);

    let mut client = Client::ready(&running, &running.shop.token(Role::User)).await;
    running.shutdown.begin();
    assert_eq!(client.close_code().await, 1001);
}

#[tokio::test]
async fn operations_and_connections_are_bounded() {
    let running = Running::with(|config| {
        config.websocket.max_operations = 2;
        config.websocket.max_connections = 1;
    });
    let mut client = Client::ready(&running, &running.shop.token(Role::User)).await;
    for id in ["1", "2"] {
        client.subscribe(id, &order_status(&running)).await;
        assert_eq!(client.status().await, "PENDING");
    }
    client.subscribe("3", &order_status(&running)).await;
    assert_eq!(client.hear().await["payload"][0]["extensions"]["code"], "TOO_MANY_OPERATIONS");
    assert_eq!(Client::open_with(&running, "graphql-transport-ws", None).await.err(), Some(503));
}

#[tokio::test]
async fn strangers_do_not_get_in() {
    let running = Running::new();
    let foreign = Client::open_with(&running, "graphql-transport-ws", Some("https://evil.example")).await;
    assert_eq!(foreign.err(), Some(403));
}
