//! The shop as its users see it: the binary in one process and in seven, on PostgreSQL and RabbitMQ, in good times and bad.

mod answers;
mod bad_input;
mod chaos;
mod checkout;
mod crash;
mod demo;
mod deploy;
mod doctor;
mod every_rule;
mod following;
mod handbook;
mod keys;
mod logins;
mod messages;
mod operations;
mod paging;
mod personal_data;
mod published;
mod reports;
mod security;
mod support;
mod surface;
mod tables;
mod undoing;
