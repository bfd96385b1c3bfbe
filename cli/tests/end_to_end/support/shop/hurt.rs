//! A shop whose wires to its servers can be cut, and whose processes can be paused and doubled.

use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use testkit::{FaultProxy, PrivatePostgres, PrivateRabbit};

use super::{SERVICES, Shop, Transport, free_ports};

/// Far more than seven processes need on a machine that does other things besides.
const RECOVERY: Duration = Duration::from_secs(180);

/// What stands between the shop's processes and its servers.
pub struct Wires {
    pub postgres: FaultProxy,
    pub rabbit: Option<FaultProxy>,
}

impl Shop {
    /// Each service in a process of its own, on servers of the shop's own, with wires that can be hurt, and with these
    /// settings besides. The test's own connections go straight. PostgreSQL keeps its data on `disk`, if there is one.
    pub async fn behind_wires(transport: Transport, settings: &[(&str, String)], disk: Option<&Path>) -> (Shop, Wires) {
        let postgres = match disk {
            Some(disk) => PrivatePostgres::start_on(disk).await,
            None => PrivatePostgres::start().await,
        };
        let rabbit = match transport {
            Transport::Rabbit => Some(PrivateRabbit::start().await),
            Transport::Postgres => None,
        };
        let mut shop = Shop::prepare(transport, Some(postgres), rabbit).await;
        let wires = Wires {
            postgres: FaultProxy::of_url(shop.setting("DATABASE_URL")).await,
            rabbit: match shop.environment.get("AMQP_URL") {
                Some(url) => Some(FaultProxy::of_url(url).await),
                None => None,
            },
        };
        // What goes wrong here is meant to.
        let log = std::env::var("SHOP_LOG").unwrap_or_else(|_| "off".to_owned());
        shop.environment.insert("RUST_LOG".to_owned(), log);
        shop.environment.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        for variable in ["DATABASE_URL", "ANALYTICS_DATABASE_URL"] {
            let url = wires.postgres.rewrite(shop.setting(variable));
            shop.environment.insert(variable.to_owned(), url);
        }
        if let Some(wire) = &wires.rabbit {
            let url = wire.rewrite(shop.setting("AMQP_URL"));
            shop.environment.insert("AMQP_URL".to_owned(), url);
        }
        shop.recover().await;
        (shop, wires)
    }

    /// Sends a signal to the process that serves this, and does not wait.
    pub fn signal(&self, service: &str, signal: Signal) {
        let child = self.processes.get(service).unwrap_or_else(|| panic!("{service} does not run"));
        kill(Pid::from_raw(child.id().cast_signed()), signal).expect("signal the process");
    }

    /// A second process that serves this, on a port of its own: two relays, two consumers, two workers.
    pub fn start_twin(&mut self, service: &str) {
        let port = free_ports(1)[0].to_string();
        let mut command = self.command(&["serve", service]);
        let child = command.env(format!("{}_PORT", service.to_uppercase()), port).spawn().expect("start prost");
        self.processes.insert(twin(service), child);
    }

    /// kill -9 of the second process.
    pub fn crash_twin(&mut self, service: &str) {
        self.crash(&twin(service));
    }

    /// Waits until every service is ready. One that gives up meanwhile is started again, as whoever runs the containers
    /// would.
    pub async fn recover(&mut self) {
        let end = Instant::now() + RECOVERY;
        let http = super::super::client::http();
        let mut waiting = SERVICES.to_vec();
        while let Some(service) = waiting.last() {
            self.start_missing();
            let answer = http.get(format!("{}/readyz", self.url(service))).timeout(Duration::from_secs(5)).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                waiting.pop();
            } else {
                assert!(Instant::now() < end, "after {RECOVERY:?} {service} is not ready");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }

    /// Starts every service that died by itself; returns how many.
    pub fn start_missing(&mut self) -> usize {
        let mut started = 0;
        for service in SERVICES {
            let runs = |child: &mut std::process::Child| child.try_wait().expect("look at the process").is_none();
            if !self.processes.get_mut(service).is_some_and(runs) {
                self.start(service);
                started += 1;
            }
        }
        started
    }
}

fn twin(service: &str) -> String {
    format!("{service} twin")
}
