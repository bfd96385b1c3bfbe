//! Making the data folder.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::{
    process::Command,
    time::{Instant, sleep},
};

use crate::{
    Error, Progress, Result,
    folder::{self, FolderLock, enterable_by},
    ports::free_port,
    process::RunAs,
};

use super::{PostgresBinaries, PostgresServer, Remembered};

/// Begins the extension of a data folder that is being made.
const UNFINISHED: &str = "new";
/// What a killed start called may go on for about a second.
const ORPHAN_LIMIT: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(20);

/// Parent of data folders whose own place is closed to the server's user; only root needs it.
const ELSEWHERE: &str = "/var/lib/prost";

/// PostgreSQL refuses to run as root: then it runs as `postgres`, or `nobody` where that does not exist.
pub(super) fn run_as() -> Result<Option<RunAs>> {
    if !nix::unistd::geteuid().is_root() {
        return Ok(None);
    }
    for name in ["postgres", "_postgres", "nobody"] {
        let user = nix::unistd::User::from_name(name).map_err(|errno| Error::Failed {
            what: "looking up a user for PostgreSQL",
            cause: errno.to_string(),
            fix: "Check the system's user database".to_owned(),
        })?;
        if let Some(user) = user {
            return Ok(Some(RunAs { uid: user.uid.as_raw(), gid: user.gid.as_raw() }));
        }
    }
    Err(Error::Failed {
        what: "PostgreSQL",
        cause: "it refuses to run as root, and neither the user postgres nor nobody exists".to_owned(),
        fix: "Run this command as an ordinary user".to_owned(),
    })
}

impl PostgresServer {
    /// The data folder and the port, made if they do not exist. The caller holds the lock.
    pub(super) async fn cluster(
        &self,
        _lock: &FolderLock,
        user: Option<RunAs>,
        progress: &Progress,
    ) -> Result<(Remembered, PostgresBinaries)> {
        if let Some(remembered) = self.remembered()? {
            if let Some(version) = data_version(&remembered.data) {
                let binaries = PostgresBinaries::find_or_install(Some(version), user, progress).await?;
                return Ok((remembered, binaries));
            }
            return Err(Error::Damaged {
                path: self.settings_file(),
                cause: format!(
                    "the database's files in {} are gone, so what was stored is lost; \
                     delete the data folder to begin anew",
                    remembered.data.display()
                ),
            });
        }
        let binaries = PostgresBinaries::find_or_install(None, user, progress).await?;
        let data = self.place_for_data(user, progress)?;
        self.make_data(&binaries, &data, user, progress).await?;
        let remembered = Remembered { port: free_port()?, data };
        folder::remember(&self.settings_file(), &remembered)?;
        Ok((remembered, binaries))
    }

    fn place_for_data(&self, user: Option<RunAs>, progress: &Progress) -> Result<PathBuf> {
        let folder = self.absolute_folder()?;
        let Some(user) = user else {
            return Ok(folder.join("data"));
        };
        if enterable_by(&folder, user)? {
            return Ok(folder.join("data"));
        }
        let random = folder::new_secret();
        let elsewhere = Path::new(ELSEWHERE).join(&random[..16]);
        folder::create(&elsewhere)?;
        progress.step(format!(
            "PostgreSQL runs as another user, which cannot enter {}: its data goes to {}",
            folder.display(),
            elsewhere.display()
        ));
        Ok(elsewhere.join("data"))
    }

    /// Fills a new folder and renames it into place last, so that a folder by the final name is whole.
    async fn make_data(
        &self,
        binaries: &PostgresBinaries,
        data: &Path,
        user: Option<RunAs>,
        progress: &Progress,
    ) -> Result<()> {
        progress.step(format!("making a PostgreSQL {} database cluster", binaries.version));
        // Whatever lies here was never in use: the settings file, written last, does not exist.
        folder::remove(data)?;
        remove_unfinished(data).await?;
        let random = folder::new_secret();
        let unfinished = data.with_extension(format!("{UNFINISHED}-{}", &random[..8]));
        let password = self.folder().join("password.initdb");
        folder::write_secret(&password, &folder::secret(&self.password_file())?)?;
        let password_for_initdb = data.with_file_name("password.initdb");
        if password_for_initdb != password {
            std::fs::rename(&password, &password_for_initdb).map_err(Error::file("move", &password))?;
        }
        if let Some(user) = user {
            nix::unistd::chown(&password_for_initdb, Some(user.uid.into()), Some(user.gid.into()))
                .map_err(|e| Error::file("change the owner of", &password_for_initdb)(e.into()))?;
        }
        let mut outcome = Ok(());
        for locale in ["C.UTF-8", "en_US.UTF-8", "C"] {
            folder::remove(&unfinished)?;
            folder::create(&unfinished)?;
            match user {
                Some(user) => folder::give_to(&unfinished, user)?,
                None => folder::close(&unfinished)?,
            }
            outcome = self.initdb(binaries, &unfinished, &password_for_initdb, locale, user).await;
            let unknown_locale = matches!(&outcome, Err(Error::Failed { cause, .. }) if cause.contains("locale"));
            if !unknown_locale {
                break;
            }
        }
        std::fs::remove_file(&password_for_initdb).map_err(Error::file("delete", &password_for_initdb))?;
        outcome?;
        std::fs::rename(&unfinished, data).map_err(Error::file("rename", &unfinished))
    }

    async fn initdb(
        &self,
        binaries: &PostgresBinaries,
        data: &Path,
        password: &Path,
        locale: &str,
        user: Option<RunAs>,
    ) -> Result<()> {
        let mut command = Command::new(binaries.program("initdb"));
        command
            .arg("--pgdata")
            .arg(data)
            .arg("--username")
            .arg(&self.superuser)
            .arg("--pwfile")
            .arg(password)
            .args(["--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", locale])
            .current_dir("/")
            .stdin(std::process::Stdio::null());
        if let Some(RunAs { uid, gid }) = user {
            command.uid(uid).gid(gid);
        }
        let failed = |cause: String| Error::Failed {
            what: "initdb",
            cause,
            fix: "Check disk space and the permissions of the data folder".to_owned(),
        };
        let output = command.output().await.map_err(|e| failed(e.to_string()))?;
        if output.status.success() {
            return Ok(());
        }
        Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }
}

/// Removes what starts that were killed left beside `data`. The `initdb` of such a start may live on: it writes
/// into its folder until that is gone, and clears it by name when it fails. So each start takes a name of its own.
async fn remove_unfinished(data: &Path) -> Result<()> {
    let (Some(parent), Some(name)) = (data.parent(), data.file_name()) else { return Ok(()) };
    let prefix = format!("{}.{UNFINISHED}", name.to_string_lossy());
    let end = Instant::now() + ORPHAN_LIMIT;
    for entry in std::fs::read_dir(parent).map_err(Error::file("read", parent))? {
        let path = entry.map_err(Error::file("read", parent))?.path();
        if !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&prefix)) {
            continue;
        }
        while let Err(error) = folder::remove(&path) {
            if Instant::now() >= end {
                return Err(error);
            }
            sleep(POLL).await;
        }
    }
    Ok(())
}

/// The major version that a data folder was made with; `None` if there is none.
fn data_version(data: &Path) -> Option<u32> {
    let text = std::fs::read_to_string(data.join("PG_VERSION")).ok()?;
    text.trim().parse().ok()
}
