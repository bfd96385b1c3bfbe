//! Lists that the gateway merges of all services' lists, read while rows come and change.

use std::time::Duration;

use serde_json::{Value, json};
use service::Role;
use testkit::{NewIds, PageOfIds, copy_row, eventually, pages_survive_writes, publish_to_postgres};
use uuid::Uuid;

use crate::support::{Client, Shop, Transport};

const SOON: Duration = Duration::from_secs(60);

fn ids(items: &Value) -> Vec<Uuid> {
    let id = |item: &Value| item["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
    items.as_array().expect("items").iter().map(id).collect()
}

async fn acts(admin: &Client, cursor: Option<String>) -> PageOfIds {
    let query = "query($after: ID) { operatorActs(first: 2, after: $after) { id } }";
    let page = ids(&admin.graphql(query, json!({"after": cursor})).await["operatorActs"]);
    // The last page is shorter, or there is an empty one behind it.
    let next = page.last().filter(|_| page.len() == 2).map(Uuid::to_string);
    (page, next)
}

async fn dead_letters(admin: &Client, cursor: Option<String>) -> PageOfIds {
    let query =
        "query($after: String) { deadLetters(first: 2, after: $after) { nextCursor unreachable items { id } } }";
    let page = admin.graphql(query, json!({"after": cursor})).await["deadLetters"].clone();
    assert_eq!(page["unreachable"], json!([]));
    (ids(&page["items"]), page["nextCursor"].as_str().map(str::to_owned))
}

async fn unsent_events(admin: &Client, cursor: Option<String>) -> PageOfIds {
    let query = "query($after: String) {
        outboxEvents(first: 2, after: $after, status: FAILED) { nextCursor unreachable items { id: eventId } } }";
    let page = admin.graphql(query, json!({"after": cursor})).await["outboxEvents"].clone();
    assert_eq!(page["unreachable"], json!([]));
    (ids(&page["items"]), page["nextCursor"].as_str().map(str::to_owned))
}

/// An event that a service has given up sending.
async fn give_up(owner: &tokio_postgres::Client, schema: &str, event_id: Uuid) {
    let event = format!(
        "WITH recorded AS (
             INSERT INTO {schema}.events (event_id, event_type, aggregate_type, aggregate_id, correlation_id, exchange,
                                          routing_key, envelope)
             VALUES ($1, 'ProductUpdated', 'product', $1, $1, 'products.events', 'product.updated', '{{}}')
             RETURNING event_id, recorded_at)
         INSERT INTO {schema}.outbox (event_id, recorded_at, attempts, failed_at)
             SELECT event_id, recorded_at, 10, now() FROM recorded"
    );
    owner.execute(&event, &[&event_id]).await.expect("an event");
}

#[tokio::test]
async fn pages_over_all_services_survive_writes() {
    let shop = Shop::in_one_process(Transport::Postgres).await;
    let (admin, owner) = (shop.client().signed_in(Role::Admin), shop.database.owner().await);
    let schemas = ["users", "catalog", "cart", "orders", "payments"];
    for schema in schemas.into_iter().cycle().take(7) {
        give_up(&owner, schema, Uuid::now_v7()).await;
    }
    pages_survive_writes(
        async |cursor| unsent_events(&admin, cursor).await,
        async |_, new: NewIds| {
            for (schema, id) in schemas.into_iter().zip([new.beside, new.at_the_ends].concat()) {
                give_up(&owner, schema, id).await;
                let again = format!("UPDATE {schema}.outbox SET attempts = attempts + 1, last_error = 'as before'");
                owner.execute(&again, &[]).await.expect("change them");
            }
        },
    )
    .await;

    for schema in schemas.into_iter().cycle().take(7) {
        let act = format!(
            "INSERT INTO {schema}.operator_acts (id, actor, action, subject_id, outcome)
             VALUES ($1, 'shell:test', 'outbox.retry', $1, 'done')"
        );
        owner.execute(&act, &[&Uuid::now_v7()]).await.expect("an act");
    }
    pages_survive_writes(
        async |cursor| acts(&admin, cursor).await,
        async |last, new: NewIds| {
            for (schema, id) in schemas.into_iter().zip([new.beside, new.at_the_ends].concat()) {
                let act = format!(
                    "INSERT INTO {schema}.operator_acts (id, actor, action, subject_id, outcome)
                 VALUES ($1, 'shell:test', 'outbox.retry', $2, 'begun')"
                );
                owner.execute(&act, &[&id, &last]).await.expect("an act");
                let done = format!("UPDATE {schema}.operator_acts SET outcome = 'done'");
                owner.execute(&done, &[]).await.expect("complete");
            }
        },
    )
    .await;

    // Wanted by two services and readable by none.
    for _ in 0..4 {
        publish_to_postgres(&owner, "orders.events", "order.placed", "{not json").await;
    }
    eventually(SOON, || async {
        let total = admin.try_graphql("{ deadLetters { total } }", json!({})).await?["deadLetters"]["total"].clone();
        if total == 8 { Ok(()) } else { Err(format!("{total} of 8 dead letters")) }
    })
    .await;
    pages_survive_writes(
        async |cursor| dead_letters(&admin, cursor).await,
        async |last, new: NewIds| {
            let ([low, high], beside) = (new.at_the_ends, new.beside.map(|id| json!({"letter_id": id})));
            let first = json!({"letter_id": low, "dead_at": "1999-01-01T00:00:00Z"});
            let end = json!({"letter_id": high, "dead_at": "2999-01-01T00:00:00Z"});
            for other in beside.into_iter().chain([first, end]) {
                copy_row(&owner, "messaging.dead_letters", "letter_id", last, other).await;
            }
        },
    )
    .await;
}
