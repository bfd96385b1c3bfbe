//! Every interleaving of one order's saga with its peers, from the very function that the product runs.
//!
//! A message once sent may arrive at any later time, again and again, or never: so duplicates, reordering,
//! loss and unbounded delay are all here. Products, payments and cart behave as their contract says: they
//! answer a repeated request again, and remember what was called off. People and the clock act at any time.

use std::collections::{BTreeSet, HashMap, VecDeque};

use orders::saga::{self, Command, Ending, Illegal, Input, State, Transition, Undo, Undoing};
use stateright::{Checker, Expectation, HasDiscoveries, Model, Property};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Message {
    CheckoutInitiated,
    OrderPlaced,
    PaymentRequested,
    OrderConfirmed,
    RefundRequested,
    ReleaseRequested,
    ReopenRequested,
    StockReserved,
    StockRefused,
    StockReleased,
    PaymentProcessed,
    PaymentFailed,
    Refunded,
    PartlyRefunded,
    CartReopened,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Stock {
    Unknown,
    Held,
    Refused,
    Committed,
    /// Given back, or never held; nothing ever will be.
    Released,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Money {
    Unknown,
    /// The intent is stored; the provider's answer is unknown.
    Pending,
    /// The same, and the order wants its money back, should there be any.
    PendingCalledOff,
    Captured,
    /// An operator gave some of it back.
    PartlyReturned,
    /// An operator gave all of it back, though the order stands.
    GivenBack,
    /// The refund is under way.
    CapturedCalledOff,
    Declined,
    /// Nothing was captured, and nothing ever will be.
    CalledOff,
    Returned,
}

impl Money {
    fn is_kept(self) -> bool {
        matches!(self, Money::Captured | Money::PartlyReturned | Money::CapturedCalledOff)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Cart {
    CheckingOut,
    Ordered,
    Active,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct World {
    saga: State,
    stock: Stock,
    money: Money,
    cart: Cart,
    captures: u8,
    sent: BTreeSet<Message>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    /// A message arrives: for the first time, or once more.
    Arrive(Message),
    /// OrderPlaced arrives where it cannot be held.
    RefuseStock,
    /// The provider captures.
    Capture,
    /// The provider declines.
    Decline,
    /// The provider gives the money back.
    GiveBack,
    /// An operator gives part of the money back.
    RefundPart,
    /// An operator gives all of it back.
    RefundAll,
    /// A deadline passes, or a person wants something.
    Wish(Input),
}

impl Action {
    /// Happens by itself, sooner or later.
    fn needs_nobody(self) -> bool {
        use Input::{Cancel, Deliver, Retry, Ship};
        !matches!(self, Action::RefundPart | Action::RefundAll | Action::Wish(Cancel | Ship | Deliver | Retry))
    }
}

/// How well products and payments remember what was called off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Memory {
    Kept,
    /// A release or refund that finds nothing leaves no tombstone.
    NoTombstones,
}

type Next = fn(&State, Input) -> Result<Transition, Illegal>;

struct Shop {
    next: Next,
    memory: Memory,
}

const SHOP: Shop = Shop { next: saga::next, memory: Memory::Kept };

impl Shop {
    /// The saga's own part: a message or a wish reaches it.
    fn feed(&self, world: &mut World, input: Input) {
        let Ok(transition) = (self.next)(&world.saga, input) else { return };
        world.saga = transition.to;
        world.sent.extend(transition.commands.iter().filter_map(|command| match command {
            Command::Place => Some(Message::OrderPlaced),
            Command::RequestPayment => Some(Message::PaymentRequested),
            Command::Confirm => Some(Message::OrderConfirmed),
            Command::Ask(Undo::Refund) => Some(Message::RefundRequested),
            Command::Ask(Undo::Release) => Some(Message::ReleaseRequested),
            Command::Ask(Undo::Reopen) => Some(Message::ReopenRequested),
            Command::Fail | Command::RollBack | Command::EndCancelled | Command::Ship | Command::Deliver => None,
        }));
    }

    fn arrive(&self, world: &mut World, message: Message) {
        match message {
            Message::CheckoutInitiated => self.feed(world, Input::CheckoutInitiated),
            Message::StockReserved => self.feed(world, Input::StockReserved),
            Message::StockRefused => self.feed(world, Input::StockRefused),
            Message::StockReleased => self.feed(world, Input::StockReleased),
            Message::PaymentProcessed => self.feed(world, Input::PaymentProcessed),
            Message::PaymentFailed => self.feed(world, Input::PaymentFailed),
            Message::Refunded => self.feed(world, Input::Refunded),
            Message::PartlyRefunded => self.feed(world, Input::PartlyRefunded),
            Message::CartReopened => self.feed(world, Input::CartReopened),
            Message::OrderPlaced => world.hold(),
            Message::ReleaseRequested => world.release(self.memory),
            Message::PaymentRequested => world.ask_for_money(),
            Message::RefundRequested => world.call_off(self.memory),
            Message::OrderConfirmed => {
                if world.stock == Stock::Held {
                    world.stock = Stock::Committed;
                }
                if world.cart == Cart::CheckingOut {
                    world.cart = Cart::Ordered;
                }
            }
            Message::ReopenRequested => {
                if world.cart == Cart::CheckingOut {
                    world.cart = Cart::Active;
                }
                world.sent.insert(Message::CartReopened);
            }
        }
    }
}

/// The peers.
impl World {
    fn hold(&mut self) {
        let answer = match self.stock {
            Stock::Unknown => {
                self.stock = Stock::Held;
                Message::StockReserved
            }
            Stock::Held | Stock::Committed => Message::StockReserved,
            Stock::Refused => Message::StockRefused,
            Stock::Released => return,
        };
        self.sent.insert(answer);
    }

    fn release(&mut self, memory: Memory) {
        if !(memory == Memory::NoTombstones && self.stock == Stock::Unknown) {
            self.stock = Stock::Released;
        }
        self.sent.insert(Message::StockReleased);
    }

    fn ask_for_money(&mut self) {
        match self.money {
            Money::Unknown => self.money = Money::Pending,
            Money::Captured | Money::PartlyReturned => {
                self.sent.insert(Message::PaymentProcessed);
            }
            Money::Declined => {
                self.sent.insert(Message::PaymentFailed);
            }
            Money::GivenBack | Money::Returned => {
                self.sent.insert(Message::Refunded);
            }
            Money::Pending | Money::PendingCalledOff | Money::CapturedCalledOff | Money::CalledOff => {}
        }
    }

    fn call_off(&mut self, memory: Memory) {
        match self.money {
            Money::Pending | Money::PendingCalledOff => self.money = Money::PendingCalledOff,
            Money::Captured | Money::PartlyReturned | Money::CapturedCalledOff => {
                self.money = Money::CapturedCalledOff;
            }
            Money::Unknown | Money::Declined | Money::CalledOff => {
                if !(memory == Memory::NoTombstones && self.money == Money::Unknown) {
                    self.money = Money::CalledOff;
                }
                self.sent.insert(Message::Refunded);
            }
            Money::GivenBack | Money::Returned => {
                self.sent.insert(Message::Refunded);
            }
        }
    }

    fn capture(&mut self) {
        self.captures += 1;
        if self.money == Money::Pending {
            self.money = Money::Captured;
            self.sent.insert(Message::PaymentProcessed);
        } else {
            self.money = Money::CapturedCalledOff;
        }
    }

    fn decline(&mut self) {
        if self.money == Money::Pending {
            self.say(Money::Declined, Message::PaymentFailed);
        } else {
            self.say(Money::CalledOff, Message::Refunded);
        }
    }

    /// Payments comes to this, and tells it.
    fn say(&mut self, money: Money, answer: Message) {
        self.money = money;
        self.sent.insert(answer);
    }

    fn is_sold(&self) -> bool {
        matches!(self.saga, State::Confirmed | State::Shipped | State::Delivered)
    }

    /// Nothing of the order is left with anybody.
    fn is_undone(&self) -> bool {
        !self.money.is_kept() && !matches!(self.stock, Stock::Held | Stock::Committed)
    }

    /// Nothing is open with anybody.
    fn is_settled(&self) -> bool {
        let money_is_decided = !matches!(self.money, Money::Pending | Money::PendingCalledOff);
        let sold = self.is_sold() && self.stock == Stock::Committed && self.cart == Cart::Ordered;
        let undone = matches!(self.saga, State::Compensated | State::Cancelled)
            && self.is_undone()
            && self.cart != Cart::CheckingOut;
        money_is_decided && (sold || undone)
    }
}

impl Model for Shop {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World {
            saga: State::Pending,
            stock: Stock::Unknown,
            money: Money::Unknown,
            cart: Cart::CheckingOut,
            captures: 0,
            sent: BTreeSet::from([Message::CheckoutInitiated]),
        }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        actions.extend(world.sent.iter().copied().map(Action::Arrive));
        if world.stock == Stock::Unknown && world.sent.contains(&Message::OrderPlaced) {
            actions.push(Action::RefuseStock);
        }
        match world.money {
            Money::Pending | Money::PendingCalledOff => actions.extend([Action::Capture, Action::Decline]),
            Money::CapturedCalledOff => actions.push(Action::GiveBack),
            Money::Captured => actions.extend([Action::RefundPart, Action::RefundAll]),
            Money::PartlyReturned => actions.push(Action::RefundAll),
            Money::Unknown | Money::GivenBack | Money::Declined | Money::CalledOff | Money::Returned => {}
        }
        let wishes = [Input::Deadline, Input::Cancel, Input::Ship, Input::Deliver, Input::Retry];
        actions.extend(wishes.map(Action::Wish));
    }

    fn next_state(&self, before: &World, action: Action) -> Option<World> {
        let mut world = before.clone();
        match action {
            Action::Arrive(message) => self.arrive(&mut world, message),
            Action::RefuseStock => {
                world.stock = Stock::Refused;
                world.sent.insert(Message::StockRefused);
            }
            Action::Capture => world.capture(),
            Action::Decline => world.decline(),
            Action::GiveBack => world.say(Money::Returned, Message::Refunded),
            Action::RefundPart => world.say(Money::PartlyReturned, Message::PartlyRefunded),
            Action::RefundAll => world.say(Money::GivenBack, Message::Refunded),
            Action::Wish(input) => self.feed(&mut world, input),
        }
        (world != *before).then_some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("at most one capture", |_, world: &World| world.captures <= 1),
            Property::always("what is sold is paid and held", |_, world: &World| {
                let paid = matches!(world.money, Money::Captured | Money::PartlyReturned | Money::GivenBack);
                let held = matches!(world.stock, Stock::Held | Stock::Committed);
                !world.is_sold() || paid && held
            }),
            Property::always("a compensated order keeps nothing", |_, world: &World| {
                world.saga != State::Compensated || world.is_undone() && world.cart == Cart::Active
            }),
            // The one thing that may still be under way is OrderConfirmed: the cart of a cancelled sale stays ordered.
            Property::always("a cancelled order keeps nothing", |_, world: &World| {
                let released = world.cart != Cart::CheckingOut || world.sent.contains(&Message::OrderConfirmed);
                world.saga != State::Cancelled || world.is_undone() && released
            }),
            Property::always("no sale without a capture", |_, world: &World| {
                world.stock != Stock::Committed || world.captures == 1
            }),
            Property::always("only a hold is ever confirmed", |_, world: &World| {
                !world.sent.contains(&Message::OrderConfirmed)
                    || !matches!(world.stock, Stock::Unknown | Stock::Refused)
            }),
            Property::always("a sold order's cart never comes back", |_, world: &World| {
                !world.is_sold() || world.cart != Cart::Active
            }),
            Property::sometimes("delivered", |_, world: &World| world.saga == State::Delivered),
            Property::sometimes("compensated", |_, world: &World| world.saga == State::Compensated),
            Property::sometimes("cancelled after the capture", |_, world: &World| {
                world.saga == State::Cancelled && world.captures == 1
            }),
            Property::sometimes("stuck", |_, world: &World| matches!(world.saga, State::Stuck(..))),
        ]
    }
}

/// How many states there are, and one from which nothing settles without a person, if there is one.
fn explore(shop: &Shop) -> (usize, Option<World>) {
    let mut known: HashMap<World, usize> = HashMap::new();
    let mut worlds: Vec<World> = Vec::new();
    let mut before: Vec<Vec<usize>> = Vec::new();
    let mut todo: VecDeque<usize> = VecDeque::new();
    let mut settling: VecDeque<usize> = VecDeque::new();
    let mut enter = |world: World, worlds: &mut Vec<World>, before: &mut Vec<Vec<usize>>| {
        *known.entry(world.clone()).or_insert_with(|| {
            worlds.push(world);
            before.push(Vec::new());
            worlds.len() - 1
        })
    };
    for world in shop.init_states() {
        todo.push_back(enter(world, &mut worlds, &mut before));
    }
    while let Some(at) = todo.pop_front() {
        if worlds[at].is_settled() {
            settling.push_back(at);
        }
        for (action, world) in shop.next_steps(&worlds[at].clone()) {
            let seen = worlds.len();
            let to = enter(world, &mut worlds, &mut before);
            if to == seen {
                todo.push_back(to);
            }
            if action.needs_nobody() {
                before[to].push(at);
            }
        }
    }
    let mut settles = vec![false; worlds.len()];
    while let Some(at) = settling.pop_front() {
        if !std::mem::replace(&mut settles[at], true) {
            settling.extend(before[at].iter().filter(|from| !settles[**from]));
        }
    }
    let lost = settles.iter().position(|settles| !settles).map(|at| worlds[at].clone());
    (worlds.len(), lost)
}

#[test]
fn no_interleaving_loses_money_stock_or_cart() {
    let checker = SHOP.checker().threads(2).spawn_bfs().join();
    println!("{} states, {} steps deep", checker.unique_state_count(), checker.max_depth());
    checker.assert_properties();
}

#[test]
fn every_state_settles_without_anybodys_help() {
    let (states, lost) = explore(&SHOP);
    println!("{states} states");
    assert_eq!(lost, None);
}

/// A saga that is wrong where `wrong` says so.
macro_rules! mutant {
    ($state:pat, $input:pat => $transition:expr) => {
        |state, input| match (state, input) {
            ($state, $input) => $transition,
            _ => saga::next(state, input),
        }
    };
}

fn undo(ending: Ending, owed: &[Undo]) -> Result<Transition, Illegal> {
    let undoing = Undoing { owed: owed.to_vec(), asked: 1 };
    Ok(Transition { to: State::Undoing(ending, undoing), commands: vec![Command::Ask(owed[0])] })
}

fn go(to: State, command: Command) -> Result<Transition, Illegal> {
    Ok(Transition { to, commands: vec![command] })
}

/// The properties can fail: each of these mistakes breaks one.
#[test]
fn the_check_finds_mistakes() {
    let mistakes: [(&str, Next); 8] = [
        (
            "an unknown payment is taken for a failed one",
            mutant!(State::InventoryReserved, Input::Deadline => undo(Ending::Failure, &[Undo::Release, Undo::Reopen])),
        ),
        (
            "a cancelled sale keeps its stock",
            mutant!(State::Confirmed, Input::Cancel => undo(Ending::Cancellation, &[Undo::Refund])),
        ),
        (
            "a cancelled sale keeps its money",
            mutant!(State::Confirmed, Input::Cancel => undo(Ending::Cancellation, &[Undo::Release])),
        ),
        (
            "stock that may be held is not asked back",
            mutant!(State::CartValidated, Input::Deadline => undo(Ending::Failure, &[Undo::Reopen])),
        ),
        (
            "the cart is forgotten",
            mutant!(State::CartValidated, Input::Cancel => undo(Ending::Cancellation, &[Undo::Release])),
        ),
        (
            "a late payment revives the order",
            mutant!(State::Undoing(..), Input::PaymentProcessed => go(State::Confirmed, Command::Confirm)),
        ),
        (
            "a late hold revives the order",
            mutant!(State::Undoing(..), Input::StockReserved => go(State::InventoryReserved, Command::RequestPayment)),
        ),
        (
            "the deadline ends an undo",
            mutant!(State::Undoing(..), Input::Deadline => go(State::Compensated, Command::RollBack)),
        ),
    ];
    for (mistake, next) in mistakes {
        assert!(is_caught(Shop { next, ..SHOP }), "not found: {mistake}");
    }
    assert!(is_caught(Shop { memory: Memory::NoTombstones, ..SHOP }), "not found: peers without tombstones");
}

fn is_caught(shop: Shop) -> bool {
    let properties = shop.properties();
    let checker = shop.checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    let mut invariants = properties.iter().filter(|property| property.expectation == Expectation::Always);
    invariants.any(|invariant| checker.discovery(invariant.name).is_some())
}

#[test]
fn the_exploration_finds_dead_ends() {
    let next: Next = |state, input| match (state, input) {
        (State::Undoing(..) | State::Stuck(..), Input::Refunded) => {
            Ok(Transition { to: state.clone(), commands: Vec::new() })
        }
        _ => saga::next(state, input),
    };
    assert!(explore(&Shop { next, ..SHOP }).1.is_some(), "a saga that ignores refunds never ends");
}
