//! One connection: prepared statements from its cache, and no way to leave an open transaction behind.

use std::any::Any;
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use deadpool_postgres::Object;
use events::{Draft, EventId, TraceParent};
use futures_util::future::join_all;
use tokio_postgres::types::ToSql;
use tokio_postgres::{NoTls, Row, Statement};
use uuid::Uuid;

use crate::fresh::{self, Handover, Recording};
use crate::outbox::Recorded;
use crate::{Command, Error};

/// The server ends a statement after [`STATEMENT_TIMEOUT`]; who hears nothing for this long has lost the server.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(40);
/// A statement that takes longer is ended by the server.
pub(crate) const STATEMENT_TIMEOUT: Duration = Duration::from_secs(30);

/// Opens a transaction of a batch. `DEFERRABLE` is the mark that [`Connection::open_with`] tells of.
///
/// The statements of batches find rows by their keys, however many keys there are and however few rows the tables had
/// when they were last counted: one plan for all of them, which follows the indexes. Left to itself the server plans
/// anew for every number of keys, or keeps a plan that reads a table whole because it was small.
const BEGIN_OF_A_BATCH: &str =
    "BEGIN DEFERRABLE; SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off";

/// A pooled connection, alone or inside a transaction of [`crate::Database::write`].
///
/// Invariant: it goes back to the pool only when nothing is in flight and no transaction is open.
/// If the future that uses it is dropped half-way, the statement is cancelled in the server and the
/// connection is closed.
pub struct Connection {
    object: Option<Object>,
    in_flight: AtomicU32,
    in_transaction: AtomicBool,
    /// Nothing follows the work of the transaction, so that its last statements may take the COMMIT with them.
    ends_with_the_work: bool,
    /// By its last statements, whether they succeeded or not.
    has_ended: AtomicBool,
    has_committed: AtomicBool,
    failed: AtomicBool,
    due_events: AtomicBool,
    kept: Mutex<Vec<Box<dyn Any + Send>>>,
    /// Set where the queues lie beside the tables: the queues that this transaction put something into.
    filled: Option<Mutex<BTreeSet<String>>>,
    /// Set where a relay of this process waits for what is recorded here.
    fresh: Option<Recording>,
    trace: Option<TraceParent>,
    traces_of_events: Mutex<HashMap<EventId, TraceParent>>,
}

impl Connection {
    pub(crate) fn new(object: Object) -> Connection {
        Connection {
            object: Some(object),
            in_flight: AtomicU32::new(0),
            in_transaction: AtomicBool::new(false),
            ends_with_the_work: false,
            has_ended: AtomicBool::new(false),
            has_committed: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            due_events: AtomicBool::new(false),
            kept: Mutex::default(),
            filled: None,
            fresh: None,
            trace: None,
            traces_of_events: Mutex::default(),
        }
    }

    /// What is recorded here belongs to this trace, unless its cause belongs to another.
    pub(crate) fn set_trace(&mut self, trace: Option<TraceParent>) {
        self.trace = trace;
    }

    /// These events, and what they cause in this transaction, belong to their traces.
    pub fn note_traces(&self, traces: impl IntoIterator<Item = (EventId, TraceParent)>) {
        self.traces_of_events.lock().unwrap_or_else(PoisonError::into_inner).extend(traces);
    }

    /// The trace that an event belongs to, as was noted in this transaction.
    pub fn trace_of(&self, cause: EventId) -> Option<TraceParent> {
        self.traces_of_events.lock().unwrap_or_else(PoisonError::into_inner).get(&cause).copied()
    }

    /// The trace of each of these, as text; `None` if none has one.
    pub(crate) fn traces_of(&self, drafts: &[Draft]) -> Option<Vec<Option<String>>> {
        let of_cause = |draft: &Draft| self.trace_of(draft.envelope.causation_id?);
        let own = |draft: &Draft| self.trace_of(draft.envelope.event_id);
        let trace = |draft: &Draft| of_cause(draft).or_else(|| own(draft)).or(self.trace);
        let traces: Vec<Option<TraceParent>> = drafts.iter().map(trace).collect();
        let is_traced = traces.iter().any(Option::is_some);
        is_traced.then(|| traces.iter().map(|trace| trace.map(|trace| trace.to_string())).collect())
    }

    fn client(&self) -> &Object {
        self.object.as_ref().expect("present until dropped")
    }

    /// Counts a statement while it runs. Not undone when the future is dropped: that is how drop knows.
    async fn flight<T>(&self, work: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, Error> {
        if self.has_ended.load(Ordering::Relaxed) {
            return Err(Error::Ended);
        }
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        let result = tokio::time::timeout(ANSWER_TIMEOUT, work).await.map_err(|_| self.lost())?;
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        result.map_err(|error| {
            self.failed.store(true, Ordering::Relaxed);
            Error::from(error)
        })
    }

    /// Nobody answers here any more. Connections that rest may be as dead: each would be waited for as long, one after
    /// the other, so all of them go.
    fn lost(&self) -> Error {
        if let Some(pool) = Object::pool(self.client()) {
            let gone = pool.retain(|_, _| false).removed.len();
            tracing::warn!(gone, "the database does not answer; connections that rest are opened anew");
        }
        Error::TimedOut(ANSWER_TIMEOUT)
    }

    /// Prepares a statement, or finds it in this connection's cache.
    pub async fn prepare(&self, sql: &str) -> Result<Statement, Error> {
        self.flight(self.client().prepare_cached(sql)).await
    }

    /// Runs a statement and returns its rows.
    pub async fn query(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Error> {
        self.flight(async {
            let statement = self.client().prepare_cached(sql).await?;
            self.client().query(&statement, params).await
        })
        .await
    }

    /// Runs a statement with its parameters and returns its rows.
    pub async fn run(&self, command: &Command<'_>) -> Result<Vec<Row>, Error> {
        self.query(command.sql(), &command.params()).await
    }

    /// Runs a statement that returns one row or none.
    pub async fn query_opt(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Option<Row>, Error> {
        self.flight(async {
            let statement = self.client().prepare_cached(sql).await?;
            self.client().query_opt(&statement, params).await
        })
        .await
    }

    /// Runs a statement that returns exactly one row.
    pub async fn query_one(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Row, Error> {
        self.flight(async {
            let statement = self.client().prepare_cached(sql).await?;
            self.client().query_one(&statement, params).await
        })
        .await
    }

    /// Runs a statement and returns how many rows it touched.
    pub async fn execute(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<u64, Error> {
        self.flight(async {
            let statement = self.client().prepare_cached(sql).await?;
            self.client().execute(&statement, params).await
        })
        .await
    }

    /// Runs statements without parameters, e.g. `SAVEPOINT`.
    pub async fn batch_execute(&self, sql: &str) -> Result<(), Error> {
        self.flight(self.client().batch_execute(sql)).await
    }

    /// Goes back to a savepoint, before which nothing may have been recorded.
    pub async fn roll_back_to(&self, savepoint: &str) -> Result<(), Error> {
        self.batch_execute(&format!("ROLLBACK TO SAVEPOINT {savepoint}")).await?;
        if let Some(fresh) = &self.fresh {
            fresh.undo();
        }
        Ok(())
    }

    pub(crate) fn is_in_transaction(&self) -> bool {
        self.in_transaction.load(Ordering::Relaxed)
    }

    pub(crate) async fn begin(&self) -> Result<(), Error> {
        self.in_transaction.store(true, Ordering::Relaxed);
        self.batch_execute("BEGIN").await
    }

    pub(crate) async fn begin_batch(&self) -> Result<(), Error> {
        self.in_transaction.store(true, Ordering::Relaxed);
        self.batch_execute(BEGIN_OF_A_BATCH).await
    }

    /// Opens the transaction of [`crate::Database::write_opening`] together with its first statement, in one round trip;
    /// in one that is open it is a statement like any other.
    ///
    /// If the server did not understand the BEGIN, the statement would be a transaction of its own, committed although
    /// this fails. So it has to do no harm alone, or to look for `transaction_deferrable`, which only this BEGIN sets:
    /// to a transaction that writes it means nothing else.
    pub async fn open_with(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Error> {
        if self.in_transaction.load(Ordering::Relaxed) {
            return self.query(sql, params).await;
        }
        // Prepared beforehand, it goes out right behind the BEGIN.
        self.prepare(sql).await?;
        self.in_transaction.store(true, Ordering::Relaxed);
        let (begun, rows) = tokio::join!(biased; self.batch_execute(BEGIN_OF_A_BATCH), self.query(sql, params));
        begun?;
        rows
    }

    /// Nothing follows the work of this transaction.
    pub(crate) fn set_ends_with_the_work(&mut self) {
        self.ends_with_the_work = true;
    }

    /// Runs statements in this order, all on their way at once; what each of them returns.
    pub async fn all(&self, commands: &[Command<'_>]) -> Result<Vec<Vec<Row>>, Error> {
        self.prepare_all(commands).await?;
        self.send(commands).await
    }

    /// Runs the last statements of a transaction's work, all on their way at once; where nothing follows the work (a
    /// consumer's batch), the COMMIT goes with them in the same round trip, and any later statement is refused.
    ///
    /// Whatever is wrong has to be an error of a statement, for then the COMMIT rolls back: what the statements return
    /// comes too late to change one's mind.
    pub async fn last(&self, commands: &[Command<'_>]) -> Result<Vec<Vec<Row>>, Error> {
        if !self.ends_with_the_work {
            return self.all(commands).await;
        }
        self.prepare_all(commands).await?;
        let has_failed = self.failed.load(Ordering::Relaxed);
        let end = async {
            // A statement whose parameters cannot be written never reaches the server, where the others would commit.
            let is_unsent = !has_failed && self.failed.load(Ordering::Relaxed);
            self.batch_execute(if is_unsent { "ROLLBACK" } else { self.commit_statement() }).await
        };
        let (answers, ended) = tokio::join!(biased; self.send(commands), end);
        if ended.is_ok() {
            self.in_transaction.store(false, Ordering::Relaxed);
            self.has_ended.store(true, Ordering::Relaxed);
        }
        let answers = answers?;
        ended?;
        self.has_committed.store(true, Ordering::Relaxed);
        Ok(answers)
    }

    async fn prepare_all(&self, commands: &[Command<'_>]) -> Result<(), Error> {
        for command in commands {
            self.prepare(command.sql()).await?;
        }
        Ok(())
    }

    /// Prepared beforehand, they go out in this order when this is first polled.
    async fn send(&self, commands: &[Command<'_>]) -> Result<Vec<Vec<Row>>, Error> {
        let params: Vec<_> = commands.iter().map(Command::params).collect();
        let statements = commands.iter().zip(&params).map(|(command, params)| self.query(command.sql(), params));
        join_all(statements).await.into_iter().collect()
    }

    /// Did the last statements commit, before the work was over?
    pub(crate) fn has_committed(&self) -> bool {
        self.has_committed.load(Ordering::Relaxed)
    }

    fn commit_statement(&self) -> &'static str {
        if self.failed.load(Ordering::Relaxed) { "SELECT 1; COMMIT" } else { "COMMIT" }
    }

    /// After a failed statement a bare COMMIT rolls back and reports success. Then a statement goes before
    /// it, which fails unless the work went back to a savepoint.
    pub(crate) async fn commit(&self) -> Result<(), Error> {
        if !self.in_transaction.load(Ordering::Relaxed) {
            let was_undone = self.has_ended.load(Ordering::Relaxed) && !self.has_committed();
            // Otherwise its work has committed it, or never opened it.
            return if was_undone { Err(Error::Ended) } else { Ok(()) };
        }
        self.batch_execute(self.commit_statement()).await?;
        self.in_transaction.store(false, Ordering::Relaxed);
        Ok(())
    }

    pub(crate) async fn rollback(&self) -> Result<(), Error> {
        if !self.in_transaction.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.batch_execute("ROLLBACK").await?;
        self.in_transaction.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Remembers that the relay has work in the outbox once this is committed.
    pub(crate) fn note_due_events(&self) {
        self.due_events.store(true, Ordering::Relaxed);
    }

    /// What is recorded here goes to a relay of this process.
    pub(crate) fn set_handover(&mut self, to: Handover) {
        self.fresh = Some(Recording::new(to));
    }

    /// The lease with which outbox rows are born in [`crate::Database::write`] and its kin, and for how many seconds it
    /// holds; without one they are due at once. For a repository whose one statement records an event itself; it then
    /// tells [`Connection::note_recorded`].
    pub fn lease_from_birth(&self) -> Option<(Uuid, f64)> {
        self.fresh.as_ref().map(|fresh| (fresh.lease(), fresh::LEASE.as_secs_f64()))
    }

    /// Remembers what was recorded, so that the relay gets it, or is nudged, once this is committed.
    pub fn note_recorded(&self, events: impl IntoIterator<Item = Recorded>) {
        match &self.fresh {
            Some(fresh) => fresh.add(events),
            None => self.note_due_events(),
        }
    }

    /// After the commit.
    pub(crate) fn hand_over(&self) {
        if let Some(fresh) = &self.fresh {
            fresh.hand_over();
        }
    }

    /// Drops `guard` after the transaction's end, committed or not, and before [`crate::Database::write`] answers.
    pub fn keep_until_end(&self, guard: impl Any + Send) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(guard));
    }

    pub(crate) fn has_due_events(&self) -> bool {
        self.due_events.load(Ordering::Relaxed)
    }

    /// What is recorded here goes straight into the queues.
    pub(crate) fn set_queues_beside(&mut self) {
        self.filled = Some(Mutex::default());
    }

    /// Whether the queues lie beside the tables, so that events go straight into them. For a repository whose one
    /// statement records an event itself: it then sends it, too, and tells [`Connection::note_filled_queues`].
    pub fn has_queues_beside(&self) -> bool {
        self.filled.is_some()
    }

    /// Remembers whom to wake once this is committed.
    pub fn note_filled_queues(&self, queues: impl IntoIterator<Item = String>) {
        if let Some(filled) = &self.filled {
            filled.lock().unwrap_or_else(PoisonError::into_inner).extend(queues);
        }
    }

    /// The queues that got something, each once.
    pub(crate) fn filled_queues(&self) -> Vec<String> {
        let filled = self.filled.as_ref().map(|filled| filled.lock().unwrap_or_else(PoisonError::into_inner));
        filled.map(|mut queues| std::mem::take(&mut *queues).into_iter().collect()).unwrap_or_default()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let abandoned = self.in_flight.load(Ordering::Relaxed) > 0 || self.in_transaction.load(Ordering::Relaxed);
        if !abandoned {
            return;
        }
        let Some(object) = self.object.take() else { return };
        let client = Object::take(object);
        let cancel = client.cancel_token();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = cancel.cancel_query(NoTls).await {
                    tracing::debug!(%error, "could not cancel an abandoned statement; its connection is closed");
                }
                drop(client);
            });
        }
    }
}
