//! Orders as operators and shoppers see them: payments, customers, search, what is done with them.

use serde_json::{Value, json};
use service::{Error, Role};

use crate::shop::euros;
use crate::support::Running;

#[tokio::test]
async fn payments_and_customers_of_all_orders_are_one_call_each() {
    let running = Running::new();
    let token = running.shop.token(Role::User);
    let query = "{ orders { edges { node { id cancellable customer { email } payments { status method amount { amount }
        captured { amount } refunded { amount } createdAt failureCode failureReason
        refunds { amount { amount } status reason } } } } } }";
    let answer = running.post(query, Some(&token)).await;
    assert_eq!(answer["errors"], Value::Null, "{answer}");
    let edges = answer["data"]["orders"]["edges"].as_array().unwrap();
    assert_eq!(edges.len(), 3);
    for edge in edges {
        let node = &edge["node"];
        assert_eq!((&node["cancellable"], &node["customer"]["email"]), (&json!(true), &json!("ann@example.com")));
        let payment = &node["payments"][0];
        assert_eq!((&payment["status"], &payment["captured"]["amount"]), (&json!("CAPTURED"), &json!("75.00")));
        let refund = json!({"amount": {"amount": "5.00"}, "status": "PENDING", "reason": "damaged"});
        assert_eq!(payment["refunds"], json!([refund]));
    }
    let mut calls = running.shop.take_calls();
    calls.sort_unstable();
    assert_eq!(calls, ["orders", "payments_of_orders", "users_by_ids"]);
}

#[tokio::test]
async fn orders_are_searched_by_ids_by_email_and_by_time() {
    let running = Running::new();
    let (admin, customer) = (running.shop.token(Role::Admin), running.shop.token(Role::User));
    let search = async |arguments: &str, token: &str| {
        let query = format!("{{ orders({arguments}) {{ edges {{ node {{ id }} }} }} }}");
        let answer = running.post(&query, Some(token)).await;
        (answer, running.shop.take_calls(), running.shop.order_filter.lock().unwrap().take())
    };
    let id = uuid::Uuid::now_v7();
    let (_, calls, filter) = search(&format!("q: \" {id} \""), &customer).await;
    assert_eq!((calls, filter.unwrap().about), (vec!["orders"], Some(id)));
    let (_, calls, filter) = search("q: \"Ann@Example.com\"", &admin).await;
    assert_eq!((calls, filter), (vec!["users"], None), "nobody's address begins like this here");
    let (_, calls, filter) = search("q: \"ann@example.com\"", &admin).await;
    assert_eq!((calls, filter.unwrap().user_id), (vec!["users", "orders"], Some(running.shop.buyer.id)));
    let (answer, _, filter) = search("q: \"ann@example\"", &admin).await;
    assert_eq!((&answer["data"]["orders"]["edges"], filter), (&json!([]), None), "only the whole address");
    let (answer, _, filter) = search("q: \"ann@example.com\"", &customer).await;
    assert_eq!((&answer["errors"][0]["extensions"]["code"], filter), (&json!("FORBIDDEN"), None));
    let (_, calls, filter) =
        search("q: \"\", from: \"2026-03-01T00:00:00Z\", to: \"2026-04-01T00:00:00+02:00\"", &customer).await;
    let filter = filter.unwrap();
    assert_eq!((calls, filter.about, filter.user_id), (vec!["orders"], None, None));
    assert_eq!(filter.from.unwrap().to_rfc3339(), "2026-03-01T00:00:00+00:00");
    assert_eq!(filter.to.unwrap().to_rfc3339(), "2026-03-31T22:00:00+00:00");
    let (answer, calls, _) = search("from: \"yesterday\"", &customer).await;
    assert_eq!((answer["data"].is_null(), calls), (true, vec![]), "{answer}");
}

#[tokio::test]
async fn moving_orders_on_and_giving_money_back_is_admins_business() {
    let running = Running::new();
    let (order, payment) = (running.shop.order.lock().unwrap().id, running.shop.payment_id);
    let order_mutation = |name: &str, input: &str| {
        format!(
            "mutation {{ {name}(input: {{{input}}}) {{ order {{ id status cancellable }} userErrors {{ code field }} }} }}"
        )
    };
    let ship = order_mutation("shipOrder", &format!("id: \"{order}\", idempotencyKey: \"k\""));
    let deliver = order_mutation("deliverOrder", &format!("id: \"{order}\""));
    let refund = format!(
        "mutation {{ refundPayment(input: {{paymentId: \"{payment}\", reason: \"damaged\",
        amount: {{amount: \"5.00\", currencyCode: \"EUR\"}}}}) {{ payment {{ id refunds {{ status }} }}
        userErrors {{ code field }} }} }}"
    );
    let customer = running.shop.token(Role::User);
    for query in [&ship, &deliver, &refund] {
        for (token, code) in [(None, "UNAUTHENTICATED"), (Some(customer.as_str()), "FORBIDDEN")] {
            assert_eq!(running.post(query, token).await["errors"][0]["extensions"]["code"], code, "{query}");
        }
    }
    assert_eq!(running.shop.take_calls(), Vec::<&str>::new());

    let admin = running.shop.token(Role::Admin);
    let data = async |query: &str| running.post(query, Some(&admin)).await["data"].clone();
    let shipped = json!({"order": {"id": order, "status": "SHIPPED", "cancellable": false}, "userErrors": []});
    assert_eq!(data(&ship).await["shipOrder"], shipped);
    assert_eq!(data(&deliver).await["deliverOrder"]["order"]["status"], "DELIVERED");
    let refunded = json!({"payment": {"id": payment, "refunds": [{"status": "PENDING"}]}, "userErrors": []});
    assert_eq!(data(&refund).await["refundPayment"], refunded);
    let request = running.shop.refunded.lock().unwrap().take().unwrap();
    assert_eq!((request.amount, request.reason.as_str()), (Some(euros("5.00")), "damaged"));
    assert_eq!(running.shop.take_calls(), ["ship", "deliver", "refund", "payment"]);

    let invalid = |field: Value| json!([{"code": "VALIDATION_FAILED", "field": field}]);
    let bad = refund.replace("\"5.00\"", "\"5.001\"");
    assert_eq!(data(&bad).await["refundPayment"]["userErrors"], invalid(json!(["amount", "amount"])));
    let bad = refund.replace(&payment.to_string(), "no id");
    assert_eq!(data(&bad).await["refundPayment"]["userErrors"], invalid(json!(["paymentId"])));
    let bad = ship.replace(&order.to_string(), "no id");
    assert_eq!(data(&bad).await["shipOrder"]["userErrors"], invalid(json!(["id"])));
    running.shop.refuse("refund", Error::conflict("refund_exceeds_captured", "too much"));
    let refused = json!([{"code": "REFUND_EXCEEDS_CAPTURED", "field": null}]);
    assert_eq!(data(&refund).await["refundPayment"], json!({"payment": null, "userErrors": refused}));
}
