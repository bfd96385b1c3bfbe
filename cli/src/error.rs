//! What a command ends with when it fails. Every message names the cause and the fix.

use std::process::ExitCode;

/// A command's failure.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command was called in a way that makes no sense: exit code 2.
    #[error("{0}")]
    Usage(String),
    /// It could not do its work: exit code 1.
    #[error("{cause}\n  {fix}")]
    Failed {
        /// What went wrong.
        cause: String,
        /// What the user can do.
        fix: String,
    },
    /// A private server.
    #[error(transparent)]
    Servers(#[from] servers::Error),
    /// The shop itself.
    #[error(transparent)]
    Shop(#[from] crate::wire::Error),
    /// The terminal, a file, a process.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: String,
        /// What the system answered.
        source: std::io::Error,
    },
}

impl Error {
    /// A failure with its cause and its fix.
    pub fn failed(cause: impl Into<String>, fix: impl Into<String>) -> Error {
        Error::Failed { cause: cause.into(), fix: fix.into() }
    }

    /// For `map_err` on the system's errors.
    pub fn system(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Error {
        let what = what.into();
        move |source| Error::System { what, source }
    }

    /// The process's exit code.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Error::Usage(_) => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }
}

/// What every command returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;
