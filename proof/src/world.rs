//! The whole shop as a value: every table that decides something, every message under way, and everybody who is in
//! the middle of something. A crash forgets what is in a process's hands; a commit is one step.

use std::collections::{BTreeMap, BTreeSet};

use cart_client::CartStatus;
use orders::saga::State;
use payments_client::{PaymentStatus, RefundStatus};

use crate::message::{Kind, Message, Service};
use crate::setup::Setup;

/// The shop at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct World {
    /// By cart.
    pub carts: Vec<CartRow>,
    /// What can be sold, by product.
    pub shelf: Vec<i16>,
    /// By order.
    pub holds: Vec<Option<HoldRow>>,
    /// By order.
    pub sagas: Vec<Option<State>>,
    /// By order.
    pub payments: Vec<Option<PaymentRow>>,
    /// The payment provider's books, by order: what became of each key.
    pub charges: Vec<Vec<ChargeEntry>>,
    /// What the provider gave back, by order and key.
    pub reversals: BTreeMap<(u8, u8), u8>,
    /// Outbox and idempotency records, by service.
    pub tables: [Tables; 4],
    /// Copies waiting, by service.
    pub queues: [BTreeMap<Message, u8>; 4],
    /// Dead letters.
    pub parked: BTreeSet<(Service, Message)>,
    /// What relays have claimed, by service and relay.
    pub relays: [Vec<Option<Carried>>; 4],
    /// What workers of payments have claimed, by worker.
    pub workers: Vec<Option<Task>>,
    /// Orders whose shopper was told that they exist.
    pub told: BTreeSet<u8>,
    /// Events that were ever committed.
    pub recorded: BTreeSet<Message>,
    /// How often each consumer's effect of an event was committed; two stands for many.
    pub applied: BTreeMap<(Service, Message), u8>,
    /// How much may still go wrong.
    pub left: Budget,
}

/// How often each kind of trouble may still strike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Budget {
    /// Crashes, lost and repeated messages, leases that run out early.
    pub faults: u8,
    /// Deadlines that pass although nobody is at fault.
    pub deadlines: u8,
    /// Cancellations, shipments, refunds by people.
    pub wishes: u8,
}

/// `cart.carts`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CartRow {
    /// Its state.
    pub status: CartStatus,
    /// The order that it is becoming or became.
    pub order: Option<u8>,
}

/// `catalog.order_holds`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HoldRow {
    /// Its lines are held.
    Held,
    /// Its lines are sold.
    Committed,
    /// Nothing was held.
    Refused,
    /// All is back.
    Released {
        /// Or was there nothing?
        was_held: bool,
    },
}

/// `payments.payments`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PaymentRow {
    /// Its state.
    pub status: PaymentStatus,
    /// False for the trace of an order that was called off before it was to be paid.
    pub billed: bool,
    /// The order wants its money back.
    pub called_off: bool,
    /// Taken.
    pub captured: u8,
    /// Refunds pending or succeeded.
    pub promised: u8,
    /// Refunds succeeded.
    pub refunded: u8,
    /// `payments.refunds`
    pub refunds: Vec<RefundRow>,
    /// Which worker asks the provider.
    pub lease: Option<u8>,
}

/// `payments.refunds`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RefundRow {
    /// How much.
    pub amount: u8,
    /// Its state.
    pub status: RefundStatus,
    /// Which worker asks the provider.
    pub lease: Option<u8>,
}

/// What the provider knows of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChargeEntry {
    /// The money is taken.
    Captured,
    /// Refused.
    Declined,
    /// Forbidden before anything was taken.
    Voided,
}

/// What every service's schema has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Tables {
    /// Unsent events, and the relay that holds the lease of each.
    pub outbox: BTreeMap<Message, Option<u8>>,
    /// Idempotency records.
    pub handled: BTreeSet<Message>,
    /// Events whose effect is committed and that are not in the outbox yet; only a mistake makes any.
    pub owed: BTreeSet<Message>,
}

/// A relay's claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Carried {
    /// What it carries.
    pub message: Message,
    /// What the broker said; none: not asked yet.
    pub confirmed: Option<bool>,
}

/// A worker's claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Task {
    /// Of which order.
    pub order: u8,
    /// What to ask.
    pub call: Call,
    /// What the provider said.
    pub answer: Option<Answer>,
}

/// A call to the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    /// Take the money.
    Charge,
    /// What became of the charge? If nothing, forbid it.
    Void,
    /// Give money back: the so-manieth refund.
    Reverse(u8),
}

/// What a call brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// The provider's books.
    Charge(ChargeEntry),
    /// The money is back.
    Reversed,
    /// Silence.
    Unanswered,
}

/// Every order costs this much, in minor units.
pub const PRICE: u8 = 10;

impl World {
    /// The shop before anything happened.
    pub fn new(setup: &Setup, replicas: Replicas, left: Budget) -> World {
        let orders = setup.orders.len();
        World {
            carts: vec![CartRow { status: CartStatus::Active, order: None }; setup.carts()],
            shelf: setup.stock.iter().map(|units| i16::from(*units)).collect(),
            holds: vec![None; orders],
            sagas: vec![None; orders],
            payments: vec![None; orders],
            charges: vec![Vec::new(); orders],
            reversals: BTreeMap::new(),
            tables: Default::default(),
            queues: Default::default(),
            parked: BTreeSet::new(),
            relays: std::array::from_fn(|_| vec![None; replicas.relays]),
            workers: vec![None; replicas.workers],
            told: BTreeSet::new(),
            recorded: BTreeSet::new(),
            applied: BTreeMap::new(),
            left,
        }
    }

    /// A service's tables.
    pub fn tables_of(&mut self, service: Service) -> &mut Tables {
        &mut self.tables[service as usize]
    }

    /// Names events about an order: each is a new one.
    pub fn name(&self, order: u8, kinds: &[Kind]) -> Vec<Message> {
        let mut named: Vec<Message> = Vec::with_capacity(kinds.len());
        for kind in kinds {
            let same = |message: &&Message| message.order == order && message.kind == *kind;
            let known = self.recorded.iter().filter(same).count() + named.iter().filter(same).count();
            named.push(Message { order, kind: *kind, nth: u8::try_from(known).unwrap_or(u8::MAX) });
        }
        named
    }

    /// Writes events in the transaction of what caused them.
    pub fn record(&mut self, service: Service, events: &[Message]) {
        for event in events {
            self.recorded.insert(*event);
            self.tables_of(service).outbox.insert(*event, None);
        }
    }

    /// Puts a copy into every queue that is bound to it.
    pub fn publish(&mut self, message: Message) {
        for service in message.kind.consumers() {
            let copies = self.queues[*service as usize].entry(message).or_default();
            *copies = copies.saturating_add(1);
        }
    }

    /// Takes a copy out of a queue.
    pub fn acknowledge(&mut self, service: Service, message: Message) {
        let queue = &mut self.queues[service as usize];
        match queue.get_mut(&message) {
            Some(copies) if *copies > 1 => *copies -= 1,
            _ => {
                queue.remove(&message);
            }
        }
    }

    /// What the provider kept of an order's money.
    pub fn kept(&self, order: usize) -> i16 {
        let taken = self.charges[order].iter().filter(|entry| **entry == ChargeEntry::Captured).count();
        let back: i16 = self
            .reversals
            .iter()
            .filter(|((of, _), _)| usize::from(*of) == order)
            .map(|(_, amount)| i16::from(*amount))
            .sum();
        i16::from(PRICE) * i16::try_from(taken).unwrap_or(i16::MAX) - back
    }

    /// Nothing is under way, and nobody holds anything.
    pub fn is_quiet(&self) -> bool {
        self.tables.iter().all(|tables| tables.outbox.is_empty() && tables.owed.is_empty())
            && self.queues.iter().all(BTreeMap::is_empty)
            && self.relays.iter().flatten().all(Option::is_none)
            && self.workers.iter().all(Option::is_none)
            && self.payments.iter().flatten().all(|payment| {
                let decided = !matches!(payment.status, PaymentStatus::Pending | PaymentStatus::Authorized);
                decided && payment.refunds.iter().all(|refund| refund.status != RefundStatus::Pending)
            })
    }
}

/// How many of each run at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replicas {
    /// Relays of each service.
    pub relays: usize,
    /// Workers of payments.
    pub workers: usize,
}
