//! `prost analytics rebuild`: the reports, from the archive of events.

use analytics::{Next, Rebuilt};
use analytics_client::Rebuild;
use serde_json::json;

use crate::{
    data_folder::DataFolder,
    error::{Error, Result},
    operator::{self, counted},
    terminal, wire,
};

/// Options of `analytics`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    #[command(subcommand)]
    action: Action,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Action {
    /// Build the reports again from all events that ever were; the shop may run meanwhile
    Rebuild,
}

/// Runs the command.
pub async fn run(folder: DataFolder, options: Options) -> Result<()> {
    let Options { action: Action::Rebuild, json } = options;
    let actor = operator::caller()?.actor().map_err(wire::Error::from)?;
    operator::in_session(&folder, async |settings, progress| {
        let analytics = wire::reports(&settings).await?;
        let stop = operator::stop_on_signal()?;
        let mut events = 0;
        let told = |state: Rebuild| {
            events = state.events_read;
            progress.step(format!("{} of {} events read", state.events_read, state.events.max(state.events_read)));
            if stop.is_cancelled() { Next::Stop } else { Next::Go }
        };
        let rebuilt = analytics.rebuild(actor, told).await.map_err(wire::Error::from)?;
        if json {
            terminal::print_json(&json!({ "events": events, "rebuilt": rebuilt == Rebuilt::Shown }))?;
        }
        match rebuilt {
            Rebuilt::Shown if json => Ok(()),
            Rebuilt::Shown => {
                let read = counted(usize::try_from(events).unwrap_or(usize::MAX), "event");
                terminal::print(&format!("The reports are built again from {read}.\n"))
            }
            Rebuilt::GivenUp => {
                Err(Error::failed("stopped; the reports are as they were", "Begin again: ./prost analytics rebuild"))
            }
        }
    })
    .await
}
