//! Asking the gateway: over HTTP, and over a WebSocket for what is live.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::{Answer, World};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// What an operation yielded first: `data` and `errors`, whichever way it was asked.
#[derive(Debug, Clone)]
pub struct Yield {
    pub answer: Value,
}

impl Yield {
    pub fn data(&self, field: &str) -> &Value {
        &self.answer["data"][field]
    }

    pub fn errors(&self) -> &[Value] {
        self.answer["errors"].as_array().map(Vec::as_slice).unwrap_or_default()
    }

    /// The codes of its errors; an error without a code is a defect.
    pub fn codes(&self) -> Vec<&str> {
        self.errors().iter().map(|error| error["extensions"]["code"].as_str().unwrap_or("(no code)")).collect()
    }

    /// What no answer of GraphQL may be.
    pub fn complaint(&self) -> Option<String> {
        let codes = self.codes();
        let bad = ["(no code)", "INTERNAL", "UNAVAILABLE", "INTERNAL_ERROR"];
        let is_bad = codes.iter().any(|code| bad.contains(code));
        is_bad.then(|| format!("a fault: {}", self.answer["errors"]))
    }
}

impl World {
    /// A query or a mutation, not sent yet.
    pub fn query(&self, document: &str, variables: &Value, token: Option<&str>) -> RequestBuilder {
        let body = json!({"query": document, "variables": variables});
        let request = self.ask("gateway", Method::POST, "/graphql").json(&body);
        token.into_iter().fold(request, |request, token| request.bearer_auth(token))
    }

    /// Asks for something live, and returns the first that comes. The variables are JSON, or what is sent as such.
    pub async fn subscribe(&self, document: &str, variables: &str, token: Option<&str>) -> Result<Yield, String> {
        let mut socket = Socket::open(self).await?;
        let payload = token.map_or(json!({}), |token| json!({"authorization": format!("Bearer {token}")}));
        socket.say(&json!({"type": "connection_init", "payload": payload}).to_string()).await?;
        let acknowledged = socket.hear().await?;
        if acknowledged["type"] != "connection_ack" {
            return Err(format!("no acknowledgement: {acknowledged}"));
        }
        let payload = format!("{{\"query\": {}, \"variables\": {variables}}}", json!(document));
        socket.say(&format!("{{\"id\": \"1\", \"type\": \"subscribe\", \"payload\": {payload}}}")).await?;
        let first = socket.hear().await?;
        match first["type"].as_str() {
            Some("next") => Ok(Yield { answer: first["payload"].clone() }),
            Some("error") => Ok(Yield { answer: json!({"data": null, "errors": first["payload"]}) }),
            _ => Err(format!("unexpected: {first}")),
        }
    }
}

/// An answer of `/graphql` as what it yielded.
pub fn yielded(answer: &Answer) -> Result<Yield, String> {
    if let Some(complaint) = answer.common_complaint() {
        return Err(complaint);
    }
    let yielded = Yield { answer: answer.json.clone() };
    match yielded.complaint() {
        Some(complaint) => Err(complaint),
        None if answer.json.is_object() => Ok(yielded),
        None => Err(format!("no JSON object: {} {}", answer.status, answer.start())),
    }
}

/// A WebSocket that speaks `graphql-transport-ws`.
pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub async fn open(world: &World) -> Result<Socket, String> {
        Socket::open_with(world, &[]).await
    }

    /// With these headers besides.
    pub async fn open_with(world: &World, headers: &[(&'static str, &str)]) -> Result<Socket, String> {
        let url = format!("{}/graphql", world.shop.url("gateway").replacen("http", "ws", 1));
        let mut request = url.into_client_request().expect("a WebSocket URL");
        request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().expect("a header"));
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().expect("a header"));
        }
        let (socket, _) = connect_async(request).await.map_err(|error| error.to_string())?;
        Ok(Socket(socket))
    }

    pub async fn say(&mut self, message: &str) -> Result<(), String> {
        self.0.send(Message::text(message)).await.map_err(|error| error.to_string())
    }

    /// The next message; `Err` with the code if the gateway closes instead.
    pub async fn hear(&mut self) -> Result<Value, String> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.0.next()).await.map_err(|_| "silence".to_owned())?;
            match message {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).map_err(|error| error.to_string()),
                Some(Ok(Message::Close(Some(frame)))) => return Err(format!("closed: {}", u16::from(frame.code))),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => return Err(format!("the connection ended: {other:?}")),
            }
        }
    }
}
