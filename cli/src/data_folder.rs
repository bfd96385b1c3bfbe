//! The data folder: everything a shop keeps, and who may touch it when.
//!
//! Two locks: `start.lock` is held while something starts, stops or deletes the shop; `shop.lock` is held by
//! the process that is the shop, for as long as it lives. `shop.json` says how the shop was started; it is
//! deleted by an orderly stop, so one that lies there without a shop tells of a crash.

use std::{
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use chrono::{DateTime, Utc};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use servers::{FolderLock, PostgresServer, Progress, RabbitServer, RedisServer};

use crate::error::{Error, Result};

/// The owner's login and main database.
pub const DATABASE: &str = "prost";
/// The database of reports.
pub const ANALYTICS_DATABASE: &str = "analytics";

const MARKER: &str = "README";
const MARKER_TEXT: &str = "The state of a Prost shop: databases, secrets, logs. `prost reset` deletes it.\n";
const START_LIMIT: Duration = Duration::from_secs(900);

/// How messages travel between the services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Through the database: no second server.
    Postgres,
    /// Through a private RabbitMQ node.
    Rabbitmq,
}

/// Whether a private Redis serves as cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cache {
    /// In this process.
    Process,
    /// A private Redis.
    Redis,
}

/// How the shop of a folder was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shop {
    /// The process.
    pub pid: i32,
    /// The address it listens on.
    pub host: IpAddr,
    /// The gateway's port; the services follow.
    pub port: u16,
    /// How messages travel.
    pub transport: Transport,
    /// Where the cache is.
    pub cache: Cache,
    /// When it was started.
    pub started_at: DateTime<Utc>,
}

impl Shop {
    /// Where a browser on this machine finds it.
    pub fn url(&self) -> String {
        url(self.host, self.port)
    }
}

/// The URL of a listener, for clients on this machine.
pub fn url(host: IpAddr, port: u16) -> String {
    match host {
        IpAddr::V4(any) if any.is_unspecified() => format!("http://127.0.0.1:{port}"),
        IpAddr::V6(any) if any.is_unspecified() => format!("http://[::1]:{port}"),
        IpAddr::V4(address) => format!("http://{address}:{port}"),
        IpAddr::V6(address) => format!("http://[{address}]:{port}"),
    }
}

/// A shop's data folder.
#[derive(Debug, Clone)]
pub struct DataFolder {
    path: PathBuf,
}

impl DataFolder {
    /// The folder at `path`, which need not exist.
    pub fn new(path: &Path) -> Result<DataFolder> {
        let path = std::path::absolute(path).map_err(Error::system("finding the data folder"))?;
        Ok(DataFolder { path })
    }

    /// Makes the folder, or checks that an existing one is ours to write to.
    pub fn create(&self) -> Result<()> {
        fs::create_dir_all(&self.path).map_err(|error| self.unusable(&error))?;
        let marker = self.file(MARKER);
        if !marker.exists() {
            let mut entries = fs::read_dir(&self.path).map_err(|error| self.unusable(&error))?;
            if entries.next().is_some() {
                return Err(Error::failed(
                    format!("{} holds other files, none of a shop", self.path.display()),
                    "Choose an empty or a new folder with --data-dir",
                ));
            }
        }
        fs::write(&marker, MARKER_TEXT).map_err(|error| self.unusable(&error))
    }

    fn unusable(&self, error: &std::io::Error) -> Error {
        if self.path.is_file() {
            let cause = format!("{} is a file, not a folder", self.path.display());
            return Error::failed(cause, "Choose another folder with --data-dir");
        }
        Error::failed(
            format!("cannot use the data folder {}: {error}", self.path.display()),
            "Run as the user who owns it, or choose another folder with --data-dir",
        )
    }

    /// Whether a shop was ever started here.
    pub fn exists(&self) -> bool {
        self.file(MARKER).is_file()
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Output of a detached shop.
    pub fn log(&self) -> PathBuf {
        self.file("shop.log")
    }

    /// Its PostgreSQL.
    pub fn postgres(&self) -> PostgresServer {
        PostgresServer::new(self.file("postgres"), DATABASE)
    }

    /// Its RabbitMQ.
    pub fn rabbit(&self) -> RabbitServer {
        RabbitServer::new(self.file("rabbitmq"))
    }

    /// Its Redis.
    pub fn redis(&self) -> RedisServer {
        RedisServer::new(self.file("redis"))
    }

    /// The key that signs logins, made at the first call.
    pub fn jwt_secret(&self) -> Result<String> {
        let file = self.file("jwt-secret");
        if let Some(known) = servers::read_secret(&file)? {
            return Ok(known);
        }
        let fresh = servers::new_secret();
        servers::write_secret(&file, &fresh)?;
        Ok(fresh)
    }

    /// The right to start, stop or delete the shop; waits for whoever has it.
    pub async fn start_lock(&self, progress: &Progress) -> Result<FolderLock> {
        let file = self.file("start.lock");
        if let Some(lock) = FolderLock::try_acquire(&file)? {
            return Ok(lock);
        }
        progress.step("another prost starts or stops this shop: waiting for it");
        Ok(FolderLock::acquire(&file, START_LIMIT).await?)
    }

    /// The right to be the shop; `None` while another process is.
    pub fn shop_lock(&self) -> Result<Option<FolderLock>> {
        Ok(FolderLock::try_acquire(&self.file("shop.lock"))?)
    }

    /// The running shop, if one runs.
    pub fn running_shop(&self) -> Result<Option<Shop>> {
        if !self.exists() || self.shop_lock()?.is_some() {
            return Ok(None);
        }
        self.last_shop()
    }

    /// How the shop was started that runs, or that crashed. `None` after an orderly stop.
    pub fn last_shop(&self) -> Result<Option<Shop>> {
        let Some(text) = servers::read_secret(&self.file("shop.json"))? else {
            return Ok(None);
        };
        serde_json::from_str(&text).map(Some).map_err(|error| {
            Error::failed(
                format!("{} is damaged: {error}", self.file("shop.json").display()),
                "Delete that file and start again",
            )
        })
    }

    /// What a shop that became ready told its user; `None` until then.
    pub fn announcement(&self) -> Result<Option<String>> {
        Ok(servers::read_secret(&self.file("announcement"))?)
    }

    /// Keeps what the shop told its user.
    pub fn announce(&self, text: &str) -> Result<()> {
        Ok(servers::write_secret(&self.file("announcement"), text)?)
    }

    /// Remembers how the shop is being started.
    pub fn remember_shop(&self, shop: &Shop) -> Result<()> {
        self.delete("announcement")?;
        let text = serde_json::to_string_pretty(shop)
            .map_err(|error| Error::failed(format!("cannot write JSON: {error}"), "Report this: it is a defect"))?;
        Ok(servers::write_secret(&self.file("shop.json"), &text)?)
    }

    /// The shop was stopped in order.
    pub fn forget_shop(&self) -> Result<()> {
        self.delete("announcement")?;
        self.delete("shop.json")
    }

    fn delete(&self, name: &str) -> Result<()> {
        match fs::remove_file(self.file(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::system(format!("deleting {}", self.file(name).display()))(error))
            }
            _ => Ok(()),
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_for_clients_on_this_machine() {
        assert_eq!(url([0, 0, 0, 0].into(), 8080), "http://127.0.0.1:8080");
        assert_eq!(url([127, 0, 0, 1].into(), 80), "http://127.0.0.1:80");
        assert_eq!(url(std::net::Ipv6Addr::LOCALHOST.into(), 80), "http://[::1]:80");
    }

    #[test]
    fn a_folder_with_other_files_is_refused_and_an_empty_one_is_taken() {
        let path = std::env::temp_dir().join(format!("prost-folder-{}", servers::new_secret()));
        let folder = DataFolder::new(&path).expect("absolute");
        fs::create_dir_all(&path).expect("create");
        fs::write(path.join("thesis.txt"), "mine").expect("write");
        assert!(folder.create().is_err());
        fs::remove_file(path.join("thesis.txt")).expect("remove");
        assert!(!folder.exists());
        folder.create().expect("empty");
        folder.create().expect("ours");
        assert!(folder.exists());
        fs::remove_dir_all(&path).expect("remove");
    }

    #[test]
    fn a_shop_runs_while_its_lock_is_held() {
        let path = std::env::temp_dir().join(format!("prost-folder-{}", servers::new_secret()));
        let folder = DataFolder::new(&path).expect("absolute");
        folder.create().expect("create");
        let shop = Shop {
            pid: 1,
            host: [127, 0, 0, 1].into(),
            port: 8080,
            transport: Transport::Postgres,
            cache: Cache::Process,
            started_at: Utc::now(),
        };
        folder.remember_shop(&shop).expect("remember");
        assert_eq!(folder.running_shop().expect("read"), None);
        let lock = folder.shop_lock().expect("opened").expect("free");
        assert_eq!(folder.running_shop().expect("read"), Some(shop.clone()));
        drop(lock);
        assert_eq!(folder.running_shop().expect("read"), None);
        assert_eq!(folder.last_shop().expect("read"), Some(shop));
        folder.forget_shop().expect("forget");
        assert_eq!(folder.last_shop().expect("read"), None);
        fs::remove_dir_all(&path).expect("remove");
    }
}
