//! A consumer in a runtime of its own, to be killed: whatever it was doing, detached tasks too, ends
//! mid-statement, as in a process that dies.

use std::sync::Arc;

use events::topology::Queue;
use tokio::runtime::Runtime;

use crate::harness::Harness;
use crate::probe::Probe;

pub struct Doomed {
    runtime: Option<Runtime>,
}

impl Doomed {
    pub fn consumer(harness: &Harness, queue: &'static Queue, handler: Arc<Probe>) -> Doomed {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let entered = runtime.enter();
        // Never stopped: it is killed.
        drop(harness.consumer(queue, handler));
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
