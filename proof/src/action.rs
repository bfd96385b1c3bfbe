//! What can happen next, and what comes of it.

mod faults;

use cart_client::CartStatus;
use orders::saga::{self, Input, State};

use crate::message::{Kind, Message, Service};
use crate::rules::{self, Refusal, orders::feed, payments as money};
use crate::setup::{Mistake, Setup};
use crate::world::{Call, Carried, ChargeEntry, Task, World};

pub use faults::Fault;

/// One thing that happens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Action {
    /// A shopper checks a cart out: cart's transaction.
    CheckOut(u8),
    /// The rest of the same request: the order is stored, and the shopper is told.
    Place(u8),

    /// A relay claims, publishes, is confirmed and deletes, with nobody in between.
    Relay(Service, Message),
    /// A relay takes the lease of an outbox row.
    Claim(Service, u8, Message),
    /// The broker takes and confirms what a relay carries.
    Publish(Service, u8),
    /// The relay deletes what is confirmed, or puts back what is not, where the lease is still its own.
    Settle(Service, u8),
    /// A message reaches its consumer: effect, commit, acknowledgement.
    Deliver(Service, Message),
    /// Several at once, in one transaction.
    DeliverBatch(Service, Vec<Message>),
    /// Two replicas of products place two orders at the same time.
    PlaceTogether(Message, Message),
    /// Events that did not commit with their effect follow.
    RecordOwed(Service, Message),

    /// A worker takes the lease of a payment or a refund.
    Take(u8, u8),
    /// It asks the provider, who decides so if the choice is his.
    Ask(u8, ChargeEntry),
    /// It writes down the answer.
    Note(u8),

    /// Trouble.
    Fault(Fault),
    /// The deadline of an order's state passes.
    Deadline(u8),
    /// Somebody wants something of an order.
    Wish(u8, Input),
    /// An operator gives part of an order's money back.
    RefundPart(u8),
}

/// What is possible at all.
#[derive(Debug, Clone, Copy)]
pub struct Scope {
    /// Relays take one step at a time, several at once.
    pub relays_in_steps: bool,
    /// What a provider may decide.
    pub outcomes: &'static [ChargeEntry],
}

impl World {
    /// Everything that may happen next.
    pub fn actions(&self, setup: &Setup, scope: Scope, actions: &mut Vec<Action>) {
        self.shoppers(setup, actions);
        for service in Service::ALL {
            self.relays_of(service, scope, actions);
            self.consumers_of(service, setup, actions);
        }
        self.work(scope, actions);
        for order in 0..u8::try_from(self.sagas.len()).unwrap_or(u8::MAX) {
            self.time_and_people(order, actions);
        }
    }

    fn shoppers(&self, setup: &Setup, actions: &mut Vec<Action>) {
        for (number, cart) in (0..).zip(&self.carts) {
            let open = cart.status == CartStatus::Active || setup.has(Mistake::CartNotFrozen);
            if open && self.next_order_of(setup, number).is_some() {
                actions.push(Action::CheckOut(number));
            }
            if let (CartStatus::CheckingOut, Some(order)) = (cart.status, cart.order)
                && !self.told.contains(&order)
            {
                actions.push(Action::Place(order));
            }
        }
    }

    /// The first plan of a cart that was not begun.
    fn next_order_of(&self, setup: &Setup, cart: u8) -> Option<u8> {
        (0..).zip(&setup.orders).find_map(|(order, plan)| {
            let begun = self.recorded.contains(&Message { order, kind: Kind::CheckoutInitiated, nth: 0 });
            (plan.cart == cart && !begun).then_some(order)
        })
    }

    fn relays_of(&self, service: Service, scope: Scope, actions: &mut Vec<Action>) {
        let tables = &self.tables[service as usize];
        let relays = &self.relays[service as usize];
        let faulty = self.left.faults > 0;
        actions.extend(tables.owed.iter().map(|message| Action::RecordOwed(service, *message)));
        if faulty {
            actions.extend(tables.owed.iter().map(|message| Action::Fault(Fault::OwedForgotten(service, *message))));
        }
        for (message, lease) in &tables.outbox {
            match lease {
                None if scope.relays_in_steps => {
                    let idle = (0..).zip(relays).filter(|(_, carried)| carried.is_none());
                    actions.extend(idle.map(|(relay, _)| Action::Claim(service, relay, *message)));
                }
                None => {
                    actions.push(Action::Relay(service, *message));
                    if faulty {
                        actions.push(Action::Fault(Fault::NotPublished(service, *message)));
                        actions.push(Action::Fault(Fault::NotConfirmed(service, *message)));
                    }
                }
                // Free where the relay is dead: the lease runs out by itself.
                Some(relay) => {
                    let carries = relays[usize::from(*relay)].is_some_and(|carried| carried.message == *message);
                    if faulty || !carries {
                        actions.push(Action::Fault(Fault::RelayPauses(service, *message)));
                    }
                }
            }
        }
        for (relay, carried) in (0..).zip(relays) {
            let Some(carried) = carried else { continue };
            actions.push(match carried.confirmed {
                None => Action::Publish(service, relay),
                Some(_) => Action::Settle(service, relay),
            });
            if faulty {
                actions.push(Action::Fault(Fault::RelayDies(service, relay)));
                if carried.confirmed.is_none() {
                    actions.push(Action::Fault(Fault::NotPublished(service, carried.message)));
                    actions.push(Action::Fault(Fault::NotConfirmed(service, carried.message)));
                }
            }
        }
    }

    fn consumers_of(&self, service: Service, setup: &Setup, actions: &mut Vec<Action>) {
        let queue = &self.queues[service as usize];
        for (message, copies) in queue {
            actions.push(Action::Deliver(service, *message));
            if self.left.faults > 0 {
                actions.push(Action::Fault(Fault::BeforeCommit(service, *message)));
                actions.push(Action::Fault(Fault::BeforeAcknowledgement(service, *message)));
                if *copies < 2 {
                    actions.push(Action::Fault(Fault::Copy(service, *message)));
                }
            }
        }
        // With row locks it is the same as one after the other, which is there already.
        if service == Service::Products && setup.has(Mistake::NoRowLock) {
            let placing: Vec<Message> =
                queue.keys().filter(|message| message.kind == Kind::OrderPlaced).copied().collect();
            actions.extend(placing.windows(2).map(|two| Action::PlaceTogether(two[0], two[1])));
        }
    }

    fn work(&self, scope: Scope, actions: &mut Vec<Action>) {
        let faulty = self.left.faults > 0;
        for (worker, task) in (0..).zip(&self.workers) {
            match task {
                None => {
                    let due = (0..)
                        .zip(&self.payments)
                        .filter(|(_, row)| row.as_ref().is_some_and(|row| row.due().is_some()));
                    actions.extend(due.map(|(order, _)| Action::Take(worker, order)));
                }
                Some(Task { answer: Some(_), .. }) => actions.push(Action::Note(worker)),
                Some(task) => {
                    let outcomes = if task.call == Call::Charge { scope.outcomes } else { &scope.outcomes[..1] };
                    actions.extend(outcomes.iter().map(|outcome| Action::Ask(worker, *outcome)));
                    if faulty {
                        actions.push(Action::Fault(Fault::NotAsked(worker)));
                        actions
                            .extend(outcomes.iter().map(|outcome| Action::Fault(Fault::NotAnswered(worker, *outcome))));
                    }
                }
            }
            if faulty && task.is_some() {
                actions.push(Action::Fault(Fault::WorkerDies(worker)));
            }
        }
        for (order, row) in (0..).zip(&self.payments) {
            let Some(row) = row else { continue };
            let charge = row.lease.map(|worker| (worker, if row.called_off { Call::Void } else { Call::Charge }));
            let reversals =
                (0..).zip(&row.refunds).filter_map(|(number, refund)| Some((refund.lease?, Call::Reverse(number))));
            for (worker, call) in charge.into_iter().chain(reversals) {
                let at_work = self.workers[usize::from(worker)].is_some_and(|task| task.order == order);
                if faulty || !at_work {
                    actions.push(Action::Fault(Fault::WorkerPauses(order, call)));
                }
            }
        }
    }

    fn time_and_people(&self, order: u8, actions: &mut Vec<Action>) {
        let Some(state) = &self.sagas[usize::from(order)] else { return };
        if self.left.deadlines > 0 && !state.is_at_rest() && !matches!(state, State::Stuck(..)) {
            actions.push(Action::Deadline(order));
        }
        if self.left.wishes == 0 {
            return;
        }
        let granted = |wish: &Input| saga::next(state, *wish).is_ok_and(|transition| transition.to != *state);
        let wishes = [Input::Cancel, Input::Ship, Input::Deliver].into_iter().filter(granted);
        actions.extend(wishes.map(|wish| Action::Wish(order, wish)));
        if self.payments[usize::from(order)].as_ref().is_some_and(|row| row.captured > row.promised) {
            actions.push(Action::RefundPart(order));
        }
    }

    /// What comes of it; none if nothing does.
    pub fn after(&self, setup: &Setup, action: &Action) -> Option<World> {
        let mut world = self.clone();
        world.take(setup, action);
        (world != *self).then_some(world)
    }

    /// Lets it happen.
    pub fn take(&mut self, setup: &Setup, action: &Action) {
        match action {
            Action::CheckOut(cart) => {
                let next = self.next_order_of(setup, *cart);
                if let Some((order, kinds)) = rules::cart::check_out(self, setup, *cart, next) {
                    self.commit(setup, Service::Cart, order, &kinds);
                }
            }
            Action::Place(order) => {
                self.sagas[usize::from(*order)].get_or_insert(State::Pending);
                self.told.insert(*order);
            }
            Action::Relay(service, message) => {
                self.publish(*message);
                self.tables_of(*service).outbox.remove(message);
            }
            Action::Claim(service, relay, message) => {
                self.tables_of(*service).outbox.insert(*message, Some(*relay));
                self.relays[*service as usize][usize::from(*relay)] =
                    Some(Carried { message: *message, confirmed: None });
            }
            Action::Publish(service, relay) => self.publish_carried(setup, *service, *relay, Arrival::Confirmed),
            Action::Settle(service, relay) => self.settle_relay(*service, *relay),
            Action::Deliver(service, message) => {
                if self.apply(setup, *service, *message) {
                    self.acknowledge(*service, *message);
                }
            }
            Action::DeliverBatch(service, batch) => self.deliver_batch(setup, *service, batch),
            Action::PlaceTogether(one, other) => {
                let units = self.shelf.clone();
                for message in [*one, *other] {
                    let decide = |world: &mut World| rules::products::decide(world, setup, message, &units);
                    if self.apply_by(setup, Service::Products, message, decide) {
                        self.acknowledge(Service::Products, message);
                    }
                }
            }
            Action::RecordOwed(service, message) => {
                self.tables_of(*service).owed.remove(message);
                self.tables_of(*service).outbox.insert(*message, None);
            }
            Action::Take(worker, order) => {
                let Some(row) = &mut self.payments[usize::from(*order)] else { return };
                let Some(call) = row.due() else { return };
                *row.lease_of(call) = Some(*worker);
                self.workers[usize::from(*worker)] = Some(Task { order: *order, call, answer: None });
            }
            Action::Ask(worker, outcome) => self.ask(setup, *worker, *outcome),
            Action::Note(worker) => self.note(setup, *worker),
            Action::Fault(fault) => self.suffer(setup, fault),
            Action::Deadline(order) => {
                self.left.deadlines = self.left.deadlines.saturating_sub(1);
                self.wish(setup, *order, Input::Deadline);
            }
            Action::Wish(order, input) => {
                if self.wish(setup, *order, *input) {
                    self.left.wishes = self.left.wishes.saturating_sub(1);
                }
            }
            Action::RefundPart(order) => {
                let Some(row) = &mut self.payments[usize::from(*order)] else { return };
                if money::refund_part(row, *order, 3) {
                    self.left.wishes = self.left.wishes.saturating_sub(1);
                }
            }
        }
    }

    /// Writes the events of a transaction, as the product does: with it.
    fn commit(&mut self, setup: &Setup, service: Service, order: u8, kinds: &[Kind]) {
        let events = self.name(order, kinds);
        if setup.has(Mistake::EventsInASecondTransaction) {
            self.recorded.extend(&events);
            self.tables_of(service).owed.extend(events);
        } else {
            self.record(service, &events);
        }
    }

    fn wish(&mut self, setup: &Setup, order: u8, input: Input) -> bool {
        let before = self.sagas[usize::from(order)].clone();
        if let Some(Ok(kinds)) = feed(self, setup, order, input) {
            self.commit(setup, Service::Orders, order, &kinds);
        }
        before != self.sagas[usize::from(order)]
    }

    /// The transaction of one message. Returns whether the message is done with.
    fn apply(&mut self, setup: &Setup, service: Service, message: Message) -> bool {
        self.apply_by(setup, service, message, |world| rules::apply(world, setup, service, message))
    }

    fn apply_by(
        &mut self,
        setup: &Setup,
        service: Service,
        message: Message,
        effect: impl FnOnce(&mut World) -> Result<Vec<Kind>, Refusal>,
    ) -> bool {
        let repeated = self.tables_of(service).handled.contains(&message);
        if repeated && !setup.has(Mistake::NoIdempotencyRecord) {
            return true;
        }
        let before = self.clone();
        match effect(self) {
            Ok(kinds) => {
                self.tables_of(service).handled.insert(message);
                let times = self.applied.entry((service, message)).or_default();
                *times = (*times + 1).min(2);
                self.commit(setup, service, message.order, &kinds);
                true
            }
            Err(Refusal::Retry) => {
                *self = before;
                false
            }
            Err(Refusal::Reject) => {
                *self = before;
                self.parked.insert((service, message));
                true
            }
        }
    }

    /// One transaction for all of them; if one cannot be handled, each by itself.
    fn deliver_batch(&mut self, setup: &Setup, service: Service, batch: &[Message]) {
        let before = self.clone();
        let all = batch.iter().all(|message| self.apply(setup, service, *message));
        let one_is_to_blame = !all || self.parked != before.parked;
        if one_is_to_blame {
            *self = before;
            if setup.has(Mistake::PoisonTakesItsBatch) {
                self.parked.extend(batch.iter().map(|message| (service, *message)));
            }
        }
        for message in batch {
            if !one_is_to_blame || setup.has(Mistake::PoisonTakesItsBatch) || self.apply(setup, service, *message) {
                self.acknowledge(service, *message);
            }
        }
    }

    fn publish_carried(&mut self, setup: &Setup, service: Service, relay: u8, arrival: Arrival) {
        let Some(carried) = &mut self.relays[service as usize][usize::from(relay)] else { return };
        carried.confirmed = Some(arrival == Arrival::Confirmed);
        let message = carried.message;
        if arrival != Arrival::Lost {
            self.publish(message);
        }
        if setup.has(Mistake::DeleteBeforeConfirm) {
            self.tables_of(service).outbox.remove(&message);
        }
    }

    fn settle_relay(&mut self, service: Service, relay: u8) {
        let Some(carried) = self.relays[service as usize][usize::from(relay)].take() else { return };
        let outbox = &mut self.tables_of(service).outbox;
        if outbox.get(&carried.message) != Some(&Some(relay)) {
            return;
        }
        if carried.confirmed == Some(true) {
            outbox.remove(&carried.message);
        } else {
            outbox.insert(carried.message, None);
        }
    }

    fn ask(&mut self, setup: &Setup, worker: u8, outcome: ChargeEntry) {
        let Some(task) = self.workers[usize::from(worker)] else { return };
        let answer = money::ask_provider(self, setup, task, outcome);
        self.workers[usize::from(worker)] = Some(Task { answer: Some(answer), ..task });
    }

    fn note(&mut self, setup: &Setup, worker: u8) {
        let Some(task) = self.workers[usize::from(worker)].take() else { return };
        let (Some(row), Some(answer)) = (&mut self.payments[usize::from(task.order)], task.answer) else { return };
        if *row.lease_of(task.call) != Some(worker) {
            return;
        }
        let kinds = money::settle(row, setup, task, answer);
        *row.lease_of(task.call) = None;
        self.commit(setup, Service::Payments, task.order, &kinds);
    }
}

/// What became of something that was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arrival {
    Confirmed,
    Unconfirmed,
    Lost,
}
