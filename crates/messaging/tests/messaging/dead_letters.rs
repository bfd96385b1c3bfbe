//! What operators may rely on: looking changes nothing, and nothing is handled twice.

use std::collections::HashSet;
use std::sync::Arc;

use events::EventId;
use events::topology::Exchange;
use messaging::{DeadLetter, DeadLetterFilter, Transport};
use testkit::eventually;
use uuid::Uuid;

use crate::harness::{Harness, Kind, LIMIT, PRODUCTS, body, drafts, ids, orders, queue};
use crate::probe::{Act, Probe};

/// A shop in which orders parked these events.
async fn with_parked(kind: Kind, count: usize) -> (Harness, Vec<EventId>, Transport) {
    let shop = Harness::new(kind).await;
    let poison = drafts(count);
    let consumer = shop.consumer(orders(), Probe::with(Act::Reject, []));
    shop.record(&poison).await;
    let relay = shop.relay();
    shop.until_declared().await;
    shop.until_dead(orders(), count).await;
    relay.stop().await;
    consumer.stop().await;
    let transport = shop.transport(&shop.db.database("orders", "orders"), "orders");
    (shop, ids(&poison), transport)
}

async fn all(transport: &Transport) -> Vec<DeadLetter> {
    transport.dead_letters(orders(), &DeadLetterFilter::default(), 1000).await.expect("list")
}

fn names(letters: &[DeadLetter]) -> Vec<Uuid> {
    letters.iter().map(|letter| letter.id).collect()
}

pub async fn looking_at_dead_letters_changes_nothing(kind: Kind) {
    let (shop, poison, transport) = with_parked(kind, 25).await;
    let letters = all(&transport).await;
    let events: HashSet<Uuid> = letters.iter().filter_map(|letter| letter.event_id).collect();
    assert_eq!(events, poison.iter().map(|id| id.uuid()).collect());
    for letter in &letters {
        assert_eq!(letter.queue, orders().name());
        assert_eq!((letter.exchange.as_str(), letter.routing_key.as_str()), ("products.events", PRODUCTS));
        assert_eq!((letter.event_type.as_deref(), letter.attempts), (Some("StockReleased"), 1));
        assert!(letter.reason.contains("is poison") && letter.body.contains("correlation_id"), "{letter:?}");
    }
    assert!(letters.is_sorted_by_key(DeadLetter::place));

    // Page by page it is the same, and each time.
    for _ in 0..3 {
        let (mut seen, mut filter) = (Vec::new(), DeadLetterFilter::default());
        loop {
            let page = transport.dead_letters(orders(), &filter, 10).await.expect("a page");
            let Some(last) = page.last() else { break };
            filter.after = Some(last.place());
            seen.extend(page);
        }
        assert_eq!(seen, letters);
    }
    let one = &letters[7];
    for id in [one.id, one.event_id.expect("an event")] {
        let found = transport.dead_letters_named(orders(), &[id, Uuid::now_v7()]).await.expect("by id");
        assert_eq!(found, std::slice::from_ref(one));
    }
    let about = one.correlation_id.map(|id| id.to_string());
    let found = transport.dead_letters(orders(), &DeadLetterFilter { about, ..Default::default() }, 10).await;
    assert_eq!(found.expect("by correlation id"), std::slice::from_ref(one));
    // A broker puts back what was looked at a moment after the look.
    shop.until_dead(orders(), 25).await;
}

pub async fn a_replay_is_one_effect_in_its_own_queue(kind: Kind) {
    let (shop, poison, transport) = with_parked(kind, 20).await;
    let (chosen, others) = {
        let letters = names(&all(&transport).await);
        (letters[..8].to_vec(), letters[8..].to_vec())
    };
    let mut replayed = transport.replay_dead_letters(orders(), &chosen).await.expect("replay");
    replayed.sort();
    let mut expected = chosen.clone();
    expected.sort();
    assert_eq!(replayed, expected);
    assert_eq!(names(&all(&transport).await), others, "the others stay, in their order");
    let _consumer = shop.consumer(orders(), Probe::new());
    shop.until_empty(orders()).await;
    eventually(LIMIT, || async {
        let applied: i64 = shop.effects("orders", &poison).await.iter().sum();
        if applied == 8 { Ok(()) } else { Err(format!("{applied} effects")) }
    })
    .await;
    // Twice is nothing: the letters are gone.
    assert_eq!(transport.replay_dead_letters(orders(), &chosen).await.expect("again"), Vec::<Uuid>::new());

    transport.replay_dead_letters(orders(), &others).await.expect("the rest");
    shop.until_applied("orders", &poison).await;
    assert_eq!(shop.depth(orders()).await.dead, 0);
    // The event was published for cart and analytics, too; nobody there got it again.
    let cart = shop.depth(queue("cart", Exchange::Products)).await;
    assert_eq!(cart.ready, 20, "one of each, from the first publication");
}

pub async fn a_replayed_message_has_all_its_tries_again(kind: Kind) {
    let shop = Harness::new(kind).await;
    let stubborn = drafts(1);
    shop.record(&stubborn).await;
    let (relay, consumer) = (shop.relay(), shop.consumer(orders(), Probe::with(Act::Retry(usize::MAX), [])));
    shop.until_sent().await;
    let park = eventually(LIMIT, || async {
        shop.fast_forward().await;
        if shop.dead_letters(orders()).await.len() == 1 { Ok(()) } else { Err("not parked yet".to_owned()) }
    });
    park.await;
    relay.stop().await;
    consumer.stop().await;

    let transport = shop.transport(&shop.db.database("orders", "orders"), "orders");
    let letters = all(&transport).await;
    assert_eq!(letters[0].attempts, 4, "once, and after each of three delays");
    let _consumer = shop.consumer(orders(), Probe::with(Act::Retry(1), []));
    transport.replay_dead_letters(orders(), &names(&letters)).await.expect("replay");
    eventually(LIMIT, || async {
        shop.fast_forward().await;
        match shop.effects("orders", &ids(&stubborn)).await.as_slice() {
            [1] => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    assert_eq!(shop.depth(orders()).await.dead, 0);
}

pub async fn two_operators_at_once_handle_each_letter_once(kind: Kind) {
    let (shop, poison, first) = with_parked(kind, 30).await;
    let second = shop.transport(&shop.db.database("orders", "orders"), "orders");
    let letters = names(&all(&first).await);
    let (one, other) =
        tokio::join!(first.replay_dead_letters(orders(), &letters), second.replay_dead_letters(orders(), &letters));
    let (one, other) = (one.expect("the one"), other.expect("the other"));
    assert!(one.iter().all(|id| !other.contains(id)), "nobody takes what the other has");
    // Over RabbitMQ each may hold in hand what the other looks for; then it is still there.
    let left = all(&first).await;
    assert_eq!(one.len() + other.len() + left.len(), 30);
    first.replay_dead_letters(orders(), &names(&left)).await.expect("the rest");
    let _consumer = shop.consumer(orders(), Probe::new());
    shop.until_applied("orders", &poison).await;
    assert_eq!(shop.depth(orders()).await.dead, 0);
}

pub async fn what_is_discarded_is_gone_and_nothing_else(kind: Kind) {
    let shop = Harness::new(kind).await;
    let consumer = shop.consumer(orders(), Probe::new());
    shop.until_declared().await;
    let mut newer = drafts(1).remove(0);
    newer.envelope.version = "99".to_owned();
    let poison = ["{ not json".to_owned(), "{ not json".to_owned(), body(&newer)];
    shop.publish_raw(Exchange::Products, PRODUCTS, &poison).await;
    shop.until_dead(orders(), 3).await;
    let transport = Arc::new(shop.transport(&shop.db.database("orders", "orders"), "orders"));
    let letters = all(&transport).await;
    let unread: Vec<&DeadLetter> = letters.iter().filter(|letter| letter.event_id.is_none()).collect();
    assert_eq!(unread.len(), 2);
    assert_ne!(unread[0].id, unread[1].id, "equal messages are two letters");
    assert_eq!((unread[0].body.as_str(), unread[0].event_type.as_deref()), ("{ not json", None));

    // Poison stays poison: a replay in vain parks it anew.
    transport.replay_dead_letters(orders(), &[unread[0].id]).await.expect("replay");
    shop.until_dead(orders(), 3).await;
    let again = all(&transport).await;
    assert!(again.iter().all(|letter| letter.id != unread[0].id));

    let thrown: Vec<Uuid> = again.iter().filter(|letter| letter.event_id.is_none()).map(|letter| letter.id).collect();
    let mut discarded = transport.discard_dead_letters(orders(), &thrown).await.expect("discard");
    discarded.sort();
    let mut expected = thrown.clone();
    expected.sort();
    assert_eq!(discarded, expected);
    let left = all(&transport).await;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].event_id, Some(newer.envelope.event_id.uuid()));
    consumer.stop().await;
}
