//! The catalogue: what lists tell of themselves, what admins change, and how few calls it takes.

use serde_json::{Value, json};
use service::{Error, Role};

use crate::support::Running;

fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or("none")
}

#[tokio::test]
async fn a_list_tells_of_itself_only_when_asked_and_then_once() {
    let running = Running::new();
    let bare = "{ products(first: 1) { edges { node { id } } } }";
    running.post(bare, None).await;
    assert_eq!(running.shop.take_calls(), ["products"]);

    let query = "{ products(first: 1, filter: {q: \"tea\"}, sort: NAME) { totalCount totalCountIsExact facets {
        categories { category { name } count } inStock soldOut minPrice { amount } maxPrice { amount } } } }";
    let answer = running.post(query, None).await;
    let products = &answer["data"]["products"];
    assert_eq!((&products["totalCount"], &products["totalCountIsExact"]), (&json!(6), &json!(true)), "{answer}");
    let facets = &products["facets"];
    assert_eq!(facets["categories"][1], json!({"category": {"name": "Category 1"}, "count": 2}));
    assert_eq!((&facets["inStock"], &facets["minPrice"]["amount"]), (&json!(6), &json!("12.50")));
    assert_eq!(running.shop.take_calls(), ["products", "facets", "categories_by_ids"]);
}

#[tokio::test]
async fn counts_of_all_categories_are_one_call() {
    let running = Running::new();
    let query = "{ categories { products(first: 1) { totalCount facets { inStock } edges { node { id } } } } }";
    let answer = running.post(query, None).await;
    assert_eq!(answer["data"]["categories"][2]["products"]["totalCount"], 2, "{answer}");
    assert_eq!(running.shop.take_calls(), ["categories", "products_by_categories", "facets_by_categories"]);
}

#[tokio::test]
async fn a_filter_of_no_category_finds_nothing() {
    let running = Running::new();
    let query = "{ products(filter: {categoryId: \"none\"}) { totalCount totalCountIsExact facets { inStock minPrice {
        amount } categories { count } } edges { cursor } } }";
    let answer = running.post(query, None).await;
    let facets = json!({"inStock": 0, "minPrice": null, "categories": []});
    let nothing = json!({"totalCount": 0, "totalCountIsExact": true, "facets": facets, "edges": []});
    assert_eq!(answer, json!({"data": {"products": nothing}}));
}

#[tokio::test]
async fn related_products_and_stock_histories_of_a_page_are_one_call_each() {
    let running = Running::new();
    let admin = running.shop.token(Role::Admin);
    let query = "{ products { edges { node { sku images version related(first: 2) { sku }
        stockHistory(first: 1) { edges { cursor node { change reason actor at stockQuantity id } }
        pageInfo { hasNextPage } } } } } }";
    let answer = running.post(query, Some(&admin)).await;
    let node = &answer["data"]["products"]["edges"][0]["node"];
    assert_eq!(node["related"], json!([{"sku": "SKU-1"}, {"sku": "SKU-2"}]), "{answer}");
    assert_eq!((&node["version"], &node["images"][0]), (&json!(1), &json!("/images/a.svg")));
    assert_eq!(node["stockHistory"]["edges"][0]["node"]["change"], 3);
    assert_eq!(node["stockHistory"]["pageInfo"]["hasNextPage"], true);
    let mut calls = running.shop.take_calls();
    calls[1..].sort_unstable(); // siblings, in any order
    assert_eq!(calls, ["products", "related_products", "stock_histories"]);
}

#[tokio::test]
async fn the_history_of_the_stock_is_for_admins_and_spoils_nothing_else() {
    let running = Running::new();
    let customer = running.shop.token(Role::User);
    let query = "{ products(first: 1) { edges { node { sku stockHistory { edges { cursor } } } } } }";
    for (token, expected) in [(None, "UNAUTHENTICATED"), (Some(customer.as_str()), "FORBIDDEN")] {
        let answer = running.post(query, token).await;
        let node = &answer["data"]["products"]["edges"][0]["node"];
        assert_eq!((code(&answer), node), (expected, &json!({"sku": "SKU-0", "stockHistory": null})));
    }
    assert_eq!(running.shop.take_calls(), ["products", "products"]);
}

#[tokio::test]
async fn suggestions_are_bounded() {
    let running = Running::new();
    let suggest = |arguments: &str| format!("{{ suggestions(q: \"t\"{arguments}) {{ sku }} }}");
    let answer = running.post(&suggest(", first: 2"), None).await;
    assert_eq!(answer["data"]["suggestions"], json!([{"sku": "SKU-0"}, {"sku": "SKU-1"}]));
    assert_eq!(running.post(&suggest(""), None).await["data"]["suggestions"].as_array().unwrap().len(), 6);
    for first in [0, -1, 21] {
        assert_eq!(code(&running.post(&suggest(&format!(", first: {first}")), None).await), "VALIDATION_FAILED");
    }
}

/// Each change of the catalogue: field, input, and what it selects.
fn changes(running: &Running) -> [(&'static str, String, &'static str); 6] {
    let id = running.shop.products[0].id;
    [
        ("uploadPicture", "contentBase64: \"iVBORw0KGgo=\", contentType: \"image/png\"".into(), "url"),
        ("createProduct", "name: \"A\", sku: \"A\", price: {amount: \"1\", currencyCode: \"EUR\"}".into(), "product"),
        ("updateProduct", format!("id: \"{id}\", name: \"A\", expectedVersion: 1"), "product"),
        ("deleteProduct", format!("id: \"{id}\""), "product"),
        ("adjustStock", format!("productId: \"{id}\", change: 1, reason: \"count\""), "product"),
        ("createCategory", "name: \"Tea\"".into(), "category"),
    ]
}

fn mutation(field: &str, input: &str, object: &str) -> String {
    let selected = if object == "url" { object.to_owned() } else { format!("{object} {{ id }}") };
    format!("mutation {{ {field}(input: {{{input}}}) {{ {selected} userErrors {{ code field }} }} }}")
}

#[tokio::test]
async fn only_admins_change_the_catalogue() {
    let running = Running::new();
    let customer = running.shop.token(Role::User);
    for (field, input, object) in changes(&running) {
        let query = mutation(field, &input, object);
        assert_eq!(code(&running.post(&query, None).await), "UNAUTHENTICATED", "{field}");
        assert_eq!(code(&running.post(&query, Some(&customer)).await), "FORBIDDEN", "{field}");
    }
    assert_eq!(running.shop.take_calls(), Vec::<&str>::new());
}

#[tokio::test]
async fn every_change_answers_its_object() {
    let running = Running::new();
    let admin = running.shop.token(Role::Admin);
    for (field, input, object) in changes(&running) {
        let answer = running.post(&mutation(field, &input, object), Some(&admin)).await;
        let payload = &answer["data"][field];
        let answered = if object == "url" { &payload[object] } else { &payload[object]["id"] };
        assert!(answered.is_string(), "{answer}");
        assert_eq!(payload["userErrors"], json!([]), "{field}");
    }
}

#[tokio::test]
async fn a_change_that_is_refused_is_data() {
    let running = Running::new();
    let admin = running.shop.token(Role::Admin);
    let refused = async |name: &'static str, error: Error, field: &str| {
        running.shop.refuse(name, error);
        let all = changes(&running);
        let (_, input, object) = all.iter().find(|(known, ..)| *known == field).unwrap();
        running.post(&mutation(field, input, object), Some(&admin)).await["data"][field]["userErrors"].clone()
    };
    let changed = Error::new(axum::http::StatusCode::PRECONDITION_FAILED, "product_changed", "read it again");
    let told = refused("update_product", changed, "updateProduct").await;
    assert_eq!(told, json!([{"code": "PRODUCT_CHANGED", "field": null}]));
    let gone = Error::not_found("product_not_found", "there is no such product");
    let told = refused("delete_product", gone, "deleteProduct").await;
    assert_eq!(told, json!([{"code": "PRODUCT_NOT_FOUND", "field": null}]));
    let range = Error::invalid("set", "out_of_range", "at most");
    let told = refused("adjust_stock", range, "adjustStock").await;
    assert_eq!(told, json!([{"code": "VALIDATION_FAILED", "field": ["setTo"]}]));
    let taken = Error::conflict("category_name_already_exists", "another category has this name");
    let told = refused("create_category", taken, "createCategory").await;
    assert_eq!(told, json!([{"code": "CATEGORY_NAME_ALREADY_EXISTS", "field": null}]));

    let mismatch = Error::invalid("content", "mismatch", "these bytes are no image/png");
    let told = refused("upload_picture", mismatch, "uploadPicture").await;
    assert_eq!(told, json!([{"code": "VALIDATION_FAILED", "field": ["contentBase64"]}]));
    let query = mutation("uploadPicture", "contentBase64: \"?\", contentType: \"image/png\"", "url");
    let told = running.post(&query, Some(&admin)).await["data"]["uploadPicture"]["userErrors"].clone();
    assert_eq!(told, json!([{"code": "VALIDATION_FAILED", "field": ["contentBase64"]}]));

    for (field, input) in [("deleteProduct", "id: \"7\""), ("adjustStock", "productId: \"7\", reason: \"\"")] {
        let answer = running.post(&mutation(field, input, "product"), Some(&admin)).await;
        assert_eq!(answer["data"][field]["userErrors"][0]["code"], "VALIDATION_FAILED", "{answer}");
    }
}

#[tokio::test]
async fn an_upload_is_kept_for_ever_and_a_picture_of_the_demo_for_an_hour() {
    let running = Running::new();
    let name = "a".repeat(64);
    let get = async |path: &str| {
        let request = axum::http::Request::get(path).body(axum::body::Body::empty()).unwrap();
        let (status, headers, _) = running.send(request).await;
        let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        (status.as_u16(), header("cache-control"), header("content-security-policy"))
    };
    let (status, cache, policy) = get(&format!("/pictures/{name}.png")).await;
    assert_eq!((status, cache.as_deref()), (200, Some("public, max-age=31536000, immutable")));
    assert!(policy.unwrap().contains("sandbox"));
    let (status, cache, _) = get("/images/a.svg").await;
    assert_eq!((status, cache.as_deref()), (200, Some("public, max-age=3600")));
    for path in ["/pictures/a.svg", &format!("/pictures/{name}.svg"), &format!("/pictures/{name}.png.html")] {
        assert_eq!(get(path).await.0, 404, "{path}");
    }
}
