//! Homebrew formulas, on macOS.

use tokio::process::Command;

use crate::{Error, Progress, Result, process::find_program};

use super::run;

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
    match run("brew install", &mut command).await {
        Ok(_) => Ok(()),
        Err(error) => Err(Error::NotInstalled {
            what,
            cause: error.to_string(),
            fix: format!("Try it by hand: brew install {formula}"),
        }),
    }
}
