//! What resolvers answer, what they ask for, and as whom.

use axum::http::StatusCode;
use serde_json::{Value, json};
use service::{Error, Role};

use crate::support::Running;

fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or("none")
}

#[tokio::test]
async fn nested_fields_are_loaded_in_one_call_per_level() {
    let running = Running::new();
    let token = running.shop.token(Role::User);
    let query = "{ orders { edges { node { items { product { name category { name products(first: 1) {
        edges { node { sku } } } } } } } } } }";
    let answer = running.post(query, Some(&token)).await;
    assert_eq!(answer["errors"], Value::Null, "{answer}");
    let items = answer["data"]["orders"]["edges"][0]["node"]["items"].as_array().unwrap();
    assert_eq!(items.len(), 6);
    assert_eq!(items[4]["product"]["category"]["products"]["edges"][0]["node"]["sku"], "SKU-1");
    let calls = running.shop.take_calls();
    assert_eq!(calls, ["orders", "products_by_ids", "categories_by_ids", "products_by_categories"]);
}

#[tokio::test]
async fn timelines_of_all_orders_are_one_call() {
    let running = Running::new();
    let token = running.shop.token(Role::User);
    let answer = running.post("{ orders { edges { node { id timeline { event detail } } } } }", Some(&token)).await;
    let edges = answer["data"]["orders"]["edges"].as_array().unwrap();
    assert_eq!(edges.len(), 3, "{answer}");
    for edge in edges {
        let node = &edge["node"];
        assert_eq!(node["timeline"], json!([{"event": "OrderPlaced", "detail": node["id"]}]), "each its own");
    }
    assert_eq!(running.shop.take_calls(), ["orders", "timelines"]);
}

#[tokio::test]
async fn the_same_page_of_all_categories_is_one_call_and_another_page_another() {
    let running = Running::new();
    let query = "{ categories { a: products(first: 1) { edges { node { id } } }
        b: products(first: 2) { edges { node { id } } } } }";
    let answer = running.post(query, None).await;
    assert_eq!(answer["data"]["categories"][2]["b"]["edges"].as_array().unwrap().len(), 2);
    let calls = running.shop.take_calls();
    assert_eq!(calls, ["categories", "products_by_categories", "products_by_categories"]);
}

#[tokio::test]
async fn a_mutation_forgets_what_was_loaded_before_it() {
    let running = Running::new();
    let add = "addToCart(input: {productId: \"01951e7a-0000-7000-8000-000000000001\"}) {
        cart { items { product { stockQuantity } } } }";
    let answer = running.post(&format!("mutation {{ a: {add} b: {add} }}"), None).await;
    assert_eq!(answer["errors"], Value::Null, "{answer}");
    assert_eq!(running.shop.take_calls(), ["add_item", "products_by_ids", "add_item", "products_by_ids"]);
}

#[tokio::test]
async fn connections_page_through_without_gap() {
    let running = Running::new();
    let (mut seen, mut after) = (Vec::new(), Value::Null);
    loop {
        let query = format!(
            "{{ products(first: 4, after: {after}) {{ edges {{ cursor node {{ sku }} }}
            pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"
        );
        let page = running.post(&query, None).await["data"]["products"].clone();
        let edges = page["edges"].as_array().unwrap();
        seen.extend(edges.iter().map(|edge| edge["node"]["sku"].as_str().unwrap().to_owned()));
        let info = &page["pageInfo"];
        assert_eq!(info["hasPreviousPage"], json!(!after.is_null()));
        assert_eq!(
            (&info["startCursor"], &info["endCursor"]),
            (&edges[0]["cursor"], &edges[edges.len() - 1]["cursor"])
        );
        if info["hasNextPage"] == json!(false) {
            break;
        }
        after = info["endCursor"].clone();
    }
    assert_eq!(seen, ["SKU-0", "SKU-1", "SKU-2", "SKU-3", "SKU-4", "SKU-5"]);
}

#[tokio::test]
async fn pages_have_limits() {
    let running = Running::new();
    let products = |arguments: &str| format!("{{ products({arguments}) {{ edges {{ node {{ id }} }} }} }}");
    for first in [-1, 101, i32::MIN] {
        let answer = running.post(&products(&format!("first: {first}")), None).await;
        assert_eq!((code(&answer), &answer["data"]), ("VALIDATION_FAILED", &Value::Null), "{first}");
        assert!(answer["errors"][0]["message"].as_str().unwrap().contains("between 0 and 100"));
    }
    assert_eq!(code(&running.post(&products("after: \"?\""), None).await), "INVALID_CURSOR");
    let none = running.post("{ products(first: 0) { edges { cursor } pageInfo { hasNextPage } } }", None).await;
    assert_eq!(none["data"]["products"], json!({"edges": [], "pageInfo": {"hasNextPage": true}}));
    let default = running.post(&products("first: null"), None).await;
    assert_eq!(default["data"]["products"]["edges"].as_array().unwrap().len(), 6);
}

#[tokio::test]
async fn what_does_not_exist_or_is_somebody_elses_is_null() {
    let running = Running::new();
    let token = running.shop.token(Role::User);
    for id in ["01951e7a-0000-7000-8000-000000000001", "no id at all", ""] {
        let query = format!(
            "{{ product(id: \"{id}\") {{ id }} category(id: \"{id}\") {{ id }} cart(id: \"{id}\") {{ id }}
            order(id: \"{id}\") {{ id }} user(id: \"{id}\") {{ id }} }}"
        );
        let answer = running.post(&query, Some(&token)).await;
        let nothing = json!({"product": null, "category": null, "cart": null, "order": null, "user": null});
        assert_eq!(answer, json!({"data": nothing}), "{id}");
    }
    assert_eq!(running.post("{ me { id } }", None).await, json!({"data": {"me": null}}));
}

#[tokio::test]
async fn a_missing_login_or_role_is_a_top_level_error() {
    let running = Running::new();
    let customer = running.shop.token(Role::User);
    let create = "mutation { createProduct(input: {name: \"\", sku: \"\",
        price: {amount: \"x\", currencyCode: \"?\"}}) { userErrors { code } } }";
    let checkout = "mutation { checkout(input: {cartId: \"?\", paymentMethod: \"\", shippingAddress: {fullName: \"\",
        line1: \"\", city: \"\", postalCode: \"\", countryCode: \"\"}}) { userErrors { code } } }";
    assert_eq!(code(&running.post("{ orders { edges { cursor } } }", None).await), "UNAUTHENTICATED");
    assert_eq!(code(&running.post(checkout, None).await), "UNAUTHENTICATED");
    assert_eq!(code(&running.post(create, None).await), "UNAUTHENTICATED");
    assert_eq!(code(&running.post(create, Some(&customer)).await), "FORBIDDEN");
    assert_eq!(running.shop.take_calls(), Vec::<&str>::new());
}

#[tokio::test]
async fn refusals_are_user_errors_that_name_the_field() {
    let running = Running::new();
    let admin = running.shop.token(Role::Admin);
    let create = |amount: &str, key: &str| {
        format!(
            "mutation {{ createProduct(input: {{name: \"Tea\", sku: \"T\", idempotencyKey: \"{key}\",
            price: {{amount: \"{amount}\", currencyCode: \"EUR\"}}}}) {{ product {{ price {{ amount }} }}
            userErrors {{ code field }} }} }}"
        )
    };
    let payload = async |query: String| running.post(&query, Some(&admin)).await["data"]["createProduct"].clone();
    let price = json!([{"code": "VALIDATION_FAILED", "field": ["price", "amount"]}]);
    assert_eq!(payload(create("1.999", "k")).await, json!({"product": null, "userErrors": price}));
    let key = json!([{"code": "INVALID_IDEMPOTENCY_KEY", "field": ["idempotencyKey"]}]);
    assert_eq!(payload(create("1.99", "")).await, json!({"product": null, "userErrors": key}));
    assert_eq!(running.shop.take_calls(), Vec::<&str>::new());

    running.shop.refuse("create_product", Error::conflict("sku_already_exists", "this SKU is taken"));
    let taken = json!([{"code": "SKU_ALREADY_EXISTS", "field": null}]);
    assert_eq!(payload(create("1.9", "k")).await, json!({"product": null, "userErrors": taken}));
}

#[tokio::test]
async fn an_idempotency_key_travels_with_its_mutation_only() {
    let running = Running::new();
    let query = "mutation { createCart(input: {idempotencyKey: \"once\"}) { cart { id } } }";
    let request = crate::support::post(json!({"query": query}), "application/json", None);
    let (mut parts, body) = request.into_parts();
    parts.headers.insert("idempotency-key", "of the request".parse().unwrap());
    let (status, _, _) = running.send(axum::http::Request::from_parts(parts, body)).await;
    assert_eq!(status, StatusCode::OK);
    let key = |running: &Running| running.shop.last_caller.lock().unwrap().clone().unwrap().idempotency_key;
    assert_eq!(key(&running).unwrap().as_str(), "once");
    running.post("mutation { createCart { cart { id } } }", None).await;
    assert_eq!(key(&running), None);
}

#[tokio::test]
async fn a_login_shows_the_account_to_the_one_who_logged_in_and_takes_the_cart_over() {
    let running = Running::new();
    let query = format!(
        "mutation {{ loginUser(input: {{email: \"ann@example.com\", password: \"secret\", cartId: \"{}\"}}) {{
        user {{ username cart {{ id }} orders {{ edges {{ node {{ timeline {{ event }} }} }} }} }}
        token userErrors {{ code }} }} }}",
        running.shop.cart_id
    );
    let login = running.post(&query, None).await;
    assert_eq!(login["errors"], Value::Null, "{login}");
    let login = &login["data"]["loginUser"];
    assert_eq!(login["user"]["cart"]["id"], json!(running.shop.cart_id));
    assert_eq!(login["user"]["orders"]["edges"][0]["node"]["timeline"][0]["event"], "OrderPlaced");
    assert!(login["token"].is_string());
    let mut calls = running.shop.take_calls();
    calls[2..].sort_unstable(); // siblings, in any order
    assert_eq!(calls, ["login", "adopt", "active_carts_of_users", "orders_of_users", "timelines"]);
}

#[tokio::test]
async fn wrong_credentials_are_a_user_error_and_too_many_a_fault() {
    let running = Running::new();
    let query =
        "mutation { loginUser(input: {email: \"a\", password: \"b\"}) { user { id } token userErrors { code } } }";
    running.shop.refuse("login", Error::unauthenticated("invalid_credentials", "wrong"));
    let refused = json!({"user": null, "token": null, "userErrors": [{"code": "INVALID_CREDENTIALS"}]});
    assert_eq!(running.post(query, None).await["data"]["loginUser"], refused);
    running.shop.refuse("login", Error::too_many_requests("slow down", std::time::Duration::from_secs(60)));
    let answer = running.post(query, None).await;
    assert_eq!((code(&answer), &answer["errors"][0]["extensions"]["retryAfter"]), ("RATE_LIMITED", &json!(60)));
}

#[tokio::test]
async fn a_registration_stands_whatever_becomes_of_the_cart() {
    let running = Running::new();
    let query = format!(
        "mutation {{ registerUser(input: {{email: \"a\", username: \"a\", password: \"b\", cartId: \"{}\"}}) {{
        user {{ id }} token userErrors {{ code field }} }} }}",
        running.shop.cart_id
    );
    running.shop.refuse("adopt", Error::not_found("cart_not_found", "there is no such cart"));
    let answer = running.post(&query, None).await["data"]["registerUser"].clone();
    assert!(answer["token"].is_string());
    assert_eq!(answer["userErrors"], json!([{"code": "CART_NOT_FOUND", "field": ["cartId"]}]));

    running.shop.refuse("adopt", Error::unavailable("cart is away"));
    let answer = running.post(&query, None).await;
    assert!(answer["data"]["registerUser"]["token"].is_string());
    assert_eq!((code(&answer), &answer["errors"][0]["path"]), ("UNAVAILABLE", &json!(["registerUser"])));
}

#[tokio::test]
async fn no_cause_of_a_fault_leaves_the_house() {
    let running = Running::new();
    running.shop.refuse("products", Error::internal("relation \"products\" does not exist"));
    let answer = running.post("{ products { edges { cursor } } }", None).await;
    assert_eq!(code(&answer), "INTERNAL");
    assert!(!answer.to_string().contains("relation"), "{answer}");
}

#[tokio::test]
async fn null_and_absent_are_told_apart_when_a_product_is_changed() {
    let running = Running::new();
    let admin = running.shop.token(Role::Admin);
    let id = running.shop.products[0].id;
    let update = async |fields: &str| {
        let query = format!(
            "mutation {{ updateProduct(input: {{id: \"{id}\" {fields}}}) {{ product {{ id }} userErrors {{ code }} }} }}"
        );
        let answer = running.post(&query, Some(&admin)).await;
        assert_eq!(answer["data"]["updateProduct"]["userErrors"], json!([]), "{answer}");
        running.shop.take_calls()
    };
    assert_eq!(update("description: null").await, ["update_product"]);
    assert_eq!(update("stockQuantity: 5").await, ["update_product"]);
    assert_eq!(update("stockQuantity: 5, name: \"Tea\"").await, ["update_product"], "all or nothing, in one call");
    assert_eq!(update("").await, ["product"]);
}
