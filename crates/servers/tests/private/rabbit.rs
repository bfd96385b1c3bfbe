//! A private RabbitMQ node on this machine's real programs.

use crate::support::{TestFolder, dying, progress};
use servers::{RabbitServer, Server, Started};

#[tokio::test]
async fn a_node_lives_through_adoption_vhosts_kill_9_and_stop() {
    let folder = TestFolder::new();
    let rabbit = RabbitServer::new(folder.join("rabbitmq"));
    assert_eq!(rabbit.start(&progress()).await.expect("start"), Started::Fresh);
    let pid = rabbit.pid().expect("pid");
    let url = rabbit.url().expect("url");
    let again = RabbitServer::new(folder.join("rabbitmq"));
    assert_eq!(again.start(&progress()).await.expect("start"), Started::Adopted);
    assert_eq!(again.pid(), Some(pid));

    rabbit.create_vhost("test a/b").await.expect("create");
    assert!(rabbit.vhosts().await.expect("list").contains(&"test a/b".to_owned()));

    rabbit.kill().expect("kill");
    assert!(servers::wait_until_gone(pid, std::time::Duration::from_secs(10)).await);
    assert!(!rabbit.is_alive());
    assert_eq!(rabbit.revive(&progress()).await.expect("revive"), Started::Fresh);
    assert_eq!(rabbit.url().expect("url"), url);
    assert!(rabbit.vhosts().await.expect("list").contains(&"test a/b".to_owned()));
    rabbit.delete_vhost("test a/b").await.expect("delete");
    rabbit.delete_vhost("test a/b").await.expect("already gone");
    assert_eq!(rabbit.vhosts().await.expect("list"), ["/"]);

    assert!(rabbit.stop(&progress()).await.expect("stop"));
    assert!(!rabbit.is_alive());
    let mut dying = dying(&folder.join("rabbitmq/pid"), &marker(&folder));
    assert!(rabbit.is_alive(), "so it looks");
    assert_eq!(rabbit.revive(&progress()).await.expect("revive"), Started::Fresh);
    dying.wait().expect("it ended");
    rabbit.destroy(&progress()).await.expect("destroy");
    assert!(!folder.join("rabbitmq").exists());
}

#[tokio::test]
async fn two_nodes_run_side_by_side_and_a_half_made_one_is_made_anew() {
    let folder = TestFolder::new();
    let left = RabbitServer::new(folder.join("left"));
    let right = RabbitServer::new(folder.join("right"));
    let progress = progress();
    let interrupted = tokio::select! {
        started = left.start(&progress) => Some(started),
        () = until_alive(&left) => None,
    };
    assert!(interrupted.is_none(), "cut off in the middle of its first start");
    let (a, b) = tokio::join!(left.start(&progress), right.start(&progress));
    assert_eq!(a.expect("start"), Started::Fresh);
    assert_eq!(b.expect("start"), Started::Fresh);
    assert_ne!(left.port(), right.port());
    left.destroy(&progress).await.expect("destroy");
    assert!(right.is_alive());
    right.create_vhost("mine").await.expect("create");
    right.destroy(&progress).await.expect("destroy");
}

async fn until_alive(rabbit: &RabbitServer) {
    while !rabbit.is_alive() {
        tokio::task::yield_now().await;
    }
}

/// What the command line of this folder's node holds, and no other's.
fn marker(folder: &TestFolder) -> String {
    let remembered = std::fs::read(folder.join("rabbitmq/server.json")).expect("read what it remembers");
    let remembered: serde_json::Value = serde_json::from_slice(&remembered).expect("JSON");
    format!("-private_node {}", remembered["node"].as_str().expect("a name"))
}
