//! Unsent events: told, retried, given up.

use database::outbox::{self, MAX_ATTEMPTS};
use events::{Draft, EventId};
use messaging::Relay;
use operations::{DiscardEvent, OperationsApi, OutboxFilter, UnsentStatus};
use service::{PageQuery, Role};
use testkit::{eventually, prepare_all};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::support::{Hands, Kind, LIMIT, Shop, body, draft};

async fn record(shop: &Shop, drafts: Vec<Draft>) {
    let recorded: Result<(), database::Error> =
        shop.database.write(move |tx| Box::pin(async move { outbox::record(tx, &drafts).await })).await;
    recorded.expect("record");
}

/// Makes the event one that no queue wants, so that the broker refuses it.
async fn misroute(shop: &Shop, event: EventId, routing_key: &str) {
    let owner = shop.db.owner().await;
    let sql = "UPDATE orders.events SET routing_key = $2 WHERE event_id = $1";
    owner.execute(sql, &[&event, &routing_key]).await.expect("tamper");
}

/// Time passes: the next try is due now.
async fn until_failed(shop: &Shop, count: i64) {
    let owner = shop.db.owner().await;
    eventually(LIMIT, || async {
        let sql = "UPDATE orders.outbox SET next_attempt_at = now() WHERE lease IS NULL AND failed_at IS NULL";
        owner.execute(sql, &[]).await.expect("fast forward");
        let backlog = outbox::backlog(&shop.database.read().await.expect("connect")).await.expect("backlog");
        if backlog.failed == count && backlog.pending == 0 { Ok(()) } else { Err(format!("{backlog:?}")) }
    })
    .await;
}

#[tokio::test]
async fn every_statement_fits_the_schema() {
    let shop = Shop::new(Kind::Postgres).await;
    prepare_all(&shop.database, &operations::statements()).await;
}

async fn a_failed_event_is_retried_or_given_up(kind: Kind) {
    let shop = Shop::new(kind).await;
    let (sent, given_up) = (draft(), draft());
    let message = body(&sent);
    let (mended, hopeless) = (sent.envelope.event_id, given_up.envelope.event_id);
    record(&shop, vec![sent, given_up]).await;
    for event in [mended, hopeless] {
        misroute(&shop, event, "nobody.wants.this").await;
    }
    let admin = shop.caller(Role::Admin);
    let pending = shop.http.outbox(&admin, OutboxFilter::default(), PageQuery::first(1)).await.expect("outbox");
    assert_eq!((pending.status.pending, pending.status.failed, pending.items.len()), (2, 0, 1));
    assert!(pending.next_cursor.is_some() && pending.status.oldest_age_s.is_some());
    let shown = shop.http.unsent_event(&admin, mended.uuid()).await.expect("one of them");
    assert_eq!((shown.event.event_id, shown.body), (mended.uuid(), message), "as it will be published");
    let curious = shop.http.unsent_event(&shop.caller(Role::User), mended.uuid()).await.expect_err("no admin");
    assert_eq!(curious.status.as_u16(), 403);
    let early = shop.http.retry_event(&admin, mended.uuid()).await.expect_err("it is still tried");
    assert_eq!((early.code.as_ref(), early.status.as_u16()), ("event_not_failed", 409));

    let end = CancellationToken::new();
    let _end = end.clone().drop_guard();
    tokio::spawn(Relay::new("orders", shop.database.clone(), shop.transport.clone()).run(end));
    until_failed(&shop, 2).await;
    let failed = OutboxFilter { status: Some(UnsentStatus::Failed), about: None };
    let listed = shop.http.outbox(&admin, failed, PageQuery::default()).await.expect("outbox");
    assert_eq!((listed.status.pending, listed.status.oldest_age_s, listed.status.failed), (0, None, 2));
    assert!(listed.status.last_error.as_ref().is_some_and(|error| error.contains("unroutable")), "{listed:?}");
    let item = listed.items.iter().find(|item| item.event_id == mended.uuid()).expect("listed");
    assert_eq!((item.attempts, item.next_attempt_at, item.event_type.as_str()), (MAX_ATTEMPTS, None, "StockReleased"));
    let pending = OutboxFilter { status: Some(UnsentStatus::Pending), about: None };
    assert!(shop.http.outbox(&admin, pending, PageQuery::default()).await.expect("outbox").items.is_empty());

    misroute(&shop, mended, "product.stock_released").await;
    let _consumer = shop.consumer(Hands { reject: false });
    let retried = shop.http.retry_event(&admin, mended.uuid()).await.expect("retry");
    assert_eq!((retried.status, retried.attempts), (UnsentStatus::Pending, 0));
    let reason = DiscardEvent { reason: "nobody needs it".to_owned() };
    let discarded = shop.http.discard_event(&admin, hopeless.uuid(), reason.clone()).await.expect("discard");
    assert_eq!(discarded.event_id, hopeless.uuid());
    eventually(LIMIT, || async {
        let outbox = shop.http.outbox(&admin, OutboxFilter::default(), PageQuery::default()).await.expect("outbox");
        if outbox.items.is_empty() && shop.effects(mended).await == 1 { Ok(()) } else { Err(format!("{outbox:?}")) }
    })
    .await;
    assert_eq!(shop.effects(hopeless).await, 0);
    let gone = shop.http.discard_event(&admin, hopeless.uuid(), reason).await.expect_err("gone");
    assert_eq!(gone.code, "event_not_found");
    let gone = shop.http.unsent_event(&admin, mended.uuid()).await.expect_err("it was sent");
    assert_eq!(gone.code, "event_not_found");
    let unknown = shop.http.retry_event(&admin, Uuid::now_v7()).await.expect_err("never there");
    assert_eq!(unknown.status.as_u16(), 404);

    let acts: Vec<(String, Uuid, Option<String>)> =
        shop.acts().await.into_iter().map(|act| (act.action, act.subject_id, act.reason)).collect();
    assert_eq!(
        acts,
        [
            ("outbox.discard".to_owned(), hopeless.uuid(), Some("nobody needs it".to_owned())),
            ("outbox.retry".to_owned(), mended.uuid(), None)
        ]
    );
}

#[tokio::test]
async fn a_failed_event_is_retried_or_given_up_on_postgres() {
    a_failed_event_is_retried_or_given_up(Kind::Postgres).await;
}

#[tokio::test]
async fn a_failed_event_is_retried_or_given_up_on_rabbitmq() {
    a_failed_event_is_retried_or_given_up(Kind::Rabbit).await;
}
