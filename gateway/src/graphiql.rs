//! GraphiQL, from the bundle that `web/graphiql` builds; it loads nothing from elsewhere.

use axum::extract::Path;
use axum::http::HeaderMap;
use axum::http::header::HeaderValue;
use axum::response::Response;
use rust_embed::RustEmbed;

use crate::assets::{WebPart, embedded};

/// The bundle; empty where the web part has not been built.
#[derive(RustEmbed)]
#[folder = "../web/dist/graphiql"]
#[allow_missing = true]
struct Bundle;

static GRAPHIQL: WebPart = WebPart { find: embedded::<Bundle>, policy: POLICY, not_built: NOT_BUILT };

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
    GRAPHIQL.page(&headers)
}

/// `GET /graphiql/{file}`: its scripts, styles and fonts.
pub async fn asset(Path(file): Path<String>, headers: HeaderMap) -> Response {
    GRAPHIQL.asset(&file, &headers)
}
