//! Idempotency keys as clients use them: over HTTP, at every operation there is, with restarts in between.

mod at_once;
mod guessable;
mod repeated;
mod request;
