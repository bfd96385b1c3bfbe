//! JSON Schemas out of what utoipa derives.
//!
//! utoipa speaks draft 2020-12, as OpenAPI 3.1 does; AsyncAPI's own dialect is a superset of draft 7. Where the two
//! differ, what both understand is written, so that every tool validates alike.

use serde_json::{Map, Value, json};
use utoipa::openapi::{RefOr, Schema};

/// Where the document keeps its schemas, and utoipa's references point.
pub const SCHEMAS: &str = "#/components/schemas/";

/// The time in every example: that of its `event_id`.
const TIME: &str = "2025-09-15T03:15:15.847Z";

/// The schema of a type.
pub fn of(schema: RefOr<Schema>) -> Value {
    common(serde_json::to_value(schema).expect("a schema is JSON"))
}

/// The same schema, in words that both drafts know.
fn common(schema: Value) -> Value {
    let Value::Object(words) = schema else { return schema };
    let mut common: Map<String, Value> = words.into_iter().map(|(word, value)| common_word(word, value)).collect();
    // Beside a reference draft 7 reads nothing.
    if common.len() > 1
        && let Some(reference) = common.remove("$ref")
    {
        common.insert("allOf".to_owned(), json!([{ "$ref": reference }]));
    }
    Value::Object(common)
}

fn common_word(word: String, value: Value) -> (String, Value) {
    let value = match (word.as_str(), value) {
        ("example", one) => return ("examples".to_owned(), json!([one])),
        ("properties", Value::Object(fields)) => {
            fields.into_iter().map(|(name, field)| (name, common(field))).collect()
        }
        ("allOf" | "anyOf" | "oneOf", Value::Array(parts)) => parts.into_iter().map(common).collect(),
        ("items", items) => common(items),
        (_, value) => value,
    };
    (word, value)
}

/// A value of this schema, made of the examples that its parts give. Null where a text gives none.
pub fn example(schema: &Value, schemas: &Map<String, Value>) -> Value {
    let first = |word: &str| schema[word].as_array().and_then(|values| values.first());
    if let Some(given) = first("examples").or_else(|| first("enum")) {
        return given.clone();
    }
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix(SCHEMAS)) {
        return example(&schemas[name], schemas);
    }
    if let Some(part) = first("allOf").or_else(|| first("oneOf")) {
        return example(part, schemas);
    }
    let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str());
    match kind.unwrap_or_default() {
        "object" => {
            let fields = schema["properties"].as_object().into_iter().flatten();
            fields.map(|(name, field)| (name.clone(), example(field, schemas))).collect()
        }
        "array" => json!([example(&schema["items"], schemas)]),
        "integer" => json!(1),
        "boolean" => json!(false),
        "string" if schema["format"] == "date-time" => json!(TIME),
        _ => Value::Null,
    }
}
