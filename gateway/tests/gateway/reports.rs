//! Reports as the console asks for them.

use serde_json::{Value, json};
use service::Role;

use crate::support::Running;

#[tokio::test]
async fn reports_are_for_admins() {
    let running = Running::new();
    let customer = running.shop.token(Role::User);
    for (token, code) in [(None, "UNAUTHENTICATED"), (Some(customer.as_str()), "FORBIDDEN")] {
        let answer = running.post("{ reports { asOf } }", token).await;
        assert_eq!((&answer["errors"][0]["extensions"]["code"], &answer["data"]), (&json!(code), &Value::Null));
    }
    assert_eq!(running.shop.take_calls(), Vec::<&str>::new());
}

#[tokio::test]
async fn every_report_is_one_call_and_money_is_exact() {
    let running = Running::new();
    let query = "{ reports {
        salesPerDay(days: 7) { day orders gross { amount } refunded { amount } revenue { amount currencyCode } cancelled }
        topProducts(first: 2) { productId name units revenue { amount } product { sku } }
        checkoutFunnel { cartsFilled checkouts confirmed delivered }
        abandonedCarts { carts value { amount currencyCode } perDay { carts } }
        sagaOutcomes { outcome code sagas meanDurationMs } asOf } }";
    let answer = running.post(query, Some(&running.shop.token(Role::Admin))).await;
    assert_eq!(answer["errors"], Value::Null, "{answer}");
    let reports = &answer["data"]["reports"];
    let day = &reports["salesPerDay"][0];
    assert_eq!(day["day"], json!(chrono::Utc::now().date_naive().to_string()));
    assert_eq!((&day["orders"], &day["revenue"]), (&json!(3), &json!({"amount": "-5.00", "currencyCode": "EUR"})));
    let top = reports["topProducts"].as_array().unwrap();
    assert_eq!(
        (top.len(), &top[1]["product"]["sku"], &top[1]["revenue"]["amount"]),
        (2, &json!("SKU-1"), &json!("25.00"))
    );
    let funnel = json!({"cartsFilled": 10, "checkouts": 6, "confirmed": 4, "delivered": 0});
    assert_eq!(reports["checkoutFunnel"], funnel, "the sum of its days");
    assert_eq!(reports["abandonedCarts"]["carts"], 4);
    assert_eq!(reports["abandonedCarts"]["value"], json!([{"amount": "25.00", "currencyCode": "EUR"}]));
    let outcome = json!({"outcome": "COMPENSATED", "code": "PAYMENT_DECLINED", "sagas": 4, "meanDurationMs": 1200});
    assert_eq!(reports["sagaOutcomes"], json!([outcome]));
    assert_eq!(reports["asOf"], "2026-03-01T09:30:00Z");
    let mut calls = running.shop.take_calls();
    calls.sort_unstable();
    assert_eq!(calls, ["products_by_ids", "report", "report", "report", "report", "report", "reports"]);
}

#[tokio::test]
async fn ranges_have_limits() {
    let running = Running::new();
    let admin = running.shop.token(Role::Admin);
    for days in [0, -1, 367] {
        let answer =
            running.post(&format!("{{ reports {{ checkoutFunnel(days: {days}) {{ paid }} }} }}"), Some(&admin)).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "VALIDATION_FAILED", "{days}");
    }
    assert_eq!(running.shop.take_calls(), Vec::<&str>::new());
}
