//! A short load of each kind: whether `bench` still works, and whether every answer under it is right. It says nothing about
//! speed. `checkout` is run by `./prost test` itself, `growth` by its plans (`plans.rs`).

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The folder beside which bench makes its own; deleted at the end, also of a failed test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        let random = servers::new_secret();
        Folder(std::env::temp_dir().join(format!("prost-load-{}", &random[..12])))
    }

    fn run(&self, ending: &str, arguments: &[&str]) -> Output {
        let mut folder = self.0.clone().into_os_string();
        folder.push(ending);
        let mut command = Command::new(env!("CARGO_BIN_EXE_prost"));
        command.arg("--data-dir").arg(folder).args(arguments);
        command.env_remove("DATABASE_URL").env_remove("RUST_LOG").stdin(Stdio::null());
        command.output().expect("run the binary")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Bench deletes its shop itself, unless it was killed.
        let output = self.run("-bench", &["reset", "--yes"]);
        if !output.status.success() {
            eprintln!("{} stays: {}", self.0.display(), String::from_utf8_lossy(&output.stderr));
        }
    }
}

#[test]
fn every_answer_under_load_is_right() {
    let scenarios = ["latency", "catalog", "catalog-signed-in", "product", "cart", "flash-sale", "login", "outbox"];
    let sizes = "--clients 4 --rate 10 --outbox-rate 10 --carts 50 --seconds 1 --runs 1 --json";
    let arguments: Vec<&str> = ["bench"].into_iter().chain(scenarios).chain(sizes.split(' ')).collect();
    let output = Folder::new().run("", &arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{errors}", output.status);

    let report: Value = serde_json::from_slice(&output.stdout).expect("the report is JSON");
    let runs = report["runs"].as_array().expect("a list of runs");
    let told: Vec<&str> = runs.iter().filter_map(|run| run["scenario"].as_str()).collect();
    assert_eq!(told, scenarios);
    for run in runs {
        assert_eq!(run["errors"], 0, "{run}\n{errors}");
        // How many of them ended in the measured second is a matter of speed.
        assert!(run["turns"].as_u64().is_some_and(|turns| turns > 0), "{run}\n{errors}");
    }
}
