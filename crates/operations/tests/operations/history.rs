//! An event followed: recorded, waiting, parked, replayed, applied; and an operator who gives it up.

use database::outbox;
use events::Draft;
use operations::{
    DeadLetterFilter, Delivery, DeliveryOutcome, DiscardDeadLetters, EventFilter, OperationsApi, Selection,
    TracedEvent, trace,
};
use service::{Error, PageQuery, Role};
use testkit::eventually;
use uuid::Uuid;

use crate::support::{Hands, Kind, LIMIT, Shop, body, draft, queue};

impl Shop {
    async fn record(&self, draft: &Draft) {
        let drafts = vec![draft.clone()];
        let recorded: Result<(), Error> =
            self.database.write(move |tx| Box::pin(async move { Ok(outbox::record(tx, &drafts).await?) })).await;
        recorded.expect("record");
    }

    /// The one event of this saga, and what became of it in the queue of this test.
    async fn followed(&self, correlation_id: Uuid) -> (TracedEvent, Delivery) {
        let services: [(&'static str, &dyn OperationsApi); 1] = [("orders", &self.http)];
        let mut trace = trace(&services, &self.caller(Role::Admin), correlation_id).await.expect("a trace");
        assert_eq!((trace.events.len(), trace.unreachable.as_slice()), (1, &[][..]));
        let event = trace.events.remove(0);
        let delivery = event.deliveries.iter().find(|delivery| delivery.queue == queue().name());
        let delivery = delivery.expect("orders wants it").clone();
        (event, delivery)
    }

    async fn until(&self, correlation_id: Uuid, outcome: DeliveryOutcome) -> (TracedEvent, Delivery) {
        eventually(LIMIT, || async {
            let (event, delivery) = self.followed(correlation_id).await;
            if delivery.outcome == outcome { Ok((event, delivery)) } else { Err(format!("{delivery:?}")) }
        })
        .await
    }
}

async fn an_event_is_followed_from_its_record_to_its_effect(kind: Kind) {
    let shop = Shop::new(kind).await;
    let draft = draft();
    let (event_id, saga) = (draft.envelope.event_id.uuid(), draft.envelope.correlation_id.uuid());
    shop.record(&draft).await;
    let (traced, delivery) = shop.followed(saga).await;
    assert_eq!((traced.event.event_id, traced.event.service.as_str()), (event_id, "orders"));
    assert_eq!((traced.event.event_type.as_str(), traced.event.aggregate_type.as_str()), ("StockReleased", "order"));
    assert_eq!((traced.event.published, traced.published_at), (false, None), "no relay runs");
    assert_eq!((delivery.outcome, delivery.attempts), (DeliveryOutcome::Waiting, 0));
    let wanted: Vec<&str> = traced.deliveries.iter().map(|delivery| delivery.service.as_str()).collect();
    assert_eq!(wanted, ["analytics", "cart", "orders"], "all that want it");

    let letters = shop.park(&[body(&draft)]).await;
    let (_, delivery) = shop.until(saga, DeliveryOutcome::Dead).await;
    assert_eq!((delivery.attempts, delivery.dead_letter_id), (1, Some(letters[0].id)));
    assert_eq!(delivery.last_error.as_deref(), Some("a fault that will be mended"));
    let admin = shop.caller(Role::Admin);
    let queues = shop.http.queues(&admin).await.expect("queues");
    let own = queues.iter().find(|one| one.name == queue().name()).expect("its queue");
    assert_eq!((own.ready, own.dead_letters, queues.len()), (0, 1, 3));
    assert!(own.delayed.is_none_or(|delayed| delayed == 0) && own.in_flight.is_none_or(|in_flight| in_flight == 0));
    let by_its_own_id = DeadLetterFilter { queue: None, about: Some(letters[0].id.to_string()) };
    let found = shop.http.dead_letters(&admin, by_its_own_id, PageQuery::first(10)).await.expect("find it");
    assert_eq!(found.items, letters);

    let _mended = shop.consumer(Hands { reject: false });
    let replay = Selection { ids: Some(vec![event_id]), ..Selection::default() };
    shop.http.replay(&admin, replay).await.expect("replay");
    let (_, delivery) = shop.until(saga, DeliveryOutcome::Applied).await;
    assert_eq!((delivery.attempts, delivery.handler.as_deref()), (2, Some("StockReleased")));
    assert_eq!(delivery.last_error.as_deref(), Some("a fault that will be mended"), "why it took two");
    assert!(delivery.handled_at.is_some() && delivery.delay_ms.is_some_and(|delay| delay >= 0), "{delivery:?}");
}

#[tokio::test]
async fn an_event_is_followed_from_its_record_to_its_effect_on_postgres() {
    an_event_is_followed_from_its_record_to_its_effect(Kind::Postgres).await;
}

#[tokio::test]
async fn an_event_is_followed_from_its_record_to_its_effect_on_rabbitmq() {
    an_event_is_followed_from_its_record_to_its_effect(Kind::Rabbit).await;
}

#[tokio::test]
async fn what_an_operator_gave_up_is_skipped() {
    let shop = Shop::new(Kind::Postgres).await;
    let draft = draft();
    shop.record(&draft).await;
    shop.park(&[body(&draft)]).await;
    let discard = DiscardDeadLetters { all: true, reason: "nobody needs it".to_owned(), ..Default::default() };
    shop.http.discard(&shop.caller(Role::Admin), discard).await.expect("discard");
    let (_, delivery) = shop.until(draft.envelope.correlation_id.uuid(), DeliveryOutcome::Skipped).await;
    assert_eq!((delivery.attempts, delivery.dead_letter_id), (1, None));
}

#[tokio::test]
async fn only_admins_look_and_only_at_something() {
    let shop = Shop::new(Kind::Postgres).await;
    let saga = EventFilter { correlation_id: Some(Uuid::now_v7()), event_id: None };
    let user = shop.caller(Role::User);
    for refused in [
        shop.http.events(&user, saga, PageQuery::default()).await.map(drop),
        shop.http.deliveries(&user, &[Uuid::now_v7()]).await.map(drop),
        shop.http.queues(&user).await.map(drop),
    ] {
        assert_eq!(refused.expect_err("not an admin").status.as_u16(), 403);
    }
    let admin = shop.caller(Role::Admin);
    assert!(shop.http.events(&admin, saga, PageQuery::default()).await.expect("none").items.is_empty());
    assert!(shop.http.deliveries(&admin, &[Uuid::now_v7()]).await.expect("none").is_empty());
    let everything = shop.http.events(&admin, EventFilter::default(), PageQuery::default()).await;
    assert_eq!(everything.expect_err("the whole trail").status.as_u16(), 422);
    let too_many = vec![Uuid::now_v7(); 101];
    assert_eq!(shop.http.deliveries(&admin, &too_many).await.expect_err("too many").status.as_u16(), 422);
}
