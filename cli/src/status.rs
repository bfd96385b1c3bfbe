//! `prost status`: what runs, where, on which database.

use serde::Serialize;
use servers::Server;

use crate::{
    data_folder::{DataFolder, Shop, url},
    error::Result,
    service_name::ServiceName,
    terminal::{self, Paint},
    up::{Readiness, readiness},
};

/// Options of `status`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Status {
    data_dir: String,
    #[serde(skip)]
    has_data: bool,
    running: bool,
    ready: bool,
    shop: Option<ShopStatus>,
    servers: Vec<ServerStatus>,
    services: Vec<ServiceStatus>,
}

#[derive(Serialize)]
struct ShopStatus {
    #[serde(flatten)]
    shop: Shop,
    url: String,
    resident_bytes: Option<u64>,
}

#[derive(Serialize)]
struct ServerStatus {
    name: &'static str,
    running: bool,
    pid: Option<i32>,
    port: Option<u16>,
    folder: String,
    database: Option<&'static str>,
}

#[derive(Serialize)]
struct ServiceStatus {
    name: ServiceName,
    url: String,
    state: String,
}

/// Runs the command.
pub async fn run(folder: DataFolder, options: Options) -> Result<()> {
    let status = look(&folder).await?;
    if options.json { terminal::print_json(&status) } else { terminal::print(&text(&status, Paint::for_stdout())) }
}

async fn look(folder: &DataFolder) -> Result<Status> {
    let shop = folder.running_shop()?;
    let mut services = Vec::new();
    if let Some(shop) = &shop {
        for name in ServiceName::ALL {
            let url = url(shop.host, shop.port + name.port_offset());
            let state = match readiness(&url).await? {
                Readiness::Ready => "ready".to_owned(),
                Readiness::NotYet(why) => format!("not ready: {why}"),
                Readiness::Silent => "does not answer".to_owned(),
            };
            services.push(ServiceStatus { name, url, state });
        }
    }
    Ok(Status {
        data_dir: folder.path().display().to_string(),
        has_data: folder.exists(),
        running: shop.is_some(),
        ready: services.iter().any(|service| service.name == ServiceName::Gateway && service.state == "ready"),
        shop: shop.map(|shop| ShopStatus {
            url: shop.url(),
            resident_bytes: servers::resident_memory_bytes(shop.pid),
            shop,
        }),
        servers: servers_of(folder),
        services,
    })
}

fn servers_of(folder: &DataFolder) -> Vec<ServerStatus> {
    let (postgres, rabbit, redis) = (folder.postgres(), folder.rabbit(), folder.redis());
    let place = |path: Option<std::path::PathBuf>| path.unwrap_or_default().display().to_string();
    let all = [
        ServerStatus {
            name: postgres.name(),
            running: postgres.is_alive(),
            pid: postgres.pid(),
            port: postgres.port(),
            folder: place(postgres.data_folder()),
            database: Some(crate::data_folder::DATABASE),
        },
        ServerStatus {
            name: rabbit.name(),
            running: rabbit.is_alive(),
            pid: rabbit.pid(),
            port: rabbit.port(),
            folder: place(Some(folder.path().join("rabbitmq"))),
            database: None,
        },
        ServerStatus {
            name: redis.name(),
            running: redis.is_alive(),
            pid: redis.pid(),
            port: redis.port(),
            folder: place(Some(folder.path().join("redis"))),
            database: None,
        },
    ];
    all.into_iter().filter(|server| server.port.is_some()).collect()
}

fn text(status: &Status, paint: Paint) -> String {
    let mut text = match &status.shop {
        Some(ShopStatus { shop, url, resident_bytes }) => format!(
            "{} at {url} (process {}, since {}{})\n",
            if status.ready { paint.green("The shop is open") } else { paint.yellow("The shop runs but is not ready") },
            shop.pid,
            shop.started_at.format("%Y-%m-%d %H:%M:%S UTC"),
            resident_bytes.map(|bytes| format!(", {} MB", bytes >> 20)).unwrap_or_default(),
        ),
        None => format!("{}. Open it with ./prost up\n", paint.bold("The shop is closed")),
    };
    text.push_str(&match status.has_data {
        true => format!("Its data lies in {}\n", status.data_dir),
        false => format!("{} holds no shop yet\n", status.data_dir),
    });
    let mut rows = Vec::new();
    for service in &status.services {
        rows.push(vec![format!("  {}", service.name), service.url.clone(), service.state.clone()]);
    }
    for server in &status.servers {
        let state = match server.pid {
            Some(pid) => format!("runs (process {pid})"),
            None => "does not run".to_owned(),
        };
        let port = server.port.map(|port| format!("127.0.0.1:{port}")).unwrap_or_default();
        rows.push(vec![format!("  {}", server.name), port, state, server.folder.clone()]);
    }
    text.push_str(&terminal::table(&rows));
    text
}
