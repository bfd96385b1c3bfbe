//! The database crate on a real PostgreSQL.

mod cancellation;
mod fresh;
mod gathering;
mod idempotency;
mod migrations;
mod outbox;
mod partitions;
mod pipeline;
mod pool;
mod roles;
mod startup;
