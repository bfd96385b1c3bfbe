//! `prost seed`: the demo catalogue.

use crate::{data_folder::DataFolder, error::Result, session::Session, terminal, wire};

/// Runs the command.
pub async fn run(folder: DataFolder) -> Result<()> {
    let progress = terminal::progress();
    let session = Session::open(&folder, &progress).await?;
    progress.step("filling the demo catalogue");
    let outcome = wire::seed(&session.settings).await.map_err(Into::into);
    let logins = session.close(outcome, &progress).await;
    terminal::finish(&progress);
    let rows: Vec<Vec<String>> =
        logins?.into_iter().map(|login| vec![login.email, login.password, login.role]).collect();
    terminal::print(&format!("The demo catalogue is there. Demo logins:\n{}", terminal::table(&rows)))
}
