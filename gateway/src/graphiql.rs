//! GraphiQL, from the bundle that `web/graphiql` builds; it loads nothing from elsewhere.

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use rust_embed::RustEmbed;
use service::Error;

/// The bundle; empty where the web part has not been built.
#[derive(RustEmbed)]
#[folder = "../web/dist/graphiql"]
#[allow_missing = true]
struct Bundle;

/// No script of the page's own, none from elsewhere. The editor styles its lines inline, and brings its fonts
/// inside its style sheet.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

const NOT_BUILT: &str = "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>GraphiQL is not built</title>\n\
    <h1>GraphiQL is not part of this build</h1>\n\
    <p>The GraphQL API itself is at <code>POST /graphql</code>, its schema at <a href=\"/schema.graphql\">/schema.graphql</a>.</p>\n\
    <p>To have GraphiQL here, start the shop with <code>./prost up</code>, which builds it where Node.js is at hand; or \
    build it yourself, and the shop after it:</p>\n\
    <pre>cd web/graphiql\nnpm ci\nnpm run build\ncd ../..\ncargo build</pre>\n</html>\n";

/// `GET /graphiql`: the page.
pub async fn page(headers: HeaderMap) -> Response {
    match Bundle::get("index.html") {
        Some(_) => send("index.html", &headers),
        None => (StatusCode::NOT_FOUND, [(CONTENT_SECURITY_POLICY, POLICY)], Html(NOT_BUILT)).into_response(),
    }
}

/// `GET /graphiql/{file}`: its scripts, styles and fonts.
pub async fn asset(Path(file): Path<String>, headers: HeaderMap) -> Response {
    send(&file, &headers)
}

fn send(path: &str, headers: &HeaderMap) -> Response {
    let Some(file) = Bundle::get(path) else {
        return Error::not_found("not_found", "there is nothing at this path").into_response();
    };
    let hash = file.metadata.sha256_hash();
    let etag = hash[..16].iter().fold(String::from("\""), |text, byte| format!("{text}{byte:02x}")) + "\"";
    // Names of assets hold a hash of their content; the page's does not.
    let cache = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let common = [(ETAG, etag.clone()), (CACHE_CONTROL, cache.to_owned())];
    if headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    let own = [(CONTENT_TYPE, HeaderValue::from_static(content_type(path))), (CONTENT_SECURITY_POLICY, POLICY)];
    (common, own, file.data).into_response()
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some("woff") => "font/woff",
        Some("ttf") => "font/ttf",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}
