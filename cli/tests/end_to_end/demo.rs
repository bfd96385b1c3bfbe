//! A demo shop: its logins, its poison; and the session that a browser keeps.

use std::time::Duration;

use reqwest::header::{COOKIE, SET_COOKIE};
use serde_json::{Value, json};
use service::Role;
use testkit::eventually;

use crate::support::{Shop, Transport, client, oracle};

const SOON: Duration = Duration::from_secs(30);
const DEMO: &str = "{ demo { logins { email password role } } }";

#[tokio::test]
async fn poison_ends_among_the_dead_letters_of_the_queues_it_names() {
    let shop = Shop::with_settings(&[("DEMO", "true")], None).await;
    let admin = shop.client().signed_in(Role::Admin);
    let logins = shop.client().graphql(DEMO, json!({})).await;
    assert_eq!(logins["demo"]["logins"][1]["role"], "ADMIN", "{logins}");
    let send = "mutation { sendPoisonMessage(input: {}) { queues eventId userErrors { code } } }";
    let sent = admin.graphql(send, json!({})).await["sendPoisonMessage"].clone();
    let mut queues: Vec<&str> = sent["queues"].as_array().expect("queues").iter().filter_map(Value::as_str).collect();
    queues.sort_unstable();
    assert_eq!(queues, ["analytics.orders.events.queue", "products.orders.events.queue"], "{sent}");
    eventually(SOON, || async {
        let mut dead: Vec<String> = oracle::dead_letters(&shop).await?.into_keys().collect();
        dead.sort_unstable();
        if dead == queues { Ok(()) } else { Err(format!("{dead:?}")) }
    })
    .await;
    let find = "query($about: String) { deadLetters(about: $about) { total items { queue } } }";
    let found = admin.graphql(find, json!({"about": sent["eventId"]})).await;
    assert_eq!(found["deadLetters"]["items"].as_array().map(Vec::len), Some(2), "{found}");
    oracle::holds(&shop, 2, SOON).await;
}

/// Posts as a browser that has this cookie; the data of the answer, and the cookie it sets.
async fn browse(shop: &Shop, cookie: Option<&str>, query: &str) -> (Value, Option<String>) {
    let url = shop.url("gateway");
    let mut request =
        client::http().post(format!("{url}/graphql")).header("origin", &url).json(&json!({"query": query}));
    if let Some(cookie) = cookie {
        request = request.header(COOKIE, cookie);
    }
    let answer = request.send().await.expect("an answer");
    let set = answer.headers().get(SET_COOKIE).map(|cookie| cookie.to_str().expect("ASCII").to_owned());
    let body: Value = answer.json().await.expect("JSON");
    assert_eq!(body.get("errors"), None, "{body}");
    (body["data"].clone(), set.and_then(|cookie| cookie.split_once(';').map(|(pair, _)| pair.to_owned())))
}

#[tokio::test]
async fn a_browser_stays_logged_in_over_reloads_and_tabs_until_it_logs_out() {
    let shop = Shop::in_one_process(Transport::Postgres).await;
    assert_eq!(shop.client().graphql(DEMO, json!({})).await["demo"], Value::Null, "this is no demo shop");
    let register = "mutation { registerUser(input: {email: \"ada@example.com\", username: \"ada\",
        password: \"correct horse\"}) { user { id } token userErrors { code } } }";
    let refresh = "mutation { refreshSession { user { email } token } }";
    let (_, first) = browse(&shop, None, register).await;
    let first = first.expect("a registration begins a session");
    let (one, other) = tokio::join!(browse(&shop, Some(&first), refresh), browse(&shop, Some(&first), refresh));
    assert_eq!(one.0["refreshSession"]["user"]["email"], "ada@example.com");
    assert_eq!(other.0["refreshSession"]["user"]["email"], "ada@example.com", "two tabs at once");
    assert_eq!(one.1, other.1, "and one session");
    let second = one.1.expect("the next token");
    let token = one.0["refreshSession"]["token"].as_str().expect("a bearer token").to_owned();
    let me = shop.client().with_token(&token).graphql("{ me { username } }", json!({})).await;
    assert_eq!(me["me"]["username"], "ada");

    let (_, ended) = browse(&shop, Some(&second), "mutation { logout { done } }").await;
    assert_eq!(ended.as_deref(), Some("prost_refresh="));
    for cookie in [&first, &second] {
        assert_eq!(browse(&shop, Some(cookie), refresh).await.0["refreshSession"]["token"], Value::Null);
    }
}
