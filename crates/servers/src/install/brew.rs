//! Homebrew formulas, on macOS.

use tokio::process::Command;

use crate::{Error, Progress, Result, process::find_program};

use super::{causes, run};

/// Whether Homebrew is there.
pub fn is_available() -> bool {
    cfg!(target_os = "macos") && find_program("brew").is_some()
}

/// Installs a formula; Homebrew starts no service by itself.
///
/// # Errors
/// [`Error::NotInstalled`] with Homebrew's message.
pub async fn install(what: &'static str, formula: &str, progress: &Progress) -> Result<()> {
    progress.step(format!("installing {what} (brew install {formula})"));
    let mut command = Command::new("brew");
    command.args(["install", formula]);
    let fix = format!("Try it by hand: brew install {formula}");
    let installed = run(what, "brew", &mut command).await;
    installed.map(drop).map_err(|error| Error::NotInstalled { what, causes: causes(error), fix })
}
