//! Private PostgreSQL, RabbitMQ and Redis servers: found or installed, started, adopted, watched, stopped.
//!
//! Each server lives in a folder of its own, listens on loopback ports of its own, and outlives the
//! process that started it. Nothing here touches a server that somebody else runs on the machine: a
//! process is signalled only when its command line or working directory proves that it belongs to the folder.
//!
//! All state is in the folder, so any process may construct a server value and ask it about the same server.
//! Starting and stopping happen under a lock in that folder.

mod error;
mod folder;
pub mod install;
mod local_http;
mod ports;
mod postgres;
mod process;
mod progress;
mod rabbit;
mod redis;
mod server;

pub use error::Error;
pub use folder::{FolderLock, new_secret, read_secret, write_secret};
pub use install::tools_folder;
pub use local_http::local_http_client;
pub use ports::{PortHolder, free_port, holder_of, is_port_free};
pub use postgres::{PostgresBinaries, PostgresServer};
pub use process::{
    command_line, find_program, is_running, log_tail, resident_memory_bytes, rotate_log, wait_until_gone,
};
pub use progress::Progress;
pub use rabbit::RabbitServer;
pub use redis::RedisServer;
pub use server::{Server, Started, watch};

/// What every function of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;
