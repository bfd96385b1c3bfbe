//! `prost servers install|remove`: what the tests need on this machine, and what they leave behind.

use std::path::PathBuf;

use servers::{PostgresServer, RabbitServer, RedisServer};

use crate::{data_folder::DATABASE, error::Result, terminal};

/// Options of `servers`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Action {
    /// Install the programs of PostgreSQL, RabbitMQ and Redis where they are missing
    Install,
    /// Stop the servers of a folder and delete them
    Remove {
        /// The folder around `postgres`, `rabbitmq` and `redis`
        folder: PathBuf,
    },
}

/// Runs the command.
pub async fn run(options: Options) -> Result<()> {
    match options.action {
        Action::Install => install().await,
        Action::Remove { folder } => {
            let progress = terminal::progress();
            PostgresServer::new(folder.join("postgres"), DATABASE).destroy(&progress).await?;
            RabbitServer::new(folder.join("rabbitmq")).destroy(&progress).await?;
            RedisServer::new(folder.join("redis")).destroy(&progress).await?;
            terminal::finish(&progress);
            Ok(())
        }
    }
}

async fn install() -> Result<()> {
    let progress = terminal::progress();
    let postgres = PostgresServer::install(&progress).await?;
    let rabbit = RabbitServer::install(&progress).await?;
    let redis = RedisServer::install(&progress).await?;
    terminal::finish(&progress);
    terminal::print(&terminal::table(&[
        vec![format!("PostgreSQL {}", postgres.version), postgres.folder.display().to_string()],
        vec!["RabbitMQ".to_owned(), rabbit.display().to_string()],
        vec!["Redis".to_owned(), redis.display().to_string()],
    ]))
}
