//! A release and the one before it at the same queues: who was at work when a migration came goes on.

use database::migrate::{self, DataLoss};
use events::EventId;
use events::topology::Exchange;
use testkit::connect;
use tokio_postgres::{Client, Statement};
use uuid::Uuid;

use crate::harness::{Harness, Kind, PRODUCTS, body, drafts, orders};

/// The last migration before walks began where others came.
const BEFORE_LOW_WATER: i32 = 6;

/// A consumer as it was then: its statements name no beginning, and were prepared before there was one.
struct Former {
    client: Client,
    take: Statement,
    receive: Statement,
    lease: Uuid,
}

impl Former {
    async fn start(shop: &Harness) -> Former {
        let client = connect(shop.db.owner_url()).await;
        client.batch_execute("SET ROLE prost_orders; SET search_path = orders").await.expect("as orders");
        let take = client.prepare("SELECT event_id FROM messaging.take($1, $2)").await.expect("prepare");
        let receive = "SELECT id, body, attempts, deliveries FROM messaging.receive($1, $2, $3, $4)";
        let receive = client.prepare(receive).await.expect("prepare");
        Former { client, take, receive, lease: Uuid::new_v4() }
    }

    async fn take(&self) -> Vec<EventId> {
        self.client.batch_execute("BEGIN DEFERRABLE").await.expect("begin");
        let taken = self.client.query(&self.take, &[&orders().name(), &10_i32]).await.expect("take");
        self.client.batch_execute("COMMIT").await.expect("commit");
        taken.iter().map(|row| row.get("event_id")).collect()
    }

    async fn receive(&self) -> Vec<String> {
        let (queue, lease) = (orders().name(), self.lease);
        let leased = self.client.query(&self.receive, &[&queue, &10_i32, &lease, &20_f64]).await.expect("receive");
        let ids: Vec<i64> = leased.iter().map(|row| row.get("id")).collect();
        self.client.query("SELECT messaging.ack($1, $2, $3)", &[&queue, &ids, &lease]).await.expect("acknowledge");
        leased.iter().map(|row| row.get("body")).collect()
    }
}

#[tokio::test]
async fn who_walked_from_the_very_beginning_goes_on_after_walks_begin_anywhere() {
    let shop = Harness::new(Kind::Straight).await;
    let migrations = messaging::migrations().expect("well-formed");
    // Nothing is lost; but what is inside a function counts, too.
    migrate::down(&shop.owner, &migrations, BEFORE_LOW_WATER, DataLoss::Allow).await.expect("down");
    let former = Former::start(&shop).await;
    gets_everything(&former, &shop).await;
    migrate::up(&shop.owner, &[migrations]).await.expect("up");
    gets_everything(&former, &shop).await;
}

/// What is sent straight is taken, what was published is leased, as in its own time. Whoever sends prepared that then, too.
async fn gets_everything(former: &Former, shop: &Harness) {
    let (sent, published) = (drafts(1), drafts(1));
    shop.record(&sent).await;
    shop.publish_raw(Exchange::Products, PRODUCTS, &[body(&published[0])]).await;
    assert_eq!(former.take().await, [sent[0].envelope.event_id]);
    assert_eq!(former.receive().await, [body(&published[0])]);
    assert_eq!((former.take().await, former.receive().await), (vec![], vec![]));
}
