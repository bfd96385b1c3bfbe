//! The list of mutants fits the code as it is; `./prost proof mutants` builds each in and runs its test.

mod sources;

use std::path::{Path, PathBuf};
use std::process::Command;

use proof::mutants::Mutant;
use sources::exists;

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
        let killer = &mutant.killer;
        assert!(exists(&killer.package, &killer.test), "{}: there is no {}", mutant.name, killer.test);
    }
}
