//! Tokens that are none of ours, or not any more, at every door of the shop.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use events::UserId;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use service::{Claims, Role};
use uuid::Uuid;

use crate::support::shop::{JWT_SECRET, SERVICES};
use crate::surface::graphql::Yield;
use crate::surface::introspection::Schema;
use crate::surface::openapi::{self, Described};
use crate::surface::operations::{Outcome, Rule, rules};
use crate::surface::state::State;
use crate::surface::{Answer, World, fields};

const PREVIOUS: &str = "the secret before the present one, long enough";
const FOREIGN: &str = "the secret of somebody else entirely, long enough";

fn claims() -> Claims {
    let id = UserId::new();
    Claims::new(id, format!("{id}@example.com"), id.to_string(), Role::Admin)
}

fn signed(algorithm: Algorithm, secret: &str, claims: &Value) -> String {
    encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret.as_bytes())).expect("sign")
}

/// A header of our choice before good claims, signed as HS256 with this secret, or with nothing.
fn headed(header: &Value, secret: Option<&str>) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(&json!(claims())));
    let key = |secret: &str| EncodingKey::from_secret(secret.as_bytes());
    let sign = |secret| jsonwebtoken::crypto::sign(message.as_bytes(), &key(secret), Algorithm::HS256).expect("sign");
    format!("{message}.{}", secret.map(sign).unwrap_or_default())
}

/// Each bad in one way, and otherwise an admin's.
fn bad_tokens() -> Vec<(String, String)> {
    let good = json!(claims());
    let with = |name: &str, value: Value| {
        let mut changed = good.clone();
        changed[name] = value;
        signed(Algorithm::HS256, JWT_SECRET, &changed)
    };
    let forged = {
        let token = signed(Algorithm::HS256, JWT_SECRET, &json!(Claims { role: Role::User, ..claims() }));
        let parts: Vec<&str> = token.split('.').collect();
        format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(good.to_string()), parts[2])
    };
    let mut bad = vec![
        ("expired", with("exp", json!(Utc::now().timestamp() - 1))),
        ("never expires", with("exp", json!("never"))),
        ("of another issuer", with("iss", json!("another-shop"))),
        ("of a role that there is not", with("role", json!("root"))),
        ("of nobody", with("user_id", json!("x"))),
        ("of another secret", signed(Algorithm::HS256, FOREIGN, &good)),
        ("in HS384", signed(Algorithm::HS384, JWT_SECRET, &good)),
        ("in HS512", signed(Algorithm::HS512, JWT_SECRET, &good)),
        ("forged", forged),
        ("unsigned", headed(&json!({"alg": "none", "typ": "JWT"}), None)),
        ("unsigned, in capitals", headed(&json!({"alg": "NONE"}), None)),
        ("none, but signed", headed(&json!({"alg": "none"}), Some(JWT_SECRET))),
        ("RS256, signed as HS256", headed(&json!({"alg": "RS256", "typ": "JWT"}), Some(JWT_SECRET))),
        ("ES256, signed as HS256", headed(&json!({"alg": "ES256", "typ": "JWT"}), Some(JWT_SECRET))),
        ("bringing its key", headed(&json!({"alg": "HS256", "kid": "../../dev/null"}), Some(""))),
        ("empty", String::new()),
        ("in pieces", "a.b.c".to_owned()),
        ("huge", format!("{}.x.y", "x".repeat(50_000))),
    ]
    .into_iter()
    .map(|(what, token)| (what.to_owned(), token))
    .collect::<Vec<_>>();
    for name in ["user_id", "email", "username", "role", "iat", "exp", "iss"] {
        let mut changed = good.clone();
        changed.as_object_mut().expect("claims").remove(name);
        bad.push((format!("without {name}"), signed(Algorithm::HS256, JWT_SECRET, &changed)));
    }
    bad
}

/// A request that needs a login, at each service, and two at the gateway; without any.
fn doors(world: &World) -> Vec<(&'static str, RequestBuilder)> {
    let rules = rules();
    let mut doors = Vec::new();
    for service in SERVICES.into_iter().filter(|service| *service != "gateway") {
        let needs_login = |uri: &str| !uri.contains('$') || uri == "/profile/$user";
        let rule = rules.iter().find(|rule| {
            rule.service == service
                && rule.method == Method::GET
                && rule.access[0] == Outcome::Unknown
                && needs_login(rule.uri)
        });
        let uri = rule
            .map_or_else(|| "/admin/outbox".to_owned(), |rule| rule.uri.replace("$user", &UserId::new().to_string()));
        doors.push((service, world.ask(service, Method::GET, &uri)));
    }
    let query = json!({"query": "{ users { pageInfo { hasNextPage } } }"});
    doors.push(("gateway", world.ask("gateway", Method::POST, "/graphql").json(&query)));
    let in_query = "/graphql?query=%7Busers%7BpageInfo%7BhasNextPage%7D%7D%7D";
    doors.push(("gateway by GET", world.ask("gateway", Method::GET, in_query)));
    doors
}

#[tokio::test]
async fn no_door_opens_to_a_token_that_is_not_ours() {
    let world = World::with(&[("JWT_SECRET_PREVIOUS", PREVIOUS)], None).await;
    let mut wrong = Vec::new();
    for (what, token) in bad_tokens() {
        for (door, request) in doors(&world) {
            match world.send(request.header("authorization", format!("Bearer {token}"))).await {
                Ok(answer) if answer.status != 401 || !answer.header("www-authenticate").starts_with("Bearer") => {
                    wrong.push(format!("{door}, a token {what}: {} {}", answer.status, answer.start()));
                }
                Ok(answer) => {
                    wrong.extend(answer.common_complaint().map(|complaint| format!("{door}, {what}: {complaint}")))
                }
                Err(error) => wrong.push(format!("{door}, a token {what}: {error}")),
            }
        }
        let live = world.subscribe("subscription { nothing }", "{}", Some(&token)).await;
        wrong.extend(unless_shut(&live).map(|found| format!("WebSocket, a token {what}: {found}")));
    }
    assert!(wrong.is_empty(), "{} surprises:\n{}", wrong.len(), wrong.join("\n"));

    let admin = json!(claims());
    for (secret, whose) in [(JWT_SECRET, "present"), (PREVIOUS, "previous")] {
        for (door, request) in doors(&world) {
            let answer =
                world.send(request.bearer_auth(signed(Algorithm::HS256, secret, &admin))).await.expect("an answer");
            let is_open = [200, 404].contains(&answer.status) && answer.json["errors"].is_null();
            assert!(is_open, "{door} with the {whose} secret: {} {}", answer.status, answer.start());
        }
    }
}

#[tokio::test]
async fn a_token_counts_only_where_it_belongs() {
    let world = World::open().await;
    let token = signed(Algorithm::HS256, JWT_SECRET, &json!(claims()));
    for (door, request) in doors(&world).into_iter().filter(|(door, _)| !door.starts_with("gateway")) {
        let elsewhere = request
            .query(&[("access_token", &token), ("token", &token), ("authorization", &format!("Bearer {token}"))])
            .header("cookie", format!("token={token}; access_token={token}; authorization=Bearer {token}"))
            .header("x-authorization", format!("Bearer {token}"));
        let answer = world.send(elsewhere).await.expect("an answer");
        assert_eq!((answer.status, answer.json["error"].as_str()), (401, Some("unauthenticated")), "{door}");
    }
}

/// Tried at every operation and field there is.
const EVERYWHERE: [&str; 5] = ["expired", "of another issuer", "of another secret", "forged", "unsigned"];

/// Whoever asks for a token may bring an old one along: it does not matter.
const DISREGARDED: [&str; 3] = ["/register", "/login", "/refresh"];

/// An operation about things that there need not be: nobody gets that far.
fn blind(world: &World, operation: &Described, rule: &Rule) -> RequestBuilder {
    let uri =
        rule.uri.split('/').map(|part| if part.starts_with('$') { Uuid::nil().to_string() } else { part.to_owned() });
    world.ask(operation.service, operation.method.clone(), &uri.collect::<Vec<_>>().join("/")).json(&json!({}))
}

/// What is wrong with the answer to a bad token.
fn unless_refused(answer: &Answer) -> Option<String> {
    let is_refused = answer.status == 401 && answer.header("www-authenticate").starts_with("Bearer");
    answer.common_complaint().or((!is_refused).then(|| format!("{} {}", answer.status, answer.start())))
}

/// What is wrong with what a WebSocket says to a bad token.
fn unless_shut(live: &Result<Yield, String>) -> Option<String> {
    let is_shut = live.as_ref().is_err_and(|ending| ending == "closed: 4403");
    (!is_shut).then(|| format!("{live:?}"))
}

#[tokio::test]
async fn no_operation_and_no_field_takes_a_token_that_is_not_ours() {
    let world = World::open().await;
    let (operations, rules, schema) = (openapi::operations(&world).await, rules(), Schema::of(&world).await);
    let described = |operation: &&Described| rules.iter().any(|rule| rule.describes(operation));
    let mut wrong = Vec::new();
    let before = State::at_rest(&world).await;
    for (what, token) in bad_tokens().into_iter().filter(|(what, _)| EVERYWHERE.contains(&what.as_str())) {
        for operation in operations.iter().filter(described) {
            let rule = rules.iter().find(|rule| rule.describes(operation)).expect("a rule");
            let request = blind(&world, operation, rule);
            let without = request.try_clone().expect("a body in memory");
            let answer = world.send(request.bearer_auth(&token)).await.expect("an answer");
            let complaint = if DISREGARDED.contains(&rule.path) {
                let without = world.send(without).await.expect("an answer");
                (answer.json["error"] != without.json["error"]).then(|| format!("it matters: {}", answer.start()))
            } else {
                unless_refused(&answer)
            };
            let Described { service, method, path, .. } = operation;
            wrong.extend(complaint.map(|found| format!("{service} {method} {path}, a token {what}: {found}")));
        }
        for root in &schema.roots() {
            let Some(rule) = fields::rules().into_iter().find(|rule| rule.name == root.name()) else { continue };
            let document = schema.document(root, &rule.arguments);
            if root.kind == "subscription" {
                let live = world.subscribe(&document, &rule.arguments.to_string(), Some(&token)).await;
                wrong.extend(unless_shut(&live).map(|found| format!("{}, a token {what}: {found}", rule.name)));
            }
            let request = world.query(&document, &rule.arguments, Some(&token));
            let complaint = unless_refused(&world.send(request).await.expect("an answer"));
            wrong.extend(complaint.map(|found| format!("{}, a token {what}: {found}", rule.name)));
        }
    }
    assert!(wrong.is_empty(), "{} surprises:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(State::now(&world).await.changed(&before), Vec::<&str>::new());
}
