//! The audit trail by day, and idempotency records by age.

use database::maintenance::{self, Retention};
use database::{Database, outbox};
use testkit::{TestDatabase, foundation_with};
use tokio_postgres::Client;
use uuid::Uuid;

async fn users() -> (TestDatabase, Database, Client) {
    let db = TestDatabase::new(&[foundation_with("users", "users", "")]).await;
    let (database, owner) = (db.database("users", "users"), db.owner().await);
    (db, database, owner)
}

/// Days of partitions, counted from today.
async fn days(owner: &Client) -> Vec<i32> {
    let sql = "SELECT to_date(right(c.relname, 8), 'YYYYMMDD') - (now() AT TIME ZONE 'UTC')::date AS day
               FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
               WHERE i.inhparent = 'users.events'::regclass AND c.relname <> 'events_default' ORDER BY 1";
    owner.query(sql, &[]).await.expect("list").iter().map(|row| row.get("day")).collect()
}

async fn insert_event(owner: &Client, days_ago: i32) -> Uuid {
    let id = Uuid::now_v7();
    let sql = "INSERT INTO users.events (event_id, recorded_at, event_type, aggregate_type, aggregate_id,
                                         correlation_id, exchange, routing_key, envelope)
               VALUES ($1, now() - $2::int * interval '1 day', 'T', 'a', $1, $1, 'x', 'k', '{}')";
    owner.execute(sql, &[&id, &days_ago]).await.expect("insert an event");
    id
}

async fn partition_of(owner: &Client, id: Uuid) -> String {
    let sql = "SELECT tableoid::regclass::text AS place FROM users.events WHERE event_id = $1";
    owner.query_one(sql, &[&id]).await.expect("find").get("place")
}

/// A partition of a day long ago, as if maintenance had made it then.
async fn make_old_partition(owner: &Client, days_ago: i32) {
    let sql = format!(
        "DO $$ DECLARE day date := (now() AT TIME ZONE 'UTC')::date - {days_ago};
         BEGIN
             EXECUTE format('CREATE TABLE users.%I PARTITION OF users.events FOR VALUES FROM (%L) TO (%L)',
                 'events_' || to_char(day, 'YYYYMMDD'), day || ' 00:00:00+00', day + 1 || ' 00:00:00+00');
         END $$"
    );
    owner.batch_execute(&sql).await.expect("make a partition");
}

#[tokio::test]
async fn partitions_are_made_a_week_ahead() {
    let (_db, database, owner) = users().await;
    assert_eq!(days(&owner).await, (-1..=7).collect::<Vec<_>>());
    owner
        .batch_execute("DO $$ BEGIN EXECUTE 'DROP TABLE users.events_' || to_char(now() AT TIME ZONE 'UTC' + interval '5 days', 'YYYYMMDD'); END $$")
        .await
        .expect("drop one");
    maintenance::run_once(&database, &Retention::default()).await.expect("maintenance");
    maintenance::run_once(&database, &Retention::default()).await.expect("twice changes nothing");
    assert_eq!(days(&owner).await, (-1..=7).collect::<Vec<_>>());
    let today = insert_event(&owner, 0).await;
    assert!(partition_of(&owner, today).await.starts_with("users.events_2"));
}

#[tokio::test]
async fn a_made_partition_has_the_indexes_and_is_open_to_the_role() {
    let (_db, database, owner) = users().await;
    let sql = "SELECT count(*) AS indexes FROM pg_indexes WHERE schemaname = 'users'
               AND tablename = 'events_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD')";
    assert_eq!(owner.query_one(sql, &[]).await.expect("count").get::<_, i64>("indexes"), 3);
    let recorded: Result<(), database::Error> =
        database.write(|tx| Box::pin(async move { outbox::record(tx, &[crate::outbox::draft()]).await })).await;
    recorded.expect("the service's role writes into it");
}

#[tokio::test]
async fn old_partitions_are_dropped_but_none_with_an_unsent_event() {
    let (_db, database, owner) = users().await;
    for days_ago in [30, 31, 40, 50] {
        make_old_partition(&owner, days_ago).await;
        insert_event(&owner, days_ago).await;
    }
    let unsent = insert_event(&owner, 40).await;
    owner
        .execute("INSERT INTO users.outbox (event_id, recorded_at) SELECT event_id, recorded_at FROM users.events WHERE event_id = $1", &[&unsent])
        .await
        .expect("unsent");
    maintenance::run_once(&database, &Retention::default()).await.expect("maintenance");
    assert_eq!(days(&owner).await[..2], [-40, -30]);
    owner.execute("DELETE FROM users.outbox", &[]).await.expect("sent at last");
    maintenance::run_once(&database, &Retention::default()).await.expect("maintenance");
    assert_eq!(days(&owner).await[0], -30);
}

#[tokio::test]
async fn events_of_a_day_without_partition_are_kept_and_find_their_day_later() {
    let (_db, database, owner) = users().await;
    owner
        .batch_execute(
            "DO $$ BEGIN EXECUTE 'DROP TABLE users.events_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD'); END $$",
        )
        .await
        .expect("as if maintenance had not run for a week");
    let (caught, ancient) = (insert_event(&owner, 0).await, insert_event(&owner, 31).await);
    assert_eq!(partition_of(&owner, caught).await, "users.events_default");
    maintenance::run_once(&database, &Retention::default()).await.expect("maintenance");
    assert!(partition_of(&owner, caught).await.starts_with("users.events_2"));
    let left = owner.query_one("SELECT count(*) AS left_over FROM users.events WHERE event_id = $1", &[&ancient]).await;
    assert_eq!(left.expect("count").get::<_, i64>("left_over"), 0, "what is too old goes, also from there");
}

#[tokio::test]
async fn a_long_transaction_delays_maintenance_and_not_the_writers() {
    let (db, database, owner) = users().await;
    make_old_partition(&owner, 40).await;
    let long = db.owner().await;
    long.batch_execute("BEGIN; SELECT count(*) FROM users.events").await.expect("a report");
    let error = maintenance::run_once(&database, &Retention::default()).await.expect_err("the partition is in use");
    assert!(error.is_conflict(), "{error}");
    long.batch_execute("COMMIT").await.expect("commit");
    maintenance::run_once(&database, &Retention::default()).await.expect("maintenance");
    assert_eq!(days(&owner).await[0], -1);
}

#[tokio::test]
async fn idempotency_records_are_pruned_by_kind_and_age() {
    let (_db, database, owner) = users().await;
    for (action, hours) in
        [("OrderPlaced", 24 * 31), ("OrderPlaced", 24 * 29), ("http:POST /x", 25), ("http:POST /x", 23)]
    {
        let sql = "INSERT INTO users.idempotency_records (event_id, service_name, action, result, created_at)
                   VALUES ($1, 'users', $2, '{}', now() - $3::int * interval '1 hour')";
        owner.execute(sql, &[&Uuid::now_v7(), &action, &hours]).await.expect("insert");
    }
    maintenance::run_once(&database, &Retention::default()).await.expect("maintenance");
    let rows = owner
        .query("SELECT (extract(epoch FROM now() - created_at) / 3600)::int AS hours FROM users.idempotency_records ORDER BY 1", &[])
        .await
        .expect("read");
    assert_eq!(rows.iter().map(|row| row.get::<_, i32>("hours")).collect::<Vec<_>>(), [23, 24 * 29]);
}
