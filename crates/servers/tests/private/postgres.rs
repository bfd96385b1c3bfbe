//! A private PostgreSQL on this machine's real programs.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    sync::{Arc, Mutex},
};

use crate::support::{TestFolder, progress};
use servers::{PostgresServer, Progress, Server, Started, watch};
use tokio_postgres::{Client, NoTls};
use tokio_util::sync::CancellationToken;

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("connect");
    tokio::spawn(connection);
    client
}

async fn setting(client: &Client, name: &str) -> String {
    let row = client.query_one("SELECT current_setting($1)", &[&name]).await.expect("setting");
    row.get(0)
}

fn server(folder: &TestFolder) -> PostgresServer {
    PostgresServer::new(folder.join("postgres"), "owner")
}

#[tokio::test]
async fn starts_with_full_durability_on_loopback_and_is_adopted_by_the_next_start() {
    let folder = TestFolder::new();
    let postgres = server(&folder);
    assert!(!postgres.is_alive());
    assert_eq!(postgres.start(&progress()).await.expect("start"), Started::Fresh);
    let pid = postgres.pid();
    assert!(pid.is_some());

    let again = server(&folder);
    assert_eq!(again.start(&progress()).await.expect("start"), Started::Adopted);
    assert_eq!(again.pid(), pid);

    let client = connect(&postgres.url("postgres").expect("url")).await;
    for name in ["fsync", "synchronous_commit", "full_page_writes"] {
        assert_eq!(setting(&client, name).await, "on", "{name}");
    }
    assert_eq!(setting(&client, "max_connections").await, "300");
    assert_eq!(setting(&client, "listen_addresses").await, "127.0.0.1");
    let socket = postgres.socket_url("postgres").expect("url").expect("socket");
    connect(&socket).await;

    assert!(postgres.stop(&progress()).await.expect("stop"));
    assert!(!postgres.is_alive());
    assert!(!postgres.stop(&progress()).await.expect("stop"));
}

#[tokio::test]
async fn passwords_are_demanded_and_kept_from_others() {
    let folder = TestFolder::new();
    let postgres = server(&folder);
    postgres.start(&progress()).await.expect("start");
    let port = postgres.port().expect("port");
    let wrong = format!("postgresql://owner:wrong@127.0.0.1:{port}/postgres");
    assert!(tokio_postgres::connect(&wrong, NoTls).await.is_err());
    let mode = fs::metadata(folder.join("postgres/password")).expect("metadata").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!folder.join("postgres/password.initdb").exists());
}

#[tokio::test]
async fn a_database_is_made_once() {
    let folder = TestFolder::new();
    let postgres = server(&folder);
    postgres.start(&progress()).await.expect("start");
    postgres.create_database("shop").await.expect("created");
    postgres.create_database("shop").await.expect("known");
    connect(&postgres.url("shop").expect("url")).await;
}

#[tokio::test]
async fn after_kill_9_with_a_busy_backend_it_starts_again_and_keeps_what_was_committed() {
    let folder = TestFolder::new();
    let postgres = server(&folder);
    postgres.start(&progress()).await.expect("start");
    let url = postgres.url("postgres").expect("url");
    let client = connect(&url).await;
    client.batch_execute("CREATE TABLE kept (id int); INSERT INTO kept VALUES (42)").await.expect("write");
    // This backend computes on after its postmaster is dead and still holds the shared memory.
    let busy = connect(&url).await;
    let (sent, begun) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let query = busy.query_one("SELECT count(*) FROM generate_series(1, 1000000000)", &[]);
        sent.send(()).expect("receiver");
        query.await
    });
    begun.await.expect("sender");
    let active = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active'";
    while client.query_one(active, &[]).await.expect("count").get::<_, i64>(0) < 2 {
        tokio::task::yield_now().await;
    }
    let killed = postgres.pid().expect("pid");
    postgres.kill().expect("kill");
    assert!(servers::wait_until_gone(killed, std::time::Duration::from_secs(10)).await);
    assert!(!postgres.is_alive());

    assert_eq!(postgres.start(&progress()).await.expect("start"), Started::Fresh);
    let client = connect(&url).await;
    let row = client.query_one("SELECT id FROM kept", &[]).await.expect("read");
    assert_eq!(row.get::<_, i32>(0), 42);
}

#[tokio::test]
async fn a_stale_pid_file_that_names_a_living_stranger_is_no_obstacle() {
    let folder = TestFolder::new();
    let postgres = server(&folder);
    postgres.start(&progress()).await.expect("start");
    postgres.stop(&progress()).await.expect("stop");
    let data = postgres.data_folder().expect("data");
    let stranger = std::process::id();
    let file = format!("{stranger}\n{}\n0\n1\n/tmp\n127.0.0.1\n", data.display());
    let socket_lock = data.join(format!(".s.PGSQL.{}.lock", postgres.port().expect("port")));
    for stale in [data.join("postmaster.pid"), socket_lock] {
        fs::write(stale, &file).expect("write");
    }
    assert!(!postgres.is_alive());
    assert_eq!(postgres.start(&progress()).await.expect("start"), Started::Fresh);
    assert_ne!(postgres.pid(), Some(stranger.cast_signed()));
}

#[tokio::test]
async fn a_taken_port_makes_a_start_move_and_a_revival_fail() {
    let folder = TestFolder::new();
    let postgres = server(&folder);
    postgres.start(&progress()).await.expect("start");
    let port = postgres.port().expect("port");
    postgres.stop(&progress()).await.expect("stop");
    let _squatter = TcpListener::bind(("127.0.0.1", port)).expect("bind");
    let refusal = postgres.revive(&progress()).await.expect_err("port is taken");
    assert!(refusal.to_string().contains(&port.to_string()), "{refusal}");
    postgres.start(&progress()).await.expect("start");
    assert_ne!(postgres.port().expect("port"), port);
    connect(&postgres.url("postgres").expect("url")).await;
}

#[tokio::test]
async fn two_folders_run_side_by_side_and_parallel_starts_of_one_make_one_server() {
    let folder = TestFolder::new();
    let left = PostgresServer::new(folder.join("left"), "owner");
    let right = PostgresServer::new(folder.join("right"), "owner");
    let silent = Progress::silent();
    let (a, b, c) = tokio::join!(left.start(&silent), right.start(&silent), left.start(&silent));
    let mut of_left = [a.expect("start"), c.expect("start")];
    of_left.sort_by_key(|started| *started == Started::Adopted);
    assert_eq!(of_left, [Started::Fresh, Started::Adopted]);
    assert_eq!(b.expect("start"), Started::Fresh);
    assert_ne!(left.port(), right.port());
    left.stop(&silent).await.expect("stop");
    assert!(right.is_alive());
}

#[tokio::test]
async fn a_half_made_data_folder_is_made_anew() {
    let folder = TestFolder::new();
    for half_made in ["postgres/data.new/base", "postgres/data/base"] {
        fs::create_dir_all(folder.join(half_made)).expect("create");
    }
    fs::write(folder.join("postgres/data/PG_VERSION"), "15\n").expect("write");
    let postgres = server(&folder);
    assert_eq!(postgres.start(&progress()).await.expect("start"), Started::Fresh);
    assert!(!folder.join("postgres/data.new").exists());
}

#[tokio::test]
async fn a_path_too_long_for_a_socket_still_works_over_tcp() {
    let folder = TestFolder::new();
    let postgres = PostgresServer::new(folder.join(&"long".repeat(30)), "owner");
    postgres.start(&progress()).await.expect("start");
    assert_eq!(postgres.socket_url("postgres").expect("url"), None);
    connect(&postgres.url("postgres").expect("url")).await;
}

#[tokio::test]
async fn root_puts_the_data_elsewhere_when_its_folder_is_closed_and_destroy_finds_it() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let folder = TestFolder::new();
    let closed = fs::Permissions::from_mode(0o700);
    fs::set_permissions(folder.path(), closed).expect("close");
    let told = Arc::new(Mutex::new(Vec::new()));
    let hear = Arc::clone(&told);
    let listening = Progress::new(move |step| {
        hear.lock().expect("lock").push(step.to_owned());
    });
    let postgres = server(&folder);
    postgres.start(&listening).await.expect("start");
    let data = postgres.data_folder().expect("data");
    assert!(!data.starts_with(folder.path()), "{}", data.display());
    let place = data.parent().expect("parent").to_owned();
    let said = told.lock().expect("lock").join("\n");
    assert!(said.contains(&*place.to_string_lossy()), "{said}");
    postgres.destroy(&progress()).await.expect("destroy");
    assert!(!place.exists());
}

#[tokio::test]
async fn a_watched_server_comes_back_on_its_port() {
    let folder = TestFolder::new();
    let postgres = server(&folder);
    postgres.start(&progress()).await.expect("start");
    let port = postgres.port();
    let shutdown = CancellationToken::new();
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let listening = Progress::new(move |step| {
        tell.send(step.to_owned()).unwrap_or_default();
    });
    let watching = watch(Arc::new(postgres.clone()), listening, shutdown.clone());
    postgres.kill().expect("kill");
    while let Some(step) = told.recv().await {
        if step == "PostgreSQL runs again" {
            break;
        }
    }
    assert_eq!(postgres.port(), port);
    connect(&postgres.url("postgres").expect("url")).await;
    shutdown.cancel();
    watching.await.expect("watch");
    postgres.stop(&progress()).await.expect("stop");
}
