//! The trace context of the request at hand: events that it records carry it, and calls of other services, too.
//!
//! No trace begins here. One that came with a request is carried as it came.

use events::TraceParent;

tokio::task_local! {
    static CURRENT: TraceParent;
}

/// Runs `work` in this trace.
pub async fn within<F: Future>(trace: TraceParent, work: F) -> F::Output {
    CURRENT.scope(trace, work).await
}

/// The trace of the task at hand, if a request brought one.
pub fn current() -> Option<TraceParent> {
    CURRENT.try_with(|trace| *trace).ok()
}
