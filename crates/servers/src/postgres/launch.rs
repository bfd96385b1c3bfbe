//! Starting, adopting and stopping the server.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use nix::sys::signal::Signal;
use tokio::time::Instant;
use tokio_postgres::{NoTls, error::SqlState};

use crate::{
    Error, Progress, Result, Started,
    folder::{self, FolderLock},
    ports::{free_port, gets_free},
    process::{self, RunAs},
};

use super::{PostgresBinaries, PostgresServer, Remembered, cluster, describe};

const LOCK_LIMIT: Duration = Duration::from_secs(300);
/// Crash recovery of a large database takes its time.
const READY_LIMIT: Duration = Duration::from_secs(300);
const STOP_LIMIT: Duration = Duration::from_secs(60);
/// How long backends of a killed postmaster may take to notice by themselves.
const ORPHAN_LIMIT: Duration = Duration::from_secs(5);

/// Which port to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Port {
    /// The remembered one if it is free, else another.
    AnyFree,
    /// The remembered one: clients know it.
    Remembered,
}

/// Why a postmaster that was just started is not ready.
enum NotReady {
    /// It ended; backends of its predecessor still hold its shared memory.
    SharedMemoryInUse,
    /// It ended; somebody was faster with the port.
    PortTaken,
    Failed(Error),
}

impl PostgresServer {
    pub(super) async fn launch(&self, port: Port, progress: &Progress) -> Result<Started> {
        folder::create(self.folder())?;
        let lock = FolderLock::acquire(&self.lock_file(), LOCK_LIMIT).await?;
        let user = cluster::run_as()?;
        let (mut remembered, binaries) = self.cluster(&lock, user, progress).await?;
        if let Some(pid) = live_postmaster(&remembered.data) {
            match self.wait_ready(&remembered, pid, progress).await {
                Ok(()) => return Ok(Started::Adopted),
                Err(_) if !process::is_running(pid) => progress.step("PostgreSQL was just ending"),
                Err(error) => return Err(error),
            }
        }
        end_orphans(&remembered.data, progress).await?;
        remove_stale_files(&remembered.data)?;
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            self.settle_port(&mut remembered, port, progress).await?;
            match self.try_start(&remembered, &binaries, user, progress).await {
                Ok(()) => return Ok(Started::Fresh),
                Err(NotReady::Failed(error)) => return Err(error),
                Err(NotReady::SharedMemoryInUse | NotReady::PortTaken) if Instant::now() < end => {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                Err(NotReady::SharedMemoryInUse | NotReady::PortTaken) => {
                    return Err(self.failed(&process::log_tail(&self.log(), 5)));
                }
            }
        }
    }

    pub(super) async fn halt(&self, progress: &Progress) -> Result<bool> {
        if !self.folder().exists() {
            return Ok(false);
        }
        let _lock = FolderLock::acquire(&self.lock_file(), LOCK_LIMIT).await?;
        let Some(remembered) = self.remembered()? else {
            return Ok(false);
        };
        let Some(pid) = live_postmaster(&remembered.data) else {
            end_orphans(&remembered.data, progress).await?;
            return Ok(false);
        };
        progress.step("stopping PostgreSQL");
        process::signal(pid, Signal::SIGINT)?;
        if process::wait_until_gone(pid, STOP_LIMIT).await {
            return Ok(true);
        }
        progress.step("PostgreSQL does not stop in order: forcing it");
        process::signal(pid, Signal::SIGQUIT)?;
        if process::wait_until_gone(pid, STOP_LIMIT).await {
            return Ok(true);
        }
        Err(Error::TooSlow {
            what: "stopping PostgreSQL".to_owned(),
            seconds: 2 * STOP_LIMIT.as_secs(),
            fix: format!("Look at {} and end process {pid} by hand", self.log().display()),
        })
    }

    async fn settle_port(&self, remembered: &mut Remembered, port: Port, progress: &Progress) -> Result<()> {
        if gets_free(remembered.port).await {
            return Ok(());
        }
        if port == Port::Remembered {
            return Err(Error::Failed {
                what: "PostgreSQL",
                cause: format!("another program took its port {}", remembered.port),
                fix: "End that program, or stop everything and start again".to_owned(),
            });
        }
        let other = free_port()?;
        progress.step(format!("port {} is taken by another program: PostgreSQL moves to {other}", remembered.port));
        remembered.port = other;
        folder::remember(&self.settings_file(), remembered)
    }

    async fn try_start(
        &self,
        remembered: &Remembered,
        binaries: &PostgresBinaries,
        user: Option<RunAs>,
        progress: &Progress,
    ) -> Result<(), NotReady> {
        progress.step(format!("starting PostgreSQL {}", binaries.version));
        let log = self.log();
        process::rotate_log(&log).map_err(NotReady::Failed)?;
        let before = std::fs::metadata(&log).map_or(0, |meta| meta.len());
        let mut command = process::detached(&binaries.program("postgres"), &log, user).map_err(NotReady::Failed)?;
        command.arg("-D").arg(&remembered.data).args(self.arguments(remembered)).current_dir("/");
        let mut child = command.spawn().map_err(|error| NotReady::Failed(self.failed(&error.to_string())))?;
        let pid = child.id().map_or(0, u32::cast_signed);
        let ready = tokio::select! {
            ready = self.wait_ready(remembered, pid, progress) => ready,
            status = child.wait() => Err(self.failed(&match status {
                Ok(status) => status.to_string(),
                Err(error) => error.to_string(),
            })),
        };
        ready.map_err(|error| {
            let text = std::fs::read(&log).unwrap_or_default();
            let from = usize::try_from(before).unwrap_or(0).min(text.len());
            let news = String::from_utf8_lossy(&text[from..]).into_owned();
            if news.contains("shared memory block") {
                NotReady::SharedMemoryInUse
            } else if news.contains("could not bind") {
                NotReady::PortTaken
            } else {
                match error {
                    Error::Failed { .. } => NotReady::Failed(self.failed(&complaints(&news))),
                    other => NotReady::Failed(other),
                }
            }
        })
    }

    /// Settings on the command line win over files, so that they hold for folders of any age.
    fn arguments(&self, remembered: &Remembered) -> Vec<String> {
        let socket = socket_folder(remembered).map(|folder| folder.to_string_lossy().into_owned()).unwrap_or_default();
        let shared_buffers = format!("{}MB", shared_buffers_megabytes());
        let port = remembered.port.to_string();
        let own = [
            ("port", port.as_str()),
            ("listen_addresses", "127.0.0.1"),
            ("unix_socket_directories", &socket),
            ("max_connections", "300"),
            ("shared_buffers", &shared_buffers),
            ("fsync", "on"),
            ("synchronous_commit", "on"),
            ("full_page_writes", "on"),
            ("max_wal_size", "2GB"),
            ("checkpoint_timeout", "15min"),
            // A busy queue leaves thousands of dead entries a second, and a young shop's tables outgrow their statistics.
            ("autovacuum_naptime", "10s"),
            ("jit", "off"),
            ("timezone", "UTC"),
            ("log_timezone", "UTC"),
            ("log_line_prefix", "%m [%p] %q%u@%d "),
        ]
        .map(|(name, value)| format!("{name}={value}"));
        let chosen = self.settings.iter().map(|(name, value)| format!("{name}={value}"));
        own.into_iter().chain(chosen).flat_map(|setting| ["-c".to_owned(), setting]).collect()
    }

    async fn wait_ready(&self, remembered: &Remembered, pid: i32, progress: &Progress) -> Result<()> {
        let url = self.url("postgres")?;
        let begin = Instant::now();
        let mut announced = false;
        loop {
            match tokio_postgres::connect(&url, NoTls).await {
                Ok((client, connection)) => {
                    drop(client);
                    return connection.await.map_err(|e| self.failed(&describe(&e)));
                }
                Err(error) => match error.code() {
                    None | Some(&SqlState::CANNOT_CONNECT_NOW) => {}
                    Some(&SqlState::TOO_MANY_CONNECTIONS) => return Ok(()),
                    Some(_) => return Err(self.failed(&describe(&error))),
                },
            }
            if !process::is_running(pid) {
                return Err(self.failed(&process::log_tail(&self.log(), 5)));
            }
            if begin.elapsed() > READY_LIMIT {
                return Err(Error::TooSlow {
                    what: format!("PostgreSQL on port {}", remembered.port),
                    seconds: READY_LIMIT.as_secs(),
                    fix: format!("Look at {}", self.log().display()),
                });
            }
            if begin.elapsed() > Duration::from_secs(3) && !announced {
                announced = true;
                progress.step("waiting for PostgreSQL (it recovers from a crash)");
            }
            tokio::time::sleep(process::POLL).await;
        }
    }

    fn failed(&self, cause: &str) -> Error {
        Error::Failed {
            what: "PostgreSQL",
            cause: cause.to_owned(),
            fix: format!("Its log is {}", self.log().display()),
        }
    }
}

/// Where the unix socket goes: the data folder, unless its path is too long for one (107 bytes).
pub(super) fn socket_folder(remembered: &Remembered) -> Option<PathBuf> {
    const LONGEST: usize = 107;
    let name = format!(".s.PGSQL.{}", remembered.port);
    let path = remembered.data.join(name);
    (path.as_os_str().len() <= LONGEST).then(|| remembered.data.clone())
}

/// The folder's running postmaster: the process of `postmaster.pid`, if it really is one on this folder.
pub(super) fn live_postmaster(data: &Path) -> Option<i32> {
    let file = std::fs::read_to_string(data.join("postmaster.pid")).ok()?;
    let pid: i32 = file.lines().next()?.trim().parse().ok()?;
    if !process::is_running(pid) {
        return None;
    }
    let command = process::command_line(pid)?;
    let data = data.to_string_lossy();
    (command.contains("postgres") && command.contains(&*data)).then_some(pid)
}

/// What a dead postmaster left behind would keep the next from starting if its process id now belongs to
/// somebody else, or to a zombie.
fn remove_stale_files(data: &Path) -> Result<()> {
    let entries = std::fs::read_dir(data).map_err(Error::file("read", data))?;
    for entry in entries {
        let file = entry.map_err(Error::file("read", data))?.path();
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        if name == "postmaster.pid" || name.starts_with(".s.PGSQL.") {
            std::fs::remove_file(&file).map_err(Error::file("delete", &file))?;
        }
    }
    Ok(())
}

/// The lines of a log that say why a start failed.
fn complaints(log: &str) -> String {
    let serious = ["FATAL", "PANIC", "ERROR", "HINT", "DETAIL"];
    let lines: Vec<&str> = log.lines().filter(|line| serious.iter().any(|word| line.contains(word))).collect();
    if lines.is_empty() { log.trim().to_owned() } else { lines.join("; ") }
}

/// Backends of a killed postmaster end by themselves, unless they are in the middle of something long.
async fn end_orphans(data: &Path, progress: &Progress) -> Result<()> {
    let mut orphans = process::working_in(data, "postgres");
    if orphans.is_empty() {
        return Ok(());
    }
    progress.step("waiting for what a killed PostgreSQL left behind");
    for (limit, then) in [(ORPHAN_LIMIT, Signal::SIGTERM), (ORPHAN_LIMIT, Signal::SIGKILL)] {
        let end = Instant::now() + limit;
        while !orphans.is_empty() && Instant::now() < end {
            tokio::time::sleep(process::POLL).await;
            orphans = process::working_in(data, "postgres");
        }
        for pid in &orphans {
            process::signal(*pid, then)?;
        }
    }
    for pid in orphans {
        process::wait_until_gone(pid, ORPHAN_LIMIT).await;
    }
    Ok(())
}

/// A sixteenth of the memory, between 64 MB and 512 MB: enough for a shop, little enough for a laptop.
fn shared_buffers_megabytes() -> u64 {
    let kilobytes = std::fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
            line.split_whitespace().nth(1)?.parse::<u64>().ok()
        })
        .unwrap_or(4 << 20);
    (kilobytes / 1024 / 16).clamp(64, 512)
}
