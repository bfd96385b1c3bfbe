//! `docs/operations.md`, tried: its commands on a trading shop, its backup on a shop that goes on after it.

use std::collections::BTreeMap;
use std::process::Output;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::json;
use service::Role;
use testkit::{eventually, lose_messages, publish_to_postgres};
use uuid::Uuid;

use crate::support::{Client, Shop, Transport, oracle};

const SOON: Duration = Duration::from_secs(60);
const QUEUE: &str = "orders.cart.events.queue";

/// The lines of all shell blocks.
fn commands() -> Vec<&'static str> {
    let text = include_str!("../../../docs/operations.md");
    text.split("```sh\n").skip(1).flat_map(|block| block.split("```").next().expect("closed").lines()).collect()
}

/// Runs a line as it stands there, in a folder of its own where `./prost` is the binary.
fn run(shop: &Shop, line: &str, folder: &std::path::Path) -> Output {
    let mut command = shop.program("sh");
    command.args(["-c", line]).current_dir(folder).output().expect("run a shell")
}

fn folder() -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("prost-handbook-{}", Uuid::new_v4().simple()));
    std::fs::create_dir(&folder).expect("make a folder");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_prost"), folder.join("prost")).expect("link the binary");
    folder
}

/// A message that cannot be read, parked; its event's id.
async fn dead_letter(shop: &Shop) -> String {
    let owner = shop.database.owner().await;
    let id = Uuid::now_v7();
    let body = json!({"event_id": id, "event_type": "CartCheckoutInitiated", "aggregate_type": "cart",
                      "aggregate_id": Uuid::now_v7(), "aggregate_version": 1, "correlation_id": Uuid::now_v7(),
                      "causation_id": null, "version": "99", "timestamp": "2026-01-01T00:00:00Z", "source": "test",
                      "payload": {}})
    .to_string();
    publish_to_postgres(&owner, "cart.events", "cart.checkout_initiated", &body).await;
    eventually(SOON, || async {
        let sql = "SELECT count(*) FROM messaging.dead_letters d JOIN messaging.queues q ON q.id = d.queue_id
                   WHERE q.name = $1 AND d.body LIKE $2";
        let row = owner.query_one(sql, &[&QUEUE, &format!("%{id}%")]).await.map_err(|error| error.to_string())?;
        if row.get::<_, i64>(0) == 1 { Ok(()) } else { Err("not parked yet".to_owned()) }
    })
    .await;
    id.to_string()
}

async fn buy(shopper: &Client, product: &str, method: &str, end: &str) -> String {
    let cart = shopper.cart_with(product, 1).await;
    let order = shopper.checkout(&cart, method).await;
    shopper.order_in(&order, &[end], SOON).await;
    order
}

#[tokio::test]
async fn every_command_of_the_handbook_works() {
    let shop = Shop::in_one_process(Transport::Postgres).await;
    let product = shop.client().signed_in(Role::Admin).create_product("Ceylon", "3.90", 9).await;
    let order = buy(&shop.client().signed_in(Role::User), &product, "pm_card_chargeDeclined", "COMPENSATED").await;
    oracle::holds(&shop, 0, SOON).await;
    let stick = format!(
        "UPDATE orders.saga_states SET status = 'STUCK', ending = 'FAILURE', compensation_log = '{{REOPEN}}', asked = 10
         WHERE order_id = '{order}';
         UPDATE orders.orders SET status = 'FAILED' WHERE id = '{order}'"
    );
    shop.database.owner().await.batch_execute(&stick).await.expect("stick");

    let folder = folder();
    let mut tried = 0;
    // What starts and stops private shops has tests of its own.
    for line in commands().into_iter().filter(|line| line.starts_with("./prost") && !line.starts_with("./prost up")) {
        let mut command = line.replace("ORDER_ID", &order);
        if line.contains("EVENT_ID") {
            command = command.replace("EVENT_ID", &dead_letter(&shop).await);
        }
        let output = run(&shop, &command, &folder);
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(!output.stdout.is_empty(), "{command} says nothing");
        tried += 1;
    }
    assert!(tried > 25, "only {tried} commands");
    std::fs::remove_dir_all(folder).expect("clean up");
}

/// The last two messages of a sale are lost with the broker: the stock stays held, the cart stays checking out, until
/// everything is sent again as the handbook says.
#[tokio::test]
async fn what_a_broker_lost_is_sent_again() {
    let mut shop = Shop::in_processes(Transport::Rabbit).await;
    let product = shop.client().signed_in(Role::Admin).create_product("Assam", "4.50", 9).await;
    let shopper = shop.client().signed_in(Role::User);
    shop.end("payments", Signal::SIGTERM);
    let cart = shopper.cart_with(&product, 1).await;
    let order = shopper.checkout(&cart, "pm_card_visa").await;
    shopper.order_in(&order, &["INVENTORY_RESERVED"], SOON).await;
    shop.end("products", Signal::SIGTERM);
    shop.end("cart", Signal::SIGTERM);
    shop.start("payments");
    let owner = shop.database.owner().await;
    let sql = "SELECT status FROM orders.orders WHERE status = 'CONFIRMED'";
    eventually(SOON, || async { owner.query_one(sql, &[]).await.map(drop).map_err(|error| error.to_string()) }).await;
    let url = shop.broker.as_ref().expect("over RabbitMQ").url();
    let sql = "SELECT WHERE NOT EXISTS (SELECT FROM orders.outbox)";
    eventually(SOON, || async { owner.query_one(sql, &[]).await.map(drop).map_err(|error| error.to_string()) }).await;
    for queue in ["products.orders.events.queue", "cart.orders.events.queue"] {
        assert!(lose_messages(url, queue).await > 0, "{queue} had nothing to lose");
    }

    let folder = folder();
    let again: Vec<&str> = commands().into_iter().filter(|line| line.contains(".outbox (event_id")).collect();
    assert_eq!(again.len(), 4, "{again:?}");
    for line in again {
        let output = run(&shop, line, &folder);
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    }
    shop.start("products");
    shop.start("cart");
    shop.ready().await;
    oracle::holds(&shop, 0, Duration::from_secs(60)).await;
    let sql = "SELECT r.status || ' ' || c.status AS both
               FROM catalog.inventory_reservations r, cart.carts c WHERE c.id::text = $1";
    let both: String = owner.query_one(sql, &[&cart]).await.expect("one line of one order").get("both");
    assert_eq!(both, "committed ordered");
    std::fs::remove_dir_all(folder).expect("clean up");
}

#[test]
fn the_handbook_names_containers_that_there_are() {
    let file = include_str!("../../../deploy/compose.yaml");
    let lines: Vec<&str> = commands().into_iter().filter(|line| line.starts_with("docker compose")).collect();
    assert!(lines.len() > 5, "{lines:?}");
    for line in lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words[2..4], ["-f", "deploy/compose.yaml"], "{line}");
        let is_once = matches!(words[4], "run" | "exec");
        let named: Vec<&str> = words[5..]
            .iter()
            .filter(|word| !word.starts_with('-') && word.parse::<u32>().is_err())
            .map(|word| word.split('=').next().expect("a name"))
            .collect();
        for name in named.iter().take(if is_once { 1 } else { named.len() }) {
            assert!(file.contains(&format!("\n  {name}:\n")), "{line}: there is no {name}");
        }
    }
}

#[tokio::test]
async fn a_restored_backup_goes_on_where_it_was() {
    let mut shop = Shop::in_one_process(Transport::Postgres).await;
    let product = shop.client().signed_in(Role::Admin).create_product("Darjeeling", "8.00", 9).await;
    let shopper = shop.client().signed_in(Role::User);
    let before = buy(&shopper, &product, "pm_card_visa", "CONFIRMED").await;
    let cart = shopper.cart_with(&product, 1).await;
    let under_way = shopper.checkout(&cart, "pm_test_slow").await;

    let folder = folder();
    let each = |shop: &Shop, marked: &str| {
        let lines: Vec<&str> = commands().into_iter().filter(|line| line.contains(marked)).collect();
        assert_eq!(lines.len(), 2, "{lines:?}");
        for line in lines {
            let output = run(shop, line, &folder);
            assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        }
    };
    each(&shop, "pg_dump --");
    shopper.order_in(&under_way, &["CONFIRMED"], SOON).await;
    let after = buy(&shopper, &product, "pm_card_visa", "CONFIRMED").await;
    shop.end("all", Signal::SIGTERM);
    each(&shop, "DROP SCHEMA ");
    each(&shop, "pg_restore --");
    shop.run(&["migrate", "up"]);
    shop.start("all");
    shop.ready().await;

    shopper.order_in(&under_way, &["CONFIRMED"], SOON).await;
    assert_eq!(shopper.order(&before).await["status"], "CONFIRMED");
    assert!(shopper.order(&after).await.is_null(), "it came after the backup");
    buy(&shopper, &product, "pm_card_visa", "CONFIRMED").await;
    oracle::holds(&shop, 0, SOON).await;
    std::fs::remove_dir_all(folder).expect("clean up");
}

#[test]
fn every_alert_has_its_entry() {
    let handbook = include_str!("../../../docs/operations.md");
    let alerts = include_str!("../../../deploy/dashboards/alerts.yaml");
    let names: Vec<&str> = alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(names.len() > 9, "{names:?}");
    for name in names {
        assert!(handbook.contains(&format!("`{name}`")), "docs/operations.md does not say what to do about {name}");
    }
}

/// So that a line that is not copied whole is noticed.
#[test]
fn every_block_of_the_handbook_is_commands() {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for line in commands() {
        let program = line.split_whitespace().next().expect("no empty lines");
        *kinds.entry(program).or_default() += 1;
    }
    let known =
        ["./prost", "cp", "docker", "echo", "mkdir", "mv", "pg_basebackup", "pg_dump", "pg_restore", "psql", "touch"];
    assert!(kinds.keys().all(|program| known.contains(program)), "{kinds:?}");
}
