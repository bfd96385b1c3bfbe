//! A private Redis: a cache, so it keeps nothing on disk.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};

use crate::{
    Error, Progress, Result, Server, Started,
    folder::{self, FolderLock},
    install,
    ports::{free_port, gets_free},
    process::{self, PidFile, find_program},
};

const LOCK_LIMIT: Duration = Duration::from_secs(300);
const READY_LIMIT: Duration = Duration::from_secs(20);
const STOP_LIMIT: Duration = Duration::from_secs(20);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Remembered {
    port: u16,
}

/// A Redis server that lives in a folder.
#[derive(Debug, Clone)]
pub struct RedisServer {
    folder: PathBuf,
}

impl RedisServer {
    /// The server of this folder, whether it exists already or not.
    pub fn new(folder: impl Into<PathBuf>) -> RedisServer {
        RedisServer { folder: folder.into() }
    }

    /// Where clients connect, password included.
    ///
    /// # Errors
    /// [`Error`] when the server was never started.
    pub fn url(&self) -> Result<String> {
        let remembered: Remembered =
            folder::remembered(&self.file("server.json"))?.ok_or_else(|| self.failed("it was never started"))?;
        let password = folder::secret(&self.file("password"))?;
        Ok(format!("redis://:{password}@127.0.0.1:{}/", remembered.port))
    }

    /// The running server's process id.
    pub fn pid(&self) -> Option<i32> {
        self.pid_file().ok()?.live()
    }

    /// Where Redis' program lies, if it is installed.
    pub fn program() -> Option<PathBuf> {
        find_program("redis-server")
    }

    /// The port, if the server was ever started.
    pub fn port(&self) -> Option<u16> {
        let remembered: Option<Remembered> = folder::remembered(&self.file("server.json")).ok()?;
        Some(remembered?.port)
    }

    /// Makes sure that Redis' program is on this machine.
    ///
    /// # Errors
    /// [`Error::NotInstalled`].
    pub async fn install(progress: &Progress) -> Result<PathBuf> {
        if find_program("redis-server").is_none() {
            install::package("Redis", "redis-server", "redis", progress).await?;
        }
        find_program("redis-server").ok_or_else(|| Error::NotInstalled {
            what: "Redis",
            causes: vec!["redis-server is not on the search path even after installing it".to_owned()],
            fix: "Add its folder to PATH".to_owned(),
        })
    }

    /// Kills the server at once, for fault tests.
    ///
    /// # Errors
    /// [`Error::Failed`] when it belongs to another user.
    pub fn kill(&self) -> Result<()> {
        self.pid().map_or(Ok(()), |pid| process::signal(pid, nix::sys::signal::Signal::SIGKILL))
    }

    /// Stops the server and deletes its folder.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn destroy(&self, progress: &Progress) -> Result<()> {
        self.stop(progress).await?;
        folder::remove(&self.folder)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn pid_file(&self) -> Result<PidFile> {
        let conf = self.file("redis.conf");
        let marker = conf.canonicalize().map_err(Error::file("find", &conf))?;
        Ok(PidFile { path: self.file("pid"), marker: marker.to_string_lossy().into_owned() })
    }

    async fn launch(&self, keep_port: KeepPort, progress: &Progress) -> Result<Started> {
        folder::create(&self.folder)?;
        folder::close(&self.folder)?;
        let _lock = FolderLock::acquire(&self.file("lock"), LOCK_LIMIT).await?;
        let settings = self.file("server.json");
        let mut remembered: Remembered = match folder::remembered(&settings)? {
            Some(known) => known,
            None => Remembered { port: free_port()? },
        };
        if let Some(pid) = self.pid() {
            match self.wait_ready(remembered.port, pid).await {
                Ok(()) => return Ok(Started::Adopted),
                Err(_) if !process::is_running(pid) => progress.step("Redis was just ending"),
                Err(error) => return Err(error),
            }
        }
        let program = RedisServer::install(progress).await?;
        if !gets_free(remembered.port).await {
            if matches!(keep_port, KeepPort::Yes) {
                return Err(self.failed(&format!("another program took port {}", remembered.port)));
            }
            remembered.port = free_port()?;
        }
        folder::remember(&settings, &remembered)?;
        progress.step("starting Redis");
        self.spawn(&program, remembered.port).await?;
        Ok(Started::Fresh)
    }

    async fn spawn(&self, program: &Path, port: u16) -> Result<()> {
        let folder = self.folder.canonicalize().map_err(Error::file("find", &self.folder))?;
        let password = folder::secret(&self.file("password"))?;
        let conf = folder.join("redis.conf");
        // The command line, which is how the process is recognised, must stay as it is.
        folder::write_secret(
            &conf,
            &format!(
                "bind 127.0.0.1\nport {port}\ndir \"{}\"\nsave \"\"\nappendonly no\nrequirepass {password}\n\
                 daemonize no\nset-proc-title no\nmaxmemory 256mb\nmaxmemory-policy allkeys-lru\n",
                folder.display()
            ),
        )?;
        let log = folder.join("redis.log");
        process::rotate_log(&log)?;
        let mut child = process::detached(program, &log, None)?
            .arg(&conf)
            .current_dir(&folder)
            .spawn()
            .map_err(|error| self.failed(&error.to_string()))?;
        let pid = child.id().map_or(0, u32::cast_signed);
        self.pid_file()?.write(pid)?;
        tokio::select! {
            ready = self.wait_ready(port, pid) => ready,
            status = child.wait() => Err(self.failed(&format!(
                "it ended at once ({}): {}",
                status.map_or_else(|error| error.to_string(), |status| status.to_string()),
                process::log_tail(&log, 3),
            ))),
        }
    }

    async fn wait_ready(&self, port: u16, pid: i32) -> Result<()> {
        let password = folder::secret(&self.file("password"))?;
        let end = Instant::now() + READY_LIMIT;
        while Instant::now() < end {
            let pong = timeout(Duration::from_secs(2), ping(port, &password)).await;
            if matches!(pong, Ok(Ok(true))) {
                return Ok(());
            }
            if !process::is_running(pid) {
                return Err(self.failed(&process::log_tail(&self.file("redis.log"), 3)));
            }
            tokio::time::sleep(process::POLL).await;
        }
        Err(Error::TooSlow {
            what: format!("Redis on port {port}"),
            seconds: READY_LIMIT.as_secs(),
            fix: format!("Look at {}", self.file("redis.log").display()),
        })
    }

    fn failed(&self, cause: &str) -> Error {
        Error::Failed {
            what: "Redis",
            cause: cause.to_owned(),
            fix: format!("Its log is {}", self.file("redis.log").display()),
        }
    }
}

/// Whether clients already know the port.
#[derive(Clone, Copy)]
enum KeepPort {
    Yes,
    No,
}

async fn ping(port: u16, password: &str) -> std::io::Result<bool> {
    const ANSWER: &[u8] = b"+OK\r\n+PONG\r\n";
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let request = format!("AUTH {password}\r\nPING\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = [0; ANSWER.len()];
    stream.read_exact(&mut answer).await?;
    Ok(answer == ANSWER)
}

#[async_trait]
impl Server for RedisServer {
    fn name(&self) -> &'static str {
        "Redis"
    }

    fn is_alive(&self) -> bool {
        self.pid().is_some()
    }

    async fn start(&self, progress: &Progress) -> Result<Started> {
        self.launch(KeepPort::No, progress).await
    }

    async fn revive(&self, progress: &Progress) -> Result<Started> {
        self.launch(KeepPort::Yes, progress).await
    }

    async fn stop(&self, progress: &Progress) -> Result<bool> {
        if !self.folder.exists() {
            return Ok(false);
        }
        let _lock = FolderLock::acquire(&self.file("lock"), LOCK_LIMIT).await?;
        let Some(pid) = self.pid() else {
            return Ok(false);
        };
        progress.step("stopping Redis");
        process::end("Redis", pid, STOP_LIMIT).await?;
        Ok(true)
    }
}
