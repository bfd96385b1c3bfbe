//! The document is made of the code, valid and complete, and its schemas take what the code takes.

mod channels;
mod made;
mod messages;
mod schema;

use std::collections::BTreeSet;

use events::Event;
use events::topology::{EVENTS, EventVisitor, QUEUES, visit_events};
use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

/// After a change of the events: `UPDATE_SCHEMA=1 cargo test -p asyncapi`, and read the difference.
#[test]
fn the_committed_document_is_that_of_the_code() {
    let made = serde_json::to_string_pretty(&made::document()).unwrap() + "\n";
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/asyncapi.json");
        std::fs::write(path, made).unwrap();
    } else {
        assert!(asyncapi::DOCUMENT == made, "docs/asyncapi.json is out of date; UPDATE_SCHEMA=1 writes it");
    }
}

/// As others read it.
fn committed() -> Value {
    serde_json::from_str(asyncapi::DOCUMENT).expect("JSON")
}

#[test]
fn the_document_is_asyncapi_3() {
    let specification: Value = serde_json::from_str(include_str!("data/asyncapi-3.0.0.schema.json")).unwrap();
    let specification = jsonschema::options().with_draft(Draft::Draft7).build(&specification).unwrap();
    let document = committed();
    let found: Vec<String> = specification.iter_errors(&document).map(|error| error.to_string()).collect();
    assert!(found.is_empty(), "{found:?}");

    for (place, wrong) in [
        ("/info/title", json!(3)),
        ("/channels/cart.events/bindings/amqp/exchange/type", json!("magic")),
        ("/operations/cart.sends.CartCleared.v1/action", json!("shout")),
        ("/components/schemas/Money/properties/amount/type", json!("money")),
    ] {
        let mut other = document.clone();
        *other.pointer_mut(place).unwrap_or_else(|| panic!("{place} is not there")) = wrong;
        assert!(!specification.is_valid(&other), "whatever stands at {place} is taken");
    }
}

#[test]
fn references_lead_somewhere_and_nothing_is_left_over() {
    fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str));
                fields.values().for_each(|field| references(field, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let document = committed();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    let lost: Vec<&&str> = found.iter().filter(|reference| document.pointer(&reference[1..]).is_none()).collect();
    assert!(lost.is_empty(), "{lost:?}");
    for kind in ["schemas", "messages"] {
        let unused: Vec<&String> = names(&document["components"][kind])
            .filter(|name| !found.contains(format!("#/components/{kind}/{name}").as_str()))
            .collect();
        assert!(unused.is_empty(), "{unused:?}");
    }
}

#[test]
fn every_event_key_and_queue_is_described_and_no_other() {
    let document = committed();
    let messages: BTreeSet<&str> = names(&document["components"]["messages"]).map(String::as_str).collect();
    let events: Vec<String> = EVENTS.iter().map(|event| format!("{}.v{}", event.event_type, event.version)).collect();
    assert_eq!(messages, events.iter().map(String::as_str).collect());

    let there: BTreeSet<_> =
        EVENTS.iter().map(|event| (event.exchange.name().to_owned(), event.routing_key.to_owned())).collect();
    let (mut described, mut queues) = (BTreeSet::new(), BTreeSet::new());
    for channel in document["channels"].as_object().unwrap().values() {
        let binding = &channel["bindings"]["amqp"];
        let keys = channel["parameters"]["routing_key"]["enum"].as_array().into_iter().flatten();
        described.extend(keys.map(|key| (text(&binding["exchange"]["name"]), text(key))));
        queues.extend(binding["queue"]["name"].as_str().map(str::to_owned));
    }
    assert_eq!(described, there, "in the channels");
    assert_eq!(queues, QUEUES.iter().map(|queue| queue.name()).collect());

    let operations = document["operations"].as_object().unwrap().values();
    let sent = operations.filter(|operation| operation["action"] == "send").map(|send| {
        let channel = document.pointer(&text(&send["channel"]["$ref"])[1..]).unwrap();
        (text(&channel["bindings"]["amqp"]["exchange"]["name"]), text(&send["bindings"]["amqp"]["cc"][0]))
    });
    assert_eq!(sent.collect::<BTreeSet<_>>(), there, "in the operations");
}

/// Every field of every event, missing or of any other kind: the published schema takes exactly what the code reads.
#[test]
fn schemas_take_what_the_code_takes_and_nothing_else() {
    let mut compared = Compared { document: committed(), values: 0 };
    visit_events(&mut compared);
    assert!(compared.values > 1_000, "only {} values were compared", compared.values);
}

struct Compared {
    document: Value,
    values: usize,
}

impl EventVisitor for Compared {
    fn visit<E: Event>(&mut self) {
        let name = format!("{}.v{}", E::TYPE, E::VERSION);
        let message = &self.document["components"]["messages"][&name];
        let example = &message["examples"][0]["payload"];
        let whole = format!("#/components/messages/{name}/payload");
        for draft in [Draft::Draft7, Draft::Draft202012] {
            self.validator(&whole, draft).validate(example).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        let payload = &example["payload"];
        let read: E = serde_json::from_value(payload.clone()).expect("the example is read");
        assert_eq!(&serde_json::to_value(&read).expect("JSON"), payload, "the example of {name} has every field");

        let schema = self.validator(&format!("#/components/schemas/{name}"), Draft::Draft202012);
        for other in others(payload) {
            let is_read = serde_json::from_value::<E>(other.clone()).is_ok();
            assert_eq!(schema.is_valid(&other), is_read, "{name}: read: {is_read}, {other}");
            self.values += 1;
        }
    }
}

impl Compared {
    fn validator(&self, reference: &str, draft: Draft) -> Validator {
        let schema = json!({ "allOf": [{ "$ref": reference }], "components": self.document["components"] });
        jsonschema::options().with_draft(draft).should_validate_formats(true).build(&schema).expect("a schema")
    }
}

/// The value with each of its parts, at any depth, taken away, added to, or replaced by something of another kind.
fn others(value: &Value) -> Vec<Value> {
    let mut others = vec![json!(null), json!(true), json!(-1), json!(12.99), json!("x"), json!([]), json!({})];
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let with = |field: Option<Value>| -> Value {
                    let mut fields: Map<String, Value> = fields.clone();
                    fields.remove(name);
                    fields.extend(field.map(|field| (name.clone(), field)));
                    fields.into()
                };
                others.push(with(None));
                others.extend(self::others(field).into_iter().map(|field| with(Some(field))));
            }
            let more = fields.clone().into_iter().chain([("more".to_owned(), json!(1))]);
            others.push(more.collect());
        }
        Value::Array(items) => {
            let item = items.first().expect("an example of an item");
            others.extend(self::others(item).into_iter().map(|item| json!([item])));
        }
        _ => {}
    }
    others
}

fn names(of: &Value) -> impl Iterator<Item = &String> {
    of.as_object().expect("an object").keys()
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
