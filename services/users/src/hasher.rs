//! Password hashes on threads of their own: few, bounded, and at low priority, so that a flood of logins
//! does not slow checkouts.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use service::Error;
use tokio::sync::{mpsc, oneshot};
use users_client::Secret;

use crate::config::UsersConfig;
use crate::model::PASSWORD_MAX_BYTES;

/// How much the hashing threads give way to everything else (10: about a tenth of a contended core).
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// What verifying against no account is made of: a salt and a digest that no password has.
const NOBODY: &str = "abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZabcde";

enum Job {
    Hash { password: Secret, cost: u32, reply: oneshot::Sender<Result<String, bcrypt::BcryptError>> },
    Verify { password: Secret, hash: String, reply: oneshot::Sender<Result<bool, bcrypt::BcryptError>> },
}

/// Hands passwords to the hashing threads. They end when it is dropped.
pub(crate) struct Hasher {
    jobs: mpsc::Sender<Job>,
    wait: Duration,
    cost: u32,
    nobody: String,
}

impl Hasher {
    pub(crate) fn start(config: &UsersConfig) -> Hasher {
        let (jobs, queue) = mpsc::channel(config.hashing_queue.max(1));
        let queue = Arc::new(Mutex::new(queue));
        for number in 0..config.hashing_threads.max(1) {
            let queue = Arc::clone(&queue);
            let spawned = std::thread::Builder::new().name(format!("bcrypt-{number}")).spawn(move || work(&queue));
            // Without any thread every hash is 503, after its time limit; with some it only takes longer.
            if let Err(error) = spawned {
                tracing::error!(%error, "cannot start a hashing thread");
            }
        }
        let nobody = format!("$2b${:02}${NOBODY}", config.bcrypt_cost);
        Hasher { jobs, wait: config.hashing_wait, cost: config.bcrypt_cost, nobody }
    }

    /// Hashes an acceptable password at the configured cost.
    pub(crate) async fn hash(&self, password: Secret) -> Result<String, Error> {
        let (reply, answer) = oneshot::channel();
        self.run(Job::Hash { password, cost: self.cost, reply }, answer).await
    }

    /// Is it the password of that hash? Takes as long where there is no account: `None` is never right.
    pub(crate) async fn verify(&self, password: Secret, hash: Option<String>) -> Result<bool, Error> {
        // bcrypt would cut it, and find it equal to its beginning.
        let is_possible = hash.is_some() && password.reveal().len() <= PASSWORD_MAX_BYTES;
        let hash = hash.filter(|hash| !hash.is_empty()).unwrap_or_else(|| self.nobody.clone());
        let (reply, answer) = oneshot::channel();
        let is_equal = self.run(Job::Verify { password, hash, reply }, answer).await?;
        Ok(is_equal && is_possible)
    }

    /// Was this hash made at a lower cost than is configured now?
    pub(crate) fn is_outdated(&self, hash: &str) -> bool {
        hash.parse::<bcrypt::HashParts>().is_ok_and(|parts| parts.get_cost() < self.cost)
    }

    async fn run<T>(&self, job: Job, answer: oneshot::Receiver<Result<T, bcrypt::BcryptError>>) -> Result<T, Error> {
        let busy = || Error::unavailable("all hashing threads are busy").with_retry_after(Duration::from_secs(2));
        self.jobs.try_send(job).map_err(|_| busy())?;
        let result = tokio::time::timeout(self.wait, answer).await.map_err(|_| busy())?;
        result.map_err(Error::internal)?.map_err(Error::internal)
    }
}

fn work(queue: &Mutex<mpsc::Receiver<Job>>) {
    give_way();
    loop {
        // Whoever holds the lock waits for the next job; nobody hashes under it.
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        let Some(job) = job else { return };
        match job {
            Job::Hash { password, cost, reply } => answer(reply, || bcrypt::hash(password.reveal(), cost)),
            Job::Verify { password, hash, reply } => answer(reply, || bcrypt::verify(password.reveal(), &hash)),
        }
    }
}

/// Works only if somebody still waits.
fn answer<T>(reply: oneshot::Sender<T>, work: impl FnOnce() -> T) {
    if !reply.is_closed() && reply.send(work()).is_err() {
        tracing::debug!("nobody waits for this hash any more");
    }
}

#[cfg(target_os = "linux")]
fn give_way() {
    let me = rustix::thread::gettid();
    if let Err(error) = rustix::process::setpriority_process(Some(me), NICENESS) {
        tracing::warn!(%error, "cannot lower the priority of a hashing thread");
    }
}

/// Elsewhere priorities belong to processes, not to threads.
#[cfg(not(target_os = "linux"))]
fn give_way() {}

#[cfg(test)]
mod tests {
    use super::*;

    fn hasher(config: UsersConfig) -> Hasher {
        Hasher::start(&UsersConfig { bcrypt_cost: 4, ..config })
    }

    #[tokio::test]
    async fn a_password_is_its_own_and_no_other() {
        let hasher = hasher(UsersConfig::default());
        let hash = hasher.hash(Secret::new("correct horse")).await.unwrap();
        assert!(hasher.verify(Secret::new("correct horse"), Some(hash.clone())).await.unwrap());
        assert!(!hasher.verify(Secret::new("correct horsf"), Some(hash)).await.unwrap());
        assert!(!hasher.verify(Secret::new("correct horse"), None).await.unwrap());
        assert!(!hasher.verify(Secret::new(""), Some(String::new())).await.unwrap(), "a masked account");
    }

    #[tokio::test]
    async fn a_longer_password_is_not_cut() {
        let hasher = hasher(UsersConfig::default());
        let password = "x".repeat(72);
        let hash = hasher.hash(Secret::new(password.as_str())).await.unwrap();
        assert!(hasher.verify(Secret::new(password.as_str()), Some(hash.clone())).await.unwrap());
        assert!(!hasher.verify(Secret::new(format!("{password}y")), Some(hash)).await.unwrap());
    }

    #[tokio::test]
    async fn nobody_costs_as_much_as_somebody() {
        let hasher = Hasher::start(&UsersConfig::default());
        let parts: bcrypt::HashParts = hasher.nobody.parse().unwrap();
        assert_eq!(parts.get_cost(), 10);
        assert_eq!(bcrypt::verify("anything", &hasher.nobody).ok(), Some(false), "bcrypt really works on it");
    }

    #[tokio::test]
    async fn only_a_cheaper_hash_is_outdated() {
        let hasher = hasher(UsersConfig::default());
        let hash = hasher.hash(Secret::new("correct horse")).await.unwrap();
        let dearer = Hasher::start(&UsersConfig { bcrypt_cost: 5, ..UsersConfig::default() });
        assert!(!hasher.is_outdated(&hash) && dearer.is_outdated(&hash));
    }

    #[tokio::test]
    async fn more_than_the_queue_holds_is_refused_at_once() {
        let (jobs, _queue) = mpsc::channel(1);
        let wait = Duration::from_secs(60);
        let stuck = Hasher { jobs, wait, cost: 4, nobody: format!("$2b$04${NOBODY}") };
        let first = stuck.verify(Secret::new("a"), None);
        let second = async {
            let error = stuck.verify(Secret::new("b"), None).await.unwrap_err();
            (error.status.as_u16(), error.retry_after.is_some())
        };
        tokio::select! {
            biased;
            _ = first => panic!("nobody works on it"),
            refused = second => assert_eq!(refused, (503, true)),
        }
    }
}
