//! Every layer refuses in the same shape.

use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::json;
use service::server::app;
use service::{Error, Role, validate};

use crate::support::{call, config, get_with, post_json, request, routes, token};

#[tokio::test]
async fn an_unknown_path_is_404_and_a_wrong_method_405() {
    get_with("/nowhere", &[]).await.assert_error(404, "not_found");
    let answer = call(app(routes(), config()), request(Method::DELETE, "/mine", &[], "")).await;
    answer.assert_error(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), "GET,HEAD");
}

#[tokio::test]
async fn malformed_json_is_400() {
    for body in ["", "{", "{\"name\": }", "nul", "\u{feff}{}", "{} {}"] {
        post_json("/things", body).await.assert_error(400, "malformed_json");
    }
    let deep = "[".repeat(100_000);
    post_json("/things", &deep).await.assert_error(400, "malformed_json");
}

#[tokio::test]
async fn json_of_the_wrong_shape_names_the_field() {
    let cases = [
        (json!({"name": 1, "count": 1, "place": {"city": "x"}}), "name", "invalid"),
        (json!({"name": "x", "count": -1, "place": {"city": "x"}}), "count", "invalid"),
        (json!({"name": "x", "count": 5_000_000_000_u64, "place": {"city": "x"}}), "count", "invalid"),
        (json!({"name": "x", "count": 1, "place": {}}), "place.city", "missing"),
        (json!({"name": "x", "count": 1}), "place", "missing"),
        (json!("text"), "", "invalid"),
    ];
    for (body, field, code) in cases {
        let answer = post_json("/things", &body.to_string()).await;
        answer.assert_error(422, "validation_failed");
        assert_eq!(answer.json["fields"][0]["field"], field, "{}", answer.json);
        assert_eq!(answer.json["fields"][0]["code"], code, "{}", answer.json);
    }
}

#[tokio::test]
async fn a_nul_is_refused_wherever_it_stands() {
    for body in [r#"{"name": "a\u0000b", "count": 1, "place": {"city": "x"}}"#, r#"{"\u0000": 1}"#] {
        post_json("/things", body).await.assert_error(422, "invalid_characters");
    }
}

#[tokio::test]
async fn another_content_type_is_415() {
    let authorization = format!("Bearer {}", token(Role::Admin));
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""] {
        let headers = [("authorization", authorization.as_str()), ("content-type", content_type)];
        let answer = call(app(routes(), config()), request(Method::POST, "/things", &headers, "{}")).await;
        answer.assert_error(415, "unsupported_media_type");
    }
}

#[tokio::test]
async fn a_body_above_the_limit_is_413() {
    let body = json!({"name": "x".repeat(2 * 1024 * 1024), "count": 1, "place": {"city": "x"}}).to_string();
    post_json("/things", &body).await.assert_error(413, "payload_too_large");
}

#[tokio::test]
async fn an_optional_body_may_be_absent_but_not_wrong() {
    let answer = call(app(routes(), config()), request(Method::POST, "/maybe", &[], axum::body::Body::empty())).await;
    assert_eq!((answer.status.as_u16(), answer.json), (200, json!(null)));
    post_json("/maybe", "{").await.assert_error(400, "malformed_json");
}

#[tokio::test]
async fn path_and_query_of_the_wrong_type_are_400() {
    get_with("/things/7", &[]).await.assert_error(400, "invalid_path");
    get_with("/things/%ff", &[]).await.assert_error(400, "invalid_path");
    get_with("/things?limit=many", &[]).await.assert_error(400, "invalid_query");
    get_with("/things?cursor=%00", &[]).await.assert_error(400, "invalid_cursor");
    get_with("/things?limit=101", &[]).await.assert_error(422, "validation_failed");
    assert_eq!(get_with("/things?limit=2", &[]).await.json["items"], json!([0, 1]));
}

#[tokio::test]
async fn first_who_then_whether_they_may_then_the_body() {
    let nonsense = |headers: &[(&str, &str)]| request(Method::POST, "/things", headers, "{");
    call(app(routes(), config()), nonsense(&[])).await.assert_error(401, "unauthenticated");
    let customer = format!("Bearer {}", token(Role::User));
    let answer = call(app(routes(), config()), nonsense(&[("authorization", &customer)])).await;
    answer.assert_error(403, "forbidden");
}

#[tokio::test]
async fn a_fault_says_nothing_about_its_cause() {
    for path in ["/broken", "/panic"] {
        let answer = get_with(path, &[]).await;
        answer.assert_error(500, "internal_error");
        let text = answer.json.to_string();
        assert!(!text.contains("exist") && !text.contains("secret"), "{text}");
    }
}

#[tokio::test]
async fn domain_errors_keep_their_code_and_when_to_try_again() {
    get_with("/taken", &[]).await.assert_error(409, "name_already_exists");
    let answer = get_with("/often", &[]).await;
    answer.assert_error(429, "too_many_requests");
    assert_eq!(answer.header("retry-after"), "90");
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_503() {
    get_with("/slow", &[]).await.assert_error(503, "timed_out");
}

#[tokio::test]
async fn a_key_that_is_none_is_400() {
    let long = "x".repeat(256);
    for key in [" ", "", "caf\u{e9}", long.as_str()] {
        get_with("/who", &[("idempotency-key", key)]).await.assert_error(400, "invalid_idempotency_key");
    }
    let both = [("idempotency-key", "one"), ("idempotency-key", "two")];
    get_with("/who", &both).await.assert_error(400, "invalid_idempotency_key");
}

#[test]
fn an_error_survives_the_wire() {
    let error = Error::invalid("quantity", "out_of_range", "quantity must be between 1 and 99");
    let json = serde_json::to_string(&error).unwrap();
    let back: Error = serde_json::from_str(&json).unwrap();
    assert_eq!(back, error);
    assert!(back.is_domain());
    for (error, domain) in [
        (Error::unauthenticated("x", "x"), false),
        (Error::forbidden("x"), false),
        (Error::internal("x"), false),
        (Error::unavailable("x"), false),
        (Error::not_found("x", "x"), true),
        (Error::conflict("x", "x"), true),
    ] {
        assert_eq!(error.is_domain(), domain, "{error}");
    }
}

#[test]
fn validation_names_fields_by_their_path() {
    #[derive(garde::Validate)]
    struct Order {
        #[garde(range(min = 1, max = 99))]
        quantity: u32,
        #[garde(dive)]
        address: Address,
    }
    #[derive(garde::Validate)]
    struct Address {
        #[garde(length(min = 1))]
        city: String,
    }
    assert!(validate(&Order { quantity: 1, address: Address { city: "Köln".to_owned() } }).is_ok());
    let error = validate(&Order { quantity: 0, address: Address { city: String::new() } }).unwrap_err();
    assert_eq!((error.status.as_u16(), error.code.as_ref()), (422, "validation_failed"));
    let fields: BTreeSet<&str> = error.fields.iter().map(|field| field.field.as_str()).collect();
    assert_eq!(fields, BTreeSet::from(["quantity", "address.city"]));
}
