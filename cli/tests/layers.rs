//! Dependencies run one way: cli -> gateway, services -> service, messaging -> database -> events.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

const SERVICES: [&str; 6] = ["users", "products", "cart", "orders", "payments", "analytics"];

/// What each crate of the workspace may depend on, of the workspace.
fn allowed() -> BTreeMap<String, BTreeSet<String>> {
    let clients: Vec<String> = SERVICES.iter().map(|service| format!("{service}-client")).collect();
    let clients: Vec<&str> = clients.iter().map(String::as_str).collect();
    let mut rules: Vec<(String, Vec<&str>)> = vec![
        ("events".into(), vec![]),
        ("asyncapi".into(), vec![]),
        ("database".into(), vec!["events"]),
        ("messaging".into(), vec!["events", "database"]),
        ("service".into(), vec!["events", "database"]),
        ("operations".into(), vec!["events", "database", "messaging", "service"]),
        ("cache".into(), vec![]),
        ("servers".into(), vec![]),
        ("testkit".into(), vec!["events", "database", "messaging", "service", "servers"]),
        ("demo-catalogue".into(), vec!["events"]),
        ("proof".into(), vec!["events", "orders", "products", "cart", "cart-client", "payments", "payments-client"]),
        (
            "gateway".into(),
            [vec!["events", "asyncapi", "messaging", "service", "operations"], clients.clone()].concat(),
        ),
        (
            "cli".into(),
            [
                vec![
                    "events",
                    "asyncapi",
                    "database",
                    "messaging",
                    "service",
                    "operations",
                    "servers",
                    "cache",
                    "gateway",
                ],
                SERVICES.to_vec(),
                clients,
            ]
            .concat(),
        ),
    ];
    for service in SERVICES {
        rules.push((format!("{service}-client"), vec!["events", "service"]));
        let own = format!("{service}-client");
        let asks = match service {
            "orders" => vec!["cart-client", "payments-client"],
            "cart" => vec!["products-client"],
            "products" => vec!["demo-catalogue", "cache"],
            _ => vec![],
        };
        let mut may: Vec<String> = ["events", "database", "messaging", "service"].map(str::to_owned).to_vec();
        may.extend(asks.into_iter().map(str::to_owned));
        may.push(own);
        let may: Vec<&'static str> = may.into_iter().map(|name| &*Box::leak(name.into_boxed_str())).collect();
        rules.push((service.to_owned(), may));
    }
    rules.into_iter().map(|(name, may)| (name, may.into_iter().map(str::to_owned).collect())).collect()
}

#[test]
fn dependencies_run_one_way() {
    let metadata = MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo metadata");
    let allowed = allowed();
    let members: BTreeSet<String> = metadata.packages.iter().map(|package| package.name.to_string()).collect();
    let mut broken = Vec::new();
    for package in &metadata.packages {
        let name = package.name.to_string();
        let Some(may) = allowed.get(&name) else {
            broken.push(format!("{name} has no rule here"));
            continue;
        };
        for dependency in package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal) {
            if members.contains(&dependency.name) && !may.contains(&dependency.name) {
                broken.push(format!("{name} may not depend on {}", dependency.name));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
