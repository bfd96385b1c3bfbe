//! GraphQL over HTTP: <https://graphql.github.io/graphql-over-http/draft/>.
//!
//! Under `application/graphql-response+json` a document that does not parse or validate is 400; under
//! `application/json` it is 200 with `errors`. A request that is no GraphQL request at all is 400 under both.
//! Only `application/json` bodies are taken: a form of a foreign page cannot send those.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use async_graphql::parser::types::{ExecutableDocument, OperationType};
use async_graphql::{Request, Response, ServerError, Value, Variables};
use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, State};
use axum::http::header::{
    ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, SET_COOKIE, UPGRADE, VARY, WWW_AUTHENTICATE,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use service::{Caller, Error, HoldsToken};

use crate::answers::{self, Place};
use crate::document::{coded, operation, with_defaults};
use crate::loaders::Loaders;
use crate::scope::Scope;
use crate::session::Session;
use crate::{Gateway, websocket};

/// What the answer is sent as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MediaType {
    /// Statuses mean what they say.
    GraphqlResponse,
    /// 200, whatever became of a well-formed request.
    Json,
}

impl MediaType {
    /// The best that the client accepts; `None` if it accepts neither.
    fn accepted(headers: &HeaderMap) -> Option<MediaType> {
        let mut accept = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).peekable();
        if accept.peek().is_none() {
            return Some(MediaType::Json);
        }
        let mut best: Option<(MediaType, u16)> = None;
        for range in accept.flat_map(|value| value.split(',')) {
            let mut parameters = range.split(';').map(str::trim);
            let media_type = match parameters.next().unwrap_or_default().to_ascii_lowercase().as_str() {
                "application/graphql-response+json" => MediaType::GraphqlResponse,
                "application/json" | "application/*" | "*/*" => MediaType::Json,
                _ => continue,
            };
            let quality = parameters.find_map(|parameter| parameter.strip_prefix("q=")).map_or(1000, per_mille);
            let is_better = match best {
                None => quality > 0,
                // Of two that are equally welcome, the one with honest statuses.
                Some((_, q)) if q == quality => media_type == MediaType::GraphqlResponse,
                Some((_, q)) => quality > q,
            };
            if is_better {
                best = Some((media_type, quality));
            }
        }
        best.map(|(media_type, _)| media_type)
    }

    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            MediaType::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            MediaType::Json => "application/json; charset=utf-8",
        })
    }

    /// The status of a well-formed request that did not get to be executed.
    fn refusal(self) -> StatusCode {
        match self {
            MediaType::GraphqlResponse => StatusCode::BAD_REQUEST,
            MediaType::Json => StatusCode::OK,
        }
    }
}

/// `0.75` → 750; what is no quality counts as none given.
fn per_mille(quality: &str) -> u16 {
    let (whole, rest) = quality.split_once('.').unwrap_or((quality, ""));
    if whole != "0" || rest.len() > 3 || !rest.bytes().all(|byte| byte.is_ascii_digit()) {
        return 1000;
    }
    format!("{rest:0<3}").parse().unwrap_or(1000)
}

/// The parameters of a request, whichever way they came.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parameters {
    query: Option<String>,
    operation_name: Option<String>,
    #[serde(default)]
    variables: Variables,
    /// Allowed by the specification, and not used; but it has to be an object.
    #[serde(rename = "extensions")]
    _extensions: Option<HashMap<String, IgnoredAny>>,
}

impl Parameters {
    /// Reads the body of a request, or the payload of a WebSocket's `subscribe`.
    ///
    /// Errors: it is a batch, or a parameter has the wrong type.
    pub fn parse(json: &RawValue) -> Result<Parameters, String> {
        if json.get().starts_with('[') {
            return Err("batches are not taken: send one operation per request".to_owned());
        }
        serde_json::from_str(json.get()).map_err(|error| format!("this is not a GraphQL request: {error}"))
    }
}

/// The same in a query string: variables are JSON in a text.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct QueryString {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<String>,
    extensions: Option<String>,
}

impl QueryString {
    fn parameters(self) -> Result<Parameters, serde_json::Error> {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let variables = given(self.variables).map(|text| serde_json::from_str(&text)).transpose()?;
        let extensions = given(self.extensions).map(|text| serde_json::from_str(&text)).transpose()?;
        Ok(Parameters {
            query: self.query,
            operation_name: self.operation_name,
            variables: variables.unwrap_or_default(),
            _extensions: extensions,
        })
    }
}

/// What goes over the wire: `data` only if the operation was executed.
#[derive(Serialize)]
struct Answer<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [ServerError],
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
}

/// A response as its JSON object.
pub fn to_json(response: &Response) -> Result<String, serde_json::Error> {
    let data = (!is_request_error(response)).then_some(&response.data);
    serde_json::to_string(&Answer { errors: &response.errors, data })
}

/// Whether nothing was executed: errors of a resolver have a path, errors of the request have none.
pub fn is_request_error(response: &Response) -> bool {
    response.data == Value::Null && response.errors.iter().any(|error| error.path.is_empty())
}

/// By which way an operation came: each takes its own kinds of operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Queries only.
    Get,
    /// Queries and mutations.
    Post,
    /// Queries and subscriptions.
    WebSocket,
}

impl Way {
    fn takes(self, operation: OperationType) -> bool {
        match operation {
            OperationType::Query => true,
            OperationType::Mutation => self == Way::Post,
            OperationType::Subscription => self == Way::WebSocket,
        }
    }
}

/// Why an operation was not executed.
pub enum Refused {
    /// This is no GraphQL request.
    Malformed(ServerError),
    /// The document is at fault.
    Document(ServerError),
    /// This kind of operation does not come this way.
    Way(ServerError),
}

/// An operation within its limits, ready to be executed.
pub struct Prepared {
    /// What to execute.
    pub request: Request,
    /// Its kind, unless it names no operation of its document.
    pub kind: Option<OperationType>,
    /// Whether nothing but the catalogue has a say in its answer.
    pub is_of_the_catalogue: bool,
}

/// Who asks, by which way, and what is to become of the answer.
struct Asked<'a> {
    caller: Caller,
    session: Arc<Session>,
    way: Way,
    media_type: MediaType,
    /// Where the answer may be kept.
    place: Option<Place<'a>>,
}

impl Gateway {
    /// Parses an operation, holds it against the limits, and puts the caller into its context.
    pub async fn prepare(
        &self,
        parameters: Parameters,
        caller: Caller,
        session: Arc<Session>,
        way: Way,
    ) -> Result<Prepared, Refused> {
        let Some(text) = parameters.query.filter(|text| !text.trim().is_empty()) else {
            let error = ServerError::new("`query` is missing: it holds the GraphQL document", None);
            return Err(Refused::Malformed(coded(error, "BAD_REQUEST")));
        };
        if holds_nul(&text, &parameters.variables) {
            let error = ServerError::new("the character NUL cannot be stored", None);
            return Err(Refused::Malformed(coded(error, "BAD_USER_INPUT")));
        }
        let document = self.documents.parse(&text).await.map_err(Refused::Document)?;
        let operation = operation(&document, parameters.operation_name.as_deref());
        if let Some(operation) = operation.filter(|operation| !way.takes(operation.ty)) {
            let message = match operation.ty {
                OperationType::Query | OperationType::Mutation => "mutations are taken by POST only",
                OperationType::Subscription => "subscriptions are taken over WebSocket only (graphql-transport-ws)",
            };
            return Err(Refused::Way(coded(ServerError::new(message, None), "OPERATION_NOT_ALLOWED")));
        }
        let kind = operation.map(|operation| operation.ty);
        let is_of_the_catalogue = operation.is_some_and(answers::is_of_the_catalogue);
        let scope = Scope {
            caller,
            session,
            clients: self.clients.clone(),
            keys: self.config.keys.clone(),
            demo: self.demo.clone(),
            live: self.live.clone(),
            loaders: Loaders::default(),
        };
        let mut request = Request::new(text).data(Arc::new(scope));
        request.operation_name = parameters.operation_name;
        request.variables = match operation {
            Some(operation) => with_defaults(parameters.variables, operation),
            None => parameters.variables,
        };
        request.set_parsed_query(ExecutableDocument::clone(&document));
        Ok(Prepared { request, kind, is_of_the_catalogue })
    }

    async fn answer(&self, parameters: Parameters, asked: Asked<'_>) -> axum::response::Response {
        let Asked { caller, session, way, media_type, place } = asked;
        let prepared = match self.prepare(parameters, caller, session.clone(), way).await {
            Ok(prepared) => prepared,
            Err(Refused::Malformed(error)) => return refuse(error, StatusCode::BAD_REQUEST, media_type),
            Err(Refused::Document(error)) => return refuse(error, media_type.refusal(), media_type),
            Err(Refused::Way(error)) if way == Way::Get => {
                let mut response = refuse(error, StatusCode::METHOD_NOT_ALLOWED, media_type);
                response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
                return response;
            }
            Err(Refused::Way(error)) => return refuse(error, media_type.refusal(), media_type),
        };
        let started = Instant::now();
        let response = with_codes(self.schema.execute(prepared.request).await);
        record(prepared.kind, &response.errors, started);
        let status = if is_request_error(&response) { media_type.refusal() } else { StatusCode::OK };
        let json = match to_json(&response) {
            Ok(json) => json,
            Err(error) => return Error::internal(error).into_response(),
        };
        if let Some(place) = place.filter(|_| prepared.is_of_the_catalogue && response.errors.is_empty()) {
            self.answers.keep(place, &json).await;
        }
        let mut answer = sent(json, status, media_type);
        if let Some(cookie) = session.cookie() {
            answer.headers_mut().append(SET_COOKIE, cookie);
        }
        if session.is_begun() {
            answer.extensions_mut().insert(HoldsToken);
        }
        answer
    }
}

/// No table can hold it. In a document it may be escaped.
fn holds_nul(document: &str, variables: &Variables) -> bool {
    fn is_in(value: &Value) -> bool {
        match value {
            Value::String(text) => text.contains('\0'),
            Value::List(values) => values.iter().any(is_in),
            Value::Object(fields) => fields.values().any(is_in),
            Value::Null | Value::Number(_) | Value::Boolean(_) | Value::Binary(_) | Value::Enum(_) => false,
        }
    }
    document.contains('\0') || document.contains("\\u0000") || variables.values().any(is_in)
}

/// Gives validation errors their code.
pub fn with_codes(mut response: Response) -> Response {
    if !response.errors.is_empty() {
        let code = if is_request_error(&response) { "GRAPHQL_VALIDATION_FAILED" } else { "BAD_USER_INPUT" };
        response.errors = response.errors.into_iter().map(|error| coded(error, code)).collect();
    }
    response
}

/// Measures a query or a mutation; a subscription lasts as long as its client likes.
pub fn record(kind: Option<OperationType>, errors: &[ServerError], started: Instant) {
    let kind = match kind {
        Some(OperationType::Query) => "query",
        Some(OperationType::Mutation) => "mutation",
        Some(OperationType::Subscription) => return,
        None => "unknown",
    };
    let outcome = if errors.is_empty() { "ok" } else { "error" };
    metrics::histogram!("graphql_operation_duration_seconds", "kind" => kind, "outcome" => outcome)
        .record(started.elapsed());
}

fn refuse(error: ServerError, status: StatusCode, media_type: MediaType) -> axum::response::Response {
    render(&Response::from_errors(vec![error]), status, media_type)
}

fn render(response: &Response, status: StatusCode, media_type: MediaType) -> axum::response::Response {
    match to_json(response) {
        Ok(json) => sent(json, status, media_type),
        Err(error) => Error::internal(error).into_response(),
    }
}

fn sent(json: impl Into<Body>, status: StatusCode, media_type: MediaType) -> axum::response::Response {
    let headers = [
        (CONTENT_TYPE, media_type.content_type()),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (VARY, HeaderValue::from_static("Accept, Authorization")),
    ];
    (status, headers, json.into()).into_response()
}

fn bad_request(message: impl Into<String>, media_type: MediaType) -> axum::response::Response {
    refuse(coded(ServerError::new(message, None), "BAD_REQUEST"), StatusCode::BAD_REQUEST, media_type)
}

/// A token that is not valid is the whole request's fault, under both media types.
fn unauthenticated(error: Error, media_type: MediaType) -> axum::response::Response {
    if error.status != StatusCode::UNAUTHORIZED {
        return error.into_response();
    }
    let code = coded(ServerError::new(error.message.clone(), None), "UNAUTHENTICATED");
    let mut response = refuse(code, StatusCode::UNAUTHORIZED, media_type);
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer error=\"invalid_token\""));
    response
}

fn not_acceptable() -> axum::response::Response {
    let message = "answers are application/graphql-response+json or application/json";
    Error::new(StatusCode::NOT_ACCEPTABLE, "not_acceptable", message).into_response()
}

/// `POST /graphql`: queries and mutations.
pub async fn post(State(gateway): State<Arc<Gateway>>, request: axum::extract::Request) -> axum::response::Response {
    let Some(media_type) = MediaType::accepted(request.headers()) else { return not_acceptable() };
    let (mut parts, body) = request.into_parts();
    let caller = match Caller::from_request_parts(&mut parts, &()).await {
        Ok(caller) => caller,
        Err(error) => return unauthenticated(error, media_type),
    };
    let session = Session::of(&parts.headers);
    // The extractor refuses what is not JSON (415, 400) and what is too large (413), in the uniform shape.
    let request = axum::extract::Request::from_parts(parts, body);
    let service::Json(body) = match service::Json::<Box<RawValue>>::from_request(request, &()).await {
        Ok(body) => body,
        Err(error) => return error.into_response(),
    };
    let started = Instant::now();
    // Once all of the question is there: whoever sends it slowly is told nothing older than what was answered meanwhile.
    let version = gateway.clients.products.version().filter(|_| caller.claims.is_none());
    let place = version.map(|version| Place { question: body.get(), version });
    if let Some(place) = place
        && let Some(json) = gateway.answers.find(place).await
    {
        record(Some(OperationType::Query), &[], started);
        return sent(json, StatusCode::OK, media_type);
    }
    match Parameters::parse(&body) {
        Ok(parameters) => {
            let asked = Asked { caller, session: Arc::new(session), way: Way::Post, media_type, place };
            gateway.answer(parameters, asked).await
        }
        Err(message) => bad_request(message, media_type),
    }
}

/// `GET /graphql`: queries; WebSockets; and a browser that was pointed here is sent to GraphiQL.
pub async fn get(State(gateway): State<Arc<Gateway>>, request: axum::extract::Request) -> axum::response::Response {
    let (mut parts, _) = request.into_parts();
    if parts.headers.contains_key(UPGRADE) {
        return websocket::upgrade(gateway, &mut parts).await;
    }
    if parts.uri.query().is_none() && accepts_html(&parts.headers) {
        return Redirect::to("/graphiql").into_response();
    }
    let Some(media_type) = MediaType::accepted(&parts.headers) else { return not_acceptable() };
    let caller = match Caller::from_request_parts(&mut parts, &()).await {
        Ok(caller) => caller,
        Err(error) => return unauthenticated(error, media_type),
    };
    let service::Query(query) = match service::Query::<QueryString>::from_request_parts(&mut parts, &()).await {
        Ok(query) => query,
        Err(error) => return bad_request(error.message, media_type),
    };
    match query.parameters() {
        Ok(parameters) => {
            let asked = Asked { caller, session: Arc::default(), way: Way::Get, media_type, place: None };
            gateway.answer(parameters, asked).await
        }
        Err(error) => bad_request(format!("`variables` and `extensions` are JSON objects: {error}"), media_type),
    }
}

/// Is this a browser that opens an address?
pub fn accepts_html(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).is_some_and(|accept| accept.as_bytes().windows(9).any(|text| text == b"text/html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(accept: &[&'static str]) -> Option<MediaType> {
        let values = accept.iter().map(|value| (ACCEPT, HeaderValue::from_static(value)));
        MediaType::accepted(&values.collect())
    }

    #[test]
    fn the_best_accepted_media_type_is_chosen() {
        use MediaType::{GraphqlResponse, Json};
        assert_eq!(accepted(&[]), Some(Json));
        assert_eq!(accepted(&["*/*"]), Some(Json));
        assert_eq!(accepted(&["application/graphql-response+json"]), Some(GraphqlResponse));
        assert_eq!(accepted(&["application/json, application/graphql-response+json"]), Some(GraphqlResponse));
        assert_eq!(accepted(&["application/graphql-response+json;q=0.8, application/json;q=0.9"]), Some(Json));
        assert_eq!(accepted(&["application/json; charset=utf-8"]), Some(Json));
        assert_eq!(accepted(&["text/html", "application/*;q=0.5"]), Some(Json));
        assert_eq!(accepted(&["text/html"]), None);
        assert_eq!(accepted(&["application/json;q=0"]), None);
    }
}
