//! Keys that others may choose, too: refused where nothing but the key tells callers apart, over REST and GraphQL.

use reqwest::Method;
use serde_json::{Value, json};
use service::Role;
use uuid::Uuid;

use super::request::{Body, Request, difference};
use crate::surface::World;
use crate::surface::state::State;
use crate::surface::things::{PASSWORD, Things};

const GUESSABLE: [&str; 3] = ["1", "0000000000000001", "create-cart-for-a-shopper"];

fn anonymous(service: &'static str, uri: &str, body: Value, key: &str) -> Request {
    let (method, uri, key) = (Method::POST, uri.to_owned(), key.to_owned());
    Request { service, method, uri, body: Body::Json(body), headers: &[], token: None, key }
}

/// What an anonymous caller may post that is about no cart.
async fn posts(world: &World, key: &str) -> Vec<(Request, u16)> {
    let owner = world.person(Role::User).await;
    let mut things = Things::of(world, "users", &owner);
    let name = Uuid::now_v7().simple().to_string();
    let register = json!({"email": format!("{name}@example.com"), "username": name, "password": PASSWORD});
    let logout = json!({"refresh_token": things.fill("$refresh").await});
    let add = json!({"product_id": things.fill("$product").await, "quantity": 1});
    vec![
        (anonymous("users", "/register", register, key), 201),
        (anonymous("users", "/logout", logout, key), 204),
        (anonymous("cart", "/cart", json!({}), key), 201),
        (anonymous("cart", "/cart/items", add, key), 201),
    ]
}

#[tokio::test]
async fn a_guessable_key_of_an_anonymous_caller_is_refused_and_a_random_one_counts() {
    let world = World::open().await;
    for key in GUESSABLE {
        for (request, _) in posts(&world, key).await {
            let before = State::at_rest(&world).await;
            let refused = request.send(&world).await.expect("an answer");
            assert_eq!(refused.complaint(), None, "{}", request.name());
            let told = (refused.status, refused.json["error"].as_str(), refused.json["fields"][0]["field"].as_str());
            let expected = (400, Some("invalid_idempotency_key"), Some("idempotency_key"));
            assert_eq!(told, expected, "{} {}", request.name(), refused.text);
            assert!(refused.text.contains("random UUID"), "it says what to send: {}", refused.text);
            assert_eq!(State::now(&world).await.changed(&before), Vec::<&str>::new(), "{}", request.name());
        }
    }
    for (request, status) in posts(&world, &Uuid::new_v4().to_string()).await {
        let first = request.send(&world).await.expect("an answer");
        assert_eq!(first.status, status, "{} {}", request.name(), first.text);
        let before = State::at_rest(&world).await;
        let again = request.send(&world).await.expect("an answer");
        assert_eq!(difference(&first, &again), None, "{}", request.name());
        assert_eq!(State::now(&world).await.changed(&before), Vec::<&str>::new(), "{}", request.name());
    }
    // Whoever holds a cart's id has it to themselves, and any key will do.
    let cart = world.succeed(world.ask("cart", Method::POST, "/cart")).await.json;
    let owner = world.person(Role::User).await;
    let product = Things::of(&world, "cart", &owner).fill("$product").await;
    let add = anonymous("cart", "/cart/items", json!({"cart_id": cart["id"], "product_id": product}), "1");
    let first = add.send(&world).await.expect("an answer");
    assert_eq!((first.status, first.json["item_count"].as_u64()), (201, Some(1)), "{}", first.text);
    assert_eq!(difference(&first, &add.send(&world).await.expect("an answer")), None);
}

#[tokio::test]
async fn in_graphql_it_is_a_user_error_that_names_the_key() {
    let world = World::open().await;
    let owner = world.person(Role::User).await;
    let mut things = Things::of(&world, "users", &owner);
    let (product, refresh) = (things.fill("$product").await, things.fill("$refresh").await);
    let before = State::at_rest(&world).await;
    for (field, input) in [
        ("createCart", json!({})),
        ("addToCart", json!({"productId": product})),
        ("registerUser", json!({"email": "guess@example.com", "username": "guess", "password": PASSWORD})),
        ("logout", json!({})),
    ] {
        let capital = field[..1].to_uppercase() + &field[1..];
        let document =
            format!("mutation($input: {capital}Input!) {{ {field}(input: $input) {{ userErrors {{ code field }} }} }}");
        for key in GUESSABLE {
            let mut input = input.clone();
            input["idempotencyKey"] = json!(key);
            let request = world.query(&document, &json!({"input": input}), None);
            let answer = world.send(request.header("cookie", format!("prost_refresh={refresh}"))).await;
            let answer = answer.expect("an answer").json;
            let expected = json!([{"code": "INVALID_IDEMPOTENCY_KEY", "field": ["idempotencyKey"]}]);
            assert_eq!(answer["data"][field]["userErrors"], expected, "{field} {key}: {answer}");
        }
    }
    assert_eq!(State::now(&world).await.changed(&before), Vec::<&str>::new());
}
