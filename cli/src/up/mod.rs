//! `prost up`: the whole shop in one process, on private servers.

mod detach;
mod foreground;
mod ports;
mod ready;
mod summary;

use std::net::{IpAddr, Ipv4Addr};

use chrono::Utc;
use servers::Progress;

use crate::{
    data_folder::{Cache, DataFolder, Shop, Transport},
    error::{Error, Result},
    terminal,
};

pub use ports::{SERVICE_PORTS, holder};
pub use ready::{Readiness, readiness};

const DEFAULT_PORT: u16 = 8080;
/// Six more follow it.
const LARGEST_PORT: u16 = u16::MAX - (SERVICE_PORTS - 1);

/// Options of `up`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Port of the web shop and of GraphQL; the services listen on the six after it [default: 8080]
    #[arg(long, value_parser = port)]
    port: Option<u16>,
    /// Address to listen on [default: 127.0.0.1]
    #[arg(long, value_parser = address)]
    host: Option<IpAddr>,
    /// Return as soon as the shop is ready, and leave it running
    #[arg(long)]
    detach: bool,
    /// Start with an empty catalogue
    #[arg(long)]
    no_seed: bool,
    /// How messages travel between the services [default: postgres]
    #[arg(long, value_enum)]
    transport: Option<Transport>,
    /// Cache in a private Redis instead of in the process
    #[arg(long)]
    redis: bool,
    /// This process is the one that `--detach` leaves running
    #[arg(long, hide = true)]
    detached_child: bool,
}

/// Whether the demo catalogue is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seeding {
    Demo,
    Empty,
}

/// Who reads what the shop prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Audience {
    /// The user who waits at the terminal.
    User,
    /// The `up --detach` that started this process, which waits for the announcement in the data folder.
    Parent,
}

/// A decided start.
struct Plan {
    folder: DataFolder,
    shop: Shop,
    seeding: Seeding,
}

fn port(text: &str) -> Result<u16, String> {
    let port = text.parse().ok().filter(|port| (1..=LARGEST_PORT).contains(port));
    port.ok_or_else(|| format!("expected a number from 1 to {LARGEST_PORT}: the services take the six ports after it"))
}

fn address(text: &str) -> Result<IpAddr, String> {
    if text == "localhost" {
        return Ok(Ipv4Addr::LOCALHOST.into());
    }
    text.parse().map_err(|_| "expected an IP address such as 127.0.0.1 or 0.0.0.0".to_owned())
}

/// Runs the command.
pub async fn run(folder: DataFolder, options: Options) -> Result<()> {
    if options.detached_child {
        // Without a terminal's session, closing the terminal does not end the shop. A leader has one already.
        if let Err(errno) = nix::unistd::setsid()
            && errno != nix::errno::Errno::EPERM
        {
            return Err(Error::system("leaving the terminal's session")(errno.into()));
        }
    }
    folder.create()?;
    let progress = terminal::progress();
    let outcome = if options.detach {
        detach::run(folder, &options, &progress).await
    } else {
        // On the heap: it holds the whole shop.
        Box::pin(foreground::run(folder, &options, &progress)).await
    };
    terminal::finish(&progress);
    outcome
}

impl Options {
    /// What is asked for; what is left open is as before a crash, else as documented.
    fn plan(&self, folder: DataFolder, progress: &Progress) -> Result<Plan> {
        let crashed = folder.last_shop()?;
        if let Some(before) = &crashed
            && self.port.is_none()
            && before.port != DEFAULT_PORT
        {
            progress.step(format!("this shop was not stopped in order: it continues on port {}", before.port));
        }
        let before = crashed.as_ref();
        let cache_before = before.map_or(Cache::Process, |shop| shop.cache);
        let shop = Shop {
            pid: std::process::id().cast_signed(),
            host: self.host.or(before.map(|shop| shop.host)).unwrap_or(Ipv4Addr::LOCALHOST.into()),
            port: self.port.or(before.map(|shop| shop.port)).unwrap_or(DEFAULT_PORT),
            transport: self.transport.or(before.map(|shop| shop.transport)).unwrap_or(Transport::Postgres),
            cache: if self.redis { Cache::Redis } else { cache_before },
            started_at: Utc::now(),
        };
        if !self.detached_child && shop.transport == Transport::Postgres && folder.rabbit().port().is_some() {
            progress.step("this shop has a RabbitMQ: what is still in its queues waits until --transport rabbitmq");
        }
        let seeding = if self.no_seed { Seeding::Empty } else { Seeding::Demo };
        Ok(Plan { folder, shop, seeding })
    }

    /// A running shop that was started otherwise than asked for now.
    fn check_fits(&self, running: &Shop) -> Result<()> {
        let differs = self.port.is_some_and(|port| port != running.port)
            || self.host.is_some_and(|host| host != running.host)
            || self.transport.is_some_and(|transport| transport != running.transport)
            || (self.redis && running.cache != Cache::Redis);
        if !differs {
            return Ok(());
        }
        Err(Error::failed(
            format!("this shop already runs at {} with other options (process {})", running.url(), running.pid),
            "Stop it first: ./prost down (or use another folder: --data-dir)",
        ))
    }
}
