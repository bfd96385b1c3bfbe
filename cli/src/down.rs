//! `prost down`: stops what runs in a data folder.

use std::time::Duration;

use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use servers::{Progress, Server};

use crate::{
    data_folder::{DataFolder, Shop},
    error::{Error, Result},
    terminal,
};

/// In-flight requests and messages may take this long to drain.
const DRAIN_LIMIT: Duration = Duration::from_secs(60);
const FORCED_LIMIT: Duration = Duration::from_secs(10);

/// Runs the command.
pub async fn run(folder: DataFolder) -> Result<()> {
    let progress = terminal::progress();
    if !folder.exists() {
        return terminal::print(&format!("Nothing runs: there is no shop in {}.\n", folder.path().display()));
    }
    let _starting = folder.start_lock(&progress).await?;
    let stopped = stop_everything(&folder, &progress).await;
    terminal::finish(&progress);
    terminal::print(match stopped? {
        Stopped::Something => "Stopped. The data stays: ./prost up continues, ./prost reset deletes it.\n",
        Stopped::Nothing => "Nothing was running.\n",
    })
}

/// What there was to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// The shop, or a server of it.
    Something,
    /// Nothing ran.
    Nothing,
}

/// Stops the shop in order, then whatever servers it left behind. The caller holds the start lock.
pub async fn stop_everything(folder: &DataFolder, progress: &Progress) -> Result<Stopped> {
    let mut stopped = Stopped::Nothing;
    if let Some(shop) = folder.running_shop()? {
        stop_shop(&shop, progress).await?;
        stopped = Stopped::Something;
    }
    let left_behind: [Box<dyn Server>; 3] =
        [Box::new(folder.redis()), Box::new(folder.rabbit()), Box::new(folder.postgres())];
    for server in left_behind {
        if server.stop(progress).await? {
            stopped = Stopped::Something;
        }
    }
    folder.forget_shop()?;
    Ok(stopped)
}

async fn stop_shop(shop: &Shop, progress: &Progress) -> Result<()> {
    progress.step(format!("draining the shop (process {})", shop.pid));
    signal(shop.pid, Signal::SIGTERM)?;
    if servers::wait_until_gone(shop.pid, DRAIN_LIMIT).await {
        return Ok(());
    }
    progress.step("the shop does not stop in order: forcing it");
    signal(shop.pid, Signal::SIGKILL)?;
    if servers::wait_until_gone(shop.pid, FORCED_LIMIT).await {
        return Ok(());
    }
    Err(Error::failed(
        format!("process {} does not end", shop.pid),
        "Look at it with ps; it may hang on a disk that does not answer",
    ))
}

fn signal(pid: i32, signal: Signal) -> Result<()> {
    match kill(Pid::from_raw(pid), signal) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(errno) => Err(Error::failed(
            format!("cannot send {signal} to process {pid}: {errno}"),
            "It belongs to another user: run this command as that user",
        )),
    }
}
