//! Every test that the page of reliability names is there.

mod sources;

use std::collections::BTreeSet;

use sources::{exists, folder_of};

const PAGE: &str = include_str!("../../docs/reliability.md");

/// Between backticks: a package, and a test in it.
fn named() -> BTreeSet<(&'static str, &'static str)> {
    let words = PAGE.split('`').skip(1).step_by(2).filter_map(|quoted| quoted.rsplit_once(' '));
    let tests = words.filter_map(|(before, test)| Some((before.split(' ').next()?, test)));
    tests.filter(|(package, test)| folder_of(package).is_some() && test.contains('_')).collect()
}

#[test]
fn every_test_that_is_named_exists() {
    let named = named();
    assert!(named.len() > 50, "only {} tests are named", named.len());
    let missing: Vec<_> = named.iter().filter(|(package, test)| !exists(package, test)).collect();
    assert!(missing.is_empty(), "docs/reliability.md names tests that do not exist: {missing:?}");
}

#[test]
fn a_test_in_another_module_is_missed() {
    let test = |module: &str| format!("{module}after_kill_9_of_the_server_nothing_is_lost_or_doubled");
    assert!(["", "postgres::"].iter().all(|module| exists("messaging", &test(module))));
    assert!(!["relays::", "*::"].iter().any(|module| exists("messaging", &test(module))));
}
