//! The processes of a shop, and how to hurt them.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use testkit::{PrivatePostgres, PrivateRabbit, TestBroker, TestDatabase, eventually};
use uuid::Uuid;

use super::Client;

pub mod hurt;

/// The services, in the order of their ports.
pub const SERVICES: [&str; 7] = ["gateway", "products", "cart", "users", "orders", "payments", "analytics"];

pub const JWT_SECRET: &str = "a secret of end-to-end tests, long enough";

/// How the shop's messages travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    Postgres,
    Rabbit,
}

/// A running shop. Dropping it ends its processes and deletes its data.
pub struct Shop {
    processes: BTreeMap<String, Child>,
    environment: BTreeMap<String, String>,
    /// What its processes say on stderr goes there, if anywhere.
    log: Option<File>,
    pub database: TestDatabase,
    pub broker: Option<TestBroker>,
    /// Servers of this shop's own, where the test hurts them. After `database` and `broker`: dropped last.
    pub postgres: Option<PrivatePostgres>,
    pub rabbit: Option<PrivateRabbit>,
}

impl Shop {
    /// Everything in one process, as `prost up` runs it.
    pub async fn in_one_process(transport: Transport) -> Shop {
        let mut shop = Shop::prepare(transport, None, None).await;
        shop.start("all");
        shop.ready().await;
        shop
    }

    /// Everything in one process, with these settings besides; its log goes into a file, if there is one.
    pub async fn with_settings(settings: &[(&str, &str)], log: Option<File>) -> Shop {
        Shop::over(Transport::Postgres, settings, log).await
    }

    /// The same over either transport.
    pub async fn over(transport: Transport, settings: &[(&str, &str)], log: Option<File>) -> Shop {
        let mut shop = Shop::prepare(transport, None, None).await;
        shop.environment.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        shop.log = log;
        shop.start("all");
        shop.ready().await;
        shop
    }

    /// Each service in a process of its own.
    pub async fn in_processes(transport: Transport) -> Shop {
        let mut shop = Shop::prepare(transport, None, None).await;
        shop.start_each().await;
        shop
    }

    /// No process yet, only its tables.
    pub async fn migrated(transport: Transport) -> Shop {
        Shop::prepare(transport, None, None).await
    }

    /// Each service in a process of its own over RabbitMQ, with a login that may only be that service. Also the logins;
    /// they belong to the whole server, so whoever asked for them drops them.
    pub async fn with_own_logins() -> (Shop, Vec<String>) {
        let mut shop = Shop::prepare(Transport::Rabbit, None, None).await;
        let owner = shop.database.owner().await;
        let unique = Uuid::new_v4().simple();
        let mut logins = Vec::new();
        let own_url = |url: &str, login: &str| {
            let (scheme, rest) = url.split_once("://").expect("a URL");
            format!("{scheme}://{login}:secret@{}", rest.split_once('@').expect("a login").1)
        };
        let owner_url = shop.environment.remove("DATABASE_URL").expect("set");
        for service in SERVICES.into_iter().filter(|service| *service != "gateway") {
            let login = format!("{service}_{unique}");
            let sql = format!("CREATE ROLE {login} LOGIN PASSWORD 'secret' IN ROLE prost_{service}");
            owner.batch_execute(&sql).await.expect("make a login");
            let variable = format!("{}_DATABASE_URL", service.to_uppercase());
            let url = shop.environment.get(&variable).unwrap_or(&owner_url);
            shop.environment.insert(variable, own_url(url, &login));
            logins.push(login);
        }
        shop.start_each().await;
        (shop, logins)
    }

    /// Each service in a process of its own, on servers of the shop's own, to be killed.
    pub async fn on_own_servers(transport: Transport) -> Shop {
        let postgres = PrivatePostgres::start().await;
        let rabbit = match transport {
            Transport::Rabbit => Some(PrivateRabbit::start().await),
            Transport::Postgres => None,
        };
        let mut shop = Shop::prepare(transport, Some(postgres), rabbit).await;
        shop.start_each().await;
        shop
    }

    async fn prepare(transport: Transport, postgres: Option<PrivatePostgres>, rabbit: Option<PrivateRabbit>) -> Shop {
        let database = match &postgres {
            Some(server) => server.database(&[]).await,
            None => TestDatabase::new(&[]).await,
        };
        let broker = match (&rabbit, transport) {
            (Some(server), _) => Some(server.broker().await),
            (None, Transport::Rabbit) => Some(TestBroker::new().await),
            (None, Transport::Postgres) => None,
        };
        let mut environment = BTreeMap::from([
            ("DATABASE_URL".to_owned(), database.owner_url().to_owned()),
            ("ANALYTICS_DATABASE_URL".to_owned(), analytics_url(database.owner_url())),
            ("JWT_SECRET".to_owned(), JWT_SECRET.to_owned()),
            ("DATABASE_POOL_MAX".to_owned(), "8".to_owned()),
            ("DATABASE_POOL_WARM".to_owned(), "1".to_owned()),
            ("RUST_LOG".to_owned(), std::env::var("SHOP_LOG").unwrap_or_else(|_| "error".to_owned())),
        ]);
        if let Some(broker) = &broker {
            environment.insert("AMQP_URL".to_owned(), broker.url().to_owned());
        }
        for (service, port) in SERVICES.iter().zip(free_ports(SERVICES.len())) {
            environment.insert(format!("{}_PORT", service.to_uppercase()), port.to_string());
        }
        let shop = Shop { processes: BTreeMap::new(), environment, log: None, database, broker, postgres, rabbit };
        shop.run(&["migrate", "up"]);
        shop
    }

    /// Runs a command of the binary to its end.
    pub fn run(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().expect("run prost");
        assert!(output.status.success(), "prost {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// A command of the binary, with the shop's environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        // A long storm may be played with the optimised build.
        let optimised = std::env::var("CHAOS_BINARY").ok();
        let mut command = self.program(optimised.as_deref().unwrap_or(env!("CARGO_BIN_EXE_prost")));
        command.args(arguments);
        command
    }

    /// Another program, with the shop's environment.
    pub fn program(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        command.env_clear().envs(&self.environment).stdin(Stdio::null());
        for kept in ["PATH", "HOME"] {
            if let Ok(value) = std::env::var(kept) {
                command.env(kept, value);
            }
        }
        command
    }

    /// Starts a process that serves this service, or `all`.
    pub fn start(&mut self, service: &str) {
        let mut command = self.command(&["serve", service]);
        if let Some(log) = &self.log {
            command.stderr(log.try_clone().expect("a handle on the log"));
        }
        let child = command.stdout(Stdio::null()).spawn().expect("start prost");
        self.processes.insert(service.to_owned(), child);
    }

    /// Starts one more gateway, and returns its base URL once it is ready.
    pub async fn another_gateway(&mut self) -> String {
        let port = free_ports(1)[0].to_string();
        let url = format!("http://127.0.0.1:{port}");
        let mut command = self.command(&["serve", "gateway"]);
        let child = command.env("GATEWAY_PORT", port).stdout(Stdio::null()).spawn().expect("start a gateway");
        self.processes.insert("another gateway".to_owned(), child);
        is_ready("another gateway", &url).await;
        url
    }

    async fn start_each(&mut self) {
        for service in SERVICES {
            self.start(service);
        }
        self.ready().await;
    }

    /// Sends a signal to the process that serves this, and waits for its end.
    pub fn end(&mut self, service: &str, signal: Signal) {
        let mut child = self.processes.remove(service).expect("it runs");
        kill(Pid::from_raw(child.id().cast_signed()), signal).expect("signal the process");
        child.wait().expect("wait for the process");
    }

    /// SIGTERM, and waits until it has drained. Others go on meanwhile: the shop's wires are tasks of this runtime, and
    /// over a wire that stands still nobody can finish anything.
    pub async fn end_in_order(&mut self, service: &str) {
        self.signal(service, Signal::SIGTERM);
        let child = self.processes.get_mut(service).expect("it runs");
        while child.try_wait().expect("look at the process").is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.processes.remove(service);
    }

    /// kill -9, at once.
    pub fn crash(&mut self, service: &str) {
        self.end(service, Signal::SIGKILL);
    }

    /// A variable of its environment.
    pub fn setting(&self, variable: &str) -> &str {
        &self.environment[variable]
    }

    /// The base URL of a service.
    pub fn url(&self, service: &str) -> String {
        format!("http://127.0.0.1:{}", self.environment[&format!("{}_PORT", service.to_uppercase())])
    }

    /// The owner's login to the database of analytics.
    pub fn analytics_url(&self) -> &str {
        &self.environment["ANALYTICS_DATABASE_URL"]
    }

    /// Waits until every service says that it is ready.
    pub async fn ready(&self) {
        for service in SERVICES {
            is_ready(service, &self.url(service)).await;
        }
    }

    /// Sends messages as no relay would: routing keys and bodies.
    pub async fn publish(&self, exchange: &str, messages: &[(&str, &str)]) {
        match &self.broker {
            Some(broker) => {
                let messages: Vec<(&str, &[u8])> = messages.iter().map(|(key, body)| (*key, body.as_bytes())).collect();
                testkit::publish_to_rabbit(broker.url(), exchange, &messages).await;
            }
            None => {
                let owner = self.database.owner().await;
                for (routing_key, body) in messages {
                    let queues = testkit::publish_to_postgres(&owner, exchange, routing_key, body).await;
                    assert!(queues > 0, "nobody wants {routing_key}");
                }
            }
        }
    }

    /// A shopper or an operator.
    pub fn client(&self) -> Client {
        Client::new(self.url("gateway"))
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        for child in self.processes.values_mut() {
            if let Err(error) = child.kill().and_then(|()| child.wait().map(|_| ())) {
                eprintln!("cannot end a process of the shop: {error}");
            }
        }
    }
}

/// Waits until the process at this URL says that it is ready.
async fn is_ready(service: &str, url: &str) {
    let http = super::client::http();
    eventually(Duration::from_secs(60), || async {
        match http.get(format!("{url}/readyz")).send().await {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => Err(format!("{service}: {}", answer.status())),
            Err(error) => Err(format!("{service}: {error}")),
        }
    })
    .await;
}

/// Beside the test's own database, so that shops of parallel tests stay apart.
fn analytics_url(owner_url: &str) -> String {
    let (address, options) = owner_url.split_once('?').map_or((owner_url, ""), |(address, options)| (address, options));
    format!("{address}_analytics?{options}").trim_end_matches('?').to_owned()
}

/// Ports that nobody listens on just now.
fn free_ports(count: usize) -> Vec<u16> {
    let held: Vec<TcpListener> = (0..count).map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port")).collect();
    held.iter().map(|listener| listener.local_addr().expect("bound").port()).collect()
}
