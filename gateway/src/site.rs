//! The storefront and the operator console: one page, from the bundle that `web/shop` builds, whose own router tells
//! `/`, `/products/…` and `/console/…` apart.

use axum::http::header::HeaderValue;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

use crate::assets::{WebPart, embedded, nothing_here};
use crate::http::accepts_html;

/// The bundle; empty where the web part has not been built.
#[derive(RustEmbed)]
#[folder = "../web/dist/shop"]
#[allow_missing = true]
struct Bundle;

static SHOP: WebPart = WebPart { find: embedded::<Bundle>, policy: POLICY, not_built: NOT_BUILT };

/// Nothing inline, nothing from elsewhere. `'self'` covers the WebSocket of the same host.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; \
     connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
);

const NOT_BUILT: &str = "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>The shop's pages are not built</title>\n\
    <h1>The shop runs, but its pages are not part of this build</h1>\n\
    <p>The GraphQL API is at <code>POST /graphql</code>; to try it, there is <a href=\"/graphiql\">GraphiQL</a>.</p>\n\
    <p>To have the storefront and the console here, start the shop with <code>./prost up</code>, which builds them where \
    Node.js is at hand; or build them yourself, and the shop after them:</p>\n\
    <pre>cd web/shop\nnpm ci\nnpm run build\ncd ../..\ncargo build</pre>\n</html>\n";

/// Whatever has no route of its own: a file of the bundle; for a browser that opens an address, the page, which knows
/// what to show there; for everybody else, nothing.
pub async fn page_or_file(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return nothing_here().into_response();
    }
    let path = uri.path().trim_start_matches('/');
    let file = (!path.is_empty()).then(|| SHOP.file(path, &headers)).flatten();
    // A file that is missing is missing: a page in its stead would be taken for a script.
    let is_page = !path.starts_with("assets/") && accepts_html(&headers);
    match file {
        Some(file) => file,
        None if is_page => SHOP.page(&headers),
        None => nothing_here().into_response(),
    }
}
