//! Every GraphQL field there is, from what the gateway says of itself.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use super::World;

const QUERY: &str =
    "{ __schema { types { kind name fields { name args { name type { ...T } defaultValue } type { ...T } }
    inputFields { name type { ...T } defaultValue } enumValues { name } } } }
    fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";

/// How deep a selection goes, and how many of a nested list it takes.
const DEPTH: usize = 4;
const NESTED: usize = 1;

/// Of everything at once, only the surface: the limit on complexity allows no more, and what is below is asked for
/// by itself.
const SHALLOW: (&str, usize) = ("Findings", 2);

/// The types of the gateway's schema, by name.
pub struct Schema(BTreeMap<String, Value>);

/// A field that can be asked for, of Query, Mutation or Subscription.
#[derive(Debug, Clone)]
pub struct Root {
    /// `query`, `mutation` or `subscription`.
    pub kind: &'static str,
    pub field: Value,
}

impl Root {
    /// `Query.order`.
    pub fn name(&self) -> String {
        let of = match self.kind {
            "query" => "Query",
            "mutation" => "Mutation",
            _ => "Subscription",
        };
        format!("{of}.{}", self.field["name"].as_str().unwrap_or_default())
    }
}

impl Schema {
    pub async fn of(world: &World) -> Schema {
        let request = world.ask("gateway", Method::POST, "/graphql").json(&json!({"query": QUERY}));
        let answer = world.succeed(request).await.json;
        let types = answer["data"]["__schema"]["types"].as_array().unwrap_or_else(|| panic!("{answer}"));
        Schema(types.iter().map(|one| (one["name"].as_str().expect("a name").to_owned(), one.clone())).collect())
    }

    pub fn roots(&self) -> Vec<Root> {
        let of = |kind, name: &str| {
            let fields = self.fields(name).into_iter();
            fields.map(|field| Root { kind, field: field.clone() }).collect::<Vec<_>>()
        };
        [of("query", "Query"), of("mutation", "Mutation"), of("subscription", "Subscription")].concat()
    }

    /// Object types but the roots and those of introspection.
    pub fn objects(&self) -> impl Iterator<Item = &str> {
        let is_own = |name: &str| !["Query", "Mutation", "Subscription"].contains(&name) && !name.starts_with("__");
        let objects = self.0.values().filter(|one| one["kind"] == "OBJECT");
        objects.filter_map(|one| one["name"].as_str()).filter(move |name| is_own(name))
    }

    pub fn fields(&self, of: &str) -> Vec<&Value> {
        self.0.get(of).and_then(|one| one["fields"].as_array()).into_iter().flatten().collect()
    }

    /// A named type.
    pub fn named(&self, name: &str) -> &Value {
        self.0.get(name).unwrap_or(&Value::Null)
    }

    /// All there is below a type, as a selection set; nothing where there is nothing to select.
    pub fn selection(&self, type_name: &str) -> String {
        self.select(type_name, &mut Vec::new())
    }

    fn select(&self, type_name: &str, above: &mut Vec<String>) -> String {
        if self.named(type_name)["kind"] != "OBJECT" {
            return String::new();
        }
        let depth = if above.first().is_some_and(|first| first == SHALLOW.0) { SHALLOW.1 } else { DEPTH };
        if above.len() == depth || above.iter().any(|name| name == type_name) {
            return " { __typename }".to_owned();
        }
        above.push(type_name.to_owned());
        let selected: String = self.fields(type_name).iter().map(|field| self.select_field(field, above)).collect();
        above.pop();
        format!(" {{{selected} }}")
    }

    fn select_field(&self, field: &Value, above: &mut Vec<String>) -> String {
        let arguments = field["args"].as_array().expect("arguments");
        if arguments.iter().any(|argument| argument["type"]["kind"] == "NON_NULL" && argument["defaultValue"].is_null())
        {
            return String::new();
        }
        let is_list = arguments.iter().any(|argument| argument["name"] == "first");
        let first = if is_list { format!("(first: {NESTED})") } else { String::new() };
        let name = field["name"].as_str().expect("a name");
        format!(" {name}{first}{}", self.select(innermost(&field["type"]), above))
    }

    /// A document for a root field, with a variable for each of these arguments.
    pub fn document(&self, root: &Root, arguments: &Value) -> String {
        let given = |argument: &&Value| arguments.get(argument["name"].as_str().unwrap_or_default()).is_some();
        let given: Vec<&Value> = root.field["args"].as_array().into_iter().flatten().filter(given).collect();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let list =
            |parts: Vec<String>| if parts.is_empty() { String::new() } else { format!("({})", parts.join(", ")) };
        let declared = given.iter().map(|one| format!("${}: {}", text(&one["name"]), written(&one["type"]))).collect();
        let passed = given.iter().map(|one| format!("{0}: ${0}", text(&one["name"]))).collect();
        let selection = self.selection(innermost(&root.field["type"]));
        format!("{}{} {{ {}{}{selection} }}", root.kind, list(declared), text(&root.field["name"]), list(passed))
    }
}

/// The named type within lists and non-nulls.
pub fn innermost(type_: &Value) -> &str {
    match type_["name"].as_str() {
        Some(name) => name,
        None if type_["ofType"].is_object() => innermost(&type_["ofType"]),
        None => "",
    }
}

/// A type as it is written in a document.
pub fn written(type_: &Value) -> String {
    match type_["kind"].as_str() {
        Some("NON_NULL") => format!("{}!", written(&type_["ofType"])),
        Some("LIST") => format!("[{}]", written(&type_["ofType"])),
        _ => type_["name"].as_str().unwrap_or_default().to_owned(),
    }
}
