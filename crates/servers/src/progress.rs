//! How long steps tell the reader what they are doing.

use std::{fmt, sync::Arc};

/// Receives one short sentence per long step ("installing RabbitMQ").
#[derive(Clone)]
pub struct Progress(Arc<dyn Fn(&str) + Send + Sync>);

impl Progress {
    /// Calls `tell` with each step.
    pub fn new(tell: impl Fn(&str) + Send + Sync + 'static) -> Progress {
        Progress(Arc::new(tell))
    }

    /// Writes each step to the log.
    pub fn to_log() -> Progress {
        Progress::new(|step| tracing::info!("{step}"))
    }

    /// Tells nobody.
    pub fn silent() -> Progress {
        Progress::new(|_| {})
    }

    /// Announces a step.
    pub fn step(&self, what: impl AsRef<str>) {
        (self.0)(what.as_ref());
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Progress")
    }
}
