//! One table says what is measured: the code, the alerts and the dashboard name what stands in it, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// What a query says besides metrics.
const WORDS: [&str; 10] = ["max", "min", "sum", "rate", "histogram_quantile", "by", "and", "or", "le", "m"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Name and type of each metric, as documented.
fn documented() -> BTreeMap<String, String> {
    let table = read("docs/metrics.md");
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| {
        let (name, rest) = row.split_once('`').expect("a name");
        (name.to_owned(), rest.trim_start_matches([' ', '|']).split(' ').next().expect("a type").to_owned())
    })
    .collect()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() && !matches!(name.as_str(), "tests" | "target" | "node_modules") {
            sources(&path, found);
        } else if name.ends_with(".rs") {
            found.push(path);
        }
    }
}

/// Name and type of each metric that the code tells.
fn measured() -> BTreeMap<String, String> {
    let mut files = Vec::new();
    for folder in ["crates", "services", "gateway"] {
        sources(&root().join(folder), &mut files);
    }
    let mut found = BTreeMap::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a source");
        for part in text.split("metrics::").skip(1) {
            let Some((kind, rest)) = part.split_once("!(") else { continue };
            if matches!(kind, "counter" | "gauge" | "histogram") {
                let name = rest.split('"').nth(1).expect("a name");
                found.insert(name.to_owned(), kind.to_owned());
            }
        }
    }
    found
}

/// The metrics that a query names.
fn named(query: &str) -> BTreeSet<String> {
    let mut bare = String::new();
    let (mut quoted, mut depth) = (false, 0);
    for c in query.chars() {
        match c {
            '"' => quoted = !quoted,
            '{' | '[' if !quoted => depth += 1,
            '}' | ']' if !quoted => depth -= 1,
            _ if quoted || depth > 0 => {}
            _ => bare.push(c),
        }
    }
    let mut names = BTreeSet::new();
    let mut rest = bare.as_str();
    // Labels follow `by`.
    while let Some((before, after)) = rest.split_once(" by (") {
        words(before, &mut names);
        rest = after.split_once(')').map_or("", |(_, rest)| rest);
    }
    words(rest, &mut names);
    names
}

fn words(text: &str, names: &mut BTreeSet<String>) {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c| !is_part(c)).filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase()));
    names.extend(words.filter(|word| !WORDS.contains(word)).map(str::to_owned));
}

fn assert_documented(queries: &[String], whence: &str) {
    let documented = documented();
    for query in queries {
        let names = named(query);
        assert!(!names.is_empty(), "{whence}: {query}");
        for name in names {
            let of_histogram = ["_bucket", "_count", "_sum"].iter().filter_map(|suffix| name.strip_suffix(suffix));
            let is_histogram = of_histogram.filter_map(|base| documented.get(base)).any(|kind| kind == "histogram");
            assert!(is_histogram || documented.contains_key(&name), "{whence} asks for {name}: {query}");
        }
    }
}

#[test]
fn what_is_measured_is_documented_and_nothing_else() {
    assert_eq!(documented(), measured());
}

#[test]
fn the_alerts_ask_for_what_there_is() {
    let alerts = read("deploy/dashboards/alerts.yaml");
    let mut queries: Vec<String> = Vec::new();
    let mut lines = alerts.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(query) = line.trim().strip_prefix("expr: ") else { continue };
        let mut query = query.replace(">-", "");
        // A query on lines of its own ends where the next key begins.
        while let Some(more) = lines.next_if(|line| query.is_empty() || line.starts_with("          ")) {
            query.push(' ');
            query.push_str(more.trim());
        }
        queries.push(query);
    }
    assert_eq!(queries.len(), alerts.matches("- alert: ").count());
    assert_documented(&queries, "an alert");
}

#[test]
fn the_dashboard_shows_what_there_is() {
    let dashboard: Value = serde_json::from_str(&read("deploy/dashboards/prost.json")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let queries: Vec<String> = targets.map(|target| target["expr"].as_str().expect("a query").to_owned()).collect();
    assert!(queries.len() > 20, "{}", queries.len());
    assert_documented(&queries, "the dashboard");
}
