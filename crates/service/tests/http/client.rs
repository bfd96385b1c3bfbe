//! The HTTP client against the server: what goes in comes out, errors too.

use std::time::Duration;

use axum::http::StatusCode;
use events::{CorrelationId, ProductId};
use serde_json::{Value, json};
use service::server::{app, serve};
use service::{Caller, Error, Found, HttpClient, IdempotencyKey, Page, PageQuery, Role, Shutdown};
use tokio::net::TcpListener;

use crate::support::{Place, Thing, config, keys, routes, token};

async fn things() -> (HttpClient, Shutdown) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let shutdown = Shutdown::new();
    let config = service::server::AppConfig { trusted_proxies: "127.0.0.1".parse().unwrap(), ..config() };
    let serving = serve(listener, app(routes(), config), shutdown.token(), Duration::from_secs(5));
    shutdown.spawn("server", async move { serving.await.unwrap() });
    (HttpClient::new("things", &url).unwrap(), shutdown)
}

fn admin() -> Caller {
    let caller = Caller { address: Some([203, 0, 113, 9].into()), ..Caller::anonymous(CorrelationId::new()) };
    let caller = caller.with_token(&keys(), &token(Role::Admin)).unwrap();
    caller.with_idempotency_key(Some(IdempotencyKey::new("key-1").unwrap()))
}

#[tokio::test]
async fn who_calls_is_forwarded() {
    let (things, _shutdown) = things().await;
    let caller = admin();
    let who: Value = things.get(&caller, "/who").send().await.unwrap();
    let expected =
        json!({"user": "ann", "correlation_id": caller.correlation_id, "key": null, "address": "203.0.113.9"});
    assert_eq!(who, expected);
}

#[tokio::test]
async fn an_idempotency_key_goes_with_whatever_changes_something() {
    let (things, _shutdown) = things().await;
    let caller = admin();
    for request in [things.post(&caller, "/who"), things.patch(&caller, "/who"), things.delete(&caller, "/who")] {
        assert_eq!(request.send::<Value>().await.unwrap()["key"], "key-1");
    }
    assert_eq!(things.get(&caller, "/who").send::<Value>().await.unwrap()["key"], Value::Null);
}

#[tokio::test]
async fn bodies_queries_and_pages_travel() {
    let (things, shutdown) = things().await;
    let caller = admin();
    let thing = Thing { name: "glass".to_owned(), count: 2, place: Place { city: "Köln".to_owned() } };
    let made: Thing = things.post(&caller, "/things").json(&thing).send().await.unwrap();
    assert_eq!((made.name.as_str(), made.place.city.as_str()), ("glass", "Köln"));
    let first: Page<u32> = things.get(&caller, "/things").query(&PageQuery::first(3)).send().await.unwrap();
    let next = PageQuery { cursor: first.next_cursor, ..PageQuery::first(3) };
    let second: Page<u32> = things.get(&caller, "/things").query(&next).send().await.unwrap();
    assert_eq!((first.items, second.items), (vec![0, 1, 2], vec![3, 4, 5]));
    assert!(shutdown.wait(Duration::from_secs(5)).await);
}

#[tokio::test]
async fn errors_come_back_as_they_were() {
    let (things, _shutdown) = things().await;
    let caller = admin();
    let error = things.get(&caller, "/taken").send::<Value>().await.unwrap_err();
    assert_eq!((error.code.as_ref(), error.status), ("name_already_exists", StatusCode::CONFLICT));
    assert_eq!(error.correlation_id, Some(caller.correlation_id));
    let error = things.get(&caller, "/often").send::<Value>().await.unwrap_err();
    assert_eq!(error.retry_after, Some(Duration::from_secs(90)));
    let error = things.post(&caller, "/things").json(&json!({"name": 1})).send::<Value>().await.unwrap_err();
    assert_eq!(error.fields[0].field, "name");
    let path = format!("/nowhere/{}", ProductId::new());
    assert_eq!(things.get(&caller, &path).send::<Value>().await.found(), Ok(None));
    let error = things.get(&caller, "/broken").send::<Value>().await.unwrap_err();
    assert_eq!(error.status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn an_unreachable_service_is_503() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let things = HttpClient::new("things", &url).unwrap();
    let error: Error = things.post(&admin(), "/things").json(&json!({})).send::<Value>().await.unwrap_err();
    assert_eq!((error.status, error.code.as_ref()), (StatusCode::SERVICE_UNAVAILABLE, "unavailable"));
    assert!(!format!("{error:?}").contains("Bearer"));
}

#[test]
fn a_wrong_url_names_its_variable() {
    for url in ["things", "ftp://things", "http://", "http://things?x=1"] {
        let error = HttpClient::new("things", url).unwrap_err().to_string();
        assert!(error.starts_with("THINGS_URL="), "{error}");
    }
}
