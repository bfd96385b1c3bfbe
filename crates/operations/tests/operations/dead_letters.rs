//! Dead letters: listed, shown, replayed to one effect, discarded with a reason; each act in the trail.

use operations::{DeadLetterFilter, DiscardDeadLetters, OperationsApi, Selection};
use serde_json::{Value, json};
use service::{IdempotencyKey, PageQuery, Role};
use testkit::eventually;
use uuid::Uuid;

use crate::support::{Hands, Kind, LIMIT, Shop, body, draft, queue};

async fn a_parked_message_replays_to_one_effect(kind: Kind) {
    let shop = Shop::new(kind).await;
    let healthy = draft();
    let event = healthy.envelope.event_id;
    let letters = shop.park(&[body(&healthy)]).await;
    let admin = shop.caller(Role::Admin);
    let detail = shop.http.dead_letter(&admin, &queue().name(), letters[0].id).await.expect("show");
    assert_eq!(detail.letter, letters[0]);
    assert_eq!((detail.letter.event_id, detail.letter.service.as_str()), (Some(event.uuid()), "orders"));
    assert_eq!(detail.envelope.expect("an envelope")["event_id"], event.to_string());

    let elsewhere = DeadLetterFilter { queue: Some("orders.cart.events.queue".to_owned()), about: None };
    let found = shop.http.dead_letters(&admin, elsewhere, PageQuery::default()).await.expect("another queue");
    assert_eq!((found.items.len(), found.total), (0, 0), "each queue has its own");

    // A dry run only tells; a key makes a repetition answer alike.
    let all = Selection { all: true, dry_run: true, ..Selection::default() };
    let told = shop.http.replay(&admin, all.clone()).await.expect("a dry run");
    assert_eq!((told.dry_run, told.items.as_slice()), (true, letters.as_slice()));
    assert!(shop.acts().await.is_empty());
    let keyed = admin.with_idempotency_key(Some(IdempotencyKey::new("once").expect("a key")));
    let replay = Selection { ids: Some(vec![event.uuid()]), ..Selection::default() };
    let first = shop.http.replay(&keyed, replay.clone()).await.expect("replay by the event's id");
    assert_eq!((first.items.as_slice(), first.missing.as_slice()), (letters.as_slice(), &[][..]));
    assert_eq!(shop.http.replay(&keyed, replay.clone()).await.expect("again"), first);
    let second = shop.http.replay(&admin, replay).await.expect("without the key");
    assert_eq!((second.items.len(), second.missing), (0, vec![event.uuid()]));

    let _mended = shop.consumer(Hands { reject: false });
    eventually(LIMIT, || async {
        match shop.effects(event).await {
            1 => Ok(()),
            other => Err(format!("{other} effects")),
        }
    })
    .await;
    shop.until_listed(0).await;
    let acts = shop.acts().await;
    assert_eq!(acts.len(), 1, "one act, whatever was asked again: {acts:?}");
    assert_eq!((acts[0].action.as_str(), acts[0].outcome.as_str()), ("dead_letter.replay", "done"));
    assert_eq!(acts[0].actor, format!("user:{}", admin.user_id().expect("signed in")));
    assert_eq!((acts[0].subject_id, acts[0].event_id), (letters[0].id, Some(event.uuid())));
    assert_eq!(acts[0].queue.as_deref(), Some("orders.products.events.queue"));
}

#[tokio::test]
async fn a_parked_message_replays_to_one_effect_on_postgres() {
    a_parked_message_replays_to_one_effect(Kind::Postgres).await;
}

#[tokio::test]
async fn a_parked_message_replays_to_one_effect_on_rabbitmq() {
    a_parked_message_replays_to_one_effect(Kind::Rabbit).await;
}

async fn poison_is_discarded_with_a_reason(kind: Kind) {
    let shop = Shop::new(kind).await;
    let (mut unknown, mut newer) = (draft(), draft());
    unknown.envelope.event_type = "SomethingElse".to_owned();
    newer.envelope.version = "99".to_owned();
    let poison = ["{ not json".to_owned(), body(&unknown), body(&newer)];
    let letters = shop.park(&poison).await;
    let admin = shop.caller(Role::Admin);
    let reasons: Vec<&str> = letters.iter().map(|letter| letter.reason.as_str()).collect();
    for expected in ["malformed envelope", "unknown event type `SomethingElse`", "unknown version `99`"] {
        assert!(reasons.iter().any(|reason| reason.contains(expected)), "{expected}: {reasons:?}");
    }
    let unread = letters.iter().find(|letter| letter.event_id.is_none()).expect("the malformed one");
    let detail = shop.http.dead_letter(&admin, &queue().dead_letter_queue(), unread.id).await.expect("show");
    assert_eq!((detail.body.as_str(), detail.envelope), ("{ not json", None));

    // Found by what it holds; replayed in vain it comes back, and the act on all ends nevertheless.
    let about = DeadLetterFilter { about: Some(unknown.envelope.correlation_id.to_string()), queue: None };
    let found = shop.http.dead_letters(&admin, about, PageQuery::default()).await.expect("a search");
    assert_eq!(
        found.items.iter().map(|letter| letter.event_id).collect::<Vec<_>>(),
        [Some(unknown.envelope.event_id.uuid())]
    );
    let fault = shop.consumer(Hands { reject: true });
    let (mut handled, mut until, mut more) = (0, None, true);
    while more {
        let round =
            shop.http.replay(&admin, Selection { all: true, until, ..Selection::default() }).await.expect("all");
        handled += round.items.len();
        (until, more) = (Some(round.until), round.more);
    }
    assert_eq!(handled, 3, "each once");
    shop.until_listed(3).await;
    drop(fault);

    let discard =
        DiscardDeadLetters { all: true, reason: "  sent by a broken import  ".to_owned(), ..Default::default() };
    let handled = shop.http.discard(&admin, discard).await.expect("discard");
    assert_eq!(handled.items.len(), 3);
    shop.until_listed(0).await;
    let acts = shop.acts().await;
    let discarded: Vec<_> = acts.iter().filter(|act| act.action == "dead_letter.discard").collect();
    assert_eq!((acts.len(), discarded.len()), (6, 3));
    for act in discarded {
        assert_eq!((act.reason.as_deref(), act.outcome.as_str()), (Some("sent by a broken import"), "done"));
    }
}

#[tokio::test]
async fn poison_is_discarded_with_a_reason_on_postgres() {
    poison_is_discarded_with_a_reason(Kind::Postgres).await;
}

#[tokio::test]
async fn poison_is_discarded_with_a_reason_on_rabbitmq() {
    poison_is_discarded_with_a_reason(Kind::Rabbit).await;
}

#[tokio::test]
async fn lists_come_in_pages() {
    let shop = Shop::new(Kind::Postgres).await;
    let bodies: Vec<String> = (0..7).map(|_| body(&draft())).collect();
    let letters = shop.park(&bodies).await;
    let admin = shop.caller(Role::Admin);
    let (mut seen, mut page) = (Vec::new(), PageQuery::first(3));
    loop {
        let found = shop.http.dead_letters(&admin, DeadLetterFilter::default(), page.clone()).await.expect("a page");
        assert_eq!(found.total, 7);
        seen.extend(found.items);
        let Some(cursor) = found.next_cursor else { break };
        page.cursor = Some(cursor);
    }
    assert_eq!(seen, letters);
}

#[tokio::test]
async fn only_admins_and_only_what_makes_sense() {
    let shop = Shop::new(Kind::Postgres).await;
    shop.park(&["{ not json".to_owned()]).await;
    rustls::crypto::ring::default_provider().install_default().expect("the first of this process");
    let http = reqwest::Client::new();
    let paths = [
        ("GET", "/admin/outbox"),
        ("GET", "/admin/dlq"),
        ("GET", "/admin/audit"),
        ("GET", &*format!("/admin/dlq/{}/{}", queue().name(), Uuid::now_v7())),
        ("POST", "/admin/dlq/replay"),
        ("POST", "/admin/dlq/discard"),
        ("POST", &*format!("/admin/outbox/{}/retry", Uuid::now_v7())),
        ("POST", &*format!("/admin/outbox/{}/discard", Uuid::now_v7())),
    ];
    let user = shop.token(Role::User);
    for (method, path) in paths {
        for (token, expected) in [(None, 401), (Some(user.as_str()), 403)] {
            let mut request = http.request(method.parse().expect("a method"), format!("{}{path}", shop.url));
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            let answer = request.body("{ not even json").send().await.expect("an answer");
            assert_eq!(answer.status(), expected, "{method} {path}");
            let error: Value = answer.json().await.expect("the uniform shape");
            assert_eq!(error["code"], expected, "{error}");
        }
    }

    let admin = shop.token(Role::Admin);
    let (long, many) = ("x".repeat(501), vec![Uuid::nil(); 501]);
    for (path, body, expected) in [
        ("replay", json!({}), "validation_failed"),
        ("replay", json!({"all": true, "ids": []}), "validation_failed"),
        ("replay", json!({"all": true, "dryrun": true}), "validation_failed"),
        ("replay", json!({"ids": many}), "validation_failed"),
        ("replay", json!({"ids": ["x"]}), "validation_failed"),
        ("replay", json!({"all": true, "queue": "cart.orders.events.queue"}), "queue_not_found"),
        ("discard", json!({"all": true}), "validation_failed"),
        ("discard", json!({"all": true, "reason": " "}), "validation_failed"),
        ("discard", json!({"all": true, "reason": long}), "validation_failed"),
        ("discard", json!({"all": true, "reason": "why", "dryrun": true}), "validation_failed"),
    ] {
        let request = http.post(format!("{}/admin/dlq/{path}", shop.url)).bearer_auth(&admin);
        let answer = request.header("content-type", "application/json").body(body.to_string()).send().await;
        let error: Value = answer.expect("an answer").json().await.expect("JSON");
        assert_eq!(error["error"], expected, "{path} {body}: {error}");
    }
    shop.until_listed(1).await;
    assert!(shop.acts().await.is_empty());
}

async fn an_act_on_all_goes_in_rounds(kind: Kind) {
    let shop = Shop::new(kind).await;
    let fault = shop.consumer(Hands { reject: true });
    shop.publish(&vec!["{ not json".to_owned(); 250]).await;
    eventually(LIMIT, || async {
        let depths = shop.transport.depths().await.expect("depths");
        match depths.iter().find(|depth| depth.queue == queue().name()).map(|depth| depth.dead) {
            Some(250) => Ok(()),
            other => Err(format!("{other:?} dead letters")),
        }
    })
    .await;
    drop(fault);
    let admin = shop.caller(Role::Admin);
    let (mut rounds, mut until) = (Vec::new(), None);
    loop {
        let input = DiscardDeadLetters { all: true, until, reason: "a flood".to_owned(), ..Default::default() };
        let round = shop.http.discard(&admin, input).await.expect("a round");
        rounds.push(round.items.len());
        assert!(round.missing.is_empty());
        if !round.more {
            break;
        }
        until = Some(round.until);
    }
    assert_eq!(rounds, [200, 50, 0]);
    shop.until_listed(0).await;
}

#[tokio::test]
async fn an_act_on_all_goes_in_rounds_on_postgres() {
    an_act_on_all_goes_in_rounds(Kind::Postgres).await;
}

#[tokio::test]
async fn an_act_on_all_goes_in_rounds_on_rabbitmq() {
    an_act_on_all_goes_in_rounds(Kind::Rabbit).await;
}
