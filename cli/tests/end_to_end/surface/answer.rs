//! What comes back, whatever was sent: held against what every answer of the shop has to be.

use reqwest::header::HeaderMap;
use serde_json::Value;
use uuid::Uuid;

/// What would tell a stranger how the shop is made inside.
const INSIDES: [&str; 14] = [
    "panicked",
    ".rs:",
    "stack backtrace",
    "relation \"",
    "column \"",
    "violates",
    "duplicate key",
    "syntax error",
    "SQLSTATE",
    "db error",
    "tokio_postgres",
    "deadpool",
    "prost_", // roles
    "pg_catalog",
];

/// On every answer, errors included.
const SECURITY_HEADERS: [(&str, &str); 3] =
    [("x-content-type-options", "nosniff"), ("x-frame-options", "DENY"), ("referrer-policy", "no-referrer")];

/// An answer of the shop.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    /// Null if the body is no JSON.
    pub json: Value,
}

impl Answer {
    pub async fn of(answer: reqwest::Response) -> Result<Answer, String> {
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let bytes = answer.bytes().await.map_err(|error| format!("the answer broke off: {error}"))?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let json = serde_json::from_str(&text).unwrap_or_default();
        Ok(Answer { status, headers, text, json })
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// What is wrong with it as an answer of REST; `None` if nothing is.
    pub fn complaint(&self) -> Option<String> {
        self.common_complaint().or_else(|| if self.status < 400 { None } else { self.error_complaint() })
    }

    /// What no answer may be, of REST or of GraphQL.
    pub fn common_complaint(&self) -> Option<String> {
        if self.status >= 500 {
            return Some(format!("a fault: {} {}", self.status, self.start()));
        }
        if Uuid::parse_str(self.header("x-correlation-id")).is_err() {
            return Some(format!("no correlation id: {:?}", self.header("x-correlation-id")));
        }
        if let Some((name, value)) = SECURITY_HEADERS.iter().find(|(name, value)| self.header(name) != *value) {
            return Some(format!("{name} is {:?}, not {value:?}", self.header(name)));
        }
        if self.header("cache-control").is_empty() {
            return Some("it does not say who may keep it".to_owned());
        }
        let shown = INSIDES.iter().find(|word| self.text.contains(**word));
        shown.map(|word| format!("it tells about the inside ({word}): {}", self.start()))
    }

    /// Every error has the uniform shape.
    fn error_complaint(&self) -> Option<String> {
        let text = |name: &str| self.json[name].as_str().unwrap_or_default();
        let code = text("error");
        let is_code = !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let is_uniform = is_code
            && !text("message").is_empty()
            && self.json["code"] == self.status
            && text("correlation_id") == self.header("x-correlation-id")
            && self.header("content-type").starts_with("application/json");
        if !is_uniform {
            return Some(format!("an error of another shape: {} {}", self.status, self.start()));
        }
        (self.status == 401 && !self.header("www-authenticate").starts_with("Bearer"))
            .then(|| "a 401 without WWW-Authenticate".to_owned())
    }

    /// The first of these that the answer shows.
    pub fn shows<'a>(&self, markers: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
        markers.into_iter().find(|marker| self.text.contains(marker))
    }

    /// Enough of the body to see what it is.
    pub fn start(&self) -> String {
        self.text.chars().take(400).collect()
    }
}
