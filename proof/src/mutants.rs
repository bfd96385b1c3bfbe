//! Faults built into the product's own code, one at a time: `proof/mutants/*.patch`. Each names the test that has to
//! catch it. A copy of the last commit is patched, never this tree.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A test that takes longer is hung, and counts as failed, as it does in `./prost test`.
const HUNG: Duration = Duration::from_secs(300);

/// Every patch of the repository.
pub const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/mutants");

/// A fault that can be built in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutant {
    /// Its file's name, without the ending.
    pub name: String,
    /// The patch.
    pub file: PathBuf,
    /// What is wrong with it.
    pub breaks: String,
    /// Who notices.
    pub killer: Killer,
}

/// A test, by package, test binary and path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Killer {
    /// The package.
    pub package: String,
    /// Its test binary.
    pub binary: String,
    /// The test's path in it.
    pub test: String,
}

/// What became of a mutant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// The named test failed.
    Caught,
    /// The named test passed.
    Survived,
    /// It proves nothing: the reason.
    Invalid(String),
}

impl Mutant {
    /// Reads a patch: the lines `Breaks: …` and `Caught by: PACKAGE BINARY TEST`, then the difference.
    ///
    /// Errors: the file cannot be read, or its head is not like that.
    pub fn read(file: &Path) -> io::Result<Mutant> {
        let text = fs::read_to_string(file)?;
        let line = |head: &str| text.lines().find_map(|line| line.strip_prefix(head)).map(str::trim);
        let killer = line("Caught by:").map(|words| words.split_whitespace().collect::<Vec<_>>());
        let name = file.file_stem().and_then(|stem| stem.to_str());
        match (name, line("Breaks:"), killer.as_deref()) {
            (Some(name), Some(breaks), Some([package, binary, test])) => Ok(Mutant {
                name: name.to_owned(),
                file: file.to_owned(),
                breaks: breaks.to_owned(),
                killer: Killer {
                    package: (*package).to_owned(),
                    binary: (*binary).to_owned(),
                    test: (*test).to_owned(),
                },
            }),
            _ => Err(io::Error::other(format!("{}: no `Breaks:` or `Caught by:` as they have to be", file.display()))),
        }
    }

    /// All of them, by name.
    pub fn all() -> io::Result<Vec<Mutant>> {
        let files =
            fs::read_dir(FOLDER)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
        let patches = files.iter().filter(|file| file.extension().is_some_and(|ending| ending == "patch"));
        let mut mutants = patches.map(|file| Mutant::read(file)).collect::<io::Result<Vec<_>>>()?;
        mutants.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(mutants)
    }
}

/// A copy of the repository that may be broken, with a target folder of its own.
pub struct Copy {
    tree: PathBuf,
    target: PathBuf,
    /// Of all mutants, so that each build has the same features and dependencies are built once.
    packages: Vec<String>,
}

impl Copy {
    /// A copy of the last commit, in `folder`, which is used again next time.
    ///
    /// Errors: git fails.
    pub fn make(folder: &Path, mutants: &[Mutant]) -> io::Result<Copy> {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
        let tree = folder.join("tree");
        fs::create_dir_all(&tree)?;
        if !tree.join(".git").exists() {
            succeed(Command::new("git").arg("init").arg("--quiet").arg(&tree))?;
        }
        let mut packages: Vec<String> = mutants.iter().map(|mutant| mutant.killer.package.clone()).collect();
        packages.sort_unstable();
        packages.dedup();
        let copy = Copy { tree, target: folder.join("target"), packages };
        succeed(copy.git().args(["fetch", "--quiet"]).arg(&repository).arg("HEAD"))?;
        succeed(copy.git().args(["checkout", "--quiet", "--force", "FETCH_HEAD"]))?;
        Ok(copy)
    }

    /// Builds one mutant in, runs its test, and takes it out again.
    ///
    /// Errors: git or cargo cannot be run.
    pub fn try_out(&self, mutant: &Mutant) -> io::Result<Fate> {
        if !self.git().arg("apply").arg(&mutant.file).status()?.success() {
            return Ok(Fate::Invalid("the patch does not apply to the last commit".to_owned()));
        }
        let fate = self.judge(mutant);
        succeed(self.git().args(["apply", "--reverse"]).arg(&mutant.file))?;
        fate
    }

    fn judge(&self, mutant: &Mutant) -> io::Result<Fate> {
        if !self.cargo(&mutant.killer).arg("--no-run").stderr(Stdio::inherit()).status()?.success() {
            return Ok(Fate::Invalid("it does not build".to_owned()));
        }
        Ok(if self.passes(&mutant.killer)? { Fate::Survived } else { Fate::Caught })
    }

    /// Runs a test to its end; whether it passed.
    ///
    /// Errors: cargo cannot be run, or there is no such test.
    pub fn passes(&self, killer: &Killer) -> io::Result<bool> {
        let mut command = self.cargo(killer);
        let list = command.args(["--", "--exact", "--list", &killer.test]).output()?;
        if list.status.success() && !String::from_utf8_lossy(&list.stdout).contains(&killer.test) {
            return Err(io::Error::other(format!("{} has no test {}", killer.package, killer.test)));
        }
        let mut command = self.cargo(killer);
        let mut child = command.args(["--", "--exact", &killer.test]).stdout(Stdio::null()).process_group(0).spawn()?;
        let begun = Instant::now();
        while begun.elapsed() < HUNG {
            if let Some(status) = child.try_wait()? {
                return Ok(status.success());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        // With the test that cargo waits for.
        succeed(Command::new("kill").args(["-9", "--", &format!("-{}", child.id())]))?;
        child.wait()?;
        Ok(false)
    }

    fn git(&self) -> Command {
        let mut git = Command::new("git");
        git.arg("-C").arg(&self.tree);
        git
    }

    fn cargo(&self, killer: &Killer) -> Command {
        let mut cargo = Command::new("cargo");
        cargo.current_dir(&self.tree).args(["test", "--quiet", "--locked"]);
        for package in &self.packages {
            cargo.args(["--package", package]);
        }
        cargo.args(["--test", &killer.binary]);
        cargo.env("CARGO_TARGET_DIR", &self.target).env("CARGO_PROFILE_DEV_DEBUG", "0").stderr(Stdio::null());
        cargo
    }
}

fn succeed(command: &mut Command) -> io::Result<()> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr))))
}
