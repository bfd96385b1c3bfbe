//! `prost doctor`: a sound shop is sound, and what is wrong is named with what to do about it.

use std::process::Command;

use serde_json::Value;

use crate::support::{Shop, Transport};

/// What it found out, and its exit code.
fn examine(command: &mut Command) -> (Vec<Value>, Option<i32>) {
    let output = command.output().expect("run prost");
    let findings: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    (findings.as_array().expect("a list").clone(), output.status.code())
}

/// The one bad finding: what it is about, what was found, what to do.
fn only_fault(findings: &[Value]) -> (&str, &str, &str) {
    let bad: Vec<&Value> = findings.iter().filter(|finding| finding["verdict"] == "bad").collect();
    let [fault] = bad[..] else { panic!("one fault expected: {bad:?}") };
    let text = |field: &str| fault[field].as_str().unwrap_or_else(|| panic!("no {field}: {fault}"));
    (text("what"), text("found"), text("advice"))
}

#[tokio::test]
async fn doctor_finds_nothing_wrong_with_a_sound_shop() {
    let shop = Shop::migrated(Transport::Rabbit).await;
    let (findings, code) = examine(&mut shop.command(&["doctor", "--json"]));
    assert_eq!(code, Some(0), "{findings:?}");
    let seen: Vec<&str> = findings.iter().filter_map(|finding| finding["what"].as_str()).collect();
    for expected in ["prost", "memory", "disk", "open files", "database", "connections", "broker", "tables of orders"] {
        let is_there = cfg!(target_os = "linux") || expected != "memory";
        assert_eq!(seen.contains(&expected), is_there, "{expected}: {seen:?}");
    }
    assert!(seen.iter().any(|what| what.starts_with("ports ")), "{seen:?}");
}

#[tokio::test]
async fn doctor_names_what_is_wrong_and_what_to_do() {
    let shop = Shop::migrated(Transport::Postgres).await;
    let doctor = || shop.command(&["doctor", "--json"]);

    let (findings, code) = examine(doctor().env("DATABASE_POOL_MAX", "5000"));
    let (what, found, advice) = only_fault(&findings);
    assert!(what == "connections" && found.contains("35000") && advice.contains("max_connections"), "{findings:?}");
    assert_eq!(code, Some(1));

    shop.database.owner().await.batch_execute("ALTER TABLE orders.timeline RENAME TO gone").await.expect("rename");
    let (findings, code) = examine(&mut doctor());
    let (what, found, advice) = only_fault(&findings);
    assert!(what == "tables of orders" && found.contains("timeline") && advice.contains("migrate up"), "{findings:?}");
    assert_eq!(code, Some(1));

    let nowhere = "postgres://somebody:s3cret@127.0.0.1:1/prost";
    let (findings, code) = examine(doctor().env("DATABASE_URL", nowhere));
    let (what, found, advice) = only_fault(&findings);
    assert!(what == "database" && advice.contains("DATABASE_URL") && !found.contains("s3cret"), "{findings:?}");
    assert_eq!(code, Some(1));
}
