//! `deploy/compose.yaml` as an engine would read it: merged, and with the values of an env file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_norway::Value;

/// The folder `deploy`.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy")
}

/// The compose file, its aliases and merge keys resolved, its variables not.
pub fn raw() -> Value {
    let text = std::fs::read_to_string(folder().join("compose.yaml")).expect("read compose.yaml");
    let mut file: Value = serde_norway::from_str(&text).expect("YAML");
    // What is merged may merge something itself, three deep.
    for _ in 0..3 {
        file.apply_merge().expect("merge keys");
    }
    file
}

/// What `deploy/make-env` makes of the example: the env file of a fresh deployment.
pub fn fresh_env() -> BTreeMap<String, String> {
    let output = Command::new("sh").arg(folder().join("make-env")).output().expect("run make-env");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    parse_env(&String::from_utf8(output.stdout).expect("UTF-8"))
}

/// An env file's variables.
pub fn parse_env(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(|line| line.split_once('=').expect("NAME=value")).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

/// A container, as far as we run it ourselves.
#[derive(Debug, Clone)]
pub struct Container {
    pub command: Vec<String>,
    pub environment: BTreeMap<String, String>,
    pub health_check: Vec<String>,
    /// Who has to be healthy, or done, before.
    pub needs: BTreeMap<String, String>,
    /// In which Docker ends it, in seconds.
    pub grace_s: u64,
}

/// The containers, with the values of an env file.
pub fn containers(env: &BTreeMap<String, String>) -> BTreeMap<String, Container> {
    let file = raw();
    let services = file["services"].as_mapping().expect("services");
    services.iter().map(|(name, service)| (text(name), container(service, env))).collect()
}

fn container(service: &Value, env: &BTreeMap<String, String>) -> Container {
    let filled = |value: &Value| interpolate(&text(value), env);
    let list = |value: &Value| value.as_sequence().into_iter().flatten().map(filled).collect();
    let pairs = |value: &Value| value.as_mapping().cloned().unwrap_or_default();
    Container {
        command: list(&service["command"]),
        environment: pairs(&service["environment"])
            .iter()
            .filter_map(|(name, value)| match value {
                Value::Null => env.get(&text(name)).map(|value| (text(name), value.clone())),
                value => Some((text(name), filled(value))),
            })
            .collect(),
        health_check: list(&service["healthcheck"]["test"]),
        needs: pairs(&service["depends_on"]).iter().map(|(on, how)| (text(on), text(&how["condition"]))).collect(),
        grace_s: text(&service["stop_grace_period"]).trim_end_matches('s').parse().unwrap_or(10),
    }
}

/// Everything that has to be there for this container, itself included, in an order in which it can start.
pub fn start_order(containers: &BTreeMap<String, Container>, wanted: &[&str]) -> Vec<String> {
    let mut order = Vec::new();
    for name in wanted {
        visit(containers, name, &mut BTreeSet::new(), &mut order);
    }
    order
}

fn visit(containers: &BTreeMap<String, Container>, name: &str, above: &mut BTreeSet<String>, order: &mut Vec<String>) {
    if order.iter().any(|done| done == name) {
        return;
    }
    assert!(above.insert(name.to_owned()), "{name} waits for itself");
    for needed in containers[name].needs.keys() {
        visit(containers, needed, above, order);
    }
    above.remove(name);
    order.push(name.to_owned());
}

/// A scalar as text; nothing is empty.
pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Null => String::new(),
        other => panic!("not a scalar: {other:?}"),
    }
}

/// `${NAME}`, `${NAME:-default}`, `${NAME:?what is wrong}` and `$$`.
fn interpolate(template: &str, env: &BTreeMap<String, String>) -> String {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        filled.push_str(before);
        rest = if let Some(literal) = after.strip_prefix('$') {
            filled.push('$');
            literal
        } else {
            let (expression, behind) = after.strip_prefix('{').and_then(|it| it.split_once('}')).expect("${…}");
            filled.push_str(&value_of(expression, env));
            behind
        };
    }
    filled + rest
}

fn value_of(expression: &str, env: &BTreeMap<String, String>) -> String {
    let (name, otherwise) = expression.split_once(':').unwrap_or((expression, "-"));
    match (env.get(name).filter(|value| !value.is_empty()), otherwise.split_at(1)) {
        (Some(value), _) => value.clone(),
        (None, ("-", default)) => default.to_owned(),
        (None, (_, complaint)) => panic!("{name} {complaint}"),
    }
}

/// The names of all variables in a text, and whether each has to be set.
pub fn variables(text: &str) -> BTreeMap<String, bool> {
    let mut found = BTreeMap::new();
    for piece in text.replace("$$", "").split("${").skip(1) {
        let expression = piece.split('}').next().expect("closed");
        let name = expression.split(':').next().expect("a name");
        found.insert(name.to_owned(), expression.contains(":?"));
    }
    found
}
