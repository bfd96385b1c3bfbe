//! Processes of the system: looking at them, signalling them, starting ones that outlive us.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::time::Instant;

use crate::{Error, Result};

/// How often a process that ought to come or go is looked at.
pub(crate) const POLL: Duration = Duration::from_millis(10);

/// Whether the process exists and is no zombie.
pub fn is_running(pid: i32) -> bool {
    if pid <= 0 {
        return false;
    }
    let exists = matches!(kill(Pid::from_raw(pid), None), Ok(()) | Err(Errno::EPERM));
    exists && !is_zombie(pid)
}

/// Dead, and only not yet waited for by its parent. A killed process whose first thread is gone while
/// others still hold its sockets is none.
fn is_zombie(pid: i32) -> bool {
    // The state follows the command's name, which stands in parentheses and may hold any character.
    let is_dead = std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .ok()
        .and_then(|stat| stat.rsplit_once(") ").map(|(_, rest)| rest.starts_with('Z')))
        .unwrap_or(false);
    let has_threads = || std::fs::read_dir(format!("/proc/{pid}/task")).is_ok_and(|threads| threads.count() > 1);
    is_dead && !has_threads()
}

/// The process's command line with spaces between the arguments, if it may be seen.
pub fn command_line(pid: i32) -> Option<String> {
    let raw = match std::fs::read(format!("/proc/{pid}/cmdline")) {
        Ok(raw) => raw,
        Err(_) if Path::new("/proc/self").exists() => return None,
        Err(_) => {
            let pid = pid.to_string();
            let mut ps = Command::new("ps");
            ps.args(["-o", "command=", "-p", &pid]).output().ok()?.stdout
        }
    };
    let text = String::from_utf8_lossy(&raw).replace('\0', " ");
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Resident memory of a process (Linux), in bytes.
pub fn resident_memory_bytes(pid: i32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// Every process id that `/proc` shows; empty on systems without it.
pub(crate) fn all_pids() -> Vec<i32> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// Processes of a program whose working directory is `folder` (Linux).
pub(crate) fn working_in(folder: &Path, program: &str) -> Vec<i32> {
    let Ok(folder) = folder.canonicalize() else {
        return Vec::new();
    };
    all_pids()
        .into_iter()
        .filter(|pid| std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == folder))
        .filter(|pid| is_running(*pid))
        .filter(|pid| command_line(*pid).is_some_and(|line| line.contains(program)))
        .collect()
}

/// Remembers which process serves a folder, and recognises it: its command line holds `marker`, which no
/// other process has, so that a process id taken over by a stranger is not mistaken for it.
#[derive(Debug)]
pub(crate) struct PidFile {
    pub path: PathBuf,
    pub marker: String,
}

impl PidFile {
    pub fn write(&self, pid: i32) -> Result<()> {
        crate::folder::write_secret(&self.path, &pid.to_string())
    }

    /// The folder's process, if it runs; found in the process table when the file is missing.
    pub fn live(&self) -> Option<i32> {
        let is_ours =
            |pid: &i32| is_running(*pid) && command_line(*pid).is_some_and(|line| line.contains(&self.marker));
        let written = std::fs::read_to_string(&self.path).ok().and_then(|text| text.trim().parse().ok());
        written.filter(is_ours).or_else(|| all_pids().into_iter().find(is_ours))
    }
}

/// Asks a process to end, forces it after `limit`, and waits until it is gone.
pub(crate) async fn end(what: &'static str, pid: i32, limit: Duration) -> Result<()> {
    for polite_or_not in [Signal::SIGTERM, Signal::SIGKILL] {
        signal(pid, polite_or_not)?;
        if wait_until_gone(pid, limit).await {
            return Ok(());
        }
    }
    Err(Error::TooSlow {
        what: format!("stopping {what}"),
        seconds: 2 * limit.as_secs(),
        fix: format!("End process {pid} by hand"),
    })
}

/// Sends a signal; a process that is already gone is no error.
pub(crate) fn signal(pid: i32, signal: Signal) -> Result<()> {
    match kill(Pid::from_raw(pid), signal) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(errno) => Err(Error::Failed {
            what: "signalling a process",
            cause: format!("{signal} to {pid}: {errno}"),
            fix: "The process belongs to another user: run as that user or as root".to_owned(),
        }),
    }
}

/// Waits until the process is gone; `false` if it is still there after `limit`.
pub async fn wait_until_gone(pid: i32, limit: Duration) -> bool {
    let end = Instant::now() + limit;
    while is_running(pid) {
        if Instant::now() >= end {
            return false;
        }
        tokio::time::sleep(POLL).await;
    }
    true
}

/// A user whose rights a server runs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RunAs {
    pub uid: u32,
    pub gid: u32,
}

/// A command that will run in a session of its own: no terminal signal meant for us reaches it, and it
/// writes to `log` instead of to our output.
pub(crate) fn detached(program: &Path, log: &Path, run_as: Option<RunAs>) -> Result<tokio::process::Command> {
    let log_file =
        std::fs::OpenOptions::new().create(true).append(true).open(log).map_err(Error::file("write", log))?;
    let log_copy = log_file.try_clone().map_err(Error::file("write", log))?;
    let mut command = match find_program("setsid") {
        Some(setsid) => {
            let mut command = tokio::process::Command::new(setsid);
            command.arg(program);
            command
        }
        None => {
            let mut command = tokio::process::Command::new(program);
            command.process_group(0);
            command
        }
    };
    command.stdin(Stdio::null()).stdout(log_file).stderr(log_copy).kill_on_drop(false);
    if let Some(RunAs { uid, gid }) = run_as {
        command.uid(uid).gid(gid);
    }
    Ok(command)
}

/// A program on the search path.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|candidate| candidate.is_file())
}

/// The last lines of a log, for an error message.
pub fn log_tail(log: &Path, lines: usize) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let all: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// Moves a log that has grown large aside, so that one older file is kept.
pub fn rotate_log(log: &Path) -> Result<()> {
    const LIMIT_BYTES: u64 = 16 << 20;
    if std::fs::metadata(log).is_ok_and(|meta| meta.len() > LIMIT_BYTES) {
        std::fs::rename(log, log.with_extension("log.old")).map_err(Error::file("rotate", log))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_runs_and_its_command_line_is_known() {
        let pid = std::process::id().cast_signed();
        assert!(is_running(pid));
        assert!(command_line(pid).is_some_and(|line| line.contains("servers")));
    }

    #[test]
    fn a_zombie_does_not_run() {
        let mut child = Command::new("true").spawn().expect("spawn");
        let pid = child.id().cast_signed();
        while is_running(pid) {
            std::thread::yield_now();
        }
        assert!(child.wait().expect("wait").success());
    }
}
