//! Many callers in one transaction. The work needs no database here: who works with whom is what counts.

use std::sync::{Arc, Mutex};

use database::{Attempt, Error, Failure, Gathering};
use futures_util::future::join_all;
use tokio::sync::Semaphore;

#[derive(Debug, Clone, thiserror::Error, PartialEq)]
enum Refusal {
    #[error("the server is away")]
    Away,
    #[error("{0} spoils every batch")]
    Poison(u32),
    #[error("{0}")]
    Database(String),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        Refusal::Database(error.to_string())
    }
}

impl Failure for Refusal {
    fn is_everybodys(&self) -> bool {
        *self == Refusal::Away
    }
}

type Batches = Arc<Mutex<Vec<(Attempt, Vec<u32>)>>>;

const POISON: u32 = 13;
const BUSY: u32 = 44;
const BOMB: u32 = 99;
/// During an outage.
const OUTAGE: u32 = 77;

/// Doubles numbers; each batch needs a permit to end.
fn doubling(permits: &Arc<Semaphore>) -> (Gathering<u32, u32, Refusal>, Batches) {
    let batches = Batches::default();
    let (seen, permits) = (Arc::clone(&batches), Arc::clone(permits));
    let gathering = Gathering::new(move |items: Vec<u32>, attempt| {
        seen.lock().expect("unpoisoned").push((attempt, items.clone()));
        let permits = Arc::clone(&permits);
        Box::pin(async move {
            permits.acquire().await.expect("open").forget();
            assert!(!items.contains(&BOMB), "a bomb");
            if items.contains(&OUTAGE) {
                return Err(Refusal::Away);
            }
            if items.contains(&POISON) {
                return Err(Refusal::Poison(POISON));
            }
            let is_left_out = |item: &u32| *item == BUSY && attempt == Attempt::Together;
            Ok(items.iter().map(|item| (!is_left_out(item)).then_some(Ok(item * 2))).collect())
        })
    });
    (gathering, batches)
}

fn seen(batches: &Batches) -> Vec<(Attempt, Vec<u32>)> {
    batches.lock().expect("unpoisoned").clone()
}

/// The first is at work until there are permits; meanwhile all the others have come.
async fn ask_while_busy(
    gathering: &Gathering<u32, u32, Refusal>,
    batches: &Batches,
    permits: &Semaphore,
    others: &[u32],
) -> Vec<Result<u32, Refusal>> {
    let first = gathering.clone();
    let first = tokio::spawn(async move { first.ask(0).await });
    while seen(batches).is_empty() {
        tokio::task::yield_now().await;
    }
    let others = join_all(others.iter().map(|item| gathering.ask(*item)));
    let release = async { permits.add_permits(100) };
    // In this order: all others are waiting before the first is released.
    let (answers, ()) = tokio::join!(biased; others, release);
    assert_eq!(first.await.expect("no panic"), Ok(0));
    answers
}

#[tokio::test]
async fn a_caller_who_is_alone_waits_for_nobody() {
    let (gathering, batches) = doubling(&Arc::new(Semaphore::new(100)));
    assert_eq!(gathering.ask(1).await, Ok(2));
    assert_eq!(gathering.ask(2).await, Ok(4));
    assert_eq!(seen(&batches), [(Attempt::Together, vec![1]), (Attempt::Together, vec![2])]);
}

#[tokio::test]
async fn those_who_come_meanwhile_are_the_next_batch() {
    let permits = Arc::new(Semaphore::new(0));
    let (gathering, batches) = doubling(&permits);
    let answers = ask_while_busy(&gathering, &batches, &permits, &[1, 2, 3]).await;
    assert_eq!(answers, [Ok(2), Ok(4), Ok(6)]);
    assert_eq!(seen(&batches), [(Attempt::Together, vec![0]), (Attempt::Together, vec![1, 2, 3])]);
}

#[tokio::test]
async fn one_who_spoils_a_batch_fails_alone() {
    let permits = Arc::new(Semaphore::new(0));
    let (gathering, batches) = doubling(&permits);
    let answers = ask_while_busy(&gathering, &batches, &permits, &[1, POISON, 3]).await;
    assert_eq!(answers, [Ok(2), Err(Refusal::Poison(POISON)), Ok(6)]);
    let alone = seen(&batches).into_iter().filter(|(attempt, _)| *attempt == Attempt::Alone).count();
    assert_eq!(alone, 3);
    assert_eq!(gathering.ask(POISON).await, Err(Refusal::Poison(POISON)), "the only one is not tried twice");
    assert_eq!(seen(&batches).last(), Some(&(Attempt::Together, vec![POISON])));
}

#[tokio::test]
async fn in_an_outage_nobody_is_tried_twice() {
    let permits = Arc::new(Semaphore::new(0));
    let (gathering, batches) = doubling(&permits);
    let answers = ask_while_busy(&gathering, &batches, &permits, &[1, OUTAGE, 3]).await;
    assert_eq!(answers, [Err(Refusal::Away), Err(Refusal::Away), Err(Refusal::Away)]);
    assert_eq!(seen(&batches).last(), Some(&(Attempt::Together, vec![1, OUTAGE, 3])));
}

#[tokio::test]
async fn one_who_would_have_to_wait_keeps_nobody_waiting() {
    let permits = Arc::new(Semaphore::new(0));
    let (gathering, batches) = doubling(&permits);
    let answers = ask_while_busy(&gathering, &batches, &permits, &[1, BUSY, 3]).await;
    assert_eq!(answers, [Ok(2), Ok(88), Ok(6)]);
    assert_eq!(seen(&batches).last(), Some(&(Attempt::Alone, vec![BUSY])));
}

#[tokio::test]
async fn work_that_panics_is_told_and_the_next_goes_on() {
    let (gathering, _) = doubling(&Arc::new(Semaphore::new(100)));
    assert_eq!(gathering.ask(BOMB).await, Err(Refusal::from(Error::Panicked)));
    assert_eq!(gathering.ask(4).await, Ok(8));
}

#[tokio::test]
async fn a_caller_who_goes_away_tears_nothing() {
    let permits = Arc::new(Semaphore::new(0));
    let (gathering, batches) = doubling(&permits);
    let caller = gathering.clone();
    let caller = tokio::spawn(async move { caller.ask(1).await });
    while seen(&batches).is_empty() {
        tokio::task::yield_now().await;
    }
    caller.abort();
    permits.add_permits(100);
    assert_eq!(gathering.ask(2).await, Ok(4));
    assert_eq!(seen(&batches), [(Attempt::Together, vec![1]), (Attempt::Together, vec![2])]);
}

#[tokio::test]
async fn a_caller_who_goes_before_his_turn_is_not_served_and_the_line_has_an_end() {
    let permits = Arc::new(Semaphore::new(0));
    let (gathering, batches) = doubling(&permits);
    let first = gathering.clone();
    let first = tokio::spawn(async move { first.ask(0).await });
    while seen(&batches).is_empty() {
        tokio::task::yield_now().await;
    }
    let mut gone: Vec<_> = (1..=5_000).map(|item| Box::pin(gathering.ask(item))).collect();
    for caller in &mut gone {
        assert!(futures_util::poll!(caller).is_pending());
    }
    assert_eq!(gathering.ask(7).await, Err(Refusal::from(Error::Crowded)), "one more would be too many");
    drop(gone);
    permits.add_permits(100);
    assert_eq!(first.await.expect("no panic"), Ok(0));
    assert_eq!(gathering.ask(2).await, Ok(4));
    assert_eq!(seen(&batches), [(Attempt::Together, vec![0]), (Attempt::Together, vec![2])]);
}
