//! Orders as they change: one tap on the orders' events per process, fanned out to whoever watches an order.
//!
//! The tap is open only while somebody watches, and a little longer. It may miss events and says so with a gap;
//! then, and when it opens, every watcher is told to read its order again. So nothing is missed, and whoever
//! subscribes before reading misses nothing in between either.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use events::topology::Exchange;
use events::{Envelope, OrderFailed, OrderId, OrderStatus};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use messaging::{Tapped, Transport};
use serde::Deserialize;
use service::Shutdown;
use tokio::sync::{Notify, broadcast};

/// Changes that wait for a slow watcher; one that falls behind reads its order again.
const BACKLOG: usize = 32;

/// Opens a live view of the orders' events.
pub type TapSource = Arc<dyn Fn() -> BoxStream<'static, Tapped> + Send + Sync>;

/// The live view that a transport offers.
pub fn tap_source(transport: Transport) -> TapSource {
    Arc::new(move || {
        let transport = transport.clone();
        let tap = async move { transport.tap(&[Exchange::Orders]).await };
        let events = |tap| stream::unfold(tap, async |mut tap: messaging::Tap| Some((tap.next().await, tap)));
        stream::once(tap).flat_map(events).boxed()
    })
}

/// What a watcher is told.
#[derive(Debug, Clone)]
pub enum Change {
    /// The order moved on.
    Moved(Arc<Moved>),
    /// Something may have been missed: read the order.
    Unknown,
}

/// One change of an order, as its event tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct Moved {
    /// The order's version after it.
    pub version: i64,
    /// The states passed through, oldest first.
    pub statuses: Vec<OrderStatus>,
    /// When.
    pub at: DateTime<Utc>,
    /// Code and reason, if this is where it failed.
    pub failure: Option<(String, String)>,
}

/// What every event of an order carries.
#[derive(Deserialize)]
struct Passed {
    statuses: Vec<OrderStatus>,
}

impl Change {
    /// Reads an event; one that this release does not understand still says that something changed.
    ///
    /// A failure is told by several events: the failure itself, and each request to undo something. Only the
    /// first knows the reason, so the others are passed over, whichever comes first.
    fn of(envelope: &Envelope) -> Option<Change> {
        let Ok(passed) = serde_json::from_str::<Passed>(envelope.payload.get()) else { return Some(Change::Unknown) };
        let failure = match envelope.is::<OrderFailed>() {
            true => match envelope.decode::<OrderFailed>() {
                Ok(failed) => Some((failed.code, failed.reason)),
                Err(_) => return Some(Change::Unknown),
            },
            false if passed.statuses.contains(&OrderStatus::Failed) => return None,
            false => None,
        };
        let version = envelope.aggregate_version;
        Some(Change::Moved(Arc::new(Moved { version, statuses: passed.statuses, at: envelope.timestamp, failure })))
    }
}

/// Where orders are watched. Cheap to clone.
#[derive(Clone)]
pub struct LiveOrders(Arc<Inner>);

struct Inner {
    source: TapSource,
    linger: Duration,
    shutdown: Shutdown,
    watched: Mutex<Watched>,
    changed: Notify,
}

#[derive(Default)]
struct Watched {
    orders: HashMap<OrderId, Topic>,
    is_tapping: bool,
}

struct Topic {
    changes: broadcast::Sender<Change>,
    watchers: usize,
}

impl Topic {
    fn new() -> Self {
        Self { changes: broadcast::channel(BACKLOG).0, watchers: 0 }
    }

    fn tell(&self, change: Change) {
        if self.changes.send(change).is_err() {
            tracing::trace!("the last watcher has just left");
        }
    }
}

impl LiveOrders {
    /// Taps `source` while somebody watches, and for `linger` after the last one left.
    pub fn new(source: TapSource, linger: Duration, shutdown: Shutdown) -> Self {
        Self(Arc::new(Inner { source, linger, shutdown, watched: Mutex::default(), changed: Notify::new() }))
    }

    /// Tells every change of an order from now on. Read the order after this call, not before.
    pub fn watch(&self, id: OrderId) -> Watcher {
        let mut watched = self.0.lock();
        let topic = watched.orders.entry(id).or_insert_with(Topic::new);
        topic.watchers += 1;
        let changes = topic.changes.subscribe();
        if !watched.is_tapping && !self.0.shutdown.is_draining() {
            watched.is_tapping = true;
            self.0.shutdown.spawn("live orders", tap(self.0.clone()));
        }
        metrics::gauge!("graphql_watched_orders").set(count(&watched));
        drop(watched);
        self.0.changed.notify_one();
        Watcher { id, changes, inner: self.0.clone() }
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, tapped: &Tapped) {
        let watched = self.lock();
        match tapped {
            Tapped::Gap => watched.orders.values().for_each(|topic| topic.tell(Change::Unknown)),
            Tapped::Event(envelope) => {
                if let Some(topic) = watched.orders.get(&OrderId(envelope.aggregate_id))
                    && let Some(change) = Change::of(envelope)
                {
                    topic.tell(change);
                }
            }
        }
    }
}

fn count(watched: &Watched) -> f64 {
    u32::try_from(watched.orders.len()).map_or(f64::MAX, f64::from)
}

/// However the tapping ends, by shutdown or by a panic: watchers learn that there is nothing more to come.
struct Tapping {
    inner: Arc<Inner>,
    /// Nobody watched. Whoever has come since is told by a tapping of its own.
    is_over: bool,
}

impl Tapping {
    /// Ends it unless somebody came meanwhile.
    fn stop_if_unwatched(&mut self) -> bool {
        let mut watched = self.inner.lock();
        self.is_over = watched.orders.is_empty();
        watched.is_tapping = !self.is_over;
        self.is_over
    }
}

impl Drop for Tapping {
    fn drop(&mut self) {
        if !self.is_over {
            let mut watched = self.inner.lock();
            watched.is_tapping = false;
            watched.orders.clear();
        }
    }
}

async fn tap(inner: Arc<Inner>) {
    let mut tapping = Tapping { inner: inner.clone(), is_over: false };
    let draining = inner.shutdown.token();
    let mut events = (inner.source)();
    loop {
        let is_watched = !inner.lock().orders.is_empty();
        tokio::select! {
            () = draining.cancelled() => break,
            tapped = events.next() => match tapped {
                Some(tapped) => inner.tell(&tapped),
                None => break,
            },
            () = inner.changed.notified() => {}
            () = tokio::time::sleep(inner.linger), if !is_watched => {
                if tapping.stop_if_unwatched() {
                    break;
                }
            }
        }
    }
    drop(tapping);
}

/// Watches one order.
pub struct Watcher {
    id: OrderId,
    changes: broadcast::Receiver<Change>,
    inner: Arc<Inner>,
}

impl Watcher {
    /// Waits for the next change; `None` when there is nothing more to come.
    pub async fn next(&mut self) -> Option<Change> {
        match self.changes.recv().await {
            Ok(change) => Some(change),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(Change::Unknown),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let mut watched = self.inner.lock();
        // A closed channel is no longer in the map; what stands under the id then is somebody else's.
        if !self.changes.is_closed()
            && let Some(topic) = watched.orders.get_mut(&self.id)
        {
            topic.watchers -= 1;
            if topic.watchers == 0 {
                watched.orders.remove(&self.id);
            }
        }
        metrics::gauge!("graphql_watched_orders").set(count(&watched));
        drop(watched);
        self.inner.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use events::{CartId, CorrelationId, Draft, ReleaseRequested, UserId};
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_tapping_that_is_over_takes_nothing_from_whoever_came_since() {
        let live = LiveOrders::new(Arc::new(|| stream::pending().boxed()), Duration::ZERO, Shutdown::default());
        let mut tapping = Tapping { inner: live.0.clone(), is_over: false };
        assert!(tapping.stop_if_unwatched());
        let mut watcher = live.watch(OrderId::new());
        drop(tapping);
        assert!(watcher.next().now_or_never().is_none(), "there is more to come");
        assert!(live.0.lock().is_tapping, "one tapping is enough");
    }

    #[test]
    fn a_failure_is_told_by_the_event_that_knows_the_reason() {
        let (order_id, user_id, cart_id) = (OrderId::new(), UserId::new(), CartId::new());
        let statuses = vec![OrderStatus::Failed];
        let (code, reason) = ("OUT_OF_STOCK".to_owned(), "Sold out.".to_owned());
        let release = ReleaseRequested { order_id, user_id, cart_id, statuses: statuses.clone() };
        let failed = OrderFailed { order_id, user_id, cart_id, statuses, code: code.clone(), reason: reason.clone() };
        let correlation_id = CorrelationId::new();
        assert!(Change::of(&Draft::new(&release, 4, correlation_id, "orders").envelope).is_none());
        match Change::of(&Draft::new(&failed, 4, correlation_id, "orders").envelope) {
            Some(Change::Moved(moved)) => assert_eq!(moved.failure, Some((code, reason))),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_event_of_another_release_says_that_something_changed() {
        let event = OrderFailed {
            order_id: OrderId::new(),
            user_id: UserId::new(),
            cart_id: CartId::new(),
            statuses: vec![OrderStatus::Failed],
            code: "X".to_owned(),
            reason: "x".to_owned(),
        };
        let mut envelope = Draft::new(&event, 4, CorrelationId::new(), "orders").envelope;
        envelope.version = "2".to_owned();
        assert!(matches!(Change::of(&envelope), Some(Change::Unknown)));
    }
}
