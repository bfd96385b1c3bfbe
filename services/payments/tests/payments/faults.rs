//! A provider that stays silent at the worst moments.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use payments::{Charge, ChargeOutcome, PaymentProvider, PaymentsConfig, Reversal, ReversalOutcome, Unanswered};
use payments_client::{PaymentStatus, RefundStatus};
use testkit::eventually;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::support::{Order, SOON, Shop, attentive, euro};

const FAILURES: usize = 50;

/// Carries out refunds, or not, and says nothing, fifty times.
struct Silent {
    inner: Arc<dyn PaymentProvider>,
    asked: AtomicUsize,
}

#[async_trait]
impl PaymentProvider for Silent {
    fn name(&self) -> &'static str {
        self.inner.name()
    }
    async fn charge(&self, charge: &Charge) -> Result<ChargeOutcome, Unanswered> {
        self.inner.charge(charge).await
    }
    async fn void(&self, charge: &Charge) -> Result<ChargeOutcome, Unanswered> {
        self.inner.void(charge).await
    }
    async fn refund(&self, reversal: &Reversal) -> Result<ReversalOutcome, Unanswered> {
        let before = self.asked.fetch_add(1, Ordering::SeqCst);
        if before >= FAILURES {
            return self.inner.refund(reversal).await;
        }
        if before % 2 == 1 {
            self.inner.refund(reversal).await?;
        }
        Err(Unanswered("nobody answers".to_owned()))
    }
}

#[tokio::test]
async fn a_refund_that_fails_fifty_times_is_one_refund() {
    let shop = Shop::open_with(attentive(), |inner| Arc::new(Silent { inner, asked: AtomicUsize::new(0) })).await;
    let order = Order::new("pm_card_visa", "20.00");
    shop.request(&order).await;
    shop.hear(&order, "PaymentProcessed", 1).await;
    // Nobody waits the minutes that lie between so many tries.
    let hurry = "CREATE FUNCTION hurry() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.next_attempt_at := now(); RETURN NEW; END';
                 CREATE TRIGGER hurry BEFORE UPDATE ON payments.refunds
                 FOR EACH ROW WHEN (NEW.lease IS NULL) EXECUTE FUNCTION hurry()";
    shop.owner.batch_execute(hurry).await.unwrap();
    shop.request_refund(&order).await;
    // Meanwhile the order asks again and again.
    for _ in 0..5 {
        shop.request_refund(&order).await;
    }
    let told = shop.hear(&order, "PaymentRefunded", 1).await;
    assert_eq!((&told["amount"]["amount"], &told["complete"]), (&"20.00".into(), &true.into()));
    assert_eq!(shop.net(&order).await, "0.00");
    let shown = shop.shown(&order).await;
    assert_eq!((shown.status, shown.refunded), (PaymentStatus::Refunded, euro("20.00")));
    assert_eq!(shown.refunds.iter().map(|refund| refund.status).collect::<Vec<_>>(), [RefundStatus::Succeeded]);
    let attempts: i32 = shop.owner.query_one("SELECT attempts FROM payments.refunds", &[]).await.unwrap().get(0);
    assert_eq!(attempts.unsigned_abs() as usize, FAILURES);
    shop.close().await;
}

/// So much costs what hangs at the provider.
const HANGING: &str = "6.66";

/// Leaves the first two questions about such a charge hanging until it is let go; the first stays without an answer.
struct Hanging {
    inner: Arc<dyn PaymentProvider>,
    asked: AtomicUsize,
    gates: [Semaphore; 2],
}

#[async_trait]
impl PaymentProvider for Hanging {
    fn name(&self) -> &'static str {
        self.inner.name()
    }
    async fn charge(&self, charge: &Charge) -> Result<ChargeOutcome, Unanswered> {
        if charge.amount == euro(HANGING) {
            let number = self.asked.fetch_add(1, Ordering::SeqCst);
            if let Some(gate) = self.gates.get(number) {
                gate.acquire().await.unwrap().forget();
            }
            if number == 0 {
                return Err(Unanswered("the connection timed out".to_owned()));
            }
        }
        self.inner.charge(charge).await
    }
    async fn void(&self, charge: &Charge) -> Result<ChargeOutcome, Unanswered> {
        self.inner.void(charge).await
    }
    async fn refund(&self, reversal: &Reversal) -> Result<ReversalOutcome, Unanswered> {
        self.inner.refund(reversal).await
    }
}

async fn until_asked(provider: &Hanging, times: usize) {
    eventually(SOON, || async {
        let asked = provider.asked.load(Ordering::SeqCst);
        if asked == times { Ok(()) } else { Err(format!("asked {asked} times, not {times}")) }
    })
    .await;
}

async fn lease_of(shop: &Shop, order: &Order) -> (Option<Uuid>, i32) {
    let sql = "SELECT lease, attempts FROM payments.payments WHERE order_id = $1";
    let row = shop.owner.query_one(sql, &[&order.id]).await.unwrap();
    (row.get("lease"), row.get("attempts"))
}

#[tokio::test]
async fn an_answer_that_comes_after_its_lease_is_not_written_down() {
    let config =
        PaymentsConfig { call_timeout: Duration::from_secs(3600), lease: Duration::from_secs(3600), ..attentive() };
    let mut hanging = None;
    let shop = Shop::open_with(config, |inner| {
        let gates = [Semaphore::new(0), Semaphore::new(0)];
        hanging.insert(Arc::new(Hanging { inner, asked: AtomicUsize::new(0), gates })).clone()
    })
    .await;
    let provider = hanging.unwrap();
    let order = Order::new("pm_card_visa", HANGING);
    shop.request(&order).await;
    until_asked(&provider, 1).await;
    let expire = "UPDATE payments.payments SET next_attempt_at = now() WHERE order_id = $1";
    shop.owner.execute(expire, &[&order.id]).await.unwrap();
    until_asked(&provider, 2).await;
    let of_the_successor = lease_of(&shop, &order).await;

    provider.gates[0].add_permits(1);
    // Answers are written down in their order: after this one, that one was looked at.
    let other = Order::new("pm_card_visa", "1.00");
    shop.request(&other).await;
    shop.hear(&other, "PaymentProcessed", 1).await;
    assert_eq!(lease_of(&shop, &order).await, of_the_successor, "the late answer changes nothing");

    provider.gates[1].add_permits(1);
    shop.hear(&order, "PaymentProcessed", 1).await;
    assert_eq!((shop.net(&order).await.as_str(), provider.asked.load(Ordering::SeqCst)), (HANGING, 2));
    shop.close().await;
}
