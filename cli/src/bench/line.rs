//! How the load talks to the shop: GraphQL over one keep-alive connection, as thin as HTTP/1.1 allows, because what
//! the generator takes is missing to the shop.

use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

/// Why something did not end as it should; shown in the report.
pub type Failure = String;

/// An answer that does not come in this time is an error.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A connection to a gateway.
pub struct Line {
    requests: SendRequest<Full<Bytes>>,
    host: HeaderValue,
    authorization: Option<HeaderValue>,
}

impl Line {
    /// Connects; `token` is who speaks.
    pub async fn open(gateway: &str, token: Option<&str>) -> Result<Line, Failure> {
        let host = gateway.trim_start_matches("http://");
        let stream = TcpStream::connect(host).await.map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        let (requests, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection of the load ended");
            }
        });
        let authorization = token.map(|token| format!("Bearer {token}").parse()).transpose().map_err(failed)?;
        Ok(Line { requests, host: host.parse().map_err(failed)?, authorization })
    }

    /// Posts a body to `/graphql`; the body of the answer, which is 200.
    pub async fn post(&mut self, body: Bytes) -> Result<Bytes, Failure> {
        tokio::time::timeout(PATIENCE, self.exchange(body)).await.map_err(|_| format!("no answer in {PATIENCE:?}"))?
    }

    async fn exchange(&mut self, body: Bytes) -> Result<Bytes, Failure> {
        let mut request = Request::post("/graphql").header(HOST, &self.host).header(CONTENT_TYPE, "application/json");
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        self.requests.ready().await.map_err(failed)?;
        let answer =
            self.requests.send_request(request.body(Full::new(body)).map_err(failed)?).await.map_err(failed)?;
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(failed)?.to_bytes();
        match status {
            StatusCode::OK => Ok(body),
            status => Err(format!("{status}: {}", String::from_utf8_lossy(&body))),
        }
    }

    /// Asks, and reads the answer's data.
    pub async fn ask(&mut self, query: &str, variables: &Value) -> Result<Value, Failure> {
        data(&self.post(question(query, variables)).await?)
    }
}

/// The body of a request.
pub fn question(query: &str, variables: &Value) -> Bytes {
    json!({"query": query, "variables": variables}).to_string().into()
}

/// What an answer says, if it says nothing of errors.
pub fn data(answer: &[u8]) -> Result<Value, Failure> {
    let mut answer: Value = serde_json::from_slice(answer).map_err(failed)?;
    match answer.get("errors") {
        Some(errors) => Err(errors.to_string()),
        None => Ok(answer["data"].take()),
    }
}

/// Any fault as a failure.
pub fn failed(error: impl std::fmt::Display) -> Failure {
    error.to_string()
}
