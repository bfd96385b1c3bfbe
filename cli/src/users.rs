//! `prost users promote EMAIL`.

use crate::{data_folder::DataFolder, error::Result, session::Session, terminal, wire};

/// Options of `users`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Action {
    /// Give a user the admin role; it holds from the next login
    Promote {
        /// The user's e-mail address
        email: String,
    },
}

/// Runs the command.
pub async fn run(folder: DataFolder, options: Options) -> Result<()> {
    let Action::Promote { email } = options.action;
    let progress = terminal::progress();
    let session = Session::open(&folder, &progress).await?;
    let outcome = wire::promote(&session.settings, &email).await.map_err(Into::into);
    let outcome = session.close(outcome, &progress).await;
    terminal::finish(&progress);
    outcome?;
    terminal::print(&format!("{email} is an admin from the next login on.\n"))
}
