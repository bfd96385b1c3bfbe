//! All that the shop knows, as a fingerprint per table.

use std::collections::BTreeMap;
use std::time::Duration;

use testkit::eventually;
use tokio_postgres::Client;

use super::World;
use crate::support::oracle;

const PATIENCE: Duration = Duration::from_secs(60);

/// What is recorded and not sent, or sent and not handled; what the provider has not answered.
const UNDER_WAY: &str = "SELECT
    (SELECT count(*) FROM messaging.messages m JOIN messaging.queues q ON q.id = m.queue_id WHERE NOT q.transient)
  + (SELECT count(*) FROM messaging.delayed_messages)
  + (SELECT count(*) FROM payments.payments WHERE status IN ('pending', 'authorized'))
  + (SELECT count(*) FROM payments.refunds WHERE status = 'pending')
  + (SELECT count(*) FROM (
         SELECT failed_at FROM catalog.outbox UNION ALL SELECT failed_at FROM cart.outbox
         UNION ALL SELECT failed_at FROM orders.outbox UNION ALL SELECT failed_at FROM payments.outbox) o
     WHERE failed_at IS NULL)";

/// What changes without anybody's order: the gateway's own short-lived queues, what failed logins leave behind, and
/// reports, which may be built anew in the background.
const RESTLESS: [&str; 6] = [
    "messaging.queues",
    "messaging.bindings",
    "users.login_failures",
    "public.facts",
    "public.generations",
    "public.reports",
];

/// Count and hash of each table.
#[derive(Debug, PartialEq, Eq)]
pub struct State(BTreeMap<String, String>);

impl State {
    /// Of all databases, once everything that was begun has ended.
    pub async fn at_rest(world: &World) -> State {
        eventually(PATIENCE, || async {
            match oracle::count(&world.database, UNDER_WAY).await {
                0 => Ok(()),
                messages => Err(format!("{messages} messages, charges and refunds are under way")),
            }
        })
        .await;
        State::now(world).await
    }

    /// Of all databases, as they stand.
    pub async fn now(world: &World) -> State {
        let mut tables = BTreeMap::new();
        for (name, database) in [("prost", &world.database), ("analytics", &world.analytics)] {
            for row in database.query(&world.fingerprints[name], &[]).await.expect("read the fingerprints") {
                tables.insert(format!("{name}: {}", row.get::<_, String>(0)), row.get(1));
            }
        }
        State(tables)
    }

    /// The tables that have changed since this was read; it is as they stand, then.
    pub async fn changes(&mut self, world: &World) -> Vec<String> {
        let before = std::mem::replace(self, State::now(world).await);
        self.changed(&before).into_iter().map(str::to_owned).collect()
    }

    /// The tables that differ.
    pub fn changed(&self, since: &State) -> Vec<&str> {
        self.0
            .iter()
            .filter(|(table, print)| since.0.get(*table) != Some(print))
            .map(|(table, _)| table.as_str())
            .collect()
    }
}

/// The query for the fingerprints of a database.
pub async fn fingerprint(database: &Client) -> String {
    let sql = "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
                 AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' ORDER BY 1";
    let rows = database.query(sql, &[]).await.expect("list the tables");
    let tables = rows.iter().map(|row| row.get::<_, String>(0)).filter(|table| !RESTLESS.contains(&table.as_str()));
    let print = |table: String| {
        format!(
            "SELECT '{table}', count(*) || ' ' || coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM {table} t"
        )
    };
    tables.map(print).collect::<Vec<_>>().join(" UNION ALL ")
}
