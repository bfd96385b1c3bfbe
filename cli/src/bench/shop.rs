//! The shop under load: started as a user starts it, in a folder of its own that is deleted afterwards.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;

use servers::{PostgresBinaries, Progress};
use service::Env;
use tokio::process::Command;
use tokio_postgres::Client;

use super::profile;
use super::resources::{self, Parts};
use crate::data_folder::{DataFolder, Transport};
use crate::error::{Error, Result};
use crate::session;
use crate::terminal;
use crate::wire::{self, Settings};

/// The database that pgbench gets for itself.
const REFERENCE_DATABASE: &str = "pgbench";

/// What tells the moment of each commit.
const COMMIT_TIMES: &str = "track_commit_timestamp = on";

/// A shop for the load.
pub struct Shop {
    folder: DataFolder,
    arguments: Vec<String>,
    pid: i32,
    /// Base URL of the gateway.
    pub gateway: String,
    /// Base URL of products.
    pub products_url: String,
    /// Its databases.
    pub settings: Settings,
}

/// Whether PostgreSQL counts what each statement takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profiling {
    /// As users run it.
    Off,
    /// With pg_stat_statements.
    Statements,
}

impl From<bool> for Profiling {
    fn from(wanted: bool) -> Profiling {
        if wanted { Profiling::Statements } else { Profiling::Off }
    }
}

impl Shop {
    /// Starts it beside the folder of the user's own shop, in one whose name ends so.
    pub async fn start(
        beside: &DataFolder,
        ending: &str,
        transport: Transport,
        profiling: Profiling,
        progress: &Progress,
    ) -> Result<Shop> {
        let mut path = beside.path().as_os_str().to_owned();
        path.push(ending);
        let folder = DataFolder::new(&PathBuf::from(path))?;
        reset(&folder).await?;
        progress.step("starting a shop for the load");
        let port = free_ports()?;
        let transport = match transport {
            Transport::Postgres => "postgres",
            Transport::Rabbitmq => "rabbitmq",
        };
        let arguments = ["up", "--detach", "--no-seed", "--port", &port.to_string(), "--transport", transport];
        prost(&folder, &arguments).await?;
        let running = running(&folder)?;
        let settings = Settings::new(Env::map(session::private_environment(&folder, Some(&running))?))?;
        let mut shop = Shop {
            pid: running.pid,
            arguments: arguments.map(str::to_owned).to_vec(),
            gateway: format!("http://127.0.0.1:{port}"),
            products_url: format!("http://127.0.0.1:{}", port + 1),
            settings,
            folder,
        };
        if profiling == Profiling::Statements {
            shop.restart_with(profile::LOAD).await?;
        }
        Ok(shop)
    }

    /// Makes PostgreSQL remember when each transaction committed.
    pub async fn track_commits(&mut self) -> Result<()> {
        self.restart_with(COMMIT_TIMES).await
    }

    /// Starts it anew, its PostgreSQL with this setting.
    async fn restart_with(&mut self, setting: &str) -> Result<()> {
        self.execute(&format!("ALTER SYSTEM SET {setting}")).await?;
        prost(&self.folder, &["down"]).await?;
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        prost(&self.folder, &arguments).await?;
        self.pid = running(&self.folder)?.pid;
        Ok(())
    }

    /// The owner's connection to its database.
    pub async fn owner(&self) -> Result<Client> {
        Ok(wire::connect(self.settings.owner_url()?).await?)
    }

    /// Runs statements as the owner.
    pub async fn execute(&self, sql: &str) -> Result<()> {
        Ok(self.owner().await?.batch_execute(sql).await.map_err(wire::Error::from)?)
    }

    /// Stops it and deletes its folder.
    pub async fn stop(self, progress: &Progress) -> Result<()> {
        progress.step("stopping the shop for the load");
        prost(&self.folder, &["down"]).await?;
        reset(&self.folder).await
    }

    /// Processor seconds used so far.
    pub fn cpu_seconds(&self) -> Parts {
        self.parts(resources::cpu_seconds, resources::tree_cpu_seconds)
    }

    /// Resident memory in MB.
    pub fn memory_mb(&self) -> Parts {
        self.parts(resources::memory_mb, resources::tree_memory_mb)
    }

    fn parts(&self, of_process: fn(i32) -> f64, of_tree: fn(i32) -> f64) -> Parts {
        Parts {
            shop: of_process(self.pid),
            database: self.folder.postgres().pid().map_or(0.0, of_tree),
            broker: self.folder.rabbit().pid().map_or(0.0, of_tree),
            generator: of_process(std::process::id().cast_signed()),
        }
    }

    /// The reference of the same run: small transactions of pgbench on the same server, per second.
    /// `None` where pgbench is not installed.
    pub async fn pgbench(&self) -> Option<f64> {
        let postgres = self.folder.postgres();
        postgres.create_database(REFERENCE_DATABASE).await.ok()?;
        let url = postgres.url(REFERENCE_DATABASE).ok()?;
        let installed = PostgresBinaries::all();
        let program = installed.iter().map(|binaries| binaries.program("pgbench")).find(|file| file.is_file())?;
        let run = |arguments: &'static [&'static str]| {
            let mut command = Command::new(&program);
            command.args(arguments).arg(&url).stdin(Stdio::null());
            async move { command.output().await.ok().filter(|output| output.status.success()) }
        };
        run(&["-i", "-q", "-s", "20"]).await?;
        let output = run(&["-N", "-M", "prepared", "-c", "32", "-j", "2", "-T", "5", "-s", "20"]).await?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok())
    }
}

fn running(folder: &DataFolder) -> Result<crate::data_folder::Shop> {
    folder
        .running_shop()?
        .ok_or_else(|| Error::failed("the shop for the load ended", format!("Look at {}", folder.log().display())))
}

async fn reset(folder: &DataFolder) -> Result<()> {
    if folder.exists() { prost(folder, &["reset", "--yes"]).await } else { Ok(()) }
}

/// Runs another command of this program on the bench's folder.
async fn prost(folder: &DataFolder, arguments: &[&str]) -> Result<()> {
    let program = std::env::current_exe().map_err(Error::system("finding this program"))?;
    let output = Command::new(program)
        .args(arguments)
        .arg("--data-dir")
        .arg(folder.path())
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(Error::system("starting this program"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said: Vec<&str> = said.lines().filter(|line| !line.starts_with(terminal::MARK)).collect();
    Err(Error::failed(format!("prost {} failed: {}", arguments.join(" "), said.join("\n")), "See above"))
}

/// The first of seven ports in a row that nobody listens on.
fn free_ports() -> Result<u16> {
    (20_000u16..60_000)
        .step_by(7)
        .find(|first| (*first..*first + 7).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok()))
        .ok_or_else(|| Error::failed("there are no seven free ports in a row", "Stop what listens on them"))
}
