use database::audit;
use futures_util::future::join_all;
use payments_client::{CreateRefund, PaymentStatus, PaymentsApi, RefundStatus};
use testkit::eventually;

use crate::support::{Order, SOON, Shop, admin, euro};

fn some(amount: &str) -> CreateRefund {
    CreateRefund { amount: Some(euro(amount)), reason: "damaged in transit".to_owned() }
}

fn rest() -> CreateRefund {
    CreateRefund { amount: None, reason: "goodwill".to_owned() }
}

async fn paid(shop: &Shop, amount: &str) -> Order {
    let order = Order::new("pm_card_visa", amount);
    shop.request(&order).await;
    shop.hear(&order, "PaymentProcessed", 1).await;
    order
}

#[tokio::test]
async fn an_order_called_off_after_its_charge_gets_all_its_money_back() {
    let shop = Shop::open().await;
    let order = paid(&shop, "20.00").await;
    let request = order.refund_requested();
    let cause = request.envelope.event_id;
    shop.send(vec![request]).await;

    let told = shop.hear(&order, "PaymentRefunded", 1).await;
    assert_eq!((&told["amount"]["amount"], &told["complete"]), (&"20.00".into(), &true.into()));
    let (_, envelope) = shop.told(&order).await.remove(1);
    assert_eq!((&envelope["aggregate_version"], &envelope["causation_id"]), (&2.into(), &cause.to_string().into()));
    assert_eq!(shop.net(&order).await, "0.00");
    assert_eq!(shop.shown(&order).await.status, PaymentStatus::Refunded);

    shop.request_refund(&order).await;
    let again = shop.hear(&order, "PaymentRefunded", 2).await;
    assert_eq!(again, told, "asked again, answered again");
    assert_eq!(shop.shown(&order).await.refunds.len(), 1);
    shop.close().await;
}

#[tokio::test]
async fn a_refund_that_overtakes_its_payment_forbids_it() {
    let shop = Shop::open().await;
    let order = Order::new("pm_card_visa", "20.00");
    shop.request_refund(&order).await;
    let told = shop.hear(&order, "PaymentRefunded", 1).await;
    assert_eq!((&told["payment_id"], &told["amount"], &told["complete"]), (&().into(), &().into(), &true.into()));

    shop.request(&order).await;
    shop.come_to_rest().await;
    shop.request_refund(&order).await;
    shop.hear(&order, "PaymentRefunded", 2).await;
    assert_eq!(shop.books(&order).await, []);
    assert_eq!(shop.told(&order).await.len(), 2);
    assert!(shop.service.payments_of_order(&admin(), order.id).await.unwrap().items.is_empty());
    shop.close().await;
}

#[tokio::test]
async fn payment_and_refund_asked_at_once_leave_nothing_with_the_shop() {
    let shop = Shop::open().await;
    let methods = ["pm_card_visa", "pm_card_chargeDeclined", "pm_test_slow", "pm_test_timeout", "pm_test_error"];
    let orders: Vec<Order> = (0..40).map(|n| Order::new(methods[n % methods.len()], "4.00")).collect();
    for order in &orders {
        shop.request(order).await;
        shop.request_refund(order).await;
    }
    for order in &orders {
        let told = shop.hear(order, "PaymentRefunded", 1).await;
        assert_eq!(told["complete"], true);
        assert_eq!(shop.net(order).await, "0.00", "{}", order.method);
    }
    shop.close().await;
}

#[tokio::test]
async fn a_faulty_charge_that_is_not_wanted_any_more_is_never_made() {
    let shop = Shop::open().await;
    let order = Order::new("pm_test_error", "4.00");
    shop.request(&order).await;
    eventually(SOON, || async {
        let books = shop.books(&order).await;
        if books.is_empty() { Err("not asked yet".to_owned()) } else { Ok(()) }
    })
    .await;
    shop.request_refund(&order).await;
    let told = shop.hear(&order, "PaymentRefunded", 1).await;
    assert_eq!((&told["amount"], &told["complete"]), (&().into(), &true.into()));
    assert_eq!(shop.books(&order).await[0].0, "voided");
    assert_eq!(shop.status(&order).await, "failed");
    shop.close().await;
}

#[tokio::test]
async fn an_admin_gives_back_parts_and_the_order_the_rest() {
    let shop = Shop::open().await;
    let order = paid(&shop, "10.00").await;
    let payment = shop.shown(&order).await;

    let refund = shop.service.refund(&admin(), payment.id, some("3.00")).await.unwrap();
    assert_eq!((refund.status, refund.amount), (RefundStatus::Pending, euro("3.00")));
    let told = shop.hear(&order, "PaymentRefunded", 1).await;
    assert_eq!((&told["amount"]["amount"], &told["complete"]), (&"3.00".into(), &false.into()));
    let shown = shop.shown(&order).await;
    assert_eq!((shown.status, shown.refunded), (PaymentStatus::PartiallyRefunded, euro("3.00")));
    assert_eq!(shown.refunds[0].status, RefundStatus::Succeeded);

    let too_much = shop.service.refund(&admin(), payment.id, some("7.01")).await.unwrap_err();
    assert_eq!((too_much.code.as_ref(), too_much.status.as_u16()), ("refund_exceeds_captured", 409));
    let acts =
        audit::list(&shop.database.read().await.unwrap(), Some(order.correlation.uuid()), None, 10).await.unwrap();
    let told: Vec<_> = acts.iter().map(|act| (act.subject.id, act.action.as_str(), act.reason.as_deref())).collect();
    assert_eq!(
        told,
        [(payment.id.uuid(), "payment.refund", Some("damaged in transit"))],
        "and what was refused is no act"
    );

    shop.request_refund(&order).await;
    let told = shop.hear(&order, "PaymentRefunded", 2).await;
    assert_eq!((&told["amount"]["amount"], &told["complete"]), (&"7.00".into(), &true.into()));
    assert_eq!(shop.net(&order).await, "0.00");
    assert_eq!(shop.service.refund(&admin(), payment.id, rest()).await.unwrap_err().code, "refund_exceeds_captured");
    shop.close().await;
}

#[tokio::test]
async fn a_thousand_refunds_at_once_never_give_back_too_much() {
    let shop = Shop::open().await;
    let order = paid(&shop, "50.00").await;
    let id = shop.shown(&order).await.id;
    let admin = admin();
    let results = join_all((0..1000).map(|_| shop.service.refund(&admin, id, some("1.00")))).await;
    let granted = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!(granted, 50);
    for error in results.into_iter().filter_map(Result::err) {
        assert_eq!(error.code, "refund_exceeds_captured");
    }
    shop.hear(&order, "PaymentRefunded", 50).await;
    let told = shop.told(&order).await;
    let complete = told.iter().filter(|(_, envelope)| envelope["payload"]["complete"] == true).count();
    assert_eq!(complete, 1, "only the last one is the whole of it");
    assert_eq!(shop.shown(&order).await.status, PaymentStatus::Refunded);
    assert_eq!(shop.net(&order).await, "0.00");
    shop.close().await;
}
