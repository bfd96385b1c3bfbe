//! `prost serve SERVICE…`: services in this process, configured by the environment alone.

use std::collections::BTreeSet;

use service::Env;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::{
    error::{Error, Result},
    logging,
    service_name::{Selection, ServiceName},
    wire::{self, Settings},
};

/// Options of `serve`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// users, products, cart, orders, payments, analytics, gateway, or all
    #[arg(required = true, value_name = "SERVICE")]
    services: Vec<Selection>,
}

/// Runs the command: the first SIGINT or SIGTERM drains, the second ends at once.
pub async fn run(options: Options) -> Result<()> {
    logging::start(logging::Default::Informative)?;
    let services: BTreeSet<ServiceName> = options.services.into_iter().flat_map(|selection| selection.0).collect();
    let services: Vec<ServiceName> = services.into_iter().collect();
    let settings = Settings::new(Env::process())?;
    let shutdown = CancellationToken::new();
    drain_on_signal(shutdown.clone())?;
    Ok(wire::serve(settings, &services, shutdown).await?)
}

fn drain_on_signal(shutdown: CancellationToken) -> Result<()> {
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::system("listening for signals"))?;
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::system("listening for signals"))?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if shutdown.is_cancelled() {
                std::process::exit(130);
            }
            tracing::info!("draining; a second signal ends at once");
            shutdown.cancel();
        }
    });
    Ok(())
}
