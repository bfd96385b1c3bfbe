//! Pictures of the catalogue, passed on from products.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use products_client::is_upload_name;
use service::{Caller, Error, Path};

use crate::Gateway;
use crate::assets::is_known;

/// A picture of the demo may change under its name, so caches ask again after an hour.
const DEMO: &str = "public, max-age=3600";
/// An uploaded one is called by what it is.
const UPLOADED: &str = "public, max-age=31536000, immutable";
/// An SVG that is opened as a page of its own runs and loads nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/// `GET /images/{file}`: of the demo catalogue.
pub async fn of_demo(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    served(&gateway, &caller, &file, &headers, DEMO).await
}

/// `GET /pictures/{file}`: uploaded.
pub async fn uploaded(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    if !is_upload_name(&file) {
        return Err(Error::not_found("picture_not_found", "there is no such picture"));
    }
    served(&gateway, &caller, &file, &headers, UPLOADED).await
}

async fn served(
    gateway: &Gateway,
    caller: &Caller,
    file: &str,
    headers: &HeaderMap,
    cache: &'static str,
) -> Result<Response, Error> {
    let picture = gateway.clients.products.picture(caller, file).await?;
    // Weak: a drawing may be compressed on its way, and is the same picture then.
    let etag = format!("W/{}", picture.etag);
    let known = is_known(headers, &etag);
    let common = [(ETAG, etag), (CACHE_CONTROL, cache.to_owned())];
    if known {
        return Ok((StatusCode::NOT_MODIFIED, common).into_response());
    }
    let own = [(CONTENT_TYPE, picture.content_type), (CONTENT_SECURITY_POLICY, POLICY.to_owned())];
    Ok((common, own, picture.bytes).into_response())
}
