//! The shop under load: started as a user starts it, in a folder of its own that is deleted afterwards.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;

use servers::{PostgresBinaries, Progress};
use service::Env;
use tokio::process::Command;

use super::{profile, resources};
use crate::data_folder::{DataFolder, Transport};
use crate::error::{Error, Result};
use crate::session;
use crate::terminal;
use crate::wire::Settings;

/// The database that pgbench gets for itself.
const REFERENCE_DATABASE: &str = "pgbench";

/// A shop for the load.
pub struct Shop {
    folder: DataFolder,
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

/// Processor seconds used so far.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// The shop's process.
    pub shop_s: f64,
    /// PostgreSQL with all its backends.
    pub database_s: f64,
    /// RabbitMQ, if there is one.
    pub broker_s: f64,
    /// This process.
    pub generator_s: f64,
}

impl Usage {
    /// What was used since then.
    pub fn since(&self, before: &Usage) -> Usage {
        Usage {
            shop_s: self.shop_s - before.shop_s,
            database_s: self.database_s - before.database_s,
            broker_s: self.broker_s - before.broker_s,
            generator_s: self.generator_s - before.generator_s,
        }
    }
}

impl Shop {
    /// Starts it beside the folder of the user's own shop.
    pub async fn start(
        beside: &DataFolder,
        transport: Transport,
        profiling: Profiling,
        progress: &Progress,
    ) -> Result<Shop> {
        let mut path = beside.path().as_os_str().to_owned();
        path.push("-bench");
        let folder = DataFolder::new(&PathBuf::from(path))?;
        reset(&folder).await?;
        progress.step("starting a shop for the load");
        let port = free_ports()?;
        let transport_name = match transport {
            Transport::Postgres => "postgres",
            Transport::Rabbitmq => "rabbitmq",
        };
        let port_text = port.to_string();
        let arguments = ["up", "--detach", "--no-seed", "--port", &port_text, "--transport", transport_name];
        prost(&folder, &arguments).await?;
        if profiling == Profiling::Statements {
            profile::load(&folder).await?;
            prost(&folder, &["down"]).await?;
            prost(&folder, &arguments).await?;
        }
        let running = folder.running_shop()?.ok_or_else(|| {
            Error::failed("the shop for the load ended", format!("Look at {}", folder.log().display()))
        })?;
        let settings = Settings::new(Env::map(session::private_environment(&folder, Some(&running))?))?;
        Ok(Shop {
            pid: running.pid,
            gateway: format!("http://127.0.0.1:{port}"),
            products_url: format!("http://127.0.0.1:{}", port + 1),
            settings,
            folder,
        })
    }

    /// Stops it and deletes its folder.
    pub async fn stop(self, progress: &Progress) -> Result<()> {
        progress.step("stopping the shop for the load");
        prost(&self.folder, &["down"]).await?;
        reset(&self.folder).await
    }

    /// Processor seconds used so far.
    pub fn usage(&self) -> Usage {
        let tree = |pid: Option<i32>| pid.map_or(0.0, resources::tree_cpu_seconds);
        Usage {
            shop_s: resources::cpu_seconds(self.pid),
            database_s: tree(self.folder.postgres().pid()),
            broker_s: tree(self.folder.rabbit().pid()),
            generator_s: resources::cpu_seconds(std::process::id().cast_signed()),
        }
    }

    /// Resident memory of the shop's process.
    pub fn memory_mb(&self) -> f64 {
        resources::memory_mb(self.pid)
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
