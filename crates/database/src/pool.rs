//! The connection manager of one service.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use deadpool::managed::QueueMode;
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime, Timeouts, WeakPool};
use tokio::sync::Notify;
use tokio_postgres::NoTls;
use tracing::Instrument;

use crate::connection::STATEMENT_TIMEOUT;
use crate::fresh::{self, FreshEvents, Handover};
use crate::{BoxFuture, Connection, Error, trace};

/// How many connections a service keeps, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolLimits {
    /// Open at most.
    pub max: usize,
    /// Kept open when idle.
    pub warm: usize,
    /// A connection older than this is replaced.
    pub lifetime: Duration,
    /// A connection unused for longer is closed, down to `warm`.
    pub idle_time: Duration,
    /// How long a request waits for a free connection.
    pub wait: Duration,
}

impl Default for PoolLimits {
    fn default() -> Self {
        PoolLimits {
            max: 25,
            warm: 5,
            lifetime: Duration::from_secs(5 * 60),
            idle_time: Duration::from_secs(10 * 60),
            wait: Duration::from_secs(5),
        }
    }
}

/// Where and as whom a service logs in.
#[derive(Debug, Clone)]
pub struct Login {
    /// `postgres://user:password@host:port/database`
    pub url: String,
    /// The service's role; every connection runs under it.
    pub role: String,
    /// The service's schema; every connection's `search_path`.
    pub schema: String,
    /// Shown in `pg_stat_activity`.
    pub application_name: String,
}

impl Login {
    /// The login of a service into its own schema under its own role.
    ///
    /// Whoever the URL names has to be that role, a member of it (`GRANT prost_orders TO …`), or a superuser; the
    /// server refuses others at the first connection.
    pub fn of_service(url: &str, service: &str, schema: &str) -> Login {
        Login {
            url: url.to_owned(),
            role: crate::migrate::role_of(service),
            schema: schema.to_owned(),
            application_name: format!("prost-{service}"),
        }
    }

    /// How to connect: under the role, in the schema, with limits.
    ///
    /// Errors: the URL cannot be parsed.
    pub fn config(&self) -> Result<tokio_postgres::Config, tokio_postgres::Error> {
        let mut config: tokio_postgres::Config = self.url.parse()?;
        config.application_name(&self.application_name);
        config.connect_timeout(Duration::from_secs(5));
        // A server that vanished without a word is noticed within half a minute.
        config.keepalives_idle(Duration::from_secs(15));
        config.keepalives_interval(Duration::from_secs(5));
        config.keepalives_retries(3);
        config.tcp_user_timeout(Duration::from_secs(30));
        // A process that stands still in a transaction may hold messages: others get them as soon as those of a lease.
        config.options(format!(
            "-c role={} -c search_path={} -c statement_timeout={}s -c idle_in_transaction_session_timeout=20s",
            self.role,
            self.schema,
            STATEMENT_TIMEOUT.as_secs()
        ));
        Ok(config)
    }
}

/// A service's connections. Cheap to clone.
#[derive(Clone)]
pub struct Database {
    pool: Pool,
    schema: Arc<str>,
    outbox_nudge: Arc<Notify>,
    queues_beside: Arc<OnceLock<Box<Wake>>>,
    handover: Arc<RwLock<Option<Handover>>>,
}

/// Who opens a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begin {
    First,
    Batch,
    ByTheWork,
}

/// Is told which queues got something.
type Wake = dyn Fn(&[String]) + Send + Sync;

impl Database {
    /// Opens a pool; connects on first use. Must be called inside a tokio runtime.
    ///
    /// Errors: the URL cannot be parsed.
    pub fn connect(login: &Login, limits: &PoolLimits) -> Result<Database, tokio_postgres::Error> {
        let manager =
            Manager::from_config(login.config()?, NoTls, ManagerConfig { recycling_method: RecyclingMethod::Fast });
        let pool = Pool::builder(manager)
            .max_size(limits.max)
            // The warmest connection first: its statements are prepared, its plans settled. In turn, each of 25 would
            // plan every statement anew, again and again.
            .queue_mode(QueueMode::Lifo)
            .runtime(Runtime::Tokio1)
            .timeouts(Timeouts {
                wait: Some(limits.wait),
                create: Some(Duration::from_secs(5)),
                recycle: Some(Duration::from_secs(5)),
            })
            .build()
            .expect("a runtime is given, which is all that build checks");
        let database = Database {
            pool,
            schema: login.schema.as_str().into(),
            outbox_nudge: Arc::default(),
            queues_beside: Arc::default(),
            handover: Arc::default(),
        };
        tokio::spawn(keep_pool(database.pool.weak(), limits.clone(), login.application_name.clone()));
        Ok(database)
    }

    /// A connection for reading. Dropping a read half-way ends its statement in the server.
    pub async fn read(&self) -> Result<Connection, Error> {
        let mut connection = Connection::new(self.pool.get().await?);
        if self.has_queues_beside() {
            connection.set_queues_beside();
        } else if let Some(handover) = self.handover() {
            connection.set_handover(handover);
        }
        Ok(connection)
    }

    /// Runs `work` in one transaction, detached: a caller that goes away tears nothing. Commits if it
    /// returns `Ok`, rolls back otherwise. After a commit that recorded events, whoever sends or reads them is woken.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'a> FnOnce(&'a Connection) -> BoxFuture<'a, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.transact(Begin::First, work).await
    }

    /// As [`Database::write`], for work on many things at once: its statements are planned as those of
    /// [`Connection::open_with`], to find rows by their keys.
    pub async fn write_batch<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'a> FnOnce(&'a Connection) -> BoxFuture<'a, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.transact(Begin::Batch, work).await
    }

    /// As [`Database::write`], but `work` opens the transaction together with its first statement
    /// ([`Connection::open_with`]), and may end it together with its last ([`Connection::last`]).
    pub async fn write_opening<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'a> FnOnce(&'a Connection) -> BoxFuture<'a, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.transact(Begin::ByTheWork, work).await
    }

    async fn transact<T, E, F>(&self, begin: Begin, work: F) -> Result<T, E>
    where
        F: for<'a> FnOnce(&'a Connection) -> BoxFuture<'a, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (database, trace) = (self.clone(), trace::current());
        let transaction = async move {
            let mut connection = database.read().await.map_err(E::from)?;
            connection.set_trace(trace);
            match begin {
                Begin::First => connection.begin().await.map_err(E::from)?,
                Begin::Batch => connection.begin_batch().await.map_err(E::from)?,
                Begin::ByTheWork => connection.set_ends_with_the_work(),
            }
            let result = work(&connection).await;
            match result {
                Ok(value) => {
                    connection.commit().await.map_err(E::from)?;
                    database.tell_of_events(&connection);
                    Ok(value)
                }
                Err(error) => {
                    if connection.has_committed() {
                        tracing::error!("work failed after its last statements, which are committed");
                    }
                    // The work's own error matters more; a failed rollback closes the connection.
                    if let Err(rollback) = connection.rollback().await {
                        tracing::debug!(error = %rollback, "rollback failed; the connection is closed");
                    }
                    Err(error)
                }
            }
        };
        // Its log lines carry the caller's correlation id.
        let task = tokio::spawn(transaction.in_current_span());
        task.await.unwrap_or_else(|_| Err(E::from(Error::Panicked)))
    }

    /// Runs `work` detached, without `BEGIN` and `COMMIT`: for work that is exactly one statement.
    pub async fn write_statement<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'a> FnOnce(&'a Connection) -> BoxFuture<'a, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (database, trace) = (self.clone(), trace::current());
        let statement = async move {
            let mut connection = database.read().await.map_err(E::from)?;
            connection.set_trace(trace);
            let value = work(&connection).await?;
            database.tell_of_events(&connection);
            Ok(value)
        };
        // Its log lines carry the caller's correlation id.
        let task = tokio::spawn(statement.in_current_span());
        task.await.unwrap_or_else(|_| Err(E::from(Error::Panicked)))
    }

    fn tell_of_events(&self, connection: &Connection) {
        connection.hand_over();
        if connection.has_due_events() {
            self.outbox_nudge.notify_one();
        }
        let filled = connection.filled_queues();
        if let Some(wake) = self.queues_beside.get().filter(|_| !filled.is_empty()) {
            wake(&filled);
        }
    }

    /// From now on recorded events go straight into the queues of the Postgres transport, which lie in this very
    /// database: an outbox is a queue in the same database, and here the queue itself is one. `wake` is told after each
    /// commit which queues got something. Said once, where things are wired.
    pub fn send_straight(&self, wake: impl Fn(&[String]) + Send + Sync + 'static) {
        if self.queues_beside.set(Box::new(wake)).is_err() {
            tracing::debug!("recorded events go straight into the queues already");
        }
    }

    /// Do recorded events go straight into the queues?
    pub fn has_queues_beside(&self) -> bool {
        self.queues_beside.get().is_some()
    }

    /// From now on recorded events belong to a relay of this process from birth, and are handed to it after each commit.
    /// A later call takes the place of an earlier one; it ends when what it returned is dropped. Where the queues lie
    /// beside the tables it changes nothing.
    pub fn fresh_events(&self) -> FreshEvents {
        let (handover, fresh) = fresh::way();
        *self.handover.write().unwrap_or_else(PoisonError::into_inner) = Some(handover);
        fresh
    }

    fn handover(&self) -> Option<Handover> {
        let handover = self.handover.read().unwrap_or_else(PoisonError::into_inner);
        handover.as_ref().filter(|handover| handover.is_open()).cloned()
    }

    /// Told after each commit that left events due in the outbox.
    pub fn outbox_nudge(&self) -> &Notify {
        &self.outbox_nudge
    }

    /// The schema that this service owns.
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// Open connections, idle ones among them, and callers waiting for one.
    pub fn pool_status(&self) -> (usize, usize, usize) {
        let status = self.pool.status();
        (status.size, status.available, status.waiting)
    }

    /// Is it this very pool? Then one transaction can span both users of it.
    pub fn is_same_pool(&self, other: &Database) -> bool {
        Arc::ptr_eq(&self.outbox_nudge, &other.outbox_nudge)
    }

    /// Closes all connections; waiting callers get an error.
    pub fn close(&self) {
        self.pool.close();
    }
}

/// Closes connections that are too old or idle for too long, keeps some warm, and reports the pool. Ends
/// with the pool's last user.
async fn keep_pool(pool: WeakPool, limits: PoolLimits, name: String) {
    let period = (limits.lifetime.min(limits.idle_time) / 4).clamp(Duration::from_millis(10), Duration::from_secs(15));
    while let Some(pool) = pool.upgrade().filter(|pool| !pool.is_closed()) {
        let mut keep = limits.warm;
        pool.retain(|_, metrics| {
            let fresh = metrics.age() < limits.lifetime;
            let needed = metrics.last_used() < limits.idle_time || keep > 0;
            keep = keep.saturating_sub(1);
            fresh && needed
        });
        warm_up(&pool, limits.warm).await;
        let status = pool.status();
        metrics::gauge!("database_pool_connections", "pool" => name.clone()).set(status.size as f64);
        metrics::gauge!("database_pool_max", "pool" => name.clone()).set(status.max_size as f64);
        metrics::gauge!("database_pool_idle", "pool" => name.clone()).set(status.available as f64);
        metrics::gauge!("database_pool_waiting", "pool" => name.clone()).set(status.waiting as f64);
        drop(pool);
        tokio::time::sleep(period).await;
    }
}

async fn warm_up(pool: &Pool, warm: usize) {
    let missing = warm.saturating_sub(pool.status().size);
    let mut held: Vec<Object> = Vec::with_capacity(missing);
    for _ in 0..missing {
        match pool.get().await {
            Ok(object) => held.push(object),
            Err(error) => {
                tracing::debug!(%error, "could not warm the connection pool; the next round tries again");
                return;
            }
        }
    }
}
