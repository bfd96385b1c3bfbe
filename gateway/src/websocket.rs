//! `graphql-transport-ws` on `/graphql`: <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>.
//!
//! The token comes in the payload of `connection_init`, because browsers cannot set headers of a WebSocket; so a
//! page of another origin could only come in anonymously, and it is turned away besides.

use std::collections::HashMap;
use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_graphql::{Response, ServerError, Value};
use axum::extract::FromRequestParts;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::header::{HeaderValue, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use futures_util::stream::{self, BoxStream, SelectAll};
use futures_util::{FutureExt, StreamExt};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use service::{Caller, Error};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::Gateway;
use crate::document::coded;
use crate::http::{Parameters, Refused, Way, is_request_error, record, to_json, with_codes};
use crate::session::is_own_origin;

const PROTOCOL: &str = "graphql-transport-ws";
/// What a socket reads at once. A buffer of this size belongs to each socket and is cleared before each read, and hardly any
/// message is longer; the library's 128 KiB cost an eighth of the processor time under load.
const READ_BUFFER_BYTES: usize = 4096;
/// A message that the client does not take within this time ends the connection.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// A silent client is pinged this often; after two unanswered pings it is gone.
const PING_INTERVAL: Duration = Duration::from_secs(30);

/// How WebSockets are treated.
#[derive(Debug, Clone)]
pub struct WebSocketLimits {
    /// `connection_init` has to come within this time.
    pub init_timeout: Duration,
    /// Longer messages end the connection.
    pub max_message_bytes: usize,
    /// Operations at a time on one connection.
    pub max_operations: usize,
    /// Connections at a time.
    pub max_connections: usize,
}

impl Default for WebSocketLimits {
    fn default() -> Self {
        Self {
            init_timeout: Duration::from_secs(10),
            max_message_bytes: 64 * 1024,
            max_operations: 50,
            max_connections: 5_000,
        }
    }
}

/// What a client says.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Incoming {
    ConnectionInit { payload: Option<Credentials> },
    Ping { payload: Option<serde_json::Value> },
    Pong {},
    // Not a RawValue: a tagged enum buffers what it reads, and a RawValue cannot be read from a buffer.
    Subscribe { id: String, payload: serde_json::Value },
    Complete { id: String },
}

/// What of a `connection_init` is of interest.
#[derive(Default, Deserialize)]
struct Credentials {
    #[serde(alias = "Authorization")]
    authorization: Option<String>,
}

/// What we say.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Outgoing<'a> {
    ConnectionAck,
    Pong {
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<&'a serde_json::Value>,
    },
    Next {
        id: &'a str,
        payload: &'a RawValue,
    },
    Error {
        id: &'a str,
        payload: &'a [ServerError],
    },
    Complete {
        id: &'a str,
    },
}

/// Why a connection ends, as the protocol numbers it.
struct Close(u16, &'static str);

impl Close {
    const GOING_AWAY: Close = Close(1001, "Going away");
    const SILENT: Close = Close(1001, "No answer to pings");
    const INTERNAL: Close = Close(4500, "Internal server error");
    const NOT_A_MESSAGE: Close = Close(4400, "Invalid message");
    const UNAUTHORIZED: Close = Close(4401, "Unauthorized");
    const FORBIDDEN: Close = Close(4403, "Forbidden: the token is not valid");
    const EXPIRED: Close = Close(4403, "Forbidden: the token has expired");
    const PROTOCOL: Close = Close(4406, "Subprotocol not acceptable");
    const INIT_TIMEOUT: Close = Close(4408, "Connection initialisation timeout");
    const ID_IN_USE: Close = Close(4409, "Subscriber for this id already exists");
    const SECOND_INIT: Close = Close(4429, "Too many initialisation requests");
}

/// Answers a handshake.
pub async fn upgrade(gateway: Arc<Gateway>, parts: &mut Parts) -> axum::response::Response {
    if !is_allowed_origin(&parts.headers, &gateway.config.allowed_origins) {
        let message = "this origin may not open WebSockets here; see CORS_ALLOWED_ORIGINS";
        return Error::new(StatusCode::FORBIDDEN, "origin_not_allowed", message).into_response();
    }
    let caller = match Caller::from_request_parts(parts, &()).await {
        Ok(caller) => caller,
        Err(error) => return error.into_response(),
    };
    let upgrade = match WebSocketUpgrade::from_request_parts(parts, &()).await {
        Ok(upgrade) => upgrade,
        Err(rejection) => return Error::bad_request("invalid_handshake", rejection.body_text()).into_response(),
    };
    let Ok(slot) = gateway.sockets.clone().try_acquire_owned() else {
        return Error::unavailable("too many WebSockets are open").into_response();
    };
    let max_bytes = gateway.config.websocket.max_message_bytes;
    let upgrade = upgrade
        .protocols([PROTOCOL])
        .max_message_size(max_bytes)
        .max_frame_size(max_bytes)
        .read_buffer_size(READ_BUFFER_BYTES);
    let span = tracing::Span::current();
    upgrade.on_upgrade(move |socket| {
        let tasks = gateway.shutdown.clone();
        let run = async move {
            metrics::gauge!("graphql_websockets").increment(1);
            Connection::new(gateway, caller).run(socket).await;
            metrics::gauge!("graphql_websockets").decrement(1);
            drop(slot);
        };
        tasks.spawn("websocket", run.instrument(span));
        async {}
    })
}

/// A browser names the page's origin: our own, or one on the list. Programs name none.
fn is_allowed_origin(headers: &HeaderMap, allowed: &[HeaderValue]) -> bool {
    headers.get(ORIGIN).is_none_or(|origin| allowed.contains(origin) || is_own_origin(headers))
}

/// Something of an operation, with its id.
enum Output {
    Result(Box<Response>),
    End,
}

struct Connection {
    gateway: Arc<Gateway>,
    caller: Caller,
    is_initialised: bool,
    operations: HashMap<String, CancellationToken>,
    outputs: SelectAll<BoxStream<'static, (String, Output)>>,
}

impl Connection {
    fn new(gateway: Arc<Gateway>, caller: Caller) -> Self {
        Self { gateway, caller, is_initialised: false, operations: HashMap::new(), outputs: SelectAll::new() }
    }

    async fn run(mut self, mut socket: WebSocket) {
        let close = match self.serve(&mut socket).await {
            Ok(()) => return,
            Err(close) => close,
        };
        tracing::debug!(code = close.0, reason = close.1, "closing a WebSocket");
        let frame = Message::Close(Some(CloseFrame { code: close.0, reason: close.1.into() }));
        if let Ok(Err(error)) = timeout(SEND_TIMEOUT, socket.send(frame)).await {
            tracing::debug!(%error, "the WebSocket was already gone");
        }
    }

    /// Until the client goes (`Ok`) or has to (`Err`).
    async fn serve(&mut self, socket: &mut WebSocket) -> Result<(), Close> {
        if socket.protocol().is_none() {
            return Err(Close::PROTOCOL);
        }
        let draining = self.gateway.shutdown.token();
        let init_deadline = tokio::time::Instant::now() + self.gateway.config.websocket.init_timeout;
        let mut pings = tokio::time::interval_at(tokio::time::Instant::now() + PING_INTERVAL, PING_INTERVAL);
        let mut unanswered_pings = 0;
        loop {
            tokio::select! {
                () = draining.cancelled() => return Err(Close::GOING_AWAY),
                () = tokio::time::sleep_until(init_deadline), if !self.is_initialised => {
                    return Err(Close::INIT_TIMEOUT);
                }
                () = expiry(&self.caller) => return Err(Close::EXPIRED),
                _ = pings.tick() => {
                    if unanswered_pings == 2 {
                        return Err(Close::SILENT);
                    }
                    unanswered_pings += 1;
                    send(socket, Message::Ping(axum::body::Bytes::new())).await?;
                }
                message = socket.recv() => {
                    unanswered_pings = 0;
                    match message {
                        Some(Ok(Message::Text(text))) => self.hear(socket, text.as_str()).await?,
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                        Some(Ok(Message::Binary(_))) => return Err(Close::NOT_A_MESSAGE),
                        Some(Ok(Message::Close(_))) | None => return Ok(()),
                        Some(Err(error)) => {
                            tracing::debug!(%error, "a WebSocket broke");
                            return Err(Close::NOT_A_MESSAGE);
                        }
                    }
                }
                Some((id, output)) = self.outputs.next(), if !self.outputs.is_empty() => {
                    self.tell(socket, &id, output).await?;
                }
            }
        }
    }

    async fn hear(&mut self, socket: &mut WebSocket, text: &str) -> Result<(), Close> {
        match serde_json::from_str(text).map_err(|_| Close::NOT_A_MESSAGE)? {
            Incoming::ConnectionInit { payload } => {
                if self.is_initialised {
                    return Err(Close::SECOND_INIT);
                }
                if let Some(authorization) = payload.unwrap_or_default().authorization {
                    self.authenticate(&authorization)?;
                }
                self.is_initialised = true;
                say(socket, &Outgoing::ConnectionAck).await
            }
            Incoming::Ping { payload } => say(socket, &Outgoing::Pong { payload: payload.as_ref() }).await,
            Incoming::Pong {} => Ok(()),
            Incoming::Subscribe { id, payload } => {
                let payload = RawValue::from_string(payload.to_string()).map_err(|_| Close::NOT_A_MESSAGE)?;
                self.subscribe(socket, id, &payload).await
            }
            Incoming::Complete { id } => {
                if let Some(operation) = self.operations.remove(&id) {
                    operation.cancel();
                }
                Ok(())
            }
        }
    }

    fn authenticate(&mut self, authorization: &str) -> Result<(), Close> {
        let (scheme, token) = authorization.split_once(' ').ok_or(Close::FORBIDDEN)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Close::FORBIDDEN);
        }
        let caller = self.caller.clone().with_token(&self.gateway.config.keys, token.trim());
        self.caller = caller.map_err(|_| Close::FORBIDDEN)?;
        Ok(())
    }

    async fn subscribe(&mut self, socket: &mut WebSocket, id: String, payload: &RawValue) -> Result<(), Close> {
        if !self.is_initialised {
            return Err(Close::UNAUTHORIZED);
        }
        if self.operations.contains_key(&id) {
            return Err(Close::ID_IN_USE);
        }
        let max_operations = self.gateway.config.websocket.max_operations;
        if self.operations.len() >= max_operations {
            let message = format!("{max_operations} operations at a time are the limit of one connection");
            let error = coded(ServerError::new(message, None), "TOO_MANY_OPERATIONS");
            return say(socket, &Outgoing::Error { id: &id, payload: &[error] }).await;
        }
        let parameters = match Parameters::parse(payload) {
            Ok(parameters) => parameters,
            Err(message) => {
                let error = coded(ServerError::new(message, None), "BAD_REQUEST");
                return say(socket, &Outgoing::Error { id: &id, payload: &[error] }).await;
            }
        };
        match self.gateway.prepare(parameters, self.caller.clone(), Arc::default(), Way::WebSocket).await {
            Err(Refused::Malformed(error) | Refused::Document(error) | Refused::Way(error)) => {
                say(socket, &Outgoing::Error { id: &id, payload: &[error] }).await
            }
            Ok(prepared) => {
                let cancelled = CancellationToken::new();
                let (kind, started) = (prepared.kind, Instant::now());
                let results = self.gateway.schema.execute_stream(prepared.request).map(move |response| {
                    let response = with_codes(response);
                    record(kind, &response.errors, started);
                    Output::Result(Box::new(response))
                });
                let outputs = results.chain(stream::once(async { Output::End }));
                let of_id = id.clone();
                let outputs = outputs.map(move |output| (of_id.clone(), output));
                self.outputs.push(outputs.take_until(cancelled.clone().cancelled_owned().fuse()).boxed());
                self.operations.insert(id, cancelled);
                Ok(())
            }
        }
    }

    /// Passes on what an operation yielded. One that could not begin ends with `error`, others with `complete`.
    async fn tell(&mut self, socket: &mut WebSocket, id: &str, output: Output) -> Result<(), Close> {
        let response = match output {
            Output::Result(response) => response,
            Output::End => {
                self.operations.remove(id);
                return say(socket, &Outgoing::Complete { id }).await;
            }
        };
        let could_not_begin = is_request_error(&response) || (response.is_err() && response.data == Value::Null);
        if could_not_begin {
            if let Some(operation) = self.operations.remove(id) {
                operation.cancel();
            }
            return say(socket, &Outgoing::Error { id, payload: &response.errors }).await;
        }
        let json = to_json(&response).and_then(RawValue::from_string).map_err(|_| Close::INTERNAL)?;
        say(socket, &Outgoing::Next { id, payload: &json }).await
    }
}

/// Waits until the caller's token expires; for ever if there is none.
async fn expiry(caller: &Caller) {
    let Some(claims) = &caller.claims else { return pending().await };
    let left = claims.exp - chrono::Utc::now().timestamp();
    tokio::time::sleep(Duration::from_secs(u64::try_from(left).unwrap_or(0))).await;
}

async fn say(socket: &mut WebSocket, message: &Outgoing<'_>) -> Result<(), Close> {
    let json = serde_json::to_string(message).map_err(|error| {
        tracing::error!(%error, "a message does not serialise");
        Close::INTERNAL
    })?;
    send(socket, Message::Text(json.into())).await
}

async fn send(socket: &mut WebSocket, message: Message) -> Result<(), Close> {
    match timeout(SEND_TIMEOUT, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a WebSocket is gone");
            Err(Close::GOING_AWAY)
        }
        Err(_) => Err(Close::SILENT),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header::HOST;

    use super::*;

    #[test]
    fn only_our_own_and_listed_origins_may_connect() {
        let allowed = |origin: Option<&'static str>| {
            let origin = origin.map(|origin| (ORIGIN, HeaderValue::from_static(origin)));
            let headers = origin.into_iter().chain([(HOST, HeaderValue::from_static("shop.example:8080"))]).collect();
            is_allowed_origin(&headers, &[HeaderValue::from_static("https://admin.example")])
        };
        assert!(allowed(None));
        assert!(allowed(Some("https://shop.example:8080")));
        assert!(allowed(Some("https://admin.example")));
        for origin in ["https://evil.example", "https://shop.example", "null", "https://shop.example:8080.evil.example"]
        {
            assert!(!allowed(Some(origin)), "{origin}");
        }
    }
}
