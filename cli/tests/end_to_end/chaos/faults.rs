//! What can happen to a shop, and how it is set right again.

use std::env;
use std::time::Duration;

use events::topology::{EVENTS, Exchange, QUEUES, Queue, matches};
use nix::sys::signal::Signal;
use rand::RngExt;
use rand::rngs::SmallRng;
use rand::seq::{IndexedRandom, SliceRandom};
use tokio::time::{sleep, timeout};
use tokio_postgres::Client;

use super::surroundings::Surroundings;
use crate::support::shop::SERVICES;
use crate::support::shop::hurt::Wires;
use crate::support::{Shop, Transport, oracle};

/// Longer than every tier of retries but the last, and than every lease.
const LONG_OUTAGE: Duration = Duration::from_secs(120);

/// One thing that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// kill -9 of a service.
    Kill,
    /// A service stands still for longer than a client waits, or than a lease lasts.
    Pause,
    /// SIGTERM of every service, one by one, each started again.
    RollingRestart,
    /// A second process of a service, which dies in the end.
    Twin,
    /// kill -9 of PostgreSQL.
    KillPostgres,
    /// kill -9 of RabbitMQ.
    KillRabbit,
    /// PostgreSQL stands still with all its processes: sockets stay open, and nothing is answered.
    PausePostgres,
    /// RabbitMQ stands still in the same way.
    PauseRabbit,
    /// The server ends every connection of the shop.
    EndConnections,
    /// The database takes no writes.
    ReadOnly,
    /// Somebody else holds every connection that the server has.
    NoConnections,
    /// A transaction stays open, and keeps old rows from being cleaned up.
    IdleTransaction,
    /// The wire to PostgreSQL breaks.
    CutPostgres,
    /// The server's end of the wire is gone, and nobody is told.
    HalfOpenPostgres,
    /// Nothing moves on the wire for a while.
    StallPostgres,
    /// Everything on the wire takes its time.
    SlowPostgres,
    /// The wire to RabbitMQ breaks.
    CutRabbit,
    /// The broker's end of the wire is gone, and nobody is told.
    HalfOpenRabbit,
    /// Nothing moves on the wire for a while.
    StallRabbit,
    /// The broker blocks publishers: it is out of memory.
    MemoryAlarm,
    /// The broker closes the channel of a consumer, and nothing else.
    CloseChannel,
    /// No queue is bound to one of the exchanges any more.
    Unbind,
    /// Events come again, from whichever time: applied long ago, or not yet.
    Copies,
    /// A message that nobody can read.
    Poison,
    /// PostgreSQL is gone for two minutes.
    LongOutage,
    /// The disk under PostgreSQL is full to the last byte, and RabbitMQ's nearly: it takes nothing more.
    FullDisk,
    /// The clocks of all services jump, forwards or backwards.
    ClockJump,
    /// Redis forgets everything.
    FlushRedis,
    /// kill -9 of Redis.
    KillRedis,
}

const EVERYWHERE: &[Fault] = &[
    Fault::Kill,
    Fault::Kill,
    Fault::Kill,
    Fault::Pause,
    Fault::Pause,
    Fault::RollingRestart,
    Fault::Twin,
    Fault::KillPostgres,
    Fault::PausePostgres,
    Fault::EndConnections,
    Fault::ReadOnly,
    Fault::NoConnections,
    Fault::IdleTransaction,
    Fault::CutPostgres,
    Fault::HalfOpenPostgres,
    Fault::StallPostgres,
    Fault::SlowPostgres,
    Fault::Copies,
    Fault::Poison,
    Fault::Unbind,
];
const WITH_RABBIT: &[Fault] = &[
    Fault::KillRabbit,
    Fault::PauseRabbit,
    Fault::CutRabbit,
    Fault::HalfOpenRabbit,
    Fault::StallRabbit,
    Fault::MemoryAlarm,
    Fault::CloseChannel,
];

/// What a short storm has, each once.
const SHORT: &[Fault] =
    &[Fault::Kill, Fault::Pause, Fault::RollingRestart, Fault::KillPostgres, Fault::Copies, Fault::Poison];
const SHORT_WITHOUT_RABBIT: &[Fault] = &[Fault::CutPostgres, Fault::EndConnections];
const SHORT_WITH_RABBIT: &[Fault] = &[Fault::KillRabbit, Fault::CutRabbit];

impl Fault {
    /// Those of a short storm, in any order.
    pub fn of_a_short_storm(transport: Transport, random: &mut SmallRng) -> Vec<Fault> {
        let more = if transport == Transport::Rabbit { SHORT_WITH_RABBIT } else { SHORT_WITHOUT_RABBIT };
        let mut faults = [SHORT, more].concat();
        faults.shuffle(random);
        faults
    }

    /// Whether nobody is told that a connection is dead.
    pub fn is_silent(self) -> bool {
        matches!(self, Fault::HalfOpenPostgres | Fault::HalfOpenRabbit)
    }

    /// So many of those that any shop can suffer, and of `more`: each kind as often as its neighbours, in any order. In
    /// the middle PostgreSQL is away for long. Only the kinds that `CHAOS_ONLY` names, if it does.
    pub fn of_a_long_storm(transport: Transport, more: &[Fault], count: usize, random: &mut SmallRng) -> Vec<Fault> {
        let of_rabbit = if transport == Transport::Rabbit { WITH_RABBIT } else { &[] };
        let mut kinds = [EVERYWHERE, of_rabbit, more].concat();
        let only = env::var("CHAOS_ONLY").ok();
        if let Some(only) = &only {
            kinds.retain(|kind| only.split(',').any(|name| name == format!("{kind:?}")));
            assert!(!kinds.is_empty(), "CHAOS_ONLY names no fault over {transport:?}: {only}");
        }
        let mut faults = Vec::with_capacity(count + kinds.len());
        while faults.len() < count {
            kinds.shuffle(random);
            faults.extend(&kinds);
        }
        faults.truncate(count);
        if only.is_none() && count > 0 {
            faults[count / 2] = Fault::LongOutage;
        }
        faults
    }
}

/// A shop, and what it has to bear.
pub struct Weather {
    pub shop: Shop,
    wires: Wires,
    /// Dead letters that there have to be.
    pub poison: Vec<oracle::Letter>,
    /// Transactions that stay open.
    idle: Vec<Client>,
    /// What only a long storm has.
    pub surroundings: Option<Surroundings>,
}

impl Weather {
    pub fn new(shop: Shop, wires: Wires, surroundings: Option<Surroundings>) -> Weather {
        Weather { shop, wires, poison: Vec::new(), idle: Vec::new(), surroundings }
    }

    fn surroundings(&self) -> &Surroundings {
        self.surroundings.as_ref().expect("a long storm")
    }

    /// Lets it happen, and sets it right again.
    pub async fn strike(&mut self, fault: Fault, random: &mut SmallRng) {
        let moment = Duration::from_millis(random.random_range(50..3_000));
        let service = *SERVICES.choose(random).expect("there are services");
        match fault {
            Fault::Kill => {
                self.shop.crash(service);
                sleep(moment).await;
                self.shop.start(service);
            }
            Fault::Pause => {
                self.shop.signal(service, Signal::SIGSTOP);
                sleep(beyond_every_lease_now_and_then(moment, random)).await;
                self.shop.signal(service, Signal::SIGCONT);
            }
            Fault::RollingRestart => {
                for service in SERVICES {
                    self.shop.end_in_order(service).await;
                    self.shop.start(service);
                }
            }
            Fault::Twin => {
                self.shop.start_twin(service);
                sleep(moment + Duration::from_secs(1)).await;
                self.shop.crash_twin(service);
            }
            Fault::KillPostgres => self.without_postgres_for(moment).await,
            Fault::LongOutage => self.without_postgres_for(LONG_OUTAGE).await,
            Fault::PausePostgres => {
                let paused = self.shop.postgres.as_ref().expect("a server of its own").pause();
                sleep(beyond_every_lease_now_and_then(moment, random)).await;
                drop(paused);
            }
            Fault::EndConnections => self.end_connections().await,
            Fault::ReadOnly => self.read_only_for(moment).await,
            Fault::NoConnections => self.without_connections_for(moment).await,
            Fault::IdleTransaction => self.leave_a_transaction_open().await,
            Fault::CutPostgres | Fault::HalfOpenPostgres | Fault::StallPostgres | Fault::SlowPostgres => {
                self.hurt_wire_to_postgres(fault, moment).await;
            }
            Fault::CutRabbit | Fault::HalfOpenRabbit | Fault::StallRabbit => {
                self.hurt_wire_to_rabbit(fault, moment).await;
            }
            Fault::KillRabbit | Fault::PauseRabbit | Fault::MemoryAlarm | Fault::CloseChannel => {
                self.trouble_rabbit(fault, moment, random).await;
            }
            Fault::Unbind => self.unbind_for(moment, random).await,
            Fault::Copies => {
                let count = random.random_range(5..40);
                // Of a copy of the generator, so that a seed goes on to mean the same storm.
                let left_out = random.clone().random_range(0..=self.number_of_events().await);
                send_copies(&self.shop, count, left_out).await;
            }
            Fault::Poison => self.send_poison(random).await,
            Fault::FullDisk => self.with_a_full_disk_for(moment).await,
            Fault::ClockJump => {
                self.surroundings().set_clocks(random.random_range(-600..=600));
                sleep(moment + Duration::from_secs(1)).await;
                self.surroundings().set_clocks(0);
            }
            Fault::FlushRedis => self.surroundings().flush_redis(),
            Fault::KillRedis => self.surroundings().without_redis_for(moment).await,
        }
        // As whoever runs the containers would.
        self.shop.start_missing();
    }

    /// The storm is over: everything that runs by itself runs again.
    pub async fn clear(&mut self) {
        self.idle.clear();
        self.shop.recover().await;
    }

    async fn without_postgres_for(&self, moment: Duration) {
        let postgres = self.shop.postgres.as_ref().expect("a server of its own");
        postgres.kill();
        sleep(moment).await;
        postgres.revive().await;
    }

    async fn trouble_rabbit(&self, fault: Fault, moment: Duration, random: &mut SmallRng) {
        let rabbit = self.shop.rabbit.as_ref().expect("a node of its own");
        match fault {
            Fault::KillRabbit => {
                rabbit.kill();
                sleep(moment).await;
                rabbit.revive().await;
            }
            Fault::PauseRabbit => {
                let paused = rabbit.pause();
                sleep(beyond_every_lease_now_and_then(moment, random)).await;
                drop(paused);
            }
            Fault::MemoryAlarm => {
                rabbit.raise_memory_alarm().await;
                sleep(moment).await;
                rabbit.lift_memory_alarm().await;
            }
            _ => rabbit.close_a_consuming_channel(random.random_range(0..100)).await,
        }
    }

    /// Whoever cannot write any more may end; what is supervised is started again once there is room.
    ///
    /// A node of RabbitMQ stops taking messages before its disk is full (`disk_free_limit`). Filled to the last byte in one
    /// moment, the logs of its quorum queues have gaps afterwards and the queues do not come back, with all that they
    /// had confirmed: against that nobody helps but whoever leaves the node room.
    async fn with_a_full_disk_for(&self, moment: Duration) {
        let filler = self.surroundings().fill_the_disk();
        if let Some(rabbit) = &self.shop.rabbit {
            rabbit.raise_disk_alarm().await;
        }
        sleep(moment).await;
        drop(filler);
        self.shop.postgres.as_ref().expect("a server of its own").revive().await;
        if let Some(rabbit) = &self.shop.rabbit {
            rabbit.lift_disk_alarm().await;
        }
    }

    async fn hurt_wire_to_postgres(&self, fault: Fault, moment: Duration) {
        let wire = &self.wires.postgres;
        match fault {
            Fault::CutPostgres => wire.cut(),
            Fault::HalfOpenPostgres => wire.half_open(),
            Fault::StallPostgres => wire.stall(),
            _ => wire.delay(Duration::from_millis(40)),
        }
        sleep(moment).await;
        wire.pass();
    }

    async fn hurt_wire_to_rabbit(&self, fault: Fault, moment: Duration) {
        let wire = self.wires.rabbit.as_ref().expect("a wire to RabbitMQ");
        match fault {
            Fault::CutRabbit => wire.cut(),
            Fault::HalfOpenRabbit => wire.half_open(),
            _ => wire.stall(),
        }
        sleep(moment).await;
        wire.pass();
    }

    /// All queues of one exchange at once: RabbitMQ tells a publisher whether anybody took a message, not whether all did
    /// who should have. So it takes none while the bindings go; then each relay has to find out that they are gone, and
    /// to declare them again. Over PostgreSQL only the owner may do that, as `prost migrate up` does.
    async fn unbind_for(&self, moment: Duration, random: &mut SmallRng) {
        let exchange = *Exchange::ALL.choose(random).expect("there are exchanges");
        if let (Some(rabbit), Some(broker)) = (&self.shop.rabbit, &self.shop.broker) {
            rabbit.raise_memory_alarm().await;
            // What the broker had read by then is routed.
            sleep(Duration::from_secs(1)).await;
            testkit::unbind_in_rabbit(broker.url(), QUEUES.iter().filter(|queue| queue.exchange == exchange)).await;
            rabbit.lift_memory_alarm().await;
            return sleep(moment).await;
        }
        let owner = self.owner().await;
        let sql = "DELETE FROM messaging.bindings USING messaging.queues
                   WHERE id = queue_id AND NOT transient AND exchange = $1";
        owner.execute(sql, &[&exchange.name()]).await.expect("unbind");
        sleep(moment).await;
        messaging::declare_queues(&owner).await.expect("bind again");
    }

    async fn owner(&self) -> Client {
        self.shop.database.owner().await
    }

    async fn end_connections(&self) {
        let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                   WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'";
        self.owner().await.execute(sql, &[]).await.expect("end connections");
    }

    async fn read_only_for(&self, moment: Duration) {
        let owner = self.owner().await;
        let name: String = owner.query_one("SELECT current_database()::text", &[]).await.expect("ask").get(0);
        let set = |value: &str| {
            format!(
                "SET default_transaction_read_only = off;
                     ALTER DATABASE \"{name}\" SET default_transaction_read_only = {value}"
            )
        };
        owner.batch_execute(&set("on")).await.expect("make it read-only");
        self.end_other_connections(&owner).await;
        sleep(moment).await;
        owner.batch_execute(&set("off")).await.expect("make it writable");
        self.end_other_connections(&owner).await;
    }

    /// New settings of a database reach new connections only.
    async fn end_other_connections(&self, owner: &Client) {
        let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                   WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' AND datname = current_database()";
        owner.execute(sql, &[]).await.expect("end connections");
    }

    async fn without_connections_for(&self, moment: Duration) {
        self.end_connections().await;
        let url = self.shop.database.owner_url();
        let mut held = Vec::new();
        let grab = async {
            while let Ok((client, connection)) = tokio_postgres::connect(url, tokio_postgres::NoTls).await {
                tokio::spawn(connection);
                held.push(client);
            }
        };
        // The shop grabs back what it can: all of them are ours for a moment only.
        drop(timeout(moment, grab).await);
        sleep(moment).await;
    }

    async fn leave_a_transaction_open(&mut self) {
        let owner = self.owner().await;
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM orders.orders";
        owner.batch_execute(begin).await.expect("begin");
        self.idle.push(owner);
    }

    async fn send_poison(&mut self, random: &mut SmallRng) {
        let event = EVENTS.choose(random).expect("there are events");
        let bodies = ["{", "{\"event_type\": \"NobodyKnowsThis\"}", "\u{1F9EA} not JSON at all"];
        let body = bodies.choose(random).expect("there are bodies");
        self.shop.publish(event.exchange.name(), &[(event.routing_key, body)]).await;
        let hears = |queue: &&Queue| {
            queue.exchange == event.exchange
                && queue.routing_keys.iter().any(|pattern| matches(pattern, event.routing_key))
        };
        self.poison.extend(QUEUES.iter().filter(hears).map(|queue| oracle::letter(&queue.name(), body)));
    }

    async fn number_of_events(&self) -> i64 {
        let sql = "SELECT (SELECT count(*) FROM catalog.events) + (SELECT count(*) FROM cart.events)
                       + (SELECT count(*) FROM orders.events) + (SELECT count(*) FROM payments.events)";
        oracle::count(&self.owner().await, sql).await
    }
}

/// A moment, or so long that somebody else takes over before the sleeper comes back.
fn beyond_every_lease_now_and_then(moment: Duration, random: &mut SmallRng) -> Duration {
    if random.random_bool(0.1) { Duration::from_secs(22) } else { moment }
}

/// Some events again: those before the latest, of which so many are left out.
pub async fn send_copies(shop: &Shop, count: i64, left_out: i64) {
    let owner = shop.database.owner().await;
    let sql = "SELECT exchange, routing_key, envelope::text FROM (
                   SELECT * FROM catalog.events UNION ALL SELECT * FROM cart.events
                   UNION ALL SELECT * FROM orders.events UNION ALL SELECT * FROM payments.events) AS event
               ORDER BY event_id DESC LIMIT $1 OFFSET $2";
    for row in owner.query(sql, &[&count, &left_out]).await.expect("read events") {
        let (exchange, key, body): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        shop.publish(&exchange, &[(&key, &body)]).await;
    }
}
