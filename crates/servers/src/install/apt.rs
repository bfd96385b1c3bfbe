//! Debian and Ubuntu packages.

use std::process::Stdio;

use tokio::process::Command;

use crate::{Error, Progress, Result, process::find_program};

use super::last_words;

/// Installs packages without starting any service: a temporary `policy-rc.d` forbids it, and
/// PostgreSQL's packages are told not to make a cluster. An existing `policy-rc.d` is respected.
/// Arguments: the packages.
const SCRIPT: &str = r#"
set -eu
policy=/usr/sbin/policy-rc.d
clusters=/etc/postgresql-common/createcluster.d/private-servers.conf
made_policy=
cleanup() { [ -z "$made_policy" ] || rm -f "$policy"; rm -f "$clusters"; }
trap cleanup EXIT
trap 'exit 1' HUP INT TERM
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
    made_policy=yes
fi
mkdir -p "$(dirname "$clusters")"
echo 'create_main_cluster = false' > "$clusters"
export DEBIAN_FRONTEND=noninteractive
install() {
    apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=300 \
        -o Dpkg::Options::=--force-confold "$@"
}
install "$@" || { apt-get update -q -o DPkg::Lock::Timeout=300 && install "$@"; }
"#;

/// Whether packages can be installed: `apt-get` exists and we are root or have sudo.
pub fn is_available() -> bool {
    find_program("apt-get").is_some() && (is_root() || find_program("sudo").is_some())
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Installs packages; as an ordinary user through sudo, which may ask for a password.
///
/// # Errors
/// [`Error::NotInstalled`] with the command that an administrator can run.
pub async fn install(what: &'static str, packages: &[&str], progress: &Progress) -> Result<()> {
    let by_hand = format!("sudo apt-get install {}", packages.join(" "));
    if !is_available() {
        return Err(Error::NotInstalled {
            what,
            causes: vec!["neither root nor sudo with apt-get is at hand".to_owned()],
            fix: format!("Let an administrator run: {by_hand}"),
        });
    }
    progress.step(format!("installing {what} ({})", packages.join(", ")));
    let mut command = if is_root() {
        Command::new("sh")
    } else {
        let mut sudo = Command::new("sudo");
        sudo.arg("sh");
        sudo
    };
    command.args(["-c", SCRIPT, "install"]).args(packages);
    let not_installed = |cause: String| Error::NotInstalled {
        what,
        causes: vec![format!("apt-get: {cause}")],
        fix: format!("Is there a network? Try it by hand: {by_hand}"),
    };
    let output = command.stdin(Stdio::inherit()).output().await.map_err(|error| not_installed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    Err(not_installed(last_words(&String::from_utf8_lossy(&output.stderr), output.status)))
}
