//! A consumer or a relay in a runtime of its own, to be killed: whatever it was doing, detached tasks too, ends
//! mid-statement, as in a process that dies.

use std::sync::Arc;

use events::topology::Queue;
use tokio::runtime::Runtime;

use crate::harness::{Harness, Running};
use crate::probe::Probe;

pub struct Doomed {
    runtime: Option<Runtime>,
}

impl Doomed {
    pub fn consumer(harness: &Harness, queue: &'static Queue, handler: Arc<Probe>) -> Doomed {
        Doomed::running(|| harness.consumer(queue, handler))
    }

    /// Products' relay, with connections of its own.
    pub fn relay(harness: &Harness) -> Doomed {
        let database = harness.db.database("products", "catalog");
        let transport = harness.transport(&database, "products");
        Doomed::running(|| harness.relay_of(database, transport))
    }

    fn running(start: impl FnOnce() -> Running) -> Doomed {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let entered = runtime.enter();
        // Never stopped: it is killed.
        drop(start());
        drop(entered);
        Doomed { runtime: Some(runtime) }
    }

    pub fn kill(mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Doomed {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
