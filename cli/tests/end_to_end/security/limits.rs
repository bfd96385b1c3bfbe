//! Floods, guesses, foreign pages: what they get, and what everybody else notices of it.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use service::Role;
use uuid::Uuid;

use crate::surface::graphql::Socket;
use crate::surface::things::{PASSWORD, Things};
use crate::surface::{Answer, World};

const FRIEND: &str = "https://friend.example";
const STRANGER: &str = "https://evil.example";
/// Requests per minute and address; more than any test but the one about it needs.
const PER_MINUTE: &str = "200";

/// Behind a proxy on this machine, with a limit per address and one foreign page on the list.
async fn behind_a_proxy() -> World {
    let settings = [
        ("TRUSTED_PROXIES", "127.0.0.1,::1"),
        ("RATE_LIMIT_PER_ADDRESS", PER_MINUTE),
        ("CORS_ALLOWED_ORIGINS", FRIEND),
    ];
    World::with(&settings, None).await
}

async fn log_in(world: &World, email: &str, password: &str, from: &str) -> Answer {
    let document = "mutation($email: String!, $password: String!) {
        loginUser(input: {email: $email, password: $password}) { token userErrors { code } } }";
    let request = world.query(document, &json!({"email": email, "password": password}), None);
    world.send(request.header("x-forwarded-for", from)).await.expect("an answer")
}

/// `OK`, or the code of what refused it.
fn outcome(answer: &Answer) -> &str {
    let payload = &answer.json["data"]["loginUser"];
    let refusal = payload["userErrors"][0]["code"].as_str().or(answer.json["errors"][0]["extensions"]["code"].as_str());
    refusal.unwrap_or(if payload["token"].is_string() { "OK" } else { "(nothing)" })
}

#[tokio::test]
async fn guesses_are_locked_out_by_account_and_address_and_nobody_else_is() {
    let world = behind_a_proxy().await;
    let (ann, bob) = (world.person(Role::User).await, world.person(Role::User).await);
    for _ in 0..10 {
        assert_eq!(outcome(&log_in(&world, &ann.email, "a wrong guess", "198.51.100.1").await), "INVALID_CREDENTIALS");
    }
    let locked = log_in(&world, &ann.email, PASSWORD, "198.51.100.1").await;
    assert_eq!(outcome(&locked), "RATE_LIMITED", "the right password, too: {}", locked.text);
    assert!(
        locked.json["errors"][0]["extensions"]["retryAfter"].as_u64().is_some_and(|after| after > 60),
        "{}",
        locked.text
    );
    // What a client says before the proxy speaks is not believed.
    let spoofed = log_in(&world, &ann.email, PASSWORD, "203.0.113.77, 198.51.100.1").await;
    assert_eq!(outcome(&spoofed), "RATE_LIMITED", "{}", spoofed.text);
    assert_eq!(outcome(&log_in(&world, &ann.email, PASSWORD, "198.51.100.2").await), "OK", "from another address");
    assert_eq!(outcome(&log_in(&world, &bob.email, PASSWORD, "198.51.100.1").await), "OK", "another account");
}

#[tokio::test]
async fn without_a_proxy_nobody_is_believed_about_an_address() {
    let world = World::open().await;
    let ann = world.person(Role::User).await;
    let mut outcomes = Vec::new();
    for guess in 0..11 {
        outcomes.push(
            outcome(&log_in(&world, &ann.email, "a wrong guess", &format!("203.0.113.{guess}")).await).to_owned(),
        );
    }
    assert_eq!(outcomes.pop().as_deref(), Some("RATE_LIMITED"), "{outcomes:?}");
}

#[tokio::test]
async fn a_flood_is_stopped_where_it_comes_from() {
    let world = behind_a_proxy().await;
    let ask = |from: &'static str, path: &'static str| {
        let request = world.ask("gateway", Method::GET, path).header("x-forwarded-for", from);
        async { world.send(request).await.expect("an answer") }
    };
    let path = "/graphql?query=%7B__typename%7D";
    let answers = join_all((0..260).map(|_| ask("198.51.100.9", path))).await;
    let refused: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 429).collect();
    assert_eq!(refused.len(), 60);
    for answer in &answers {
        assert!(answer.common_complaint().is_none(), "{:?}", answer.common_complaint());
        assert!(answer.header("ratelimit-policy").contains("q=200;w=60"), "{}", answer.header("ratelimit-policy"));
        assert!(answer.header("ratelimit").starts_with("\"address\";r="), "{}", answer.header("ratelimit"));
    }
    assert!(refused.iter().all(|answer| answer.complaint().is_none() && !answer.header("retry-after").is_empty()));
    assert_eq!(ask("203.0.113.50, 198.51.100.9", path).await.status, 429, "a made-up hop does not help");
    assert_eq!(ask("198.51.100.10", path).await.status, 200, "a neighbour notices nothing");
    assert_eq!(ask("198.51.100.9", "/health").await.status, 200, "who watches is not counted");
}

#[tokio::test]
async fn pages_of_others_get_nothing_but_the_one_on_the_list() {
    let world = behind_a_proxy().await;
    for (service, path) in [("gateway", "/graphql"), ("orders", "/orders"), ("users", "/login")] {
        for (origin, is_allowed) in [(FRIEND, true), (STRANGER, false), ("null", false)] {
            let preflight = world.ask(service, Method::OPTIONS, path).header("origin", origin);
            let preflight = preflight.header("access-control-request-method", "POST");
            let asked =
                world.send(world.ask(service, Method::POST, path).header("origin", origin).json(&json!({}))).await;
            for answer in [world.send(preflight).await.expect("an answer"), asked.expect("an answer")] {
                let allowed = answer.header("access-control-allow-origin");
                assert_eq!(allowed, if is_allowed { origin } else { "" }, "{service} {path} from {origin}");
                assert_eq!(answer.header("access-control-allow-credentials"), "", "{service} {path} from {origin}");
            }
        }
    }
    assert!(Socket::open_with(&world, &[("origin", FRIEND)]).await.is_ok());
    for origin in [STRANGER, "null", "http://127.0.0.1:1"] {
        let refused = Socket::open_with(&world, &[("origin", origin)]).await;
        assert!(refused.is_err_and(|error| error.contains("403")), "{origin}");
    }
    // A form of a foreign page can send these without asking first.
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        let body = json!({"query": "mutation { createCart { cart { id } } }"}).to_string();
        let request = world.ask("gateway", Method::POST, "/graphql").header("content-type", content_type).body(body);
        let answer = world.send(request).await.expect("an answer");
        assert_eq!(answer.status, 415, "{content_type}: {}", answer.text);
    }
}

#[tokio::test]
async fn limits_of_documents_hold_on_the_running_shop() {
    let world = World::open().await;
    let nested =
        |depth: usize| format!("{}id{}", "{category(id: 1){products{edges{node".repeat(depth), "}}}}}".repeat(depth));
    let aliases = (0..31).map(|n| format!("a{n}: __typename ")).collect::<String>();
    let costly =
        "{products(first: 100){edges{node{category{products(first: 100){edges{node{category{products(first: 100)
                  {edges{node{id}}}}}}}}}}}}";
    for (what, document) in [
        ("deep", nested(6)),
        ("aliases", format!("{{{aliases}}}")),
        ("tokens", format!("{{{}}}", "__typename ".repeat(2_000))),
        ("costly", costly.to_owned()),
        ("deep values", format!("{{product(id: {}{})}}", "[".repeat(5_000), "]".repeat(5_000))),
    ] {
        let answer = world.send(world.query(&document, &json!({}), None)).await.expect("an answer");
        assert!(answer.common_complaint().is_none() && answer.json["data"].is_null(), "{what}: {}", answer.start());
        assert!(answer.json["errors"][0]["extensions"]["code"].is_string(), "{what}: {}", answer.start());
    }
    let batch = json!([{"query": "{__typename}"}, {"query": "{__typename}"}]);
    let answer = world.send(world.ask("gateway", Method::POST, "/graphql").json(&batch)).await.expect("an answer");
    assert_eq!(answer.status, 400, "{}", answer.text);
    let by_get = "/graphql?query=mutation%7BcreateCart%7Bcart%7Bid%7D%7D%7D";
    let answer = world.send(world.ask("gateway", Method::GET, by_get)).await.expect("an answer");
    assert_eq!((answer.status, answer.header("allow")), (405, "POST"), "{}", answer.text);
    let huge =
        format!("{{\"query\": \"{{__typename}}\", \"variables\": {{\"a\": \"{}\"}}}}", "x".repeat(2 * 1024 * 1024));
    let request = world.ask("gateway", Method::POST, "/graphql").header("content-type", "application/json").body(huge);
    assert_eq!(world.send(request).await.expect("an answer").status, 413);
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Interleaved, so that whatever else the machine does slows both alike.
#[tokio::test]
async fn a_login_tells_nobody_by_its_time_whether_there_is_an_account() {
    let world = behind_a_proxy().await;
    let ann = world.person(Role::User).await;
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for round in 0..25 {
        for (email, times) in [(ann.email.as_str(), &mut known), ("nobody@example.com", &mut unknown)] {
            let began = Instant::now();
            let answer = log_in(&world, email, "a wrong guess", &format!("198.51.100.{round}")).await;
            times.push(began.elapsed());
            assert_eq!(outcome(&answer), "INVALID_CREDENTIALS", "{}", answer.text);
        }
    }
    let (known, unknown) = (median(known), median(unknown));
    let ratio = known.as_secs_f64() / unknown.as_secs_f64();
    assert!((0.7..1.4).contains(&ratio), "{known:?} with an account, {unknown:?} without");
    assert!(unknown > Duration::from_millis(10), "a password was never looked at: {unknown:?}");
}

/// Passwords are hashed by few threads of low priority: others go on, and what is too much is refused.
#[tokio::test]
async fn a_flood_of_logins_does_not_slow_checkouts() {
    let world = World::open().await;
    let owner = world.person(Role::User).await;
    let mut carts = Vec::new();
    for _ in 0..20 {
        let mut things = Things::of(&world, "orders", &owner);
        carts.push(things.fill("$cart").await);
    }
    let (calm, busy) = carts.split_at(10);
    let quiet = check_out_all(&world, &owner.token, calm).await;
    let flood = (0..400).map(|number| {
        let login = json!({"email": format!("nobody-{number}@example.com"), "password": "a guess of a flood"});
        world.ask("users", Method::POST, "/login").json(&login).send()
    });
    let flooding = tokio::spawn(join_all(flood));
    let flooded = check_out_all(&world, &owner.token, busy).await;
    assert!(!flooding.is_finished(), "the flood was over before it was felt");
    assert!(flooded < quiet * 5 + Duration::from_millis(300), "a checkout takes {quiet:?}, in a flood {flooded:?}");
    let answers = flooding.await.expect("a flood");
    let statuses: Vec<u16> = answers.into_iter().map(|answer| answer.expect("an answer").status().as_u16()).collect();
    let refused = statuses.iter().filter(|status| **status == 503).count();
    assert!(refused > 0 && statuses.iter().all(|status| [401, 503].contains(status)), "{statuses:?}");
}

/// The median time of a checkout.
async fn check_out_all(world: &World, token: &str, carts: &[String]) -> Duration {
    let mut times = Vec::new();
    for cart in carts {
        let to: Value = crate::surface::things::address();
        let place = json!({"cart_id": cart, "payment_method": "pm_card_visa", "shipping_address": to});
        let began = Instant::now();
        let request = world.ask("orders", Method::POST, "/orders").bearer_auth(token).json(&place);
        world.succeed(request.header("idempotency-key", Uuid::now_v7().to_string())).await;
        times.push(began.elapsed());
    }
    median(times)
}
