//! GraphQL over HTTP: media types, statuses, methods, limits; pictures; GraphiQL; the shop's pages.

use std::path::Path;

use axum::body::Body;
use axum::http::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use service::Role;

use crate::support::{Running, post};

const HONEST: &str = "application/graphql-response+json";
const LEGACY: &str = "application/json";
const BROWSER: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

async fn send(running: &Running, request: Request<Body>) -> (u16, String, Value) {
    let (status, headers, body) = running.send(request).await;
    let content_type = headers[CONTENT_TYPE].to_str().unwrap().to_owned();
    (status.as_u16(), content_type, serde_json::from_str(&body).unwrap())
}

#[tokio::test]
async fn what_does_not_validate_is_400_or_200_as_the_client_accepts() {
    let running = Running::new();
    let bad = [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("query A { __typename } query B { __typename }", "GRAPHQL_VALIDATION_FAILED"),
        ("query($first: Int!) { products(first: $second) { edges { cursor } } }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { orderStatus(orderId: \"\") { id } }", "OPERATION_NOT_ALLOWED"),
    ];
    for (query, code) in bad {
        for (accept, status) in [(HONEST, 400), (LEGACY, 200)] {
            let (got, content_type, answer) = send(&running, post(json!({"query": query}), accept, None)).await;
            assert_eq!((got, content_type), (status, format!("{accept}; charset=utf-8")), "{query}");
            assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{answer}");
            assert_eq!(answer.get("data"), None, "{query}");
        }
    }
}

#[tokio::test]
async fn what_was_executed_is_200_even_if_it_failed() {
    let running = Running::new();
    for accept in [HONEST, LEGACY] {
        let failed = post(json!({"query": "{ orders { edges { cursor } } }"}), accept, None);
        let (status, _, answer) = send(&running, failed).await;
        assert_eq!((status, answer.get("data")), (200, Some(&Value::Null)));
        assert_eq!(answer["errors"][0]["path"], json!(["orders"]));
        let fine = post(json!({"query": "{ __typename }", "variables": null, "extensions": {}}), accept, None);
        assert_eq!(send(&running, fine).await.2, json!({"data": {"__typename": "Query"}}));
    }
}

#[tokio::test]
async fn a_variable_that_is_not_given_has_its_default_everywhere() {
    let running = Running::new();
    let query = "query($with: Boolean! = true, $without: Boolean! = false, $name: String! = \"Query\") {
        __type(name: $name) { kind a: name @include(if: $with) b: name @skip(if: $without) } }";
    let all = json!({"__type": {"kind": "OBJECT", "a": "Query", "b": "Query"}});
    let none = json!({"__type": {"kind": "OBJECT"}});
    let given = json!({"with": false, "without": true, "name": "Cart"});
    for (variables, expected) in [(json!({}), all), (given, none)] {
        let request = post(json!({"query": query, "variables": variables}), HONEST, None);
        assert_eq!(send(&running, request).await.2, json!({"data": expected}));
    }
}

#[tokio::test]
async fn what_is_no_graphql_request_is_400_under_both_media_types() {
    let running = Running::new();
    let bad = [
        json!({}),
        json!({"query": ""}),
        json!({"query": 1}),
        json!({"query": "{ __typename }", "variables": [1]}),
        json!({"query": "{ __typename }", "operationName": 1}),
        json!({"query": "{ __typename }", "extensions": "x"}),
        json!([{"query": "{ __typename }"}]),
        json!(["{ __typename }"]),
        json!("{ __typename }"),
    ];
    for body in bad {
        for accept in [HONEST, LEGACY] {
            let (status, _, answer) = send(&running, post(body.clone(), accept, None)).await;
            assert_eq!((status, &answer["errors"][0]["extensions"]["code"]), (400, &json!("BAD_REQUEST")), "{body}");
        }
    }
}

#[tokio::test]
async fn transport_faults_have_the_uniform_shape() {
    let running = Running::new();
    let request = |content_type: &str, accept: &str, body: String| {
        let request = Request::post("/graphql").header(CONTENT_TYPE, content_type).header(ACCEPT, accept);
        request.body(Body::from(body)).unwrap()
    };
    let fine = r#"{"query": "{ __typename }"}"#.to_owned();
    let large = format!(r#"{{"query": "{{ __typename }}", "x": "{}"}}"#, "x".repeat(1024 * 1024));
    let faults = [
        (request("text/plain", LEGACY, fine.clone()), 415, "unsupported_media_type"),
        (request("application/x-www-form-urlencoded", LEGACY, fine.clone()), 415, "unsupported_media_type"),
        (request("multipart/form-data", LEGACY, fine.clone()), 415, "unsupported_media_type"),
        (request(LEGACY, "text/html", fine), 406, "not_acceptable"),
        (request(LEGACY, LEGACY, "{".to_owned()), 400, "malformed_json"),
        (request(LEGACY, LEGACY, large), 413, "payload_too_large"),
        (Request::put("/graphql").body(Body::empty()).unwrap(), 405, "method_not_allowed"),
    ];
    for (request, status, error) in faults {
        let (got, _, answer) = send(&running, request).await;
        assert_eq!((got, &answer["error"], &answer["code"]), (status, &json!(error), &json!(status)));
    }
}

fn get(query: &str) -> Request<Body> {
    Request::get(format!("/graphql?{query}")).header(ACCEPT, HONEST).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn get_takes_queries_only() {
    let running = Running::new();
    let query = "query=query($n:Int){products(first:$n){edges{node{sku}}}}&variables=%7B%22n%22:1%7D";
    let (status, _, answer) = send(&running, get(query)).await;
    assert_eq!((status, &answer["data"]["products"]["edges"][0]["node"]["sku"]), (200, &json!("SKU-0")));

    let (status, headers, body) = running.send(get("query=mutation%7BcreateCart%7BuserErrors%7Bcode%7D%7D%7D")).await;
    assert_eq!((status, headers[ALLOW].as_bytes()), (StatusCode::METHOD_NOT_ALLOWED, &b"POST"[..]), "{body}");
    assert_eq!(running.shop.take_calls(), ["products"]);
    // Which of several operations is meant decides.
    let both = "query%20A%7B__typename%7D%20mutation%20B%7BcreateCart%7BuserErrors%7Bcode%7D%7D%7D";
    assert_eq!(send(&running, get(&format!("query={both}&operationName=A"))).await.0, 200);
    assert_eq!(send(&running, get(&format!("query={both}&operationName=B"))).await.0, 405);
    for bad in ["query=", "x=1", "query=%7B__typename%7D&variables=%7B", "query=%7B__typename%7D&variables=1"] {
        assert_eq!(send(&running, get(bad)).await.0, 400, "{bad}");
    }
}

#[tokio::test]
async fn a_bad_token_is_the_whole_requests_fault() {
    let running = Running::new();
    let expired = running.shop.token_until(Role::Admin, 1);
    for token in ["x.y.z", expired.as_str()] {
        for accept in [HONEST, LEGACY] {
            let request = post(json!({"query": "{ __typename }"}), accept, Some(token));
            let (status, headers, body) = running.send(request).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED);
            assert!(headers.contains_key(WWW_AUTHENTICATE));
            let answer: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
        }
    }
}

async fn refusal(running: &Running, query: &str) -> Option<Value> {
    let (status, _, answer) = send(running, post(json!({"query": query}), HONEST, None)).await;
    (status == 400).then(|| answer["errors"][0]["message"].clone())
}

#[tokio::test]
async fn complexity_admits_what_a_page_needs_and_no_more() {
    let running = Running::new();
    let money = "{ amount currencyCode }";
    let product = format!(
        "id name description sku price {money} stockQuantity inStock imageUrl createdAt updatedAt
        category {{ id name description }}"
    );
    let order = format!(
        "id status subtotal {money} shippingTotal {money} taxTotal {money} total {money} correlationId failureCode
        failureReason createdAt updatedAt shippingAddress {{ fullName line1 line2 city postalCode countryCode phone }}
        items {{ quantity unitPrice {money} lineTotal {money} product {{ {product} }} }}
        timeline {{ event at service detail }}"
    );
    let connection = |field: &str, node: &str| {
        format!("{field}(first: 100) {{ edges {{ cursor node {{ {node} }} }} pageInfo {{ hasNextPage endCursor }} }}")
    };
    let admitted = [
        format!("{{ {} }}", connection("products", &product)),
        format!("{{ {} }}", connection("orders", &order)),
        format!("{{ me {{ {} }} }}", connection("orders", &order)),
        format!("{{ categories {{ {} }} }}", connection("products", &product)),
    ];
    for query in admitted {
        assert_eq!(refusal(&running, &query).await, None, "{query}");
    }
    let squared = connection("products", &format!("category {{ {} }}", connection("products", "id name")));
    assert_eq!(refusal(&running, &format!("{{ {squared} }}")).await, Some(json!("Query is too complex.")));
    let negative = squared.replace("first: 100", "first: -2147483648");
    assert_eq!(refusal(&running, &format!("{{ {negative} }}")).await, None);
}

#[tokio::test]
async fn the_standard_introspection_is_within_the_limits() {
    let mut of_type = "kind name".to_owned();
    for _ in 0..9 {
        of_type = format!("kind name ofType {{ {of_type} }}");
    }
    let query = format!(
        "query IntrospectionQuery {{ __schema {{ description queryType {{ name kind }} mutationType {{ name kind }}
        subscriptionType {{ name kind }} types {{ ...FullType }} directives {{ name description isRepeatable locations
        args(includeDeprecated: true) {{ ...InputValue }} }} }} }}
        fragment FullType on __Type {{ kind name description specifiedByURL isOneOf
        fields(includeDeprecated: true) {{ name description args(includeDeprecated: true) {{ ...InputValue }}
        type {{ ...TypeRef }} isDeprecated deprecationReason }}
        inputFields(includeDeprecated: true) {{ ...InputValue }} interfaces {{ ...TypeRef }}
        enumValues(includeDeprecated: true) {{ name description isDeprecated deprecationReason }}
        possibleTypes {{ ...TypeRef }} }}
        fragment InputValue on __InputValue {{ name description type {{ ...TypeRef }} defaultValue isDeprecated
        deprecationReason }}
        fragment TypeRef on __Type {{ {of_type} }}"
    );
    let answer = Running::new().post(&query, None).await;
    assert_eq!(answer["data"]["__schema"]["queryType"]["name"], "Query", "{}", answer["errors"]);
}

#[tokio::test]
async fn pictures_are_cached() {
    let running = Running::new();
    let picture = |known: Option<&str>| {
        let request = Request::get("/images/a.svg");
        known
            .into_iter()
            .fold(request, |request, etag| request.header(IF_NONE_MATCH, etag))
            .body(Body::empty())
            .unwrap()
    };
    let (status, headers, body) = running.send(picture(None)).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "<svg/>"));
    assert_eq!(
        (&headers[ETAG], &headers[CONTENT_TYPE]),
        (&"W/\"one\"".parse().unwrap(), &"image/svg+xml".parse().unwrap())
    );
    assert!(headers[CACHE_CONTROL].to_str().unwrap().contains("max-age"));
    assert_eq!(running.send(picture(Some("W/\"one\""))).await.0, StatusCode::NOT_MODIFIED);
    assert_eq!(running.send(picture(Some("\"two\""))).await.0, StatusCode::OK);
    let missing = Request::get("/images/b.svg").body(Body::empty()).unwrap();
    let (status, _, answer) = send(&running, missing).await;
    assert_eq!((status, &answer["error"]), (404, &json!("picture_not_found")));
}

#[tokio::test]
async fn browsers_are_led_to_graphiql() {
    let running = Running::new();
    let request = Request::get("/graphql").header(ACCEPT, BROWSER).body(Body::empty()).unwrap();
    let (status, headers, _) = running.send(request).await;
    assert_eq!((status, headers.get(LOCATION)), (StatusCode::SEE_OTHER, Some(&"/graphiql".parse().unwrap())));
    let page = |path: &str| Request::get(path).body(Body::empty()).unwrap();
    let (_, headers, body) = running.send(page("/graphiql")).await;
    assert!(body.contains("GraphiQL"));
    let policy: &HeaderMap = &headers;
    let policy = policy["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("script-src 'self';") && !body.contains("<script>"), "{policy}");
    assert!(!body.contains("https://"), "loads nothing from elsewhere");
    assert_eq!(running.send(page("/graphiql/assets/../../Cargo.toml")).await.0, StatusCode::NOT_FOUND);
    assert_eq!(running.send(page("/graphiql/nothing.js")).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn every_address_that_a_browser_opens_is_the_shops_page_and_nothing_else_is() {
    let running = Running::new();
    let ask = |method: &str, path: &str, accept: &str| {
        Request::builder().method(method).uri(path).header(ACCEPT, accept).body(Body::empty()).unwrap()
    };
    // Without Node.js there is no page but the one that says so.
    let is_built = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../web/dist/shop/index.html")).exists();
    for path in ["/", "/products/chair?q=1", "/console/orders/1", "/checkout/address"] {
        let (status, headers, body) = running.send(ask("GET", path, BROWSER)).await;
        assert_eq!(status, if is_built { StatusCode::OK } else { StatusCode::NOT_FOUND }, "{path}");
        assert_eq!(headers[CONTENT_TYPE], "text/html; charset=utf-8", "{path}");
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'; script-src 'self';"), "{policy}");
        assert!(!policy.contains("unsafe-inline'; img") && !policy.contains("unsafe-eval"), "{policy}");
        assert!(!body.contains("<script>") && !body.contains("https://"), "{body}");
    }
    let missing = [
        ask("GET", "/products/chair", "*/*"),
        ask("GET", "/products/chair", "application/json"),
        ask("POST", "/products", BROWSER),
        ask("GET", "/assets/gone-1a2b.js", BROWSER),
        ask("GET", "/../Cargo.toml", "*/*"),
        ask("GET", "/%2e%2e/%2e%2e/Cargo.toml", "*/*"),
    ];
    for request in missing {
        let what = format!("{} {}", request.method(), request.uri());
        let (status, _, answer) = send(&running, request).await;
        assert_eq!((status, &answer["error"], &answer["code"]), (404, &json!("not_found"), &json!(404)), "{what}");
    }
}
