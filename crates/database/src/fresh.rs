//! Events on their way from the transaction that recorded them to the relay of the same process, in memory.
//!
//! A relay has to claim what it sends, which is a statement and a commit for each batch, in the way of whoever waits.
//! What its own process records it need not claim: the row is leased to it from birth, for [`LEASE`], and the event is
//! handed over once it is committed. Whatever goes wrong on this way (a crash, a commit whose answer was lost, no
//! room), the lease ends, and any relay claims the row as ever.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use uuid::Uuid;

use crate::outbox::Recorded;

/// How long a row is its own process's. Short, because after a crash nobody sends it sooner.
pub const LEASE: Duration = Duration::from_secs(5);
/// What waited longer is left to the lease's end: another relay could claim it while it is being sent.
const GOOD_FOR: Duration = Duration::from_secs(2);
/// Events on their way, at most: some 5 MB.
const ROOM: usize = 4_000;

/// A way, and whose it is.
pub(crate) fn way() -> (Handover, FreshEvents) {
    let lease = Uuid::new_v4();
    let (sender, receiver) = mpsc::channel(ROOM);
    (Handover { lease, sender }, FreshEvents { lease, receiver })
}

struct Fresh {
    event: Recorded,
    recorded_at: Instant,
}

/// Where recorded events go in.
#[derive(Clone)]
pub(crate) struct Handover {
    lease: Uuid,
    sender: mpsc::Sender<Fresh>,
}

impl Handover {
    /// Is there still a relay at the other end?
    pub fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }
}

/// Where the relay takes them out.
pub struct FreshEvents {
    lease: Uuid,
    receiver: mpsc::Receiver<Fresh>,
}

impl FreshEvents {
    /// Whom their rows are leased to.
    pub fn lease(&self) -> Uuid {
        self.lease
    }

    /// From now on what is recorded is due at once; what is on its way still comes.
    pub fn close(&mut self) {
        self.receiver.close();
    }

    /// Waits for events; up to `max` of those at hand, without those that others may have claimed by now. Loses none
    /// when it is given up.
    pub async fn next(&mut self, max: usize) -> Vec<Recorded> {
        let mut batch = Vec::new();
        if self.receiver.recv_many(&mut batch, max).await == 0 {
            // Another relay took its place.
            std::future::pending::<()>().await;
        }
        batch.into_iter().filter(|fresh| fresh.recorded_at.elapsed() < GOOD_FOR).map(|fresh| fresh.event).collect()
    }
}

/// What one transaction recorded, until it is committed.
pub(crate) struct Recording {
    to: Handover,
    events: Mutex<Vec<Fresh>>,
}

impl Recording {
    pub fn new(to: Handover) -> Recording {
        Recording { to, events: Mutex::default() }
    }

    pub fn lease(&self) -> Uuid {
        self.to.lease
    }

    pub fn add(&self, events: impl IntoIterator<Item = Recorded>) {
        let recorded_at = Instant::now();
        let fresh = events.into_iter().map(|event| Fresh { event, recorded_at });
        self.events.lock().unwrap_or_else(PoisonError::into_inner).extend(fresh);
    }

    pub fn undo(&self) {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// After the commit. What finds no room waits for the end of its lease.
    pub fn hand_over(&self) {
        let events = std::mem::take(&mut *self.events.lock().unwrap_or_else(PoisonError::into_inner));
        for fresh in events {
            if self.to.sender.try_send(fresh).is_err() {
                return;
            }
        }
    }
}
