//! A shop's life from outside: opened, found open, killed, healed, closed, deleted.

use std::{
    net::TcpListener,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

/// A shop in a folder of its own; deleted at the end, also of a failed test.
struct TestShop {
    data_dir: PathBuf,
    port: u16,
}

impl TestShop {
    fn new() -> TestShop {
        let random = servers::new_secret();
        TestShop { data_dir: std::env::temp_dir().join(format!("prost-shop-{}", &random[..12])), port: seven_ports() }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_prost"));
        command.arg("--data-dir").arg(&self.data_dir).args(arguments);
        command.env_remove("DATABASE_URL").env_remove("RUST_LOG").stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("run the binary")
    }

    /// Runs a command that has to succeed; its data.
    fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {}\n{errors}", output.status);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn open(&self) -> String {
        self.succeed(&["up", "--detach", "--port", &self.port.to_string()])
    }

    fn status(&self) -> Value {
        serde_json::from_str(&self.succeed(&["status", "--json"])).expect("status is JSON")
    }

    fn pid(&self) -> i64 {
        self.status()["shop"]["pid"].as_i64().expect("the shop runs")
    }

    fn database_pid(&self) -> i64 {
        self.status()["servers"][0]["pid"].as_i64().expect("PostgreSQL runs")
    }
}

impl Drop for TestShop {
    fn drop(&mut self) {
        let output = self.run(&["reset", "--yes"]);
        if !output.status.success() {
            eprintln!("{} stays: {}", self.data_dir.display(), String::from_utf8_lossy(&output.stderr));
        }
    }
}

/// The first of seven free ports in a row.
fn seven_ports() -> u16 {
    (0..500)
        .map(|_| rand::random_range(10_000..20_000))
        .find(|first| (*first..first + 7).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok()))
        .expect("seven free ports in a row")
}

fn kill_9(pid: i64) {
    let pid = Pid::from_raw(i32::try_from(pid).expect("a process id"));
    kill(pid, Signal::SIGKILL).expect("kill");
}

#[test]
fn a_shop_opens_twice_survives_every_kill_9_and_closes() {
    let shop = TestShop::new();
    let announcement = shop.open();
    let url = format!("http://127.0.0.1:{}", shop.port);
    for expected in [url.as_str(), "Demo logins", "Three things to try", "./prost down"] {
        assert!(announcement.contains(expected), "{expected}: {announcement}");
    }
    let first = shop.pid();
    assert_eq!(shop.open(), announcement, "an open shop stays open");
    assert_eq!(shop.pid(), first);
    let other_port = shop.run(&["up", "--detach", "--port", "9"]);
    assert_eq!(other_port.status.code(), Some(1), "an open shop does not move");

    kill_9(shop.database_pid());
    shop.open();
    assert_eq!(shop.pid(), first, "the running shop restarts its own database");
    assert_eq!(shop.status()["ready"], true);

    kill_9(shop.pid());
    shop.succeed(&["up", "--detach"]);
    assert_eq!(shop.status()["shop"]["port"], shop.port, "after a crash it continues where it was");

    let (process, database) = (shop.pid(), shop.database_pid());
    kill_9(process);
    kill_9(database);
    shop.succeed(&["up", "--detach"]);
    assert_eq!(shop.status()["ready"], true);

    let last = shop.pid();
    shop.succeed(&["down"]);
    assert!(!servers::is_running(i32::try_from(last).expect("a process id")));
    let closed = shop.status();
    assert_eq!(closed["running"], false);
    assert_eq!(closed["servers"][0]["running"], false);
    shop.succeed(&["reset", "--yes"]);
    assert!(!shop.data_dir.exists());
}

#[test]
fn sigterm_drains_a_shop_in_the_foreground_and_stops_its_servers() {
    let shop = TestShop::new();
    let mut foreground = shop
        .command(&["up", "--port", &shop.port.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("start");
    while shop.status()["ready"] != true {
        assert!(foreground.try_wait().expect("look").is_none(), "the shop ended by itself");
    }
    let database = shop.database_pid();
    let pid = Pid::from_raw(i32::try_from(foreground.id()).expect("a process id"));
    kill(pid, Signal::SIGTERM).expect("signal");
    assert!(foreground.wait().expect("wait").success());
    assert!(!servers::is_running(i32::try_from(database).expect("a process id")));
}

#[test]
fn parallel_starts_make_one_shop() {
    let shop = TestShop::new();
    let port = shop.port.to_string();
    let starts: Vec<_> = (0..3)
        .map(|_| {
            let mut command = shop.command(&["up", "--detach", "--no-seed", "--port", &port]);
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("start")
        })
        .collect();
    for mut start in starts {
        assert!(start.wait().expect("wait").success());
    }
    assert_eq!(shop.status()["ready"], true);
}
