//! A private PostgreSQL.
//!
//! Invariants: full durability (`fsync`, `synchronous_commit`, `full_page_writes` are on); loopback and a
//! socket in the data folder only; password logins (SCRAM) with a random password that only the folder's
//! owner may read; never two servers on one folder.

mod binaries;
mod cluster;
mod launch;

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio_postgres::NoTls;

use crate::{Error, Progress, Result, Server, Started, folder, process};

pub use binaries::PostgresBinaries;

/// What is remembered between runs, in `server.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Remembered {
    port: u16,
    /// Where the data lies: inside the folder, or elsewhere if the server's user cannot enter the folder.
    data: PathBuf,
}

/// A PostgreSQL server that lives in a folder.
#[derive(Debug, Clone)]
pub struct PostgresServer {
    folder: PathBuf,
    superuser: String,
    settings: Vec<(String, String)>,
}

impl PostgresServer {
    /// The server of this folder, whether it exists already or not; its owner's login is `superuser`.
    pub fn new(folder: impl Into<PathBuf>, superuser: impl Into<String>) -> PostgresServer {
        PostgresServer { folder: folder.into(), superuser: superuser.into(), settings: Vec::new() }
    }

    /// Adds a server setting (as in `postgresql.conf`), in force from the next start.
    #[must_use]
    pub fn setting(mut self, name: impl Into<String>, value: impl Into<String>) -> PostgresServer {
        self.settings.push((name.into(), value.into()));
        self
    }

    /// The server's log.
    pub fn log(&self) -> PathBuf {
        self.folder.join("postgres.log")
    }

    /// Where the data lies, if it was made already. Outside the folder when the user that PostgreSQL
    /// runs as cannot enter it.
    pub fn data_folder(&self) -> Option<PathBuf> {
        let remembered = self.remembered().ok().flatten()?;
        Some(remembered.data)
    }

    /// The port, if the server was ever started.
    pub fn port(&self) -> Option<u16> {
        Some(self.remembered().ok().flatten()?.port)
    }

    /// The running server's process id.
    pub fn pid(&self) -> Option<i32> {
        self.data_folder().and_then(|data| launch::live_postmaster(&data))
    }

    /// The owner's login to a database, over TCP.
    ///
    /// # Errors
    /// [`Error`] when the server was never started.
    pub fn url(&self, database: &str) -> Result<String> {
        let remembered = self.known()?;
        let password = folder::secret(&self.password_file())?;
        Ok(format!("postgresql://{}:{password}@127.0.0.1:{}/{database}", self.superuser, remembered.port))
    }

    /// The owner's login to a database over the unix socket, which costs less per statement than TCP;
    /// `None` when the folder's path is too long for one.
    ///
    /// # Errors
    /// [`Error`] when the server was never started.
    pub fn socket_url(&self, database: &str) -> Result<Option<String>> {
        let remembered = self.known()?;
        let password = folder::secret(&self.password_file())?;
        let Some(socket) = launch::socket_folder(&remembered) else {
            return Ok(None);
        };
        let host: String = socket
            .to_string_lossy()
            .bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
                other => format!("%{other:02X}"),
            })
            .collect();
        Ok(Some(format!("postgresql://{}:{password}@{host}:{}/{database}", self.superuser, remembered.port)))
    }

    /// Makes a database if it does not exist.
    ///
    /// # Errors
    /// [`Error::Refused`] with the server's answer.
    pub async fn create_database(&self, name: &str) -> Result<()> {
        let refused = |error: tokio_postgres::Error| Error::Refused {
            what: format!("creating the database {name}"),
            cause: describe(&error),
        };
        let (client, connection) = tokio_postgres::connect(&self.url("postgres")?, NoTls).await.map_err(refused)?;
        let connection = tokio::spawn(connection);
        let known =
            client.query_opt("SELECT 1 FROM pg_database WHERE datname = $1", &[&name]).await.map_err(refused)?;
        if known.is_none() {
            let quoted = name.replace('"', "\"\"");
            client.batch_execute(&format!("CREATE DATABASE \"{quoted}\"")).await.map_err(refused)?;
        }
        drop(client);
        match connection.await {
            Ok(closed) => closed.map_err(refused),
            Err(error) => Err(Error::Refused {
                what: format!("closing the connection after creating {name}"),
                cause: error.to_string(),
            }),
        }
    }

    /// Makes sure that PostgreSQL's programs are on this machine.
    ///
    /// # Errors
    /// [`Error::NotInstalled`].
    pub async fn install(progress: &Progress) -> Result<PostgresBinaries> {
        PostgresBinaries::find_or_install(None, cluster::run_as()?, progress).await
    }

    /// Kills the server as a power cut would, for fault tests: the postmaster gets SIGKILL.
    ///
    /// # Errors
    /// [`Error::Failed`] when it belongs to another user.
    pub fn kill(&self) -> Result<()> {
        match self.pid() {
            Some(pid) => process::signal(pid, nix::sys::signal::Signal::SIGKILL),
            None => Ok(()),
        }
    }

    /// Stops the server and deletes its folder and data.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn destroy(&self, progress: &Progress) -> Result<()> {
        self.stop(progress).await?;
        if let Some(data) = self.data_folder() {
            // The folder around data that lies elsewhere was made for it alone.
            let outside = !data.starts_with(self.absolute_folder()?);
            let doomed = match data.parent() {
                Some(parent) if outside => parent.to_owned(),
                _ => data,
            };
            folder::remove(&doomed)?;
        }
        folder::remove(&self.folder)
    }

    fn absolute_folder(&self) -> Result<PathBuf> {
        self.folder.canonicalize().map_err(Error::file("find", &self.folder))
    }

    fn lock_file(&self) -> PathBuf {
        self.folder.join("lock")
    }

    fn password_file(&self) -> PathBuf {
        self.folder.join("password")
    }

    fn settings_file(&self) -> PathBuf {
        self.folder.join("server.json")
    }

    fn remembered(&self) -> Result<Option<Remembered>> {
        folder::remembered(&self.settings_file())
    }

    fn known(&self) -> Result<Remembered> {
        self.remembered()?.ok_or_else(|| Error::Failed {
            what: "PostgreSQL",
            cause: format!("there is no server in {} yet", self.folder.display()),
            fix: "Start it first".to_owned(),
        })
    }

    fn folder(&self) -> &Path {
        &self.folder
    }
}

#[async_trait]
impl Server for PostgresServer {
    fn name(&self) -> &'static str {
        "PostgreSQL"
    }

    fn is_alive(&self) -> bool {
        self.pid().is_some()
    }

    async fn start(&self, progress: &Progress) -> Result<Started> {
        self.launch(launch::Port::AnyFree, progress).await
    }

    async fn revive(&self, progress: &Progress) -> Result<Started> {
        self.launch(launch::Port::Remembered, progress).await
    }

    async fn stop(&self, progress: &Progress) -> Result<bool> {
        self.halt(progress).await
    }
}

/// The server's own words instead of the driver's "db error".
pub(crate) fn describe(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(answer) => format!("{} ({})", answer.message(), answer.code().code()),
        None => error.to_string(),
    }
}
