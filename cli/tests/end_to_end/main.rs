//! The shop as its users see it: the binary in one process and in seven, on PostgreSQL and RabbitMQ, in good times and bad.

mod checkout;
mod crash;
mod deploy;
mod logins;
mod messages;
mod operations;
mod support;
