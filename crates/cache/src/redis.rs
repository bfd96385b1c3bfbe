//! Versions and values in Redis, for several processes.
//!
//! A tag is a hash: field `v` is its version, every other field a change under way and until when it may last (its
//! process may die). Everything expires; what is lost (flush, eviction, restart) comes back with a version that never
//! was before.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{RedisError, Script};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::{Tag, Version};

/// A call that takes longer has failed.
const CALL_LIMIT: Duration = Duration::from_millis(50);
/// Calls at once; more wait, within the limit of a call.
const MAX_CALLS: usize = 64;
/// A change that has not ended by then died with its process. Longer than a transaction may idle.
const CHANGE_LIMIT: Duration = Duration::from_secs(60);

const BEGIN: &str = "
local time = redis.call('TIME')
local ends = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[3]
for _, tag in ipairs(KEYS) do
    redis.call('HSET', tag, 'v', ARGV[2], ARGV[1], ends)
    redis.call('PEXPIRE', tag, ARGV[3])
end";

const END: &str = "
for _, tag in ipairs(KEYS) do
    redis.call('HDEL', tag, ARGV[1])
    redis.call('HSET', tag, 'v', ARGV[2])
    redis.call('PEXPIRE', tag, ARGV[3])
end";

const VERSIONS: &str = "
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local versions = {}
for place, tag in ipairs(KEYS) do
    local fields = redis.call('HGETALL', tag)
    local version = false
    local changing = false
    for at = 1, #fields, 2 do
        if fields[at] == 'v' then
            version = fields[at + 1]
        elseif tonumber(fields[at + 1]) > now then
            changing = true
        else
            redis.call('HDEL', tag, fields[at])
        end
    end
    if not version then
        version = ARGV[1] .. place
        redis.call('HSET', tag, 'v', version)
        redis.call('PEXPIRE', tag, ARGV[2])
    end
    versions[place] = changing and '' or version
end
return versions";

/// Has everybody who asks Redis heard of a change?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Announced {
    Yes,
    Perhaps,
}

pub(crate) struct Shared {
    connection: ConnectionManager,
    namespace: Arc<str>,
    calls: Semaphore,
    /// For how long nothing is believed after a failure: as long as any value lives.
    distrust_for: Duration,
    began: Instant,
    distrusted_until_ms: AtomicU64,
    begin: Script,
    end: Script,
    versions: Script,
}

impl Shared {
    pub(crate) fn new(url: &str, namespace: &str, distrust_for: Duration) -> Result<Shared, RedisError> {
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(Duration::from_secs(1)))
            .set_response_timeout(Some(Duration::from_secs(1)))
            .set_number_of_retries(1)
            .set_max_delay(Duration::from_millis(100));
        Ok(Shared {
            connection: ConnectionManager::new_lazy_with_config(redis::Client::open(url)?, config)?,
            namespace: namespace.into(),
            calls: Semaphore::new(MAX_CALLS),
            distrust_for,
            began: Instant::now(),
            distrusted_until_ms: AtomicU64::new(0),
            begin: Script::new(BEGIN),
            end: Script::new(END),
            versions: Script::new(VERSIONS),
        })
    }

    /// One call, within its limits. A failure is counted, and nothing is believed for a while.
    async fn call<T>(&self, call: impl Future<Output = Result<T, RedisError>>) -> Option<T> {
        let bounded = async {
            let _permit = self.calls.acquire().await.map_err(|error| error.to_string())?;
            call.await.map_err(|error| error.to_string())
        };
        let error = match tokio::time::timeout(CALL_LIMIT, bounded).await {
            Ok(Ok(answer)) => return Some(answer),
            Ok(Err(error)) => error,
            Err(_) => format!("no answer in {CALL_LIMIT:?}"),
        };
        metrics::counter!("cache_redis_failures_total").increment(1);
        if !self.distrust() {
            tracing::warn!(error, "Redis fails; the cache is passed by");
        }
        None
    }

    /// Believes nothing for a while; whether that was so already.
    pub(crate) fn distrust(&self) -> bool {
        let now = self.began.elapsed();
        let until = u64::try_from((now + self.distrust_for).as_millis()).unwrap_or(u64::MAX);
        let before = self.distrusted_until_ms.fetch_max(until, Ordering::SeqCst);
        u128::from(before) > now.as_millis()
    }

    pub(crate) fn is_trusted(&self) -> bool {
        self.began.elapsed().as_millis() >= u128::from(self.distrusted_until_ms.load(Ordering::SeqCst))
    }

    fn key(&self, tag: Tag) -> String {
        format!("{}:tag:{:x}", self.namespace, tag.0)
    }

    /// The versions of these tags, at one moment. `None` for one that is being changed, and for all if Redis fails.
    pub(crate) async fn versions(&self, tags: &[Tag]) -> Vec<Option<Version>> {
        if tags.is_empty() || !self.is_trusted() {
            return vec![None; tags.len()];
        }
        let mut invocation = self.versions.prepare_invoke();
        for tag in tags {
            invocation.key(self.key(*tag));
        }
        invocation.arg(Uuid::new_v4().simple().to_string()).arg(millis(CHANGE_LIMIT));
        let mut connection = self.connection.clone();
        let answer: Option<Vec<String>> = self.call(invocation.invoke_async(&mut connection)).await;
        match answer {
            Some(versions) if versions.len() == tags.len() => versions.iter().map(|text| version(text)).collect(),
            _ => vec![None; tags.len()],
        }
    }

    /// Announces a change; whether Redis took it is certain only if it says so.
    pub(crate) async fn begin(&self, tags: &[Tag], name: &str) -> Announced {
        match self.write(&self.begin, tags, name).await {
            Some(()) => Announced::Yes,
            None => Announced::Perhaps,
        }
    }

    /// Ends a change. If that fails, its tags stay without a version until they expire: slower, and right.
    pub(crate) async fn end(&self, tags: &[Tag], name: &str) {
        self.write(&self.end, tags, name).await;
    }

    async fn write(&self, script: &Script, tags: &[Tag], name: &str) -> Option<()> {
        let mut invocation = script.prepare_invoke();
        for tag in tags {
            invocation.key(self.key(*tag));
        }
        invocation.arg(name).arg(Uuid::new_v4().simple().to_string()).arg(millis(CHANGE_LIMIT));
        let mut connection = self.connection.clone();
        self.call(invocation.invoke_async(&mut connection)).await
    }

    /// Values by name, in order.
    pub(crate) async fn get(&self, names: &[String]) -> Vec<Option<Vec<u8>>> {
        if names.is_empty() || !self.is_trusted() {
            return vec![None; names.len()];
        }
        let mut command = redis::cmd("MGET");
        for name in names {
            command.arg(format!("{}:{name}", self.namespace));
        }
        let mut connection = self.connection.clone();
        let found: Option<Vec<Option<Vec<u8>>>> = self.call(command.query_async(&mut connection)).await;
        found.filter(|found| found.len() == names.len()).unwrap_or_else(|| vec![None; names.len()])
    }

    /// Keeps values for a while, if Redis will.
    pub(crate) async fn set(&self, values: &[(String, Vec<u8>)], time: Duration) {
        if values.is_empty() || !self.is_trusted() {
            return;
        }
        let mut pipeline = redis::pipe();
        for (name, value) in values {
            let command = pipeline.cmd("SET").arg(format!("{}:{name}", self.namespace)).arg(value.as_slice());
            command.arg("PX").arg(millis(time)).ignore();
        }
        let mut connection = self.connection.clone();
        self.call(pipeline.query_async::<()>(&mut connection)).await;
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redis({})", self.namespace)
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Versions are random texts; empty while the tag is being changed.
fn version(text: &str) -> Option<Version> {
    if text.is_empty() {
        return None;
    }
    let name = Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes());
    Some(Version(name.as_u128()))
}
