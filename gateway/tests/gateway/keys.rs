//! Idempotency keys: each mutation hands its own to the calls that it is about, and to no others that change something.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Request;
use axum::http::header::{COOKIE, HOST, ORIGIN};
use serde_json::{Value, json};
use service::Role;

use crate::shop::REFRESH_TOKEN;
use crate::support::{Running, post};

/// What keeps its key to itself: `one_key_is_one_poison`.
const NOT_HANDED_ON: &str = "sendPoisonMessage";

/// Each mutation, its input, and the calls that have to bear its key.
fn mutations(running: &Running) -> Vec<(&'static str, String, &'static [&'static str])> {
    let shop = &running.shop;
    let (product, cart, payment) = (shop.products[0].id, shop.cart_id, shop.payment_id);
    let (order, user) = (shop.order.lock().unwrap().id, shop.buyer.id);
    let address = "{fullName: \"Ann\", line1: \"1 Lane\", city: \"Town\", postalCode: \"1\", countryCode: \"DE\"}";
    let price = "{amount: \"1\", currencyCode: \"EUR\"}";
    let letters = "service: \"orders\", all: true".to_owned();
    let event = format!("service: \"orders\", eventId: \"{order}\"");
    vec![
        (
            "registerUser",
            format!("email: \"a\", username: \"a\", password: \"b\", cartId: \"{cart}\""),
            &["register", "adopt"],
        ),
        ("updateProfile", "username: \"anna\"".into(), &["update_profile"]),
        ("changePassword", "currentPassword: \"a\", newPassword: \"b\"".into(), &["change_password"]),
        ("deleteAccount", "password: \"a\"".into(), &["close_account"]),
        ("setUserRole", format!("userId: \"{user}\", role: ADMIN"), &["set_role"]),
        ("logout", String::new(), &["logout"]),
        ("createProduct", format!("name: \"A\", sku: \"A\", price: {price}"), &["create_product"]),
        ("updateProduct", format!("id: \"{product}\", name: \"A\", expectedVersion: 1"), &["update_product"]),
        ("deleteProduct", format!("id: \"{product}\""), &["delete_product"]),
        (
            "adjustStock",
            format!("productId: \"{product}\", change: 1, reason: \"count\""),
            &["adjust_stock", "product"],
        ),
        ("createCategory", "name: \"Tea\"".into(), &["create_category"]),
        ("uploadPicture", "contentBase64: \"iVBORw0KGgo=\", contentType: \"image/png\"".into(), &["upload_picture"]),
        ("createCart", String::new(), &["create_cart"]),
        ("addToCart", format!("productId: \"{product}\""), &["add_item"]),
        ("updateCartItem", format!("itemId: \"{product}\", quantity: 2"), &["update_item"]),
        ("removeFromCart", format!("itemId: \"{product}\""), &["remove_item"]),
        ("clearCart", format!("cartId: \"{cart}\""), &["clear"]),
        (
            "checkout",
            format!("cartId: \"{cart}\", paymentMethod: \"pm_card_visa\", shippingAddress: {address}"),
            &["place"],
        ),
        ("cancelOrder", format!("id: \"{order}\""), &["cancel"]),
        ("shipOrder", format!("id: \"{order}\""), &["ship"]),
        ("deliverOrder", format!("id: \"{order}\""), &["deliver"]),
        ("refundPayment", format!("paymentId: \"{payment}\", reason: \"damaged\""), &["refund"]),
        ("replayDeadLetters", letters.clone(), &["replay"]),
        ("discardDeadLetters", format!("{letters}, reason: \"old\""), &["discard"]),
        ("retryOutboxEvent", event.clone(), &["retry_event"]),
        ("discardOutboxEvent", format!("{event}, reason: \"old\""), &["discard_event"]),
        ("retrySaga", format!("id: \"{order}\""), &["retry_saga"]),
    ]
}

/// What a browser with a session sends, whose user is an admin.
fn request(running: &Running, field: &str, input: &str, key: &str) -> Request<Body> {
    let query = format!(
        "mutation {{ {field}(input: {{{input} idempotencyKey: \"{key}\"}}) {{ userErrors {{ code field }} }} }}"
    );
    let mut request = post(json!({"query": query}), "application/json", Some(&running.shop.token(Role::Admin)));
    let session = format!("prost_refresh={REFRESH_TOKEN}");
    for (name, value) in [(HOST, "shop.example"), (ORIGIN, "https://shop.example"), (COOKIE, session.as_str())] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    request
}

#[tokio::test]
async fn every_mutation_hands_its_key_on() {
    let running = Running::new();
    for (field, input, calls) in mutations(&running) {
        let (_, _, answer) = running.send(request(&running, field, &input, "once")).await;
        let with_key: Vec<(&str, String)> = calls.iter().map(|call| (*call, "once".to_owned())).collect();
        assert_eq!(running.shop.take_keys(), with_key, "{field}: {answer}");

        running.shop.take_calls();
        let (_, _, answer) = running.send(request(&running, field, &input, "")).await;
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let refused = json!([{"code": "INVALID_IDEMPOTENCY_KEY", "field": ["idempotencyKey"]}]);
        assert_eq!(answer["data"][field]["userErrors"], refused, "{answer}");
        assert_eq!(running.shop.take_calls(), Vec::<&str>::new(), "{field}");
    }
}

#[tokio::test]
async fn no_mutation_with_a_key_is_forgotten_here() {
    let running = Running::new();
    let query = "{__schema{mutationType{fields{name args{type{inputFields{name} ofType{inputFields{name}}}}}}}}";
    let answer = running.post(query, None).await;
    let takes_key = |mutation: &&Value| {
        let kind = &mutation["args"][0]["type"];
        let fields = kind["inputFields"].as_array().or_else(|| kind["ofType"]["inputFields"].as_array());
        fields.unwrap().iter().any(|field| field["name"] == "idempotencyKey")
    };
    let all = answer["data"]["__schema"]["mutationType"]["fields"].as_array().unwrap();
    let with_key: BTreeSet<&str> = all.iter().filter(takes_key).map(|field| field["name"].as_str().unwrap()).collect();
    let tried = mutations(&running).into_iter().map(|(field, ..)| field);
    assert_eq!(with_key, tried.chain([NOT_HANDED_ON]).collect());
}
