//! `up --detach`: starts a shop that outlives this process, and returns when it is ready.

use std::{
    fs::{self, OpenOptions},
    io::{Read, Seek, SeekFrom},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use servers::Progress;
use tokio::time::{Instant, sleep};

use crate::{
    data_folder::{DataFolder, Shop},
    error::{Error, Result},
    terminal::{self, MARK},
};

use super::{Options, Plan, Readiness, foreground::own_program, readiness};

const POLL: Duration = Duration::from_millis(25);
/// Installing servers over a slow line takes minutes.
const READY_LIMIT: Duration = Duration::from_secs(1200);
/// A running shop restarts its own servers; more than this is a fault.
const HEAL_LIMIT: Duration = Duration::from_secs(90);
/// The shop has left the terminal's session: Ctrl-C does not reach it.
const GOES_ON: &str = "It goes on opening in the background: ./prost status tells how far it is, ./prost down stops it";

pub(super) async fn run(folder: DataFolder, options: &Options, progress: &Progress) -> Result<()> {
    let _starting = folder.start_lock(progress).await?;
    if let Some(running) = folder.running_shop()? {
        options.check_fits(&running)?;
        if wait_healed(&folder, &running, progress).await? == Healed::Ready {
            terminal::finish(progress);
            return announce(&folder);
        }
        progress.step("the shop just died: opening it again");
    }
    let plan = options.plan(folder.clone(), progress)?;
    super::ports::check(plan.shop.host, plan.shop.port)?;
    plan.folder.remember_shop(&plan.shop)?;
    servers::rotate_log(&folder.log())?;
    let begin = fs::metadata(folder.log()).map_or(0, |meta| meta.len());
    let child = spawn(&folder, &plan.shop, options)?;
    let news = News { log: folder.log(), begin, offset: begin };
    let ready = tokio::select! {
        ready = wait_ready(child, &plan, news, progress) => ready,
        Ok(()) = tokio::signal::ctrl_c() => Err(Error::failed("did not wait until the shop is ready", GOES_ON)),
    };
    terminal::finish(progress);
    ready?;
    announce(&folder)
}

fn announce(folder: &DataFolder) -> Result<()> {
    let text = folder.announcement()?.unwrap_or_default();
    terminal::print(&format!(
        "\n{text}\n\nIt runs in the background: ./prost status, ./prost down. Its log is {}\n",
        folder.log().display()
    ))
}

/// How waiting for a running shop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Healed {
    /// It is ready.
    Ready,
    /// It was dying already.
    Gone,
}

/// A shop that runs but is not ready: its own watch restarts what died.
async fn wait_healed(folder: &DataFolder, running: &Shop, progress: &Progress) -> Result<Healed> {
    let end = Instant::now() + HEAL_LIMIT;
    let mut announced = false;
    loop {
        let state = readiness(&running.url()).await?;
        if state == Readiness::Ready && folder.postgres().pid().is_some() {
            return Ok(Healed::Ready);
        }
        if folder.running_shop()?.is_none() {
            return Ok(Healed::Gone);
        }
        if Instant::now() > end {
            return Err(Error::failed(
                format!("the shop runs (process {}) but is not ready: {state:?}", running.pid),
                format!("Look at {}, then: ./prost down and ./prost up --detach", folder.log().display()),
            ));
        }
        if !announced {
            announced = true;
            progress.step("the shop runs and is not ready yet: it restarts what is missing");
        }
        sleep(POLL).await;
    }
}

fn spawn(folder: &DataFolder, shop: &Shop, options: &Options) -> Result<Child> {
    let log = folder.log();
    let output = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&log)
        .map_err(Error::system(format!("writing {}", log.display())))?;
    let errors = output.try_clone().map_err(Error::system(format!("writing {}", log.display())))?;
    let mut command = Command::new(own_program()?);
    command.arg("--data-dir").arg(folder.path()).args(["up", "--detached-child"]);
    command.args(["--port", &shop.port.to_string(), "--host", &shop.host.to_string()]);
    if let Some(transport) = options.transport {
        use clap::ValueEnum;
        command.arg("--transport").args(transport.to_possible_value().map(|value| value.get_name().to_owned()));
    }
    if options.redis {
        command.arg("--redis");
    }
    if options.no_seed {
        command.arg("--no-seed");
    }
    command.stdin(Stdio::null()).stdout(output).stderr(errors).current_dir(folder.path());
    command.spawn().map_err(Error::system("starting the shop"))
}

async fn wait_ready(mut child: Child, plan: &Plan, mut news: News, progress: &Progress) -> Result<()> {
    let end = Instant::now() + READY_LIMIT;
    loop {
        news.tell(progress)?;
        let ended = child.try_wait().map_err(Error::system("waiting for the shop"))?;
        if let Some(status) = ended {
            let log = &news.log;
            return Err(Error::failed(
                format!("the shop did not start ({status}):\n{}", news.complaint()?),
                format!("The whole log is {}", log.display()),
            ));
        }
        if plan.folder.announcement()?.is_some() && readiness(&plan.shop.url()).await? == Readiness::Ready {
            return Ok(());
        }
        if Instant::now() > end {
            return Err(Error::failed(
                format!("the shop is not ready after {} minutes", READY_LIMIT.as_secs() / 60),
                format!("Look at {}; ./prost down ends it", news.log.display()),
            ));
        }
        sleep(POLL).await;
    }
}

/// What the child has written since we last looked.
struct News {
    log: PathBuf,
    begin: u64,
    offset: u64,
}

impl News {
    fn read_from(&self, offset: u64) -> Result<String> {
        let failed = || Error::system(format!("reading {}", self.log.display()));
        let mut file = fs::File::open(&self.log).map_err(failed())?;
        file.seek(SeekFrom::Start(offset)).map_err(failed())?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed())?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The last lines that are not progress, indented.
    fn complaint(&self) -> Result<String> {
        const LINES: usize = 12;
        let text = self.read_from(self.begin)?;
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with(MARK) && !line.trim().is_empty()).collect();
        let last = &lines[lines.len().saturating_sub(LINES)..];
        Ok(last.iter().map(|line| format!("  | {line}")).collect::<Vec<_>>().join("\n"))
    }

    /// Shows the child's progress as ours.
    fn tell(&mut self, progress: &Progress) -> Result<()> {
        let text = self.read_from(self.offset)?;
        let Some(complete) = text.rfind('\n') else {
            return Ok(());
        };
        for line in text[..complete].lines() {
            if let Some(step) = line.strip_prefix(MARK).filter(|step| !step.is_empty()) {
                progress.step(step);
            }
        }
        self.offset += complete as u64 + 1;
        Ok(())
    }
}
