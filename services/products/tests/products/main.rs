//! The products service on a real database: what it stores, publishes and answers.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod caching;
mod catalogue;
mod demo;
mod holds;
mod http;
mod lists;
mod paging;
mod plans;
mod schema;
mod search;
mod support;
mod uploads;
