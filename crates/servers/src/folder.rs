//! A server's folder: its lock, its remembered settings, its secrets, and who may enter it.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::Write,
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
    path::Path,
    time::Duration,
};

use serde::{Serialize, de::DeserializeOwned};
use tokio::time::Instant;

use crate::{Error, Result, process::RunAs};

/// Exclusive right to start or stop what lives in a folder; given up when dropped, or when the process dies.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Takes the lock file, waiting for whoever holds it.
    ///
    /// # Errors
    /// [`Error::TooSlow`] after `limit`.
    pub async fn acquire(file: &Path, limit: Duration) -> Result<FolderLock> {
        let end = Instant::now() + limit;
        loop {
            if let Some(lock) = FolderLock::try_acquire(file)? {
                return Ok(lock);
            }
            if Instant::now() >= end {
                return Err(Error::TooSlow {
                    what: format!("waiting for another process to release {}", file.display()),
                    seconds: limit.as_secs(),
                    fix: "Another start or stop of the same folder seems to hang: end it first".to_owned(),
                });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Takes the lock file if nobody holds it.
    ///
    /// # Errors
    /// [`Error::File`] when the file cannot be opened.
    pub fn try_acquire(file: &Path) -> Result<Option<FolderLock>> {
        let opened = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(file)
            .map_err(Error::file("open the lock", file))?;
        match opened.try_lock() {
            Ok(()) => Ok(Some(FolderLock { _file: opened })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(Error::file("lock", file)(source)),
        }
    }
}

/// A random password or key: 64 hexadecimal digits.
pub fn new_secret() -> String {
    let bytes: [u8; 32] = rand::random();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes a file that only its owner may read, whole or not at all.
///
/// # Errors
/// [`Error::File`].
pub fn write_secret(path: &Path, text: &str) -> Result<()> {
    let new = path.with_extension("new");
    let mut file = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)
        .map_err(Error::file("write", &new))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(Error::file("write", &new))?;
    fs::rename(&new, path).map_err(Error::file("write", path))
}

/// Reads a secret, `None` when it was never written.
///
/// # Errors
/// [`Error::File`].
pub fn read_secret(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::file("read", path)(error)),
    }
}

/// The secret of this file, made at the first call.
pub(crate) fn secret(path: &Path) -> Result<String> {
    if let Some(known) = read_secret(path)? {
        return Ok(known);
    }
    let fresh = new_secret();
    write_secret(path, &fresh)?;
    Ok(fresh)
}

/// What a server remembers between runs, `None` before its first.
pub(crate) fn remembered<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let Some(text) = read_secret(path)? else {
        return Ok(None);
    };
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|error| Error::Damaged { path: path.to_owned(), cause: error.to_string() })
}

/// Remembers settings for the next run.
pub(crate) fn remember<T: Serialize>(path: &Path, settings: &T) -> Result<()> {
    let text = serde_json::to_string_pretty(settings)
        .map_err(|error| Error::Damaged { path: path.to_owned(), cause: error.to_string() })?;
    write_secret(path, &text)
}

/// Makes a folder and its parents; others may pass through it (the servers' own user must).
pub(crate) fn create(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(Error::file("create", path))
}

/// Removes a folder with all it holds; one that does not exist is no error.
pub(crate) fn remove(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::file("delete", path)(error)),
    }
}

/// Gives a folder to a user, closed to all others.
pub(crate) fn give_to(path: &Path, user: RunAs) -> Result<()> {
    nix::unistd::chown(path, Some(user.uid.into()), Some(user.gid.into()))
        .map_err(|errno| Error::file("change the owner of", path)(errno.into()))?;
    close(path)
}

/// Closes a folder to all but its owner.
pub(crate) fn close(path: &Path) -> Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(Error::file("set the permissions of", path))
}

/// Whether the user may pass through `path` and each folder above it.
pub(crate) fn enterable_by(path: &Path, user: RunAs) -> Result<bool> {
    let path = path.canonicalize().map_err(Error::file("find", path))?;
    for folder in path.ancestors() {
        let meta = fs::metadata(folder).map_err(Error::file("look at", folder))?;
        let needed = if meta.uid() == user.uid {
            0o100
        } else if meta.gid() == user.gid {
            0o010
        } else {
            0o001
        };
        if meta.mode() & needed == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_kept_and_closed_to_others() {
        let folder = std::env::temp_dir().join(format!("servers-secret-{}", new_secret()));
        create(&folder).expect("create");
        let path = folder.join("password");
        let first = secret(&path).expect("made");
        assert_eq!(secret(&path).expect("read"), first);
        assert_eq!(first.len(), 64);
        let mode = fs::metadata(&path).expect("metadata").mode();
        assert_eq!(mode & 0o777, 0o600);
        remove(&folder).expect("remove");
    }

    #[test]
    fn a_closed_parent_keeps_strangers_out() {
        let folder = std::env::temp_dir().join(format!("servers-closed-{}", new_secret()));
        let inner = folder.join("inner");
        create(&inner).expect("create");
        let stranger = RunAs { uid: 54_321, gid: 54_321 };
        assert!(enterable_by(&inner, stranger).expect("looked"));
        close(&folder).expect("close");
        assert!(!enterable_by(&inner, stranger).expect("looked"));
        remove(&folder).expect("remove");
    }

    #[test]
    fn a_lock_is_exclusive_until_dropped() {
        let file = std::env::temp_dir().join(format!("servers-lock-{}", new_secret()));
        let held = FolderLock::try_acquire(&file).expect("opened").expect("free");
        assert!(FolderLock::try_acquire(&file).expect("opened").is_none());
        drop(held);
        assert!(FolderLock::try_acquire(&file).expect("opened").is_some());
        fs::remove_file(&file).expect("remove");
    }
}
