//! What is in the shop before anything happens, and which of its rules are broken on purpose.

/// A shop, its shoppers, and their plans.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Units on hand, by product.
    pub stock: Vec<u8>,
    /// What could be ordered, by order.
    pub orders: Vec<OrderPlan>,
    /// The rule that is broken, if one is.
    pub mistake: Option<Mistake>,
}

/// What a shopper might order.
#[derive(Debug, Clone)]
pub struct OrderPlan {
    /// From which cart. A cart that came back is checked out again for its next plan.
    pub cart: u8,
    /// Product and quantity of each line.
    pub lines: Vec<(u8, u8)>,
}

impl Setup {
    /// How many carts there are.
    pub fn carts(&self) -> usize {
        self.orders.iter().map(|plan| usize::from(plan.cart) + 1).max().unwrap_or(0)
    }

    /// Is this rule broken?
    pub fn has(&self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }
}

/// A rule of the product, broken on purpose: whoever checks the shop must notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mistake {
    /// A consumer does not ask whether it handled an event before.
    NoIdempotencyRecord,
    /// A message is acknowledged before the effect commits.
    AcknowledgeBeforeCommit,
    /// An event that could not be handled is recorded as handled.
    FailureRecordedAsProcessed,
    /// One message that nobody can read parks its whole batch.
    PoisonTakesItsBatch,
    /// The outbox row goes before the broker confirmed.
    DeleteBeforeConfirm,
    /// Events are published before the transaction commits, which may still fail.
    PublishBeforeCommit,
    /// Effects commit without the events they cause, which follow in a transaction of their own.
    EventsInASecondTransaction,
    /// Stock is granted without looking at what there is.
    NoStockCondition,
    /// Two replicas decide from the same reading of the stock, and the last one writes.
    NoRowLock,
    /// A release that finds no hold leaves no trace of itself.
    NoStockTombstone,
    /// A refund that finds no payment leaves no trace of itself.
    NoPaymentTombstone,
    /// Each try at a charge has a key of its own.
    ChargeWithoutKey,
    /// Each try at a refund has a key of its own.
    RefundWithoutKey,
    /// An unanswered charge counts as declined.
    SilenceIsADecline,
    /// The undos run in the order of the steps.
    UndoneInForwardOrder,
    /// A cancelled order keeps the money.
    CancelledWithoutRefund,
    /// A cart can be checked out again while it is checking out.
    CartNotFrozen,
}

impl Mistake {
    /// All of them.
    pub const ALL: [Mistake; 17] = [
        Mistake::NoIdempotencyRecord,
        Mistake::AcknowledgeBeforeCommit,
        Mistake::FailureRecordedAsProcessed,
        Mistake::PoisonTakesItsBatch,
        Mistake::DeleteBeforeConfirm,
        Mistake::PublishBeforeCommit,
        Mistake::EventsInASecondTransaction,
        Mistake::NoStockCondition,
        Mistake::NoRowLock,
        Mistake::NoStockTombstone,
        Mistake::NoPaymentTombstone,
        Mistake::ChargeWithoutKey,
        Mistake::RefundWithoutKey,
        Mistake::SilenceIsADecline,
        Mistake::UndoneInForwardOrder,
        Mistake::CancelledWithoutRefund,
        Mistake::CartNotFrozen,
    ];
}
