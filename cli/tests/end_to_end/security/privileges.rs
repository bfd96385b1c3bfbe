//! What the role of each service may do in the real databases of a shop: asked of PostgreSQL, table by table.

use std::collections::BTreeMap;

use testkit::connect;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::support::{Shop, Transport};

/// Roles and the schemas that are theirs.
const OWN: [(&str, &str); 7] = [
    ("prost_users", "users"),
    ("prost_products", "catalog"),
    ("prost_cart", "cart"),
    ("prost_orders", "orders"),
    ("prost_payments", "payments"),
    ("prost_analytics", "public"),
    ("prost_gateway", "(none)"),
];

async fn column(database: &Client, sql: &str) -> Vec<String> {
    let rows = database.query(sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    rows.iter().map(|row| row.get(0)).collect()
}

/// Everything a role may touch outside its own schema, in one database.
async fn reach(database: &Client, role: &str, own: &str) -> Vec<String> {
    let tables = format!(
        "SELECT n.nspname || '.' || c.relname || ' (' || right_ || ')'
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
              unnest('{{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}}'::text[]) AS right_
         WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname NOT IN ('information_schema', '{own}')
           AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND has_table_privilege('{role}', c.oid, right_)"
    );
    let sequences = format!(
        "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname <> '{own}'
           AND CASE c.relkind WHEN 'S' THEN has_sequence_privilege('{role}', c.oid, 'USAGE, SELECT, UPDATE') ELSE false END"
    );
    let schemas = format!(
        "SELECT 'schema ' || nspname FROM pg_namespace
         WHERE nspname NOT LIKE 'pg\\_%' AND nspname NOT IN ('information_schema', 'public', 'messaging', '{own}')
           AND has_schema_privilege('{role}', oid, 'USAGE')
         UNION ALL SELECT 'may create in ' || nspname FROM pg_namespace WHERE has_schema_privilege('{role}', oid, 'CREATE')"
    );
    let functions = format!(
        "SELECT n.nspname || '.' || p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
         WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname NOT IN ('information_schema', 'messaging', '{own}')
           AND has_schema_privilege('{role}', n.oid, 'USAGE') AND has_function_privilege('{role}', p.oid, 'EXECUTE')
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')"
    );
    let own_tables = format!(
        "SELECT 'may ' || right_ || ' ' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
              unnest('{{TRUNCATE,TRIGGER}}'::text[]) AS right_
         WHERE n.nspname = '{own}' AND c.relkind IN ('r', 'p') AND has_table_privilege('{role}', c.oid, right_)
         UNION ALL SELECT 'may rewrite its migrations' WHERE to_regclass('{own}.schema_migrations') IS NOT NULL
           AND has_table_privilege('{role}', to_regclass('{own}.schema_migrations'), 'INSERT, UPDATE, DELETE')"
    );
    let mut reached = Vec::new();
    for sql in [tables, sequences, schemas, functions, own_tables] {
        reached.extend(column(database, &sql).await);
    }
    reached
}

#[tokio::test]
async fn each_role_reaches_its_own_schema_and_nothing_else() {
    let shop = Shop::migrated(Transport::Postgres).await;
    let databases = [
        ("prost", connect(shop.setting("DATABASE_URL")).await),
        ("analytics", connect(shop.setting("ANALYTICS_DATABASE_URL")).await),
    ];
    let mut wrong = BTreeMap::new();
    for (role, own) in OWN {
        for (name, database) in &databases {
            // The schema `public` is analytics' in its own database only.
            let is_home = (role == "prost_analytics") == (*name == "analytics");
            let reached = reach(database, role, if is_home { own } else { "(none)" }).await;
            if !reached.is_empty() {
                wrong.insert(format!("{role} in {name}"), reached);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn no_role_is_more_than_a_role() {
    let shop = Shop::migrated(Transport::Postgres).await;
    let owner = connect(shop.setting("DATABASE_URL")).await;
    let roles = OWN.map(|(role, _)| format!("'{role}'")).join(", ");
    let powers = format!(
        "SELECT rolname::text FROM pg_roles WHERE rolname IN ({roles})
           AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)
         UNION ALL SELECT r.rolname || ' is a ' || m.rolname FROM pg_roles r, pg_roles m
         WHERE r.rolname IN ({roles}) AND m.rolname <> r.rolname AND pg_has_role(r.oid, m.oid, 'MEMBER')
         UNION ALL SELECT r.rolname || ' owns ' || c.relname FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
         WHERE r.rolname IN ({roles})"
    );
    assert_eq!(column(&owner, &powers).await, Vec::<String>::new());

    for (role, _) in OWN {
        owner.batch_execute(&format!("SET ROLE {role}")).await.expect("take the role");
        for sql in [
            "SELECT rolpassword FROM pg_authid",
            "SELECT passwd FROM pg_shadow",
            "SELECT pg_read_file('/etc/passwd')",
            "COPY (SELECT 1) TO PROGRAM 'true'",
            "CREATE TEMPORARY TABLE mine (id integer)",
            "CREATE TABLE public.mine (id integer)",
            "CREATE SCHEMA mine",
            "CREATE EXTENSION dblink",
            "ALTER SYSTEM SET log_statement = 'all'",
            "SELECT pg_reload_conf()",
            "SET ROLE prost_somebody_else",
        ] {
            let refused = owner.batch_execute(sql).await;
            let state = refused.as_ref().err().and_then(|error| error.code());
            let is_refused =
                [Some(&SqlState::INSUFFICIENT_PRIVILEGE), Some(&SqlState::INVALID_PARAMETER_VALUE)].contains(&state);
            assert!(is_refused, "{role}: {sql}: {refused:?}");
        }
        owner.batch_execute("RESET ROLE").await.expect("be the owner again");
    }
}

/// Every function of messaging that names a queue, tried by every role on somebody else's.
#[tokio::test]
async fn nobody_reaches_into_the_queue_of_another() {
    let shop = Shop::migrated(Transport::Postgres).await;
    let owner = connect(shop.setting("DATABASE_URL")).await;
    let of_queues = "SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
                     WHERE n.nspname = 'messaging' AND 'queue_name' = ANY (p.proargnames) AND p.proname <> 'own_queue' ORDER BY 1";
    let functions = column(&owner, of_queues).await;
    assert!(functions.len() >= 9, "{functions:?}");
    let queues = "SELECT DISTINCT ON (service) name FROM messaging.queues WHERE NOT transient ORDER BY service, name";
    let queues = column(&owner, queues).await;
    assert!(queues.len() >= 4, "{queues:?}");
    for (role, _) in OWN {
        let service = role.trim_start_matches("prost_");
        owner.batch_execute(&format!("SET ROLE {role}")).await.expect("take the role");
        for queue in queues.iter().filter(|queue| !queue.starts_with(&format!("{service}."))) {
            for function in &functions {
                let call = call_of(function, queue);
                let refused = owner.batch_execute(&call).await;
                let state = refused.as_ref().err().and_then(|error| error.code());
                assert_eq!(state, Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{role}: {call}: {refused:?}");
            }
        }
        owner.batch_execute("RESET ROLE").await.expect("be the owner again");
    }
}

/// `messaging.ack(text,bigint[],uuid)` → a call about this queue, everything else being null.
fn call_of(function: &str, queue: &str) -> String {
    let (name, types) = function.trim_end_matches(')').split_once('(').expect("a signature");
    let name = name.trim_start_matches("messaging.");
    // The queue is the first text, but where the origin of a hint comes before it.
    let at = usize::from(name == "replay_dead_letters");
    let values = types.split(',').enumerate().map(|(index, type_)| match index == at {
        true => format!("'{queue}'"),
        false => format!("NULL::{type_}"),
    });
    format!("SELECT messaging.{name}({})", values.collect::<Vec<_>>().join(", "))
}
