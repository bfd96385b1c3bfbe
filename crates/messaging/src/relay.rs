//! The relay: the one place from which events leave a service.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use database::outbox::{self, Attempt, Recorded};
use database::{Database, Error, FreshEvents};
use events::EventId;
use futures_util::FutureExt;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::delivery::{Outgoing, PublishError};
use crate::low_water::{Found, LowWater, Walk};
use crate::transport::Transport;

/// Rows per round.
const ROWS: usize = 200;
/// The same, as PostgreSQL counts.
const BATCH: i64 = ROWS as i64;
/// A relay that dies with claimed rows holds them no longer than this.
const LEASE: Duration = Duration::from_secs(15);
/// Picks up what a crash left; everything else is handed over or nudged.
const SWEEP: Duration = Duration::from_secs(1);
/// So many batches of fresh events are on their way at a time: what comes next need not wait for the confirm of the last.
const ON_THEIR_WAY: usize = 3;
/// Rows of fresh events that were sent are gathered for so long, then deleted together. Nobody waits for it.
const GATHER: Duration = Duration::from_millis(200);

/// A broker that is away is asked again after this, doubling.
const SHORTEST_REST: Duration = Duration::from_millis(100);
/// Kept short, because a waiting order should end soon after the broker is back.
const LONGEST_REST: Duration = Duration::from_secs(5);

/// How a round ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Round {
    /// There may be more.
    Full,
    /// Nothing is due any more.
    Empty,
    /// The broker or the database did not take it; nothing is lost.
    Away,
}

/// What there is to do.
enum Task {
    /// Send what this process has just recorded.
    Send(Vec<Recorded>),
    /// Note what became of that.
    Note(Answers),
    /// Delete the rows of what was sent.
    Forget,
    /// Look into the outbox.
    Look,
}

/// Empties one service's outbox into the transport.
///
/// Several relays of one service may run. What a process records is leased to its own relay from birth, and handed to
/// it in memory. Everything else is claimed: by state, with `SKIP LOCKED`. Rows are deleted only where the lease is
/// still held. At least once over RabbitMQ; exactly once where outbox and queues share a database.
pub struct Relay {
    service: &'static str,
    database: Database,
    transport: Transport,
    due_from: LowWater<DateTime<Utc>>,
    sweep_at: Instant,
    /// None where outbox and queues share a database.
    fresh: Option<FreshEvents>,
    sending: JoinSet<Answers>,
    forgetting: Forgetting,
}

/// Fresh events that were sent, and whose rows are still there.
#[derive(Default)]
struct Forgetting {
    sent: Vec<EventId>,
    due_at: Option<Instant>,
}

impl Forgetting {
    fn add(&mut self, sent: &[EventId]) {
        if !sent.is_empty() {
            self.sent.extend(sent);
            self.due_at.get_or_insert_with(|| Instant::now() + GATHER);
        }
    }

    async fn due(&self) {
        match self.due_at {
            Some(due_at) => tokio::time::sleep_until(due_at.into()).await,
            None => std::future::pending().await,
        }
    }
}

impl Relay {
    /// A relay for `service`, whose outbox lies in `database`. Events that are recorded from now on are its own.
    pub fn new(service: &'static str, database: Database, transport: Transport) -> Relay {
        let now = Instant::now();
        let fresh = (!transport.shares_database_with(&database)).then(|| database.fresh_events());
        Relay {
            service,
            database,
            transport,
            due_from: LowWater::new(now),
            sweep_at: now,
            fresh,
            sending: JoinSet::new(),
            forgetting: Forgetting::default(),
        }
    }

    /// Runs until `shutdown`, then empties what is there once more.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut rest = SHORTEST_REST;
        let mut last = Round::Empty;
        while let Some(task) = shutdown.run_until_cancelled(self.next_task(last, rest)).await {
            let before = std::mem::replace(&mut last, self.carry_out(task).await);
            let still_away = before == Round::Away && last == Round::Away;
            rest = if still_away { (rest * 2).min(LONGEST_REST) } else { SHORTEST_REST };
        }
        if let Err(error) = self.finish().await {
            tracing::warn!(service = self.service, %error, "the relay leaves events in the outbox, for another or for later");
        }
    }

    /// What is on its way still goes; everything else is anybody's at once, and sent if the broker is there.
    async fn finish(&mut self) -> Result<(), Error> {
        if let Some(fresh) = &mut self.fresh {
            fresh.close();
        }
        while let Some(events) = self.fresh.as_mut().and_then(|fresh| fresh.next(ROWS).now_or_never()) {
            let answers = publish(self.service, self.transport.clone(), events).await;
            if self.note(answers).await? == Round::Away {
                break;
            }
        }
        self.settle().await?;
        if let Some(fresh) = &self.fresh {
            outbox::release(&self.database.read().await?, fresh.lease()).await?;
        }
        while self.round().await? == Round::Full {}
        Ok(())
    }

    /// Waits for it. Loses nothing when it is given up.
    async fn next_task(&mut self, last: Round, rest: Duration) -> Task {
        if last == Round::Away {
            tokio::time::sleep(rest).await;
            return Task::Look;
        }
        tokio::select! {
            events = next_events(&mut self.fresh), if self.sending.len() < ON_THEIR_WAY => Task::Send(events),
            Some(answers) = next_answers(&mut self.sending) => Task::Note(answers),
            () = self.forgetting.due() => Task::Forget,
            () = self.database.outbox_nudge().notified() => Task::Look,
            () = tokio::time::sleep_until(self.sweep_at.into()) => Task::Look,
        }
    }

    async fn carry_out(&mut self, task: Task) -> Round {
        let done = match task {
            Task::Send(events) if events.is_empty() => Ok(Round::Empty),
            Task::Send(events) => {
                self.sending.spawn(publish(self.service, self.transport.clone(), events));
                Ok(Round::Empty)
            }
            Task::Note(answers) => self.note(answers).await,
            Task::Forget => self.forget().await,
            Task::Look => self.look().await,
        };
        done.unwrap_or_else(|error| {
            tracing::warn!(service = self.service, %error, "the relay could not use the outbox");
            Round::Away
        })
    }

    /// What became of events that this process recorded itself.
    async fn note(&mut self, answers: Answers) -> Result<Round, Error> {
        let Some(lease) = self.fresh.as_ref().map(FreshEvents::lease) else { return Ok(Round::Empty) };
        self.forgetting.add(&answers.sent);
        self.put_back(&answers, lease).await
    }

    /// Deletes the rows of what was sent.
    async fn forget(&mut self) -> Result<Round, Error> {
        let Some(lease) = self.fresh.as_ref().map(FreshEvents::lease) else { return Ok(Round::Empty) };
        if !self.forgetting.sent.is_empty() {
            outbox::sent(&self.database.read().await?, &self.forgetting.sent, lease).await?;
        }
        self.forgetting = Forgetting::default();
        Ok(Round::Empty)
    }

    /// Notes and forgets what was on its way: its leases may be over, and it would be claimed and sent again.
    async fn settle(&mut self) -> Result<Round, Error> {
        let mut round = Round::Empty;
        while let Some(answers) = next_answers(&mut self.sending).await {
            if self.note(answers).await? == Round::Away {
                round = Round::Away;
            }
        }
        self.forget().await?;
        Ok(round)
    }

    /// One batch of what is due. If there may be more the next look is soon, in turn with what is recorded meanwhile.
    async fn look(&mut self) -> Result<Round, Error> {
        if self.settle().await? == Round::Away {
            return Ok(Round::Away);
        }
        let round = self.round().await?;
        self.sweep_at = Instant::now() + if round == Round::Full { Duration::ZERO } else { SWEEP };
        Ok(round)
    }

    /// One batch.
    async fn round(&mut self) -> Result<Round, Error> {
        if self.transport.shares_database_with(&self.database) {
            match self.move_batch().await {
                Ok(round) => return Ok(round),
                // One row that cannot be routed fails the statement: find it, row by row.
                Err(error) if !error.is_unavailable() && !error.is_overdue() => {}
                Err(error) => return Err(error),
            }
        }
        self.publish_batch().await
    }

    async fn move_batch(&mut self) -> Result<Round, Error> {
        let db = self.database.read().await?;
        let walk = self.due_from.begin(Instant::now());
        let moved = outbox::move_to_queues(&db, BATCH, self.transport.origin(), walk.from).await;
        let moved = moved.inspect_err(|error| self.give_up(walk, error))?;
        drop(db);
        let count = usize::try_from(moved.count).unwrap_or(usize::MAX);
        self.due_from.end(walk, Found::new(count, ROWS, moved.last_due_at), Instant::now());
        self.transport.wake(&moved.queues);
        count_published(self.service, moved.count);
        Ok(if moved.count < BATCH { Round::Empty } else { Round::Full })
    }

    /// Claim, commit, publish, await the broker's word, then delete what is still ours.
    async fn publish_batch(&mut self) -> Result<Round, Error> {
        let lease = Uuid::new_v4();
        let db = self.database.read().await?;
        let walk = self.due_from.begin(Instant::now());
        let due = outbox::claim(&db, BATCH, lease, LEASE, walk.from).await;
        let due = due.inspect_err(|error| self.give_up(walk, error))?;
        drop(db);
        self.due_from.end(walk, Found::new(due.claimed.len(), ROWS, Some(due.until)), Instant::now());
        if due.claimed.is_empty() {
            return Ok(Round::Empty);
        }
        let full = due.claimed.len() == ROWS;
        let answers = publish(self.service, self.transport.clone(), due.claimed).await;
        outbox::sent(&self.database.read().await?, &answers.sent, lease).await?;
        let round = self.put_back(&answers, lease).await?;
        Ok(if full && round == Round::Empty { Round::Full } else { round })
    }

    /// What the broker did not take stays in the outbox, for another time.
    async fn put_back(&self, answers: &Answers, lease: Uuid) -> Result<Round, Error> {
        if answers.refused.is_empty() && answers.away.is_empty() {
            return Ok(Round::Empty);
        }
        let db = self.database.read().await?;
        for (event_id, error) in &answers.refused {
            tracing::warn!(service = self.service, %event_id, %error, "the broker refused an event");
            outbox::not_sent(&db, &[*event_id], lease, error, Attempt::Counts).await?;
        }
        if answers.away.is_empty() {
            return Ok(Round::Empty);
        }
        outbox::not_sent(&db, &answers.away, lease, &answers.away_error, Attempt::BrokerAway).await?;
        Ok(Round::Away)
    }

    /// What took too long is not tried again at once.
    fn give_up(&mut self, walk: Walk<DateTime<Utc>>, error: &Error) {
        if error.is_overdue() {
            self.due_from.give_up(walk, Instant::now());
        }
    }
}

/// What became of a batch.
#[derive(Default)]
struct Answers {
    sent: Vec<EventId>,
    refused: Vec<(EventId, String)>,
    away: Vec<EventId>,
    away_error: String,
}

/// Publishes, and awaits the broker's word.
async fn publish(service: &'static str, transport: Transport, events: Vec<Recorded>) -> Answers {
    let ids: Vec<EventId> = events.iter().map(|event| event.event_id).collect();
    let batch: Vec<Outgoing> = events.into_iter().map(outgoing).collect();
    let mut answers = Answers::default();
    for (event_id, answer) in ids.into_iter().zip(transport.publish(&batch).await) {
        match answer {
            Ok(()) => answers.sent.push(event_id),
            Err(PublishError::Refused(error)) => answers.refused.push((event_id, error)),
            Err(PublishError::Unreachable(error)) => {
                answers.away.push(event_id);
                answers.away_error = error;
            }
        }
    }
    count_published(service, i64::try_from(answers.sent.len()).unwrap_or(i64::MAX));
    answers
}

fn count_published(service: &'static str, published: i64) {
    if published > 0 {
        metrics::counter!("outbox_published_total", "service" => service).increment(published.unsigned_abs());
        metrics::histogram!("outbox_batch_events", "service" => service).record(published as f64);
    }
}

async fn next_events(fresh: &mut Option<FreshEvents>) -> Vec<Recorded> {
    match fresh {
        Some(fresh) => fresh.next(ROWS).await,
        None => std::future::pending().await,
    }
}

/// None once nothing is on its way.
async fn next_answers(sending: &mut JoinSet<Answers>) -> Option<Answers> {
    match sending.join_next().await? {
        Ok(answers) => Some(answers),
        Err(error) => {
            // Their leases end.
            tracing::error!(%error, "a batch of events was dropped on its way");
            Some(Answers::default())
        }
    }
}

fn outgoing(event: Recorded) -> Outgoing {
    Outgoing {
        event_id: event.event_id.uuid(),
        exchange: event.exchange,
        routing_key: event.routing_key,
        body: event.body,
        correlation_id: event.correlation_id.uuid(),
        traceparent: event.traceparent,
    }
}
