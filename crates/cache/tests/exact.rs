//! Readers and writers at once: whatever is read is at least as new as the last answer before it.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cache::{Backend, Cache, Limits, Tag};
use servers::{Progress, RedisServer, Server};
use testkit::eventually;
use uuid::Uuid;

const SOON: Duration = Duration::from_secs(20);
/// What a statement of the write takes.
const STATEMENT: Duration = Duration::from_millis(1);
const LIMITS: Limits = Limits { values: 1000, age: Duration::from_secs(60) };

/// A table of one row, its commits, and the last one that was answered.
struct Shop {
    backend: Backend,
    cache: Cache<Uuid, u64>,
    id: Uuid,
    committed: Arc<AtomicU64>,
    answered: Arc<AtomicU64>,
    loads: AtomicU64,
}

impl Shop {
    fn new(backend: Backend) -> Shop {
        let cache = Cache::new("row", &backend, LIMITS);
        let (committed, answered) = Default::default();
        Shop { backend, cache, id: Uuid::now_v7(), committed, answered, loads: AtomicU64::new(0) }
    }

    /// The same rows, seen by another process.
    fn neighbour(&self, backend: Backend) -> Shop {
        let (committed, answered) = (self.committed.clone(), self.answered.clone());
        Shop { id: self.id, committed, answered, ..Shop::new(backend) }
    }

    async fn read(&self) -> u64 {
        let load = || async {
            self.loads.fetch_add(1, Ordering::SeqCst);
            let value = self.committed.load(Ordering::SeqCst);
            tokio::task::yield_now().await; // the answer travels; meanwhile others commit
            Ok::<_, ()>(value)
        };
        *self.cache.get_or_load(self.id, &[Tag::kind(1), Tag::one(self.id)], load).await.unwrap()
    }

    async fn read_many(&self) -> u64 {
        let load = async |keys: Vec<Uuid>| {
            let value = self.committed.load(Ordering::SeqCst);
            tokio::task::yield_now().await;
            Ok::<_, ()>(keys.into_iter().map(|key| (key, value)).collect())
        };
        *self.cache.get_many(&[self.id], |id| Tag::one(*id), load).await.unwrap()[&self.id]
    }

    async fn write(&self, value: u64) {
        let change = self.backend.changing(vec![Tag::one(self.id), Tag::kind(1)]).await;
        tokio::time::sleep(STATEMENT).await;
        self.committed.fetch_max(value, Ordering::SeqCst);
        // As soon as it is committed an event may tell of it, before the change is over.
        self.answered.fetch_max(value, Ordering::SeqCst);
        tokio::time::sleep(STATEMENT).await;
        drop(change);
    }
}

/// Reads through both ways until the writers are done.
async fn race(shops: Vec<Shop>, writes: u64) {
    let shops = Arc::new(shops);
    let readers = (0..8_usize).map(|n| {
        let shops = shops.clone();
        tokio::spawn(async move {
            let shop = &shops[n % shops.len()];
            while shop.answered.load(Ordering::SeqCst) < writes {
                let answered = shop.answered.load(Ordering::SeqCst);
                let read = if n % 4 < 2 { shop.read().await } else { shop.read_many().await };
                assert!(read >= answered, "read {read} after {answered} was answered");
                tokio::task::yield_now().await;
            }
        })
    });
    let readers: Vec<_> = readers.collect();
    for value in 1..=writes {
        let shop = &shops[usize::try_from(value).unwrap() % shops.len()];
        shop.write(value).await;
        if value % 10 == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    for reader in readers {
        reader.await.unwrap();
    }
}

fn trusted() -> Backend {
    let backend = Backend::in_process();
    backend.trust_for(Instant::now(), Duration::from_secs(600));
    backend
}

/// kill -9 at the end, and the folder goes.
struct PrivateRedis(RedisServer);

impl PrivateRedis {
    async fn start() -> PrivateRedis {
        let redis = PrivateRedis(RedisServer::new(std::env::temp_dir().join(format!("cache-{}", Uuid::new_v4()))));
        redis.0.start(&Progress::new(|_| {})).await.unwrap();
        redis
    }
}

impl Drop for PrivateRedis {
    fn drop(&mut self) {
        let server = self.0.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(server.destroy(&Progress::new(|_| {}))).unwrap();
        })
        .join()
        .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn in_process_reads_are_never_older_than_an_answer() {
    race(vec![Shop::new(trusted())], 300).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_with_one_redis_read_what_the_other_answered() {
    let url = testkit::redis_url().await;
    let namespace = Uuid::new_v4().to_string();
    let process = || Backend::redis(&url, &namespace).unwrap();
    let one = Shop::new(process());
    let other = one.neighbour(process());
    race(vec![one, other], 200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_redis_that_is_flushed_and_killed_costs_time_only() {
    let redis = PrivateRedis::start().await;
    let url = redis.0.url().unwrap();
    let shop = Shop::new(Backend::redis(&url, "shop").unwrap());
    let faults = async {
        let mut direct = redis::Client::open(url.as_str()).unwrap().get_multiplexed_async_connection().await.unwrap();
        for _ in 0..20 {
            redis::cmd("FLUSHALL").query_async::<()>(&mut direct).await.unwrap();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        redis.0.kill().unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        redis.0.revive(&Progress::new(|_| {})).await.unwrap();
    };
    tokio::join!(race(vec![shop], 300), faults);
}

#[tokio::test]
async fn a_hit_asks_nobody_and_a_change_is_seen_at_once() {
    let redis = Backend::redis(&testkit::redis_url().await, &Uuid::new_v4().to_string()).unwrap();
    for backend in [trusted(), redis] {
        let shop = Shop::new(backend);
        for written in 0..3 {
            // A call to Redis may take too long on a busy machine; then the cache is passed by for a second.
            eventually(SOON, async || {
                let loads = shop.loads.load(Ordering::SeqCst);
                assert_eq!((shop.read().await, shop.read().await), (written, written));
                let loaded = shop.loads.load(Ordering::SeqCst) - loads;
                if loaded == 0 { Ok(()) } else { Err(format!("{loaded} loads")) }
            })
            .await;
            shop.write(written + 1).await;
        }
    }
}

#[tokio::test]
async fn processes_share_what_lies_in_redis() {
    let (url, namespace) = (testkit::redis_url().await, Uuid::new_v4().to_string());
    let one = Shop::new(Backend::redis(&url, &namespace).unwrap());
    eventually(SOON, async || {
        one.read().await;
        let other = one.neighbour(Backend::redis(&url, &namespace).unwrap());
        other.read().await;
        let loads = other.loads.load(Ordering::SeqCst);
        if loads == 0 { Ok(()) } else { Err("the other had to load".to_owned()) }
    })
    .await;
    let stranger = one.neighbour(Backend::redis(&url, &Uuid::new_v4().to_string()).unwrap());
    stranger.read().await;
    assert_eq!(stranger.loads.load(Ordering::SeqCst), 1, "another namespace is another shop");
}

#[tokio::test]
async fn during_a_change_readers_go_past_the_cache() {
    let shop = Shop::new(trusted());
    let change = shop.backend.changing(vec![Tag::one(shop.id)]).await;
    shop.read().await;
    shop.read().await;
    assert_eq!(shop.loads.load(Ordering::SeqCst), 2);
    drop(change);
    shop.read().await;
    shop.read().await;
    assert_eq!(shop.loads.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn of_many_at_once_one_loads() {
    let shop = Arc::new(Shop::new(trusted()));
    let readers: Vec<_> = (0..50)
        .map(|_| {
            tokio::spawn({
                let shop = shop.clone();
                async move { shop.read().await }
            })
        })
        .collect();
    for reader in readers {
        reader.await.unwrap();
    }
    assert_eq!(shop.loads.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn without_trust_nothing_is_cached_and_a_new_trust_starts_empty() {
    let shop = Shop::new(Backend::in_process());
    let loads = || shop.loads.load(Ordering::SeqCst);
    shop.read().await;
    shop.read().await;
    assert_eq!(loads(), 2, "not trusted yet");
    shop.backend.trust_for(Instant::now(), Duration::from_secs(60));
    shop.read().await;
    shop.read().await;
    assert_eq!(loads(), 3);
    shop.backend.distrust();
    shop.read().await;
    assert_eq!(loads(), 4);
    shop.backend.trust_for(Instant::now(), Duration::from_secs(60));
    shop.read().await;
    assert_eq!(loads(), 5, "others may have written meanwhile");
    shop.backend.trust_for(Instant::now(), Duration::ZERO);
    shop.read().await;
    assert_eq!(loads(), 6, "a lease that lapsed");
}

#[tokio::test]
async fn an_error_is_not_kept() {
    let shop = Shop::new(trusted());
    let tags = [Tag::one(shop.id)];
    let failing = shop.cache.get_or_load(shop.id, &tags, async || Err::<u64, _>("away"));
    assert_eq!(failing.await, Err("away"));
    assert_eq!(shop.read().await, 0);
}
