//! Every REST operation, with every place of its request filled badly, as its own description names and types them.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use service::Role;

use super::values::{Bad, Kind, MARKERS, Must, amounts, put, values, without};
use crate::surface::openapi::{self, Described, resolve};
use crate::surface::operations::{Outcome, Rule, rules};
use crate::surface::state::State;
use crate::surface::things::Things;
use crate::surface::{Log, Person, World};

/// More than any body may have.
const HUGE_BYTES: usize = 3 * 1024 * 1024;

/// A place in a body.
struct Place {
    pointer: String,
    schema: Value,
    is_required: bool,
}

/// One bad request.
struct Shot {
    what: String,
    request: RequestBuilder,
    /// What it has to be answered with; `None`: any 4xx, or success where that is no harm.
    status: Option<u16>,
    must: Must,
}

/// Somebody who may call an operation, and a good request to spoil.
struct Target<'a> {
    world: &'a World,
    operation: &'a Described,
    rule: &'a Rule,
    uri: String,
    body: Option<Value>,
    token: String,
}

impl<'a> Target<'a> {
    async fn new(world: &'a World, operation: &'a Described, rule: &'a Rule) -> Target<'a> {
        let owner: Person = world.person(Role::User).await;
        let mut things = Things::of(world, operation.service, &owner);
        let uri = things.fill(rule.uri).await;
        let body = match &rule.body {
            Some(body) => Some(things.fill_json(body).await),
            None => None,
        };
        let is_owners = rule.access[2] == Outcome::Done;
        let token = if is_owners { owner.token.clone() } else { world.person(Role::Admin).await.token };
        Target { world, operation, rule, uri, body, token }
    }

    fn request(&self, method: Method, uri: &str) -> RequestBuilder {
        let request = self.world.ask(self.operation.service, method, uri).bearer_auth(&self.token);
        self.rule.headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
    }

    /// The good request, but for its body.
    fn with_body(&self, body: impl Into<reqwest::Body>) -> RequestBuilder {
        let request = self.request(self.operation.method.clone(), &self.uri);
        request.header("content-type", "application/json").body(body)
    }

    /// The good request at another place.
    fn at(&self, uri: &str) -> RequestBuilder {
        let request = self.request(self.operation.method.clone(), uri);
        match (&self.body, self.rule.upload) {
            (Some(body), _) => request.json(body),
            (None, Some((content_type, bytes))) => request.header("content-type", content_type).body(bytes),
            (None, None) => request,
        }
    }

    fn name(&self) -> String {
        let Described { service, method, path, .. } = self.operation;
        format!("{service} {method} {path}")
    }

    /// Those that have to be refused, or the others.
    fn shots(&self, must: Must) -> impl Iterator<Item = Shot> {
        self.all_shots().into_iter().filter(move |shot| shot.must == must)
    }

    fn all_shots(&self) -> Vec<Shot> {
        let mut shots: Vec<Shot> = [self.in_path(), self.in_query(), self.in_headers()].into_iter().flatten().collect();
        if let Some(body) = &self.body {
            shots.extend(self.whole_bodies(body));
            let schema = &self.operation.operation["requestBody"]["content"]["application/json"]["schema"];
            for place in places(resolve(schema, &self.operation.components), &self.operation.components, body, "") {
                shots.extend(self.in_body(body, &place));
            }
        }
        shots
    }

    fn whole_bodies(&self, body: &Value) -> Vec<Shot> {
        let shot = |what: &str, request: RequestBuilder, status: u16| Shot {
            what: what.to_owned(),
            request,
            status: Some(status),
            must: Must::Refuse,
        };
        let text = body.to_string();
        let as_type = |content_type: &'static str| {
            let request = self.request(self.operation.method.clone(), &self.uri);
            request.header("content-type", content_type).body(text.clone())
        };
        let mut unknown = body.clone();
        unknown["no_such_field"] = json!({"role": "admin"});
        let mut shots = vec![
            shot("half of the JSON", self.with_body(text[..text.len() / 2].to_owned()), 400),
            shot("two bodies", self.with_body(format!("{text}{text}")), 400),
            shot("nesting without end", self.with_body("[".repeat(100_000)), 400),
            shot("nested objects without end", self.with_body("{\"a\":".repeat(100_000)), 400),
            shot("bytes that are no text", self.with_body(vec![0xff, 0xfe, 0x00]), 400),
            shot("a form", as_type("application/x-www-form-urlencoded"), 415),
            shot("plain text", as_type("text/plain"), 415),
            shot("XML", as_type("application/xml"), 415),
            shot("a huge body", self.with_body(format!("{{\"a\": \"{}\"}}", "x".repeat(HUGE_BYTES))), 413),
        ];
        for (what, raw) in [("a list", "[]"), ("a text", "\"x\""), ("a number", "7"), ("null", "null")] {
            shots.push(Shot { what: what.to_owned(), request: self.with_body(raw), status: None, must: Must::Survive });
        }
        let unknown = self.with_body(unknown.to_string());
        shots.push(Shot { what: "an unknown field".to_owned(), request: unknown, status: None, must: Must::Survive });
        shots
    }

    fn in_body(&self, body: &Value, place: &Place) -> Vec<Shot> {
        let kind = kind(&place.schema);
        let is_amount = place.pointer.ends_with("/amount") && kind == Kind::Formed;
        let mut all = values(kind);
        all.extend(if is_amount { amounts() } else { Vec::new() });
        let shot = |bad: Bad| Shot {
            what: format!("{} at {}", bad.what, place.pointer),
            request: self.with_body(put(body, &place.pointer, &bad.raw)),
            status: None,
            must: self.must(&bad, place),
        };
        let mut shots: Vec<Shot> = all.into_iter().map(shot).collect();
        let must = if place.is_required { Must::Refuse } else { Must::Survive };
        for (what, body) in
            [("null", put(body, &place.pointer, "null")), ("nothing at all", without(body, &place.pointer))]
        {
            let what = format!("{what} at {}", place.pointer);
            shots.push(Shot { what, request: self.with_body(body), status: None, must });
        }
        shots
    }

    fn must(&self, bad: &Bad, place: &Place) -> Must {
        let is_welcome = self.rule.takes_any.contains(&place.pointer.as_str()) && bad.what.starts_with("too long");
        match is_out_of_bounds(&bad.raw, &place.schema) {
            _ if is_welcome => Must::Survive,
            true => Must::Refuse,
            false => bad.must,
        }
    }

    /// Fires; says what is wrong with the answer, if something is.
    async fn fire(&self, shot: Shot) -> Option<String> {
        let answer = match self.world.send(shot.request).await {
            Ok(answer) => answer,
            Err(error) => return Some(format!("{}: {}: {error}", self.name(), shot.what)),
        };
        let is_refused = (400..500).contains(&answer.status);
        let expected = match (shot.status, shot.must) {
            (Some(status), _) if answer.status != status => Some(format!("{status}")),
            (None, Must::Refuse) if !is_refused => Some("a refusal".to_owned()),
            _ => None,
        };
        let unexpected =
            expected.map(|expected| format!("{} instead of {expected}: {}", answer.status, answer.start()));
        answer.complaint().or(unexpected).map(|complaint| format!("{}: {}: {complaint}", self.name(), shot.what))
    }

    /// Every value of the path in turn.
    fn in_path(&self) -> Vec<Shot> {
        let (path, query) = self.uri.split_once('?').map_or((self.uri.as_str(), ""), |(path, query)| (path, query));
        let described: Vec<&str> = self.operation.path.split('/').collect();
        let segments: Vec<&str> = path.split('/').collect();
        let mut shots = Vec::new();
        for (index, _) in described.iter().enumerate().filter(|(_, segment)| segment.starts_with('{')) {
            for bad in ["nope", "%00", "%ff", "..%2f..%2fetc", "'%20or%201=1--", &"x".repeat(5_000), "-1", "%20"] {
                let mut changed = segments.clone();
                changed[index] = bad;
                let what = format!("{} in the path", &bad[..bad.len().min(20)]);
                let request = self.at(&format!("{}?{query}", changed.join("/")));
                shots.push(Shot { what, request, status: None, must: Must::Refuse });
            }
        }
        shots
    }

    fn in_query(&self) -> Vec<Shot> {
        let path = self.uri.split('?').next().unwrap_or_default();
        let parameters = self.operation.operation["parameters"].as_array().cloned().unwrap_or_default();
        let mut shots = Vec::new();
        for parameter in parameters.iter().filter(|parameter| parameter["in"] == "query") {
            let name = parameter["name"].as_str().expect("a name");
            let schema = resolve(&parameter["schema"], &self.operation.components);
            // The others stay as they are, so that this one alone is wrong.
            let others: Vec<&str> = self.parameters().filter(|other| !other.starts_with(&format!("{name}="))).collect();
            let mut shoot = |what: String, value: &str, must: Must| {
                let all: Vec<String> =
                    others.iter().map(|other| (*other).to_owned()).chain([value.to_owned()]).collect();
                let request = self.at(&format!("{path}?{}", all.join("&")));
                shots.push(Shot { what, request, status: None, must });
            };
            for (bad, must) in query_values(name, schema) {
                shoot(format!("{name}={}", &bad[..bad.len().min(20)]), &format!("{name}={bad}"), must);
            }
            let given = self.parameters().find(|other| other.starts_with(&format!("{name}=")));
            if let Some(given) = given {
                shoot(format!("{name} twice"), &format!("{given}&{given}"), Must::Refuse);
            }
        }
        shots
    }

    /// The named values of the good request's query.
    fn parameters(&self) -> impl Iterator<Item = &str> {
        self.uri.split_once('?').map_or("", |(_, query)| query).split('&').filter(|one| one.contains('='))
    }

    fn in_headers(&self) -> Vec<Shot> {
        let good = || self.at(&self.uri);
        let mut shots = Vec::new();
        let mut shoot = |what: &str, request: RequestBuilder, status: u16| {
            shots.push(Shot { what: what.to_owned(), request, status: Some(status), must: Must::Refuse });
        };
        let long = "k".repeat(256);
        for key in ["", " ", long.as_str(), "a\tb"] {
            shoot("a bad key", good().header("idempotency-key", key), 400);
        }
        shoot("a key of other characters", good().header("idempotency-key", b"caf\xe9".as_slice()), 400);
        shoot("two keys", good().header("idempotency-key", "one").header("idempotency-key", "two"), 400);
        shots
    }
}

fn query_values(name: &str, schema: &Value) -> Vec<(String, Must)> {
    let always = |values: &[&str]| values.iter().map(|value| ((*value).to_owned(), Must::Refuse)).collect::<Vec<_>>();
    if name == "cursor" {
        return always(&["!", "e30", "%00", "bnVsbA", "WzFd", "W10", "eyJhIjoxfQ"]);
    }
    match (kind(schema), schema["minimum"].is_number()) {
        (Kind::Integer, true) => always(&["-1", "0", "abc", "1.5", "1e3", "", "%00", "99999999999999999999", "101"]),
        (Kind::Integer, false) => always(&["abc", "1.5", "1e3", "%00", "99999999999999999999999"]),
        (Kind::Boolean, _) => always(&["maybe", "1", "%00", "TRUE!"]),
        (Kind::Formed, _) => always(&["nope", "%00", "'%20or%201=1--", "%ff"]),
        _ => {
            let long = "x".repeat(20_000);
            let odd = ["%00", "%ff%fe", "'%20or%201=1--", "%E2%80%AE", "%25%5f", "", long.as_str()];
            odd.into_iter().map(|value| (value.to_owned(), Must::Survive)).collect()
        }
    }
}

/// Every place that the schema describes, as far as the good body has what is above it.
fn places(schema: &Value, components: &Value, body: &Value, at: &str) -> Vec<Place> {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut found = Vec::new();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let (pointer, property) = (format!("{at}/{name}"), resolve(property, components));
        if let Some(value) = body.get(name).filter(|_| property["properties"].is_object()) {
            found.extend(places(property, components, value, &pointer));
        }
        let is_required = required.contains(&name.as_str());
        found.push(Place { pointer, schema: property.clone(), is_required });
    }
    found
}

fn kind(schema: &Value) -> Kind {
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let is_formed =
        schema["enum"].is_array() || ["uuid", "date", "date-time"].iter().any(|format| schema["format"] == *format);
    match types.iter().find(|one| **one != "null") {
        Some(&"string") if is_formed => Kind::Formed,
        Some(&"string") => Kind::Text,
        Some(&"integer") => Kind::Integer,
        Some(&"boolean") => Kind::Boolean,
        Some(&"array") => Kind::List,
        _ => Kind::Object,
    }
}

/// Does the schema itself forbid it?
fn is_out_of_bounds(raw: &str, schema: &Value) -> bool {
    let Ok(value) = serde_json::from_str::<Value>(raw) else { return true };
    if let Some(number) = value.as_i64() {
        let is_small = schema["format"] == "int32" && i32::try_from(number).is_err();
        let below = schema["minimum"].as_i64().is_some_and(|minimum| number < minimum);
        return is_small || below || schema["maximum"].as_i64().is_some_and(|maximum| number > maximum);
    }
    value.as_str().is_some_and(|text| {
        let length = text.chars().count() as u64;
        schema["minLength"].as_u64().is_some_and(|least| length < least)
            || schema["maxLength"].as_u64().is_some_and(|most| length > most)
    })
}

#[tokio::test]
async fn no_operation_takes_harm_from_what_it_is_sent() {
    let (log, file) = Log::new();
    let world = World::with(&[("RUST_LOG", "debug")], Some(file)).await;
    let (operations, rules) = (openapi::operations(&world).await, rules());
    let mut targets = Vec::new();
    for operation in &operations {
        // An operation without a rule fails another test.
        if let Some(rule) = rules.iter().find(|rule| rule.describes(operation)) {
            targets.push(Target::new(&world, operation, rule).await);
        }
    }
    let (mut wrong, mut fired) = (Vec::new(), 0);
    // Everything is made beforehand, so that rest is waited for once.
    let mut state = State::at_rest(&world).await;
    for target in &targets {
        for shot in target.shots(Must::Refuse) {
            fired += 1;
            wrong.extend(target.fire(shot).await);
        }
        let changed = state.changes(&world).await;
        if !changed.is_empty() {
            wrong.push(format!("{}: refused requests changed {changed:?}", target.name()));
        }
    }
    for target in &targets {
        for shot in target.shots(Must::Survive) {
            fired += 1;
            wrong.extend(target.fire(shot).await);
        }
    }
    wrong.extend(wrong_methods(&world, &operations).await);
    wrong.extend(log.complaints(&MARKERS));
    assert!(wrong.is_empty(), "{} of {fired} surprises:\n{}", wrong.len(), wrong.join("\n"));
    assert!(fired > 2_000, "only {fired} bad requests were made");
}

/// Methods that a path does not take are 405, and say which it takes.
async fn wrong_methods(world: &World, operations: &[Described]) -> Vec<String> {
    let mut wrong = Vec::new();
    for operation in operations {
        let path = operation.path.replace(['{', '}'], "");
        let is_taken = |method: &Method| {
            let of_service = operations.iter().filter(|one| one.service == operation.service);
            of_service.clone().any(|one| one.method == *method && fits(&one.path, &path))
        };
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            if is_taken(&method) {
                continue;
            }
            let complaint = match world.send(world.ask(operation.service, method.clone(), &path)).await {
                Ok(answer) if answer.status != 405 || answer.header("allow").is_empty() => {
                    Some(format!("{} {:?} {}", answer.status, answer.header("allow"), answer.start()))
                }
                Ok(answer) => answer.complaint(),
                Err(error) => Some(error),
            };
            wrong.extend(complaint.map(|complaint| format!("{} {method} {path}: {complaint}", operation.service)));
        }
    }
    wrong
}

/// Is this path one that the template describes?
fn fits(template: &str, path: &str) -> bool {
    let (template, path) = (template.split('/').collect::<Vec<_>>(), path.split('/').collect::<Vec<_>>());
    template.len() == path.len() && template.iter().zip(path).all(|(one, other)| one.starts_with('{') || *one == other)
}
