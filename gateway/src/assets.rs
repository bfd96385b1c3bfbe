//! Built web parts, served from the binary: each its own pages under its own content security policy.

use std::borrow::Cow;

use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName,
    HeaderValue, IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use rust_embed::RustEmbed;
use service::Error;

/// A file of a bundle.
pub struct File {
    bytes: Cow<'static, [u8]>,
    hash: [u8; 32],
}

/// Finds a file of an embedded bundle.
pub fn embedded<Bundle: RustEmbed>(path: &str) -> Option<File> {
    Bundle::get(path).map(|file| File { hash: file.metadata.sha256_hash(), bytes: file.data })
}

/// A web part: a folder that its own build made, with an `index.html`.
pub struct WebPart {
    /// Finds a file by its path in the folder; nothing is found where the part has not been built.
    pub find: fn(&str) -> Option<File>,
    /// What its pages may load.
    pub policy: HeaderValue,
    /// The page that says how to build it.
    pub not_built: &'static str,
}

/// Compressed forms that a build may have put beside a file, best first.
const COMPRESSED: [(&str, &str); 2] = [("br", "br"), ("gzip", "gz")];

impl WebPart {
    /// Its page; where it has not been built, one that says how to.
    pub fn page(&self, headers: &HeaderMap) -> Response {
        let missing = || (StatusCode::NOT_FOUND, self.own_headers("index.html"), Html(self.not_built)).into_response();
        self.file("index.html", headers).unwrap_or_else(missing)
    }

    /// One of its files, 404 if there is none.
    pub fn asset(&self, path: &str, headers: &HeaderMap) -> Response {
        self.file(path, headers).unwrap_or_else(|| nothing_here().into_response())
    }

    /// One of its files, in the smallest form that the client takes.
    pub fn file(&self, path: &str, headers: &HeaderMap) -> Option<Response> {
        let plain = (self.find)(path)?;
        let compressed = |(encoding, extension): (&'static str, &str)| {
            let file = accepts_encoding(headers, encoding).then(|| (self.find)(&format!("{path}.{extension}")))?;
            Some((file?, Some(encoding)))
        };
        let (file, encoding) = COMPRESSED.into_iter().find_map(compressed).unwrap_or((plain, None));
        // Names of assets hold a hash of their content; the page's does not.
        let cache = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
        let etag = etag(&file.hash);
        let common = [(VARY, "accept-encoding"), (CACHE_CONTROL, cache), (ETAG, etag.as_str())];
        if is_known(headers, &etag) {
            return Some((StatusCode::NOT_MODIFIED, common).into_response());
        }
        let encoding = encoding.map(|encoding| [(CONTENT_ENCODING, encoding)]);
        Some((common, encoding, self.own_headers(path), file.bytes).into_response())
    }

    fn own_headers(&self, path: &str) -> [(HeaderName, HeaderValue); 2] {
        let content_type = HeaderValue::from_static(content_type(path));
        [(CONTENT_TYPE, content_type), (CONTENT_SECURITY_POLICY, self.policy.clone())]
    }
}

/// What a path answers that nothing is at.
pub fn nothing_here() -> Error {
    Error::not_found("not_found", "there is nothing at this path")
}

/// Does the client already have what has this tag? Compared as a cache does: a weak tag is as good as a strong one.
pub fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    fn opaque(tag: &str) -> &str {
        tag.strip_prefix("W/").unwrap_or(tag)
    }
    let known = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = known.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|tag| tag == "*" || opaque(tag) == opaque(etag))
}

fn etag(hash: &[u8; 32]) -> String {
    hash[..16].iter().fold(String::from("\""), |text, byte| format!("{text}{byte:02x}")) + "\""
}

fn accepts_encoding(headers: &HeaderMap, wanted: &str) -> bool {
    let accepted = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        let refused = quality.trim().strip_prefix("q=").is_some_and(|q| q.trim_matches(['0', '.']).is_empty());
        name.trim().eq_ignore_ascii_case(wanted) && !refused
    })
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("webp") => "image/webp",
        Some("avif") => "image/avif",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("woff") => "font/woff",
        Some("ttf") => "font/ttf",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static PART: WebPart = WebPart { find, policy: POLICY, not_built: "run the build" };
    static NOTHING: WebPart = WebPart { find: |_| None, policy: POLICY, not_built: "run the build" };
    const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'");

    fn find(path: &str) -> Option<File> {
        let text = match path {
            "index.html" => "page",
            "assets/app-x1.js" => "script",
            "assets/app-x1.js.br" => "brotli",
            "assets/app-x1.js.gz" => "gzip",
            _ => return None,
        };
        let hash = std::array::from_fn(|index| text.as_bytes()[index % text.len()]);
        Some(File { bytes: text.as_bytes().into(), hash })
    }

    fn headers(of: &[(HeaderName, &'static str)]) -> HeaderMap {
        of.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn the_page_is_asked_for_again_and_the_files_never() {
        let page = PART.page(&HeaderMap::new());
        assert_eq!(
            (page.status(), &page.headers()[CACHE_CONTROL]),
            (StatusCode::OK, &HeaderValue::from_static("no-cache"))
        );
        assert_eq!(page.headers()[CONTENT_SECURITY_POLICY], "default-src 'none'");
        let asset = PART.asset("assets/app-x1.js", &HeaderMap::new());
        assert_eq!(asset.headers()[CACHE_CONTROL], "public, max-age=31536000, immutable");
        assert_eq!(asset.headers()[CONTENT_TYPE], "text/javascript; charset=utf-8");
        assert_eq!(PART.asset("assets/other.js", &HeaderMap::new()).status(), StatusCode::NOT_FOUND);
    }

    #[test]
    fn a_client_gets_the_best_form_it_takes() {
        let encoding = |accepted: &'static str| {
            let answer = PART.asset("assets/app-x1.js", &headers(&[(ACCEPT_ENCODING, accepted)]));
            assert_eq!(answer.headers()[VARY], "accept-encoding");
            answer.headers().get(CONTENT_ENCODING).map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(encoding("gzip, deflate, BR").as_deref(), Some("br"));
        assert_eq!(encoding("gzip;q=0.5, br;q=0.0").as_deref(), Some("gzip"));
        assert_eq!(encoding("identity, gzip;q=0"), None);
        let page = PART.page(&headers(&[(ACCEPT_ENCODING, "br")]));
        assert_eq!(page.headers().get(CONTENT_ENCODING), None, "there is no compressed form of it");
    }

    #[test]
    fn what_a_client_has_already_is_not_sent_again() {
        let br = PART.asset("assets/app-x1.js", &headers(&[(ACCEPT_ENCODING, "br")]));
        let mut again = headers(&[(ACCEPT_ENCODING, "br")]);
        again.insert(IF_NONE_MATCH, br.headers()[ETAG].clone());
        assert_eq!(PART.asset("assets/app-x1.js", &again).status(), StatusCode::NOT_MODIFIED);
        again.remove(ACCEPT_ENCODING);
        assert_eq!(PART.asset("assets/app-x1.js", &again).status(), StatusCode::OK, "another form of it");
    }

    #[test]
    fn a_part_that_is_not_built_says_so() {
        let page = NOTHING.page(&HeaderMap::new());
        assert_eq!(
            (page.status(), &page.headers()[CONTENT_TYPE]),
            (StatusCode::NOT_FOUND, &HeaderValue::from_static("text/html; charset=utf-8"))
        );
    }
}
