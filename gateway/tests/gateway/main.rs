//! The gateway as a client sees it, over services that live in this test: what goes in, what comes out, and
//! how often a service is asked. Against the real services it is tested end to end, elsewhere.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod answers;
mod catalogue;
mod demo;
mod http;
mod keys;
mod orders;
mod reports;
mod resolvers;
mod schema;
mod sessions;
mod shop;
mod shop_catalogue;
mod shop_operations;
mod shop_reports;
mod support;
mod websocket;
