//! Pictures of the catalogue, passed on from products.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use service::{Caller, Error, Path};

use crate::Gateway;
use crate::assets::is_known;

/// A picture may change under its name, so caches ask again after an hour.
const CACHE: &str = "public, max-age=3600";
/// An SVG that is opened as a page of its own runs and loads nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/// `GET /images/{file}`.
pub async fn picture(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let picture = gateway.clients.products.picture(&caller, &file).await?;
    let common = [(ETAG, picture.etag.clone()), (CACHE_CONTROL, CACHE.to_owned())];
    if is_known(&headers, &picture.etag) {
        return Ok((StatusCode::NOT_MODIFIED, common).into_response());
    }
    let own = [(CONTENT_TYPE, picture.content_type), (CONTENT_SECURITY_POLICY, POLICY.to_owned())];
    Ok((common, own, picture.bytes).into_response())
}
