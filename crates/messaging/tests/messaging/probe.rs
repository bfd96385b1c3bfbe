//! A handler that leaves a trace of each effect and does what its test says.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use database::Connection;
use events::{Envelope, EventId};
use messaging::{Handler, HandlerError};
use tokio::sync::Semaphore;

/// What to do with one event, after its effect was written.
#[derive(Debug, Clone, Copy)]
pub enum Act {
    Apply,
    Reject,
    /// `Retry` so many times, then apply.
    Retry(usize),
    Panic,
    /// End the process at once.
    Abort,
    /// Run a statement that the server ends.
    Dawdle,
    /// Say so, then wait for a permit.
    Pause,
}

pub struct Probe {
    acts: HashMap<EventId, Act>,
    otherwise: Act,
    /// Attempts per event.
    attempts: Mutex<HashMap<EventId, usize>>,
    largest: AtomicUsize,
    /// What it was told of as committed, in that order.
    committed: Mutex<Vec<EventId>>,
    /// One permit for each event that began to pause.
    pub paused: Semaphore,
    /// One permit lets one pausing event go on.
    pub resume: Semaphore,
}

impl Probe {
    /// Applies everything.
    pub fn new() -> Arc<Probe> {
        Probe::with(Act::Apply, [])
    }

    pub fn with(otherwise: Act, acts: impl IntoIterator<Item = (EventId, Act)>) -> Arc<Probe> {
        Arc::new(Probe {
            acts: acts.into_iter().collect(),
            otherwise,
            attempts: Mutex::default(),
            largest: AtomicUsize::new(0),
            committed: Mutex::default(),
            paused: Semaphore::new(0),
            resume: Semaphore::new(0),
        })
    }

    pub fn attempts(&self, event: EventId) -> usize {
        self.attempts.lock().expect("lock").get(&event).copied().unwrap_or(0)
    }

    /// Events in the largest batch.
    pub fn largest_batch(&self) -> usize {
        self.largest.load(Ordering::Relaxed)
    }

    /// How often it was told that this event is committed.
    pub fn committed(&self, event: EventId) -> usize {
        self.committed.lock().expect("lock").iter().filter(|committed| **committed == event).count()
    }

    fn count(&self, event: EventId) -> usize {
        let mut attempts = self.attempts.lock().expect("lock");
        let count = attempts.entry(event).or_default();
        *count += 1;
        *count
    }
}

#[async_trait]
impl Handler for Probe {
    async fn handle(&self, tx: &Connection, batch: &[Envelope]) -> Result<(), HandlerError> {
        self.largest.fetch_max(batch.len(), Ordering::Relaxed);
        for envelope in batch {
            let id = envelope.event_id;
            tx.execute("INSERT INTO effects (event_id) VALUES ($1)", &[&id]).await?;
            let attempt = self.count(id);
            match self.acts.get(&id).copied().unwrap_or(self.otherwise) {
                Act::Apply => {}
                Act::Reject => return Err(HandlerError::Reject(format!("{id} is poison"))),
                Act::Retry(times) if attempt <= times => return Err(HandlerError::Retry(format!("{id} is not ready"))),
                Act::Retry(_) => {}
                Act::Dawdle => tx.batch_execute("SET LOCAL statement_timeout = '10ms'; SELECT pg_sleep(60)").await?,
                Act::Panic => panic!("as a bug would"),
                Act::Abort => std::process::abort(),
                Act::Pause => {
                    self.paused.add_permits(1);
                    self.resume.acquire().await.expect("open").forget();
                }
            }
        }
        Ok(())
    }

    fn committed(&self, batch: &[Envelope]) {
        self.committed.lock().expect("lock").extend(batch.iter().map(|envelope| envelope.event_id));
    }
}
