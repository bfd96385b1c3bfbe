//! Thousands of shops with random events, and every mistake that must be noticed in them.

use proof::setup::Mistake;
use proof::simulation::simulate;

/// A mistake that shows in none of so many shops is not noticed.
const MOST_SEEDS: u64 = 2_000;

/// Seeds that once broke a promise, here or in the product: they are played for ever.
const ONCE_BROKEN: &[u64] = &[];

#[test]
fn thousands_of_shops_end_well() {
    let (mut sagas, mut sold, mut faults) = (0, 0, 0);
    for seed in ONCE_BROKEN.iter().copied().chain(0..8_000) {
        match simulate(seed, None) {
            Ok(report) => {
                sagas += report.sagas;
                sold += report.sold;
                faults += report.faults;
            }
            Err(broken) => panic!(
                "seed {}: {}; `cargo run -p proof -- seed {}` tells the whole story",
                broken.seed, broken.violation, broken.seed
            ),
        }
    }
    println!("{sagas} sagas, {sold} of them sold, {faults} faults");
    assert!(sold * 10 > sagas && (sagas - sold) * 10 > sagas, "both ends have to be frequent");
}

#[test]
fn a_seed_plays_the_same_again() {
    assert_eq!(simulate(7, None).expect("ends well"), simulate(7, None).expect("ends well"));
}

macro_rules! noticed {
    ($($test:ident: $mistake:ident;)*) => {
        $(#[test]
        fn $test() {
            let noticed = (0..MOST_SEEDS).find_map(|seed| simulate(seed, Some(Mistake::$mistake)).err());
            let broken = noticed.expect("nobody noticed");
            println!("seed {}: {}", broken.seed, broken.violation);
        })*

        #[test]
        fn every_mistake_has_its_test() {
            assert_eq!(Mistake::ALL.as_slice(), [$(Mistake::$mistake),*]);
        }
    };
}

noticed! {
    consumers_without_records_are_noticed: NoIdempotencyRecord;
    acknowledging_before_the_commit_is_noticed: AcknowledgeBeforeCommit;
    failures_recorded_as_processed_are_noticed: FailureRecordedAsProcessed;
    a_poison_that_takes_its_batch_is_noticed: PoisonTakesItsBatch;
    deleting_before_the_confirm_is_noticed: DeleteBeforeConfirm;
    publishing_before_the_commit_is_noticed: PublishBeforeCommit;
    events_in_a_second_transaction_are_noticed: EventsInASecondTransaction;
    granting_more_than_there_is_is_noticed: NoStockCondition;
    stock_decided_without_a_lock_is_noticed: NoRowLock;
    a_release_without_trace_is_noticed: NoStockTombstone;
    a_refund_without_trace_is_noticed: NoPaymentTombstone;
    charges_without_a_key_are_noticed: ChargeWithoutKey;
    refunds_without_a_key_are_noticed: RefundWithoutKey;
    silence_taken_for_a_decline_is_noticed: SilenceIsADecline;
    undos_in_forward_order_are_noticed: UndoneInForwardOrder;
    a_cancellation_without_refund_is_noticed: CancelledWithoutRefund;
    a_cart_that_is_not_frozen_is_noticed: CartNotFrozen;
}
