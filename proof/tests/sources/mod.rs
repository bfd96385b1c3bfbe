//! The tests of the repository, as they stand in its sources.

use std::fs;
use std::path::{Path, PathBuf};

/// Where a package has its tests.
pub fn folder_of(package: &str) -> Option<PathBuf> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let folders = ["crates/", "services/", ""].map(|part| PathBuf::from(format!("{root}/{part}{package}/tests")));
    folders.into_iter().find(|folder| folder.is_dir())
}

/// All sources below.
fn sources_of(folder: &Path) -> Vec<(PathBuf, String)> {
    let paths = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let of_path = |path: PathBuf| match path.extension() {
        _ if path.is_dir() => sources_of(&path),
        Some(ending) if ending == "rs" => vec![(path.clone(), fs::read_to_string(path).expect("a source"))],
        _ => Vec::new(),
    };
    paths.flat_map(of_path).collect()
}

/// Whether a package has a test of that name, in the module that stands before it, if one does. A module is a file or a
/// folder; or one of those that a list of tests is made into, once for each, and `*` stands for them all.
pub fn exists(package: &str, path: &str) -> bool {
    let (module, test) = path.rsplit_once("::").map_or((None, path), |(module, test)| (Some(module), test));
    let sources = sources_of(&folder_of(package).expect("it has tests"));
    let is_written = |(path, source): &(PathBuf, String)| {
        let is_there = |module| path.with_extension("").components().any(|part| part.as_os_str() == module);
        source.contains(&format!("fn {test}(")) && module.is_none_or(is_there)
    };
    let is_listed = |(_, source): &(PathBuf, String)| {
        let is_made = |module| module == "*" || source.contains(&format!("mod {module} {{"));
        source.contains(&format!("::{test},")) && module.is_some_and(is_made)
    };
    sources.iter().any(|source| is_written(source) || is_listed(source))
}
