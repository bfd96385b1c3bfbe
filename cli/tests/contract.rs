//! `docs/contract.md` leaves nothing out, and names tests that exist.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A promise and what proves it.
struct Row {
    section: String,
    promise: String,
    proof: String,
}

fn rows() -> Vec<Row> {
    let page = std::fs::read_to_string(root().join("docs/contract.md")).expect("read the page");
    let (mut section, mut rows) = (String::new(), Vec::new());
    for line in page.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            section = heading.to_owned();
        } else if line.starts_with("| ") && !["| promise", "| departure"].iter().any(|head| line.starts_with(head)) {
            let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            let [promise, proof] = cells[..] else { panic!("a row of another shape: {line}") };
            rows.push(Row { section: section.clone(), promise: promise.to_owned(), proof: proof.to_owned() });
        }
    }
    rows
}

/// What stands in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Where links lead, from `docs`.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

/// The names of all tests below a folder.
fn tests_below(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("list a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            tests_below(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("read a source file");
            let mut is_test = false;
            for line in text.lines().map(str::trim) {
                is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
                let name = line.split_once("fn ").and_then(|(_, rest)| rest.split_once('(')).map(|(name, _)| name);
                if let Some(name) = name.filter(|_| is_test) {
                    names.insert(name.to_owned());
                    is_test = false;
                }
            }
        }
    }
}

#[test]
fn every_proof_that_the_contract_names_exists() {
    let mut tests = BTreeSet::new();
    for folder in ["crates", "services", "gateway", "cli", "proof"] {
        tests_below(&root().join(folder), &mut tests);
    }
    let mut missing = Vec::new();
    for Row { promise, proof, .. } in &rows() {
        let is_proved = quoted(proof).chain(links(proof)).next().is_some();
        assert!(is_proved || promise.contains("**Waits**"), "nothing proves: {promise}");
        missing.extend(quoted(proof).filter(|name| !tests.contains(*name)).map(str::to_owned));
        let is_there = |link: &&str| root().join("docs").join(link).is_file();
        missing.extend(links(proof).filter(|link| !is_there(link)).map(str::to_owned));
    }
    assert!(missing.is_empty(), "no such tests or files: {missing:?}");
}

#[test]
fn every_part_of_the_contract_has_its_proofs() {
    let rows = rows();
    for section in [
        "Command line",
        "Configuration",
        "REST",
        "GraphQL",
        "Checkout and states",
        "Events",
        "Tables",
        "Bench",
        "Departures",
        "Deployment",
    ] {
        let proofs = rows.iter().filter(|row| row.section == section && !row.promise.contains("**Waits**")).count();
        assert!(proofs > 0, "nothing is said of {section}");
    }
}

/// Commands of the binary, and of the script around it.
#[test]
fn every_command_has_a_row() {
    let output = Command::new(env!("CARGO_BIN_EXE_prost")).arg("help").output().expect("run prost");
    let help = String::from_utf8(output.stdout).expect("UTF-8");
    let listed = help.split("Commands:").nth(1).and_then(|rest| rest.split("Options:").next()).expect("a list");
    let names = listed.lines().filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
    let commands: Vec<&str> = names.chain(["test", "chaos", "proof"]).collect();
    assert!(commands.len() > 15, "{commands:?}");
    let rows = rows();
    let promises: Vec<&str> =
        rows.iter().filter(|row| row.section == "Command line").map(|row| row.promise.as_str()).collect();
    for command in commands {
        let is_named = promises
            .iter()
            .flat_map(|promise| quoted(promise))
            .any(|name| name.split_whitespace().next() == Some(command));
        assert!(is_named, "no row is about `{command}`");
    }
}

/// `./prost test` runs every test there is: none is marked to be left out.
#[test]
fn no_test_is_left_out() {
    let root = root();
    let listed = Command::new("git").args(["ls-files", "*.rs", "*.js", "*.ts"]).current_dir(&root).output();
    // Not in a copy without its history.
    let Some(listed) = listed.ok().filter(|output| output.status.success()) else { return };
    let names = String::from_utf8(listed.stdout).expect("UTF-8");
    let marks = [
        concat!("#[", "ignore"),
        concat!("test.", "skip("),
        concat!("test.", "only("),
        concat!("it.", "skip("),
        concat!("it.", "only("),
    ];
    let mut left_out = Vec::new();
    for name in names.lines() {
        // What was deleted and not committed yet is listed, too.
        let Ok(text) = std::fs::read_to_string(root.join(name)) else { continue };
        left_out.extend(marks.iter().filter(|mark| text.contains(*mark)).map(|mark| format!("{name}: {mark}")));
    }
    assert!(left_out.is_empty(), "{left_out:?}");
    let nextest = std::fs::read_to_string(root.join(".config/nextest.toml")).expect("read nextest.toml");
    assert!(!nextest.contains("default-filter"), "nextest leaves tests out");
}
