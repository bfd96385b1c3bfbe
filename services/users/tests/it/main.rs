//! The users service on a real PostgreSQL: in process, and through its REST API.
#![expect(clippy::unwrap_used, reason = "in a test, a fault of the surroundings is a failed test")]

mod accounts;
mod customers;
mod paging;
mod rest;
mod sessions;
mod support;
