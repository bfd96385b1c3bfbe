//! The proof that no order is lost, doubled or oversold: the checkout as a value, in which everything can happen at
//! any time.
//!
//! The decisions are the product's own functions: `orders::saga::next`, `products::model::stock::Ledger`,
//! `payments::model`, `cart::model`, reached through the private module `rules`. What surrounds them, tables, outbox, queues, leases, workers and the
//! provider, is modelled as what it promises: a transaction is one step, and a crash comes between any two. The tests
//! on the real system ask whether PostgreSQL and RabbitMQ keep those promises.
//!
//! [`model`] explores every order of events of a small shop; [`simulation`] plays large ones with random events, from
//! a seed; [`oracle`] says what must hold; [`setup::Mistake`] breaks a rule at a time, to see that somebody notices, and
//! [`mutants`] the product's own code.

pub mod action;
pub mod message;
pub mod model;
pub mod mutants;
pub mod oracle;
pub(crate) mod rules;
pub mod setup;
pub mod simulation;
pub mod world;
