//! Every REST operation there is, from the description that each service gives of itself.

use reqwest::Method;
use serde_json::Value;

use super::World;
use crate::support::shop::SERVICES;

/// What every service has for whoever watches it; nobody logs in there.
const WATCHED: [&str; 4] = ["/health", "/livez", "/readyz", "/metrics"];

/// One operation, as its service describes it.
#[derive(Debug, Clone)]
pub struct Described {
    pub service: &'static str,
    pub method: Method,
    pub path: String,
    /// Its parameters and body; what they refer to lies in `components`.
    pub operation: Value,
    pub components: Value,
}

/// What every process tells of itself is nobody's; GraphQL has a surface of its own.
const ELSEWHERE: [&str; 2] = ["process", "graphql"];

/// Every operation of every service. The gateway offers GraphQL: its fields are told by [`super::introspection`].
pub async fn operations(world: &World) -> Vec<Described> {
    let mut all = Vec::new();
    for service in SERVICES.into_iter().filter(|service| *service != "gateway") {
        let document = world.succeed(world.ask(service, Method::GET, "/openapi.json")).await.json;
        let paths = document["paths"].as_object().into_iter().flatten();
        for (path, operations) in paths.filter(|(path, _)| !WATCHED.contains(&path.as_str())) {
            for (method, operation) in operations.as_object().expect("operations by method") {
                let Ok(method) = Method::from_bytes(method.to_uppercase().as_bytes()) else { continue };
                if operation["tags"][0].as_str().is_some_and(|tag| ELSEWHERE.contains(&tag)) {
                    continue;
                }
                all.push(Described {
                    service,
                    method,
                    path: path.clone(),
                    operation: operation.clone(),
                    components: document["components"]["schemas"].clone(),
                });
            }
        }
    }
    assert!(all.len() > 50, "only {} operations were found", all.len());
    all
}

/// Where a schema refers to another, or to another or null, that one.
pub fn resolve<'a>(schema: &'a Value, components: &'a Value) -> &'a Value {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return resolve(&components[name], components);
    }
    let alternatives = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array());
    let other_than_null = |one: &&Value| one["type"] != "null";
    match alternatives.map(|all| all.iter().filter(other_than_null).collect::<Vec<_>>()) {
        Some(rest) if rest.len() == 1 => resolve(rest[0], components),
        _ => schema,
    }
}
