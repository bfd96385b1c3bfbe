//! A message that takes its consumer down, or its whole process. Such a consumer runs in a child: this very test, started
//! again with [`CHILD`] set.

use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

use database::{Database, Login, PoolLimits};
use events::EventId;
use messaging::{Consumer, Declares, RabbitConfig, Transport, Wakes};
use testkit::eventually;
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

use crate::doomed::Doomed;
use crate::harness::{Harness, Kind, LIMIT, body, drafts, ids, orders};
use crate::probe::{Act, Probe};

/// Which message aborts, and the URLs of database and broker.
const CHILD: &str = "MESSAGING_ABORTING_CHILD";
const SIGABRT: i32 = 6;

/// Seven messages wait in orders' queue; one of them takes down whoever handles it.
struct Deadly {
    shop: Harness,
    killer: EventId,
    letter: String,
    rest: Vec<EventId>,
}

impl Deadly {
    async fn queue(kind: Kind) -> Deadly {
        let shop = Harness::new(kind).await;
        let batch = drafts(7);
        let killer = batch[3].envelope.event_id;
        let relay = shop.relay();
        shop.record(&batch).await;
        shop.until_ready(orders(), 7).await;
        relay.stop().await;
        let rest = ids(&batch).into_iter().filter(|id| *id != killer).collect();
        Deadly { shop, killer, letter: body(&batch[3]), rest }
    }

    /// The others were applied, by the last consumer if by nobody before.
    async fn is_parked_alone_after(&self, deaths: usize) {
        self.shop.until_applied("orders", &self.rest).await;
        assert_eq!(self.shop.effects("orders", &[self.killer]).await, [0]);
        let dead = self.shop.until_dead(orders(), 1).await;
        assert_eq!(dead, [(self.letter.clone(), "delivered 2 times without an answer".to_owned())]);
        assert_eq!(deaths, 2 * 4, "twice in each tier");
    }
}

pub async fn who_takes_its_consumer_down_is_parked_and_nobody_else(kind: Kind) {
    let deadly = Deadly::queue(kind).await;
    let shop = &deadly.shop;
    let mut deaths = 0;
    let _last = loop {
        let probe = Probe::with(Act::Apply, [(deadly.killer, Act::Pause)]);
        let doomed = Doomed::consumer(shop, orders(), probe.clone());
        let parked = eventually(LIMIT, || async {
            shop.fast_forward().await;
            match (probe.paused.try_acquire(), shop.depth(orders()).await) {
                (Ok(_), _) => Ok(false),
                (Err(_), depth) if depth.dead > 0 => Ok(true),
                (Err(_), depth) => Err(format!("{deaths} deaths, {depth:?}")),
            }
        })
        .await;
        if parked {
            break doomed;
        }
        doomed.kill();
        deaths += 1;
    };
    deadly.is_parked_alone_after(deaths).await;
}

pub async fn who_aborts_its_process_is_parked_and_nobody_else(kind: Kind) {
    if let Ok(given) = std::env::var(CHILD) {
        return consume_until_it_aborts(kind, &given).await;
    }
    let deadly = Deadly::queue(kind).await;
    let Deadly { shop, killer, .. } = &deadly;
    let broker = if kind == Kind::Rabbit { shop.broker().url() } else { "" };
    let given = format!("{killer} {} {broker}", shop.db.owner_url());
    let mut deaths = 0;
    let mut last = loop {
        let mut child = start(kind, &given);
        tokio::select! {
            died = child.wait() => assert_eq!(died.expect("wait").signal(), Some(SIGABRT), "after {deaths} deaths"),
            () = until_parked(shop) => break child,
        }
        deaths += 1;
    };
    deadly.is_parked_alone_after(deaths).await;
    last.kill().await.expect("end the last one");
}

fn start(kind: Kind, given: &str) -> Child {
    let module = match kind {
        Kind::SameDatabase => "same_database",
        Kind::Straight => "straight",
        Kind::Apart => "apart",
        Kind::Rabbit => "rabbit",
    };
    let name = format!("{module}::who_aborts_its_process_is_parked_and_nobody_else");
    Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", &name])
        .env(CHILD, given)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("start it again")
}

async fn until_parked(shop: &Harness) {
    eventually(LIMIT, || async {
        shop.fast_forward().await;
        let depth = shop.depth(orders()).await;
        if depth.dead > 0 { Ok(()) } else { Err(format!("{depth:?}")) }
    })
    .await;
}

async fn consume_until_it_aborts(kind: Kind, given: &str) {
    let [killer, url, broker] = given.split(' ').collect::<Vec<_>>()[..] else { panic!("{given}") };
    let login = |schema| Database::connect(&Login::of_service(url, "orders", schema), &PoolLimits::default());
    let database = login("orders").expect("a URL");
    let transport = match kind {
        Kind::SameDatabase | Kind::Straight => Transport::postgres(database.clone(), Wakes::new()),
        Kind::Apart => Transport::postgres(login("messaging").expect("a URL"), Wakes::new()),
        Kind::Rabbit => Transport::rabbit(RabbitConfig { url: broker.to_owned(), declares: Declares::Everything }),
    };
    if kind == Kind::Straight {
        transport.carry_straight(&database);
    }
    let handler = Probe::with(Act::Apply, [(killer.parse().expect("an id"), Act::Abort)]);
    Consumer { queue: orders(), database, handler }.run(transport, CancellationToken::new()).await;
}
