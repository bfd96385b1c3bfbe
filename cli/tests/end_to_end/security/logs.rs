//! What the log of a busy shop does not say, however much it is asked to say.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use service::Role;
use testkit::eventually;
use uuid::Uuid;

use crate::support::shop::JWT_SECRET;
use crate::support::{Shop, Transport};
use crate::surface::log::SECRETS;
use crate::surface::state::State;
use crate::surface::things::{PASSWORD, address};
use crate::surface::{Log, World};

const SOON: Duration = Duration::from_secs(60);

/// A number that a card could have.
const CARD: &str = "4242424242424242";
const SPACED_CARD: &str = "4000 0566 5566 5556";

/// Everything that was said in confidence.
#[derive(Default)]
struct Secrets(Vec<(&'static str, String)>);

impl Secrets {
    fn keep(&mut self, what: &'static str, secret: impl Into<String>) {
        let secret = secret.into();
        assert!(secret.len() >= 6, "{what} is too short to be looked for: {secret:?}");
        self.0.push((what, secret));
    }

    fn keep_tokens(&mut self, answer: &Value) {
        for name in ["token", "refresh_token"] {
            if let Some(token) = answer[name].as_str() {
                self.keep("a token", token);
            }
        }
    }
}

#[tokio::test]
async fn the_log_keeps_every_secret() {
    keeps_every_secret(Transport::Postgres, &[]).await;
}

#[tokio::test]
async fn a_log_in_json_names_each_request_and_keeps_every_secret() {
    let redis = testkit::redis_url().await;
    let log = keeps_every_secret(Transport::Rabbit, &[("REDIS_URL", &redis), ("LOG_FORMAT", "json")]).await;
    let mut requests = 0;
    for line in log.lines() {
        let said: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        for name in ["timestamp", "level", "target"] {
            assert!(said[name].is_string(), "no {name}: {line}");
        }
        if said["target"] == "http" {
            let mut ids =
                said["spans"].as_array().into_iter().flatten().filter_map(|span| span["correlation_id"].as_str());
            assert!(ids.any(|id| Uuid::parse_str(id).is_ok()), "of no request: {line}");
            requests += 1;
        }
    }
    assert!(requests > 20, "only {requests} lines about requests");
}

/// At the most talkative level there is; the log.
async fn keeps_every_secret(transport: Transport, settings: &[(&str, &str)]) -> String {
    let (log, file) = Log::new();
    let own = [("RUST_LOG", "trace"), ("JWT_SECRET_PREVIOUS", "an older secret, of 32 bytes or more")];
    let world = World::of(Shop::over(transport, &[settings, &own].concat(), Some(file)).await).await;
    let mut secrets = Secrets::default();
    sign_in_and_out(&world, &mut secrets).await;
    shop(&world, &mut secrets).await;
    nonsense(&world, &mut secrets).await;
    State::at_rest(&world).await;

    secrets.keep("JWT_SECRET", JWT_SECRET);
    secrets.keep("JWT_SECRET_PREVIOUS", "an older secret, of 32 bytes or more");
    for beginning in SECRETS {
        secrets.keep("a token or a hash of a password", beginning);
    }
    secrets.keep("the password of the database", password_of(world.shop.setting("DATABASE_URL")));

    let log = log.read();
    assert!(log.contains("DEBUG") && log.contains("request refused"), "the log says too little to prove anything");
    let told: Vec<String> = secrets
        .0
        .iter()
        .filter_map(|(what, secret)| {
            log.lines().find(|line| line.contains(secret.as_str())).map(|line| format!("{what}: {line}"))
        })
        .chain(log.lines().filter(|line| holds_card_number(line)).map(|line| format!("a card: {line}")))
        .collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
    log
}

/// The password in a server's URL.
fn password_of(url: &str) -> &str {
    let login = url.split_once("://").and_then(|(_, rest)| rest.split_once('@')).expect("a login").0;
    login.split_once(':').expect("a password").1
}

async fn sign_in_and_out(world: &World, secrets: &mut Secrets) {
    let email = "logged@example.com";
    let new = json!({"email": email, "username": "logged", "password": "a password to register"});
    let login = |password: &str| json!({"email": email, "password": password});
    let post = |path: &str, body: &Value| world.ask("users", Method::POST, path).json(body);
    secrets.keep("a password", "a password to register");
    secrets.keep_tokens(&world.succeed(post("/register", &new)).await.json);
    secrets.keep("a wrong password", "a password that is wrong");
    assert_eq!(world.send(post("/login", &login("a password that is wrong"))).await.expect("an answer").status, 401);

    let first = world.succeed(post("/login", &login("a password to register"))).await.json;
    secrets.keep_tokens(&first);
    let refresh = json!({"refresh_token": first["refresh_token"]});
    let second = world.succeed(post("/refresh", &refresh)).await.json;
    secrets.keep_tokens(&second);
    // Used twice: another tab, or a thief.
    secrets.keep_tokens(&world.send(post("/refresh", &refresh)).await.expect("an answer").json);

    let token = second["token"].as_str().expect("a token");
    secrets.keep("a new password", "a password to change to");
    let change = json!({"current_password": "a password to register", "new_password": "a password to change to"});
    world
        .succeed(post("/password", &change).bearer_auth(token).header("idempotency-key", Uuid::now_v7().to_string()))
        .await;
    let in_graphql = "mutation($email: String!, $password: String!) {
        loginUser(input: {email: $email, password: $password}) { token userErrors { code } } }";
    let variables = json!({"email": email, "password": "a password to change to"});
    let answer = world.succeed(world.query(in_graphql, &variables, None)).await;
    secrets.keep_tokens(&answer.json["data"]["loginUser"]);
    let cookie = answer.header("set-cookie").split(';').next().and_then(|cookie| cookie.split_once('='));
    secrets.0.extend(cookie.map(|(_, token)| ("the token of a cookie", token.to_owned())));
    world.succeed(world.ask("users", Method::POST, "/logout").bearer_auth(token)).await;
}

/// Card numbers where no one asks for them, and where one might think so.
async fn shop(world: &World, secrets: &mut Secrets) {
    let owner = world.person(Role::User).await;
    secrets.keep("a token", owner.token.as_str());
    let admin = world.person(Role::Admin).await;
    let product = json!({"name": "Oolong", "sku": Uuid::now_v7().simple().to_string(), "stock_quantity": 9,
                         "price": {"amount": "4.20", "currency": "EUR"}});
    let made =
        world.succeed(world.ask("products", Method::POST, "/products").bearer_auth(&admin.token).json(&product)).await;
    let add = json!({"product_id": made.json["id"]});
    let cart =
        world.succeed(world.ask("cart", Method::POST, "/cart/items").bearer_auth(&owner.token).json(&add)).await.json;
    let mut to = address();
    to["line2"] = json!(format!("card {CARD}"));
    to["phone"] = json!(SPACED_CARD);
    secrets.keep("a line of an address", to["line1"].as_str().expect("a line"));
    let place = |method: &str| json!({"cart_id": cart["id"], "payment_method": method, "shipping_address": to});
    let order =
        |method: &str| world.ask("orders", Method::POST, "/orders").bearer_auth(&owner.token).json(&place(method));
    for method in [CARD, SPACED_CARD, "4242-4242-4242-4242", "pm_4242424242424242"] {
        let answer = world.send(order(method)).await.expect("an answer");
        assert_eq!(
            (answer.status, answer.json["error"].as_str()),
            (422, Some("validation_failed")),
            "{method}: {}",
            answer.text
        );
        assert!(!answer.text.contains(method), "{}", answer.text);
    }
    let placed = world.succeed(order("pm_card_chargeDeclined")).await.json;
    let uri = format!("/orders/{}", placed["id"].as_str().expect("an id"));
    eventually(SOON, || async {
        let order = world.send(world.ask("orders", Method::GET, &uri).bearer_auth(&owner.token)).await?;
        if order.json["status"] == "COMPENSATED" { Ok(()) } else { Err(order.text) }
    })
    .await;
    let cancel = world.ask("orders", Method::POST, &format!("{uri}/cancel")).bearer_auth(&owner.token);
    let refused =
        world.send(cancel.json(&json!({"reason": format!("charge {CARD} instead")}))).await.expect("an answer");
    assert_eq!(refused.status, 409, "{}", refused.text);
}

/// Requests that break, with secrets in them.
async fn nonsense(world: &World, secrets: &mut Secrets) {
    secrets.keep("a password in pieces", "hunter2-in-pieces");
    for (path, body) in [
        ("/login", r#"{"email": 7, "password": "hunter2-in-pieces"}"#),
        ("/login", r#"{"email": "x@example.com", "password": {"a": "hunter2-in-pieces"}}"#),
        ("/login", r#"{"password": "hunter2-in-pieces""#),
        ("/register", r#"{"email": "x", "username": "", "password": "hunter2-in-pieces"}"#),
        ("/refresh?refresh_token=hunter2-in-pieces", r#"{"refresh_token": "hunter2-in-pieces"}"#),
        ("/nowhere/hunter2-in-pieces", "{}"),
    ] {
        let request = world.ask("users", Method::POST, path).header("content-type", "application/json").body(body);
        let answer = world.send(request.header("authorization", "Bearer hunter2-in-pieces")).await.expect("an answer");
        assert!(answer.complaint().is_none() && (400..500).contains(&answer.status), "{path}: {}", answer.text);
    }
    let document = "mutation { loginUser(input: {email: 7, password: \"hunter2-in-pieces\"}) { token } }";
    let answer = world.send(world.query(document, &json!({}), Some("hunter2-in-pieces"))).await.expect("an answer");
    assert_eq!(answer.status, 401, "{}", answer.text);
    let wrong_password = json!({"email": "first@example.com", "password": format!("{PASSWORD} not")});
    world.send(world.ask("users", Method::POST, "/login").json(&wrong_password)).await.expect("an answer");
    secrets.keep("a password", PASSWORD);
}

/// Sixteen digits in a row, grouped or not, whose check digit is right.
fn holds_card_number(line: &str) -> bool {
    let is_grouped = |c: char| c.is_ascii_digit() || c == ' ' || c == '-';
    line.split(|c| !is_grouped(c)).any(|run| {
        let digits: Vec<u32> = run.chars().filter_map(|c| c.to_digit(10)).collect();
        run.split([' ', '-']).all(|group| group.is_empty() || [4, 16].contains(&group.len()))
            && digits.len() == 16
            && luhn(&digits)
    })
}

fn luhn(digits: &[u32]) -> bool {
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let weighted =
        digits.iter().rev().enumerate().map(|(at, digit)| if at % 2 == 1 { doubled(*digit) } else { *digit });
    weighted.sum::<u32>() % 10 == 0
}
