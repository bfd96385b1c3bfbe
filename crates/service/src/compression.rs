//! Compression of answers, for clients that ask for it.

use axum::Router;
use axum::http::header::SET_COOKIE;
use axum::http::{Extensions, HeaderMap, StatusCode, Version};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};

/// Below this an answer takes one packet, compressed or not.
const WORTHWHILE_BYTES: u64 = 1024;

/// The mark of an answer that holds a token: an extension of the response. It is not compressed.
///
/// Beside the token stands what the client sent, its e-mail address for example: how well the two compress together would
/// tell something about the token to whoever sees lengths on the wire (BREACH). No other answer holds a secret: cookies
/// and `Authorization` are not echoed.
#[derive(Clone, Copy, Debug)]
pub struct HoldsToken;

/// Compresses the texts that a router answers, JSON, pages, pictures that are drawings, but nothing that [`HoldsToken`] or
/// sets a cookie.
pub fn compressed(router: Router) -> Router {
    let worthwhile = SizeAbove::new(WORTHWHILE_BYTES)
        .and(NotForContentType::IMAGES) // all but SVG are compressed already
        .and(NotForContentType::const_new("font/"))
        .and(NotForContentType::SSE)
        .and(holds_no_token);
    router.layer(CompressionLayer::new().compress_when(worthwhile))
}

fn holds_no_token(_: StatusCode, _: Version, headers: &HeaderMap, extensions: &Extensions) -> bool {
    extensions.get::<HoldsToken>().is_none() && !headers.contains_key(SET_COOKIE)
}
