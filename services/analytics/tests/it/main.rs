//! The analytics service on a real PostgreSQL: events in, figures out.

#![expect(clippy::unwrap_used, reason = "in a test, a fault of the surroundings is a failed test")]

mod figures;
mod rest;
mod support;
