//! A private Redis on this machine's real program.

use crate::support::{TestFolder, dying, progress};
use servers::{RedisServer, Server, Started};

#[tokio::test]
async fn a_redis_lives_through_adoption_kill_9_and_stop() {
    let folder = TestFolder::new();
    let redis = RedisServer::new(folder.join("redis"));
    let other = RedisServer::new(folder.join("other"));
    assert_eq!(redis.start(&progress()).await.expect("start"), Started::Fresh);
    assert_eq!(other.start(&progress()).await.expect("start"), Started::Fresh);
    let pid = redis.pid().expect("pid");
    let url = redis.url().expect("url");
    let again = RedisServer::new(folder.join("redis"));
    assert_eq!(again.start(&progress()).await.expect("start"), Started::Adopted);
    assert_eq!(again.pid(), Some(pid));

    redis.kill().expect("kill");
    assert!(servers::wait_until_gone(pid, std::time::Duration::from_secs(10)).await);
    assert_eq!(redis.revive(&progress()).await.expect("revive"), Started::Fresh);
    assert_eq!(redis.url().expect("url"), url);

    assert!(redis.stop(&progress()).await.expect("stop"));
    assert!(!redis.is_alive());
    let conf = folder.join("redis/redis.conf").canonicalize().expect("find its settings");
    let mut dying = dying(&folder.join("redis/pid"), &conf.to_string_lossy());
    assert!(redis.is_alive(), "so it looks");
    assert_eq!(redis.revive(&progress()).await.expect("revive"), Started::Fresh);
    dying.wait().expect("it ended");

    assert!(redis.stop(&progress()).await.expect("stop"));
    assert!(other.is_alive());
    other.destroy(&progress()).await.expect("destroy");
}
