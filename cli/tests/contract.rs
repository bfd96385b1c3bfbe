//! `docs/contract.md` leaves nothing out, and names tests that exist.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use events::topology::{EVENTS, Exchange};

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

/// The texts of all Rust files below a folder.
fn sources_below(folder: &str) -> Vec<String> {
    let (mut folders, mut texts) = (vec![root().join(folder)], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("list a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                texts.push(std::fs::read_to_string(&path).expect("read a source file"));
            }
        }
    }
    texts
}

/// The names of the tests in a source file.
fn tests_of(text: &str) -> Vec<String> {
    let (mut names, mut is_test) = (Vec::new(), false);
    for line in text.lines().map(str::trim) {
        is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        let name = line.split_once("fn ").and_then(|(_, rest)| rest.split_once('(')).map(|(name, _)| name);
        if let Some(name) = name.filter(|_| is_test) {
            names.push(name.to_owned());
            is_test = false;
        }
    }
    names
}

#[test]
fn every_proof_that_the_contract_names_exists() {
    let folders = ["crates", "services", "gateway", "cli", "proof"];
    let tests: BTreeSet<String> =
        folders.into_iter().flat_map(sources_below).flat_map(|text| tests_of(&text)).collect();
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

/// What stands in backticks in the promises of a section.
fn named_in(section: &str) -> BTreeSet<String> {
    let rows = rows();
    let of_section = rows.iter().filter(|row| row.section == section);
    of_section.flat_map(|row| quoted(&row.promise)).map(str::to_owned).collect()
}

/// Nothing that there is may be left out, and nothing named that there is not.
fn assert_named(kind: &str, there: &BTreeSet<String>, named: &BTreeSet<String>) {
    let left_out: Vec<_> = there.difference(named).collect();
    let made_up: Vec<_> = named.difference(there).collect();
    assert!(left_out.is_empty() && made_up.is_empty(), "{kind} without a row: {left_out:?}; made up: {made_up:?}");
}

#[test]
fn every_variable_has_a_row() {
    // How the shop behaves, each within its limits: they are too many, and compared with the code elsewhere.
    const TUNING: [&str; 3] = ["The shop", "What is kept, and for how long", "GraphQL"];
    let page = std::fs::read_to_string(root().join("docs/configuration.md")).expect("read the page");
    let (mut heading, mut there) = ("", BTreeSet::new());
    for line in page.lines() {
        heading = line.strip_prefix("## ").unwrap_or(heading);
        if let Some(cells) = line.strip_prefix("| `").filter(|_| !TUNING.contains(&heading)) {
            let names = cells.split('|').next().expect("a first cell");
            there.extend(names.split(", ").map(|name| name.trim().trim_matches('`').to_owned()));
        }
    }
    assert!(there.len() > 30, "{there:?}");
    let is_variable = |name: &String| name.chars().all(|c| c.is_ascii_uppercase() || "_<>".contains(c));
    let mut named: BTreeSet<String> = named_in("Configuration").into_iter().filter(is_variable).collect();
    named.extend(named_in("Command line").into_iter().filter(is_variable));
    assert_named("variables", &there, &named);
}

/// The endpoints that a source file declares: `GET /orders`.
fn endpoints_of(text: &str) -> Vec<String> {
    let endpoint = |declared: &str| {
        let (method, rest) = declared.split_once(',').expect("a method");
        format!("{} {}", method.trim().to_uppercase(), rest.split('"').nth(1).expect("a path"))
    };
    text.split("#[utoipa::path(").skip(1).map(endpoint).collect()
}

#[test]
fn every_endpoint_has_a_row() {
    let folders = ["services", "crates/operations/src"];
    let there: BTreeSet<String> =
        folders.into_iter().flat_map(sources_below).flat_map(|text| endpoints_of(&text)).collect();
    assert!(there.len() > 60, "{there:?}");
    let mut named = BTreeSet::new();
    for name in named_in("REST") {
        if let Some((methods, path)) = name.split_once(" /") {
            named.extend(methods.split(", ").map(|method| format!("{method} /{path}")));
        }
    }
    assert_named("endpoints", &there, &named);
}

#[test]
fn every_field_of_graphql_has_a_row() {
    let sdl = std::fs::read_to_string(root().join("gateway/schema.graphql")).expect("read the schema");
    let (mut there, mut is_root, mut is_description) = (BTreeSet::new(), false, false);
    for line in sdl.lines() {
        if line.trim() == r#"""""# {
            is_description = !is_description;
        } else if !line.starts_with(['\t', ' ']) {
            is_root = ["type Query", "type Mutation", "type Subscription"].iter().any(|root| line.starts_with(root));
        } else if is_root && !is_description && !line.starts_with("\t\t") {
            let name = line.trim().split(['(', ':']).next().expect("a name");
            there.extend(Some(name.to_owned()).filter(|name| name != ")"));
        }
    }
    assert!(there.len() > 50, "{there:?}");
    let is_field = |name: &String| name.chars().all(|c| c.is_ascii_alphanumeric());
    assert_named("fields", &there, &named_in("GraphQL").into_iter().filter(is_field).collect());
}

#[test]
fn every_event_has_a_row() {
    let there = EVENTS.iter().map(|event| event.event_type.to_owned());
    let there = there.chain(Exchange::ALL.map(|exchange| exchange.name().to_owned())).collect();
    let is_type = |name: &String| name.starts_with(char::is_uppercase) && name.chars().all(char::is_alphanumeric);
    let named = named_in("Events").into_iter().filter(|name| is_type(name) || name.ends_with(".events")).collect();
    assert_named("events", &there, &named);
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
