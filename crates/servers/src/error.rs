//! The one error of this crate: each variant names what failed, why, and what the reader can do about it.

use std::path::{Path, PathBuf};

/// Why a private server could not be installed, started, reached or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder could not be read or written.
    #[error("cannot {action} {}: {source}{}", .path.display(), hint(.source))]
    File {
        /// What was tried, as a verb.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system answered.
        source: std::io::Error,
    },
    /// The server's programs are neither on this machine nor could they be installed.
    #[error("{what} is not installed, and could not be:{}\n  {fix}", listed(.causes))]
    NotInstalled {
        /// The server.
        what: &'static str,
        /// Why it could not be installed, for each way that was tried.
        causes: Vec<String>,
        /// What the user can do.
        fix: String,
    },
    /// The server's program ended or refused.
    #[error("{what} failed: {cause}. {fix}")]
    Failed {
        /// The server or the step.
        what: &'static str,
        /// Its own words, as far as they are known.
        cause: String,
        /// What the user can do.
        fix: String,
    },
    /// The server did not come up, or did not go, in time.
    #[error("{what} took longer than {seconds} s. {fix}")]
    TooSlow {
        /// What was waited for.
        what: String,
        /// How long, in seconds.
        seconds: u64,
        /// What the user can do.
        fix: String,
    },
    /// A file that this crate wrote does not hold what it wrote.
    #[error("{} is damaged: {cause}. Stop the server, delete the file and start again", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// The server runs, but a request to it failed.
    #[error("{what} answered with an error: {cause}")]
    Refused {
        /// The request.
        what: String,
        /// The server's answer.
        cause: String,
    },
}

fn listed(causes: &[String]) -> String {
    causes.iter().map(|cause| format!("\n  - {cause}")).collect()
}

fn hint(source: &std::io::Error) -> &'static str {
    match source.kind() {
        std::io::ErrorKind::PermissionDenied => {
            ". The folder belongs to another user: run as that user, or choose another data folder"
        }
        std::io::ErrorKind::StorageFull => ". Free some disk space",
        _ => "",
    }
}

impl Error {
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.to_owned();
        move |source| Error::File { action, path, source }
    }
}
