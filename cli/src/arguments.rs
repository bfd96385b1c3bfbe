//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::{
    analytics, bench, broker, dlq, doctor, install, migrate, outbox, probe, psql, reset, saga, serve, status, up, users,
};

/// A shop backend that never loses, doubles or oversells an order
#[derive(Debug, Parser)]
#[command(
    name = "prost",
    version,
    propagate_version = true,
    after_help = "From the repository: ./prost test [--quick], ./prost chaos (long fault tests), ./prost proof (model check and simulation).\nEverything a shop keeps lies in its data folder (--data-dir)."
)]
pub struct Arguments {
    /// Where the shop keeps its state
    #[arg(long, global = true, value_name = "D", env = "PROST_DATA_DIR", default_value = ".prost")]
    pub data_dir: PathBuf,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Open the whole shop, with all it needs, in one process
    Up(up::Options),
    /// Stop what `up` started
    Down,
    /// Show what runs, where, on which database
    Status(status::Options),
    /// Stop the shop and delete its data folder
    Reset(reset::Options),
    /// Run services in this process, configured by the environment
    Serve(serve::Options),
    /// Migrate the databases
    Migrate(migrate::Options),
    /// Fill an empty shop with the demo catalogue
    Seed,
    /// Manage users
    Users(users::Options),
    /// Inspect, replay or discard dead letters: messages that a service could not handle
    Dlq(dlq::Options),
    /// Follow the sagas that carry orders, and set a stuck one going
    Saga(saga::Options),
    /// Inspect, retry or discard events that are not sent yet
    Outbox(outbox::Options),
    /// Build the reports again
    Analytics(analytics::Options),
    /// Open a shell in the database
    Psql(psql::Options),
    /// Measure the shop under load, on a shop of its own
    Bench(bench::Options),
    /// Check this machine and the shop, and say what to do
    Doctor(doctor::Options),
    /// Prepare a RabbitMQ of your own
    Broker(broker::Options),
    /// Exit with 0 if a service of this machine, configured as here, is ready: the health check of containers
    #[command(hide = true)]
    Probe(probe::Options),
    /// Manage the programs of the private servers
    #[command(hide = true)]
    Servers(install::Options),
}

#[cfg(test)]
mod tests {
    use super::Arguments;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
