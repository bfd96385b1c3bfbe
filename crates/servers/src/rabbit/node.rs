//! Starting, adopting and stopping the node.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    process::Command,
    time::{Instant, timeout},
};

use crate::{
    Error, Progress, Result, Started, folder, install,
    ports::{free_port, gets_free, is_port_free},
    process::{self, find_program},
};

use super::{RabbitServer, Remembered, USER};

pub(super) const LOCK_LIMIT: Duration = Duration::from_secs(300);
const READY_LIMIT: Duration = Duration::from_secs(120);
const STOP_LIMIT: Duration = Duration::from_secs(60);

/// Which AMQP port to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Port {
    /// The remembered one if it is free, else another.
    AnyFree,
    /// The remembered one: clients know it.
    Remembered,
}

/// `rabbitmq-server` itself; Debian's script of that name in `/usr/sbin` changes the user first.
pub(super) fn find() -> Option<PathBuf> {
    [
        "/usr/lib/rabbitmq/bin/rabbitmq-server",
        "/opt/homebrew/opt/rabbitmq/sbin/rabbitmq-server",
        "/usr/local/opt/rabbitmq/sbin/rabbitmq-server",
    ]
    .into_iter()
    .map(PathBuf::from)
    .find(|candidate| candidate.is_file())
}

pub(super) async fn find_or_install(progress: &Progress) -> Result<PathBuf> {
    if let Some(found) = find() {
        return Ok(found);
    }
    install::package("RabbitMQ", "rabbitmq-server", "rabbitmq", progress).await?;
    find().ok_or_else(|| Error::NotInstalled {
        what: "RabbitMQ",
        causes: vec!["its package did not bring /usr/lib/rabbitmq/bin/rabbitmq-server".to_owned()],
        fix: "Install rabbitmq-server 3.10 or later from Debian, Ubuntu or Homebrew".to_owned(),
    })
}

impl RabbitServer {
    pub(super) async fn launch(&self, port: Port, progress: &Progress) -> Result<Started> {
        folder::create(&self.folder)?;
        folder::close(&self.folder)?;
        let _lock = self.lock().await?;
        let program = find_or_install(progress).await?;
        let mut remembered = match self.remembered()? {
            Some(known) => known,
            None => new_node()?,
        };
        let running = self.pid_file(&remembered).live();
        if let Some(pid) = running
            && remembered.complete
        {
            match self.wait_ready(&remembered, pid, progress).await {
                Ok(()) => return Ok(Started::Adopted),
                Err(_) if !process::is_running(pid) => progress.step("RabbitMQ was just ending"),
                Err(error) => return Err(error),
            }
        }
        if let Some(half_made) = running {
            process::end("RabbitMQ", half_made, STOP_LIMIT).await?;
        }
        if !remembered.complete {
            folder::remove(&self.file("data"))?;
        }
        self.settle_ports(&mut remembered, port, progress).await?;
        self.write_files(&remembered)?;
        folder::remember(&self.file("server.json"), &remembered)?;
        progress.step("starting RabbitMQ (a few seconds)");
        self.spawn(&program, &remembered, progress).await?;
        remembered.complete = true;
        folder::remember(&self.file("server.json"), &remembered)?;
        Ok(Started::Fresh)
    }

    pub(super) async fn halt(&self, progress: &Progress) -> Result<bool> {
        if !self.folder.exists() {
            return Ok(false);
        }
        let _lock = self.lock().await?;
        let Some(remembered) = self.remembered()? else {
            return Ok(false);
        };
        let running = self.pid_file(&remembered).live();
        if let Some(pid) = running {
            progress.step("stopping RabbitMQ");
            process::end("RabbitMQ", pid, STOP_LIMIT).await?;
        }
        self.end_epmd(&remembered).await?;
        Ok(running.is_some())
    }

    /// Runs `rabbitmqctl` on the node; takes about a second.
    ///
    /// # Errors
    /// [`Error::Refused`] with what it printed.
    pub async fn control(&self, arguments: &[&str]) -> Result<()> {
        let refused = |cause: String| Error::Refused { what: format!("rabbitmqctl {}", arguments.join(" ")), cause };
        let program = find().ok_or_else(|| refused("RabbitMQ is not installed".to_owned()))?;
        let folder = self.folder.canonicalize().map_err(Error::file("find", &self.folder))?;
        let mut command = Command::new(program.with_file_name("rabbitmqctl"));
        self.environment(&mut command, &folder, &self.known()?);
        let output = command
            .args(arguments)
            .current_dir(&folder)
            .stdin(std::process::Stdio::null())
            .output()
            .await
            .map_err(|error| refused(error.to_string()))?;
        if output.status.success() {
            return Ok(());
        }
        Err(refused(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()))
    }

    /// The internal ports may change at any start; the AMQP port only if no client knows it.
    async fn settle_ports(&self, remembered: &mut Remembered, port: Port, progress: &Progress) -> Result<()> {
        self.end_epmd(remembered).await?;
        for internal in [&mut remembered.distribution_port, &mut remembered.epmd_port, &mut remembered.management_port]
        {
            if !gets_free(*internal).await {
                *internal = free_port()?;
            }
        }
        if gets_free(remembered.amqp_port).await {
            return Ok(());
        }
        if port == Port::Remembered {
            let taken = format!("another program took its port {}", remembered.amqp_port);
            return Err(self.failed(&taken));
        }
        let other = free_port()?;
        progress.step(format!("port {} is taken by another program: RabbitMQ moves to {other}", remembered.amqp_port));
        remembered.amqp_port = other;
        Ok(())
    }

    fn write_files(&self, remembered: &Remembered) -> Result<()> {
        for inner in ["home", "data", "log", "generated", "conf.d"] {
            folder::create(&self.file(inner))?;
        }
        let password = folder::secret(&self.file("password"))?;
        let conf = format!(
            "listeners.tcp.local = 127.0.0.1:{}\n\
             management.tcp.ip = 127.0.0.1\n\
             management.tcp.port = {}\n\
             management_agent.disable_metrics_collector = true\n\
             default_user = {USER}\n\
             default_pass = {password}\n\
             log.file.level = warning\n",
            remembered.amqp_port, remembered.management_port
        );
        folder::write_secret(&self.file("rabbitmq.conf"), &conf)?;
        folder::write_secret(&self.file("advanced.config"), "[].\n")?;
        folder::write_secret(&self.file("enabled_plugins"), "[rabbitmq_management].\n")?;
        // An empty file masks the machine's own /etc/rabbitmq/rabbitmq-env.conf.
        folder::write_secret(&self.file("rabbitmq-env.conf"), "")
    }

    async fn spawn(&self, program: &Path, remembered: &Remembered, progress: &Progress) -> Result<()> {
        let log = self.log();
        process::rotate_log(&log)?;
        let folder = self.folder.canonicalize().map_err(Error::file("find", &self.folder))?;
        let mut command = process::detached(program, &log, None)?;
        self.environment(&mut command, &folder, remembered);
        let mut child = command.current_dir(&folder).spawn().map_err(|error| self.failed(&error.to_string()))?;
        let pid = child.id().map_or(0, u32::cast_signed);
        self.pid_file(remembered).write(pid)?;
        tokio::select! {
            ready = self.wait_ready(remembered, pid, progress) => ready,
            status = child.wait() => Err(self.failed(&format!(
                "it ended while starting ({}): {}",
                status.map_or_else(|error| error.to_string(), |status| status.to_string()),
                process::log_tail(&log, 8),
            ))),
        }
    }

    fn environment(&self, command: &mut Command, folder: &Path, remembered: &Remembered) {
        let erlang = format!("-kernel inet_dist_use_interface {{127,0,0,1}} {}", marker(remembered));
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("LANG", "C.UTF-8")
            .env("HOME", folder.join("home"))
            .env("RABBITMQ_NODENAME", &remembered.node)
            .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_NODE_PORT", remembered.amqp_port.to_string())
            .env("RABBITMQ_DIST_PORT", remembered.distribution_port.to_string())
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            .env("ERL_EPMD_PORT", remembered.epmd_port.to_string())
            .env("ERL_CRASH_DUMP_SECONDS", "0")
            .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", erlang)
            // The script then becomes the node instead of waiting beside it: one process to watch.
            .env("RUNNING_UNDER_SYSTEMD", "true");
        for (variable, file) in [
            ("RABBITMQ_MNESIA_BASE", "data"),
            ("RABBITMQ_LOG_BASE", "log"),
            ("RABBITMQ_PID_FILE", "rabbitmq.pid"),
            ("RABBITMQ_CONFIG_FILE", "rabbitmq.conf"),
            ("RABBITMQ_CONFIG_FILES", "conf.d"),
            ("RABBITMQ_ADVANCED_CONFIG_FILE", "advanced.config"),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", "enabled_plugins"),
            ("RABBITMQ_CONF_ENV_FILE", "rabbitmq-env.conf"),
            ("RABBITMQ_GENERATED_CONFIG_DIR", "generated"),
        ] {
            command.env(variable, folder.join(file));
        }
    }

    async fn wait_ready(&self, remembered: &Remembered, pid: i32, progress: &Progress) -> Result<()> {
        let admin = self.admin()?;
        let begin = Instant::now();
        let mut announced = false;
        loop {
            let amqp = timeout(Duration::from_secs(2), greets(remembered.amqp_port)).await;
            if matches!(amqp, Ok(Ok(true))) && admin.vhosts().await.is_ok() {
                return Ok(());
            }
            if !process::is_running(pid) {
                return Err(self.failed(&process::log_tail(&self.log(), 8)));
            }
            if begin.elapsed() > READY_LIMIT {
                return Err(Error::TooSlow {
                    what: "starting RabbitMQ".to_owned(),
                    seconds: READY_LIMIT.as_secs(),
                    fix: format!("Look at {}", self.log().display()),
                });
            }
            if begin.elapsed() > Duration::from_secs(10) && !announced {
                announced = true;
                progress.step("still waiting for RabbitMQ");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Erlang's name server outlives its node; it refuses to go while any node is registered with it.
    async fn end_epmd(&self, remembered: &Remembered) -> Result<()> {
        if is_port_free([127, 0, 0, 1].into(), remembered.epmd_port) {
            return Ok(());
        }
        let Some(epmd) = find_program("epmd") else {
            return Ok(());
        };
        Command::new(epmd)
            .args(["-port", &remembered.epmd_port.to_string(), "-kill"])
            .stdin(std::process::Stdio::null())
            .output()
            .await
            .map_err(|error| self.failed(&format!("epmd -kill: {error}")))?;
        Ok(())
    }
}

/// A flag that Erlang ignores: it makes the node's command line unlike any other.
pub(super) fn marker(remembered: &Remembered) -> String {
    format!("-private_node {}", remembered.node)
}

fn new_node() -> Result<Remembered> {
    let mut ports = std::collections::BTreeSet::new();
    while ports.len() < 4 {
        ports.insert(free_port()?);
    }
    let ports: Vec<u16> = ports.into_iter().collect();
    let random = folder::new_secret();
    Ok(Remembered {
        node: format!("private-{}@localhost", &random[..12]),
        amqp_port: ports[0],
        distribution_port: ports[1],
        epmd_port: ports[2],
        management_port: ports[3],
        complete: false,
    })
}

/// Whether an AMQP 0-9-1 server answers on the port: its first frame is `Connection.Start`.
async fn greets(port: u16) -> std::io::Result<bool> {
    const METHOD_FRAME: u8 = 1;
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(b"AMQP\x00\x00\x09\x01").await?;
    Ok(stream.read_u8().await? == METHOD_FRAME)
}
