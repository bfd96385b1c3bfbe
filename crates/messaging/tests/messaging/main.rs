//! What every transport promises, as one suite that each of them runs, and what is PostgreSQL's own.

mod conformance;
mod dead_letters;
mod deadly;
mod doomed;
mod faults;
mod harness;
mod logs;
mod postgres;
mod probe;
mod rabbit_probe;
mod relays;
mod releases;
mod traces;

/// Runs each case on each transport, as a test of its own.
macro_rules! on_every_transport {
    ($($module:ident::$case:ident,)*) => {
        mod same_database {
            $(#[tokio::test] async fn $case() { super::$module::$case(crate::harness::Kind::SameDatabase).await })*
        }
        mod straight {
            $(#[tokio::test] async fn $case() { super::$module::$case(crate::harness::Kind::Straight).await })*
        }
        mod apart {
            $(#[tokio::test] async fn $case() { super::$module::$case(crate::harness::Kind::Apart).await })*
        }
        mod rabbit {
            $(#[tokio::test] async fn $case() { super::$module::$case(crate::harness::Kind::Rabbit).await })*
        }
    };
}

on_every_transport! {
    conformance::events_are_consumed_once,
    conformance::an_event_arrives_without_waiting_for_a_sweep,
    conformance::duplicates_change_nothing,
    conformance::of_a_batch_with_one_poison_message_only_that_is_parked,
    conformance::of_a_thousand_messages_every_hundredth_is_parked,
    conformance::what_cannot_be_read_is_parked_and_the_rest_passes,
    conformance::a_retry_comes_later_and_holds_up_nobody,
    conformance::after_the_last_tier_a_message_is_parked,
    conformance::a_panic_is_an_attempt,
    conformance::a_statement_that_takes_too_long_is_an_attempt,
    conformance::an_unroutable_event_is_never_taken_for_sent,
    conformance::two_consumers_share_a_queue_without_double_effects,
    conformance::a_tap_tells_events_and_gaps,
    conformance::the_depths_tell_what_waits_where,
    dead_letters::looking_at_dead_letters_changes_nothing,
    dead_letters::a_replay_is_one_effect_in_its_own_queue,
    dead_letters::a_replayed_message_has_all_its_tries_again,
    dead_letters::two_operators_at_once_handle_each_letter_once,
    dead_letters::what_is_discarded_is_gone_and_nothing_else,
    deadly::who_aborts_its_process_is_parked_and_nobody_else,
    deadly::who_takes_its_consumer_down_is_parked_and_nobody_else,
    faults::a_consumer_that_dies_half_way_leaves_its_messages_to_the_next,
    faults::shutdown_finishes_what_is_begun_and_leaves_the_rest_at_once,
    faults::while_the_broker_is_away_events_wait_and_then_drain,
    faults::what_is_committed_is_told_although_it_could_not_be_acknowledged,
    faults::a_stall_in_the_middle_doubles_nothing,
    faults::a_paused_relay_doubles_nothing,
    faults::what_commits_late_is_applied_like_all_the_rest,
    faults::two_copies_at_once_in_two_replicas_are_one_effect,
    faults::while_its_database_is_away_a_consumer_parks_nothing,
    traces::a_trace_is_carried_to_what_an_event_causes,
    traces::failed_attempts_are_kept_and_nothing_else,
}
