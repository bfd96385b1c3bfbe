//! `prost outbox status|list|retry|discard`: events that are recorded and not published.

use std::sync::Arc;

use events::EventId;
use operations::{Operations, OperationsApi, OutboxFilter, OutboxStatus, UnsentEvent, UnsentStatus};
use serde_json::json;
use servers::Progress;
use service::Caller;
use uuid::Uuid;

use crate::{
    arguments,
    data_folder::DataFolder,
    error::{Error, Result},
    operator::{self, Deed, Reason, Scope, Which, counted, shortened, time},
    terminal, wire,
};

/// Options of `outbox`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    scope: Scope,
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
        #[arg(long, value_name = "ID", value_parser = arguments::id)]
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
        #[command(flatten)]
        why: Reason,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum State {
    /// Still tried
    Pending,
    /// Given up
    Failed,
}

/// Events per transaction.
const ROUND: usize = 100;

/// Runs the command.
pub async fn run(folder: DataFolder, options: Options) -> Result<()> {
    let Options { action, scope: Scope { service, json } } = options;
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
            Action::Retry { which } => act(&all, which, Deed::Again, &progress, json).await,
            Action::Discard { which, why } => act(&all, which, Deed::Discard(why.reason), &progress, json).await,
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
    operator::up_to(limit, async |page| {
        let found = operations.outbox(caller, filter, page).await.map_err(wire::Error::from)?;
        Ok((found.items, found.next_cursor))
    })
    .await
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
        let all_sent = filter.status.is_none() && filter.about.is_none();
        return terminal::print(if all_sent { "Every event is sent.\n" } else { "No such event is unsent.\n" });
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
        for round in ids.chunks(ROUND) {
            if stop.is_cancelled() {
                stopped = true;
                break 'services;
            }
            let events: Vec<EventId> = round.iter().copied().map(EventId).collect();
            let settled = match &deed {
                Deed::Again => operations.retry_unsent(&caller, events).await,
                Deed::Discard(reason) => operations.discard_unsent(&caller, events, reason).await,
            };
            done.extend(settled.map_err(wire::Error::from)?.into_iter().map(EventId::uuid));
            if which.all {
                progress.step(format!("{} so far", counted(done.len(), "event")));
            }
        }
    }
    let missing: Vec<Uuid> = which.ids.into_iter().filter(|id| !done.contains(id)).collect();
    if json {
        terminal::print_json(&json!({ "events": done, "missing": missing }))?;
    } else {
        let said = match deed {
            Deed::Again => "will be sent again",
            Deed::Discard(_) => "discarded",
        };
        if !done.is_empty() || which.all {
            terminal::print(&format!("{} {said}.\n", counted(done.len(), "event")))?;
        }
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
