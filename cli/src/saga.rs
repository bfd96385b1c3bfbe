//! `prost saga list|show|retry`: what carries orders, and what keeps them.

mod trace;

use std::sync::Arc;

use events::{OrderStatus, UserId};
use operations::{OperationsApi, Trace};
use orders_client::{OrdersApi, Saga, SagaDetail, SagaFilter};
use serde_json::json;
use service::{Caller, PageQuery};
use users_client::UserFilter;
use uuid::Uuid;

use crate::{
    arguments,
    data_folder::DataFolder,
    error::{Error, Result},
    operator::{self, time},
    terminal::{self, Paint},
    wire::{self, Settings},
};

/// Options of `saga`.
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
    /// List sagas, oldest first
    List {
        /// Only those in this state: an order's status, or STUCK
        #[arg(long, value_name = "STATUS", value_parser = status)]
        status: Option<String>,
        /// Only those of the orders of whoever has this e-mail address
        #[arg(long, value_name = "EMAIL")]
        email: Option<String>,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: usize,
    },
    /// Show one with its timeline, its events and what became of each, by order, saga or correlation id
    Show {
        /// The order's id, the saga's, or its correlation id
        #[arg(value_parser = arguments::id)]
        id: Uuid,
    },
    /// Set one going again that is STUCK
    Retry {
        /// The order's id, the saga's, or its correlation id
        #[arg(value_parser = arguments::id)]
        id: Uuid,
    },
}

fn status(text: &str) -> Result<String, String> {
    let text = text.to_uppercase();
    if text == "STUCK" || text.parse::<OrderStatus>().is_ok() {
        return Ok(text);
    }
    Err("no saga is ever in that state; try STUCK, PENDING, FAILED, CONFIRMED or another status of orders".to_owned())
}

/// Runs the command.
pub async fn run(folder: DataFolder, options: Options) -> Result<()> {
    let Options { action, json } = options;
    operator::in_session(&folder, async |settings, _| {
        let (orders, caller) = (wire::sagas(&settings).await?, operator::caller()?);
        match action {
            Action::List { status, email, limit } => {
                let user_id = match email {
                    Some(email) => Some(account(&settings, &caller, &email).await?),
                    None => None,
                };
                list(&orders, &caller, SagaFilter { status, user_id }, limit, json).await
            }
            Action::Show { id } => {
                let detail = orders.saga(&caller, id).await.map_err(|error| unknown(error, id))?;
                let trace = follow(&settings, &caller, &detail).await?;
                tell(&detail, &trace, json)
            }
            Action::Retry { id } => {
                let detail = orders.retry_saga(&caller, id).await.map_err(|error| unknown(error, id))?;
                let trace = follow(&settings, &caller, &detail).await?;
                tell(&detail, &trace, json)
            }
        }
    })
    .await
}

/// Whose e-mail address it is, in whatever case.
async fn account(settings: &Settings, caller: &Caller, email: &str) -> Result<UserId> {
    let filter = UserFilter { q: Some(email.to_owned()), ..UserFilter::default() };
    let accounts = wire::accounts(settings).await?;
    let found = accounts.users(caller, filter, PageQuery::first(20)).await.map_err(wire::Error::from)?;
    let is_theirs = |user: &&users_client::User| user.email.eq_ignore_ascii_case(email.trim());
    found.items.iter().find(is_theirs).map(|user| user.id).ok_or_else(|| {
        let fix = "Look at the order instead: ./prost saga show takes its id";
        Error::failed(format!("nobody has the e-mail address {email}"), fix)
    })
}

/// The saga's events across all services. One whose database cannot be asked is named, and the rest is told.
async fn follow(settings: &Settings, caller: &Caller, detail: &SagaDetail) -> Result<Trace> {
    let (mut all, mut away) = (Vec::new(), Vec::new());
    for service in Settings::with_database() {
        match wire::operators(settings, Some(service)).await {
            Ok(operations) => all.extend(operations),
            Err(error) => {
                tracing::warn!(%service, %error, "a service cannot be asked");
                away.push(service.as_str());
            }
        }
    }
    let services: Vec<(&'static str, &dyn OperationsApi)> =
        all.iter().map(|operations| (operations.service(), &**operations as &dyn OperationsApi)).collect();
    let correlation_id = detail.saga.correlation_id.uuid();
    let mut trace = operations::trace(&services, caller, correlation_id).await.map_err(wire::Error::from)?;
    trace.unreachable.extend(away);
    Ok(trace)
}

fn unknown(error: service::Error, id: Uuid) -> Error {
    match error.code.as_ref() {
        "saga_not_found" => Error::failed(
            format!("no saga has the order, saga or correlation id {id}"),
            "See what there is with ./prost saga list",
        ),
        "saga_not_stuck" => Error::failed(
            format!("the saga of {id} is not stuck: it has ended, or moves by itself"),
            "Look where it stands with ./prost saga show, and what waits with ./prost outbox status and ./prost dlq list",
        ),
        _ => Error::Shop(error.into()),
    }
}

async fn list(
    orders: &Arc<dyn OrdersApi>,
    caller: &Caller,
    filter: SagaFilter,
    limit: usize,
    json: bool,
) -> Result<()> {
    let everything = filter.status.is_none() && filter.user_id.is_none();
    let items: Vec<Saga> = operator::up_to(limit, async |page| {
        let found = orders.sagas(caller, filter.clone(), page).await.map_err(wire::Error::from)?;
        Ok((found.items, found.next_cursor))
    })
    .await?;
    if json {
        return terminal::print_json(&json!({ "items": items }));
    }
    if items.is_empty() {
        let none = if everything { "No sagas yet: each begins with a checkout.\n" } else { "No such saga.\n" };
        return terminal::print(none);
    }
    let row = |saga: &Saga| {
        vec![
            time(saga.created_at),
            saga.order_id.to_string(),
            saga.status.clone(),
            saga.owed.join(", "),
            time(saga.updated_at),
            saga.correlation_id.to_string(),
        ]
    };
    let head = ["BEGUN (UTC)", "ORDER", "STATUS", "OWES", "MOVED (UTC)", "CORRELATION"].map(str::to_owned).to_vec();
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(items.iter().map(row)).collect();
    terminal::print(&terminal::table(&rows))
}

fn tell(detail: &SagaDetail, trace: &Trace, json: bool) -> Result<()> {
    if json {
        let SagaDetail { saga, timeline, compensations } = detail;
        return terminal::print_json(&json!({ "saga": saga, "timeline": timeline, "compensations": compensations,
            "events": trace.events, "unreachable": trace.unreachable }));
    }
    let saga = &detail.saga;
    let mut text = format!(
        "Order {} is {}\n  saga {}, correlation {}\n",
        saga.order_id, saga.status, saga.id, saga.correlation_id
    );
    if !saga.owed.is_empty() {
        text.push_str(&format!("  owes {}; asked for the first {} times\n", saga.owed.join(", then "), saga.asked));
    }
    if let Some(at) = saga.expires_at {
        text.push_str(&format!("  the watchdog looks at it at {} UTC\n", time(at)));
    }
    let mut before: Option<chrono::DateTime<chrono::Utc>> = None;
    let timeline = detail.timeline.iter().map(|entry| {
        let after = before.map_or(String::new(), |before| format!("+{} ms", (entry.at - before).num_milliseconds()));
        before = Some(entry.at);
        let at = entry.at.format("%Y-%m-%d %H:%M:%S%.3f").to_string();
        vec![at, after, entry.service.clone(), entry.event.clone(), entry.detail.clone().unwrap_or_default()]
    });
    text.push_str(&format!("\n{}", terminal::table(&timeline.collect::<Vec<_>>())));
    if !detail.compensations.is_empty() {
        let undos = detail.compensations.iter().map(|undo| {
            let ended = undo.completed_at.map_or_else(|| "open".to_owned(), time);
            vec![time(undo.created_at), undo.event.clone(), undo.status.clone(), ended]
        });
        text.push_str(&format!("\nUndone:\n{}", terminal::table(&undos.collect::<Vec<_>>())));
    }
    text.push_str(&trace::text(trace, Paint::for_stdout()));
    terminal::print(&text)
}
