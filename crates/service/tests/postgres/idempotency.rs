//! Idempotency keys on a real PostgreSQL: one effect and one answer, whatever is repeated, refused or cut.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::http::StatusCode;
use database::{BoxFuture, Connection, Database};
use events::{CartId, CorrelationId, UserId};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use service::idempotency::{self, Operation};
use service::{Caller, Claims, Error, IdempotencyKey, OnConstraint, Role};
use testkit::{TestDatabase, foundation_with};
use tokio::sync::Notify;

const TABLES: &str =
    "CREATE TABLE things (id bigint GENERATED ALWAYS AS IDENTITY, name text CONSTRAINT things_name UNIQUE);
    CREATE TABLE attempts (name text)";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Thing {
    id: i64,
    name: String,
}

struct Shop {
    test: TestDatabase,
    database: Database,
    runs: Arc<AtomicU32>,
}

async fn shop() -> Shop {
    let test = TestDatabase::new(&[foundation_with("things", "things", TABLES)]).await;
    let database = test.database("things", "things");
    Shop { test, database, runs: Arc::default() }
}

fn user() -> Caller {
    let claims = Claims::new(UserId::new(), "ann@example.com", "ann", Role::User);
    Caller { claims: Some(Arc::new(claims)), ..Caller::anonymous(CorrelationId::new()) }
}

fn keyed(caller: &Caller, key: &str) -> Caller {
    caller.with_idempotency_key(Some(IdempotencyKey::new(key).unwrap()))
}

fn operation(caller: &Caller, name: &str) -> Operation {
    Operation::new("things", "POST /things", StatusCode::CREATED, caller, None, &name).unwrap()
}

fn insert<'a>(tx: &'a Connection, name: String) -> BoxFuture<'a, Result<Thing, Error>> {
    Box::pin(async move {
        tx.execute("INSERT INTO attempts VALUES ($1)", &[&name]).await?;
        let row = tx.query_one("INSERT INTO things (name) VALUES ($1) RETURNING id", &[&name]).await;
        let row = row.on_constraint("things_name", || Error::conflict("name_already_exists", "the name is taken"))?;
        Ok(Thing { id: row.get("id"), name })
    })
}

impl Shop {
    async fn make(&self, caller: &Caller, name: &str) -> Result<Thing, Error> {
        let (runs, text) = (self.runs.clone(), name.to_owned());
        idempotency::write(&self.database, operation(caller, name), move |tx| {
            runs.fetch_add(1, Ordering::Relaxed);
            insert(tx, text)
        })
        .await
    }

    fn runs(&self) -> u32 {
        self.runs.load(Ordering::Relaxed)
    }

    async fn count(&self, sql: &str) -> i64 {
        self.test.owner().await.query_one(&format!("SELECT count(*) FROM things.{sql}"), &[]).await.unwrap().get(0)
    }
}

#[tokio::test]
async fn statements_fit_the_schema() {
    let shop = shop().await;
    testkit::prepare_all(&shop.database, idempotency::ALL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_at_once_have_one_effect_and_one_answer() {
    let shop = shop().await;
    let caller = keyed(&user(), "key");
    let answers = join_all((0..200).map(|_| shop.make(&caller, "glass"))).await;
    let first = answers[0].clone().unwrap();
    assert!(answers.iter().all(|answer| answer.as_ref() == Ok(&first)));
    assert_eq!((shop.runs(), shop.count("things").await, shop.count("idempotency_records").await), (1, 1, 1));
}

#[tokio::test]
async fn a_refusal_is_an_answer_and_leaves_nothing_behind() {
    let shop = shop().await;
    let caller = keyed(&user(), "key");
    shop.make(&user(), "glass").await.unwrap();
    let refused = shop.make(&caller, "glass").await.unwrap_err();
    assert_eq!(refused.code, "name_already_exists");
    assert_eq!(refused.correlation_id, Some(caller.correlation_id));
    shop.test.owner().await.execute("DELETE FROM things.things", &[]).await.unwrap();
    let retried = Caller { correlation_id: CorrelationId::new(), ..caller };
    let again = shop.make(&retried, "glass").await.unwrap_err();
    let bytes = |error: &Error| serde_json::to_string(error).unwrap();
    assert_eq!(bytes(&again), bytes(&refused), "byte for byte, the first request's correlation id included");
    assert_eq!((shop.runs(), shop.count("attempts").await), (2, 1), "the refused attempt was undone");
}

#[tokio::test]
async fn another_body_or_operation_under_the_same_key_is_refused() {
    let shop = shop().await;
    let caller = keyed(&user(), "key");
    shop.make(&caller, "glass").await.unwrap();
    let error = shop.make(&caller, "cup").await.unwrap_err();
    assert_eq!((error.status.as_u16(), error.code.as_ref()), (422, "idempotency_key_reused"));
    let other = Operation::new("things", "POST /others", StatusCode::CREATED, &caller, None, &"glass").unwrap();
    let error = idempotency::write(&shop.database, other, |tx| insert(tx, "other".to_owned())).await.unwrap_err();
    assert_eq!(error.code, "idempotency_key_reused");
    assert_eq!(shop.count("things").await, 1);
}

const RANDOM: &str = "7c9e6679-7425-40de-944b-e07fc1f90ae7";

#[tokio::test]
async fn a_key_belongs_to_its_user_cart_or_address() {
    let shop = shop().await;
    let nobody = Caller::anonymous(CorrelationId::new());
    let neighbour = |last| Caller { address: Some([203, 0, 113, last].into()), ..nobody.clone() };
    for (n, caller) in [user(), user(), neighbour(1), neighbour(2), nobody.clone()].iter().enumerate() {
        let (caller, name) = (keyed(caller, RANDOM), format!("thing {n}"));
        let first = shop.make(&caller, &name).await.unwrap();
        assert_eq!(shop.make(&caller, &name).await, Ok(first));
    }
    for n in 0..2 {
        let held = Some(CartId::new().uuid());
        let operation = Operation::new("things", "POST /x", StatusCode::OK, &keyed(&nobody, "key"), held, &n).unwrap();
        idempotency::write(&shop.database, operation, move |tx| insert(tx, format!("cart {n}"))).await.unwrap();
    }
    assert_eq!((shop.count("things").await, shop.count("idempotency_records").await), (7, 7));
}

#[tokio::test]
async fn a_key_that_others_may_choose_too_is_refused_where_only_it_tells_callers_apart() {
    let shop = shop().await;
    // Two shoppers behind one router.
    let shopper = Caller { address: Some([203, 0, 113, 1].into()), ..Caller::anonymous(CorrelationId::new()) };
    let new = |key: &str, action| {
        Operation::new("things", action, StatusCode::CREATED, &keyed(&shopper, key), None, &"glass")
    };
    for key in ["1", "create-cart-for-a-shopper", "0000000000000001", "user-00000000001"] {
        let error = new(key, "POST /things").unwrap_err();
        assert_eq!((error.status.as_u16(), error.code.as_ref()), (400, "invalid_idempotency_key"), "{key}");
        assert_eq!(error.fields[0].field, "idempotency_key");
        assert!(error.message.contains("a random UUID"), "it says what to send: {}", error.message);
        assert!(operation(&keyed(&user(), key), "glass").is_keyed(), "a user's keys are their own: {key}");
    }
    shop.make(&keyed(&shopper, RANDOM), "glass").await.unwrap();
    let other = new(RANDOM, "POST /x").unwrap();
    let answer = idempotency::write(&shop.database, other, |tx| insert(tx, "cup".to_owned())).await;
    assert_eq!(answer.unwrap().name, "cup", "of each operation a key of its own");
}

#[tokio::test]
async fn an_answer_is_looked_up_without_running_anything() {
    let shop = shop().await;
    let caller = keyed(&user(), "key");
    let answered = async |name: &str| idempotency::answered::<Thing>(&shop.database, &operation(&caller, name)).await;
    assert_eq!(answered("glass").await, Ok(None));
    let made = shop.make(&caller, "glass").await.unwrap();
    assert_eq!(answered("glass").await, Ok(Some(Ok(made))));
    assert_eq!(answered("cup").await.unwrap_err().code, "idempotency_key_reused");
    let refused = keyed(&user(), "key");
    let error = shop.make(&refused, "glass").await.unwrap_err();
    let again = idempotency::answered::<Thing>(&shop.database, &operation(&refused, "glass")).await;
    assert_eq!(again.unwrap().unwrap().unwrap_err().code, error.code);
    let without = idempotency::answered::<Thing>(&shop.database, &operation(&user(), "glass")).await;
    assert_eq!((without, shop.runs()), (Ok(None), 2));
}

#[tokio::test]
async fn faults_and_refused_logins_are_tried_anew() {
    let shop = shop().await;
    let caller = keyed(&user(), "key");
    let faults = [
        Error::internal("broken"),
        Error::unavailable("away"),
        Error::unauthenticated("unauthenticated", "who?"),
        Error::too_many_requests("slow down", std::time::Duration::from_secs(1)),
    ];
    for fault in faults {
        let expected = fault.clone();
        let operation = operation(&caller, "glass");
        let error = idempotency::write(&shop.database, operation, move |tx| {
            Box::pin(async move { insert(tx, "glass".to_owned()).await.and(Err::<Thing, _>(fault)) })
        })
        .await
        .unwrap_err();
        assert_eq!(error, expected);
        assert_eq!((shop.count("things").await, shop.count("idempotency_records").await), (0, 0));
    }
    assert_eq!(shop.make(&caller, "glass").await.unwrap().name, "glass");
}

#[tokio::test]
async fn without_a_key_every_request_counts() {
    let shop = shop().await;
    shop.make(&user(), "glass").await.unwrap();
    assert_eq!(shop.make(&user(), "glass").await.unwrap_err().code, "name_already_exists");
    assert_eq!((shop.runs(), shop.count("idempotency_records").await, shop.count("attempts").await), (2, 0, 1));
}

#[tokio::test]
async fn a_request_in_flight_for_five_seconds_is_409_and_then_has_its_answer() {
    let shop = shop().await;
    let caller = keyed(&user(), "key");
    let (entered, leave) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (on_entry, on_leave) = (entered.clone(), leave.clone());
    let (database, first) = (shop.database.clone(), operation(&caller, "glass"));
    let first = tokio::spawn(async move {
        idempotency::write(&database, first, move |tx| {
            Box::pin(async move {
                on_entry.notify_one();
                on_leave.notified().await;
                insert(tx, "glass".to_owned()).await
            })
        })
        .await
    });
    entered.notified().await;
    let error = shop.make(&caller, "glass").await.unwrap_err();
    assert_eq!((error.status.as_u16(), error.code.as_ref()), (409, "request_in_flight"));
    leave.notify_one();
    let answer = first.await.unwrap().unwrap();
    assert_eq!(shop.make(&caller, "glass").await, Ok(answer));
    assert_eq!(shop.runs(), 0, "the waiting ones never ran");
}

#[tokio::test]
async fn an_answer_is_kept_for_a_day_and_holds_neither_key_nor_body() {
    let shop = shop().await;
    let caller = keyed(&user(), "the-key-itself");
    let first = shop.make(&caller, "glass").await.unwrap();
    let owner = shop.test.owner().await;
    let row = owner.query_one("SELECT action, result::text, record::text FROM things.idempotency_records record", &[]);
    let row = row.await.unwrap();
    assert_eq!(row.get::<_, &str>("action"), "http:POST /things");
    let result: serde_json::Value = serde_json::from_str(row.get("result")).unwrap();
    assert_eq!(result["status"], 201);
    assert_eq!(result["answer"], serde_json::to_string(&first).unwrap());
    assert_eq!(result["body_hash"].as_str().unwrap().len(), 64);
    assert!(!row.get::<_, &str>("record").contains("the-key-itself"));
    owner.execute("UPDATE things.idempotency_records SET created_at = now() - interval '25 hours'", &[]).await.unwrap();
    owner.execute("DELETE FROM things.things", &[]).await.unwrap();
    let second = shop.make(&caller, "glass").await.unwrap();
    assert_ne!(second.id, first.id);
    assert_eq!(shop.make(&caller, "glass").await, Ok(second));
}
