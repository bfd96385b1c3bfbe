//! What only a long storm has around it: a Redis, clocks that can jump, and a disk that can be full.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use servers::{Progress, RedisServer, Server};
use uuid::Uuid;

use super::faults::Fault;

/// Debian's package libfaketime, by architecture.
const FAKETIME: [&str; 2] =
    ["/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1", "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1"];

/// Gone when dropped.
pub struct Surroundings {
    folder: PathBuf,
    redis: RedisServer,
    faketime: Option<&'static str>,
    /// A small disk of PostgreSQL's own, if there is one: `./prost chaos` mounts it where it may.
    pub disk: Option<PathBuf>,
}

/// Deletes what fills the disk.
pub struct Filler(PathBuf);

impl Drop for Filler {
    fn drop(&mut self) {
        fs::remove_file(&self.0).expect("make room");
    }
}

impl Surroundings {
    pub async fn start() -> Surroundings {
        let folder = std::env::temp_dir().join(format!("storm-{}", Uuid::new_v4().simple()));
        fs::create_dir_all(&folder).expect("make a folder");
        let redis = RedisServer::new(folder.join("redis"));
        redis.start(&progress()).await.expect("start Redis");
        let faketime = FAKETIME.into_iter().find(|library| fs::exists(library).is_ok_and(|exists| exists));
        let disk = std::env::var_os("CHAOS_DISK").map(PathBuf::from);
        let surroundings = Surroundings { folder, redis, faketime, disk };
        surroundings.set_clocks(0);
        surroundings
    }

    /// What the shop's processes have to be told.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let mut settings = vec![("REDIS_URL", self.redis.url().expect("started"))];
        if let Some(library) = self.faketime {
            settings.extend([
                ("LD_PRELOAD", library.to_owned()),
                ("FAKETIME_TIMESTAMP_FILE", self.clock_file().display().to_string()),
                ("FAKETIME_CACHE_DURATION", "1".to_owned()),
                ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            ]);
        }
        settings
    }

    /// What it makes possible; what is missing is told.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = vec![Fault::FlushRedis, Fault::KillRedis];
        match self.faketime {
            Some(_) => faults.push(Fault::ClockJump),
            None => eprintln!("no clock jumps: libfaketime is not installed"),
        }
        match &self.disk {
            Some(_) => faults.push(Fault::FullDisk),
            None => eprintln!("no full disk: a small one of its own could not be mounted"),
        }
        faults
    }

    fn clock_file(&self) -> PathBuf {
        self.folder.join("clock")
    }

    /// Moves the clocks of all services by so many seconds; noticed within a second. The monotonic ones go on.
    pub fn set_clocks(&self, seconds: i32) {
        let new = self.folder.join("clock.new");
        fs::write(&new, format!("{seconds:+}\n"))
            .and_then(|()| fs::rename(new, self.clock_file()))
            .expect("set clocks");
    }

    pub fn flush_redis(&self) {
        let url = self.redis.url().expect("started");
        let flushed = Command::new("redis-cli").args(["--no-auth-warning", "-u", &url, "flushall"]).output();
        assert!(flushed.expect("run redis-cli").status.success(), "Redis is not flushed");
    }

    pub async fn without_redis_for(&self, moment: Duration) {
        self.redis.kill().expect("kill Redis");
        tokio::time::sleep(moment).await;
        self.redis.revive(&progress()).await.expect("revive Redis");
    }

    /// Not a byte is left until the filler is dropped.
    pub fn fill_the_disk(&self) -> Filler {
        let path = self.disk.as_ref().expect("a disk of its own").join("filler");
        let mut file = File::create(&path).expect("make a file");
        let block = vec![0_u8; 1 << 16];
        // Ends with the error that it is full.
        while file.write_all(&block).is_ok() {}
        Filler(path)
    }
}

impl Drop for Surroundings {
    fn drop(&mut self) {
        let killed = self.redis.kill().map_err(|error| error.to_string());
        let gone = fs::remove_dir_all(&self.folder).map_err(|error| error.to_string());
        if let Err(error) = killed.and(gone) {
            eprintln!("storm: {} is left: {error}", self.folder.display());
        }
    }
}

fn progress() -> Progress {
    Progress::new(|step| eprintln!("storm: {step}"))
}
