//! Callers that go away in the middle of what they asked for.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

/// Polls the future so many times, then drops it; `Some` if it was done before.
pub async fn polled<T>(times: usize, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let mut left = times;
    poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        work.as_mut().poll(context).map(Some)
    })
    .await
}
