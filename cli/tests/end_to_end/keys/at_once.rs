//! Two hundred times the same request at the same moment.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use service::Role;
use testkit::eventually;
use uuid::Uuid;

use super::request::{Body, Request, difference};
use crate::support::oracle;
use crate::surface::state::State;
use crate::surface::things::{Things, address};
use crate::surface::{Answer, World};

const TIMES: usize = 200;
/// Far longer than the five seconds that one of them waits for another.
const PATIENCE: Duration = Duration::from_secs(60);

/// Sends it until it is answered, as a client does that is told to try again.
async fn answer_to(world: &World, request: &Request) -> Answer {
    eventually(PATIENCE, || async {
        let answer = request.send(world).await?;
        match (answer.status, answer.json["error"].as_str()) {
            (503, _) | (409, Some("request_in_flight")) => Err(answer.text),
            _ => Ok(answer),
        }
    })
    .await
}

/// All of them are answered alike, with this status; the answer.
async fn at_once(world: &World, request: &Request, status: u16) -> Answer {
    let mut answers = join_all((0..TIMES).map(|_| answer_to(world, request))).await;
    let first = answers.pop().expect("an answer");
    assert_eq!(first.status, status, "{}: {}", request.name(), first.text);
    let other = answers.iter().find_map(|answer| difference(&first, answer));
    assert!(other.is_none(), "{}: {}", request.name(), other.unwrap_or_default());
    first
}

fn post(service: &'static str, uri: String, body: Value, token: Option<&str>) -> Request {
    let (body, token) = (Body::Json(body), token.map(str::to_owned));
    Request { service, method: Method::POST, uri, body, headers: &[], token, key: Uuid::now_v7().to_string() }
}

#[tokio::test]
async fn two_hundred_at_once_have_one_effect() {
    let world = World::open().await;
    let (owner, admin) = (world.person(Role::User).await, world.person(Role::Admin).await);
    let mut things = Things::of(&world, "orders", &owner);
    let count = async |sql: String| oracle::count(&world.database, &sql).await;

    let product = things.fill("$product").await;
    let adjust = json!({"adjust": 7, "reason": "found at once"});
    let adjust = post("products", format!("/products/{product}/stock"), adjust, Some(&admin.token));
    at_once(&world, &adjust, 200).await;
    let found = format!("SELECT count(*) FROM catalog.inventory_history WHERE product_id = '{product}' AND change = 7");
    assert_eq!(count(found).await, 1);
    let stock = format!("SELECT stock_quantity::bigint FROM catalog.products WHERE id = '{product}'");
    assert_eq!(count(stock).await, 57);

    let carts = count("SELECT count(*) FROM cart.carts".to_owned()).await;
    let made = at_once(&world, &post("cart", "/cart".to_owned(), json!({}), None), 201).await;
    assert_eq!(count("SELECT count(*) FROM cart.carts".to_owned()).await, carts + 1);
    let add = json!({"cart_id": made.json["id"], "product_id": product, "quantity": 2});
    let filled = at_once(&world, &post("cart", "/cart/items".to_owned(), add, None), 201).await;
    assert_eq!(filled.json["items"][0]["quantity"], 2);
    let cart = made.json["id"].as_str().expect("an id");
    let units = format!("SELECT sum(quantity)::bigint FROM cart.cart_items WHERE cart_id = '{cart}'");
    assert_eq!(count(units).await, 2);

    let cart = things.fill("$cart").await;
    let place = json!({"cart_id": cart, "payment_method": "pm_card_visa", "shipping_address": address()});
    at_once(&world, &post("orders", "/orders".to_owned(), place, Some(&owner.token)), 202).await;
    assert_eq!(count(format!("SELECT count(*) FROM orders.orders WHERE cart_id = '{cart}'")).await, 1);

    let payment = things.fill("$payment").await;
    let refund = json!({"amount": {"amount": "1.00", "currency": "EUR"}, "reason": "asked for at once"});
    let refund = post("payments", format!("/payments/{payment}/refunds"), refund, Some(&admin.token));
    at_once(&world, &refund, 201).await;
    let refunds = format!("SELECT count(*) FROM payments.refunds WHERE payment_id = '{payment}'");
    assert_eq!(count(refunds).await, 1);

    State::at_rest(&world).await;
    let given_back = "SELECT (sum(refunded) * 100)::bigint FROM payments.test_provider_charges";
    assert_eq!(count(given_back.to_owned()).await, 100);
    let charges = "SELECT count(*) FROM payments.test_provider_charges WHERE status = 'captured'";
    let orders = "SELECT count(*) FROM orders.orders WHERE status = 'CONFIRMED'";
    assert_eq!(count(charges.to_owned()).await, count(orders.to_owned()).await);
}
