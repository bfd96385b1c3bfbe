use proptest::prelude::*;

use super::*;

fn euro(minor: i64) -> Money {
    Money::from_minor(minor, Currency::EUR).unwrap()
}

fn payment(status: PaymentStatus, captured: i64) -> Payment {
    Payment {
        id: PaymentId::new(),
        order_id: OrderId::new(),
        user_id: UserId::new(),
        status,
        bill: Some(Bill {
            amount: euro(1000),
            method: "pm_card_visa".to_owned(),
            captured: euro(captured),
            promised: euro(0),
            refunded: euro(0),
        }),
        provider_ref: None,
        failure: None,
        correlation_id: CorrelationId::new(),
        requested_by: Some(EventId::new()),
        refund_request: None,
        attempts: 0,
        version: 0,
    }
}

fn refund_of(payment: &Payment, amount: Money) -> Refund {
    Refund {
        id: RefundId::new(),
        payment_id: payment.id,
        amount,
        reason: "returned".to_owned(),
        status: RefundStatus::Pending,
        provider_ref: None,
        failure_reason: None,
        asked_by: None,
        requested_by: None,
        attempts: 0,
    }
}

fn wants_refund(payment: &mut Payment) {
    payment.refund_request = Some(RefundRequest { requested_by: EventId::new(), reason: "cancelled".to_owned() });
}

fn captured() -> Result<ChargeOutcome, Unanswered> {
    Ok(ChargeOutcome::Captured { reference: "ch_1".to_owned() })
}

fn declined() -> Result<ChargeOutcome, Unanswered> {
    Ok(ChargeOutcome::Declined { code: "PAYMENT_DECLINED".to_owned(), reason: "Declined.".to_owned() })
}

fn voided() -> Result<ChargeOutcome, Unanswered> {
    Ok(ChargeOutcome::Voided)
}

fn lost<T>() -> Result<T, Unanswered> {
    Err(Unanswered("timed out".to_owned()))
}

#[test]
fn an_unknown_outcome_is_never_a_failure() {
    for status in PaymentStatus::ALL {
        for wish in [Wish::Pay, Wish::Refund] {
            let verdict = settle(status, wish, &lost());
            assert!(matches!(verdict, Verdict::AskAgain | Verdict::Keep), "{status:?} {wish:?}: {verdict:?}");
        }
    }
}

#[test]
fn what_is_settled_stays_settled() {
    for status in PaymentStatus::ALL {
        for said in [captured(), declined(), voided(), lost()] {
            let mut before = payment(status, 0);
            if !before.is_settled() {
                continue;
            }
            before.version = 1;
            let mut after = before.clone();
            let verdict = after.settle(&said);
            assert!(matches!(verdict, Verdict::Keep | Verdict::Contradiction));
            assert_eq!(before, after, "{status:?} {said:?}");
        }
    }
}

#[test]
fn a_capture_is_told_unless_the_order_wants_its_money_back() {
    let mut wanted = payment(PaymentStatus::Pending, 0);
    assert_eq!(wanted.settle(&captured()), Verdict::Settle(PaymentStatus::Captured, Answer::Processed));
    assert_eq!((wanted.version, wanted.bill.unwrap().captured), (1, euro(1000)));

    let mut unwanted = payment(PaymentStatus::Pending, 0);
    wants_refund(&mut unwanted);
    assert_eq!(unwanted.settle(&captured()), Verdict::CaptureAndRefund);
    assert_eq!(unwanted.refund_all(), Ok(RefundPlan::Begin(euro(1000))));
    assert_eq!(unwanted.refund_all(), Ok(RefundPlan::Wait), "it is promised already");
}

#[test]
fn a_payment_called_off_before_its_charge_has_nothing_to_give_back() {
    let mut unwanted = payment(PaymentStatus::Pending, 0);
    wants_refund(&mut unwanted);
    assert_eq!(unwanted.refund_all(), Ok(RefundPlan::Wait), "the truth first");
    assert_eq!(unwanted.settle(&voided()), Verdict::Settle(PaymentStatus::Failed, Answer::NothingCaptured));
    assert_eq!(unwanted.version, 2);
    assert_eq!(unwanted.answer_again(), None);
}

#[test]
fn a_settled_payment_is_answered_again_alike() {
    let mut paid = payment(PaymentStatus::Pending, 0);
    assert_eq!(paid.answer_again(), None, "its answer is on the way");
    paid.settle(&captured());
    assert_eq!(paid.answer_again(), Some(Answer::Processed));

    let mut refused = payment(PaymentStatus::Pending, 0);
    refused.settle(&declined());
    assert_eq!(refused.answer_again(), Some(Answer::Failed));
}

#[test]
fn nothing_is_refunded_that_was_not_captured() {
    use PaymentStatus as S;
    for status in [S::Pending, S::Authorized, S::Declined, S::Failed] {
        assert_eq!(payment(status, 0).refund_some(None), Err(RefundRefusal::NotCaptured), "{status:?}");
    }
    for amount in [0, -1] {
        let refusal = payment(S::Captured, 1000).refund_some(Some(euro(amount)));
        assert_eq!(refusal, Err(RefundRefusal::NotPositive));
    }
    let yen = Money::from_minor(5, "JPY".parse().unwrap()).unwrap();
    assert_eq!(payment(S::Captured, 1000).refund_some(Some(yen)), Err(RefundRefusal::OtherCurrency(Currency::EUR)));
}

#[test]
fn a_refused_refund_gives_its_promise_back() {
    let mut paid = payment(PaymentStatus::Captured, 1000);
    let amount = paid.refund_some(Some(euro(700))).unwrap();
    let mut refund = refund_of(&paid, amount);
    let refused = Ok(ReversalOutcome::Refused { reason: "closed account".to_owned() });
    assert_eq!(settle_refund(&mut paid, &mut refund, &refused), Ok(RefundVerdict::Failed));
    assert_eq!(paid.status, PaymentStatus::Captured);
    assert_eq!(paid.refund_some(None), Ok(euro(1000)));
}

#[test]
fn questions_come_again_ever_more_slowly() {
    let waits: Vec<u128> = (1..=7).map(|attempts| ask_again_after(attempts).as_millis()).collect();
    assert_eq!(waits, [500, 1000, 2000, 4000, 5000, 5000, 5000]);
    assert_eq!(ask_again_after(u32::MAX), Duration::from_secs(5));
}

#[derive(Debug, Clone)]
enum Step {
    Said(Result<ChargeOutcome, Unanswered>),
    OrderWantsRefund,
    AdminRefunds(Option<i64>),
    SaidOfRefund(usize, Result<ReversalOutcome, Unanswered>),
}

fn step() -> impl Strategy<Value = Step> {
    let reversed = || Ok(ReversalOutcome::Reversed { reference: "re_1".to_owned() });
    let refused = || Ok(ReversalOutcome::Refused { reason: "closed account".to_owned() });
    prop_oneof![
        3 => prop::sample::select(vec![captured(), captured(), declined(), voided(), lost()]).prop_map(Step::Said),
        1 => Just(Step::OrderWantsRefund),
        4 => prop::option::of(-10i64..1200).prop_map(Step::AdminRefunds),
        6 => (0usize..8, prop::sample::select(vec![reversed(), refused(), lost()]))
            .prop_map(|(which, said)| Step::SaidOfRefund(which, said)),
    ]
}

proptest! {
    /// Whatever happens in whatever order: money adds up, and nothing decided is decided again.
    #[test]
    fn money_adds_up(steps in prop::collection::vec(step(), 0..40)) {
        let mut payment = payment(PaymentStatus::Pending, 0);
        let mut refunds: Vec<Refund> = Vec::new();
        let mut processed = 0;
        for step in steps {
            let before = (payment.version, payment.is_settled());
            match step {
                Step::Said(said) => match payment.settle(&said) {
                    Verdict::Settle(_, Answer::Processed) => processed += 1,
                    Verdict::CaptureAndRefund => begin(&mut payment, &mut refunds),
                    _ => {}
                },
                Step::OrderWantsRefund => {
                    wants_refund(&mut payment);
                    begin(&mut payment, &mut refunds);
                }
                Step::AdminRefunds(amount) => {
                    if let Ok(amount) = payment.refund_some(amount.map(euro)) {
                        let refund = refund_of(&payment, amount);
                        refunds.push(refund);
                    }
                }
                Step::SaidOfRefund(which, said) => {
                    if let Some(refund) = refunds.get_mut(which) {
                        let was = refund.status;
                        settle_refund(&mut payment, refund, &said).unwrap();
                        prop_assert!(was == RefundStatus::Pending || was == refund.status);
                    }
                }
            }
            prop_assert!(payment.version >= before.0, "versions never fall");
            prop_assert!(!before.1 || payment.is_settled(), "the truth stays known");
            check(&payment, &refunds)?;
        }
        prop_assert!(processed <= 1);
    }
}

fn begin(payment: &mut Payment, refunds: &mut Vec<Refund>) {
    if let RefundPlan::Begin(amount) = payment.refund_all().unwrap() {
        refunds.push(refund_of(payment, amount));
    }
}

fn check(payment: &Payment, refunds: &[Refund]) -> Result<(), TestCaseError> {
    let bill = payment.bill.as_ref().unwrap();
    let sum = |statuses: &[RefundStatus]| -> i64 {
        refunds.iter().filter(|refund| statuses.contains(&refund.status)).map(|refund| refund.amount.minor()).sum()
    };
    prop_assert!(bill.captured.is_zero() || bill.captured == bill.amount);
    prop_assert_eq!(bill.promised.minor(), sum(&[RefundStatus::Pending, RefundStatus::Succeeded]));
    prop_assert_eq!(bill.refunded.minor(), sum(&[RefundStatus::Succeeded]));
    prop_assert!(bill.promised.minor() <= bill.captured.minor());
    let expected = match (bill.captured.minor(), bill.refunded.minor()) {
        (0, _) => return Ok(()),
        (_, 0) => PaymentStatus::Captured,
        (captured, refunded) if captured == refunded => PaymentStatus::Refunded,
        (_, _) => PaymentStatus::PartiallyRefunded,
    };
    prop_assert_eq!(payment.status, expected);
    Ok(())
}
