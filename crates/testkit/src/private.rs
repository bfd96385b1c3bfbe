//! Servers of one test's own, to be killed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use database::migrate::Migrations;
use servers::{PostgresServer, RabbitServer, Server};

use crate::{TestBroker, TestDatabase, eventually, shared};

const CLOSING_LIMIT: Duration = Duration::from_secs(60);

fn folder(kind: &str) -> PathBuf {
    std::env::temp_dir().join(name(kind))
}

fn name(kind: &str) -> String {
    format!("testkit-{kind}-{}", &servers::new_secret()[..12])
}

/// Ends the server and deletes its folder, from a `Drop`.
fn destroy(what: &'static str, work: impl Future<Output = servers::Result<()>> + Send + 'static) {
    let ending = std::thread::spawn(move || {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
        runtime.block_on(work).map_err(|error| error.to_string())
    });
    match ending.join() {
        Ok(Ok(())) => {}
        Ok(Err(error)) => eprintln!("testkit: cannot end {what}: {error}"),
        Err(_) => eprintln!("testkit: cannot end {what}"),
    }
}

/// A server that stands still; it goes on when this is dropped.
pub struct Paused {
    pid: String,
    /// Whether its children stand still, too.
    family: bool,
}

impl Paused {
    fn new(pid: Option<i32>, family: bool) -> Paused {
        let paused = Paused { pid: pid.expect("it runs").to_string(), family };
        // The parent first, so that it makes no more children.
        signal("kill", &["-STOP", &paused.pid]);
        if family {
            signal("pkill", &["-STOP", "-P", &paused.pid]);
        }
        paused
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        if self.family {
            signal("pkill", &["-CONT", "-P", &self.pid]);
        }
        signal("kill", &["-CONT", &self.pid]);
    }
}

fn signal(program: &str, arguments: &[&str]) {
    let sent = Command::new(program).args(arguments).status();
    if !sent.as_ref().is_ok_and(|status| status.success()) {
        eprintln!("testkit: {program} {}: {sent:?}", arguments.join(" "));
    }
}

/// A PostgreSQL of the test's own; gone at its end.
pub struct PrivatePostgres {
    server: PostgresServer,
}

impl PrivatePostgres {
    /// Starts one, in about a second.
    pub async fn start() -> PrivatePostgres {
        PrivatePostgres::start_in(folder("postgres")).await
    }

    /// Starts one whose data lie on this disk, e.g. on one that can be full.
    pub async fn start_on(disk: &Path) -> PrivatePostgres {
        PrivatePostgres::start_in(disk.join(name("postgres"))).await
    }

    async fn start_in(folder: PathBuf) -> PrivatePostgres {
        let server = PostgresServer::new(folder, shared::OWNER).setting("fsync", "off");
        let private = PrivatePostgres { server };
        private.server.start(&shared::progress()).await.unwrap_or_else(|error| panic!("start PostgreSQL: {error}"));
        private
    }

    /// A database on it, as [`TestDatabase::new`] makes one. Drop it before the server.
    pub async fn database(&self, deploy: &[Migrations]) -> TestDatabase {
        TestDatabase::on(&self.server.url("postgres").expect("a started server has a URL"), deploy).await
    }

    /// The owner's login to a database on it, made or not.
    pub fn url(&self, database: &str) -> String {
        self.server.url(database).expect("a started server has a URL")
    }

    /// SIGSTOP of all its processes: connections stay, and nothing is answered until [`Paused`] is dropped.
    pub fn pause(&self) -> Paused {
        Paused::new(self.server.pid(), true)
    }

    /// kill -9 of the postmaster.
    pub fn kill(&self) {
        self.server.kill().unwrap_or_else(|error| panic!("kill PostgreSQL: {error}"));
    }

    /// Starts it again on its port; returns when it takes connections.
    pub async fn revive(&self) {
        self.server.revive(&shared::progress()).await.unwrap_or_else(|error| panic!("revive PostgreSQL: {error}"));
    }

    /// Stops it in order.
    pub async fn stop(&self) {
        self.server.stop(&shared::progress()).await.unwrap_or_else(|error| panic!("stop PostgreSQL: {error}"));
    }
}

impl Drop for PrivatePostgres {
    fn drop(&mut self) {
        let server = self.server.clone();
        destroy("PostgreSQL", async move { server.destroy(&shared::progress()).await });
    }
}

/// A RabbitMQ node of the test's own; gone at its end.
pub struct PrivateRabbit {
    server: RabbitServer,
}

impl PrivateRabbit {
    /// Starts one, in about five seconds.
    pub async fn start() -> PrivateRabbit {
        let private = PrivateRabbit { server: RabbitServer::new(folder("rabbitmq")) };
        private.server.start(&shared::progress()).await.unwrap_or_else(|error| panic!("start RabbitMQ: {error}"));
        private
    }

    /// A virtual host on it. Drop it before the server.
    pub async fn broker(&self) -> TestBroker {
        TestBroker::on(self.server.clone()).await
    }

    /// Where clients of a virtual host connect, made or not; as the node's own administrator.
    pub fn url(&self, vhost: &str) -> String {
        self.server.url_of(vhost).expect("a started node has a URL")
    }

    /// Loads virtual hosts, users and rights from a file, as a node does when it starts.
    pub async fn import_definitions(&self, file: &Path) {
        let imported = self.server.control(&["import_definitions", &file.to_string_lossy()]).await;
        imported.unwrap_or_else(|error| panic!("import the definitions: {error}"));
    }

    /// Raises the memory alarm: the node takes nothing from whoever publishes.
    pub async fn raise_memory_alarm(&self) {
        self.set_watermark("0.00001").await;
    }

    /// Ends the memory alarm.
    pub async fn lift_memory_alarm(&self) {
        self.set_watermark("0.6").await;
    }

    /// Makes the node believe that its disk is nearly full: it takes nothing more until [`PrivateRabbit::lift_disk_alarm`].
    pub async fn raise_disk_alarm(&self) {
        self.set_free_limit("1000000000000000").await;
    }

    /// Ends the disk alarm.
    pub async fn lift_disk_alarm(&self) {
        self.set_free_limit("50000000").await;
    }

    async fn set_free_limit(&self, limit_bytes: &str) {
        let set = self.server.control(&["set_disk_free_limit", limit_bytes]).await;
        set.unwrap_or_else(|error| panic!("set the disk's free limit: {error}"));
    }

    async fn set_watermark(&self, fraction: &str) {
        let set = self.server.control(&["set_vm_memory_high_watermark", fraction]).await;
        set.unwrap_or_else(|error| panic!("set the watermark: {error}"));
    }

    /// The node closes every connection, and takes new ones.
    pub async fn close_connections(&self) {
        // It answers with an error if a connection ends by itself meanwhile, and leaves others open.
        let closed = || async { self.server.close_connections().await.map_err(|error| error.to_string()) };
        eventually(CLOSING_LIMIT, closed).await;
    }

    /// SIGSTOP of the node: connections stay, and nothing is answered until [`Paused`] is dropped.
    pub fn pause(&self) -> Paused {
        Paused::new(self.server.pid(), false)
    }

    /// The node closes the channel of one consumer, as it does when a client breaks the protocol; the connection and its
    /// other channels stay. `which`: of those there are, in turn.
    pub async fn close_a_consuming_channel(&self, which: usize) {
        // To acknowledge what was never delivered is an error of the channel.
        let acknowledge = format!(
            "Consuming = [C || C <- rabbit_channel:list_local(), \
                 [{{consumer_count, N}}] <- [catch rabbit_channel:info(C, [consumer_count])], N > 0], \
             case Consuming of \
                 [] -> nobody; \
                 _ -> rabbit_channel:do(lists:nth({which} rem length(Consuming) + 1, Consuming), \
                                        {{'basic.ack', 1000000000, false}}) \
             end."
        );
        let closed = self.server.control(&["eval", &acknowledge]).await;
        closed.unwrap_or_else(|error| panic!("close a channel: {error}"));
    }

    /// kill -9 of the node.
    pub fn kill(&self) {
        self.server.kill().unwrap_or_else(|error| panic!("kill RabbitMQ: {error}"));
    }

    /// Starts it again on its port; returns when it takes connections.
    pub async fn revive(&self) {
        self.server.revive(&shared::progress()).await.unwrap_or_else(|error| panic!("revive RabbitMQ: {error}"));
    }

    /// Stops it in order.
    pub async fn stop(&self) {
        self.server.stop(&shared::progress()).await.unwrap_or_else(|error| panic!("stop RabbitMQ: {error}"));
    }
}

impl Drop for PrivateRabbit {
    fn drop(&mut self) {
        let server = self.server.clone();
        destroy("RabbitMQ", async move { server.destroy(&shared::progress()).await });
    }
}
