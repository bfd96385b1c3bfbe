//! The one error every service answers with, on both sides of the wire.
//!
//! Which status means what: 400 the request cannot be understood (syntax, a path or query value of the
//! wrong type, a bad cursor); 401 we do not know who calls; 403 the role is missing; 404 it does not exist
//! or is somebody else's; 409 the state forbids it; 422 understood, but a value is not acceptable
//! (`validation_failed` with `fields`); 429 too often; 503 a dependency is away, try again; 500 our fault.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use events::CorrelationId;
use serde::{Deserialize, Serialize};
use tokio_postgres::error::SqlState;
use utoipa::ToSchema;

type Text = Cow<'static, str>;

/// What went wrong, as a caller may see it. The source is for logs only and never leaves the process.
#[derive(Clone)]
pub struct Error {
    /// Stable machine code, lower snake case, e.g. `email_already_exists`.
    pub code: Text,
    /// A sentence for people.
    pub message: Text,
    /// The HTTP status.
    pub status: StatusCode,
    /// What is wrong with which field; only for validation, and for an idempotency key that is none.
    pub fields: Box<[FieldError]>,
    /// When to try again, in whole seconds on the wire.
    pub retry_after: Option<Duration>,
    /// The request that failed, when it was not the present one: a replayed or a forwarded error.
    pub correlation_id: Option<CorrelationId>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// One field that is not acceptable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// Path of the field in the request, e.g. `shipping_address.city`.
    pub field: String,
    /// Stable machine code, e.g. `too_short`.
    #[schema(value_type = String)]
    pub code: Text,
    /// A sentence for people.
    #[schema(value_type = String)]
    pub message: Text,
}

impl FieldError {
    /// A field that is not acceptable.
    pub fn new(field: impl Into<String>, code: impl Into<Text>, message: impl Into<Text>) -> Self {
        Self { field: field.into(), code: code.into(), message: message.into() }
    }
}

/// The JSON of an [`Error`]: `{"error": "...", "message": "...", "code": 409}` and what applies of the rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
    /// Stable machine code.
    #[schema(value_type = String)]
    pub error: Text,
    /// A sentence for people.
    #[schema(value_type = String)]
    pub message: Text,
    /// The HTTP status.
    pub code: u16,
    /// What is wrong with which field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldError>,
    /// Finds the request in the logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<uuid::Uuid>)]
    pub correlation_id: Option<CorrelationId>,
}

impl Error {
    /// An error of any status.
    pub fn new(status: StatusCode, code: impl Into<Text>, message: impl Into<Text>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            status,
            fields: Box::default(),
            retry_after: None,
            correlation_id: None,
            source: None,
        }
    }

    /// 400: the request cannot be understood.
    pub fn bad_request(code: impl Into<Text>, message: impl Into<Text>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// 401: we do not know who calls. Answered with `WWW-Authenticate: Bearer`.
    pub fn unauthenticated(code: impl Into<Text>, message: impl Into<Text>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code, message)
    }

    /// 403: the caller's role does not suffice.
    pub fn forbidden(message: impl Into<Text>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    /// 404: it does not exist, or is somebody else's.
    pub fn not_found(code: impl Into<Text>, message: impl Into<Text>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    /// 409: the present state forbids it.
    pub fn conflict(code: impl Into<Text>, message: impl Into<Text>) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    /// 422 `validation_failed` for one field.
    pub fn invalid(field: impl Into<String>, code: impl Into<Text>, message: impl Into<Text>) -> Self {
        Self::validation(vec![FieldError::new(field, code, message)])
    }

    /// 422 `validation_failed` for several fields.
    pub fn validation(fields: Vec<FieldError>) -> Self {
        let message: Text = match fields.as_slice() {
            [only] if only.field.is_empty() => only.message.clone(),
            [only] => format!("{}: {}", only.field, only.message).into(),
            _ => "some values are not acceptable; see fields".into(),
        };
        Self { fields: fields.into(), ..Self::unprocessable("validation_failed", message) }
    }

    /// 422 with a code of its own, where no single field is to blame.
    pub fn unprocessable(code: impl Into<Text>, message: impl Into<Text>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, message)
    }

    /// 429: too often; `retry_after` says when it may be tried again.
    pub fn too_many_requests(message: impl Into<Text>, retry_after: Duration) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", message)
        }
    }

    /// 503: something we need is away; the same request may succeed in a moment.
    pub fn unavailable(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            retry_after: Some(Duration::from_secs(1)),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "temporarily unavailable, please try again")
        }
        .with_source(source)
    }

    /// 500: our fault. The source is logged once, with the correlation id, and never shown.
    pub fn internal(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "something went wrong on our side")
            .with_source(source)
    }

    /// Attaches what the logs shall say.
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// Sets when to try again.
    pub fn with_retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// Whether a shopper can act on it (a 4xx other than 401, 403 and 429): data in `userErrors`, not a fault.
    pub fn is_domain(&self) -> bool {
        self.status.is_client_error()
            && !matches!(self.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS)
    }

    /// Whether the object does not exist (or is somebody else's).
    pub fn is_not_found(&self) -> bool {
        self.status == StatusCode::NOT_FOUND
    }

    /// Whether an idempotency key keeps this answer: 5xx, 401 and 429 are tried anew.
    pub fn is_final(&self) -> bool {
        self.status.is_client_error()
            && !matches!(self.status, StatusCode::UNAUTHORIZED | StatusCode::TOO_MANY_REQUESTS)
    }

    /// The SQL constraint whose violation caused this, if one did.
    pub fn constraint(&self) -> Option<&str> {
        self.sources().find_map(|e| e.downcast_ref::<tokio_postgres::Error>())?.as_db_error()?.constraint()
    }

    /// What goes over the wire.
    pub fn body(&self) -> ErrorBody {
        ErrorBody {
            error: self.code.clone(),
            message: self.message.clone(),
            code: self.status.as_u16(),
            fields: self.fields.to_vec(),
            correlation_id: self.correlation_id,
        }
    }

    /// The causes, outermost first, for logs. Of PostgreSQL's only code and message: its detail quotes the row.
    pub(crate) fn causes(&self) -> String {
        let mut causes = Vec::new();
        for cause in self.sources() {
            if let Some(db) = cause.downcast_ref::<tokio_postgres::Error>().and_then(|error| error.as_db_error()) {
                causes.push(format!("database error {}: {}", db.code().code(), db.message()));
                break;
            }
            causes.push(cause.to_string());
        }
        causes.join(": ")
    }

    fn sources(&self) -> impl Iterator<Item = &(dyn StdError + 'static)> {
        let first = self.source.as_deref().map(|e| e as &(dyn StdError + 'static));
        std::iter::successors(first, |e: &&'_ (dyn StdError + 'static)| -> Option<&(dyn StdError + 'static)> {
            (*e).source()
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.code, self.status.as_u16(), self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        if self.source.is_some() { write!(f, " because {}", self.causes()) } else { Ok(()) }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|e| e as &(dyn StdError + 'static))
    }
}

/// Equal when a caller could not tell them apart.
impl PartialEq for Error {
    fn eq(&self, other: &Self) -> bool {
        self.body() == other.body()
    }
}

impl From<ErrorBody> for Error {
    fn from(body: ErrorBody) -> Self {
        let status = StatusCode::from_u16(body.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self {
            fields: body.fields.into(),
            correlation_id: body.correlation_id,
            ..Self::new(status, body.error, body.message)
        }
    }
}

impl Serialize for Error {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.body().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Error {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ErrorBody::deserialize(deserializer).map(Self::from)
    }
}

impl IntoResponse for Error {
    /// Renders the body; the error also travels as an extension, so that the outermost layer can add the
    /// correlation id and log it once.
    fn into_response(self) -> axum::response::Response {
        let json = serde_json::to_vec(&self.body()).unwrap_or_default();
        let mut response = Response::new(json.into());
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(after) = self.retry_after {
            headers.insert(RETRY_AFTER, after.as_secs().max(1).into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = match self.code.as_ref() {
                "invalid_token" | "token_expired" => "Bearer error=\"invalid_token\"",
                _ => "Bearer",
            };
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<tokio_postgres::Error> for Error {
    /// A lost connection, a shutdown or an overload is 503; text PostgreSQL cannot hold and numbers out of
    /// its range are the caller's (422); the rest is ours (500).
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(state) = error.code() else {
            return if is_connection_lost(&error) { Self::unavailable(error) } else { Self::internal(error) };
        };
        match *state {
            SqlState::CHARACTER_NOT_IN_REPERTOIRE | SqlState::UNTRANSLATABLE_CHARACTER => {
                Self::unprocessable("invalid_characters", "the text contains characters that cannot be stored")
                    .with_source(error)
            }
            SqlState::NUMERIC_VALUE_OUT_OF_RANGE => {
                Self::unprocessable("number_out_of_range", "a number is too large or too small").with_source(error)
            }
            SqlState::TOO_MANY_CONNECTIONS
            | SqlState::ADMIN_SHUTDOWN
            | SqlState::CRASH_SHUTDOWN
            | SqlState::CANNOT_CONNECT_NOW
            | SqlState::QUERY_CANCELED
            | SqlState::LOCK_NOT_AVAILABLE
            | SqlState::T_R_DEADLOCK_DETECTED
            | SqlState::T_R_SERIALIZATION_FAILURE
            | SqlState::READ_ONLY_SQL_TRANSACTION => Self::unavailable(error),
            _ if state.code().starts_with("08") || state.code().starts_with("53") => Self::unavailable(error),
            _ => Self::internal(error),
        }
    }
}

impl From<database::Error> for Error {
    fn from(error: database::Error) -> Self {
        match error {
            database::Error::Postgres(error) => error.into(),
            error if error.is_unavailable() => Self::unavailable(error),
            error => Self::internal(error),
        }
    }
}

impl database::Failure for Error {
    fn is_everybodys(&self) -> bool {
        self.status == StatusCode::SERVICE_UNAVAILABLE
    }
}

/// Without an SQLSTATE it is either the connection, or a value or a row that does not fit its Rust type.
fn is_connection_lost(error: &tokio_postgres::Error) -> bool {
    let is_io = error.source().is_some_and(|source| source.is::<std::io::Error>());
    is_io || error.is_closed() || error.to_string().starts_with("timeout")
}

impl From<garde::Report> for Error {
    fn from(report: garde::Report) -> Self {
        let field = |(path, error): &(garde::Path, garde::Error)| {
            FieldError::new(path.to_string(), "invalid", error.message().to_owned())
        };
        Self::validation(report.iter().map(field).collect())
    }
}

/// Checks an input; the authorising function calls it after it knows who calls and that they may.
pub fn validate<T>(input: &T) -> Result<(), Error>
where
    T: garde::Validate<Context = ()>,
{
    Ok(input.validate()?)
}

/// The database decides uniqueness: turns the violation of a constraint into a domain error.
pub trait OnConstraint<T> {
    /// Where the error is the violation of the constraint (or unique index) `name`, answers `error()` instead.
    /// Several can be chained.
    fn on_constraint(self, name: &str, error: impl FnOnce() -> Error) -> Result<T, Error>;
}

impl<T, E: Into<Error>> OnConstraint<T> for Result<T, E> {
    fn on_constraint(self, name: &str, error: impl FnOnce() -> Error) -> Result<T, Error> {
        self.map_err(Into::into).map_err(|e| if e.constraint() == Some(name) { error().with_source(e) } else { e })
    }
}

/// Reads 404 as absence.
pub trait Found<T> {
    /// `None` where the object does not exist or is somebody else's.
    fn found(self) -> Result<Option<T>, Error>;
}

impl<T> Found<T> for Result<T, Error> {
    fn found(self) -> Result<Option<T>, Error> {
        match self {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }
}
