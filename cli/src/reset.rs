//! `prost reset`: stops the shop and deletes its data folder.

use crate::{
    data_folder::DataFolder,
    down,
    error::{Error, Result},
    terminal,
};

/// Options of `reset`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Runs the command.
pub async fn run(folder: DataFolder, options: Options) -> Result<()> {
    let place = folder.path().display().to_string();
    if !folder.exists() {
        if folder.path().exists() {
            return Err(Error::failed(
                format!("{place} is no shop's data folder"),
                "Name the right one with --data-dir; this one stays as it is",
            ));
        }
        return terminal::print(&format!("There is nothing to delete: {place} does not exist.\n"));
    }
    if !options.yes {
        match terminal::confirm(&format!("Stop the shop and delete {place} with all orders, users and products?"))? {
            Some(true) => {}
            Some(false) => return terminal::print("Nothing was deleted.\n"),
            None => {
                return Err(Error::Usage(format!(
                    "deleting {place} needs a yes, and there is nobody to ask: add --yes"
                )));
            }
        }
    }
    let progress = terminal::progress();
    let starting = folder.start_lock(&progress).await?;
    down::stop_everything(&folder, &progress).await?;
    progress.step(format!("deleting {place}"));
    folder.redis().destroy(&progress).await?;
    folder.rabbit().destroy(&progress).await?;
    folder.postgres().destroy(&progress).await?;
    std::fs::remove_dir_all(folder.path()).map_err(Error::system(format!("deleting {place}")))?;
    drop(starting);
    terminal::finish(&progress);
    terminal::print(&format!("Deleted {place}. Downloaded programs stay in {}.\n", servers::tools_folder().display()))
}
