//! Where versions live, and how changes are announced.

use std::sync::Arc;
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::local::Local;
use crate::redis::{Announced, Shared};
use crate::{Tag, Version};

/// A value in Redis lives no longer: the most that one process can be behind if only another one cannot reach Redis.
const SHARED_AGE: Duration = Duration::from_secs(1);

/// What all caches of a service share: the versions of its tags. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Backend(Arc<Versions>);

#[derive(Debug)]
enum Versions {
    Local(Local),
    /// The local ones only tell of changes under way in this process: Redis may forget them.
    Shared(Box<Shared>, Local),
}

/// `REDIS_URL` is none.
#[derive(Debug, thiserror::Error)]
#[error("not a Redis URL such as redis://127.0.0.1:6379/")]
pub struct BadUrl;

impl Backend {
    /// Versions in this process. Nothing is cached before [`Backend::trust_for`].
    pub fn in_process() -> Backend {
        Backend(Arc::new(Versions::Local(Local::new())))
    }

    /// Versions and values in Redis. All processes that share data have to share `namespace`, and nobody else may.
    /// Connects when it is first used, and does not mind if Redis is away. Must be called inside a tokio runtime.
    ///
    /// Errors: the URL makes no sense.
    pub fn redis(url: &str, namespace: &str) -> Result<Backend, BadUrl> {
        let shared = Shared::new(url, namespace, SHARED_AGE).map_err(|_| BadUrl)?;
        Ok(Backend(Arc::new(Versions::Shared(Box::new(shared), Local::new()))))
    }

    /// Does this URL name a Redis?
    pub fn check_url(url: &str) -> Result<(), BadUrl> {
        redis::Client::open(url).map(|_| ()).map_err(|_| BadUrl)
    }

    /// Caches in this process, from `since` and for this long: nobody else writes meanwhile. Nothing to Redis.
    pub fn trust_for(&self, since: Instant, time: Duration) {
        match &*self.0 {
            Versions::Local(local) => local.trust_for(since, time),
            Versions::Shared(..) => {}
        }
    }

    /// Caches nothing in this process any more; nothing to Redis.
    pub fn distrust(&self) {
        match &*self.0 {
            Versions::Local(local) => local.distrust(),
            Versions::Shared(..) => {}
        }
    }

    /// Whether a read would look into the cache now.
    pub fn is_trusted(&self) -> bool {
        match &*self.0 {
            Versions::Local(local) => local.trust().is_some(),
            Versions::Shared(shared, _) => shared.is_trusted(),
        }
    }

    /// Announces a change of these tags. Keep the answer until after the commit; then drop it.
    pub async fn changing(&self, tags: Vec<Tag>) -> Change {
        let mut change = Change { versions: self.0.clone(), tags, name: String::new(), announced: Announced::Yes };
        match &*self.0 {
            Versions::Local(local) => local.begin(&change.tags),
            Versions::Shared(shared, local) => {
                local.begin(&change.tags);
                change.name = Uuid::new_v4().simple().to_string();
                change.announced = Announced::Perhaps;
                change.announced = shared.begin(&change.tags, &change.name).await;
            }
        }
        change
    }

    /// The version of all these tags together, if it can be told without asking anybody: `None` with Redis, if one of
    /// them has none now, or if nothing is trusted.
    pub fn version_at_hand(&self, tags: &[Tag]) -> Option<Version> {
        match &*self.0 {
            Versions::Local(local) => {
                let all = tags.iter().try_fold(Version::default(), |sum, tag| Some(sum.and(local.version(*tag)?)));
                Some(all?.and(local.trust()?))
            }
            Versions::Shared(..) => None,
        }
    }

    /// The version of all these tags together; `None` if one has none now, or nothing is trusted.
    pub(crate) async fn version(&self, tags: &[Tag]) -> Option<Version> {
        match &*self.0 {
            Versions::Local(_) => self.version_at_hand(tags),
            Versions::Shared(..) => self
                .versions(tags)
                .await
                .into_iter()
                .try_fold(Version::default(), |sum, version| Some(sum.and(version?))),
        }
    }

    /// The version of each of these tags.
    pub(crate) async fn versions(&self, tags: &[Tag]) -> Vec<Option<Version>> {
        match &*self.0 {
            Versions::Local(local) => {
                let trust = local.trust();
                tags.iter().map(|tag| Some(trust?.and(local.version(*tag)?))).collect()
            }
            Versions::Shared(shared, local) => {
                let is_still = |tag: &Tag| local.version(*tag).is_some();
                let versions = Box::pin(shared.versions(tags)).await;
                tags.iter().zip(versions).map(|(tag, version)| version.filter(|_| is_still(tag))).collect()
            }
        }
    }

    pub(crate) fn shared(&self) -> Option<&Shared> {
        match &*self.0 {
            Versions::Local(_) => None,
            Versions::Shared(shared, _) => Some(shared),
        }
    }

    /// How long a value may live at most.
    pub(crate) fn age(&self, wanted: Duration) -> Duration {
        if self.shared().is_some() { wanted.min(SHARED_AGE) } else { wanted }
    }
}

/// A change under way: its tags have no version until this is dropped.
#[must_use = "the change is over when this is dropped"]
#[derive(Debug)]
pub struct Change {
    versions: Arc<Versions>,
    tags: Vec<Tag>,
    /// As Redis knows it.
    name: String,
    announced: Announced,
}

impl Drop for Change {
    fn drop(&mut self) {
        let versions = self.versions.clone();
        match &*versions {
            Versions::Local(local) => local.end(&self.tags),
            Versions::Shared(shared, local) => {
                if self.announced == Announced::Perhaps {
                    // What lies in Redis may be from before the change, until it has aged.
                    shared.distrust();
                }
                if !self.end_later() {
                    local.end(&self.tags);
                }
            }
        }
    }
}

impl Change {
    /// Until Redis has heard of it, readers go past the cache: slower, and right. `false` outside a runtime.
    fn end_later(&mut self) -> bool {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return false };
        let (versions, tags) = (self.versions.clone(), std::mem::take(&mut self.tags));
        let name = std::mem::take(&mut self.name);
        runtime.spawn(async move {
            match &*versions {
                Versions::Local(_) => {}
                Versions::Shared(shared, local) => {
                    shared.end(&tags, &name).await;
                    local.end(&tags);
                }
            }
        });
        true
    }
}
