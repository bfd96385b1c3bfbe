//! What `deploy/compose.yaml` says, read without an engine.

use std::collections::BTreeSet;
use std::process::{Command, Output};

use super::compose::{self, containers, fresh_env, raw, start_order, text};
use crate::support::shop::SERVICES;

#[test]
fn every_service_is_a_container_of_its_own_with_limits_and_without_rights() {
    let file = raw();
    for service in SERVICES {
        let container = &file["services"][service];
        assert_eq!(text(&container["restart"]), "unless-stopped", "{service}");
        assert_eq!(container["read_only"].as_bool(), Some(true), "{service}");
        assert_eq!(text(&container["cap_drop"][0]), "ALL", "{service}");
        assert_eq!(text(&container["security_opt"][0]), "no-new-privileges:true", "{service}");
        assert!(container["deploy"]["resources"]["limits"]["memory"].is_string(), "{service} has no memory limit");
        assert!(container["pids_limit"].is_number(), "{service} may fork without end");
        assert!(container["healthcheck"]["test"].is_sequence(), "{service} has no health check");
        assert!(container.get("volumes").is_none(), "{service} keeps nothing");
    }
    let postgres = &file["services"]["postgres"];
    assert_eq!(text(&postgres["container_name"]), "prost-postgres");
    assert_eq!(text(&postgres["environment"]["POSTGRES_USER"]), "prost_admin");
    assert_eq!(text(&postgres["environment"]["POSTGRES_DB"]), "prost");
}

#[test]
fn only_the_gateway_has_a_port_on_the_host() {
    for (name, container) in raw()["services"].as_mapping().expect("services") {
        let is_open = container.get("ports").is_some() || text(&container["network_mode"]) == "host";
        assert_eq!(is_open, text(name) == "gateway", "{}", text(name));
    }
    assert_eq!(raw()["networks"]["inside"]["internal"].as_bool(), Some(true));
}

#[test]
fn a_service_knows_its_own_logins_and_nobody_elses() {
    let env = fresh_env();
    for (name, container) in containers(&env).iter().filter(|(name, _)| SERVICES.contains(&name.as_str())) {
        let own = name.to_uppercase();
        let own_secrets: Vec<&str> = [format!("{own}_DB_PASSWORD"), format!("{own}_MQ_PASSWORD")]
            .iter()
            .filter_map(|variable| env.get(variable).map(String::as_str))
            .chain(["JWT_SECRET"].iter().map(|variable| env[*variable].as_str()))
            .chain(env.get("REDIS_PASSWORD").filter(|_| name == "products").map(String::as_str))
            .collect();
        for (variable, value) in &container.environment {
            let foreign = env.iter().find(|(secret, text)| {
                let is_secret = secret.ends_with("_PASSWORD") || secret.as_str() == "JWT_SECRET";
                is_secret && value.contains(text.as_str()) && !own_secrets.contains(&text.as_str())
            });
            assert_eq!(foreign, None, "{name} learns a foreign secret from {variable}");
        }
    }
}

#[test]
fn what_starts_waits_until_what_it_needs_is_healthy() {
    let containers = containers(&fresh_env());
    for (name, container) in &containers {
        for (needed, condition) in &container.needs {
            let expected = match needed.as_str() {
                "migrate" | "definitions" => "service_completed_successfully",
                _ => "service_healthy",
            };
            assert_eq!(condition, expected, "{name} needs {needed}");
            let is_checked = !containers[needed].health_check.is_empty();
            assert!(condition != "service_healthy" || is_checked, "{needed} has no health check");
        }
    }
    let alone: BTreeSet<String> = start_order(&containers, &["cart"]).into_iter().collect();
    let expected = ["cart", "definitions", "migrate", "postgres", "products", "rabbitmq", "redis"];
    assert_eq!(alone, expected.map(str::to_owned).into(), "what `docker compose up cart` starts");
    assert_eq!(start_order(&containers, &["gateway"]).len(), containers.len(), "the gateway needs all of them");
}

/// The variables of `docs/configuration.md`. `<SERVICE>` stands for each.
fn documented() -> BTreeSet<String> {
    let text = include_str!("../../../../docs/configuration.md");
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    rows.flat_map(|row| row.split('|').nth(1).expect("a first cell").split(','))
        .map(|name| name.trim().trim_matches('`'))
        .flat_map(|name| match name.strip_prefix("<SERVICE>_") {
            Some(rest) => SERVICES.map(|service| format!("{}_{rest}", service.to_uppercase())).to_vec(),
            None => vec![name.to_owned()],
        })
        .collect()
}

/// Where everything is, and who logs in how: the compose file's own business. A process in a container has no folder.
fn is_decided_by_the_file(name: &str) -> bool {
    let whole = ["HOST", "PORT", "LOG_FORMAT", "JWT_SECRET", "JWT_SECRET_PREVIOUS", "NO_COLOR", "PROST_DATA_DIR"];
    whole.contains(&name) || name.ends_with("_URL") || name.ends_with("_PORT")
}

#[test]
fn every_setting_in_the_env_file_reaches_every_service() {
    let is_setting = |name: &String| !is_decided_by_the_file(name) && !name.starts_with("STRIPE_");
    let settings: BTreeSet<String> = documented().into_iter().filter(is_setting).collect();
    assert!(settings.len() > 60, "only {settings:?}");
    let mut env = fresh_env();
    env.extend(settings.iter().map(|name| (name.clone(), format!("the value of {name}"))));
    let containers = containers(&env);
    for container in SERVICES.iter().chain(&["migrate"]) {
        for name in &settings {
            let found = containers[*container].environment.get(name);
            assert_eq!(found, env.get(name), "{name} of deploy/.env does not reach {container}");
        }
    }
}

#[test]
fn what_is_wrong_in_the_env_file_is_refused_by_name() {
    for (service, name, value) in [
        ("orders", "ORDERS_PAYMENT_DEADLINE_S", "7200"),
        ("products", "PRODUCTS_HOLD_S", "an hour"),
        ("payments", "STRIPE_SECRET_KEY", "sk_test"),
        ("gateway", "OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317"),
    ] {
        let mut env = fresh_env();
        env.insert(name.to_owned(), value.to_owned());
        let container = &containers(&env)[service];
        let output = Command::new(env!("CARGO_BIN_EXE_prost"))
            .args(&container.command)
            .env_clear()
            .envs(&container.environment)
            .output()
            .expect("run prost");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && said.contains(name), "{service} with {name}={value}: {said}");
    }
}

#[test]
fn every_variable_is_in_the_example_and_no_secret_is() {
    let read = |name: &str| std::fs::read_to_string(compose::folder().join(name)).expect("read");
    let used = compose::variables(&read("compose.yaml"));
    let example = compose::parse_env(&read(".env.example"));
    let apart = ["PROST_TAG"]; // which image, not how it is configured
    for name in used.keys().filter(|name| !apart.contains(&name.as_str())) {
        assert!(example.contains_key(name), "{name} is not in the example");
    }
    let settings = documented();
    for (name, value) in &example {
        assert!(used.contains_key(name) || settings.contains(name), "nobody reads {name} of the example");
        assert!(value.is_empty() || name == "PUBLISH", "{name} has a value for everybody to read");
    }
    let fresh = fresh_env();
    for (name, required) in &used {
        if *required {
            assert!(fresh[name].len() >= 32, "make-env makes no secret for {name}");
            assert!(fresh[name].chars().all(|letter| letter.is_ascii_alphanumeric()), "{name} does not fit into a URL");
        }
    }
    let secrets: BTreeSet<&String> = fresh.values().filter(|value| value.len() >= 32).collect();
    assert_eq!(secrets.len(), used.values().filter(|required| **required).count(), "no secret is used twice");
}

/// Of what the image is built, nothing is missing: cargo finds the whole workspace in what is copied, and all of that is
/// sent to the engine.
#[test]
fn the_image_has_all_that_it_is_built_from() {
    let root = compose::folder().join("..").canonicalize().expect("the repository");
    let read = |name: &str| std::fs::read_to_string(root.join(name)).expect("read");
    let dockerfile = read("deploy/Dockerfile");
    let copied: BTreeSet<&str> = dockerfile
        .lines()
        .filter_map(|line| line.strip_prefix("COPY "))
        .filter(|line| !line.starts_with("--from"))
        .flat_map(|line| line.split_whitespace().rev().skip(1))
        .collect();
    let ignored = read(".dockerignore");
    let context = tempfile();
    for name in &copied {
        assert!(ignored.lines().any(|line| line == format!("!{name}")), ".dockerignore keeps {name} from the engine");
        let copy = context.join(name);
        std::fs::create_dir_all(copy.parent().expect("a folder")).expect("make a folder");
        std::os::unix::fs::symlink(root.join(name), copy).expect("link");
    }
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--offline", "--no-deps", "--format-version", "1"])
        .current_dir(&context)
        .output()
        .expect("run cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let version = read("Cargo.toml");
    let version = version.split("rust-version = \"").nth(1).and_then(|rest| rest.split('"').next()).expect("a version");
    assert!(dockerfile.contains(&format!("FROM rust:{version}")), "another compiler than {version}");
    std::fs::remove_dir_all(&context).expect("clean up");
}

/// With Docker's own client, where it is installed: what is missing is told by name.
#[test]
fn dockers_client_reads_the_file_and_names_what_is_missing() {
    let folder = tempfile();
    let env = folder.join("env");
    let lines: Vec<String> = fresh_env().iter().map(|(name, value)| format!("{name}={value}")).collect();
    std::fs::write(&env, lines.join("\n")).expect("write");
    if let Some(output) = config(&folder, &env) {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let without: Vec<String> = lines.into_iter().filter(|line| !line.starts_with("ORDERS_DB_PASSWORD=")).collect();
    std::fs::write(&env, without.join("\n")).expect("write");
    if let Some(output) = config(&folder, &env) {
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains("ORDERS_DB_PASSWORD"), "{said}");
        assert!(said.contains("is missing in deploy/.env"), "{said}");
    }
    std::fs::remove_dir_all(&folder).expect("clean up");
}

fn tempfile() -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("prost-compose-{}", uuid::Uuid::new_v4().simple()));
    std::fs::create_dir(&folder).expect("make a folder");
    folder
}

/// `config` of the plugin, else of the older program, which does not know the top-level `name` yet.
fn config(folder: &std::path::Path, env: &std::path::Path) -> Option<Output> {
    let arguments = |command: &mut Command, file: &std::path::Path| {
        command.arg("--project-directory").arg(compose::folder()).arg("--file").arg(file);
        command.arg("--env-file").arg(env).args(["config", "--quiet"]).env_clear();
        if let Ok(path) = std::env::var("PATH") {
            command.env("PATH", path);
        }
        command.output().ok()
    };
    let file = compose::folder().join("compose.yaml");
    let has_plugin = Command::new("docker").args(["compose", "version"]).output().is_ok_and(|it| it.status.success());
    if has_plugin {
        return arguments(Command::new("docker").arg("compose"), &file);
    }
    let text = std::fs::read_to_string(&file).expect("read");
    let older = folder.join("compose.yaml");
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("name:")).collect();
    std::fs::write(&older, lines.join("\n")).expect("write");
    arguments(&mut Command::new("docker-compose"), &older)
}
