//! `prost dlq list|show|replay|discard|audit`: dead letters of every queue.

use std::sync::Arc;

use events::topology::QUEUES;
use operations::{
    Act, ActFilter, DeadLetter, DeadLetterFilter, DiscardDeadLetters, Handled, Operations, OperationsApi, Queue,
    Selection,
};
use serde_json::json;
use servers::Progress;
use service::Caller;
use uuid::Uuid;

use crate::{
    arguments,
    data_folder::DataFolder,
    error::{Error, Result},
    operator::{self, Deed, Reason, Scope, counted, shortened, time},
    service_name::ServiceName,
    terminal, wire,
};

/// Options of `dlq`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    scope: Scope,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Action {
    /// List dead letters, oldest first
    List {
        /// Only those of this queue, e.g. orders.cart.events.queue
        #[arg(long, value_name = "QUEUE")]
        queue: Option<String>,
        /// Only those that hold this text: an event's id, a correlation id, an order's id, an e-mail address
        #[arg(long, value_name = "TEXT")]
        about: Option<String>,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: usize,
        /// How much waits in each queue, instead
        #[arg(long, conflicts_with_all = ["queue", "about"])]
        queues: bool,
    },
    /// Show one, with the whole message
    Show {
        /// Its id, or its event's
        #[arg(value_parser = arguments::id)]
        id: Uuid,
    },
    /// Put dead letters back into their queues, under their own event ids; fix code or data first
    Replay {
        #[command(flatten)]
        which: Letters,
    },
    /// Throw dead letters away
    Discard {
        #[command(flatten)]
        which: Letters,
        #[command(flatten)]
        why: Reason,
    },
    /// Tell who did what to dead letters, unsent events and sagas, newest first
    Audit {
        /// Only acts on this dead letter, event or saga
        #[arg(long, value_name = "ID", value_parser = arguments::id)]
        about: Option<Uuid>,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: usize,
    },
}

/// Which dead letters an act is on.
#[derive(Debug, Clone, clap::Args)]
struct Letters {
    #[command(flatten)]
    those: operator::Which,
    /// Only those of this queue
    #[arg(long, value_name = "QUEUE")]
    queue: Option<String>,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
}

/// Letters handled so far, over all services.
#[derive(Default)]
struct Tally {
    items: Vec<DeadLetter>,
    left: i64,
    stopped: bool,
}

/// Ids per request.
const IDS: usize = 500;

/// Runs the command.
pub async fn run(folder: DataFolder, options: Options) -> Result<()> {
    let Options { action, scope: Scope { service, json } } = options;
    match action {
        Action::List { queues: true, .. } => {
            operator::in_session(&folder, async |settings, _| {
                queues(&wire::operators(&settings, service).await?, json).await
            })
            .await
        }
        Action::List { queue, about, limit, queues: false } => {
            let filter = DeadLetterFilter { queue, about };
            let owner = owner_of(filter.queue.as_deref(), service)?;
            operator::in_session(&folder, async |settings, _| {
                let all = wire::operators(&settings, owner).await?;
                list(&all, &filter, limit, json).await
            })
            .await
        }
        Action::Show { id } => {
            operator::in_session(&folder, async |settings, _| {
                show(&wire::operators(&settings, service).await?, id, json).await
            })
            .await
        }
        Action::Replay { which } => act(&folder, which, Deed::Again, service, json).await,
        Action::Discard { which, why } => act(&folder, which, Deed::Discard(why.reason), service, json).await,
        Action::Audit { about, limit } => {
            operator::in_session(&folder, async |settings, _| {
                audit(&wire::operators(&settings, service).await?, about, limit, json).await
            })
            .await
        }
    }
}

/// The service that a queue belongs to.
fn owner_of(queue: Option<&str>, service: Option<ServiceName>) -> Result<Option<ServiceName>> {
    let Some(name) = queue else { return Ok(service) };
    let found = QUEUES.iter().find(|queue| queue.name() == name || queue.dead_letter_queue() == name);
    let owner = found.and_then(|queue| ServiceName::ALL.into_iter().find(|known| known.as_str() == queue.service));
    match owner {
        Some(owner) if service.is_none_or(|service| service == owner) => Ok(Some(owner)),
        Some(owner) => Err(Error::Usage(format!("{name} is a queue of {owner}"))),
        None => {
            let names: Vec<String> = QUEUES.iter().map(|queue| queue.name()).collect();
            Err(Error::Usage(format!("there is no queue {name}; choose from {}", names.join(", "))))
        }
    }
}

async fn queues(all: &[Arc<Operations>], json: bool) -> Result<()> {
    let mut queues: Vec<Queue> = Vec::new();
    for operations in all {
        queues.extend(operations.backlogs().await.map_err(wire::Error::from)?);
    }
    if json {
        return terminal::print_json(&json!({ "queues": queues }));
    }
    let told = |count: Option<i64>| count.map_or_else(|| "?".to_owned(), |count| count.to_string());
    let row = |queue: &Queue| {
        let (ready, dead) = (queue.ready.to_string(), queue.dead_letters.to_string());
        vec![queue.name.clone(), ready, told(queue.in_flight), told(queue.delayed), dead]
    };
    let head = ["QUEUE", "READY", "IN FLIGHT", "RETRIED LATER", "DEAD"].map(str::to_owned).to_vec();
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(queues.iter().map(row)).collect();
    let untold = queues.iter().any(|queue| queue.in_flight.is_none() || queue.delayed.is_none());
    let legend = if untold { "?: RabbitMQ does not tell.\n" } else { "" };
    terminal::print(&format!("{}{legend}", terminal::table(&rows)))
}

async fn list(all: &[Arc<Operations>], filter: &DeadLetterFilter, limit: usize, json: bool) -> Result<()> {
    let caller = operator::caller()?;
    let (mut items, mut total) = (Vec::new(), 0);
    for operations in all {
        let (found, of_service) = letters(operations, &caller, filter, limit).await?;
        items.extend(found);
        total += of_service;
    }
    items.sort_by_key(|letter| (letter.dead_at, letter.id));
    items.truncate(limit);
    if json {
        return terminal::print_json(&json!({ "items": items, "total": total }));
    }
    let shown = items.len();
    let mut text = terminal::table(&rows(&items));
    if shown == 0 {
        text = "No dead letters.\n".to_owned();
        if total > 0 {
            text = format!("None of the {} fits.\n", counted(usize::try_from(total).unwrap_or(0), "dead letter"));
        }
    } else if i64::try_from(shown).is_ok_and(|shown| shown < total) {
        text.push_str(&format!("{shown} of {total} dead letters; narrow them with --queue, --about or --service.\n"));
    }
    terminal::print(&text)
}

/// Up to `limit` dead letters of a service, and how many it has at all.
async fn letters(
    operations: &Operations,
    caller: &Caller,
    filter: &DeadLetterFilter,
    limit: usize,
) -> Result<(Vec<DeadLetter>, i64)> {
    let mut total = 0;
    let items = operator::up_to(limit, async |page| {
        let found = operations.dead_letters(caller, filter.clone(), page).await.map_err(wire::Error::from)?;
        total = found.total;
        Ok((found.items, found.next_cursor))
    })
    .await?;
    Ok((items, total))
}

fn rows(items: &[DeadLetter]) -> Vec<Vec<String>> {
    let head = ["DEAD SINCE (UTC)", "ID", "QUEUE", "EVENT", "TRIES", "REASON"].map(str::to_owned).to_vec();
    let row = |letter: &DeadLetter| {
        vec![
            time(letter.dead_at),
            letter.id.to_string(),
            letter.queue.clone(),
            letter.event_type.clone().unwrap_or_else(|| "?".to_owned()),
            letter.attempts.to_string(),
            shortened(&letter.reason, 60),
        ]
    };
    std::iter::once(head).chain(items.iter().map(row)).collect()
}

async fn show(all: &[Arc<Operations>], id: Uuid, json: bool) -> Result<()> {
    let caller = operator::caller()?;
    for operations in all {
        let Some(detail) = operations.find_dead_letter(&caller, id).await.map_err(wire::Error::from)? else { continue };
        if json {
            return terminal::print_json(&detail);
        }
        let letter = &detail.letter;
        let id_or_none = |id: Option<Uuid>| id.map_or_else(|| "none".to_owned(), |id| id.to_string());
        let facts = [
            ("dead letter", letter.id.to_string()),
            ("queue", letter.queue.clone()),
            ("reason", letter.reason.clone()),
            ("tries", letter.attempts.to_string()),
            ("dead since", format!("{} UTC", time(letter.dead_at))),
            ("event", id_or_none(letter.event_id)),
            ("type", letter.event_type.clone().unwrap_or_else(|| "unknown".to_owned())),
            ("correlation", id_or_none(letter.correlation_id)),
            ("published to", format!("{} {}", letter.exchange, letter.routing_key)),
        ];
        let facts: Vec<Vec<String>> = facts.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect();
        let body = match &detail.envelope {
            Some(envelope) => serde_json::to_string_pretty(envelope).unwrap_or_else(|_| detail.body.clone()),
            None => detail.body.clone(),
        };
        return terminal::print(&format!("{}\n{body}\n", terminal::table(&facts)));
    }
    Err(unknown(&[id]))
}

fn unknown(ids: &[Uuid]) -> Error {
    let names: Vec<String> = ids.iter().map(Uuid::to_string).collect();
    Error::failed(format!("no dead letter has the id {}", names.join(", ")), "See what there is with ./prost dlq list")
}

async fn act(folder: &DataFolder, which: Letters, deed: Deed, service: Option<ServiceName>, json: bool) -> Result<()> {
    let owner = owner_of(which.queue.as_deref(), service)?;
    let (tally, missing) = operator::in_session(folder, async |settings, progress| {
        let all = wire::operators(&settings, owner).await?;
        if which.those.all {
            Ok((handle_all(&all, &which, &deed, &progress).await?, Vec::new()))
        } else {
            handle_named(&all, &which, &deed).await
        }
    })
    .await?;
    let done = match (&deed, which.dry_run) {
        (Deed::Again, false) => "replayed",
        (Deed::Again, true) => "would be replayed",
        (Deed::Discard(_), false) => "discarded",
        (Deed::Discard(_), true) => "would be discarded",
    };
    if json {
        let (items, left) = (&tally.items, tally.left);
        terminal::print_json(&json!({ "dry_run": which.dry_run, "items": items, "missing": missing, "left": left }))?;
    } else {
        let table = if tally.items.is_empty() { String::new() } else { terminal::table(&rows(&tally.items)) };
        if missing.is_empty() || !tally.items.is_empty() {
            terminal::print(&format!("{table}{} {done}.\n", counted(tally.items.len(), "dead letter")))?;
        }
    }
    if tally.stopped {
        let so_far = format!("stopped after {}; about {} are left", tally.items.len(), tally.left);
        return Err(Error::failed(so_far, "Run it again for the rest"));
    }
    if missing.is_empty() { Ok(()) } else { Err(unknown(&missing)) }
}

/// Each id is looked for in every service.
async fn handle_named(all: &[Arc<Operations>], which: &Letters, deed: &Deed) -> Result<(Tally, Vec<Uuid>)> {
    let caller = operator::caller()?;
    let mut tally = Tally::default();
    for ids in which.those.ids.chunks(IDS) {
        for operations in all {
            let selection = Selection { ids: Some(ids.to_vec()), ..selection(which) };
            tally.items.extend(once(operations, &caller, deed, selection).await?.items);
        }
    }
    let is_handled = |id: &Uuid| tally.items.iter().any(|letter| letter.id == *id || letter.event_id == Some(*id));
    let missing = which.those.ids.iter().filter(|id| !is_handled(id)).copied().collect();
    Ok((tally, missing))
}

/// Round by round, until there are no more or somebody stops it.
async fn handle_all(all: &[Arc<Operations>], which: &Letters, deed: &Deed, progress: &Progress) -> Result<Tally> {
    let caller = operator::caller()?;
    let mut tally = Tally::default();
    if which.dry_run {
        let filter = DeadLetterFilter { queue: which.queue.clone(), about: None };
        for operations in all {
            tally.items.extend(letters(operations, &caller, &filter, usize::MAX).await?.0);
        }
        return Ok(tally);
    }
    let stop = operator::stop_on_signal()?;
    let mut total = 0;
    for operations in all {
        total += operations.dead(which.queue.as_deref()).await.map_err(wire::Error::from)?;
    }
    if total > 0 {
        progress.step(format!("0 of about {total} dead letters"));
    }
    'services: for operations in all {
        let mut until = None;
        loop {
            if stop.is_cancelled() {
                tally.stopped = true;
                break 'services;
            }
            let round = once(operations, &caller, deed, Selection { all: true, until, ..selection(which) }).await?;
            tally.items.extend(round.items);
            if !round.more {
                break;
            }
            until = Some(round.until);
            progress.step(format!("{} of about {total} dead letters", tally.items.len()));
        }
    }
    tally.left = (total - i64::try_from(tally.items.len()).unwrap_or(i64::MAX)).max(0);
    Ok(tally)
}

fn selection(which: &Letters) -> Selection {
    Selection { queue: which.queue.clone(), dry_run: which.dry_run, ..Selection::default() }
}

async fn once(operations: &Operations, caller: &Caller, deed: &Deed, selection: Selection) -> Result<Handled> {
    let handled = match deed {
        Deed::Again => operations.replay(caller, selection).await,
        Deed::Discard(reason) => {
            let Selection { queue, ids, all, until, dry_run } = selection;
            let reason = reason.clone();
            operations.discard(caller, DiscardDeadLetters { queue, ids, all, until, dry_run, reason }).await
        }
    };
    Ok(handled.map_err(wire::Error::from)?)
}

async fn audit(all: &[Arc<Operations>], about: Option<Uuid>, limit: usize, json: bool) -> Result<()> {
    let caller = operator::caller()?;
    let mut acts: Vec<Act> = Vec::new();
    for operations in all {
        let of_service = operator::up_to(limit, async |page| {
            let found = operations.acts(&caller, ActFilter { about }, page).await.map_err(wire::Error::from)?;
            Ok((found.items, found.next_cursor))
        });
        acts.extend(of_service.await?);
    }
    acts.sort_by_key(|act| std::cmp::Reverse(act.id));
    acts.truncate(limit);
    if json {
        return terminal::print_json(&json!({ "items": acts }));
    }
    if acts.is_empty() {
        return terminal::print("No operator has done anything yet.\n");
    }
    let row = |act: &Act| {
        vec![
            time(act.acted_at),
            act.actor.clone(),
            act.action.clone(),
            act.outcome.clone(),
            act.subject_id.to_string(),
            act.queue.clone().unwrap_or_else(|| act.service.clone()),
            act.event_type.clone().unwrap_or_default(),
            shortened(act.reason.as_deref().unwrap_or_default(), 60),
        ]
    };
    let head = ["WHEN (UTC)", "WHO", "WHAT", "OUTCOME", "SUBJECT", "WHERE", "EVENT", "WHY"].map(str::to_owned).to_vec();
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(acts.iter().map(row)).collect();
    terminal::print(&terminal::table(&rows))
}
