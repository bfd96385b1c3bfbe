//! Who is told that a queue got something: consumers of this process in memory, those of others by one hint.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use database::Login;
use tokio::sync::{Notify, mpsc};
use tokio_postgres::{AsyncMessage, NoTls};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The longest pause before LISTEN is tried again.
const LISTEN_PAUSE: Duration = Duration::from_secs(5);
/// Queues named in one hint: its payload is limited.
const NAMED_AT_ONCE: usize = 50;
const HINT: &str = "SELECT pg_notify('prost_messages', $1)";

/// Wake-ups of this process: from its own commits in memory, from other processes by LISTEN.
#[derive(Clone)]
pub struct Wakes {
    queues: Arc<Mutex<HashMap<String, Arc<Notify>>>>,
    origin: Arc<str>,
    others: Option<Arc<Others>>,
}

/// What other processes are to be told: all that gathers while one hint is on its way is the next hint.
#[derive(Default)]
struct Others {
    filled: Mutex<BTreeSet<String>>,
    more: Notify,
}

impl Wakes {
    /// Without LISTEN, and without hints to others: enough where every service runs in this process.
    #[expect(clippy::new_without_default, reason = "each has an identity of its own")]
    pub fn new() -> Wakes {
        Wakes { queues: Arc::default(), origin: Uuid::new_v4().simple().to_string().into(), others: None }
    }

    /// With LISTEN and hints on a connection of its own, until `shutdown`. Any service's login will do.
    pub fn listening(login: Login, shutdown: CancellationToken) -> Wakes {
        let wakes = Wakes { others: Some(Arc::default()), ..Wakes::new() };
        let listener = wakes.clone();
        tokio::spawn(async move {
            let mut delay = Duration::from_millis(100);
            while !shutdown.is_cancelled() {
                let started = Instant::now();
                let listening = tokio::select! {
                    result = listener.listen(&login) => result,
                    () = shutdown.cancelled() => return,
                };
                if let Err(error) = listening {
                    tracing::warn!(%error, "lost the message hints; consumers look once a second until they are back");
                }
                if started.elapsed() > LISTEN_PAUSE {
                    delay = Duration::from_millis(100);
                }
                tokio::time::sleep(delay).await;
                delay = (delay * 2).min(LISTEN_PAUSE);
            }
        });
        wakes
    }

    async fn listen(&self, login: &Login) -> Result<(), tokio_postgres::Error> {
        let (client, mut connection) = login.config()?.connect(NoTls).await?;
        let (sender, mut notices) = mpsc::channel(256);
        let reader = tokio::spawn(async move {
            loop {
                match std::future::poll_fn(|context| connection.poll_message(context)).await {
                    Some(Ok(message)) => {
                        if sender.send(message).await.is_err() {
                            return Ok(());
                        }
                    }
                    Some(Err(error)) => return Err(error),
                    None => return Ok(()),
                }
            }
        });
        client.batch_execute("LISTEN prost_messages").await?;
        self.wake_all();
        let hear = async {
            while let Some(message) = notices.recv().await {
                if let AsyncMessage::Notification(notice) = message {
                    self.heard(notice.payload());
                }
            }
        };
        // Both at once: an answer to a hint comes only as long as notices are read.
        tokio::select! {
            () = hear => {}
            told = self.tell_others(&client) => return told,
        }
        reader.await.unwrap_or(Ok(()))
    }

    async fn tell_others(&self, client: &tokio_postgres::Client) -> Result<(), tokio_postgres::Error> {
        let Some(others) = &self.others else { return std::future::pending().await };
        loop {
            others.more.notified().await;
            let filled = std::mem::take(&mut *others.filled.lock().unwrap_or_else(PoisonError::into_inner));
            for names in Vec::from_iter(filled).chunks(NAMED_AT_ONCE) {
                client.execute(HINT, &[&format!("{} {}", self.origin, names.join(" "))]).await?;
            }
        }
    }

    /// A hint reads `origin queue queue …`; our own were told in memory already.
    fn heard(&self, payload: &str) {
        let mut words = payload.split(' ');
        if words.next() != Some(&self.origin) {
            for queue in words {
                self.wake(queue);
            }
        }
    }

    /// Names this process in hints.
    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// What wakes the reader of a queue.
    pub(super) fn of(&self, queue: &str) -> Arc<Notify> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(queues.entry(queue.to_owned()).or_default())
    }

    /// Wakes the reader of a queue, if this process has one.
    pub(super) fn wake(&self, queue: &str) {
        if let Some(notify) = self.queues.lock().unwrap_or_else(PoisonError::into_inner).get(queue) {
            notify.notify_one();
        }
    }

    /// These queues got something by a commit of this process.
    pub(super) fn filled(&self, queues: &[String]) {
        for queue in queues {
            self.wake(queue);
        }
        if let Some(others) = &self.others {
            others.filled.lock().unwrap_or_else(PoisonError::into_inner).extend(queues.iter().cloned());
            others.more.notify_one();
        }
    }

    fn wake_all(&self) {
        for notify in self.queues.lock().unwrap_or_else(PoisonError::into_inner).values() {
            notify.notify_one();
        }
    }
}
