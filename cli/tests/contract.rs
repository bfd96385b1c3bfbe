//! `docs/contract.md` names tests that exist.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The names of all tests below a folder.
fn tests_below(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("list a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            tests_below(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("read a source file");
            let mut is_test = false;
            for line in text.lines().map(str::trim) {
                is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
                let name = line.split_once("fn ").and_then(|(_, rest)| rest.split_once('(')).map(|(name, _)| name);
                if let Some(name) = name.filter(|_| is_test) {
                    names.insert(name.to_owned());
                    is_test = false;
                }
            }
        }
    }
}

#[test]
fn every_test_that_the_contract_names_exists() {
    let mut tests = BTreeSet::new();
    for folder in ["crates", "services", "gateway", "cli", "proof"] {
        tests_below(&root().join(folder), &mut tests);
    }
    let page = std::fs::read_to_string(root().join("docs/contract.md")).expect("read the page");
    let mut missing = Vec::new();
    for row in page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| promise")) {
        let cells: Vec<&str> = row.split(" | ").collect();
        let [promise, proof] = cells[..] else { panic!("a row of another shape: {row}") };
        let names: Vec<&str> = proof.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty() || promise.contains("**Waits**"), "nothing proves: {promise}");
        missing.extend(names.into_iter().filter(|name| !tests.contains(*name)));
    }
    assert!(missing.is_empty(), "no such tests: {missing:?}");
}
