//! What happens around every request: correlation id, log, metrics, time limit, body limit, panics,
//! uniform errors, security headers.

use std::any::Any;
use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, HeaderValue,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use events::{CorrelationId, TraceParent};
use futures_util::FutureExt;
use http_body_util::{BodyExt, Limited};
use tracing::Instrument;

use crate::auth::TokenKeys;
use crate::error::Error;
use crate::server::AppConfig;

/// Carries the correlation id, in requests and answers.
pub const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");

/// Carries the trace, as W3C Trace Context says.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// An unread body is read on up to this size and time, so that the client gets to see the answer.
const DRAIN_BYTES: usize = 64 * 1024 * 1024;
const DRAIN_TIME: Duration = Duration::from_secs(10);

/// Where a request comes from; the outermost layer leaves it for the [`crate::Caller`] extractor.
#[derive(Clone)]
pub(crate) struct Origin {
    pub(crate) correlation_id: CorrelationId,
    pub(crate) address: Option<IpAddr>,
    pub(crate) keys: TokenKeys,
}

/// The outermost layer: gives the request its correlation id and address, renders its error, logs and counts it.
pub(crate) async fn observe(State(config): State<Arc<AppConfig>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let correlation_id = correlation_id(request.headers());
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let address = config
        .keys
        .voucher()
        .address(request.headers(), correlation_id)
        .or_else(|| peer.map(|peer| config.trusted_proxies.client(peer, request.headers())));
    request.extensions_mut().insert(Origin { correlation_id, address, keys: config.keys.clone() });
    let method = method_label(request.method());
    let path = request.extensions().get::<MatchedPath>().cloned();
    let route = path.as_ref().map_or("unmatched", MatchedPath::as_str);
    // At the highest level, so that no filter takes the correlation id from the lines it lets through.
    let trace = traceparent(request.headers());
    let trace_id = trace.map(|trace| trace.trace_id());
    let span = tracing::error_span!("request", service = config.service, %correlation_id, trace_id);

    let answered = next.run(request).instrument(span.clone());
    let response = match trace {
        Some(trace) => database::trace::within(trace, answered).await,
        None => answered.await,
    };
    let entered = span.enter();
    let (mut response, error) = uniform(response, correlation_id);
    let status = response.status();
    let elapsed = started.elapsed();
    match error {
        Some(error) if status.is_server_error() => {
            tracing::error!(target: "http", method, route, status = status.as_u16(), ?elapsed, error = %error.code, cause = error.causes(), "request failed");
        }
        Some(error) => {
            tracing::debug!(target: "http", method, route, status = status.as_u16(), ?elapsed, error = %error.code, "request refused");
        }
        None => tracing::debug!(target: "http", method, route, status = status.as_u16(), ?elapsed, "request answered"),
    }
    drop(entered);
    metrics::histogram!("http_request_duration_seconds", "service" => config.service, "method" => method,
        "route" => route.to_owned(), "status" => status.as_str().to_owned())
    .record(elapsed);
    add_headers(response.headers_mut(), correlation_id);
    response
}

/// The innermost layer: limits time and body, and turns a panic into an answer.
pub(crate) async fn guard(State(config): State<Arc<AppConfig>>, request: Request, next: Next) -> Response {
    let limit = config.body_limit_bytes;
    let request = request
        .map(|body| if body.is_end_stream() { body } else { Body::new(Limited::new(ReadOn(Some(body)), limit)) });
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(config.request_timeout, answer).await {
        Ok(Ok(response)) => response,
        Ok(Err(panic)) => Error::internal(format!("panic: {}", panic_text(panic.as_ref()))).into_response(),
        Err(_) => Error::new(StatusCode::SERVICE_UNAVAILABLE, "timed_out", "this took too long, please try again")
            .with_retry_after(Duration::from_secs(1))
            .with_source(format!("no answer within {:?}", config.request_timeout))
            .into_response(),
    }
}

fn correlation_id(headers: &HeaderMap) -> CorrelationId {
    let given = headers.get(CORRELATION_ID).and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
    given.unwrap_or_else(CorrelationId::new)
}

/// The trace that the request belongs to; one that makes no sense is ignored.
fn traceparent(headers: &HeaderMap) -> Option<TraceParent> {
    headers.get(TRACEPARENT)?.to_str().ok()?.parse().ok()
}

/// Labels of metrics must be few: a made-up method is not one.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}

/// Brings every error into the uniform shape, those of the framework too, and adds the correlation id.
fn uniform(response: Response, correlation_id: CorrelationId) -> (Response, Option<Error>) {
    let (mut parts, body) = response.into_parts();
    let error = parts.extensions.remove::<Error>().or_else(|| framework_error(parts.status, &parts.headers));
    let Some(mut error) = error else { return (Response::from_parts(parts, body), None) };
    error.correlation_id.get_or_insert(correlation_id);
    let (rendered, json) = error.clone().into_response().into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.extend(rendered.headers.into_iter().filter_map(|(name, value)| Some((name?, value))));
    (Response::from_parts(parts, json), Some(error))
}

/// An error that nobody rendered: an unknown path, a wrong method, a refusal by axum itself.
fn framework_error(status: StatusCode, headers: &HeaderMap) -> Option<Error> {
    let is_error = status.is_client_error() || status.is_server_error();
    let is_plain = headers.get(CONTENT_TYPE).is_none_or(|value| value.as_bytes().starts_with(b"text/plain"));
    if !is_error || !is_plain {
        return None;
    }
    let (code, message) = match status {
        StatusCode::NOT_FOUND => ("not_found", "there is nothing at this path"),
        StatusCode::METHOD_NOT_ALLOWED => ("method_not_allowed", "this path does not take this method"),
        StatusCode::PAYLOAD_TOO_LARGE => return Some(crate::extract::too_large()),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ("unsupported_media_type", "the body must be JSON"),
        _ if status.is_server_error() => return Some(Error::internal(format!("answered {status} without a body"))),
        _ => ("bad_request", "the request cannot be understood"),
    };
    Some(Error::new(status, code, message))
}

fn add_headers(headers: &mut HeaderMap, correlation_id: CorrelationId) {
    if let Ok(value) = HeaderValue::from_str(&correlation_id.to_string()) {
        headers.insert(CORRELATION_ID, value);
    }
    // Answers hold tokens and personal data. What has a tag is meant to be kept, and asked about again.
    let caching = if headers.contains_key(ETAG) { "no-cache" } else { "no-store" };
    let common = [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, caching),
    ];
    // Data that a browser opens as a page loads and runs nothing. Pages have policies of their own.
    let is_json = headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/json"));
    let policy = (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'");
    for (name, value) in common.into_iter().chain(is_json.then_some(policy)) {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied()).unwrap_or("?")
}

/// A request body that is read on when dropped half-read: closing the connection under a client that still
/// sends would reset it before the client has read the answer.
struct ReadOn(Option<Body>);

impl HttpBody for ReadOn {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, axum::Error>>> {
        match &mut self.0 {
            Some(body) => Pin::new(body).poll_frame(context),
            None => Poll::Ready(None),
        }
    }
}

impl Drop for ReadOn {
    fn drop(&mut self) {
        let Some(body) = self.0.take().filter(|body| !body.is_end_stream()) else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(tokio::time::timeout(DRAIN_TIME, drain(body)));
        }
    }
}

async fn drain(mut body: Body) {
    let mut seen_bytes = 0;
    while let Some(Ok(frame)) = body.frame().await {
        seen_bytes += frame.data_ref().map_or(0, Bytes::len);
        if seen_bytes > DRAIN_BYTES {
            return;
        }
    }
}
