//! A request that can be sent again, to the byte.

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use service::Role;

use crate::surface::openapi::Described;
use crate::surface::operations::{Outcome, Rule};
use crate::surface::things::Things;
use crate::surface::{Answer, Person, World};

/// Texts of bodies that may as well be a little longer.
const FREE: [&str; 7] = ["reason", "username", "password", "new_password", "name", "full_name", "refresh_token"];

/// Headers that are of one answer, and not of what it says.
const OF_EACH_ANSWER: [&str; 2] = ["date", "x-correlation-id"];

/// A request with its token and key.
#[derive(Debug, Clone)]
pub struct Request {
    pub service: &'static str,
    pub method: Method,
    pub uri: String,
    pub body: Body,
    pub headers: &'static [(&'static str, &'static str)],
    /// Anonymous without.
    pub token: Option<String>,
    pub key: String,
}

/// What a request carries.
#[derive(Debug, Clone)]
pub enum Body {
    None,
    Json(Value),
    Upload(&'static str, Vec<u8>),
}

impl Request {
    /// A good request about things of this owner, by whoever may send it.
    pub async fn good(world: &World, operation: &Described, rule: &Rule, owner: &Person, key: &str) -> Request {
        let mut things = Things::of(world, operation.service, owner);
        let uri = things.fill(rule.uri).await;
        let body = match (&rule.body, rule.upload) {
            (Some(body), _) => Body::Json(things.fill_json(body).await),
            (None, Some((content_type, bytes))) => Body::Upload(content_type, bytes.to_vec()),
            (None, None) => Body::None,
        };
        let is_owners = rule.access[2] == Outcome::Done;
        let token = if is_owners { owner.token.clone() } else { world.person(Role::Admin).await.token };
        let (method, headers) = (rule.method.clone(), rule.headers);
        Request { service: operation.service, method, uri, body, headers, token: Some(token), key: key.to_owned() }
    }

    /// `orders POST /orders`.
    pub fn name(&self) -> String {
        format!("{} {} {}", self.service, self.method, self.uri)
    }

    pub async fn send(&self, world: &World) -> Result<Answer, String> {
        let mut request = world.ask(self.service, self.method.clone(), &self.uri).header("idempotency-key", &self.key);
        for (name, value) in self.headers {
            request = request.header(*name, *value);
        }
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let request = match &self.body {
            Body::None => request,
            Body::Json(body) => request.json(body),
            Body::Upload(content_type, bytes) => request.header("content-type", *content_type).body(bytes.clone()),
        };
        world.send(request).await
    }

    /// As good a request for something else; `None` where nothing else can be asked for.
    pub fn for_something_else(&self) -> Option<Request> {
        let mut other = self.clone();
        match &mut other.body {
            Body::Json(body) => assert!(vary(body), "nothing can be changed in {body}"),
            Body::Upload(_, bytes) => bytes.push(b'x'),
            // Another thing by that id would be asked for; there need not be one.
            Body::None => other.uri = self.with_another_id()?,
        }
        Some(other)
    }

    fn with_another_id(&self) -> Option<String> {
        let is_id = |segment: &&str| uuid::Uuid::parse_str(segment).is_ok();
        let id = self.uri.split('/').find(is_id)?;
        Some(self.uri.replace(id, &uuid::Uuid::now_v7().to_string()))
    }
}

/// Changes one value of a body so that it stays valid.
fn vary(body: &mut Value) -> bool {
    let Value::Object(members) = body else { return false };
    if members.contains_key("ids") || members.contains_key("all") {
        members.insert("dry_run".to_owned(), json!(true));
        return true;
    }
    members.iter_mut().any(|(name, value)| match value {
        Value::String(text) if FREE.contains(&name.as_str()) => {
            text.push('x');
            true
        }
        Value::String(role) if name == "role" => {
            "user".clone_into(role);
            true
        }
        Value::Number(number) => {
            *value = json!(number.as_i64().unwrap_or_default() + 1);
            true
        }
        Value::Object(_) => vary(value),
        _ => false,
    })
}

/// What differs between two answers that should be one; `None` if nothing does.
pub fn difference(first: &Answer, again: &Answer) -> Option<String> {
    if (first.status, &first.text) != (again.status, &again.text) {
        let (before, now) = (first.start(), again.start());
        return Some(format!("first {} {before}\n    then {} {now}", first.status, again.status));
    }
    let (first, again) = (lasting(&first.headers), lasting(&again.headers));
    (first != again).then(|| format!("first {first:?}\n    then {again:?}"))
}

fn lasting(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    for name in OF_EACH_ANSWER {
        headers.remove(name);
    }
    headers
}
