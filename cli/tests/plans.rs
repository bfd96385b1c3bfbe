//! Nothing that a service asks its database grows with the shop: no statement reads the whole of a big table.
//!
//! Every statement that the services list is planned, for whatever parameters may come, on a shop of a few thousand
//! orders, products and users whose statistics say that it has a million of each. (Their pages are not multiplied: to the
//! planner, reading such a table from end to end looks cheaper than it would be.) `PLAN_ROWS=1000000` loads them all.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use testkit::TestDatabase;
use tokio_postgres::{Client, SimpleQueryMessage};

/// As `prost bench growth` loads it.
const BEGIN: &str = include_str!("../src/bench/growth/begin.sql");
const CATALOGUE: &str = include_str!("../src/bench/growth/catalogue.sql");
const ORDERS: &str = include_str!("../src/bench/growth/orders.sql");
/// What analytics keeps of it, in a database of its own.
const ARCHIVE: &str = "
    INSERT INTO events_archive (event_id, occurred_at, event_type, envelope)
        SELECT pg_temp.id('101', g), at, 'OrderPlaced', '{}' FROM grown g;
    INSERT INTO facts (generation, id, state)
        SELECT generations.shown, pg_temp.id('005', g), '{}' FROM grown g, generations";

/// What the statistics say of every table that holds a row for each order, product or user.
const MILLION: &str = "
    UPDATE pg_class SET reltuples = reltuples * (1000000.0 / current_setting('prost.grown')::float8)
        WHERE reltuples >= 100 AND relkind IN ('r', 'i') AND relnamespace::regnamespace::text IN
            ('users', 'catalog', 'cart', 'orders', 'payments', 'public') AND relname !~ '^events_[0-9]';
    UPDATE pg_class SET reltuples = 1000000
        WHERE reltuples > 0 AND relkind IN ('r', 'i') AND relname ~ '^events_[0-9]'";
/// Statistics stay as they are set.
const STILL: &str = "
    DO $$ DECLARE name regclass; BEGIN
        FOR name IN SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace::regnamespace::text IN
            ('users', 'catalog', 'cart', 'orders', 'payments', 'public')
        LOOP EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = off)', name); END LOOP;
    END $$";
/// More is big.
const BIG: f64 = 100_000.0;

/// What may read all of a big table, and why.
const ALLOWED: &[(&str, &str)] = &[
    ("catalog PRUNE", "looks for uploads that no product shows, in the background, once there are any to take away"),
    ("public BEGIN_GENERATION", "an operator builds the reports again, from all of the archive"),
    ("public PRUNE_FACTS", "and throws away what was built before"),
];
/// Pages of lists, no parts of batches: while a table is small, reading all of it is as good as any other way.
const LISTS: &[&str] = &["catalog LIST", "orders ENDED", "orders ORDERS"];
/// What the server plans anew for each call, because the plan for all parameters is dearer; with parameters that are asked.
const PER_CALL: &[(&str, &[&str])] = &[(
    "orders ORDERS",
    &[
        "gen_random_uuid(), NULL, NULL, 21, NULL, NULL, NULL",
        "gen_random_uuid(), 'CONFIRMED', gen_random_uuid(), 21, NULL, NULL, NULL",
        "NULL, NULL, NULL, 21, NULL, NULL, NULL",
        "NULL, 'PENDING', NULL, 21, NULL, NULL, NULL",
        "NULL, 'CONFIRMED', gen_random_uuid(), 21, NULL, NULL, NULL",
        "NULL, NULL, NULL, 21, ARRAY[gen_random_uuid()], NULL, NULL",
        "NULL, NULL, NULL, 21, NULL, now() - interval '1 day', now()",
    ],
)];

/// A shop with so many orders, products and users, that nobody has counted yet.
async fn uncounted(rows: u32) -> (TestDatabase, Client) {
    let deploy = [
        users::migrations(),
        products::migrations(),
        cart::migrations(),
        orders::migrations(),
        payments::migrations(),
        analytics::migrations(),
    ];
    let database = TestDatabase::new(&deploy.map(|migrations| migrations.expect("well-formed migrations"))).await;
    let owner = database.owner().await;
    run(&owner, &[STILL, &format!("SET prost.grown = {rows}"), BEGIN, CATALOGUE, ORDERS, ARCHIVE]).await;
    (database, owner)
}

/// A shop whose statistics say that it has a million of each.
async fn grown() -> (TestDatabase, Client) {
    let rows: u32 = std::env::var("PLAN_ROWS").map_or(20_000, |rows| rows.parse().expect("PLAN_ROWS is a number"));
    let (database, owner) = uncounted(rows).await;
    run(&owner, &["ANALYZE", MILLION]).await;
    (database, owner)
}

async fn run(owner: &Client, script: &[&str]) {
    for part in script {
        owner.batch_execute(part).await.unwrap_or_else(|error| panic!("{part}: {error:?}"));
    }
}

/// The statements of all services, by schema; what consumers, operators and upkeep ask is asked of each.
fn statements() -> Vec<(&'static str, Vec<(&'static str, &'static str)>)> {
    let everywhere = [&operations::statements(), database::idempotency::ALL, database::maintenance::ALL].concat();
    let with_operations = |schema, own: Vec<_>| (schema, [own, everywhere.clone()].concat());
    vec![
        with_operations(users::SCHEMA, users::statements()),
        with_operations(products::SCHEMA, products::statements()),
        with_operations(cart::SCHEMA, cart::statements()),
        with_operations(orders::SCHEMA, orders::statements()),
        with_operations(payments::SCHEMA, payments::statements()),
        with_operations(analytics::SCHEMA, analytics::statements()),
    ]
}

/// The plan of a statement with these parameters; of `None`, the one that serves all.
async fn plan(owner: &Client, sql: &str, parameters: Option<&str>) -> Value {
    let count = owner.prepare(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}")).params().len();
    let mode = if parameters.is_some() { "force_custom_plan" } else { "force_generic_plan" };
    let parameters = parameters.map_or_else(|| vec!["NULL"; count].join(", "), str::to_owned);
    let execute = if count == 0 { "EXECUTE asked".to_owned() } else { format!("EXECUTE asked ({parameters})") };
    let script = format!(
        "SET plan_cache_mode = {mode}; PREPARE asked AS {sql}; EXPLAIN (FORMAT JSON, VERBOSE) {execute}; DEALLOCATE asked"
    );
    let answer = owner.simple_query(&script).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    let rows = answer.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    let plans: Value = serde_json::from_str(&rows.collect::<String>()).expect("a plan is JSON");
    plans[0]["Plan"].clone()
}

/// The big tables that a plan reads from end to end: in their own order, or in that of a big index that it asks for nothing,
/// unless it stops after some rows.
fn read_whole(node: &Value, big: &BTreeSet<String>, limited: Limited, found: &mut BTreeSet<String>) {
    let kind = node["Node Type"].as_str().unwrap_or_default();
    let schema = node["Schema"].as_str().unwrap_or_default();
    let is_big = |name: &Value| name.as_str().is_some_and(|name| big.contains(&format!("{schema}.{name}")));
    let is_whole = match kind {
        "Seq Scan" => is_big(&node["Relation Name"]),
        "Index Scan" | "Index Only Scan" => {
            node["Index Cond"].is_null() && limited == Limited::No && is_big(&node["Index Name"])
        }
        _ => false,
    };
    if is_whole {
        found.insert(format!("{kind} on {schema}.{}", node["Relation Name"].as_str().unwrap_or_default()));
    }
    let limited = match kind {
        "Limit" => Limited::Yes,
        // These take all of their input, however little is asked of them.
        "Sort" | "Aggregate" | "Hash" | "WindowAgg" | "Materialize" => Limited::No,
        _ => limited,
    };
    for part in node["Plans"].as_array().into_iter().flatten() {
        read_whole(part, big, limited, found);
    }
}

/// Does somebody above stop after some rows?
#[derive(Clone, Copy, PartialEq, Eq)]
enum Limited {
    Yes,
    No,
}

/// Tables, and indexes: one of a few rows of a big table is small.
async fn big(owner: &Client) -> BTreeSet<String> {
    let sql = "SELECT relnamespace::regnamespace::text || '.' || relname AS name FROM pg_class
        WHERE relkind IN ('r', 'i') AND reltuples >= $1::float8";
    let rows = owner.query(sql, &[&BIG]).await.expect("list what is big");
    rows.iter().map(|row| row.get("name")).collect()
}

/// The first column of each b-tree index, by schema and index.
async fn first_columns(owner: &Client) -> BTreeMap<String, String> {
    let sql = "SELECT c.relnamespace::regnamespace::text || '.' || c.relname AS name, a.attname::text AS first
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am am ON am.oid = c.relam
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
        WHERE am.amname = 'btree'";
    let rows = owner.query(sql, &[]).await.expect("list the indexes");
    rows.iter().map(|row| (row.get("name"), row.get("first"))).collect()
}

/// The indexes that a plan reads from end to end to find rows by their keys: it asks for later columns only, or for none.
fn skipped(schema: &str, node: &Value, first_columns: &BTreeMap<String, String>, found: &mut BTreeSet<String>) {
    let text = |key: &str| node[key].as_str().unwrap_or_default();
    // A bitmap's index tells no schema of its own: it is of the service's.
    let index = format!("{schema}.{}", text("Index Name"));
    let (asked, filter) = (text("Index Cond"), text("Filter"));
    if let Some(first) = first_columns.get(&index).filter(|_| !asked.is_empty() || filter.contains("= ANY (")) {
        let mut words = asked.split(|c: char| !c.is_alphanumeric() && c != '_');
        if !words.any(|word| word == first) {
            found.insert(format!("{index} is asked for {asked}, not for {first}; then {filter}"));
        }
    }
    for part in node["Plans"].as_array().into_iter().flatten() {
        skipped(schema, part, first_columns, found);
    }
}

/// A statement is planned while its table is small, and the plan stays until the table is next counted, a few thousand
/// orders later: on the first busy day a plan that is bad for many rows costs more than all else.
#[tokio::test]
async fn no_statement_of_a_young_shop_reads_an_index_from_end_to_end() {
    let (_database, owner) = uncounted(300).await;
    let first_columns = first_columns(&owner).await;
    assert_eq!(first_columns.get("public.facts_pkey").map(String::as_str), Some("generation"));
    owner.batch_execute("SET enable_seqscan = off").await.expect("as in batches");
    let mut skipping: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (schema, statements) in statements() {
        owner.batch_execute(&format!("SET search_path = {schema}")).await.expect("set");
        for (name, sql) in statements {
            let mut found = BTreeSet::new();
            skipped(schema, &plan(&owner, sql, None).await, &first_columns, &mut found);
            if !found.is_empty() {
                skipping.entry(format!("{schema} {name}")).or_default().extend(found);
            }
        }
    }
    let (lists, others): (Vec<_>, Vec<_>) =
        skipping.iter().partition(|(statement, _)| LISTS.contains(&statement.as_str()));
    assert!(others.is_empty(), "statements that read an index from end to end: {others:#?}");
    assert_eq!(lists.len(), LISTS.len(), "not needed any more? {LISTS:?}, but found {lists:?}");
}

#[tokio::test]
async fn no_statement_reads_the_whole_of_a_big_table() {
    let (_database, owner) = grown().await;
    let big = big(&owner).await;
    for table in ["orders.orders", "catalog.products", "users.users", "cart.carts", "payments.payments", "public.facts"]
    {
        assert!(big.contains(table), "{table} is not among what is big: {big:?}");
    }

    let mut wholes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (schema, statements) in statements() {
        owner.batch_execute(&format!("SET search_path = {schema}")).await.expect("set");
        for (name, sql) in statements {
            let statement = format!("{schema} {name}");
            let mut found = BTreeSet::new();
            let for_all = plan(&owner, sql, None).await;
            match PER_CALL.iter().find(|(per_call, _)| *per_call == statement) {
                None => read_whole(&for_all, &big, Limited::No, &mut found),
                Some((_, examples)) => {
                    for parameters in *examples {
                        let for_these = plan(&owner, sql, Some(parameters)).await;
                        let cost = |plan: &Value| plan["Total Cost"].as_f64().expect("a cost");
                        // The server adds what planning costs.
                        assert!(cost(&for_these) + 10.0 < cost(&for_all), "{statement} is not planned for each call");
                        read_whole(&for_these, &big, Limited::No, &mut found);
                    }
                }
            }
            if !found.is_empty() {
                wholes.entry(statement).or_default().extend(found);
            }
        }
    }
    let (allowed, others): (Vec<_>, Vec<_>) =
        wholes.iter().partition(|(statement, _)| ALLOWED.iter().any(|(allowed, _)| allowed == statement));
    assert!(others.is_empty(), "statements that read all of something big: {others:#?}");
    assert_eq!(allowed.len(), ALLOWED.len(), "not needed any more? {ALLOWED:?}, but found {allowed:?}");
}
