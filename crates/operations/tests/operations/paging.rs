//! Every list of operators, read while rows come and change.

use database::audit::{self, Action, Operator, Outcome, Subject};
use database::outbox;
use events::{CorrelationId, Draft};
use operations::{ActFilter, DeadLetterFilter, EventFilter, OperationsApi, OutboxFilter, UnsentStatus};
use serde_json::json;
use service::{PageQuery, Role};
use testkit::{NewIds, copy_row, pages_survive_writes, park_in_rabbit};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::support::{Kind, Shop, body, draft, queue};

fn two_after(cursor: Option<String>) -> PageQuery {
    PageQuery { cursor, ..PageQuery::first(2) }
}

async fn copies(owner: &Client, table: &str, key: &str, last: Uuid, new: NewIds) {
    for id in [new.beside, new.at_the_ends].concat() {
        copy_row(owner, table, key, last, json!({key: id})).await;
    }
}

#[tokio::test]
async fn pages_of_acts_survive_writes() {
    let shop = Shop::new(Kind::Postgres).await;
    let (admin, owner, letter) = (shop.caller(Role::Admin), shop.db.owner().await, Uuid::now_v7());
    let operator = Operator { actor: "shell:test".to_owned(), reason: None };
    let saga = CorrelationId::new();
    let subjects = vec![Subject::of_saga(letter, saga); 6];
    let db = shop.database.read().await.expect("connect");
    audit::record(&db, &operator, Action::named("dead_letter.replay"), &subjects, Outcome::Begun)
        .await
        .expect("record");
    drop(db);
    for about in [None, Some(letter), Some(saga.uuid())] {
        let filter = ActFilter { about };
        let read = async |cursor| {
            let page = shop.http.acts(&admin, filter, two_after(cursor)).await.expect("a page");
            (page.items.iter().map(|act| act.id).collect(), page.next_cursor)
        };
        pages_survive_writes(read, async |last, new| {
            copies(&owner, "orders.operator_acts", "id", last, new).await;
            owner.execute("UPDATE orders.operator_acts SET outcome = 'done'", &[]).await.expect("complete");
        })
        .await;
    }
}

#[tokio::test]
async fn pages_of_events_survive_writes_sent_or_not() {
    let shop = Shop::new(Kind::Postgres).await;
    let (admin, owner, saga) = (shop.caller(Role::Admin), shop.db.owner().await, CorrelationId::new());
    let of_saga = || {
        let mut draft = draft();
        draft.envelope.correlation_id = saga;
        draft
    };
    let drafts: Vec<Draft> = (0..6).map(|_| of_saga()).collect();
    let recorded: Result<(), database::Error> =
        shop.database.write(move |tx| Box::pin(async move { outbox::record(tx, &drafts).await })).await;
    recorded.expect("record");
    let write = async |last, new: NewIds| {
        copies(&owner, "orders.events", "event_id", last, new).await;
        copies(&owner, "orders.outbox", "event_id", last, new).await;
        owner.execute("UPDATE orders.outbox SET attempts = attempts + 1", &[]).await.expect("try in vain");
    };
    let filters = [
        OutboxFilter::default(),
        OutboxFilter { status: Some(UnsentStatus::Pending), about: None },
        OutboxFilter { status: None, about: Some(saga.uuid()) },
        OutboxFilter { status: Some(UnsentStatus::Failed), about: None },
    ];
    for filter in filters {
        if filter.status == Some(UnsentStatus::Failed) {
            owner.execute("UPDATE orders.outbox SET failed_at = now()", &[]).await.expect("give up");
        }
        let read = async |cursor| {
            let page = shop.http.outbox(&admin, filter, two_after(cursor)).await.expect("a page");
            (page.items.iter().map(|event| event.event_id).collect(), page.next_cursor)
        };
        pages_survive_writes(read, &write).await;
    }
    let filter = EventFilter { correlation_id: Some(saga.uuid()), event_id: None };
    let read = async |cursor| {
        let page = shop.http.events(&admin, filter, two_after(cursor)).await.expect("a page");
        (page.items.iter().map(|event| event.event_id).collect(), page.next_cursor)
    };
    pages_survive_writes(read, &write).await;
}

async fn pages_of_dead_letters_survive_writes(kind: Kind) {
    let shop = Shop::new(kind).await;
    let admin = shop.caller(Role::Admin);
    let bodies: Vec<String> = (0..6).map(|_| body(&draft())).collect();
    shop.park(&bodies).await;
    let read = async |cursor| {
        let filter = DeadLetterFilter::default();
        let page = shop.http.dead_letters(&admin, filter, two_after(cursor)).await.expect("a page");
        (page.items.iter().map(|letter| letter.id).collect(), page.next_cursor)
    };
    pages_survive_writes(read, async |last, new| {
        let found = shop.http.dead_letter(&admin, &queue().name(), last).await.expect("the last one");
        let at_once = found.letter.dead_at.to_rfc3339();
        let ([low, high], [before, behind]) = (new.at_the_ends, new.beside);
        let times = [&*at_once, &*at_once, "1999-01-01T00:00:00Z", "2999-01-01T00:00:00Z"];
        for (id, dead_at) in [before, behind, low, high].into_iter().zip(times) {
            another_dies(&shop, last, id, dead_at).await;
        }
    })
    .await;
}

/// Parks another letter. What tables hold is changed as well; in a broker nothing can be.
async fn another_dies(shop: &Shop, like: Uuid, id: Uuid, dead_at: &str) {
    if let Some(broker) = &shop.broker {
        park_in_rabbit(broker.url(), &queue().dead_letter_queue(), id, dead_at, &body(&draft())).await;
        return;
    }
    let owner = shop.db.owner().await;
    let other = json!({"letter_id": id, "dead_at": dead_at});
    copy_row(&owner, "messaging.dead_letters", "letter_id", like, other).await;
    owner.execute("UPDATE messaging.dead_letters SET reason = 'as before'", &[]).await.expect("change them");
}

#[tokio::test]
async fn pages_of_dead_letters_survive_writes_on_postgres() {
    pages_of_dead_letters_survive_writes(Kind::Postgres).await;
}

#[tokio::test]
async fn pages_of_dead_letters_survive_writes_on_rabbitmq() {
    pages_of_dead_letters_survive_writes(Kind::Rabbit).await;
}
