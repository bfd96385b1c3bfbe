//! Every test that the page of reliability names is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const PAGE: &str = include_str!("../../docs/reliability.md");

/// Between backticks: a package, and the path of a test in it.
fn named() -> BTreeSet<(&'static str, &'static str)> {
    let words = PAGE.split('`').skip(1).step_by(2).filter_map(|quoted| quoted.rsplit_once(' '));
    let tests = words.filter_map(|(before, test)| Some((before.split(' ').next()?, test.rsplit("::").next()?)));
    tests.filter(|(package, test)| folder_of(package).is_some() && test.contains('_')).collect()
}

/// Where a package has its tests.
fn folder_of(package: &str) -> Option<String> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let folders = ["crates/", "services/", ""].map(|part| format!("{root}/{part}{package}/tests"));
    folders.into_iter().find(|folder| Path::new(folder).is_dir())
}

/// All sources below, one after the other.
fn sources_of(folder: &Path) -> String {
    let mut sources = String::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources += &sources_of(&path);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            sources += &fs::read_to_string(&path).expect("a source");
        }
    }
    sources
}

#[test]
fn every_test_that_is_named_exists() {
    let named = named();
    assert!(named.len() > 50, "only {} tests are named", named.len());
    let missing: Vec<_> = named
        .iter()
        .filter(|(package, test)| {
            let folder = folder_of(package).expect("it has tests");
            !sources_of(Path::new(&folder)).contains(&format!("fn {test}("))
        })
        .collect();
    assert!(missing.is_empty(), "docs/reliability.md names tests that do not exist: {missing:?}");
}
