//! `prost migrate up|down|status`.

use database::migrate::{DataLoss, Step};
use serde_json::json;
use servers::Progress;

use crate::{
    data_folder::DataFolder,
    error::Result,
    operator,
    service_name::ServiceName,
    session::Session,
    terminal,
    wire::{self, Settings},
};

/// Options of `migrate`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    #[command(subcommand)]
    direction: Direction,
    /// Only this service's schema
    #[arg(long, global = true, value_enum)]
    service: Option<ServiceName>,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Direction {
    /// Apply what is missing; if one fails, what this run applied is undone
    Up,
    /// Undo the newest migration, or all above a version
    Down {
        /// The version to arrive at (0: nothing is left)
        #[arg(long, value_name = "VERSION")]
        to: Option<i32>,
        /// Also undo what deletes data
        #[arg(long)]
        allow_data_loss: bool,
    },
    /// List every migration, applied or not
    Status,
}

/// Runs the command.
pub async fn run(folder: DataFolder, options: Options) -> Result<()> {
    let progress = terminal::progress();
    let session = Session::open(&folder, &progress).await?;
    let outcome = work(&session.settings, &options, &progress).await;
    let steps = session.close(outcome, &progress).await;
    terminal::finish(&progress);
    let steps = steps?;
    if options.json {
        return terminal::print_json(&steps.iter().map(as_json).collect::<Vec<_>>());
    }
    let told = match options.direction {
        Direction::Up => format!("{} applied.\n", counted(steps.len())),
        Direction::Down { .. } => format!("{} undone.\n", counted(steps.len())),
        Direction::Status => String::new(),
    };
    let mut rows: Vec<Vec<String>> = steps.iter().map(row).collect();
    if !rows.is_empty() {
        rows.insert(0, ["SCHEMA", "VERSION", "NAME", "APPLIED (UTC)", "TOOK"].map(str::to_owned).to_vec());
    }
    terminal::print(&format!("{}{told}", terminal::table(&rows)))
}

async fn work(settings: &Settings, options: &Options, progress: &Progress) -> Result<Vec<Step>> {
    let service = options.service;
    Ok(match options.direction {
        Direction::Up => {
            progress.step("migrating up");
            wire::migrate_up(settings, service).await?
        }
        Direction::Down { to, allow_data_loss } => {
            progress.step("migrating down");
            let data_loss = if allow_data_loss { DataLoss::Allow } else { DataLoss::Refuse };
            wire::migrate_down(settings, service, to, data_loss).await?
        }
        Direction::Status => wire::migrate_status(settings, service).await?,
    })
}

fn counted(number: usize) -> String {
    match number {
        1 => "1 migration".to_owned(),
        more => format!("{more} migrations"),
    }
}

fn row(step: &Step) -> Vec<String> {
    // The one schema that does not tell whose it is.
    let schema = if step.schema == analytics::SCHEMA { "public (analytics)" } else { &step.schema };
    vec![
        schema.to_owned(),
        format!("{:04}", step.version),
        step.name.clone(),
        step.applied_at.map_or("not applied".to_owned(), operator::time),
        step.duration_ms.map(|ms| format!("{ms} ms")).unwrap_or_default(),
    ]
}

fn as_json(step: &Step) -> serde_json::Value {
    json!({
        "schema": step.schema,
        "version": step.version,
        "name": step.name,
        "applied_at": step.applied_at,
        "duration_ms": step.duration_ms,
    })
}
