//! `prost users promote EMAIL`.

use crate::{
    data_folder::DataFolder,
    error::{Error, Result},
    session::Session,
    terminal, wire,
};

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
    let outcome = wire::promote(&session.settings, &email).await.map_err(|error| without_account(error, &email));
    let outcome = session.close(outcome, &progress).await;
    terminal::finish(&progress);
    outcome?;
    terminal::print(&format!("{email} is an admin from the next login on.\n"))
}

fn without_account(error: wire::Error, email: &str) -> Error {
    match error {
        wire::Error::Service(error) if error.code == "user_not_found" => Error::failed(
            format!("there is no account with the e-mail address {email}"),
            "Register it in the shop first, then run this again",
        ),
        other => other.into(),
    }
}
