//! HTTP client for other services of the shop: forwards who calls, and turns error bodies back into [`Error`].

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode};
use reqwest::Url;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::caller::Caller;
use crate::config::ConfigError;
use crate::error::{Error, ErrorBody};
use crate::idempotency::IDEMPOTENCY_KEY;
use crate::layers::{CORRELATION_ID, TRACEPARENT};
use crate::proxies::FORWARDED_FOR;
use crate::vouching::CLIENT;

/// An answer that takes longer counts as a failure. Longer than the wait for a request in flight
/// under the same idempotency key, so that its 409 arrives.
const TIMEOUT: Duration = Duration::from_secs(8);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Shorter than the server keeps an idle connection, so that requests do not race its close.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// One other service. Cheap to clone; connections are pooled.
#[derive(Clone)]
pub struct HttpClient {
    service: &'static str,
    base_url: Arc<str>,
    http: reqwest::Client,
}

impl HttpClient {
    /// A client of `service`, at e.g. `http://127.0.0.1:8083`.
    pub fn new(service: &'static str, base_url: &str) -> Result<Self, ConfigError> {
        let variable = || format!("{}_URL", service.to_uppercase());
        let wrong = |expected: &str| ConfigError::invalid(variable(), base_url, expected);
        let url: Url = base_url.parse().map_err(|_| wrong("a URL such as http://127.0.0.1:8083"))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() || url.query().is_some() {
            return Err(wrong("a URL such as http://127.0.0.1:8083"));
        }
        let builder = match url.scheme() {
            "https" => {
                install_tls();
                reqwest::Client::builder()
            }
            _ => reqwest::Client::builder().tls_backend_preconfigured(no_tls().map_err(|error| wrong(&error))?),
        };
        let http = builder
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .tcp_nodelay(true)
            .build()
            .map_err(|error| wrong(&format!("a URL a client can be built for: {error}")))?;
        Ok(Self { service, base_url: url.as_str().trim_end_matches('/').into(), http })
    }

    /// Begins a GET of `path`, e.g. `/orders/…`.
    pub fn get<'a>(&'a self, caller: &'a Caller, path: &str) -> Request<'a> {
        self.request(Method::GET, caller, path)
    }

    /// Begins a POST.
    pub fn post<'a>(&'a self, caller: &'a Caller, path: &str) -> Request<'a> {
        self.request(Method::POST, caller, path)
    }

    /// Begins a PATCH.
    pub fn patch<'a>(&'a self, caller: &'a Caller, path: &str) -> Request<'a> {
        self.request(Method::PATCH, caller, path)
    }

    /// Begins a DELETE.
    pub fn delete<'a>(&'a self, caller: &'a Caller, path: &str) -> Request<'a> {
        self.request(Method::DELETE, caller, path)
    }

    fn request<'a>(&'a self, method: Method, caller: &'a Caller, path: &str) -> Request<'a> {
        let mut builder = self
            .http
            .request(method.clone(), format!("{}{path}", self.base_url))
            .header(ACCEPT, "application/json")
            .header(CORRELATION_ID, caller.correlation_id.to_string());
        if let Some(trace) = database::trace::current() {
            builder = builder.header(TRACEPARENT, trace.to_string());
        }
        if let Some(token) = &caller.token {
            builder = builder.header(AUTHORIZATION, format!("Bearer {}", token.reveal()));
        }
        if let Some(key) = caller.idempotency_key.as_ref().filter(|_| method != Method::GET) {
            builder = builder.header(IDEMPOTENCY_KEY, key.as_str());
        }
        if let Some(address) = caller.address {
            builder = builder.header(FORWARDED_FOR, address.to_string());
            if let Some(voucher) = &caller.voucher {
                builder = builder.header(CLIENT, voucher.vouch_for(address, caller.correlation_id));
            }
        }
        Request { client: self, method, builder: Ok(builder) }
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpClient({} at {})", self.service, self.base_url)
    }
}

/// A request being built.
#[must_use = "nothing is sent before `send`"]
pub struct Request<'a> {
    client: &'a HttpClient,
    method: Method,
    builder: Result<reqwest::RequestBuilder, Error>,
}

impl Request<'_> {
    /// Adds to the query string; may be called several times.
    pub fn query(mut self, query: &impl Serialize) -> Self {
        self.builder = self.builder.map(|builder| builder.query(query));
        self
    }

    /// Sets a header, e.g. `If-Match`.
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        self.builder = self.builder.map(|builder| builder.header(name, value));
        self
    }

    /// Sets the JSON body.
    pub fn json(mut self, body: &impl Serialize) -> Self {
        let json = serde_json::to_vec(body).map_err(Error::internal);
        self.builder = self
            .builder
            .and_then(|builder| json.map(|json| builder.header(CONTENT_TYPE, "application/json").body(json)));
        self
    }

    /// Sets a body that is not JSON.
    pub fn bytes(mut self, content_type: &str, bytes: Bytes) -> Self {
        self.builder = self.builder.map(|builder| builder.header(CONTENT_TYPE, content_type).body(bytes));
        self
    }

    /// Sends it, and reads the answer (`()` for none). What was certainly not sent is tried once more; a GET
    /// also when the connection broke. An unreachable service is 503.
    pub async fn send<T: DeserializeOwned>(self) -> Result<T, Error> {
        let service = self.client.service;
        let (_, body) = self.send_raw().await?;
        let json: &[u8] = if body.is_empty() { b"null" } else { &body };
        serde_json::from_slice(json)
            .map_err(|error| Error::internal(format!("{service} answered with unexpected JSON: {error}")))
    }

    /// Sends it as [`Request::send`] does, and returns the answer as it is: for what is not JSON.
    pub async fn send_raw(self) -> Result<(HeaderMap, Bytes), Error> {
        let builder = self.builder?;
        let again = builder.try_clone();
        let response = match (builder.send().await, again) {
            (Err(error), Some(again)) if is_safe_to_repeat(&self.method, &error) => again.send().await,
            (result, _) => result,
        };
        let response = response.map_err(|error| unreachable(self.client.service, error))?;
        let status = response.status();
        let headers = response.headers().clone();
        let body = response.bytes().await.map_err(|error| unreachable(self.client.service, error))?;
        if status.is_success() {
            return Ok((headers, body));
        }
        let retry_after = headers.get("retry-after").and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
        let mut error = remote_error(self.client.service, status, &body);
        error.retry_after = retry_after.map(Duration::from_secs);
        Err(error)
    }
}

fn is_safe_to_repeat(method: &Method, error: &reqwest::Error) -> bool {
    let was_not_sent = error.is_connect();
    let changes_nothing = *method == Method::GET && error.is_request() && !error.is_timeout();
    was_not_sent || changes_nothing
}

fn unreachable(service: &str, error: reqwest::Error) -> Error {
    Error::unavailable(format!("{service}: {:?}", error.without_url()))
}

/// The other side's error as it was; a fault there is not repeated word by word if it is not in our shape.
fn remote_error(service: &str, status: StatusCode, body: &[u8]) -> Error {
    match serde_json::from_slice::<ErrorBody>(body) {
        Ok(body) if body.code == status.as_u16() => {
            let error = Error::from(body);
            if status.is_server_error() { error.with_source(format!("answered by {service}")) } else { error }
        }
        _ if status.is_server_error() => Error::unavailable(format!("{service} answered {status}")),
        _ => Error::internal(format!("{service} answered {status}, and not in the shape of an error")),
    }
}

/// For plain HTTP: trusts nobody, and so does not read the system's certificates, which takes time and megabytes.
fn no_tls() -> Result<rustls::ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let tls = tls.map_err(|error| error.to_string())?;
    Ok(tls.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth())
}

/// One TLS provider for the whole process.
fn install_tls() {
    if rustls::crypto::CryptoProvider::get_default().is_none()
        && rustls::crypto::ring::default_provider().install_default().is_err()
    {
        tracing::debug!("another thread installed the TLS provider first");
    }
}
