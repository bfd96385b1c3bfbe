//! The schema is the one that is committed, and every part of it says what it is.

use serde_json::Value;

use crate::support::Running;

/// After a change of the schema: `UPDATE_SCHEMA=1 cargo test -p gateway`, and read the difference.
#[test]
fn the_committed_schema_is_that_of_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(path, gateway::sdl()).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap();
    assert!(committed == gateway::sdl(), "schema.graphql is out of date; UPDATE_SCHEMA=1 writes it");
}

#[tokio::test]
async fn everything_is_described() {
    let query = "{__schema{types{name kind description
        fields{name description args{name description}}
        inputFields{name description}
        enumValues{name description}}}}";
    let answer = Running::new().post(query, None).await;
    let types = answer["data"]["__schema"]["types"].as_array().unwrap();
    let mut silent = Vec::new();
    // `ID` is the language's own.
    let ours = |of: &&Value| of["name"].as_str().is_some_and(|name| !name.starts_with("__") && name != "ID");
    for of in types.iter().filter(ours) {
        note(&mut silent, of["name"].as_str().unwrap(), of);
        for part in ["fields", "inputFields", "enumValues"] {
            for member in of[part].as_array().into_iter().flatten() {
                let path = format!("{}.{}", of["name"], member["name"]);
                note(&mut silent, &path, member);
                for argument in member["args"].as_array().into_iter().flatten() {
                    note(&mut silent, &format!("{path}({})", argument["name"]), argument);
                }
            }
        }
    }
    assert_eq!(silent, Vec::<String>::new());
}

fn note(silent: &mut Vec<String>, path: &str, of: &Value) {
    if of["description"].as_str().is_none_or(str::is_empty) {
        silent.push(path.to_owned());
    }
}

#[tokio::test]
async fn the_schema_is_served() {
    let request = axum::http::Request::get("/schema.graphql").body(axum::body::Body::empty()).unwrap();
    let (status, _, body) = Running::new().send(request).await;
    assert_eq!((status.as_u16(), body), (200, gateway::sdl()));
}

#[tokio::test]
async fn what_the_events_look_like_is_served() {
    let request = axum::http::Request::get("/asyncapi.json").body(axum::body::Body::empty()).unwrap();
    let (status, headers, body) = Running::new().send(request).await;
    assert_eq!((status.as_u16(), &headers["content-type"]), (200, &"application/json".parse().unwrap()));
    assert_eq!(body, asyncapi::DOCUMENT);
}

/// Every mutation is `x(input: XInput!): XPayload!`, with an idempotency key in the input; `!` may be missing where
/// nothing has to be said. Whoever logs in or refreshes does so anew each time.
#[tokio::test]
async fn mutations_are_of_one_shape() {
    const ANEW: [&str; 2] = ["loginUser", "refreshSession"];
    let query = "{__schema{mutationType{fields{name type{kind ofType{name fields{name type{kind}}}}
        args{name type{kind name inputFields{...F} ofType{name inputFields{...F}}}}}}}}
        fragment F on __InputValue{name type{kind name}}";
    let answer = Running::new().post(query, None).await;
    let mutations = answer["data"]["__schema"]["mutationType"]["fields"].as_array().unwrap();
    assert!(mutations.len() > 25, "{}", mutations.len());
    for mutation in mutations {
        let name = mutation["name"].as_str().unwrap();
        let capital = name[..1].to_uppercase() + &name[1..];
        let [input] = mutation["args"].as_array().unwrap().as_slice() else { panic!("{name} has not one argument") };
        let (kind, is_optional) = (&input["type"], input["type"]["kind"] != "NON_NULL");
        let kind = if is_optional { kind } else { &kind["ofType"] };
        assert_eq!((&input["name"], &kind["name"]), (&"input".into(), &format!("{capital}Input").into()), "{name}");
        let fields = kind["inputFields"].as_array().unwrap();
        let is_required = fields.iter().any(|field| field["type"]["kind"] == "NON_NULL");
        assert!(!is_optional || !is_required, "{name} needs an input");
        let key = fields.iter().find(|field| field["name"] == "idempotencyKey").map(|key| &key["type"]["name"]);
        assert_eq!(key, (!ANEW.contains(&name)).then_some(&"String".into()), "{name}");

        assert_eq!(mutation["type"]["kind"], "NON_NULL", "{name}");
        let payload = &mutation["type"]["ofType"];
        assert_eq!(payload["name"], format!("{capital}Payload"), "{name}");
        let fields = payload["fields"].as_array().unwrap();
        assert!(fields.iter().any(|field| field["name"] == "userErrors"), "{name}");
    }
}
