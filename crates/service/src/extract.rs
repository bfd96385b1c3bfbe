//! Extractors that refuse in the uniform shape: malformed JSON 400, wrong content type 415, wrong types 422,
//! too large 413, a path or query value of the wrong type 400.
//!
//! They only deserialise. Whether values are acceptable is checked by the authorising function (with
//! [`crate::validate`]), which the in-process client calls too. `Json` comes last among a handler's arguments, after
//! [`crate::SignedIn`] or [`crate::Admin`]: first who calls and whether they may, then the body.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;

use crate::error::{Error, FieldError};

/// A JSON body; also answers as JSON.
#[derive(Clone, Copy, Debug, Default)]
pub struct Json<T>(pub T);

/// A body that is not JSON, as it is.
#[derive(Clone, Debug, Default)]
pub struct Binary(pub Bytes);

/// The query string.
#[derive(Clone, Copy, Debug, Default)]
pub struct Query<T>(pub T);

/// The values in the path.
#[derive(Clone, Copy, Debug, Default)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        if !is_json(request.headers()) {
            return Err(Error::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "the body must be JSON, with Content-Type: application/json",
            ));
        }
        from_json(&read(request, state).await?).map(Self)
    }
}

impl<S: Send + Sync> FromRequest<S> for Binary {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        read(request, state).await.map(Self)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Json<T> {
    type Rejection = Error;

    /// `None` if the request has neither content type nor body.
    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Error> {
        let is_empty = axum::body::HttpBody::is_end_stream(request.body());
        if is_empty && !request.headers().contains_key(CONTENT_TYPE) {
            return Ok(None);
        }
        <Self as FromRequest<S>>::from_request(request, state).await.map(Some)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(json) => ([(CONTENT_TYPE, "application/json")], json).into_response(),
            Err(error) => Error::internal(error).into_response(),
        }
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        match axum::extract::Query::try_from_uri(&parts.uri) {
            Ok(axum::extract::Query(query)) => Ok(Self(query)),
            Err(rejection) => Err(Error::bad_request("invalid_query", rejection.body_text())),
        }
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(path)) => Ok(Self(path)),
            Err(rejection) if rejection.status().is_client_error() => {
                Err(Error::bad_request("invalid_path", rejection.body_text()))
            }
            Err(rejection) => Err(Error::internal(rejection.body_text())),
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(content_type) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Error> {
    match Bytes::from_request(request, state).await {
        Ok(bytes) => Ok(bytes),
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(too_large()),
        Err(_) => Err(Error::bad_request("incomplete_body", "the body could not be read to its end")),
    }
}

pub(crate) fn too_large() -> Error {
    Error::new(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", "the body is too large")
}

/// Whether a text of this JSON holds the character NUL, which no table can. In JSON it is always escaped.
fn holds_nul(json: &[u8]) -> bool {
    let is_escape = |at: usize| json[..at].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 0;
    json.windows(6).enumerate().any(|(at, text)| text == br"\u0000" && is_escape(at))
}

/// Reads JSON as the `Json` extractor does.
fn from_json<T: DeserializeOwned>(json: &[u8]) -> Result<T, Error> {
    if holds_nul(json) {
        return Err(Error::unprocessable("invalid_characters", "the text contains characters that cannot be stored"));
    }
    let malformed = |error| Error::bad_request("malformed_json", format!("the body is not JSON: {error}"));
    serde_json::from_slice(json).map_err(|error| match (error.classify(), serde_json::from_slice::<IgnoredAny>(json)) {
        (Category::Data, Ok(IgnoredAny)) => wrong_field::<T>(json),
        (Category::Data, Err(error)) => malformed(error), // wrong in the end, and not even JSON after it
        (Category::Syntax | Category::Eof | Category::Io, _) => malformed(error),
    })
}

/// Reads once more, slowly, to learn which field is wrong.
fn wrong_field<T: DeserializeOwned>(json: &[u8]) -> Error {
    match serde_path_to_error::deserialize::<_, T>(&mut serde_json::Deserializer::from_slice(json)) {
        Ok(_) => Error::bad_request("malformed_json", "something follows the JSON of the body"),
        Err(error) => {
            let path = error.path().to_string();
            let reason = error.inner().to_string();
            let reason = reason.split(" at line ").next().unwrap_or_default();
            let (code, field) = match reason.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
                Some(missing) if path == "." => ("missing", missing.to_owned()),
                Some(missing) => ("missing", format!("{path}.{missing}")),
                None if reason.starts_with("unknown field") => ("unknown", path),
                None => ("invalid", path),
            };
            let field = if field == "." { String::new() } else { field };
            Error::validation(vec![FieldError::new(field, code, reason.to_owned())])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_is_found_and_what_only_looks_like_one_is_not() {
        for json in [r#""\u0000""#, r#"{"a": "b\u0000"}"#, r#""\\\u0000""#] {
            assert!(holds_nul(json.as_bytes()), "{json}");
        }
        for json in [r#""\\u0000""#, r#""\u00001"#.split_at(5).0, r#""\u0001""#, ""] {
            assert!(!holds_nul(json.as_bytes()), "{json}");
        }
    }
}
