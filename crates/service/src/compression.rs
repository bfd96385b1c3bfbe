//! Compression of answers, for clients that ask for it.

use axum::Router;
use axum::http::header::SET_COOKIE;
use axum::http::{Extensions, HeaderMap, StatusCode, Version};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};

/// Below this an answer takes one packet, compressed or not.
const WORTHWHILE_BYTES: u64 = 1024;

/// Compresses the texts that a router answers: JSON, pages, pictures that are drawings.
///
/// An answer that begins a session holds a token beside what the client sent, its e-mail address for example: how well
/// the two compress together would tell something about the token to whoever sees lengths on the wire (BREACH). Such
/// answers set a cookie, and go as they are. No other answer holds a secret: cookies and `Authorization` are not echoed.
pub fn compressed(router: Router) -> Router {
    let worthwhile = SizeAbove::new(WORTHWHILE_BYTES)
        .and(NotForContentType::IMAGES) // all but SVG are compressed already
        .and(NotForContentType::const_new("font/"))
        .and(NotForContentType::SSE)
        .and(begins_no_session);
    router.layer(CompressionLayer::new().compress_when(worthwhile))
}

fn begins_no_session(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    !headers.contains_key(SET_COOKIE)
}
