//! Where somebody's data lie: exactly where `docs/personal-data.md` says, and nowhere once the account is closed.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::connect;
use tokio_postgres::Client as Postgres;
use uuid::Uuid;

use crate::support::{Shop, Transport, client, oracle};
use service::Role;

const SOON: Duration = Duration::from_secs(30);
const EMAIL: &str = "grace.brewster@example.org";
/// As the shop's test client sends it along.
const STREET: &str = "Analytical Way";

/// The documented places of one kind of data: rows of the table whose second column names it.
fn documented(kind: &str) -> BTreeSet<String> {
    let text = include_str!("../../../docs/personal-data.md");
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>());
    cells.filter(|cells| cells[2].contains(kind)).map(|cells| cells[1].trim_matches('`').to_owned()).collect()
}

/// Every table of a database that has a row with this text in it.
async fn holding(database: &Postgres, text: &str) -> BTreeSet<String> {
    let tables = "SELECT n.nspname::text AS schema, c.relname::text AS name FROM pg_class c
                  JOIN pg_namespace n ON n.oid = c.relnamespace
                  WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')";
    let mut found = BTreeSet::new();
    for row in database.query(tables, &[]).await.expect("list the tables") {
        let (schema, name): (String, String) = (row.get("schema"), row.get("name"));
        let sql = format!("SELECT EXISTS (SELECT 1 FROM {schema}.{name} t WHERE t::text ILIKE $1) AS found");
        let row = database.query_one(&sql, &[&format!("%{text}%")]).await.expect("search a table");
        if row.get("found") {
            let name = if name.starts_with("events_2") || name == "events_default" { "events" } else { &name };
            found.insert(format!("{schema}.{name}"));
        }
    }
    found
}

async fn everywhere(shop: &Shop, text: &str) -> BTreeSet<String> {
    let mut found = holding(&shop.database.owner().await, text).await;
    let analytics = connect(shop.analytics_url()).await;
    found.extend(holding(&analytics, text).await.into_iter().map(|table| table.replace("public.", "analytics.")));
    found
}

#[tokio::test]
async fn personal_data_lie_where_the_documentation_says_until_the_account_is_closed() {
    let shop = Shop::in_one_process(Transport::Postgres).await;
    let product = shop.client().signed_in(Role::Admin).create_product("Assam", "6.10", 5).await;
    let registered = shop
        .client()
        .graphql(
            "mutation($input: RegisterUserInput!) { registerUser(input: $input) { user { id } token } }",
            json!({"input": {"email": EMAIL, "username": "grace_b", "password": "correct horse",
                             "idempotencyKey": Uuid::new_v4()}}),
        )
        .await;
    let token = registered["registerUser"]["token"].as_str().expect("a token");
    let shopper = shop.client().with_token(token);
    for (method, end) in [("pm_card_visa", "CONFIRMED"), ("pm_card_chargeDeclined", "COMPENSATED")] {
        let cart = shopper.cart_with(&product, 1).await;
        let placed = shopper.try_checkout(&cart, method, Some(method)).await.expect("checkout");
        shopper.order_in(placed["order"]["id"].as_str().expect("an order"), &[end], SOON).await;
    }
    oracle::holds(&shop, 0, SOON).await;

    assert_eq!(everywhere(&shop, EMAIL).await, documented("e-mail"), "where the e-mail lies");
    assert_eq!(everywhere(&shop, STREET).await, documented("postal address"), "where the address lies");
    assert_eq!(everywhere(&shop, "correct horse").await, BTreeSet::new(), "a password in clear");
    let id = registered["registerUser"]["user"]["id"].as_str().expect("an id");
    let export = call(&shop, reqwest::Method::GET, &format!("/profile/{id}/export"), token).await;
    assert_eq!(export["user"]["email"], EMAIL);

    call(&shop, reqwest::Method::DELETE, &format!("/profile/{id}"), token).await;
    // What is left of the e-mail is the answer to the registration's Idempotency-Key, for a day.
    assert_eq!(everywhere(&shop, EMAIL).await, BTreeSet::from(["users.idempotency_records".to_owned()]));
    let owner = shop.database.owner().await;
    assert_eq!(oracle::count(&owner, "SELECT count(*) FROM orders.orders").await, 2, "orders are kept");
}

async fn call(shop: &Shop, method: reqwest::Method, path: &str, token: &str) -> Value {
    let request = client::http().request(method, format!("{}{path}", shop.url("users"))).bearer_auth(token);
    let answer = request.send().await.expect("send");
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
    answer.json().await.unwrap_or_default() // none for 204
}
