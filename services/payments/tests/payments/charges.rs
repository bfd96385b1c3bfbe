use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use payments::{
    Charge, ChargeOutcome, PaymentProvider, Payments, PaymentsConfig, Reversal, ReversalOutcome, TestProvider,
    Unanswered,
};
use testkit::eventually;
use tokio_util::sync::CancellationToken;

use crate::support::{Order, SOON, Shop, attentive, forgetful};

fn captured(calls: i32) -> Vec<(String, i32)> {
    vec![("captured".to_owned(), calls)]
}

#[tokio::test]
async fn a_good_card_is_charged_once_and_the_order_is_told() {
    let shop = Shop::open().await;
    let order = Order::new("pm_card_visa", "12.99");
    let request = order.payment_requested();
    let cause = request.envelope.event_id;
    shop.send(vec![request]).await;

    let told = shop.hear(&order, "PaymentProcessed", 1).await;
    assert_eq!(told["amount"]["amount"], "12.99");
    let (_, envelope) = shop.told(&order).await.remove(0);
    assert_eq!(envelope["correlation_id"], order.correlation.to_string());
    assert_eq!(envelope["causation_id"], cause.to_string());
    assert_eq!(envelope["aggregate_version"], 1);
    shop.come_to_rest().await;
    assert_eq!(shop.books(&order).await, captured(1));
    assert_eq!(shop.told(&order).await.len(), 1, "the duplicate changed nothing");
    shop.close().await;
}

#[tokio::test]
async fn a_declined_card_and_an_unknown_method_fail_with_a_sentence_for_the_shopper() {
    let shop = Shop::open().await;
    for (method, code) in
        [("pm_card_chargeDeclined", "PAYMENT_DECLINED"), ("pm_card_of_mars", "INVALID_PAYMENT_METHOD")]
    {
        let order = Order::new(method, "5.00");
        shop.request(&order).await;
        let told = shop.hear(&order, "PaymentFailed", 1).await;
        assert_eq!(told["code"], code);
        assert!(told["reason"].as_str().unwrap().ends_with('.'));
        assert_eq!(shop.status(&order).await, "declined");
        assert_eq!(shop.net(&order).await, "0.00");
    }
    shop.close().await;
}

#[tokio::test]
async fn a_slow_a_lost_and_a_faulty_answer_end_in_one_charge() {
    let shop = Shop::open().await;
    for (method, calls) in [("pm_test_slow", 1), ("pm_test_timeout", 2), ("pm_test_error", 3)] {
        let order = Order::new(method, "7.50");
        shop.request(&order).await;
        shop.hear(&order, "PaymentProcessed", 1).await;
        assert_eq!(shop.books(&order).await, captured(calls), "{method}");
        assert_eq!(shop.net(&order).await, "7.50");
    }
    shop.close().await;
}

#[tokio::test]
async fn nothing_to_pay_is_paid_without_the_provider() {
    let shop = Shop::open().await;
    let order = Order::new("pm_card_visa", "0.00");
    shop.request(&order).await;
    shop.hear(&order, "PaymentProcessed", 1).await;
    assert_eq!(shop.books(&order).await, []);
    shop.close().await;
}

#[tokio::test]
async fn an_order_that_asks_again_is_answered_again_and_charged_once() {
    let shop = Shop::open().await;
    let paid = Order::new("pm_card_visa", "3.00");
    let refused = Order::new("pm_card_chargeDeclined", "3.00");
    shop.send(vec![paid.payment_requested(), refused.payment_requested()]).await;
    shop.hear(&paid, "PaymentProcessed", 1).await;
    shop.hear(&refused, "PaymentFailed", 1).await;

    let again = paid.payment_requested();
    let cause = again.envelope.event_id;
    shop.send(vec![again, refused.payment_requested()]).await;
    shop.hear(&paid, "PaymentProcessed", 2).await;
    shop.hear(&refused, "PaymentFailed", 2).await;
    assert_eq!(shop.told(&paid).await[1].1["causation_id"], cause.to_string());
    assert_eq!(shop.books(&paid).await, captured(1));
    shop.close().await;
}

#[tokio::test]
async fn two_hundred_orders_through_two_slots_are_each_charged_once() {
    let shop = Shop::open_with(PaymentsConfig { concurrency: 2, ..attentive() }, |provider| provider).await;
    let methods = ["pm_card_visa", "pm_card_chargeDeclined", "pm_card_visa", "pm_test_timeout"];
    let orders: Vec<Order> = (0..200).map(|n| Order::new(methods[n % methods.len()], "1.00")).collect();
    shop.send(orders.iter().map(Order::payment_requested).collect()).await;
    eventually(SOON, || async {
        let row = shop
            .owner
            .query_one("SELECT count(DISTINCT aggregate_id) AS told, count(*) AS events FROM payments.events", &[])
            .await
            .unwrap();
        let (told, events): (i64, i64) = (row.get("told"), row.get("events"));
        assert_eq!(told, events, "an order is told once");
        if told == 200 { Ok(()) } else { Err(format!("{told} of 200 orders were told")) }
    })
    .await;
    let row = shop
        .owner
        .query_one(
            "SELECT count(*) FILTER (WHERE status = 'captured') AS captured, count(*) AS charges
             FROM payments.test_provider_charges",
            &[],
        )
        .await
        .unwrap();
    assert_eq!((row.get::<_, i64>("captured"), row.get::<_, i64>("charges")), (150, 200));
    shop.close().await;
}

#[tokio::test]
async fn a_poisoned_message_is_parked_alone() {
    let shop = Shop::open().await;
    let healthy: Vec<Order> = (0..5).map(|_| Order::new("pm_card_visa", "1.00")).collect();
    let poison = Order::new("pm_card_visa", "-1.00");
    let mut drafts: Vec<_> = healthy.iter().map(Order::payment_requested).collect();
    drafts.insert(2, poison.payment_requested());
    shop.send(drafts).await;
    for order in &healthy {
        shop.hear(order, "PaymentProcessed", 1).await;
        assert_eq!(shop.books(order).await, captured(1));
    }
    shop.come_to_rest().await;
    assert_eq!((shop.told(&poison).await, shop.books(&poison).await), (vec![], vec![]));
    let depths = shop.test.transport(&shop.database).depths().await.unwrap();
    let dead: Vec<i64> =
        depths.iter().filter(|depth| depth.service == payments::SERVICE).map(|depth| depth.dead).collect();
    assert_eq!(dead, [2], "both copies of the poison, and nothing else");
    shop.close().await;
}

#[tokio::test]
async fn work_that_nobody_points_to_is_found_by_the_sweep() {
    let shop = Shop::open().await;
    let order = Order::new("pm_card_visa", "6.00");
    // As a batch leaves it whose commit succeeded while its process died: leased, and the lease runs out.
    shop.owner
        .execute(
            "INSERT INTO payments.payments (id, order_id, user_id, amount, currency, payment_method, provider, status,
                 correlation_id, lease, next_attempt_at)
             VALUES (gen_random_uuid(), $1, $2, 6, 'EUR', 'pm_card_visa', 'test', 'pending', $3, gen_random_uuid(),
                 now() + interval '300 milliseconds')",
            &[&order.id, &order.user, &order.correlation],
        )
        .await
        .unwrap();
    shop.hear(&order, "PaymentProcessed", 1).await;
    assert_eq!(shop.books(&order).await, captured(1));
    shop.close().await;
}

/// Charges, and then never answers: what a process sees that is killed between charge and record.
struct Hanging(Arc<dyn PaymentProvider>);

#[async_trait]
impl PaymentProvider for Hanging {
    fn name(&self) -> &'static str {
        self.0.name()
    }
    async fn charge(&self, charge: &Charge) -> Result<ChargeOutcome, Unanswered> {
        self.0.charge(charge).await?;
        std::future::pending().await
    }
    async fn void(&self, charge: &Charge) -> Result<ChargeOutcome, Unanswered> {
        self.0.void(charge).await
    }
    async fn refund(&self, reversal: &Reversal) -> Result<ReversalOutcome, Unanswered> {
        self.0.refund(reversal).await
    }
}

#[tokio::test]
async fn a_process_killed_between_charge_and_record_leaves_one_charge_and_a_told_order() {
    let config = PaymentsConfig { call_timeout: Duration::from_secs(3600), ..forgetful() };
    let dying = Shop::open_with(config, |provider| Arc::new(Hanging(provider))).await;
    let order = Order::new("pm_card_visa", "99.00");
    dying.request(&order).await;
    eventually(SOON, || async {
        if dying.books(&order).await == captured(1) { Ok(()) } else { Err("not charged yet".to_owned()) }
    })
    .await;
    assert_eq!(dying.status(&order).await, "pending");
    assert_eq!(dying.told(&order).await, []);

    let database = dying.test.database("payments", "payments");
    let provider = Arc::new(TestProvider::new(database.clone(), Duration::ZERO));
    let restarted = Payments::new(database, provider, attentive());
    let shutdown = CancellationToken::new();
    let background = tokio::spawn(payments::background(restarted, shutdown.clone()));
    dying.hear(&order, "PaymentProcessed", 1).await;
    let charges = dying.books(&order).await;
    assert_eq!(charges.len(), 1);
    assert_eq!(dying.net(&order).await, "99.00");
    shutdown.cancel();
    background.await.unwrap();
}

#[tokio::test]
async fn an_orderly_end_records_what_is_under_way() {
    let shop =
        Shop::open_with(PaymentsConfig { sweep: Duration::from_secs(3600), ..PaymentsConfig::default() }, |provider| {
            provider
        })
        .await;
    let order = Order::new("pm_test_slow", "2.00");
    shop.request(&order).await;
    eventually(SOON, || async {
        let row = shop
            .owner
            .query_opt("SELECT lease FROM payments.payments WHERE order_id = $1", &[&order.id])
            .await
            .unwrap();
        if row.is_some() { Ok(()) } else { Err("no intent yet".to_owned()) }
    })
    .await;
    let test = shop.close().await;
    let owner = test.owner().await;
    let row = owner.query_one("SELECT status, lease FROM payments.payments", &[]).await.unwrap();
    let (status, lease): (String, Option<uuid::Uuid>) = (row.get("status"), row.get("lease"));
    // Either its call had begun, then it is recorded; or it had not, then the next process finds it.
    assert!(matches!((status.as_str(), lease), ("captured", None) | ("pending", _)), "{status} {lease:?}");
}
