//! The containers as processes of this machine: each with its own command and environment and nothing else, hosts and
//! ports replaced by those of private servers, started as `depends_on` demands.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use testkit::{PrivatePostgres, PrivateRabbit, connect, eventually};

use super::compose::{Container, containers, fresh_env, start_order};
use crate::support::shop::{JWT_SECRET, SERVICES};

const PROST: &str = env!("CARGO_BIN_EXE_prost");
const HEALTHY_WITHIN: Duration = Duration::from_secs(60);

/// What runs of `deploy/compose.yaml`.
pub struct Deployment {
    env: BTreeMap<String, String>,
    containers: BTreeMap<String, Container>,
    running: BTreeMap<String, Child>,
    /// Names and ports inside the containers' network, and where they are here.
    places: Vec<(String, String)>,
    ports: BTreeMap<String, u16>,
    folder: PathBuf,
    pub rabbit: PrivateRabbit,
    _postgres: PrivatePostgres,
}

impl Deployment {
    /// Servers as their images make them: an administrator, a database, nothing else.
    pub async fn prepare() -> Deployment {
        let mut env = fresh_env();
        env.insert("JWT_SECRET".to_owned(), JWT_SECRET.to_owned());
        let postgres = PrivatePostgres::start().await;
        let owner = connect(&postgres.url("postgres")).await;
        let password = &env["POSTGRES_PASSWORD"];
        owner
            .batch_execute(&format!("CREATE ROLE prost_admin SUPERUSER LOGIN PASSWORD '{password}'"))
            .await
            .expect("make the administrator");
        owner.batch_execute("CREATE DATABASE prost OWNER prost_admin").await.expect("make the database");
        let rabbit = PrivateRabbit::start().await;
        let folder = std::env::temp_dir().join(format!("prost-deploy-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir(&folder).expect("make a folder");

        let ports: BTreeMap<String, u16> =
            SERVICES.into_iter().chain(["redis"]).map(str::to_owned).zip(free_ports()).collect();
        let mut places = vec![
            ("@postgres:5432/".to_owned(), format!("@{}/", authority(&postgres.url("postgres")))),
            ("@rabbitmq:5672/".to_owned(), format!("@{}/", authority(&rabbit.url("prost")))),
            ("@redis:6379/".to_owned(), format!("@127.0.0.1:{}/", ports["redis"])),
            ("/definitions/".to_owned(), format!("{}/", folder.display())),
            ("/usr/local/bin/prost".to_owned(), PROST.to_owned()),
        ];
        for (offset, service) in SERVICES.iter().enumerate() {
            places.push((format!("//{service}:{}", 8080 + offset), format!("//127.0.0.1:{}", ports[*service])));
        }
        let containers = containers(&env);
        Deployment { env, containers, running: BTreeMap::new(), places, ports, folder, rabbit, _postgres: postgres }
    }

    /// `docker compose up NAME…`
    pub async fn up(&mut self, wanted: &[&str]) {
        for name in start_order(&self.containers, wanted) {
            for (needed, condition) in self.containers[&name].needs.clone() {
                if condition == "service_healthy" {
                    self.until_healthy(&needed).await;
                }
            }
            self.start(&name).await;
        }
        for name in wanted {
            self.until_healthy(name).await;
        }
    }

    /// Changes a variable of the env file, as an editor would: containers that run keep what they were started with.
    pub fn edit(&mut self, variable: &str, value: &str) {
        self.env.insert(variable.to_owned(), value.to_owned());
        self.containers = containers(&self.env);
    }

    /// `docker compose run --rm NAME ARGUMENT…`
    pub fn run(&self, name: &str, arguments: &[&str]) -> Output {
        self.command(name, arguments).output().expect("run")
    }

    /// A variable of the env file.
    pub fn variable(&self, name: &str) -> String {
        self.env[name].clone()
    }

    /// `docker compose up --force-recreate NAME`
    pub async fn recreate(&mut self, name: &str) {
        if self.running.contains_key(name) {
            self.stop(name).await;
        }
        self.start(name).await;
        self.until_healthy(name).await;
    }

    async fn start(&mut self, name: &str) {
        match name {
            "postgres" => {}
            "rabbitmq" => self.rabbit.import_definitions(&self.folder.join("definitions.json")).await,
            "definitions" | "migrate" => {
                let output = self.prost(name).output().expect("run");
                assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
            }
            "redis" => {
                let here = format!("redis-server - --port {} ", self.ports[name]);
                let script = self.containers[name].command[2].replace("redis-server - ", &here);
                let mut command = self.shell(name, &script);
                let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("start redis");
                self.running.insert(name.to_owned(), child);
            }
            _ => {
                let child = self.prost(name).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("start");
                self.running.insert(name.to_owned(), child);
            }
        }
    }

    /// The image's entry point with the container's command and environment.
    fn prost(&self, name: &str) -> Command {
        let arguments: Vec<String> = self.containers[name].command.iter().map(|word| self.here(word)).collect();
        self.command(name, &arguments)
    }

    fn command<S: AsRef<std::ffi::OsStr>>(&self, name: &str, arguments: &[S]) -> Command {
        let mut command = Command::new(PROST);
        command.args(arguments).env_clear().stdin(Stdio::null());
        command.current_dir(&self.folder).envs(self.environment(&self.containers[name]));
        command
    }

    fn shell(&self, name: &str, script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]).env_clear().envs(self.environment(&self.containers[name])).stdin(Stdio::null());
        command.current_dir(&self.folder).env("PATH", std::env::var("PATH").unwrap_or_default());
        command
    }

    /// Each container has its ports for itself; here they share the machine's.
    fn environment(&self, container: &Container) -> BTreeMap<String, String> {
        let mut environment: BTreeMap<String, String> =
            container.environment.iter().map(|(name, value)| (name.clone(), self.here(value))).collect();
        for service in SERVICES {
            environment.insert(format!("{}_PORT", service.to_uppercase()), self.ports[service].to_string());
        }
        environment
    }

    fn here(&self, text: &str) -> String {
        self.places.iter().fold(text.to_owned(), |text, (there, here)| text.replace(there, here))
    }

    /// Runs the container's own health check until it succeeds.
    pub async fn until_healthy(&self, name: &str) {
        let is_waited_for = matches!(name, "postgres" | "rabbitmq"); // private servers, by their start
        if is_waited_for || self.containers[name].health_check.is_empty() {
            return;
        }
        eventually(HEALTHY_WITHIN, || async {
            let output = self.health(name);
            if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
        })
        .await;
    }

    /// One run of a container's health check.
    pub fn health(&self, name: &str) -> Output {
        let check = &self.containers[name].health_check;
        let mut command = match check[0].as_str() {
            "CMD-SHELL" => {
                let redis = format!("redis-cli -p {} ", self.ports["redis"]);
                self.shell(name, &check[1].replace("redis-cli ", &redis))
            }
            "CMD" => {
                let mut command = Command::new(self.here(&check[1]));
                command.args(&check[2..]).env_clear().envs(self.environment(&self.containers[name]));
                command
            }
            other => panic!("{name}: {other}"),
        };
        command.output().expect("run the health check")
    }

    /// Docker's stop: SIGTERM, and an end in order within the grace period.
    pub async fn stop(&mut self, name: &str) {
        let mut child = self.running.remove(name).expect("it runs");
        kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM).expect("signal");
        let begin = Instant::now();
        let status = tokio::task::spawn_blocking(move || child.wait()).await.expect("join").expect("wait");
        let grace = Duration::from_secs(self.containers[name].grace_s);
        assert!(status.success() && begin.elapsed() < grace, "{name}: {status} after {:?}", begin.elapsed());
    }

    /// What runs besides the servers.
    pub fn running(&self) -> Vec<&str> {
        self.running.keys().map(String::as_str).collect()
    }

    /// Where shoppers come in.
    pub fn gateway(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports["gateway"])
    }

    /// A login out of a container's environment, as it is here.
    pub fn login(&self, container: &str, variable: &str) -> String {
        self.here(&self.containers[container].environment[variable])
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        for child in self.running.values_mut() {
            if let Err(error) = child.kill().and_then(|()| child.wait().map(drop)) {
                eprintln!("cannot end a process of the deployment: {error}");
            }
        }
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            eprintln!("{} stays: {error}", self.folder.display());
        }
    }
}

/// `host:port` of a URL with a login.
fn authority(url: &str) -> String {
    let rest = url.split_once('@').expect("a login").1;
    rest.split('/').next().expect("a host").to_owned()
}

fn free_ports() -> Vec<u16> {
    let held: Vec<TcpListener> = (0..8).map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port")).collect();
    held.iter().map(|listener| listener.local_addr().expect("bound").port()).collect()
}
