//! What only a real PostgreSQL can show.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod errors;
mod idempotency;
