//! One shop, many shoppers, and whatever a seed brings.

use orders::saga::{Input, State};
use rand::rngs::SmallRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};

use crate::action::{Action, Fault, Scope};
use crate::message::{Kind, Message, Service};
use crate::oracle::{Violation, violation, violation_at_the_end};
use crate::setup::{Mistake, OrderPlan, Setup};
use crate::world::{Budget, ChargeEntry, Replicas, World};

/// More steps than any run needs.
const MOST_STEPS: usize = 20_000;
/// So often deadlines pass for orders that wait when nothing moves any more.
const MOST_DEADLINES: usize = 40;

/// A run that ended well.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Sagas that began.
    pub sagas: usize,
    /// How many of them ended sold.
    pub sold: usize,
    /// Things that happened.
    pub steps: usize,
    /// Those that were trouble.
    pub faults: usize,
}

/// A run that broke a promise.
#[derive(Debug, Clone)]
pub struct Broken {
    /// Plays it again.
    pub seed: u64,
    /// Which promise.
    pub violation: Violation,
    /// Everything that happened.
    pub history: Vec<Action>,
}

struct Run {
    setup: Setup,
    scope: Scope,
    world: World,
    random: SmallRng,
    history: Vec<Action>,
    report: Report,
}

/// Plays the shop of a seed to its end. The same seed gives the same run, mistake or not, until the mistake shows.
///
/// Errors: a promise was broken.
pub fn simulate(seed: u64, mistake: Option<Mistake>) -> Result<Report, Box<Broken>> {
    let mut run = Run::new(seed, mistake);
    let played = run.play().and_then(|()| run.finish());
    run.report.sagas = run.world.sagas.iter().flatten().count();
    let sold = |state: &&State| matches!(state, State::Confirmed | State::Shipped | State::Delivered);
    run.report.sold = run.world.sagas.iter().flatten().filter(sold).count();
    played.map(|()| run.report).map_err(|violation| Box::new(Broken { seed, violation, history: run.history }))
}

impl Run {
    fn new(seed: u64, mistake: Option<Mistake>) -> Run {
        let mut random = SmallRng::seed_from_u64(seed);
        let setup = shop(&mut random, mistake);
        let outcomes: &[ChargeEntry] = &[ChargeEntry::Captured, ChargeEntry::Captured, ChargeEntry::Declined];
        let scope = Scope { relays_in_steps: random.random_bool(0.5), outcomes };
        let replicas = Replicas { relays: random.random_range(1..=3), workers: random.random_range(1..=3) };
        let budget = Budget {
            faults: random.random_range(0..=30),
            deadlines: random.random_range(0..=3),
            wishes: random.random_range(0..=3),
        };
        let world = World::new(&setup, replicas, budget);
        Run { setup, scope, world, random, history: Vec::new(), report: Report::default() }
    }

    /// Lets things happen until nothing moves.
    fn play(&mut self) -> Result<(), Violation> {
        let mut poison = self.random.random_range(0..=2_u8);
        while let Some(action) = self.choose() {
            self.take(action)?;
            if poison > 0 && self.random.random_bool(0.02) {
                poison -= 1;
                let service = *Service::ALL.choose(&mut self.random).expect("four services");
                let message = Message { order: 0, kind: Kind::Poison, nth: poison };
                self.world.queues[service as usize].insert(message, 1);
            }
        }
        Ok(())
    }

    /// No more trouble: whatever is left must end by itself, with deadlines, and an operator for what is stuck.
    fn finish(&mut self) -> Result<(), Violation> {
        self.world.left = Budget { faults: 0, deadlines: 0, wishes: 0 };
        for _ in 0..MOST_DEADLINES {
            while let Some(action) = self.choose() {
                self.take(action)?;
            }
            let waiting = (0..).zip(&self.world.sagas).find_map(|(order, saga)| {
                let saga = saga.as_ref().filter(|state| !state.is_at_rest())?;
                Some((order, if matches!(saga, State::Stuck(..)) { Input::Retry } else { Input::Deadline }))
            });
            let Some((order, input)) = waiting else { break };
            self.take(Action::Wish(order, input))?;
        }
        violation_at_the_end(&self.world, &self.setup).map_or(Ok(()), Err)
    }

    fn take(&mut self, action: Action) -> Result<(), Violation> {
        self.report.steps += 1;
        self.report.faults += usize::from(matches!(action, Action::Fault(_)));
        self.world.take(&self.setup, &action);
        self.history.push(action);
        if self.history.len() > MOST_STEPS {
            return Err("the shop never comes to rest");
        }
        violation(&self.world, &self.setup).map_or(Ok(()), Err)
    }

    /// One of the things that may happen; the way forward is likelier than trouble.
    fn choose(&mut self) -> Option<Action> {
        let mut actions = Vec::new();
        self.world.actions(&self.setup, self.scope, &mut actions);
        self.add_batches(&mut actions);
        let weights: Vec<u32> = actions.iter().map(|action| self.weight(action)).collect();
        let total: u32 = weights.iter().sum();
        if total == 0 {
            return None;
        }
        let mut at = self.random.random_range(0..total);
        let chosen = weights.iter().position(|weight| {
            let here = at < *weight;
            at = at.saturating_sub(*weight);
            here
        });
        chosen.map(|number| actions.swap_remove(number))
    }

    fn weight(&self, action: &Action) -> u32 {
        match action {
            Action::Fault(Fault::RelayPauses(..) | Fault::WorkerPauses(..)) if self.world.left.faults == 0 => 1,
            Action::Fault(_) => 2,
            Action::Deadline(_) | Action::Wish(..) | Action::RefundPart(_) => 1,
            Action::CheckOut(_) => 4,
            Action::DeliverBatch(..) => 12,
            _ => 10,
        }
    }

    fn add_batches(&mut self, actions: &mut Vec<Action>) {
        for service in Service::ALL {
            let mut waiting: Vec<Message> = self.world.queues[service as usize].keys().copied().collect();
            if waiting.len() > 1 {
                waiting.shuffle(&mut self.random);
                waiting.truncate(self.random.random_range(2..=waiting.len()));
                actions.push(Action::DeliverBatch(service, waiting));
            }
        }
    }
}

/// A shop with little stock and many wishes for it, some lines in opposite order.
fn shop(random: &mut SmallRng, mistake: Option<Mistake>) -> Setup {
    let products = random.random_range(1..=3_u8);
    let stock = (0..products).map(|_| random.random_range(0..=8)).collect();
    let carts = random.random_range(1..=5_u8);
    let orders = (0..random.random_range(carts..=carts + 4))
        .map(|number| {
            let mut lines: Vec<(u8, u8)> = (0..products).map(|product| (product, random.random_range(0..=2))).collect();
            lines.retain(|(_, quantity)| *quantity > 0);
            if lines.is_empty() {
                lines.push((0, 1));
            }
            lines.shuffle(random);
            OrderPlan { cart: number % carts, lines }
        })
        .collect();
    Setup { stock, orders, mistake }
}
