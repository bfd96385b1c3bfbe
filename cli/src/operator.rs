//! What the commands `dlq`, `outbox` and `saga` share.

use std::future::Future;

use clap::builder::NonEmptyStringValueParser;
use nix::unistd::{Uid, User};
use servers::Progress;
use service::{Caller, PageQuery};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    arguments,
    data_folder::DataFolder,
    error::{Error, Result},
    service_name::ServiceName,
    session::Session,
    terminal,
    wire::Settings,
};

/// Whose, and how it is told.
#[derive(Debug, Clone, clap::Args)]
pub struct Scope {
    /// Only what belongs to this service
    #[arg(long, global = true, value_enum)]
    pub service: Option<ServiceName>,
    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,
}

/// Which dead letters or events an act is on.
#[derive(Debug, Clone, clap::Args)]
pub struct Which {
    /// Their ids, or those of their events
    #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all", value_parser = arguments::id)]
    pub ids: Vec<Uuid>,
    /// All there are
    #[arg(long)]
    pub all: bool,
}

/// Why something is thrown away.
#[derive(Debug, Clone, clap::Args)]
pub struct Reason {
    /// Why, for the audit trail
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    pub reason: String,
}

/// What is done to dead letters or failed events.
pub enum Deed {
    /// Once more on their way.
    Again,
    /// Thrown away, for this reason.
    Discard(String),
}

/// Items per request.
const PAGE: u16 = 100;

/// Up to `limit` items, page by page; `ask` answers one, and where the next begins.
pub async fn up_to<T>(
    limit: usize,
    mut ask: impl AsyncFnMut(PageQuery) -> Result<(Vec<T>, Option<String>)>,
) -> Result<Vec<T>> {
    let (mut items, mut page) = (Vec::new(), PageQuery::first(PAGE));
    loop {
        let (found, next) = ask(page.clone()).await?;
        items.extend(found);
        match next {
            Some(cursor) if items.len() < limit => page.cursor = Some(cursor),
            _ => break,
        }
    }
    items.truncate(limit);
    Ok(items)
}

/// Whoever runs this command, as the audit trail names them.
pub fn caller() -> Result<Caller> {
    let login = User::from_uid(Uid::current()).map_err(|error| Error::system("asking who you are")(error.into()))?;
    Ok(Caller::at_the_shell(&login.map_or_else(|| Uid::current().to_string(), |user| user.name)))
}

/// Runs `work` on the shop's databases and broker; private ones that do not run are started for it.
pub async fn in_session<T, F>(folder: &DataFolder, work: impl FnOnce(Settings, Progress) -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let progress = terminal::progress();
    let (settings, session) = Session::with_broker(folder, &progress).await?.split();
    let outcome = work(settings, progress.clone()).await;
    let outcome = session.close(outcome, &progress).await;
    terminal::finish(&progress);
    outcome
}

/// Cancelled by the first Ctrl-C or SIGTERM: what is begun is finished, and nothing more begun. The second ends at once.
pub fn stop_on_signal() -> Result<CancellationToken> {
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::system("listening for signals"))?;
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::system("listening for signals"))?;
    let stop = CancellationToken::new();
    let asked = stop.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if asked.is_cancelled() {
                std::process::exit(1);
            }
            asked.cancel();
        }
    });
    Ok(stop)
}

/// `1 dead letter`, `2 dead letters`.
pub fn counted(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// At most so many characters, on one line.
pub fn shortened(text: &str, most: usize) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= most {
        return line;
    }
    let cut: String = line.chars().take(most.saturating_sub(1)).collect();
    format!("{cut}…")
}

/// A time as people read it in tables.
pub fn time(at: chrono::DateTime<chrono::Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        assert_eq!(shortened("wörter  und\nzeilen", 9), "wörter u…");
        assert_eq!(shortened("kurz", 9), "kurz");
    }
}
