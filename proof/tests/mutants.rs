//! The list of mutants fits the code as it is; `./prost proof mutants` builds each in and runs its test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use proof::mutants::Mutant;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn every_mutant() -> Vec<Mutant> {
    let mutants = Mutant::all().expect("readable patches");
    assert!(mutants.len() >= 12, "only {} mutants", mutants.len());
    mutants
}

#[test]
fn every_mutant_fits_the_code() {
    for mutant in every_mutant() {
        let check = Command::new("git").current_dir(repository()).args(["apply", "--check"]).arg(&mutant.file).output();
        let said = check.expect("git runs");
        assert!(said.status.success(), "{}: {}", mutant.name, String::from_utf8_lossy(&said.stderr));
    }
}

#[test]
fn every_mutant_names_a_test_that_exists() {
    for mutant in every_mutant() {
        let folder =
            ["crates", "services"].map(|part| repository().join(part).join(&mutant.killer.package).join("tests"));
        let sources = sources_of(&folder.into_iter().find(|folder| folder.exists()).expect("the package has tests"));
        let name = mutant.killer.test.rsplit("::").next().expect("a path has a last part");
        let declared = format!("fn {name}(");
        assert!(sources.iter().any(|source| source.contains(&declared)), "{}: there is no {name}", mutant.name);
    }
}

/// Every file of Rust below.
fn sources_of(folder: &Path) -> Vec<String> {
    let mut sources = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources.extend(sources_of(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            sources.push(fs::read_to_string(&path).expect("a source"));
        }
    }
    sources
}
