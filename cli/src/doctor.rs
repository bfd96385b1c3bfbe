//! `prost doctor`: looks at the machine and the shop, and says what to do.

use std::path::Path;

use messaging::Transport;
use serde::Serialize;
use servers::{PostgresBinaries, RabbitServer, RedisServer, Server};
use tokio_postgres::NoTls;

use crate::{
    data_folder::{DATABASE, DataFolder},
    error::{Error, Result},
    service_name::ServiceName,
    session::Session,
    terminal::{self, Paint},
    up,
    wire::{self, Settings},
};

const DEFAULT_PORT: u16 = 8080;
const LEAST_MEMORY_MB: u64 = 512;
const LEAST_DISK_MB: u64 = 1024;
const LEAST_FILES: u64 = 1024;
/// As PostgreSQL counts: 15.0.
const OLDEST_POSTGRES: i32 = 150_000;

/// Options of `doctor`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Good,
    Warning,
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    what: String,
    verdict: Verdict,
    found: String,
    advice: Option<String>,
}

impl Finding {
    fn good(what: impl Into<String>, found: impl Into<String>) -> Finding {
        Finding { what: what.into(), verdict: Verdict::Good, found: found.into(), advice: None }
    }

    fn warning(what: impl Into<String>, found: impl Into<String>, advice: impl Into<String>) -> Finding {
        Finding { what: what.into(), verdict: Verdict::Warning, found: found.into(), advice: Some(advice.into()) }
    }

    fn bad(what: impl Into<String>, found: impl Into<String>, advice: impl Into<String>) -> Finding {
        Finding { verdict: Verdict::Bad, ..Finding::warning(what, found, advice) }
    }
}

/// Runs the command. Exit code 1 when something is bad.
pub async fn run(folder: DataFolder, options: Options) -> Result<()> {
    let mut findings = vec![versions()];
    findings.extend(programs());
    findings.extend(memory());
    findings.extend(disk(folder.path()));
    findings.push(open_files()?);
    findings.push(ports(&folder)?);
    findings.extend(database(&folder).await?);
    if options.json {
        terminal::print_json(&findings)?;
    } else {
        terminal::print(&text(&findings, Paint::for_stdout()))?;
    }
    let bad = findings.iter().filter(|finding| finding.verdict == Verdict::Bad).count();
    match bad {
        0 => Ok(()),
        bad => Err(Error::failed(format!("{bad} of {} checks failed", findings.len()), "Follow the advice above")),
    }
}

fn text(findings: &[Finding], paint: Paint) -> String {
    let mut text = String::new();
    for finding in findings {
        let mark = match finding.verdict {
            Verdict::Good => paint.green("good"),
            Verdict::Warning => paint.yellow("note"),
            Verdict::Bad => paint.red("bad "),
        };
        text.push_str(&format!("{mark}  {}: {}\n", finding.what, finding.found));
        if let Some(advice) = &finding.advice {
            text.push_str(&format!("      -> {advice}\n"));
        }
    }
    text
}

fn versions() -> Finding {
    Finding::good(
        "prost",
        format!("{} on {} {}", env!("CARGO_PKG_VERSION"), std::env::consts::OS, std::env::consts::ARCH),
    )
}

fn programs() -> Vec<Finding> {
    let all = PostgresBinaries::all();
    let postgres = match all.first() {
        Some(newest) => {
            Finding::good("PostgreSQL's programs", format!("{} in {}", newest.version, newest.folder.display()))
        }
        None => Finding::warning("PostgreSQL's programs", "not found", "./prost up installs them"),
    };
    let optional = |what: &str, found: Option<std::path::PathBuf>, option: &str| match found {
        Some(program) => Finding::good(what, program.display().to_string()),
        None => Finding::good(what, format!("not installed; ./prost up {option} installs it")),
    };
    vec![
        postgres,
        optional("RabbitMQ's program", RabbitServer::program(), "--transport rabbitmq"),
        optional("Redis' program", RedisServer::program(), "--redis"),
    ]
}

fn memory() -> Option<Finding> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("MemAvailable:"))?;
    let megabytes = line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1024;
    let found = format!("{megabytes} MB available");
    Some(match megabytes < LEAST_MEMORY_MB {
        true => Finding::warning("memory", found, format!("Leave at least {LEAST_MEMORY_MB} MB to the shop")),
        false => Finding::good("memory", found),
    })
}

fn disk(folder: &Path) -> Option<Finding> {
    let existing = folder.ancestors().find(|path| path.exists())?;
    let stat = nix::sys::statvfs::statvfs(existing).ok()?;
    #[allow(clippy::useless_conversion)] // the fields' types differ between systems
    let megabytes = (u64::from(stat.blocks_available()) * u64::from(stat.fragment_size())) >> 20;
    let found = format!("{megabytes} MB free for {}", folder.display());
    Some(match megabytes < LEAST_DISK_MB {
        true => Finding::bad("disk", found, "Free some space, or put the data elsewhere with --data-dir"),
        false => Finding::good("disk", found),
    })
}

fn open_files() -> Result<Finding> {
    use nix::sys::resource::{Resource, getrlimit};
    let (limit, _) =
        getrlimit(Resource::RLIMIT_NOFILE).map_err(|e| Error::system("reading the limit of open files")(e.into()))?;
    let found = format!("{limit} per process");
    Ok(match limit < LEAST_FILES {
        true => Finding::warning("open files", found, format!("Raise it: ulimit -n {LEAST_FILES}")),
        false => Finding::good("open files", found),
    })
}

fn ports(folder: &DataFolder) -> Result<Finding> {
    if let Some(shop) = folder.running_shop()? {
        return Ok(Finding::good("shop", format!("runs at {} (process {})", shop.url(), shop.pid)));
    }
    let first = folder.last_shop()?.map_or(DEFAULT_PORT, |shop| shop.port);
    let last = first + up::SERVICE_PORTS - 1;
    let what = format!("ports {first} to {last}");
    let taken = (first..=last).find(|port| !servers::is_port_free([127, 0, 0, 1].into(), *port));
    Ok(match taken {
        None => Finding::good(what, "free"),
        Some(port) => Finding::warning(
            what,
            format!("{port} is in use by {}", up::holder(port)),
            "End that program, or choose other ports with --port",
        ),
    })
}

/// What a running database tells. A private one that does not run is not started for this.
async fn database(folder: &DataFolder) -> Result<Vec<Finding>> {
    let postgres = folder.postgres();
    let is_external = service::Env::process().get("DATABASE_URL").is_some();
    if !is_external && !postgres.is_alive() {
        return Ok(vec![match folder.last_shop()? {
            Some(crashed) => Finding::bad(
                "shop",
                format!("was not stopped in order (it was process {})", crashed.pid),
                "./prost up --detach continues it, ./prost down cleans up",
            ),
            None => Finding::good("database", "does not run (the shop is closed)"),
        }]);
    }
    let progress = terminal::progress();
    let session = Session::open(folder, &progress).await?;
    let outcome = examine(&session).await;
    session.close(outcome, &progress).await
}

async fn examine(session: &Session) -> Result<Vec<Finding>> {
    let settings = &session.settings;
    let mut findings = match ask_server(settings.owner_url()?).await {
        Ok(found) => {
            let pools = settings.pool_sum(&ServiceName::ALL)?;
            vec![server_version(&found), connections(found.most_connections, found.open_connections, pools)]
        }
        Err(error) => {
            return Ok(vec![Finding::bad(
                "database",
                error.to_string(),
                "Is DATABASE_URL right, and does the server run?",
            )]);
        }
    };
    findings.extend(broker(settings).await);
    for check in wire::check_schemas(settings).await? {
        let what = format!("tables of {}", check.service);
        findings.push(match check.problem {
            None => Finding::good(what, "as expected"),
            Some(problem) => Finding::bad(what, problem, "./prost migrate up"),
        });
    }
    Ok(findings)
}

/// RabbitMQ, where messages travel over it.
async fn broker(settings: &Settings) -> Option<Finding> {
    let config = settings.broker()?;
    Some(match Transport::rabbit(config).check().await {
        Ok(()) => Finding::good("broker", "RabbitMQ answers"),
        Err(error) => Finding::bad(
            "broker",
            error.to_string(),
            "Is AMQP_URL right, and does RabbitMQ run? Orders are accepted meanwhile; their events wait",
        ),
    })
}

fn connections(most: i64, used: i64, pools: usize) -> Finding {
    let found = format!("{used} open, pools may open {pools}, the server allows {most}");
    match i64::try_from(pools).is_ok_and(|pools| pools <= most) {
        true => Finding::good("connections", found),
        false => Finding::bad("connections", found, "Raise max_connections of the server, or lower DATABASE_POOL_MAX"),
    }
}

/// What a server says of itself.
struct DatabaseServer {
    version: String,
    version_number: i32,
    most_connections: i64,
    open_connections: i64,
}

fn server_version(server: &DatabaseServer) -> Finding {
    let found = format!("PostgreSQL {}, {DATABASE}", server.version);
    match server.version_number < OLDEST_POSTGRES {
        true => Finding::bad("database", found, "Use PostgreSQL 15 or later: pg_upgrade, or dump and restore"),
        false => Finding::good("database", found),
    }
}

async fn ask_server(url: &str) -> Result<DatabaseServer, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let connection = tokio::spawn(connection);
    let row = client
        .query_one(
            "SELECT current_setting('server_version') AS version,
                    current_setting('server_version_num')::int AS version_number,
                    current_setting('max_connections')::bigint AS most_connections,
                    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS open_connections",
            &[],
        )
        .await?;
    drop(client);
    if let Ok(closed) = connection.await {
        closed?;
    }
    Ok(DatabaseServer {
        version: row.get("version"),
        version_number: row.get("version_number"),
        most_connections: row.get("most_connections"),
        open_connections: row.get("open_connections"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_too_old_is_named() {
        let verdict = |version: &str, version_number| {
            let version = version.to_owned();
            server_version(&DatabaseServer { version, version_number, most_connections: 100, open_connections: 1 })
        };
        let old = verdict("14.19", 140_019);
        assert_eq!(old.verdict, Verdict::Bad);
        assert!(old.found.contains("14.19") && old.advice.is_some_and(|advice| advice.contains("15")));
        for (version, number) in [("15.0", 150_000), ("18.6", 180_006)] {
            assert_eq!(verdict(version, number).verdict, Verdict::Good, "{version}");
        }
    }
}
