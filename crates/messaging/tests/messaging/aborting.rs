//! A handler that takes its whole process down. The consumer runs in a child: this very test, started again with
//! [`CHILD`] set.

use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

use database::{Database, Login, PoolLimits};
use messaging::{Consumer, Declares, RabbitConfig, Transport, Wakes};
use testkit::eventually;
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

use crate::harness::{Harness, Kind, LIMIT, body, drafts, ids, orders};
use crate::probe::{Act, Probe};

/// Which message aborts, and the URLs of database and broker.
const CHILD: &str = "MESSAGING_ABORTING_CHILD";
const SIGABRT: i32 = 6;

pub async fn who_aborts_its_process_is_parked_and_nobody_else(kind: Kind) {
    if let Ok(given) = std::env::var(CHILD) {
        return consume_until_it_aborts(kind, &given).await;
    }
    let shop = Harness::new(kind).await;
    let batch = drafts(7);
    let killer = batch[3].envelope.event_id;
    let rest: Vec<_> = ids(&batch).into_iter().filter(|id| *id != killer).collect();
    let relay = shop.relay();
    shop.record(&batch).await;
    shop.until_ready(orders(), 7).await;
    relay.stop().await;

    let broker = if kind == Kind::Rabbit { shop.broker().url() } else { "" };
    let given = format!("{killer} {} {broker}", shop.db.owner_url());
    let mut deaths = 0;
    let mut last = loop {
        let mut child = start(kind, &given);
        tokio::select! {
            died = child.wait() => assert_eq!(died.expect("wait").signal(), Some(SIGABRT), "after {deaths} deaths"),
            () = until_parked(&shop) => break child,
        }
        deaths += 1;
    };
    shop.until_applied("orders", &rest).await;
    assert_eq!(shop.effects("orders", &[killer]).await, [0]);
    let dead = shop.until_dead(orders(), 1).await;
    assert_eq!(dead, [(body(&batch[3]), "delivered 2 times without an answer".to_owned())]);
    assert_eq!(deaths, 2 * 4, "twice in each tier");
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
