//! Sessions of browsers: their cookie, and who may make use of it.

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, ORIGIN, SET_COOKIE};
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use service::{Error, Role};

use crate::shop::REFRESH_TOKEN;
use crate::support::Running;

const OWN: &str = "https://shop.example";
const REFRESH: &str = "mutation { refreshSession { user { username } token userErrors { code } } }";
const LOGIN: &str = "mutation { loginUser(input: {email: \"a\", password: \"b\"}) { user { id } token } }";

/// What a browser sends from a page of this origin.
fn from(origin: &str, cookie: Option<&str>, token: Option<&str>, query: &str) -> Request<Body> {
    let mut request = Request::post("/graphql").header(CONTENT_TYPE, "application/json").header(HOST, "shop.example");
    request = request.header(ORIGIN, origin);
    if let Some(cookie) = cookie {
        request = request.header(COOKIE, format!("theme=dark; prost_refresh={cookie}"));
    }
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    request.body(json!({"query": query}).to_string().into()).unwrap()
}

/// The data of the answer, and the cookie that it sets.
async fn send(running: &Running, request: Request<Body>) -> (Value, Option<String>) {
    let (status, headers, body) = running.send(request).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    for token in [REFRESH_TOKEN, "0123456789abcdef"] {
        assert!(!body.contains(token), "the refresh token is in no answer: {body}");
    }
    let cookie = headers.get(SET_COOKIE).map(|cookie| cookie.to_str().unwrap().to_owned());
    let answer: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(answer["errors"], Value::Null, "{answer}");
    (answer["data"].clone(), cookie)
}

#[tokio::test]
async fn logins_and_registrations_begin_a_session_in_a_cookie_that_no_script_reads() {
    let running = Running::new();
    let register = "mutation { registerUser(input: {email: \"a\", username: \"a\", password: \"b\"}) { token } }";
    for query in [LOGIN, register] {
        let (_, cookie) = send(&running, from(OWN, None, None, query)).await;
        let cookie = cookie.unwrap();
        assert!(cookie.starts_with(&format!("prost_refresh={REFRESH_TOKEN}; ")), "{cookie}");
        for flag in ["; HttpOnly", "; SameSite=Strict", "; Path=/graphql", "; Max-Age=", "; Secure"] {
            assert!(cookie.contains(flag), "{flag}: {cookie}");
        }
    }
    running.shop.refuse("login", Error::unauthenticated("invalid_credentials", "wrong"));
    assert_eq!(send(&running, from(OWN, None, None, LOGIN)).await.1, None);
}

#[tokio::test]
async fn a_session_goes_on_with_the_next_token() {
    let running = Running::new();
    let with_cart = REFRESH.replace("refreshSession", "refreshSession(input: {cartId: \"CART\"})");
    let with_cart = with_cart.replace("CART", &running.shop.cart_id.to_string());
    let (data, cookie) = send(&running, from(OWN, Some(REFRESH_TOKEN), None, &with_cart)).await;
    assert_eq!(
        (&data["refreshSession"]["user"]["username"], &data["refreshSession"]["userErrors"]),
        (&json!("ann"), &json!([]))
    );
    assert!(data["refreshSession"]["token"].is_string());
    assert!(cookie.unwrap().starts_with("prost_refresh=0123"));
    assert_eq!(running.shop.take_calls(), ["refresh", "login", "adopt"]);
}

#[tokio::test]
async fn without_a_session_there_is_nobody_and_no_error() {
    let running = Running::new();
    let nobody = json!({"refreshSession": {"user": null, "token": null, "userErrors": []}});
    for cookie in [None, Some("over"), Some("no token!")] {
        assert_eq!(send(&running, from(OWN, cookie, None, REFRESH)).await, (nobody.clone(), None), "{cookie:?}");
    }
    assert_eq!(running.shop.take_calls(), ["refresh"], "only what may be a token is asked about");
    running.shop.refuse("refresh", Error::unavailable("users is away"));
    let (_, headers, body) = running.send(from(OWN, Some(REFRESH_TOKEN), None, REFRESH)).await;
    assert!(body.contains("UNAVAILABLE") && !headers.contains_key(SET_COOKIE), "the session is not lost: {body}");
}

#[tokio::test]
async fn pages_of_other_origins_have_no_session() {
    let running = Running::with(|config| config.allowed_origins = vec!["https://partner.example".parse().unwrap()]);
    for origin in ["https://evil.example", "null", "https://partner.example", "https://shop.example:8443"] {
        let (data, cookie) = send(&running, from(origin, Some(REFRESH_TOKEN), None, REFRESH)).await;
        assert_eq!((&data["refreshSession"]["token"], cookie), (&Value::Null, None), "{origin}");
        let (data, cookie) =
            send(&running, from(origin, Some(REFRESH_TOKEN), None, "mutation { logout { done } }")).await;
        assert_eq!((data, cookie), (json!({"logout": {"done": true}}), None), "{origin}");
        assert_eq!(running.shop.take_calls(), Vec::<&str>::new(), "{origin}");
        assert_eq!(send(&running, from(origin, None, None, LOGIN)).await.1, None, "nobody is logged in as another");
        running.shop.take_calls();
    }
    let form = Request::post("/graphql").header(CONTENT_TYPE, "text/plain").header(COOKIE, "prost_refresh=x");
    let form = form.body(json!({"query": REFRESH}).to_string().into()).unwrap();
    assert_eq!(running.send(form).await.0, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let get = Request::get("/graphql?query=mutation%7Blogout%7Bdone%7D%7D").body(Body::empty()).unwrap();
    assert_eq!(running.send(get).await.0, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_logout_ends_the_session_and_forgets_the_cookie_without_a_bearer_token_too() {
    let running = Running::new();
    for token in [None, Some(running.shop.token(Role::User))] {
        let logout = "mutation { logout { done } }";
        let (data, cookie) = send(&running, from(OWN, Some(REFRESH_TOKEN), token.as_deref(), logout)).await;
        assert_eq!(data, json!({"logout": {"done": true}}));
        let cookie = cookie.unwrap();
        assert!(cookie.starts_with("prost_refresh=; ") && cookie.contains("Max-Age=0"), "{cookie}");
        assert_eq!(running.shop.take_calls(), ["logout"]);
    }
}

#[tokio::test]
async fn a_changed_password_begins_a_new_session() {
    let running = Running::new();
    let token = running.shop.token(Role::User);
    let change = "mutation { changePassword(input: {currentPassword: \"old\", newPassword: \"new\",
        idempotencyKey: \"once\"}) { user { username } token userErrors { code field } } }";
    let (data, cookie) = send(&running, from(OWN, Some("old"), Some(&token), change)).await;
    assert_eq!(data["changePassword"]["user"]["username"], "ann");
    assert!(data["changePassword"]["token"].is_string() && cookie.is_some());
    assert_eq!(running.shop.take_calls(), ["change_password", "profile", "login"]);

    running.shop.refuse("change_password", Error::invalid("current_password", "wrong", "not the present one"));
    let (data, cookie) = send(&running, from(OWN, Some("old"), Some(&token), change)).await;
    let refused = json!([{"code": "VALIDATION_FAILED", "field": ["currentPassword"]}]);
    assert_eq!((&data["changePassword"]["userErrors"], cookie), (&refused, None));
}

#[tokio::test]
async fn a_deleted_account_has_no_session() {
    let running = Running::new();
    let token = running.shop.token(Role::User);
    let delete = "mutation { deleteAccount(input: {password: \"secret\"}) { done userErrors { code field } } }";
    let (data, cookie) = send(&running, from(OWN, Some(REFRESH_TOKEN), Some(&token), delete)).await;
    assert_eq!(data["deleteAccount"], json!({"done": true, "userErrors": []}));
    assert!(cookie.unwrap().contains("Max-Age=0"));
    running.shop.refuse("close_account", Error::conflict("last_admin", "the only one"));
    let (data, cookie) = send(&running, from(OWN, Some(REFRESH_TOKEN), Some(&token), delete)).await;
    let refused = json!({"done": null, "userErrors": [{"code": "LAST_ADMIN", "field": null}]});
    assert_eq!((&data["deleteAccount"], cookie), (&refused, None));
}

#[tokio::test]
async fn what_is_about_oneself_needs_a_login() {
    let running = Running::new();
    let operations = [
        "mutation { changePassword(input: {currentPassword: \"\", newPassword: \"\"}) { token } }",
        "mutation { deleteAccount(input: {password: \"\"}) { done } }",
        "{ exportMyData }",
    ];
    for query in operations {
        let answer = running.post(query, None).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{query}");
    }
    assert_eq!(running.shop.take_calls(), Vec::<&str>::new());
    let export = running.post("{ exportMyData }", Some(&running.shop.token(Role::User))).await;
    let export: Value = serde_json::from_str(export["data"]["exportMyData"].as_str().unwrap()).unwrap();
    assert_eq!(export["account"]["user"]["email"], "ann@example.com");
    assert_eq!((export["orders"].as_array().unwrap().len(), &export["cart"]["item_count"]), (3, &json!(12)));
}

#[tokio::test]
async fn accounts_and_roles_are_admins_business() {
    let running = Running::new();
    let id = running.shop.buyer.id;
    let list =
        "{ users(first: 5, q: \"ann\", role: USER) { edges { cursor node { email } } pageInfo { hasNextPage } } }";
    let set = format!(
        "mutation {{ setUserRole(input: {{userId: \"{id}\", role: ADMIN, idempotencyKey: \"k\"}}) {{
        user {{ id role }} userErrors {{ code field }} }} }}"
    );
    let customer = running.shop.token(Role::User);
    for query in [list, &set] {
        for (token, code) in [(None, "UNAUTHENTICATED"), (Some(customer.as_str()), "FORBIDDEN")] {
            let answer = running.post(query, token).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{query}");
        }
    }
    assert_eq!(running.shop.take_calls(), Vec::<&str>::new());

    let admin = running.shop.token(Role::Admin);
    let nested = "{ users { edges { node { cart { itemCount } orders(first: 1) { edges { node { id } } } } } } }";
    let edges = running.post(nested, Some(&admin)).await["data"]["users"]["edges"].clone();
    assert_eq!(edges.as_array().unwrap().len(), 2);
    assert!(edges.as_array().unwrap().iter().all(|edge| edge["node"]["cart"]["itemCount"] == 12), "{edges}");
    let mut calls = running.shop.take_calls();
    calls[1..].sort_unstable();
    assert_eq!(calls, ["users", "active_carts_of_users", "orders_of_users"], "one call for all of them");
    let users = running.post(list, Some(&admin)).await["data"]["users"].clone();
    assert_eq!(users["edges"][0]["node"]["email"], "ann@example.com");
    let payload = running.post(&set, Some(&admin)).await["data"]["setUserRole"].clone();
    assert_eq!(payload, json!({"user": {"id": id, "role": "ADMIN"}, "userErrors": []}));
    let nobody = set.replace(&id.to_string(), "nobody");
    let payload = running.post(&nobody, Some(&admin)).await["data"]["setUserRole"].clone();
    let refused = json!([{"code": "VALIDATION_FAILED", "field": ["userId"]}]);
    assert_eq!(payload, json!({"user": null, "userErrors": refused}));
    running.shop.refuse("set_role", Error::conflict("last_admin", "the only one"));
    let payload = running.post(&set, Some(&admin)).await["data"]["setUserRole"].clone();
    assert_eq!(payload["userErrors"], json!([{"code": "LAST_ADMIN", "field": null}]));
}
