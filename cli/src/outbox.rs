//! `prost outbox status|list|retry|discard`: events that are recorded and not published.

use std::sync::Arc;

use clap::builder::NonEmptyStringValueParser;
use events::EventId;
use operations::{Operations, OperationsApi, OutboxFilter, OutboxStatus, UnsentEvent, UnsentStatus};
use serde_json::json;
use servers::Progress;
use service::{Caller, PageQuery};
use uuid::Uuid;

use crate::{
    data_folder::DataFolder,
    error::{Error, Result},
    operator::{self, counted, shortened, time},
    service_name::ServiceName,
    terminal, wire,
};

/// Options of `outbox`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    #[command(subcommand)]
    action: Action,
    /// Only this service's outbox
    #[arg(long, global = true, value_enum)]
    service: Option<ServiceName>,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Action {
    /// How many events wait, for how long, and how many were given up
    Status,
    /// List unsent events, oldest first
    List {
        /// Only those that are still tried, or only those given up
        #[arg(long, value_enum)]
        status: Option<State>,
        /// Only those of this event, saga, or thing it is about
        #[arg(long, value_name = "ID")]
        about: Option<Uuid>,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: usize,
    },
    /// Let failed events be sent again
    Retry {
        #[command(flatten)]
        which: Which,
    },
    /// Give up sending failed events; they stay in the record of events
    Discard {
        #[command(flatten)]
        which: Which,
        /// Why, for the audit trail
        #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
        reason: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum State {
    /// Still tried
    Pending,
    /// Given up
    Failed,
}

/// Which failed events an act is on.
#[derive(Debug, Clone, clap::Args)]
struct Which {
    /// Ids of failed events
    #[arg(value_name = "EVENT_ID", required_unless_present = "all", conflicts_with = "all")]
    ids: Vec<Uuid>,
    /// All that failed
    #[arg(long)]
    all: bool,
}

/// What is done to failed events.
enum Deed {
    Retry,
    Discard { reason: String },
}

/// Events per request.
const PAGE: u16 = 100;

/// Runs the command.
pub async fn run(folder: DataFolder, options: Options) -> Result<()> {
    let Options { action, service, json } = options;
    operator::in_session(&folder, async |settings, progress| {
        let all = wire::operators(&settings, service).await?;
        match action {
            Action::Status => status(&all, json).await,
            Action::List { status, about, limit } => {
                let status = status.map(|status| match status {
                    State::Pending => UnsentStatus::Pending,
                    State::Failed => UnsentStatus::Failed,
                });
                list(&all, OutboxFilter { status, about }, limit, json).await
            }
            Action::Retry { which } => act(&all, which, Deed::Retry, &progress, json).await,
            Action::Discard { which, reason } => act(&all, which, Deed::Discard { reason }, &progress, json).await,
        }
    })
    .await
}

async fn status(all: &[Arc<Operations>], json: bool) -> Result<()> {
    let mut services: Vec<OutboxStatus> = Vec::new();
    for operations in all {
        services.push(operations.outbox_status().await.map_err(wire::Error::from)?);
    }
    if json {
        return terminal::print_json(&json!({ "services": services }));
    }
    let row = |status: &OutboxStatus| {
        vec![
            status.service.clone(),
            status.pending.to_string(),
            status.oldest_age_s.map(|age| format!("{age} s")).unwrap_or_default(),
            status.failed.to_string(),
            shortened(status.last_error.as_deref().unwrap_or_default(), 80),
        ]
    };
    let head = ["SERVICE", "PENDING", "OLDEST", "FAILED", "LAST ERROR"].map(str::to_owned).to_vec();
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(services.iter().map(row)).collect();
    terminal::print(&terminal::table(&rows))
}

/// Up to `limit` unsent events of a service.
async fn unsent(
    operations: &Operations,
    caller: &Caller,
    filter: OutboxFilter,
    limit: usize,
) -> Result<Vec<UnsentEvent>> {
    let (mut items, mut page) = (Vec::new(), PageQuery::first(PAGE));
    loop {
        let found = operations.outbox(caller, filter, page.clone()).await.map_err(wire::Error::from)?;
        items.extend(found.items);
        match found.next_cursor {
            Some(cursor) if items.len() < limit => page.cursor = Some(cursor),
            _ => return Ok(items),
        }
    }
}

async fn list(all: &[Arc<Operations>], filter: OutboxFilter, limit: usize, json: bool) -> Result<()> {
    let caller = operator::caller()?;
    let mut items = Vec::new();
    for operations in all {
        items.extend(unsent(operations, &caller, filter, limit).await?);
    }
    items.sort_by_key(|event| event.event_id);
    items.truncate(limit);
    if json {
        return terminal::print_json(&json!({ "items": items }));
    }
    if items.is_empty() {
        return terminal::print("No such event is unsent.\n");
    }
    terminal::print(&terminal::table(&rows(&items)))
}

fn rows(items: &[UnsentEvent]) -> Vec<Vec<String>> {
    let head = ["RECORDED (UTC)", "EVENT", "SERVICE", "TYPE", "STATUS", "TRIES", "LAST ERROR"];
    let row = |event: &UnsentEvent| {
        let status = match event.status {
            UnsentStatus::Pending => "pending",
            UnsentStatus::Failed => "failed",
        };
        vec![
            time(event.recorded_at),
            event.event_id.to_string(),
            event.service.clone(),
            event.event_type.clone(),
            status.to_owned(),
            event.attempts.to_string(),
            shortened(event.last_error.as_deref().unwrap_or_default(), 60),
        ]
    };
    std::iter::once(head.map(str::to_owned).to_vec()).chain(items.iter().map(row)).collect()
}

async fn act(all: &[Arc<Operations>], which: Which, deed: Deed, progress: &Progress, json: bool) -> Result<()> {
    let caller = operator::caller()?;
    let stop = operator::stop_on_signal()?;
    let mut done: Vec<Uuid> = Vec::new();
    let mut stopped = false;
    'services: for operations in all {
        let ids = if which.all {
            let failed = OutboxFilter { status: Some(UnsentStatus::Failed), about: None };
            unsent(operations, &caller, failed, usize::MAX).await?.into_iter().map(|event| event.event_id).collect()
        } else {
            which.ids.clone()
        };
        for round in ids.chunks(usize::from(PAGE)) {
            if stop.is_cancelled() {
                stopped = true;
                break 'services;
            }
            let events: Vec<EventId> = round.iter().copied().map(EventId).collect();
            let settled = match &deed {
                Deed::Retry => operations.retry_unsent(&caller, events).await,
                Deed::Discard { reason } => operations.discard_unsent(&caller, events, reason).await,
            };
            done.extend(settled.map_err(wire::Error::from)?.into_iter().map(EventId::uuid));
            progress.step(format!("{} so far", counted(done.len(), "event")));
        }
    }
    let missing: Vec<Uuid> = which.ids.into_iter().filter(|id| !done.contains(id)).collect();
    if json {
        terminal::print_json(&json!({ "events": done, "missing": missing }))?;
    } else {
        let said = match deed {
            Deed::Retry => "will be sent again",
            Deed::Discard { .. } => "discarded",
        };
        terminal::print(&format!("{} {said}.\n", counted(done.len(), "event")))?;
    }
    if stopped {
        return Err(Error::failed(
            format!("stopped after {}", counted(done.len(), "event")),
            "Run it again for the rest",
        ));
    }
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = missing.iter().map(Uuid::to_string).collect();
    Err(Error::failed(
        format!("no outbox holds a failed event {}", names.join(", ")),
        "See what there is with ./prost outbox list --status failed; what is pending is sent by itself",
    ))
}
