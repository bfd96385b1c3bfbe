use events::{CorrelationId, PaymentId, UserId};
use payments_client::{CreateRefund, Http, PaymentsApi};
use service::server::{AppConfig, DRAIN_TIMEOUT, app, serve};
use service::{Caller, Claims, IdempotencyKey, Role, TokenKeys};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::support::{Order, Shop, euro};

fn keys() -> TokenKeys {
    TokenKeys::new("a secret of the tests, long enough for HS256", None).unwrap()
}

fn caller(user: UserId, role: Role) -> Caller {
    let token = keys().sign(&Claims::new(user, "someone@example.com", "someone", role)).unwrap();
    Caller::anonymous(CorrelationId::new()).with_token(&keys(), token.reveal()).unwrap()
}

async fn client(shop: &Shop, shutdown: &CancellationToken) -> Http {
    let (router, _) = payments::router(shop.service.clone()).split_for_parts();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(serve(listener, app(router, AppConfig::new("payments", keys())), shutdown.clone(), DRAIN_TIMEOUT));
    Http::new(&url).unwrap()
}

#[tokio::test]
async fn who_may_see_and_who_may_refund() {
    let (shop, shutdown) = (Shop::open().await, CancellationToken::new());
    let http = client(&shop, &shutdown).await;
    let order = Order::new("pm_card_visa", "8.00");
    shop.request(&order).await;
    shop.hear(&order, "PaymentProcessed", 1).await;
    let request = CreateRefund { amount: Some(euro("1.00")), reason: "late".to_owned() };

    let nobody = Caller::anonymous(CorrelationId::new());
    let (owner, stranger) = (caller(order.user, Role::User), caller(UserId::new(), Role::User));
    assert_eq!(http.payments_of_order(&nobody, order.id).await.unwrap_err().status.as_u16(), 401);
    assert!(http.payments_of_order(&stranger, order.id).await.unwrap().items.is_empty());
    let payment = http.payments_of_order(&owner, order.id).await.unwrap().items.remove(0);
    assert_eq!((payment.captured, payment.payment_method.as_str()), (euro("8.00"), "pm_card_visa"));
    assert_eq!(http.payment(&nobody, payment.id).await.unwrap_err().status.as_u16(), 401);
    assert_eq!(http.payment(&stranger, payment.id).await.unwrap_err().code, "payment_not_found");
    assert_eq!(http.payment(&owner, payment.id).await.unwrap(), payment);

    for (who, status) in [(&nobody, 401), (&stranger, 403), (&owner, 403)] {
        assert_eq!(http.refund(who, payment.id, request.clone()).await.unwrap_err().status.as_u16(), status);
    }
    let admin = caller(UserId::new(), Role::Admin);
    let unknown = http.refund(&admin, PaymentId::new(), request.clone()).await.unwrap_err();
    assert_eq!((unknown.code.as_ref(), unknown.status.as_u16()), ("payment_not_found", 404));
    for (amount, reason) in [(Some(euro("0.00")), "late"), (Some(euro("1.00")), "  ")] {
        let request = CreateRefund { amount, reason: reason.to_owned() };
        let refused = http.refund(&admin, payment.id, request).await.unwrap_err();
        assert_eq!((refused.code.as_ref(), refused.status.as_u16()), ("validation_failed", 422));
    }
    shutdown.cancel();
    shop.close().await;
}

#[tokio::test]
async fn payments_of_many_orders_are_read_at_once_and_only_ones_own() {
    let (shop, shutdown) = (Shop::open().await, CancellationToken::new());
    let http = client(&shop, &shutdown).await;
    let orders = [Order::new("pm_card_visa", "8.00"), Order::new("pm_card_chargeDeclined", "9.00")];
    for (order, answer) in orders.iter().zip(["PaymentProcessed", "PaymentFailed"]) {
        shop.request(order).await;
        shop.hear(order, answer, 1).await;
    }
    let ids = [orders[0].id, orders[1].id, events::OrderId::new()];
    let admin = caller(UserId::new(), Role::Admin);
    let refund = CreateRefund { amount: Some(euro("3.00")), reason: "late".to_owned() };
    http.refund(&admin, shop.shown(&orders[0]).await.id, refund).await.unwrap();

    let mut all = http.payments_of_orders(&admin, &ids).await.unwrap();
    all.sort_by_key(|payment| payment.order_id != orders[0].id);
    assert_eq!(all.iter().map(|payment| payment.refunds.len()).collect::<Vec<_>>(), [1, 0], "each its own");
    assert_eq!((all[0].refunds[0].amount, all[1].failure_code.as_deref()), (euro("3.00"), Some("PAYMENT_DECLINED")));
    let own = http.payments_of_orders(&caller(orders[1].user, Role::User), &ids).await.unwrap();
    assert_eq!(own.iter().map(|payment| payment.order_id).collect::<Vec<_>>(), [orders[1].id]);

    assert!(http.payments_of_orders(&admin, &[]).await.unwrap().is_empty());
    let nobody = Caller::anonymous(CorrelationId::new());
    assert_eq!(http.payments_of_orders(&nobody, &ids).await.unwrap_err().status.as_u16(), 401);
    let many: Vec<_> = (0..101).map(|_| events::OrderId::new()).collect();
    assert_eq!(http.payments_of_orders(&admin, &many).await.unwrap_err().status.as_u16(), 422);
    shutdown.cancel();
    shop.close().await;
}

#[tokio::test]
async fn one_idempotency_key_is_one_refund() {
    let (shop, shutdown) = (Shop::open().await, CancellationToken::new());
    let http = client(&shop, &shutdown).await;
    let order = Order::new("pm_card_visa", "8.00");
    shop.request(&order).await;
    shop.hear(&order, "PaymentProcessed", 1).await;
    let payment = shop.shown(&order).await;
    let key = IdempotencyKey::new("refund-1").unwrap();
    let admin = caller(UserId::new(), Role::Admin).with_idempotency_key(Some(key));
    let request = CreateRefund { amount: Some(euro("2.00")), reason: "late".to_owned() };

    let first = http.refund(&admin, payment.id, request.clone()).await.unwrap();
    let second = http.refund(&admin, payment.id, request.clone()).await.unwrap();
    assert_eq!(first, second);
    let other = CreateRefund { amount: None, ..request };
    assert_eq!(http.refund(&admin, payment.id, other).await.unwrap_err().code, "idempotency_key_reused");
    shop.hear(&order, "PaymentRefunded", 1).await;
    assert_eq!(shop.net(&order).await, "6.00");
    shutdown.cancel();
    shop.close().await;
}
