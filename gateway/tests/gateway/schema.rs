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
