//! Starts the log: `RUST_LOG` and `LOG_FORMAT` decide, else what suits the command.

use service::{
    Env,
    telemetry::{self, LogFormat},
};

use crate::error::{Error, Result};

/// What is logged when `RUST_LOG` is not set.
#[derive(Debug, Clone, Copy)]
pub enum Default {
    /// Warnings, and restarts of private servers: somebody watches the terminal.
    Quiet,
    /// What an operator wants to read later.
    Informative,
}

/// Starts the log of this process.
pub fn start(default: Default) -> Result<()> {
    let env = Env::process();
    // What the broker returned, the publisher sends again, and says so itself.
    let preferred = match default {
        Default::Quiet => "warn,servers=info,lapin::returned_messages=error",
        Default::Informative => "info,lapin::returned_messages=error",
    };
    let filter = env.get("RUST_LOG").unwrap_or_else(|| preferred.to_owned());
    LogFormat::from_env(&env)
        .and_then(|format| telemetry::init(format, &filter))
        .map_err(|error| Error::failed(error.to_string(), "Correct the variable, or unset it"))
}
