//! What an operator does at three in the morning, from the command line.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;

use crate::support::{Client, Shop, Transport, oracle};
use events::topology::{EVENTS, Exchange, QUEUES, matches};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use service::Role;
use testkit::eventually;
use uuid::Uuid;

const SOON: Duration = Duration::from_secs(60);

fn json_of(shop: &Shop, arguments: &[&str]) -> Value {
    serde_json::from_str(&shop.run(&[arguments, &["--json"]].concat())).expect("JSON")
}

/// Runs a command that fails; exit code and what it says on stderr.
fn refusal(shop: &Shop, arguments: &[&str]) -> (Option<i32>, String) {
    let output = shop.command(arguments).output().expect("run prost");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn envelope(event_type: &str, version: &str) -> String {
    json!({"event_id": Uuid::now_v7(), "event_type": event_type, "aggregate_type": "order",
           "aggregate_id": Uuid::now_v7(), "aggregate_version": 1, "correlation_id": Uuid::now_v7(),
           "causation_id": null, "version": version, "timestamp": "2026-01-01T00:00:00Z",
           "source": "test", "payload": {}})
    .to_string()
}

/// Why poison is parked: malformed, unknown, too new.
const KINDS_OF_POISON: [&str; 3] = ["malformed envelope", "unknown event type", "unknown version `99`"];

/// The letter of a list is shown as it is listed, with a body that was published to its exchange; why it was parked.
fn is_shown_whole(shop: &Shop, item: &Value, published: &[(Exchange, String)]) -> String {
    let mut shown = json_of(shop, &["dlq", "show", item["id"].as_str().expect("an id")]);
    let body = shown["body"].take();
    let is_it = |(exchange, sent): &&(Exchange, String)| item["exchange"] == exchange.name() && body == sent.as_str();
    let (_, sent) = published.iter().find(is_it).unwrap_or_else(|| panic!("{body} is of nobody: {item}"));
    let envelope: Value = serde_json::from_str(sent).unwrap_or_default();
    for name in ["event_id", "event_type"] {
        assert_eq!(item[name], envelope[name], "{item}");
    }
    for (name, value) in item.as_object().expect("fields") {
        assert_eq!(shown[name], *value, "{name}: {shown}");
    }
    item["reason"].as_str().expect("a reason").to_owned()
}

/// Each kind of poison, on every exchange: listed, shown, discarded.
async fn poison_is_listed_shown_and_discarded(transport: Transport) {
    let shop = Shop::in_one_process(transport).await;
    let (mut expected, mut published) = (0, Vec::new());
    for exchange in Exchange::ALL {
        let kind = EVENTS.iter().find(|event| event.exchange == exchange).expect("every exchange has events");
        let poison = ["{not json".to_owned(), envelope("NobodyKnowsThis", "1"), envelope(kind.event_type, "99")];
        shop.publish(exchange.name(), &poison.each_ref().map(|body| (kind.routing_key, body.as_str()))).await;
        let wants = |key: &&str| matches(key, kind.routing_key);
        expected += poison.len()
            * QUEUES.iter().filter(|q| q.exchange == exchange && q.routing_keys.iter().any(&wants)).count();
        published.extend(poison.map(|body| (exchange, body)));
    }
    let listed = eventually(SOON, || async {
        let listed = json_of(&shop, &["dlq", "list"]);
        if listed["total"] == expected { Ok(listed) } else { Err(format!("{} of {expected}", listed["total"])) }
    })
    .await;
    let items = listed["items"].as_array().expect("items").clone();
    assert_eq!(items.len(), expected);
    let found: Vec<String> = items.iter().map(|item| is_shown_whole(&shop, item, &published)).collect();
    for kind in KINDS_OF_POISON {
        let of_kind = found.iter().filter(|reason| reason.contains(kind)).count();
        assert_eq!(of_kind * KINDS_OF_POISON.len(), expected, "{kind}: {found:?}");
    }
    let id = items[0]["id"].as_str().expect("an id");
    assert!(shop.run(&["dlq", "show", id]).contains(&found[0]), "people are told, too");
    let queue = items[0]["queue"].as_str().expect("a queue").to_owned();
    let of_queue = json_of(&shop, &["dlq", "list", "--queue", &queue]);
    assert_eq!(of_queue["items"].as_array().map(Vec::len), Some(3), "{of_queue}");

    // In vain, and without circling: poison is parked again.
    let dry = json_of(&shop, &["dlq", "replay", "--all", "--dry-run"]);
    assert_eq!((dry["items"].as_array().map(Vec::len), &dry["dry_run"]), (Some(expected), &json!(true)));
    let replayed = json_of(&shop, &["dlq", "replay", id]);
    assert_eq!(replayed["items"].as_array().map(Vec::len), Some(1));
    eventually(SOON, || async {
        let total = json_of(&shop, &["dlq", "list"])["total"].clone();
        if total == expected { Ok(()) } else { Err(total.to_string()) }
    })
    .await;
    let (code, said) = refusal(&shop, &["dlq", "show", id]);
    assert_eq!(code, Some(1));
    assert!(said.contains("prost dlq list"), "{said}");

    assert_eq!(refusal(&shop, &["dlq", "discard", "--all"]).0, Some(2), "not without a reason");
    assert_eq!(refusal(&shop, &["dlq", "discard", "--all", "--reason", ""]).0, Some(2));
    let discarded = json_of(&shop, &["dlq", "discard", "--all", "--reason", "made by a test"]);
    assert_eq!(discarded["items"].as_array().map(Vec::len), Some(expected));
    assert_eq!(json_of(&shop, &["dlq", "list"]), json!({"items": [], "total": 0}));
    let acts = json_of(&shop, &["dlq", "audit", "--limit", "1000"])["items"].as_array().expect("acts").clone();
    let discards: Vec<&Value> = acts.iter().filter(|act| act["action"] == "dead_letter.discard").collect();
    assert_eq!(discards.len(), expected);
    assert!(discards.iter().all(|act| act["reason"] == "made by a test" && act["outcome"] == "done"), "{discards:?}");
    assert!(acts.iter().all(|act| act["actor"].as_str().is_some_and(|actor| actor.starts_with("shell:"))));
    oracle::holds(&shop, 0, SOON).await;
}

#[tokio::test]
async fn poison_is_listed_shown_and_discarded_on_postgres() {
    poison_is_listed_shown_and_discarded(Transport::Postgres).await;
}

#[tokio::test]
async fn poison_is_listed_shown_and_discarded_on_rabbitmq() {
    poison_is_listed_shown_and_discarded(Transport::Rabbit).await;
}

/// A fault of orders parks the news of its stock. Mended and replayed, the order is confirmed, once.
#[tokio::test]
async fn what_a_fault_parked_replays_to_one_effect() {
    let shop = Shop::in_one_process(Transport::Postgres).await;
    let product = shop.client().signed_in(Role::Admin).create_product("Darjeeling", "8.00", 5).await;
    let owner = shop.database.owner().await;
    owner.batch_execute("ALTER TABLE orders.inventory_reservations RENAME TO mislaid").await.expect("break it");
    let shopper = shop.client().signed_in(Role::User);
    let cart = shopper.cart_with(&product, 2).await;
    let order = shopper.checkout(&cart, "pm_card_visa").await;
    let parked = eventually(Duration::from_secs(60), || async {
        let sql = "UPDATE messaging.delayed_messages SET due_at = now()";
        owner.execute(sql, &[]).await.expect("time passes");
        let listed = json_of(&shop, &["dlq", "list", "--about", &order]);
        match listed["items"].as_array().map(Vec::as_slice) {
            Some([one]) => Ok(one.clone()),
            _ => Err(listed.to_string()),
        }
    })
    .await;
    assert_eq!(
        (&parked["event_type"], &parked["queue"]),
        (&json!("StockReserved"), &json!("orders.products.events.queue"))
    );
    assert!(parked["reason"].as_str().is_some_and(|reason| reason.contains("42P01")), "{parked}");
    owner.batch_execute("ALTER TABLE orders.mislaid RENAME TO inventory_reservations").await.expect("mend it");

    let event = parked["event_id"].as_str().expect("an event");
    let replayed = json_of(&shop, &["dlq", "replay", event]);
    assert_eq!(replayed["items"].as_array().map(Vec::len), Some(1));
    shopper.order_in(&order, &["CONFIRMED"], SOON).await;
    oracle::holds(&shop, 0, SOON).await;
    let sql = format!("SELECT count(*) FROM orders.idempotency_records WHERE event_id = '{event}'");
    assert_eq!(oracle::count(&owner, &sql).await, 1);
    let acts = json_of(&shop, &["dlq", "audit", "--about", event])["items"].clone();
    assert_eq!((&acts[0]["action"], &acts[0]["outcome"]), (&json!("dead_letter.replay"), &json!("done")));
    assert_eq!(refusal(&shop, &["dlq", "replay", event]).0, Some(1), "it is there no more");
}

#[tokio::test]
async fn the_outbox_is_told_and_retried() {
    let shop = Shop::in_one_process(Transport::Postgres).await;
    shop.client().signed_in(Role::Admin).create_product("Assam", "6.00", 5).await;
    oracle::holds(&shop, 0, SOON).await;
    let status = json_of(&shop, &["outbox", "status"]);
    let services = status["services"].as_array().expect("services");
    assert_eq!(services.len(), 6);
    for service in services {
        let name = &service["service"];
        assert_eq!(
            *service,
            json!({"service": name, "pending": 0, "oldest_age_s": null, "failed": 0, "last_error": null})
        );
    }
    let owner = shop.database.owner().await;
    let fail = "INSERT INTO catalog.outbox (event_id, recorded_at, attempts, last_error, failed_at)
                SELECT event_id, recorded_at, 10, 'unroutable', now() FROM catalog.events LIMIT 1 RETURNING event_id";
    let event: Uuid = owner.query_one(fail, &[]).await.expect("fail one").get(0);
    let status = json_of(&shop, &["outbox", "status", "--service", "products"]);
    assert_eq!(
        status,
        json!({"services": [{"service": "products", "pending": 0, "oldest_age_s": null, "failed": 1, "last_error": "unroutable"}]})
    );
    let listed = json_of(&shop, &["outbox", "list", "--status", "failed"]);
    assert_eq!((&listed["items"][0]["event_id"], &listed["items"][1]), (&json!(event), &json!(null)));
    let event = event.to_string();
    assert_eq!(json_of(&shop, &["outbox", "retry", &event])["events"], json!([event]));
    oracle::holds(&shop, 0, SOON).await;
    let (code, said) = refusal(&shop, &["outbox", "retry", &event]);
    assert_eq!(code, Some(1));
    assert!(said.contains("outbox list"), "{said}");
    let acts = json_of(&shop, &["dlq", "audit", "--about", &event])["items"].clone();
    assert_eq!((&acts[0]["action"], &acts[0]["service"]), (&json!("outbox.retry"), &json!("products")));
}

#[tokio::test]
async fn a_stuck_saga_is_found_and_set_going() {
    let shop = Shop::in_one_process(Transport::Postgres).await;
    let product = shop.client().signed_in(Role::Admin).create_product("Rooibos", "5.00", 5).await;
    let shopper = shop.client().signed_in(Role::User);
    let cart = shopper.cart_with(&product, 1).await;
    let order = shopper.checkout(&cart, "pm_card_chargeDeclined").await;
    shopper.order_in(&order, &["COMPENSATED"], SOON).await;
    oracle::holds(&shop, 0, SOON).await;

    let owner = shop.database.owner().await;
    let stick = format!(
        "UPDATE orders.saga_states SET status = 'STUCK', ending = 'FAILURE', compensation_log = '{{REOPEN}}', asked = 10
         WHERE order_id = '{order}';
         UPDATE orders.orders SET status = 'FAILED' WHERE id = '{order}';
         DELETE FROM orders.events WHERE event_type = 'OrderRolledBack' AND aggregate_id = '{order}'"
    );
    owner.batch_execute(&stick).await.expect("stick");
    let listed = json_of(&shop, &["saga", "list", "--status", "stuck"]);
    assert_eq!((&listed["items"][0]["order_id"], &listed["items"][1]), (&json!(order), &json!(null)));
    let saga = &listed["items"][0];
    for id in ["order_id", "id", "correlation_id"] {
        let shown = json_of(&shop, &["saga", "show", saga[id].as_str().expect("an id")]);
        assert_eq!(shown["saga"]["order_id"], json!(order));
    }
    let text = shop.run(&["saga", "show", &order]);
    assert!(text.contains("STUCK") && text.contains("PaymentFailed") && text.contains("ReleaseRequested"), "{text}");

    let retried = json_of(&shop, &["saga", "retry", &order]);
    assert_eq!(retried["saga"]["status"], "FAILED");
    shopper.order_in(&order, &["COMPENSATED"], SOON).await;
    oracle::holds(&shop, 0, SOON).await;
    let (code, said) = refusal(&shop, &["saga", "retry", &order]);
    assert_eq!(code, Some(1));
    assert!(said.contains("not stuck"), "{said}");
    assert_eq!(refusal(&shop, &["saga", "show", &Uuid::now_v7().to_string()]).0, Some(1));
    assert_eq!(refusal(&shop, &["saga", "list", "--status", "dancing"]).0, Some(2));
    let acts = json_of(&shop, &["dlq", "audit"])["items"].clone();
    assert_eq!((&acts[0]["action"], &acts[0]["subject_id"]), (&json!("saga.retry"), &saga["id"]));
    let query = "query($id: ID!) { saga(id: $id) { acts { action } } search(text: $id) { acts { action } } }";
    let found = shop.client().signed_in(Role::Admin).graphql(query, json!({"id": order})).await;
    let told = json!([{"action": "saga.retry"}]);
    assert_eq!((&found["saga"]["acts"], &found["search"]["acts"]), (&told, &told), "found by the order's id");
}

/// Whatever was done about an order, in whichever service and to what of it, its id finds.
#[tokio::test]
async fn an_order_finds_all_that_was_done_about_it() {
    let shop = Shop::in_one_process(Transport::Postgres).await;
    let (admin, shopper) = (shop.client().signed_in(Role::Admin), shop.client().signed_in(Role::User));
    let product = admin.create_product("Oolong", "9.00", 5).await;
    let mut orders = Vec::new();
    for _ in 0..2 {
        let order = shopper.checkout(&shopper.cart_with(&product, 1).await, "pm_card_visa").await;
        shopper.order_in(&order, &["CONFIRMED"], SOON).await;
        orders.push(order);
    }
    oracle::holds(&shop, 0, SOON).await;
    let read = "query($id: ID!) { order(id: $id) { correlationId payments { id } } }";
    let order = admin.graphql(read, json!({"id": orders[0]})).await["order"].clone();

    let refund = "mutation($input: RefundPaymentInput!) { refundPayment(input: $input) { userErrors { code } } }";
    let input = json!({"paymentId": order["payments"][0]["id"], "reason": "chipped",
                       "amount": {"amount": "1.00", "currencyCode": "EUR"}});
    assert_eq!(admin.graphql(refund, json!({"input": input})).await["refundPayment"]["userErrors"], json!([]));

    let mut poison: Value = serde_json::from_str(&envelope("NobodyKnowsThis", "1")).expect("JSON");
    poison["correlation_id"] = order["correlationId"].clone();
    shop.publish(Exchange::Orders.name(), &[("order.confirmed", &poison.to_string())]).await;
    eventually(SOON, || async {
        let total = json_of(&shop, &["dlq", "list", "--service", "products"])["total"].clone();
        if total == 1 { Ok(()) } else { Err(format!("{total} of 1 dead letter")) }
    })
    .await;
    shop.run(&["dlq", "discard", "--all", "--service", "products", "--reason", "nobody knows it"]);

    let fail = format!(
        "INSERT INTO orders.outbox (event_id, recorded_at, attempts, last_error, failed_at)
         SELECT event_id, recorded_at, 10, 'unroutable', now() FROM orders.events
         WHERE event_type = 'OrderConfirmed' AND aggregate_id = '{}' RETURNING event_id",
        orders[0]
    );
    let event: Uuid = shop.database.owner().await.query_one(&fail, &[]).await.expect("fail one").get(0);
    shop.run(&["outbox", "discard", &event.to_string(), "--reason", "everybody has it"]);

    let found = "query($id: ID!) { saga(id: $id) { acts { action } } search(text: $id) { acts { action } } }";
    let told = json!([{"action": "outbox.discard"}, {"action": "dead_letter.discard"}, {"action": "payment.refund"}]);
    for id in [json!(orders[0]), order["correlationId"].clone()] {
        let data = admin.graphql(found, json!({"id": id})).await;
        assert_eq!((&data["saga"]["acts"], &data["search"]["acts"]), (&told, &told), "{id}");
    }
    let data = admin.graphql(found, json!({"id": orders[1]})).await;
    assert_eq!((&data["saga"]["acts"], &data["search"]["acts"]), (&json!([]), &json!([])), "nothing of another order");
}

/// Ctrl-C stops a long act between two rounds; what was done is told, the rest is still there.
#[tokio::test]
async fn a_long_act_can_be_stopped() {
    const ALL: i64 = 20_000;
    let shop = Shop::in_one_process(Transport::Postgres).await;
    let owner = shop.database.owner().await;
    flood(&owner, "analytics.orders.events.queue", ALL).await;
    let discard = ["dlq", "discard", "--all", "--reason", "a flood", "--json"];
    let (handled, done) = interrupted(&shop, &discard, ALL);
    assert_eq!(handled["left"], ALL - done);
    assert_eq!(oracle::count(&owner, "SELECT count(*) FROM messaging.dead_letters").await, ALL - done);
    let trailed = "SELECT count(*) FROM public.operator_acts WHERE outcome = 'done'";
    let command = shop.command(&[]);
    let url = command.get_envs().find(|(name, _)| *name == "ANALYTICS_DATABASE_URL").and_then(|(_, url)| url?.to_str());
    let analytics = testkit::connect(url.expect("set")).await;
    assert_eq!(oracle::count(&analytics, trailed).await, done, "nothing is left begun, nothing untold");
    assert_eq!(json_of(&shop, &discard[..5])["items"].as_array().map(|rest| rest.len() as i64), Some(ALL - done));
}

/// So many dead letters of a queue.
async fn flood(owner: &tokio_postgres::Client, queue: &str, letters: i64) {
    let sql = "INSERT INTO messaging.dead_letters (queue_id, exchange, routing_key, body, attempts, reason)
               SELECT id, 'orders.events', 'order.placed', '{', 1, 'a flood'
               FROM messaging.queues, generate_series(1, $2::bigint) WHERE name = $1";
    owner.execute(sql, &[&queue, &letters]).await.expect("a flood");
}

/// Runs a long act on `all` dead letters, with Ctrl-C after its first round; what it told, and how many it handled.
fn interrupted(shop: &Shop, arguments: &[&str], all: i64) -> (Value, i64) {
    let mut command = shop.command(arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("start");
    let mut told = BufReader::new(child.stderr.take().expect("piped")).lines();
    // What is told at once is `0 of about …`.
    let words = format!("of about {all}");
    let is_under_way = |line: &String| line.contains(&words) && !line.contains(": 0 of");
    let begun = told.by_ref().map_while(Result::ok).find(is_under_way);
    assert!(begun.is_some(), "progress is told");
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).expect("Ctrl-C");
    // Read on, lest the pipes fill.
    let said = std::thread::spawn(move || told.map_while(Result::ok).collect::<Vec<_>>().join("\n"));
    let output = child.wait_with_output().expect("its end");
    let said = said.join().expect("its last words");
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("stopped after") && said.contains("Run it again"), "{said}");
    let handled: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let done = i64::try_from(handled["items"].as_array().expect("items").len()).expect("fits");
    assert!(done > 0 && done < all, "{done}");
    (handled, done)
}

/// The same with a replay. What is poison comes back, and is not replayed again.
#[tokio::test]
async fn a_long_replay_can_be_stopped() {
    const ALL: i64 = 6_000;
    let shop = Shop::in_one_process(Transport::Postgres).await;
    let owner = shop.database.owner().await;
    flood(&owner, "cart.orders.events.queue", ALL).await;
    let (handled, done) = interrupted(&shop, &["dlq", "replay", "--all", "--json"], ALL);
    assert!(done % 200 == 0, "whole rounds: {done}");
    assert_eq!(handled["left"], ALL - done);
    let trailed = "SELECT count(*) FROM cart.operator_acts WHERE outcome = 'done'";
    assert_eq!(oracle::count(&owner, trailed).await, done, "nothing is left begun, nothing untold");
    eventually(SOON, || async {
        match oracle::count(&owner, "SELECT count(*) FROM messaging.dead_letters").await {
            ALL => Ok(()),
            other => Err(format!("{other} of {ALL} are parked")),
        }
    })
    .await;
}

/// Through the gateway, over services that run apart: all at once, for admins only.
#[tokio::test]
async fn an_admin_sees_and_handles_all_services_through_graphql() {
    let shop = Shop::in_processes(Transport::Postgres).await;
    let admin = shop.client().signed_in(Role::Admin);
    let product = admin.create_product("Keemun", "9.00", 5).await;
    let shopper = shop.client().signed_in(Role::User);
    let cart = shopper.cart_with(&product, 1).await;
    let order = shopper.checkout(&cart, "pm_card_visa").await;
    shopper.order_in(&order, &["CONFIRMED"], SOON).await;
    let poison = envelope("NobodyKnowsThis", "1");
    let event = serde_json::from_str::<Value>(&poison).expect("JSON")["event_id"].clone();
    shop.publish(Exchange::Orders.name(), &[("order.placed", &poison)]).await;

    letters_of_all_services_are_paged(&admin, &poison, &event).await;
    everything_is_found(&admin, &order, &event).await;
    acts_have_a_trail(&admin, &order).await;
    nobody_else_may(&[(shop.client(), "UNAUTHENTICATED"), (shopper, "FORBIDDEN")], &order).await;
}

const LETTERS: &str = "query($after: String) { deadLetters(first: 1, after: $after) { total nextCursor unreachable
    items { id service queue eventId eventType reason } } }";
const SEARCH: &str = "query($text: String!) { search(text: $text) { saga { status orderId timeline { event } }
    deadLetters { items { id } } acts { action } } }";
const DISCARD: &str = "mutation($input: DiscardDeadLettersInput!) { discardDeadLetters(input: $input) {
    handled { items { id } more } userErrors { code } } }";
const RETRY: &str = "mutation($id: ID!) { retrySaga(input: {id: $id}) { saga { id } userErrors { code } } }";

/// All dead letters of products, for [`DISCARD`].
fn of_products(reason: &str) -> Value {
    json!({"input": {"service": "products", "all": true, "reason": reason}})
}

async fn letters_of_all_services_are_paged(admin: &Client, poison: &str, event: &Value) {
    let (mut seen, mut after): (Vec<Value>, Value) = (Vec::new(), json!(null));
    eventually(SOON, || async {
        let total = admin.graphql(LETTERS, json!({})).await["deadLetters"]["total"].clone();
        if total == 2 { Ok(()) } else { Err(format!("{total} of 2: products and analytics want it")) }
    })
    .await;
    loop {
        let page = admin.graphql(LETTERS, json!({"after": after})).await["deadLetters"].clone();
        assert_eq!(page["unreachable"], json!([]));
        seen.extend(page["items"].as_array().expect("items").clone());
        after = page["nextCursor"].clone();
        if after.is_null() {
            break;
        }
    }
    let mut services: Vec<&str> = seen.iter().filter_map(|letter| letter["service"].as_str()).collect();
    services.sort_unstable();
    assert_eq!(services, ["analytics", "products"]);
    assert!(seen.iter().all(|letter| letter["eventId"] == *event));
    let of_queue = "query($queue: String!) { deadLetters(queue: $queue) { total items { queue } } }";
    let found = admin.graphql(of_queue, json!({"queue": seen[0]["queue"]})).await["deadLetters"].clone();
    assert_eq!(found, json!({"total": 1, "items": [{"queue": seen[0]["queue"]}]}));
    let found = admin.graphql(of_queue, json!({"queue": "nobody.knows.this.queue"})).await["deadLetters"].clone();
    assert_eq!(found, json!({"total": 0, "items": []}));
    let variables = json!({"service": seen[0]["service"], "queue": seen[0]["queue"], "id": seen[0]["id"]});
    let one = "query($service: String!, $queue: String!, $id: ID!) {
        deadLetter(service: $service, queue: $queue, id: $id) { body } }";
    assert_eq!(admin.graphql(one, variables).await["deadLetter"]["body"], poison);
}

async fn everything_is_found(admin: &Client, order: &str, event: &Value) {
    let found = admin.graphql(SEARCH, json!({"text": event})).await["search"].clone();
    assert_eq!((found["deadLetters"]["items"].as_array().map(Vec::len), &found["saga"]), (Some(2), &json!(null)));
    let found = admin.graphql(SEARCH, json!({"text": order})).await["search"].clone();
    assert_eq!((&found["saga"]["status"], &found["saga"]["orderId"]), (&json!("CONFIRMED"), &json!(order)));
    let states = "{ outboxes { service pending failed } sagas(status: \"CONFIRMED\") { items { orderId } } }";
    let data = admin.graphql(states, json!({})).await;
    assert_eq!(data["outboxes"].as_array().map(Vec::len), Some(6));
    assert!(data["outboxes"].as_array().expect("six").iter().all(|outbox| outbox["failed"] == 0), "{data}");
    assert_eq!(data["sagas"]["items"], json!([{"orderId": order}]));
}

async fn acts_have_a_trail(admin: &Client, order: &str) {
    let refused = admin.graphql(DISCARD, of_products(" ")).await["discardDeadLetters"].clone();
    assert_eq!(refused, json!({"handled": null, "userErrors": [{"code": "VALIDATION_FAILED"}]}));
    let done = admin.graphql(DISCARD, of_products("made by a test")).await["discardDeadLetters"].clone();
    assert_eq!(done["handled"]["items"].as_array().map(Vec::len), Some(1), "{done}");
    let acts = admin.graphql("{ operatorActs { service action actor reason outcome } }", json!({})).await;
    let act = &acts["operatorActs"][0];
    assert_eq!(
        (&act["service"], &act["action"], &act["outcome"]),
        (&json!("products"), &json!("dead_letter.discard"), &json!("done"))
    );
    assert!(act["actor"].as_str().is_some_and(|actor| actor.starts_with("user:")), "{act}");
    let refused = admin.graphql(RETRY, json!({"id": order})).await["retrySaga"].clone();
    assert_eq!(refused, json!({"saga": null, "userErrors": [{"code": "SAGA_NOT_STUCK"}]}));
}

async fn nobody_else_may(strangers: &[(Client, &str)], order: &str) {
    for (client, code) in strangers {
        for (query, variables) in [
            (LETTERS, json!({})),
            (SEARCH, json!({"text": order})),
            ("{ outboxes { service } }", json!({})),
            ("{ outboxEvents { nextCursor } }", json!({})),
            ("{ sagas { nextCursor } }", json!({})),
            ("{ operatorActs { id } }", json!({})),
            (DISCARD, of_products("made by a stranger")),
            (RETRY, json!({"id": order})),
        ] {
            let error = client.try_graphql(query, variables).await.expect_err("for admins only");
            assert!(error.contains(code), "{query}: {error}");
        }
    }
}
