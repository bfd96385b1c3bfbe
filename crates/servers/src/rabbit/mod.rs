//! A private RabbitMQ node.
//!
//! Invariants: every port (AMQP, Erlang distribution, epmd, management) is the node's own and on loopback;
//! no file under `/etc` is read; the login has a random password that only the folder's owner may read.

mod admin;
mod node;

use std::path::PathBuf;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{
    Error, Progress, Result, Server, Started,
    folder::{self, FolderLock},
    process::{self, PidFile},
};

/// The node's only login.
const USER: &str = "prost";

/// What is remembered between runs, in `server.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Remembered {
    /// Erlang's name of the node; random, so that its process can be told from any other.
    node: String,
    amqp_port: u16,
    distribution_port: u16,
    epmd_port: u16,
    management_port: u16,
    /// Set once the node has been up: until then its files are half-made and are made anew.
    complete: bool,
}

/// A RabbitMQ node that lives in a folder.
#[derive(Debug, Clone)]
pub struct RabbitServer {
    folder: PathBuf,
}

impl RabbitServer {
    /// The node of this folder, whether it exists already or not.
    pub fn new(folder: impl Into<PathBuf>) -> RabbitServer {
        RabbitServer { folder: folder.into() }
    }

    /// Where clients of the default virtual host connect.
    ///
    /// # Errors
    /// [`Error`] when the node was never started.
    pub fn url(&self) -> Result<String> {
        self.url_of("/")
    }

    /// Where clients of a virtual host connect.
    ///
    /// # Errors
    /// [`Error`] when the node was never started.
    pub fn url_of(&self, vhost: &str) -> Result<String> {
        let remembered = self.known()?;
        let password = folder::secret(&self.file("password"))?;
        Ok(format!("amqp://{USER}:{password}@127.0.0.1:{}/{}", remembered.amqp_port, admin::encoded(vhost)))
    }

    /// The AMQP port, if the node was ever started.
    pub fn port(&self) -> Option<u16> {
        Some(self.remembered().ok().flatten()?.amqp_port)
    }

    /// The running node's process id.
    pub fn pid(&self) -> Option<i32> {
        let remembered = self.remembered().ok().flatten()?;
        self.pid_file(&remembered).live()
    }

    /// The node's log.
    pub fn log(&self) -> PathBuf {
        self.file("rabbitmq.log")
    }

    /// Where RabbitMQ's program lies, if it is installed.
    pub fn program() -> Option<PathBuf> {
        node::find()
    }

    /// Makes sure that RabbitMQ's programs are on this machine.
    ///
    /// # Errors
    /// [`Error::NotInstalled`].
    pub async fn install(progress: &Progress) -> Result<PathBuf> {
        node::find_or_install(progress).await
    }

    /// Makes a virtual host in which the login may do everything (a few dozen milliseconds).
    ///
    /// # Errors
    /// [`Error::Refused`] with the node's answer.
    pub async fn create_vhost(&self, vhost: &str) -> Result<()> {
        self.admin()?.create_vhost(vhost).await
    }

    /// Deletes a virtual host with all its queues; its connections are closed.
    ///
    /// # Errors
    /// [`Error::Refused`] with the node's answer.
    pub async fn delete_vhost(&self, vhost: &str) -> Result<()> {
        self.admin()?.delete_vhost(vhost).await
    }

    /// Closes every connection to the node, as a node does that stops in order; for fault tests.
    ///
    /// # Errors
    /// [`Error::Refused`] with the node's answer.
    pub async fn close_connections(&self) -> Result<()> {
        self.admin()?.close_connections().await
    }

    /// The names of all virtual hosts.
    ///
    /// # Errors
    /// [`Error::Refused`] with the node's answer.
    pub async fn vhosts(&self) -> Result<Vec<String>> {
        self.admin()?.vhosts().await
    }

    /// Kills the node as a power cut would, for fault tests.
    ///
    /// # Errors
    /// [`Error::Failed`] when it belongs to another user.
    pub fn kill(&self) -> Result<()> {
        self.pid().map_or(Ok(()), |pid| process::signal(pid, nix::sys::signal::Signal::SIGKILL))
    }

    /// Stops the node and deletes its folder.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn destroy(&self, progress: &Progress) -> Result<()> {
        self.stop(progress).await?;
        folder::remove(&self.folder)
    }

    fn admin(&self) -> Result<admin::Admin> {
        let remembered = self.known()?;
        let password = folder::secret(&self.file("password"))?;
        admin::Admin::new(remembered.management_port, USER, password)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn pid_file(&self, remembered: &Remembered) -> PidFile {
        PidFile { path: self.file("pid"), marker: node::marker(remembered) }
    }

    fn remembered(&self) -> Result<Option<Remembered>> {
        folder::remembered(&self.file("server.json"))
    }

    fn known(&self) -> Result<Remembered> {
        self.remembered()?.ok_or_else(|| self.failed("it was never started"))
    }

    async fn lock(&self) -> Result<FolderLock> {
        FolderLock::acquire(&self.file("lock"), node::LOCK_LIMIT).await
    }

    fn failed(&self, cause: &str) -> Error {
        Error::Failed {
            what: "RabbitMQ",
            cause: cause.to_owned(),
            fix: format!("Its logs are {} and {}", self.log().display(), self.file("log").display()),
        }
    }
}

#[async_trait]
impl Server for RabbitServer {
    fn name(&self) -> &'static str {
        "RabbitMQ"
    }

    fn is_alive(&self) -> bool {
        self.pid().is_some()
    }

    async fn start(&self, progress: &Progress) -> Result<Started> {
        self.launch(node::Port::AnyFree, progress).await
    }

    async fn revive(&self, progress: &Progress) -> Result<Started> {
        self.launch(node::Port::Remembered, progress).await
    }

    async fn stop(&self, progress: &Progress) -> Result<bool> {
        self.halt(progress).await
    }
}
