//! Servers that all test processes share.

use std::path::PathBuf;

use servers::{PostgresServer, Progress, RabbitServer, RedisServer, Server};
use tokio_postgres::NoTls;

/// The owner's name in test clusters.
pub(crate) const OWNER: &str = "owner";

/// Where the shared servers live: `postgres/`, `rabbitmq/` and `redis/`, each as the crate `servers` lays it out.
pub fn shared_folder() -> PathBuf {
    match std::env::var_os("TESTKIT_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/testkit")),
    }
}

pub(crate) fn progress() -> Progress {
    Progress::new(|step| eprintln!("testkit: {step}"))
}

/// The owner's login to a maintenance database of the shared PostgreSQL.
///
/// `fsync` is off: a test kills processes, never the machine, and what a process wrote outlives it.
pub(crate) async fn maintenance_url() -> String {
    if let Ok(url) = std::env::var("TESTKIT_DATABASE_URL") {
        return url;
    }
    let server = postgres();
    // Cheaper than a start, which looks for programs and takes the folder's lock.
    if server.is_alive()
        && let Ok(url) = server.url("postgres")
        && tokio_postgres::connect(&url, NoTls).await.is_ok()
    {
        return url;
    }
    start(&server).await;
    server.url("postgres").expect("a started server has a URL")
}

/// The shared RabbitMQ node.
pub(crate) async fn rabbit() -> RabbitServer {
    let server = RabbitServer::new(shared_folder().join("rabbitmq"));
    start(&server).await;
    server
}

/// The shared Redis. Tests share its keys: prefix them with something random.
pub async fn redis_url() -> String {
    if let Ok(url) = std::env::var("TESTKIT_REDIS_URL") {
        return url;
    }
    let server = RedisServer::new(shared_folder().join("redis"));
    start(&server).await;
    server.url().expect("a started server has a URL")
}

/// Stops the shared servers, if they run.
pub async fn stop_shared_servers() -> servers::Result<()> {
    let folder = shared_folder();
    let progress = progress();
    postgres().stop(&progress).await?;
    RabbitServer::new(folder.join("rabbitmq")).stop(&progress).await?;
    RedisServer::new(folder.join("redis")).stop(&progress).await?;
    Ok(())
}

fn postgres() -> PostgresServer {
    PostgresServer::new(shared_folder().join("postgres"), OWNER)
        .setting("fsync", "off")
        .setting("full_page_writes", "off")
        .setting("max_connections", "500")
        // Making and dropping a database waits for every backend, also for one whose client never logs in: of those
        // there are some, behind the stalled proxies of other tests. A minute is the default.
        .setting("authentication_timeout", "5s")
}

async fn start(server: &dyn Server) {
    if let Err(error) = server.start(&progress()).await {
        panic!("testkit cannot start {}: {error}", server.name());
    }
}
