//! The payments service on a real PostgreSQL, spoken to as the order's saga and as an admin.

#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod charges;
mod faults;
mod http;
mod refunds;
mod schema;
mod support;
