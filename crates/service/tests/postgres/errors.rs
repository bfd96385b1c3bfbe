//! What a caller is told when the database refuses, is overloaded or away.

use std::time::Duration;

use database::{Database, Login, PoolLimits};
use service::{Error, OnConstraint};
use testkit::{TestDatabase, foundation_with};

const TABLES: &str = "CREATE TABLE things (
    name text CONSTRAINT things_name UNIQUE, price numeric(6,2) CONSTRAINT things_price CHECK (price > 0))";

async fn things() -> (TestDatabase, Database) {
    let test = TestDatabase::new(&[foundation_with("things", "things", TABLES)]).await;
    let database = test.database("things", "things");
    (test, database)
}

async fn fails(database: &Database, sql: &str) -> Error {
    database.read().await.unwrap().query(sql, &[]).await.unwrap_err().into()
}

fn summary(error: &Error) -> (u16, &str) {
    (error.status.as_u16(), error.code.as_ref())
}

#[tokio::test]
async fn the_database_decides_and_each_constraint_has_its_own_code() {
    let (_test, database) = things().await;
    let insert = async |name: &str, price: &str| {
        let sql = "INSERT INTO things VALUES ($1, $2::text::numeric)";
        let done = database.read().await?.execute(sql, &[&name, &price]).await;
        done.on_constraint("things_name", || Error::conflict("name_already_exists", "the name is taken"))
            .on_constraint("things_price", || Error::invalid("price", "too_small", "the price must be above zero"))
    };
    insert("glass", "1").await.unwrap();
    assert_eq!(summary(&insert("glass", "1").await.unwrap_err()), (409, "name_already_exists"));
    assert_eq!(summary(&insert("cup", "-1").await.unwrap_err()), (422, "validation_failed"));
    assert_eq!(summary(&insert("cup", "99999999").await.unwrap_err()), (422, "number_out_of_range"));
    assert_eq!(summary(&insert("c\0p", "1").await.unwrap_err()), (422, "invalid_characters"));
    assert_eq!(summary(&insert("cup", "one").await.unwrap_err()), (500, "internal_error"));
}

#[tokio::test]
async fn our_own_mistakes_are_500_and_say_nothing() {
    let (_test, database) = things().await;
    for sql in ["SELEKT", "SELECT * FROM secrets", "SELECT nothing FROM things", "INSERT INTO outbox DEFAULT VALUES"] {
        let error = fails(&database, sql).await;
        assert_eq!(summary(&error), (500, "internal_error"), "{sql}");
        let shown = serde_json::to_string(&error.body()).unwrap();
        assert_eq!(shown, r#"{"error":"internal_error","message":"something went wrong on our side","code":500}"#);
        assert!(format!("{error:?}").contains("database error"), "the logs do say: {error:?}");
    }
    let error = fails(&database, "INSERT INTO things VALUES ('ann@example.com', -1)").await;
    assert!(!format!("{error:?}").contains("ann@example.com"), "nor do the logs quote a row: {error:?}");
    let row = database.read().await.unwrap().query_one("SELECT 'text'", &[]).await.unwrap();
    assert_eq!(summary(&row.try_get::<_, i64>(0).unwrap_err().into()), (500, "internal_error"));
    let panicked = database.write::<(), Error, _>(|_| Box::pin(async { panic!("inside") })).await.unwrap_err();
    assert_eq!(summary(&panicked), (500, "internal_error"));
}

#[tokio::test]
async fn a_lost_connection_is_503() {
    let (test, database) = things().await;
    let connection = database.read().await.unwrap();
    let pid: i32 = connection.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
    test.owner().await.query_one("SELECT pg_terminate_backend($1, 5000)", &[&pid]).await.unwrap();
    let error: Error = connection.query("SELECT 1", &[]).await.unwrap_err().into();
    assert_eq!(summary(&error), (503, "unavailable"));
    assert_eq!(error.retry_after, Some(Duration::from_secs(1)));
}

#[tokio::test]
async fn a_statement_past_its_time_is_503() {
    let (_test, database) = things().await;
    let connection = database.read().await.unwrap();
    connection.batch_execute("SET statement_timeout = 1").await.unwrap();
    let error: Error = connection.query("SELECT pg_sleep(9)", &[]).await.unwrap_err().into();
    assert_eq!(summary(&error), (503, "unavailable"));
}

#[tokio::test]
async fn a_busy_pool_and_an_absent_server_are_503() {
    let (test, _database) = things().await;
    let limits = PoolLimits { max: 1, warm: 0, wait: Duration::from_millis(10), ..PoolLimits::default() };
    let narrow = test.database_with("things", "things", &limits);
    let held = narrow.read().await.unwrap();
    let error: Error = narrow.read().await.err().unwrap().into();
    assert_eq!(summary(&error), (503, "unavailable"));
    drop(held);
    let nowhere = Login::of_service("postgres://nobody:secret@127.0.0.1:1/nowhere", "things", "things");
    let error: Error = Database::connect(&nowhere, &limits).unwrap().read().await.err().unwrap().into();
    assert_eq!(summary(&error), (503, "unavailable"));
    assert!(!format!("{error:?}").contains("secret"));
}
