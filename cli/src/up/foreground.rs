//! The process that is the shop: starts the private servers, migrates, seeds, serves, drains, stops.

use std::{path::Path, sync::Arc, time::Duration};

use servers::{FolderLock, Progress, Server, Started, watch};
use service::Env;
use tokio::{
    signal::unix::{SignalKind, signal},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use crate::{
    data_folder::{ANALYTICS_DATABASE, Cache, DATABASE, DataFolder, Transport},
    error::{Error, Result},
    logging,
    service_name::ServiceName,
    session,
    terminal::{self, Paint},
    wire::{self, DemoLogin, Settings},
};

use super::{Audience, Options, Plan, Seeding, ports, ready, summary};

/// Whoever only looks whether the shop runs holds its lock for a moment.
const LOCK_LIMIT: Duration = Duration::from_secs(2);

pub(super) async fn run(folder: DataFolder, options: &Options, progress: &Progress) -> Result<()> {
    let audience = if options.detached_child { Audience::Parent } else { Audience::User };
    // The parent of a detached shop holds the start lock for it.
    let starting = match audience {
        Audience::Parent => None,
        Audience::User => Some(folder.start_lock(progress).await?),
    };
    let Some(_shop_lock) = shop_lock(&folder).await? else {
        return Err(already_running(&folder));
    };
    let signals = Signals::listen()?;
    let plan = options.plan(folder, progress)?;
    ports::check(plan.shop.host, plan.shop.port)?;
    plan.folder.remember_shop(&plan.shop)?;
    let private = private_servers(&plan);
    let outcome = tokio::select! {
        outcome = open(&plan, &private, &signals, starting, audience, progress) => outcome,
        () = signals.forced.cancelled() => Err(Error::failed("forced to stop before everything was drained", "Nothing that was acknowledged is lost: ./prost up continues")),
    };
    let stopped = stop_all(&private, progress).await;
    if outcome.is_ok() && stopped.is_ok() {
        plan.folder.forget_shop()?;
        progress.step("stopped");
    }
    outcome.and(stopped)
}

async fn shop_lock(folder: &DataFolder) -> Result<Option<FolderLock>> {
    let end = tokio::time::Instant::now() + LOCK_LIMIT;
    loop {
        let lock = folder.shop_lock()?;
        if lock.is_some() || tokio::time::Instant::now() >= end {
            return Ok(lock);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn already_running(folder: &DataFolder) -> Error {
    let place = match folder.last_shop() {
        Ok(Some(shop)) => format!(" at {} (process {})", shop.url(), shop.pid),
        _ => String::new(),
    };
    Error::failed(
        format!("the shop of {} already runs{place}", folder.path().display()),
        "Stop it with ./prost down, or start a second shop: --data-dir OTHER --port OTHER",
    )
}

fn private_servers(plan: &Plan) -> Vec<Arc<dyn Server>> {
    let mut private: Vec<Arc<dyn Server>> = vec![Arc::new(plan.folder.postgres())];
    if plan.shop.transport == Transport::Rabbitmq {
        private.push(Arc::new(plan.folder.rabbit()));
    }
    if plan.shop.cache == Cache::Redis {
        private.push(Arc::new(plan.folder.redis()));
    }
    private
}

/// From nothing to an open shop, and on until it is told to stop and has drained.
async fn open(
    plan: &Plan,
    private: &[Arc<dyn Server>],
    signals: &Signals,
    starting: Option<FolderLock>,
    audience: Audience,
    progress: &Progress,
) -> Result<()> {
    let prepared = signals.stop.run_until_cancelled(prepare(plan, private, progress)).await;
    let Some(prepared) = prepared else {
        return Ok(());
    };
    let (settings, logins) = prepared?;
    let watching = CancellationToken::new();
    let watches: Vec<JoinHandle<()>> =
        private.iter().map(|server| watch(Arc::clone(server), Progress::to_log(), watching.clone())).collect();
    progress.step("opening the shop");
    let serving = wire::serve(settings, &ServiceName::ALL, signals.stop.clone());
    tokio::pin!(serving);
    let url = plan.shop.url();
    let outcome = tokio::select! {
        served = &mut serving => ended(served, signals),
        ready = ready::until_ready(&url) => match ready {
            Ok(()) => {
                terminal::finish(progress);
                drop(starting);
                announce(plan, &logins, audience)?;
                ended(serving.await, signals)
            }
            Err(error) => Err(error),
        },
    };
    watching.cancel();
    for watch in watches {
        watch
            .await
            .map_err(|error| Error::failed(format!("a watch failed: {error}"), "Report this: it is a defect"))?;
    }
    outcome
}

fn ended(served: Result<(), wire::Error>, signals: &Signals) -> Result<()> {
    served?;
    if signals.stop.is_cancelled() {
        return Ok(());
    }
    Err(Error::failed("the services ended by themselves", "The log says why"))
}

fn announce(plan: &Plan, logins: &[DemoLogin], audience: Audience) -> Result<()> {
    let text = |paint| summary::text(&plan.folder, &plan.shop, logins, paint);
    plan.folder.announce(&text(Paint::none()))?;
    if audience == Audience::Parent {
        return Ok(());
    }
    terminal::print(&format!("\n{}\nCtrl-C stops it in order.\n", text(Paint::for_stdout())))
}

/// Servers, databases, secrets, tables, demo data.
async fn prepare(plan: &Plan, private: &[Arc<dyn Server>], progress: &Progress) -> Result<(Settings, Vec<DemoLogin>)> {
    logging::start(logging::Default::Quiet)?;
    start_all(private, progress).await?;
    let postgres = plan.folder.postgres();
    for database in [DATABASE, ANALYTICS_DATABASE] {
        postgres.create_database(database).await?;
    }
    let ignored = session::ignored_variables();
    if !ignored.is_empty() {
        progress.step(format!("a private shop does not follow {}", ignored.join(", ")));
    }
    let mut environment = session::private_environment(&plan.folder, Some(&plan.shop))?;
    environment.push(("DEMO".to_owned(), (plan.seeding == Seeding::Demo).to_string()));
    let settings = Settings::new(Env::map(environment))?;
    progress.step("migrating the databases");
    let applied = wire::migrate_up(&settings, None).await?;
    if !applied.is_empty() {
        progress.step(format!("{} migrations applied", applied.len()));
    }
    let logins = match plan.seeding {
        Seeding::Empty => Vec::new(),
        Seeding::Demo => {
            progress.step("filling the demo catalogue");
            wire::seed(&settings).await?
        }
    };
    Ok((settings, logins))
}

async fn start_all(private: &[Arc<dyn Server>], progress: &Progress) -> Result<()> {
    let starts: Vec<JoinHandle<servers::Result<Started>>> = private
        .iter()
        .map(|server| {
            let (server, progress) = (Arc::clone(server), progress.clone());
            tokio::spawn(async move { server.start(&progress).await })
        })
        .collect();
    for start in starts {
        start.await.map_err(|error| {
            Error::failed(format!("starting a server was cut off: {error}"), "Try again: ./prost up")
        })??;
    }
    Ok(())
}

async fn stop_all(private: &[Arc<dyn Server>], progress: &Progress) -> Result<()> {
    for server in private.iter().rev() {
        server.stop(progress).await?;
    }
    Ok(())
}

/// The first signal drains, the second stops without draining, the third ends this process at once.
struct Signals {
    stop: CancellationToken,
    forced: CancellationToken,
}

impl Signals {
    fn listen() -> Result<Signals> {
        let signals = Signals { stop: CancellationToken::new(), forced: CancellationToken::new() };
        let (stop, forced) = (signals.stop.clone(), signals.forced.clone());
        let kind = |kind| signal(kind).map_err(Error::system("listening for signals"));
        let mut interrupt = kind(SignalKind::interrupt())?;
        let mut terminate = kind(SignalKind::terminate())?;
        let mut hangup = kind(SignalKind::hangup())?;
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                    _ = hangup.recv() => {}
                }
                if forced.is_cancelled() {
                    std::process::exit(130);
                } else if stop.is_cancelled() {
                    eprintln!("{}stopping without draining", terminal::MARK);
                    forced.cancel();
                } else {
                    eprintln!("{}draining; once more to force", terminal::MARK);
                    stop.cancel();
                }
            }
        });
        Ok(signals)
    }
}

/// Where an executable's own path is needed.
pub(super) fn own_program() -> Result<std::path::PathBuf> {
    let program = std::env::current_exe().map_err(Error::system("finding this program"))?;
    // A rebuilt binary replaces the file; Linux then marks the running one's path as deleted.
    let replaced = program.to_string_lossy().trim_end_matches(" (deleted)").to_owned();
    Ok(if program.exists() { program } else { Path::new(&replaced).to_owned() })
}
