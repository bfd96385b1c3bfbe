//! Whole answers about the catalogue are kept for as long as it stays as it is, and nothing else is.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{ACCEPT, CONTENT_TYPE, COOKIE};
use axum::http::{HeaderMap, Request, StatusCode};
use futures_util::stream;
use products_client::CatalogueVersion;
use serde_json::{Value, json};
use service::{Error, Role};

use crate::support::{Running, post};

const JSON: &str = "application/json";
const LIST: &str = "{ products(first: 2) { edges { node { id sku stockQuantity } } } }";

/// A gateway over a catalogue of this version.
fn at(version: u128) -> Running {
    let running = Running::with(|config| config.max_answer_age = Duration::from_secs(3600));
    set(&running, Some(version));
    running
}

fn set(running: &Running, version: Option<u128>) {
    *running.shop.version.lock().unwrap() = version.map(CatalogueVersion);
}

async fn ask(running: &Running, body: &Value) -> String {
    running.send(post(body.clone(), JSON, None)).await.2
}

/// What the services are asked when a body is posted twice.
async fn asked_twice(running: &Running, body: Value, token: Option<&str>) -> Vec<&'static str> {
    running.shop.take_calls();
    let mut answers = Vec::new();
    for _ in 0..2 {
        let (status, _, answer) = running.send(post(body.clone(), JSON, token)).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answers.push(answer);
    }
    assert_eq!(answers[0], answers[1]);
    running.shop.take_calls()
}

fn without_ids(mut headers: HeaderMap) -> HeaderMap {
    headers.remove("x-correlation-id").expect("every answer has one");
    headers
}

#[tokio::test]
async fn an_answer_is_given_again_byte_for_byte_until_the_catalogue_changes() {
    let running = at(1);
    let list = json!({"query": LIST});
    let first = running.send(post(list.clone(), JSON, None)).await;
    let second = running.send(post(list.clone(), JSON, None)).await;
    assert_eq!((&first.0, &first.2), (&second.0, &second.2));
    assert_ne!(first.1["x-correlation-id"], second.1["x-correlation-id"]);
    assert_eq!(without_ids(first.1), without_ids(second.1));
    assert_eq!(running.shop.take_calls(), ["products"]);

    set(&running, Some(2));
    assert_eq!(ask(&running, &list).await, first.2);
    assert_eq!(ask(&running, &list).await, first.2);
    assert_eq!(running.shop.take_calls(), ["products"]);
}

#[tokio::test]
async fn a_catalogue_that_changes_now_or_is_elsewhere_is_asked_each_time() {
    let running = at(1);
    let list = json!({"query": LIST});
    ask(&running, &list).await;
    set(&running, None);
    assert_eq!(asked_twice(&running, list.clone(), None).await, ["products", "products"]);
    // What was told meanwhile was not kept; what was kept before holds if nothing changed after all.
    set(&running, Some(1));
    assert_eq!(asked_twice(&running, list, None).await, Vec::<&str>::new());
}

#[tokio::test]
async fn a_change_while_the_question_comes_in_counts() {
    let running = at(1);
    let list = json!({"query": LIST});
    ask(&running, &list).await;
    let shop = running.shop.clone();
    let text = list.to_string();
    let slow = stream::once(async move {
        *shop.version.lock().unwrap() = Some(CatalogueVersion(2));
        Ok::<_, Infallible>(text)
    });
    let request = post(list, JSON, None).map(|_| Body::from_stream(slow));
    assert_eq!(running.send(request).await.0, StatusCode::OK);
    assert_eq!(running.shop.take_calls(), ["products", "products"]);
}

#[tokio::test]
async fn a_change_while_the_answer_is_made_leaves_nothing() {
    let running = at(1);
    let list = json!({"query": LIST});
    *running.shop.next_version.lock().unwrap() = Some(CatalogueVersion(2));
    ask(&running, &list).await;
    assert_eq!(asked_twice(&running, list, None).await, ["products"], "the first answer may be from before the change");
}

#[tokio::test]
async fn every_field_of_the_catalogue_is_kept() {
    let running = at(1);
    let (product, category) = (running.shop.products[0].id, running.shop.categories[0].id);
    for (query, call) in [
        (format!("{{ product(id: \"{product}\") {{ name }} }}"), "product"),
        (format!("{{ category(id: \"{category}\") {{ name }} }}"), "category"),
        ("{ categories { name } }".to_owned(), "categories"),
        ("{ suggestions(q: \"t\") { name } }".to_owned(), "suggestions"),
        ("query Q { all: products(first: 1) { edges { cursor } } }".to_owned(), "products"),
    ] {
        assert_eq!(asked_twice(&running, json!({"query": query}), None).await, [call], "{query}");
    }
}

#[tokio::test]
async fn who_is_logged_in_neither_gets_kept_answers_nor_leaves_any() {
    let running = at(1);
    let list = json!({"query": LIST});
    for role in [Role::User, Role::Admin] {
        let token = running.shop.token(role);
        assert_eq!(asked_twice(&running, list.clone(), Some(&token)).await, ["products", "products"]);
    }
    assert_eq!(asked_twice(&running, list.clone(), None).await, ["products"]);
    let admin = running.shop.token(Role::Admin);
    assert_eq!(asked_twice(&running, list.clone(), Some(&admin)).await, ["products", "products"]);
    let (status, ..) = running.send(post(list, JSON, Some("x.y.z"))).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "a bad token is not nobody");
}

#[tokio::test]
async fn an_error_is_never_kept() {
    let running = at(1);
    let list = json!({"query": LIST});
    running.shop.refuse("products", Error::internal("away"));
    assert!(ask(&running, &list).await.contains("errors"));
    running.shop.refusal.lock().unwrap().clear();
    assert!(!ask(&running, &list).await.contains("errors"));
    assert_eq!(running.shop.take_calls(), ["products", "products"]);

    // Nor one that only a part of the answer shows.
    let history = json!({"query": "{ products(first: 1) { edges { node { stockHistory { edges { cursor } } } } } }"});
    assert_eq!(asked_twice(&running, history, None).await, ["products", "products"]);
    for bad in ["{", "{ nothing }", "{ products { nothing } }"] {
        assert_eq!(asked_twice(&running, json!({"query": bad}), None).await, Vec::<&str>::new());
    }
}

#[tokio::test]
async fn what_is_not_of_the_catalogue_alone_is_not_kept() {
    let running = at(1);
    let cart = running.shop.cart_id;
    let add = "mutation { addToCart(input: {productId: \"01951e7a-0000-7000-8000-000000000001\"}) { cart { id } } }";
    for (query, calls) in [
        (format!("{{ cart(id: \"{cart}\") {{ id }} categories {{ name }} }}"), vec!["cart", "categories"]),
        ("{ ...q } fragment q on Query { categories { name } }".to_owned(), vec!["categories"]),
        ("{ ... on Query { categories { name } } }".to_owned(), vec!["categories"]),
        ("{ __typename categories { name } }".to_owned(), vec!["categories"]),
        (add.to_owned(), vec!["add_item"]),
    ] {
        let mut expected = [calls.clone(), calls].concat();
        let mut calls = asked_twice(&running, json!({"query": query}), None).await;
        expected.sort_unstable();
        calls.sort_unstable(); // siblings, in any order
        assert_eq!(calls, expected, "{query}");
    }
    // By GET: what lies between may keep it, if it is told to; it is not.
    let get = || Request::get("/graphql?query=%7Bcategories%7Bname%7D%7D").header(ACCEPT, JSON);
    running.shop.take_calls();
    for _ in 0..2 {
        assert_eq!(running.send(get().body(Body::empty()).unwrap()).await.0, StatusCode::OK);
    }
    assert_eq!(running.shop.take_calls(), ["categories", "categories"]);
}

#[tokio::test]
async fn what_differs_in_a_word_has_its_own_answer() {
    let running = at(1);
    let query = "
        query A($n: Int, $c: Boolean!) { products(first: $n) { edges { node { sku } cursor @include(if: $c) } } }
        query B { categories { name } }";
    let of = |name: &str, variables: Value| json!({"query": query, "operationName": name, "variables": variables});
    let edges = |answer: &str| {
        let answer: Value = serde_json::from_str(answer).unwrap();
        answer["data"]["products"]["edges"].as_array().map(|edges| (edges.len(), edges[0].get("cursor").is_some()))
    };
    for _ in 0..2 {
        assert_eq!(edges(&ask(&running, &of("A", json!({"n": 1, "c": true}))).await), Some((1, true)));
        assert_eq!(edges(&ask(&running, &of("A", json!({"n": 2, "c": true}))).await), Some((2, true)));
        assert_eq!(edges(&ask(&running, &of("A", json!({"n": 2, "c": false}))).await), Some((2, false)));
        assert!(ask(&running, &of("B", json!({"n": 2}))).await.contains("Category 0"));
        assert!(ask(&running, &of("C", json!({"n": 2}))).await.contains("errors"));
    }
    assert_eq!(running.shop.take_calls(), ["products", "products", "products", "categories"]);
    // The same in another order is another text; the answer is the same.
    let turned = r#"{"variables": {"c": false, "n": 2}, "query": QUERY, "operationName": "A"}"#;
    let turned = turned.replace("QUERY", &json!(query).to_string());
    let request = Request::post("/graphql").header(CONTENT_TYPE, JSON).body(turned.into()).unwrap();
    assert_eq!(edges(&running.send(request).await.2), Some((2, false)));
}

#[tokio::test]
async fn headers_of_the_request_change_those_of_the_answer_only() {
    let running = at(1);
    let list = json!({"query": LIST});
    let body = ask(&running, &list).await;
    let honest = "application/graphql-response+json";
    let (_, headers, again) = running.send(post(list.clone(), honest, None)).await;
    assert_eq!(
        (headers[CONTENT_TYPE].to_str().unwrap(), &again),
        ("application/graphql-response+json; charset=utf-8", &body)
    );

    let mut from_a_browser = post(list.clone(), JSON, None);
    let headers = from_a_browser.headers_mut();
    headers.insert(COOKIE, "prost_refresh=0123456789abcdef".parse().unwrap());
    headers.insert("accept-language", "de".parse().unwrap());
    let (_, headers, again) = running.send(from_a_browser).await;
    assert_eq!((headers.get("set-cookie"), again), (None, body));
    assert_eq!(running.shop.take_calls(), ["products"]);

    for (name, value, status) in [(CONTENT_TYPE, "text/plain", 415), (ACCEPT, "text/html", 406)] {
        let mut refused = post(list.clone(), JSON, None);
        refused.headers_mut().insert(name, value.parse().unwrap());
        assert_eq!(running.send(refused).await.0.as_u16(), status);
    }
}

/// All types that the kept fields lead to. Whoever adds one sees to it that its content cannot change without the
/// catalogue's version, and that everybody who is not logged in is told the same.
const TYPES: [&str; 11] = [
    "Category",
    "CategoryFacet",
    "Money",
    "PageInfo",
    "Product",
    "ProductConnection",
    "ProductEdge",
    "ProductFacets",
    "StockChange",
    "StockChangeConnection",
    "StockChangeEdge",
];

#[tokio::test]
async fn the_kept_fields_lead_nowhere_but_into_the_catalogue() {
    let deep = "kind name ofType { kind name ofType { kind name ofType { kind name } } }";
    let query = format!("{{ __schema {{ types {{ name fields {{ name type {{ {deep} }} }} }} }} }}");
    let answer = Running::new().post(&query, None).await;
    let types = answer["data"]["__schema"]["types"].as_array().unwrap();
    let fields = |of: &str| types.iter().find(|known| known["name"] == of).unwrap()["fields"].as_array();
    let kept = ["products", "product", "suggestions", "categories", "category"];
    let mut to_visit: Vec<&Value> =
        fields("Query").unwrap().iter().filter(|field| kept.contains(&field["name"].as_str().unwrap())).collect();
    assert_eq!(to_visit.len(), kept.len());
    let mut seen = BTreeSet::new();
    while let Some(field) = to_visit.pop() {
        let mut of = &field["type"];
        while !of["ofType"].is_null() {
            of = &of["ofType"];
        }
        let name = of["name"].as_str().unwrap();
        if of["kind"] == "OBJECT" && seen.insert(name) {
            to_visit.extend(fields(name).unwrap());
        }
    }
    assert_eq!(seen, BTreeSet::from(TYPES));
}
