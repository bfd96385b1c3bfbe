//! Every order of events in small shops, as far as there is time for it here; `prost-sim explore` goes to the end.

use std::collections::{HashMap, VecDeque};

use proof::action::{Action, Fault};
use proof::model::{SmallShop, small_shops};
use proof::oracle::violation_at_the_end;
use proof::setup::Mistake;
use proof::world::{Budget, World};
use stateright::{Checker, Model};

/// States that are generated of each shop, some of them more than once.
const STATES: usize = 400_000;

#[test]
fn every_promise_holds_in_every_order_of_events() {
    for shop in small_shops(None) {
        let name = shop.name;
        let checked = shop.checker().threads(2).target_state_count(STATES).spawn_bfs().join();
        println!("{} states: {name}", checked.unique_state_count());
        checked.assert_properties();
    }
}

#[test]
fn a_mistake_is_found_by_exploring() {
    for mistake in [Mistake::NoIdempotencyRecord, Mistake::DeleteBeforeConfirm, Mistake::NoStockCondition] {
        let found = small_shops(Some(mistake)).into_iter().any(|shop| {
            let checked = shop.checker().threads(2).target_state_count(STATES).spawn_bfs().join();
            !checked.discoveries().is_empty()
        });
        assert!(found, "{mistake:?} is not found");
    }
}

/// Every state is kept for it, with all ways into it: so two orders have one trouble at a time.
#[test]
fn from_every_state_everything_can_still_end_well() {
    let troubles = [
        Budget { faults: 1, deadlines: 0, wishes: 0 },
        Budget { faults: 0, deadlines: 1, wishes: 0 },
        Budget { faults: 0, deadlines: 0, wishes: 1 },
    ];
    let with = |number: usize, budget| SmallShop { budget, ..small_shops(None).swap_remove(number) };
    let one_order = with(0, Budget { faults: 1, deadlines: 1, wishes: 0 });
    let two_orders = [2, 3].into_iter().flat_map(|number| troubles.map(|budget| with(number, budget)));
    for shop in two_orders.chain([one_order]) {
        let (states, dead_end) = dead_end_of(&shop);
        println!("{states} states, each with a way to a good end: {}, but {:?}", shop.name, shop.budget);
        assert!(dead_end.is_none(), "from here nothing ends well:\n{dead_end:#?}");
    }
}

#[test]
fn a_dead_end_is_found() {
    let lost = small_shops(Some(Mistake::DeleteBeforeConfirm)).swap_remove(0);
    let shop = SmallShop { budget: Budget { faults: 1, deadlines: 0, wishes: 0 }, ..lost };
    assert!(dead_end_of(&shop).1.is_some());
}

/// What happens by itself, sooner or later, if nobody does anything and nothing goes wrong.
fn comes_by_itself(action: &Action, before: &World, after: &World) -> bool {
    match action {
        Action::Fault(Fault::RelayPauses(..) | Fault::WorkerPauses(..)) => before.left == after.left,
        Action::Fault(_) | Action::Wish(..) | Action::RefundPart(_) => false,
        _ => true,
    }
}

/// How many states there are, and one from which nothing that comes by itself leads to a good end.
fn dead_end_of(shop: &SmallShop) -> (usize, Option<World>) {
    let mut numbers: HashMap<World, usize> = HashMap::new();
    let mut worlds: Vec<World> = Vec::new();
    let mut came_from: Vec<Vec<usize>> = Vec::new();
    let mut unexplored: VecDeque<World> = shop.init_states().into();
    let mut number_of = |world: &World, worlds: &mut Vec<World>, came_from: &mut Vec<Vec<usize>>| {
        let next = worlds.len();
        let number = *numbers.entry(world.clone()).or_insert(next);
        if number == next {
            worlds.push(world.clone());
            came_from.push(Vec::new());
        }
        (number, number == next)
    };
    number_of(&unexplored[0], &mut worlds, &mut came_from);
    while let Some(world) = unexplored.pop_front() {
        let (from, _) = number_of(&world, &mut worlds, &mut came_from);
        for (action, next) in shop.next_steps(&world) {
            let (to, is_new) = number_of(&next, &mut worlds, &mut came_from);
            if comes_by_itself(&action, &world, &next) {
                came_from[to].push(from);
            }
            if is_new {
                unexplored.push_back(next);
            }
        }
    }
    let ends_well = |world: &World| world.is_quiet() && violation_at_the_end(world, &shop.setup).is_none();
    let mut good: Vec<bool> = worlds.iter().map(ends_well).collect();
    let mut spreading: Vec<usize> = (0..worlds.len()).filter(|number| good[*number]).collect();
    while let Some(number) = spreading.pop() {
        for from in &came_from[number] {
            if !good[*from] {
                good[*from] = true;
                spreading.push(*from);
            }
        }
    }
    let dead_end = good.iter().position(|good| !good).map(|number| worlds.swap_remove(number));
    (good.len(), dead_end)
}
