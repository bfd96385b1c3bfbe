//! The built-in payment provider: what a shop without a Stripe account pays with.
//!
//! It plays the outside world. Its books are tables of its own, written in transactions of its own, so
//! that "charged, then the answer was lost" is real, and that one charge per order can be proved.
//!
//! | method | what happens |
//! |---|---|
//! | `pm_card_visa` | succeeds |
//! | `pm_card_chargeDeclined` | is declined |
//! | `pm_test_slow` | succeeds after some seconds |
//! | `pm_test_timeout` | charges, then the first answer is lost |
//! | `pm_test_error` | two transient faults, then succeeds |
//! | any other | is declined as unknown |

mod repository;

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use database::Database;
use events::PaymentId;
use tokio::sync::{mpsc, oneshot};

use crate::provider::{Charge, ChargeOutcome, PaymentProvider, Reversal, ReversalOutcome, Unanswered};

pub(crate) use repository::ALL;

/// Charges written to the books in one statement, at most.
const BATCH: usize = 200;

/// Moves no money, but keeps books as one who does.
pub struct TestProvider {
    database: Database,
    slow_answer: Duration,
    till: mpsc::Sender<Request>,
}

/// A charge, and who waits for it.
struct Request {
    charge: Charge,
    answer: oneshot::Sender<Result<Entry, Unanswered>>,
}

/// What a method stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Visa,
    ChargeDeclined,
    Slow,
    Timeout,
    Error,
    Unknown,
}

impl Method {
    fn of(name: &str) -> Method {
        match name {
            "pm_card_visa" => Method::Visa,
            "pm_card_chargeDeclined" => Method::ChargeDeclined,
            "pm_test_slow" => Method::Slow,
            "pm_test_timeout" => Method::Timeout,
            "pm_test_error" => Method::Error,
            _ => Method::Unknown,
        }
    }

    /// What stands in the books after the first call.
    fn first_status(self) -> Status {
        match self {
            Method::Visa | Method::Slow | Method::Timeout => Status::Captured,
            Method::ChargeDeclined | Method::Unknown => Status::Declined,
            Method::Error => Status::Faulty,
        }
    }
}

/// What stands in the books about a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Captured,
    Declined,
    /// Asked, but the provider stumbled.
    Faulty,
    Voided,
}

impl Status {
    fn as_str(self) -> &'static str {
        match self {
            Status::Captured => "captured",
            Status::Declined => "declined",
            Status::Faulty => "faulty",
            Status::Voided => "voided",
        }
    }

    fn parse(text: &str) -> Option<Status> {
        [Status::Captured, Status::Declined, Status::Faulty, Status::Voided]
            .into_iter()
            .find(|status| status.as_str() == text)
    }
}

/// A line of the books.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    key: PaymentId,
    status: Status,
    method: Method,
    /// Calls with this key so far.
    calls: i32,
}

impl Entry {
    fn answer(&self) -> Result<ChargeOutcome, Unanswered> {
        match (self.status, self.method) {
            (Status::Captured, Method::Timeout) if self.calls == 1 => {
                Err(Unanswered("the connection timed out".to_owned()))
            }
            (Status::Captured, _) => Ok(ChargeOutcome::Captured { reference: format!("test_{}", self.key) }),
            (Status::Declined, Method::Unknown) => Ok(ChargeOutcome::Declined {
                code: "INVALID_PAYMENT_METHOD".to_owned(),
                reason: "This payment method is not known. Please choose another one.".to_owned(),
            }),
            (Status::Declined, _) => Ok(ChargeOutcome::Declined {
                code: "PAYMENT_DECLINED".to_owned(),
                reason: "Your card was declined. Please use another card or payment method.".to_owned(),
            }),
            (Status::Faulty, _) => Err(Unanswered("the provider answered 500".to_owned())),
            (Status::Voided, _) => Ok(ChargeOutcome::Voided),
        }
    }
}

impl TestProvider {
    /// A provider whose books lie in the tables `test_provider_*` of `database`; `slow_answer` is what
    /// `pm_test_slow` takes. Must be called inside a tokio runtime.
    pub fn new(database: Database, slow_answer: Duration) -> TestProvider {
        let (till, requests) = mpsc::channel(BATCH);
        tokio::spawn(keep_books(database.clone(), requests));
        TestProvider { database, slow_answer, till }
    }

    async fn enter(&self, charge: &Charge) -> Result<Entry, Unanswered> {
        let closed = |_| Unanswered("the provider is closed".to_owned());
        let (answer, entry) = oneshot::channel();
        self.till.send(Request { charge: charge.clone(), answer }).await.map_err(|error| closed(error.to_string()))?;
        entry.await.map_err(|error| closed(error.to_string()))?
    }
}

#[async_trait]
impl PaymentProvider for TestProvider {
    fn name(&self) -> &'static str {
        "test"
    }

    async fn charge(&self, charge: &Charge) -> Result<ChargeOutcome, Unanswered> {
        if Method::of(&charge.method) == Method::Slow {
            tokio::time::sleep(self.slow_answer).await;
        }
        self.enter(charge).await?.answer()
    }

    async fn void(&self, charge: &Charge) -> Result<ChargeOutcome, Unanswered> {
        repository::void(&self.database, charge).await.map_err(unanswered)?.answer()
    }

    async fn refund(&self, reversal: &Reversal) -> Result<ReversalOutcome, Unanswered> {
        if repository::refund(&self.database, reversal).await.map_err(unanswered)? {
            Ok(ReversalOutcome::Reversed { reference: format!("test_{}", reversal.key) })
        } else {
            Ok(ReversalOutcome::Refused { reason: "there is not that much left of the charge".to_owned() })
        }
    }
}

/// Writes whatever charges have come in the meantime with one statement: one commit for many.
async fn keep_books(database: Database, mut requests: mpsc::Receiver<Request>) {
    let mut batch = Vec::with_capacity(BATCH);
    while requests.recv_many(&mut batch, BATCH).await > 0 {
        let mut waiting: HashMap<PaymentId, Vec<oneshot::Sender<_>>> = HashMap::with_capacity(batch.len());
        let mut charges: Vec<Charge> = Vec::with_capacity(batch.len());
        for Request { charge, answer } in batch.drain(..) {
            let askers = waiting.entry(charge.key).or_default();
            askers.push(answer);
            if askers.len() == 1 {
                charges.push(charge);
            }
        }
        let mut answers: HashMap<PaymentId, Result<Entry, Unanswered>> =
            match repository::charge(&database, &charges).await {
                Ok(entries) => entries.into_iter().map(|entry| (entry.key, Ok(entry))).collect(),
                Err(error) => charges.iter().map(|charge| (charge.key, Err(unanswered(&error)))).collect(),
            };
        for (key, askers) in waiting {
            let answer =
                answers.remove(&key).unwrap_or_else(|| Err(Unanswered("the books have no such line".to_owned())));
            for asker in askers {
                if asker.send(answer.clone()).is_err() {
                    tracing::debug!(%key, "nobody waits for this answer any more; whoever wants it asks again");
                }
            }
        }
    }
}

fn unanswered(error: impl std::fmt::Display) -> Unanswered {
    Unanswered(format!("the test provider's books cannot be written: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(method: &str, status: Status, calls: i32) -> Result<ChargeOutcome, Unanswered> {
        Entry { key: PaymentId::new(), status, method: Method::of(method), calls }.answer()
    }

    #[test]
    fn each_method_answers_as_it_promises() {
        let captured = |answer| matches!(answer, Ok(ChargeOutcome::Captured { .. }));
        assert!(captured(answer("pm_card_visa", Status::Captured, 1)));
        assert!(captured(answer("pm_test_slow", Status::Captured, 1)));
        assert!(answer("pm_test_timeout", Status::Captured, 1).is_err(), "the first answer is lost");
        assert!(captured(answer("pm_test_timeout", Status::Captured, 2)));
        assert!(answer("pm_test_error", Status::Faulty, 1).is_err());
        assert!(captured(answer("pm_test_error", Status::Captured, 3)));
        for (method, expected) in
            [("pm_card_chargeDeclined", "PAYMENT_DECLINED"), ("pm_card_of_mars", "INVALID_PAYMENT_METHOD")]
        {
            let Ok(ChargeOutcome::Declined { code, reason }) = answer(method, Status::Declined, 1) else {
                panic!("{method} must be declined")
            };
            assert_eq!(code, expected);
            assert!(reason.ends_with('.'), "a sentence for the shopper: {reason}");
        }
    }

    #[test]
    fn a_voided_key_stays_voided_whatever_the_method() {
        for method in ["pm_card_visa", "pm_test_timeout", "pm_test_error", "pm_card_chargeDeclined", "x"] {
            assert_eq!(answer(method, Status::Voided, 1), Ok(ChargeOutcome::Voided));
        }
    }
}
