//! The kit itself, on the real servers.

use std::time::Duration;

use testkit::{FaultProxy, PrivatePostgres, TestBroker, TestDatabase, eventually, foundation_with, prepare_all};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::test]
async fn each_test_has_a_migrated_database_of_its_own() {
    let deploy = [foundation_with("products", "catalog", "CREATE TABLE shelf (id integer)")];
    let (left, right) = tokio::join!(TestDatabase::new(&deploy), TestDatabase::new(&deploy));
    let database = left.database("products", "catalog");
    prepare_all(&database, &[("SHELVE", "INSERT INTO shelf (id) VALUES ($1)")]).await;
    database.read().await.expect("connect").execute("INSERT INTO shelf (id) VALUES ($1)", &[&1]).await.expect("insert");
    let row = right.owner().await.query_one("SELECT count(*) AS rows FROM catalog.shelf", &[]).await.expect("count");
    assert_eq!(row.get::<_, i64>("rows"), 0);
    left.transport(&database).check().await.expect("the Postgres transport");
}

#[tokio::test]
async fn a_database_is_gone_after_its_test() {
    let database = TestDatabase::new(&[]).await;
    let url = database.owner_url().to_owned();
    drop(database);
    let refusal = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.err().expect("the database is gone");
    assert_eq!(refusal.code().map(|state| state.code()), Some("3D000"));
}

#[tokio::test]
#[should_panic(expected = "statements that do not fit the schema:\nWRONG")]
async fn a_statement_that_does_not_fit_is_named() {
    let database = TestDatabase::new(&[foundation_with("products", "catalog", "")]).await;
    prepare_all(&database.database("products", "catalog"), &[("WRONG", "SELECT nothing FROM nowhere")]).await;
}

#[tokio::test]
async fn a_virtual_host_is_fresh_and_gone_after_its_test() {
    let broker = TestBroker::new().await;
    let url = broker.url().to_owned();
    let connect = || lapin::Connection::connect(&url, lapin::ConnectionProperties::default());
    connect().await.expect("connect").close(200, "done".into()).await.expect("close");
    drop(broker);
    assert!(connect().await.is_err());
}

#[tokio::test]
async fn a_private_server_comes_back_with_its_data() {
    let server = PrivatePostgres::start().await;
    let database = server.database(&[foundation_with("products", "catalog", "CREATE TABLE kept (id integer)")]).await;
    database.owner().await.batch_execute("INSERT INTO catalog.kept VALUES (1)").await.expect("insert");
    server.kill();
    server.revive().await;
    let row = database.owner().await.query_one("SELECT id FROM catalog.kept", &[]).await.expect("read");
    assert_eq!(row.get::<_, i32>("id"), 1);
}

/// A server that answers every byte with itself, behind a proxy.
async fn echo() -> FaultProxy {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let address = listener.local_addr().expect("address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut read, mut write) = stream.split();
                tokio::io::copy(&mut read, &mut write).await
            });
        }
    });
    FaultProxy::new(address).await
}

async fn say(stream: &mut TcpStream, byte: u8) -> std::io::Result<u8> {
    stream.write_u8(byte).await?;
    stream.read_u8().await
}

const SILENCE: Duration = Duration::from_millis(100);

#[tokio::test]
async fn a_stall_loses_nothing_and_a_cut_breaks_old_and_new_connections() {
    let proxy = echo().await;
    let mut stream = TcpStream::connect(proxy.address()).await.expect("connect");
    assert_eq!(say(&mut stream, 1).await.expect("pass"), 1);
    proxy.stall();
    assert!(tokio::time::timeout(SILENCE, say(&mut stream, 2)).await.is_err());
    proxy.pass();
    assert_eq!(stream.read_u8().await.expect("what was held back"), 2);
    proxy.delay(SILENCE);
    assert!(tokio::time::timeout(SILENCE, say(&mut stream, 3)).await.is_err());
    assert_eq!(stream.read_u8().await.expect("what came late"), 3);
    proxy.cut();
    assert!(say(&mut stream, 4).await.is_err());
    eventually(Duration::from_secs(5), || async {
        let mut stream = TcpStream::connect(proxy.address()).await.expect("connect");
        say(&mut stream, 5).await.err().ok_or_else(|| "a new connection lives".to_owned())
    })
    .await;
    proxy.pass();
    let mut stream = TcpStream::connect(proxy.address()).await.expect("connect");
    assert_eq!(say(&mut stream, 6).await.expect("pass"), 6);
}

#[tokio::test]
async fn a_half_open_connection_stays_silent_for_ever() {
    let proxy = echo().await;
    let mut stream = TcpStream::connect(proxy.address()).await.expect("connect");
    assert_eq!(say(&mut stream, 1).await.expect("pass"), 1);
    proxy.half_open();
    assert!(tokio::time::timeout(SILENCE, say(&mut stream, 2)).await.is_err());
    proxy.pass();
    assert!(tokio::time::timeout(SILENCE, say(&mut stream, 3)).await.is_err());
}
