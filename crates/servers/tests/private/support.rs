//! A folder for one test, with whatever was started in it ended at the end, also when the test fails.

use std::path::{Path, PathBuf};

use servers::Progress;

pub struct TestFolder {
    path: PathBuf,
}

impl TestFolder {
    pub fn new() -> TestFolder {
        let random = servers::new_secret();
        let path = std::env::temp_dir().join(format!("servers-{}", &random[..12]));
        std::fs::create_dir_all(&path).expect("create the folder");
        TestFolder { path }
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for TestFolder {
    fn drop(&mut self) {
        let script = r#"
            exec 2>/dev/null
            for proc in /proc/[0-9]*; do
                if tr '\0' ' ' < "$proc/cmdline" | grep -qF -- "$1/" \
                    || tr '\0' '\n' < "$proc/environ" | grep -qF -- "=$1/" \
                    || readlink "$proc/cwd" | grep -qF -- "$1/"; then
                    [ "${proc#/proc/}" = $$ ] || kill -9 "${proc#/proc/}"
                fi
            done
            rm -rf "$1""#;
        let ended = std::process::Command::new("sh").args(["-c", script, "sh"]).arg(&self.path).status();
        if let Err(error) = ended {
            eprintln!("cannot clean {}: {error}", self.path.display());
        }
    }
}

/// A stand-in for a server that was just killed: recognised by its command line, and gone in a moment.
pub fn dying(pid_file: &Path, marker: &str) -> std::process::Child {
    let mut sleep = std::process::Command::new("sh");
    let dying = sleep.args(["-c", "sleep 0.3; true", marker]).spawn().expect("spawn a stand-in");
    std::fs::write(pid_file, dying.id().to_string()).expect("write its process id");
    dying
}

pub fn progress() -> Progress {
    Progress::new(|step| eprintln!("{step}"))
}
