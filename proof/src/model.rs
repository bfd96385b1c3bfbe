//! Every order of events in a small shop.

use stateright::{Model, Property};

use crate::action::{Action, Scope};
use crate::oracle::{violation, violation_at_the_end};
use crate::setup::{Mistake, OrderPlan, Setup};
use crate::world::{Budget, ChargeEntry, Replicas, World};

/// A small shop, and how far things may go wrong in it.
#[derive(Debug, Clone)]
pub struct SmallShop {
    /// What it is called in reports.
    pub name: &'static str,
    /// Its stock and its shoppers.
    pub setup: Setup,
    /// What is possible.
    pub scope: Scope,
    /// How many relays and workers.
    pub replicas: Replicas,
    /// How much trouble.
    pub budget: Budget,
}

const DECIDES: &[ChargeEntry] = &[ChargeEntry::Captured, ChargeEntry::Declined];

/// The shops that are explored.
pub fn small_shops(mistake: Option<Mistake>) -> Vec<SmallShop> {
    let one_each = |cart| OrderPlan { cart, lines: vec![(0, 1)] };
    let coarse = Scope { relays_in_steps: false, outcomes: DECIDES };
    let single = Replicas { relays: 1, workers: 1 };
    vec![
        SmallShop {
            name: "one order, two faults, a deadline and a wish",
            setup: Setup { stock: vec![1], orders: vec![one_each(0)], mistake },
            scope: coarse,
            replicas: Replicas { relays: 1, workers: 2 },
            budget: Budget { faults: 2, deadlines: 1, wishes: 1 },
        },
        SmallShop {
            name: "one order, two relays that take one step at a time, a fault",
            setup: Setup { stock: vec![1], orders: vec![one_each(0)], mistake },
            scope: Scope { relays_in_steps: true, ..coarse },
            replicas: Replicas { relays: 2, workers: 1 },
            budget: Budget { faults: 1, deadlines: 0, wishes: 0 },
        },
        SmallShop {
            name: "two orders for one unit, a fault or a wish",
            setup: Setup { stock: vec![1], orders: vec![one_each(0), one_each(1)], mistake },
            scope: coarse,
            replicas: single,
            budget: Budget { faults: 1, deadlines: 0, wishes: 1 },
        },
        SmallShop {
            name: "a cart that comes back and is checked out again",
            setup: Setup { stock: vec![1], orders: vec![one_each(0), one_each(0)], mistake },
            scope: coarse,
            replicas: single,
            budget: Budget { faults: 1, deadlines: 1, wishes: 1 },
        },
    ]
}

impl Model for SmallShop {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(&self.setup, self.replicas, self.budget)]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        world.actions(&self.setup, self.scope, actions);
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        world.after(&self.setup, &action)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("every promise holds", |shop: &SmallShop, world: &World| {
                violation(world, &shop.setup).is_none()
            }),
            Property::always("whatever is over has ended well", |shop: &SmallShop, world: &World| {
                !world.is_quiet() || violation_at_the_end(world, &shop.setup).is_none()
            }),
        ]
    }
}
