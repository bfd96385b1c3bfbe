//! What only a demo shop has.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use events::EventId;
use events::topology::Exchange;
use futures_util::FutureExt;
use gateway::{Demo, DemoLogin};
use messaging::Poison;
use serde_json::json;
use service::Role;

use crate::support::Running;

const LOGINS: &str = "{ demo { logins { email password role } } }";
const POISON: &str = "mutation { sendPoisonMessage(input: {}) { queue queues eventId userErrors { code } } }";

fn demo(sent: Arc<AtomicU32>, event_id: EventId) -> Demo {
    let login = DemoLogin { email: "demo@prost.example".into(), password: "demo".into(), role: Role::Admin };
    let queues = vec!["products.orders.events.queue".to_owned(), "analytics.orders.events.queue".to_owned()];
    let poison = Poison { event_id, exchange: Exchange::Orders, queues };
    let send = move || {
        sent.fetch_add(1, Ordering::SeqCst);
        let poison = poison.clone();
        async move { Ok(poison) }.boxed()
    };
    Demo::new(vec![login], Arc::new(send))
}

#[tokio::test]
async fn a_demo_shop_tells_its_logins_and_lets_admins_send_poison() {
    let (sent, event_id) = (Arc::new(AtomicU32::new(0)), EventId::new());
    let running = Running::with(|config| config.demo = Some(demo(sent.clone(), event_id)));
    let login = json!({"email": "demo@prost.example", "password": "demo", "role": "ADMIN"});
    assert_eq!(running.post(LOGINS, None).await["data"], json!({"demo": {"logins": [login]}}));
    let customer = running.shop.token(Role::User);
    for (token, code) in [(None, "UNAUTHENTICATED"), (Some(customer.as_str()), "FORBIDDEN")] {
        assert_eq!(running.post(POISON, token).await["errors"][0]["extensions"]["code"], code);
    }
    assert_eq!(sent.load(Ordering::SeqCst), 0);
    let payload =
        running.post(POISON, Some(&running.shop.token(Role::Admin))).await["data"]["sendPoisonMessage"].clone();
    assert_eq!((&payload["queue"], &payload["eventId"]), (&json!("products.orders.events.queue"), &json!(event_id)));
    assert_eq!((payload["queues"].as_array().unwrap().len(), sent.load(Ordering::SeqCst)), (2, 1));
}

#[tokio::test]
async fn one_key_is_one_poison() {
    let sent = Arc::new(AtomicU32::new(0));
    let running = Running::with(|config| config.demo = Some(demo(sent.clone(), EventId::new())));
    let admin = running.shop.token(Role::Admin);
    let keyed = |key: &str| POISON.replace("{}", &format!("{{idempotencyKey: \"{key}\"}}"));
    let (first, again, other) = (keyed("once"), keyed("once"), keyed("another"));
    let answers = tokio::join!(running.post(&first, Some(&admin)), running.post(&again, Some(&admin)));
    assert_eq!((&answers.0, sent.load(Ordering::SeqCst)), (&answers.1, 1));
    running.post(&other, Some(&admin)).await;
    for _ in 0..2 {
        running.post(POISON, Some(&admin)).await;
    }
    assert_eq!(sent.load(Ordering::SeqCst), 4, "another key is another poison, and so is none");
}

#[tokio::test]
async fn no_other_shop_has_any_of_it() {
    let running = Running::new();
    assert_eq!(running.post(LOGINS, None).await, json!({"data": {"demo": null}}));
    let payload =
        running.post(POISON, Some(&running.shop.token(Role::Admin))).await["data"]["sendPoisonMessage"].clone();
    let refused = json!([{"code": "NO_DEMO"}]);
    assert_eq!(payload, json!({"queue": null, "queues": [], "eventId": null, "userErrors": refused}));
}
