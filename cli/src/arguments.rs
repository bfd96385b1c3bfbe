//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use uuid::Uuid;

use crate::{
    analytics, bench, broker, dlq, doctor, install, migrate, outbox, probe, psql, reset, saga, serve, status, up, users,
};

/// What the script `./prost` does without the binary.
const IN_THE_REPOSITORY: &str = "\
In the repository, with sources and Rust:
  test       Run every test there is, on real servers (--quick: those that need none)
  chaos      Hurt a shop under load, and ask whether every promise was kept
  proof      Check and simulate the model of the checkout

Begin with ./prost up, end with ./prost down or Ctrl-C. ./prost COMMAND --help tells more.";

/// A shop backend that never loses, doubles or oversells an order
#[derive(Debug, Parser)]
#[command(
    name = "prost",
    version,
    after_help = IN_THE_REPOSITORY
)]
pub struct Arguments {
    /// Where the shop keeps its state [default: PROST_DATA_DIR, else .prost]
    #[arg(long, global = true, value_name = "D")]
    data_dir: Option<PathBuf>,
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
    /// Print what the events look like and where they are published, as AsyncAPI 3
    Asyncapi,
    /// Exit with 0 if a service of this machine, configured as here, is ready: the health check of containers
    #[command(hide = true)]
    Probe(probe::Options),
    /// Manage the programs of the private servers
    #[command(hide = true)]
    Servers(install::Options),
}

impl Arguments {
    /// The data folder that is asked for: not by clap's `env`, which would call it an argument in every message.
    pub fn data_dir(&self) -> PathBuf {
        let from_environment = || std::env::var_os("PROST_DATA_DIR").filter(|path| !path.is_empty()).map(PathBuf::from);
        self.data_dir.clone().or_else(from_environment).unwrap_or_else(|| ".prost".into())
    }
}

/// Reads an id from the command line.
///
/// # Errors
/// What an id looks like.
pub fn id(text: &str) -> Result<Uuid, String> {
    text.parse().map_err(|_| "expected an id such as 01989c4e-7f3a-7c21-b5d0-2f6a4e8c9b13".to_owned())
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
