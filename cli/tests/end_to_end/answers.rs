//! Whole answers that the gateway keeps are never older than an answer that was given, whoever changes the catalogue.

use std::time::Duration;

use serde_json::{Value, json};
use service::Role;
use testkit::eventually;

use crate::support::{Client, Shop, Transport, client};

const SOON: Duration = Duration::from_secs(60);
const LIST: &str = "query($f: ProductFilter) { products(first: 100, filter: $f) { edges { node {
    id name stockQuantity price { amount currencyCode } } } totalCount } }";

/// What a metric of the gateway with these labels says.
async fn counted(shop: &Shop, metric: &str, labels: [&str; 2]) -> u64 {
    let url = format!("{}/metrics", shop.url("gateway"));
    let text = client::http().get(url).send().await.expect("metrics").text().await.expect("a text");
    let is_it = |line: &&str| line.starts_with(metric) && labels.iter().all(|label| line.contains(label));
    let line = text.lines().find(is_it);
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(0)
}

/// Whole answers that were at hand so far.
async fn hits(shop: &Shop) -> u64 {
    counted(shop, "cache_reads_total", ["cache=\"answer\"", "outcome=\"hit\""]).await
}

/// Questions that were answered so far.
async fn answered(shop: &Shop) -> u64 {
    counted(shop, "graphql_operation_duration_seconds_count", ["kind=\"query\"", "outcome=\"ok\""]).await
}

/// What everybody sees, once it is kept: whatever is seen next is either a change or comes from there.
async fn kept(shop: &Shop, guest: &Client) -> Value {
    let before = hits(shop).await;
    eventually(SOON, || async {
        guest.graphql(LIST, json!({})).await;
        let list = guest.graphql(LIST, json!({})).await; // at once, because answers are not kept for long
        if hits(shop).await > before { Ok(list) } else { Err("the answer is not kept".to_owned()) }
    })
    .await
}

fn node<'a>(list: &'a Value, id: &str) -> Option<&'a Value> {
    let edges = list["products"]["edges"].as_array().expect("a list");
    edges.iter().map(|edge| &edge["node"]).find(|node| node["id"] == id)
}

async fn change(admin: &Client, field: &str, input: Value) {
    let capital = field[..1].to_uppercase() + &field[1..];
    let query = format!("mutation($i: {capital}Input!) {{ {field}(input: $i) {{ userErrors {{ code }} }} }}");
    let told = admin.graphql(&query, json!({"i": input})).await;
    assert_eq!(told[field]["userErrors"], json!([]), "{told}");
}

#[tokio::test]
async fn every_change_shows_at_once_in_a_list_that_is_kept() {
    let shop = Shop::in_one_process(Transport::Postgres).await;
    let admin = shop.client().signed_in(Role::Admin);
    let (guest, shopper) = (shop.client(), shop.client().signed_in(Role::User));
    let tea = admin.create_product("Sencha", "9.90", 50).await;
    let seen = async || guest.graphql(LIST, json!({})).await;

    for units in 40..45 {
        kept(&shop, &guest).await;
        change(&admin, "adjustStock", json!({"productId": tea, "setTo": units, "reason": "count"})).await;
        assert_eq!(node(&seen().await, &tea).expect("listed")["stockQuantity"], units);
    }
    kept(&shop, &guest).await;
    let price = json!({"amount": "8.80", "currencyCode": "EUR"});
    change(&admin, "updateProduct", json!({"id": tea, "price": price})).await;
    assert_eq!(node(&seen().await, &tea).expect("listed")["price"], price);

    // A sale: from the moment that the buyer can know of it.
    for sold in 1..4 {
        let cart = shopper.cart_with(&tea, 1).await;
        kept(&shop, &guest).await;
        let order = shopper.checkout(&cart, "pm_card_visa").await;
        shopper.order_in(&order, &["INVENTORY_RESERVED", "PAYMENT_PROCESSED", "CONFIRMED"], SOON).await;
        assert_eq!(node(&seen().await, &tea).expect("listed")["stockQuantity"], 44 - sold);
        shopper.order_in(&order, &["CONFIRMED"], SOON).await;
    }

    kept(&shop, &guest).await;
    let coffee = admin.create_product("Guji", "12.50", 1).await;
    assert!(node(&seen().await, &coffee).is_some());
    kept(&shop, &guest).await;
    change(&admin, "deleteProduct", json!({"id": tea})).await;
    assert_eq!(node(&seen().await, &tea), None);

    let before = kept(&shop, &guest).await["products"]["totalCount"].as_i64().expect("a count");
    shop.run(&["seed"]); // another process
    assert!(seen().await["products"]["totalCount"].as_i64().expect("a count") > before);
    // And when it is gone, answers are kept again.
    kept(&shop, &guest).await;
}

#[tokio::test]
async fn what_one_is_told_another_is_not() {
    let shop = Shop::in_one_process(Transport::Postgres).await;
    let admin = shop.client().signed_in(Role::Admin);
    let tea = admin.create_product("Sencha", "9.90", 5).await;
    kept(&shop, &shop.client()).await;
    let before = hits(&shop).await;
    let questions = answered(&shop).await;
    for _ in 0..3 {
        shop.client().graphql(LIST, json!({})).await;
    }
    assert_eq!(answered(&shop).await, questions + 3, "an answer counts, wherever it comes from");
    let history = "query($id: ID!) { product(id: $id) { name stockHistory { edges { node { reason } } } } }";
    for _ in 0..2 {
        let told = admin.graphql(history, json!({"id": tea})).await;
        assert!(told["product"]["stockHistory"]["edges"][0]["node"]["reason"].is_string(), "{told}");
        let refused = shop.client().try_graphql(history, json!({"id": tea})).await.expect_err("for admins");
        assert!(refused.contains("UNAUTHENTICATED"), "{refused}");
    }
    let euros = json!({"f": {"minPrice": "9.00", "currencyCode": "EUR"}});
    let dollars = json!({"f": {"minPrice": "9.00", "currencyCode": "USD"}});
    for _ in 0..2 {
        for (filter, is_listed) in [(&euros, true), (&dollars, false)] {
            let list = shop.client().graphql(LIST, filter.clone()).await;
            assert_eq!(node(&list, &tea).is_some(), is_listed, "{filter}");
        }
    }
    eventually(SOON, || async {
        for filter in [&euros, &euros, &dollars, &dollars] {
            shop.client().graphql(LIST, filter.clone()).await;
        }
        let hits = hits(&shop).await;
        if hits >= before + 2 { Ok(()) } else { Err(format!("{hits} of {}", before + 2)) }
    })
    .await;
}
