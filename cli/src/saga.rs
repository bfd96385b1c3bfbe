//! `prost saga list|show|retry`: what carries orders, and what keeps them.

use std::sync::Arc;

use events::OrderStatus;
use orders_client::{OrdersApi, Saga, SagaDetail, SagaFilter};
use serde_json::json;
use service::PageQuery;
use uuid::Uuid;

use crate::{
    data_folder::DataFolder,
    error::{Error, Result},
    operator::{self, time},
    terminal, wire,
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
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: usize,
    },
    /// Show one with its timeline, by order, saga or correlation id
    Show {
        /// The order's id, the saga's, or its correlation id
        id: Uuid,
    },
    /// Set one going again that is STUCK
    Retry {
        /// The order's id, the saga's, or its correlation id
        id: Uuid,
    },
}

/// Sagas per request.
const PAGE: u16 = 100;

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
        let orders = wire::sagas(&settings).await?;
        match action {
            Action::List { status, limit } => list(&orders, status, limit, json).await,
            Action::Show { id } => {
                let detail = orders.saga(&operator::caller()?, id).await;
                tell(&detail.map_err(|error| unknown(error, id))?, json)
            }
            Action::Retry { id } => {
                let detail = orders.retry_saga(&operator::caller()?, id).await;
                tell(&detail.map_err(|error| unknown(error, id))?, json)
            }
        }
    })
    .await
}

fn unknown(error: service::Error, id: Uuid) -> Error {
    match error.code.as_ref() {
        "saga_not_found" => Error::failed(
            format!("no saga has the order, saga or correlation id {id}"),
            "See what there is with ./prost saga list",
        ),
        "saga_not_stuck" => Error::failed(
            format!("the saga of {id} is not stuck; it moves by itself"),
            "Look where it stands with ./prost saga show, and what waits with ./prost outbox status and ./prost dlq list",
        ),
        _ => Error::Shop(error.into()),
    }
}

async fn list(orders: &Arc<dyn OrdersApi>, status: Option<String>, limit: usize, json: bool) -> Result<()> {
    let caller = operator::caller()?;
    let (mut items, mut page): (Vec<Saga>, _) = (Vec::new(), PageQuery::first(PAGE));
    loop {
        let filter = SagaFilter { status: status.clone(), user_id: None };
        let found = orders.sagas(&caller, filter, page.clone()).await.map_err(wire::Error::from)?;
        items.extend(found.items);
        match found.next_cursor {
            Some(cursor) if items.len() < limit => page.cursor = Some(cursor),
            _ => break,
        }
    }
    items.truncate(limit);
    if json {
        return terminal::print_json(&json!({ "items": items }));
    }
    if items.is_empty() {
        return terminal::print("No such saga.\n");
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

fn tell(detail: &SagaDetail, json: bool) -> Result<()> {
    if json {
        return terminal::print_json(detail);
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
    terminal::print(&text)
}
