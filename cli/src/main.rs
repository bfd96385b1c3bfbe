//! The command `prost`.
//!
//! Data goes to stdout, progress to stderr. Exit code 0: success, 1: failure, 2: wrong usage.

mod analytics;
mod arguments;
mod bench;
mod broker;
mod data_folder;
mod dlq;
mod doctor;
mod down;
mod error;
mod install;
mod logging;
mod migrate;
mod operator;
mod outbox;
mod probe;
mod psql;
mod reset;
mod saga;
mod seed;
mod serve;
mod service_name;
mod session;
mod status;
mod terminal;
mod up;
mod users;
mod wire;

use std::process::ExitCode;

use arguments::{Arguments, Command};
use clap::Parser;
use data_folder::DataFolder;
use error::{Error, Result};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            error.exit_code()
        }
    }
}

#[tokio::main]
async fn run(arguments: Arguments) -> Result<()> {
    // One TLS provider for every client in this process.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        return Err(Error::failed("a TLS provider was installed before", "Report this: it is a defect"));
    }
    let folder = DataFolder::new(&arguments.data_dir())?;
    match arguments.command {
        Command::Up(options) => up::run(folder, options).await,
        Command::Down => down::run(folder).await,
        Command::Status(options) => status::run(folder, options).await,
        Command::Reset(options) => reset::run(folder, options).await,
        Command::Serve(options) => serve::run(options).await,
        Command::Migrate(options) => migrate::run(folder, options).await,
        Command::Seed => seed::run(folder).await,
        Command::Users(options) => users::run(folder, options).await,
        Command::Dlq(options) => dlq::run(folder, options).await,
        Command::Saga(options) => saga::run(folder, options).await,
        Command::Outbox(options) => outbox::run(folder, options).await,
        Command::Analytics(options) => analytics::run(folder, options).await,
        Command::Psql(options) => psql::run(&folder, options),
        Command::Bench(options) => bench::run(&folder, options).await,
        Command::Broker(options) => broker::run(options),
        Command::Asyncapi => terminal::print(asyncapi::DOCUMENT),
        Command::Probe(options) => probe::run(options).await,
        Command::Doctor(options) => doctor::run(folder, options).await,
        Command::Servers(options) => install::run(options).await,
    }
}
