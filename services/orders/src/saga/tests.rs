use super::*;
use proptest::prelude::*;
use std::collections::HashSet;

/// Every state that can be reached from `Pending`, with how it was reached.
fn reachable() -> Vec<(State, Input, State, Vec<Command>)> {
    let mut seen = HashSet::from([State::Pending]);
    let mut todo = vec![State::Pending];
    let mut edges = Vec::new();
    while let Some(state) = todo.pop() {
        for input in Input::ALL {
            if let Ok(transition) = next(&state, input) {
                if seen.insert(transition.to.clone()) {
                    todo.push(transition.to.clone());
                }
                edges.push((state.clone(), input, transition.to, transition.commands));
            }
        }
    }
    edges
}

fn run(inputs: &[Input]) -> (State, Vec<Command>) {
    let mut state = State::Pending;
    let mut commands = Vec::new();
    for input in inputs {
        if let Ok(transition) = next(&state, *input) {
            state = transition.to;
            commands.extend(transition.commands);
        }
    }
    (state, commands)
}

#[test]
fn the_happy_path() {
    let (state, commands) = run(&[Input::CheckoutInitiated, Input::StockReserved, Input::PaymentProcessed]);
    assert_eq!(state, State::Confirmed);
    assert_eq!(commands, [Command::Place, Command::RequestPayment, Command::Confirm]);
}

#[test]
fn a_decline_is_undone_in_reverse_order() {
    let (state, commands) = run(&[
        Input::CheckoutInitiated,
        Input::StockReserved,
        Input::PaymentFailed,
        Input::StockReleased,
        Input::CartReopened,
    ]);
    assert_eq!(state, State::Compensated);
    assert_eq!(
        commands[2..],
        [Command::Fail, Command::Ask(Undo::Release), Command::Ask(Undo::Reopen), Command::RollBack]
    );
}

#[test]
fn a_cancelled_sale_leaves_the_cart_ordered() {
    let (state, commands) = run(&[
        Input::CheckoutInitiated,
        Input::StockReserved,
        Input::PaymentProcessed,
        Input::Cancel,
        Input::Refunded,
        Input::StockReleased,
    ]);
    assert_eq!(state, State::Cancelled);
    assert!(!commands.contains(&Command::Ask(Undo::Reopen)));
}

#[test]
fn money_that_comes_after_cancellation_is_given_back() {
    let (_, commands) =
        run(&[Input::CheckoutInitiated, Input::StockReserved, Input::Cancel, Input::Refunded, Input::PaymentProcessed]);
    assert_eq!(commands.iter().filter(|command| **command == Command::Ask(Undo::Refund)).count(), 2);
}

#[test]
fn an_undo_asked_in_vain_is_stuck_and_can_be_resumed() {
    let mut inputs = vec![Input::CheckoutInitiated, Input::StockRefused];
    inputs.extend([Input::Deadline; MAX_ASKED as usize]);
    let (state, _) = run(&inputs);
    assert!(matches!(state, State::Stuck(Ending::Failure, _)), "{state:?}");
    inputs.extend([Input::Retry, Input::CartReopened]);
    assert_eq!(run(&inputs).0, State::Compensated);
}

#[test]
fn shipped_orders_cannot_be_cancelled() {
    assert_eq!(next(&State::Shipped, Input::Cancel), Err(Illegal));
    assert_eq!(next(&State::Delivered, Input::Cancel), Err(Illegal));
}

#[test]
fn stock_and_money_are_undone_whenever_they_may_have_been_taken() {
    for (from, input, to, _) in reachable() {
        let fails = matches!(to, State::Undoing(..)) && !matches!(from, State::Undoing(..) | State::Stuck(..));
        if !fails {
            continue;
        }
        let stock_asked = !matches!(from, State::Pending);
        let stock_refused = input == Input::StockRefused;
        assert_eq!(to.owed().contains(&Undo::Release), stock_asked && !stock_refused, "{from:?} + {input:?}");
        let money_asked = matches!(from, State::InventoryReserved | State::Confirmed);
        let money_refused = input == Input::PaymentFailed;
        assert_eq!(to.owed().contains(&Undo::Refund), money_asked && !money_refused, "{from:?} + {input:?}");
        assert!(to.owed().is_sorted(), "undos run in reverse order of the steps: {:?}", to.owed());
    }
}

#[test]
fn undos_never_run_forward_or_lose_one() {
    for (from, input, to, _) in reachable() {
        if let (State::Undoing(_, before), State::Undoing(_, after)) = (&from, &to) {
            assert!(before.owed.ends_with(&after.owed), "{from:?} + {input:?} -> {to:?}");
            assert!(before.owed.len() - after.owed.len() <= 1);
        }
    }
}

#[test]
fn every_waiting_state_has_a_way_out() {
    let edges = reachable();
    for (state, ..) in &edges {
        let mut seen = HashSet::from([state.clone()]);
        let mut todo = vec![state.clone()];
        let mut rests = false;
        while let Some(at) = todo.pop() {
            rests |= at.is_at_rest();
            for (_, _, to, _) in edges.iter().filter(|(from, ..)| *from == at) {
                if seen.insert(to.clone()) {
                    todo.push(to.clone());
                }
            }
        }
        assert!(rests, "{state:?} can never come to rest");
    }
}

/// The diagram of the docs is drawn from the code.
#[test]
fn the_diagram() {
    let mut lines: Vec<String> = reachable()
        .into_iter()
        .filter(|(from, _, to, commands)| from != to || !commands.is_empty())
        .filter(|(from, ..)| !matches!(from, State::Undoing(_, undoing) if undoing.asked > 1))
        .map(|(from, input, to, commands)| {
            format!("    {} --> {}: {input:?}{}", label(&from), label(&to), outcome(&commands))
        })
        .collect();
    lines.sort();
    lines.dedup();
    let diagram = format!("stateDiagram-v2\n{}\n", lines.join("\n"));
    insta::with_settings!({ snapshot_path => "../snapshots" }, { insta::assert_snapshot!("saga_diagram", diagram) });
}

fn label(state: &State) -> String {
    let undos = state.owed().iter().map(|undo| undo.as_str()).collect::<Vec<_>>().join("_");
    match state {
        State::Stuck(..) => format!("STUCK_{undos}"),
        State::Undoing(..) => format!("{}_{undos}", state.order_status()),
        _ => state.order_status().to_string(),
    }
}

fn outcome(commands: &[Command]) -> String {
    if commands.is_empty() { String::new() } else { format!(" / {commands:?}") }
}

proptest! {
    #[test]
    fn repeating_a_message_asks_for_nothing_new(inputs in prop::collection::vec(prop::sample::select(Input::ALL.to_vec()), 0..20)) {
        let mut state = State::Pending;
        for input in inputs {
            let Ok(transition) = next(&state, input) else { continue };
            state = transition.to;
            // The clock may strike twice; a late payment is always asked back.
            if matches!(input, Input::Deadline | Input::PaymentProcessed | Input::Cancel | Input::Retry) {
                continue;
            }
            if let Ok(repeated) = next(&state, input) {
                prop_assert_eq!(&repeated.to, &state);
                prop_assert!(repeated.commands.is_empty());
            }
        }
    }
}
