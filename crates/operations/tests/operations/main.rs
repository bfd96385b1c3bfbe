//! The operators' endpoints, through their HTTP client, on real servers.

mod dead_letters;
mod history;
mod outbox;
mod paging;
mod support;
