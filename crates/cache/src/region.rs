//! Values of one type, bounded.

use std::collections::HashMap;
use std::fmt::Display;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::backend::Backend;
use crate::{Tag, Version};

/// What a cache holds at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Values, in this process.
    pub values: u64,
    /// Their age. Nothing relies on it but what changes behind the service's back, e.g. by hand in psql.
    pub age: Duration,
}

/// Values of one type by key.
pub struct Cache<K, V> {
    name: &'static str,
    backend: Backend,
    age: Duration,
    values: moka::future::Cache<(K, Version), Arc<V>>,
}

impl<K, V> Cache<K, V>
where
    K: Clone + Eq + Hash + Display + Send + Sync + 'static,
    V: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    /// An empty cache; `name` tells its values from others' in Redis and in metrics.
    pub fn new(name: &'static str, backend: &Backend, limits: Limits) -> Cache<K, V> {
        let age = backend.age(limits.age);
        let values = moka::future::Cache::builder().max_capacity(limits.values).time_to_live(age).build();
        Cache { name, backend: backend.clone(), age, values }
    }

    /// The value of a key, made of `tags`; `load` is asked if it is not at hand. Of many who ask at once for the same
    /// state, one loads.
    ///
    /// Errors: those of `load`; they are not kept.
    pub async fn get_or_load<E, F>(&self, key: K, tags: &[Tag], load: impl FnOnce() -> F + Send) -> Result<Arc<V>, E>
    where
        E: Clone + Send + Sync + 'static,
        F: Future<Output = Result<V, E>> + Send,
    {
        let Some(version) = self.backend.version(tags).await else {
            self.count("passed");
            return Box::pin(load()).await.map(Arc::new);
        };
        let place = (key, version);
        if let Some(value) = self.values.get(&place).await {
            self.count("hit");
            return Ok(value);
        }
        // On the heap, so that a hit does not carry the weight of a miss.
        Box::pin(self.load(place, load)).await
    }

    async fn load<E, F>(&self, place: (K, Version), load: impl FnOnce() -> F + Send) -> Result<Arc<V>, E>
    where
        E: Clone + Send + Sync + 'static,
        F: Future<Output = Result<V, E>> + Send,
    {
        let name = self.shared_name(&place);
        let miss = async {
            if let Some(value) = self.fetch(&name).await {
                return Ok(Arc::new(value));
            }
            self.count("miss");
            let value = load().await?;
            self.offer(&[(name, &value)]).await;
            Ok(Arc::new(value))
        };
        self.values.try_get_with(place, miss).await.map_err(|error: Arc<E>| E::clone(&error))
    }

    /// The values of many keys, each made of the tag that `tag` names; `load` is asked once for all that are not at
    /// hand. Keys without a value are left out.
    pub async fn get_many<E, F>(
        &self,
        keys: &[K],
        tag: impl Fn(&K) -> Tag,
        load: impl FnOnce(Vec<K>) -> F,
    ) -> Result<HashMap<K, Arc<V>>, E>
    where
        F: Future<Output = Result<Vec<(K, V)>, E>>,
    {
        let tags: Vec<Tag> = keys.iter().map(tag).collect();
        let versions = self.backend.versions(&tags).await;
        let places: Vec<_> = keys.iter().cloned().zip(versions).collect();
        let mut found = HashMap::with_capacity(keys.len());
        let mut missing = HashMap::new();
        for (key, version) in places {
            let value = match version {
                Some(version) => self.values.get(&(key.clone(), version)).await,
                None => None,
            };
            match value {
                Some(value) => drop(found.insert(key, value)),
                None => drop(missing.insert(key, version)),
            }
        }
        if missing.is_empty() {
            self.count("hit");
            return Ok(found);
        }
        Box::pin(self.load_many(missing, found, load)).await
    }

    /// Adds the missing to what is found.
    async fn load_many<E, F>(
        &self,
        mut missing: HashMap<K, Option<Version>>,
        mut found: HashMap<K, Arc<V>>,
        load: impl FnOnce(Vec<K>) -> F,
    ) -> Result<HashMap<K, Arc<V>>, E>
    where
        F: Future<Output = Result<Vec<(K, V)>, E>>,
    {
        self.fetch_many(&mut missing, &mut found).await;
        if missing.is_empty() {
            return Ok(found);
        }
        self.count("miss");
        let loaded = load(missing.keys().cloned().collect()).await?;
        let mut offers = Vec::new();
        for (key, value) in loaded {
            let value = Arc::new(value);
            if let Some(Some(version)) = missing.get(&key) {
                let place = (key.clone(), *version);
                offers.push((self.shared_name(&place), value.clone()));
                self.values.insert(place, value.clone()).await;
            }
            found.insert(key, value);
        }
        let offers: Vec<(String, &V)> = offers.iter().map(|(name, value)| (name.clone(), &**value)).collect();
        self.offer(&offers).await;
        Ok(found)
    }

    /// Moves what Redis has from `missing` to `found`.
    async fn fetch_many(&self, missing: &mut HashMap<K, Option<Version>>, found: &mut HashMap<K, Arc<V>>) {
        let Some(shared) = self.backend.shared() else { return };
        let places: Vec<(K, Version)> =
            missing.iter().filter_map(|(key, version)| Some((key.clone(), (*version)?))).collect();
        let names: Vec<String> = places.iter().map(|place| self.shared_name(place)).collect();
        for (place, json) in places.into_iter().zip(shared.get(&names).await) {
            if let Some(value) = json.and_then(|json| self.parse(&json)) {
                let value = Arc::new(value);
                self.values.insert(place.clone(), value.clone()).await;
                missing.remove(&place.0);
                found.insert(place.0, value);
            }
        }
    }

    async fn fetch(&self, name: &str) -> Option<V> {
        let shared = self.backend.shared()?;
        let json = shared.get(&[name.to_owned()]).await.pop()??;
        self.parse(&json)
    }

    /// A value of another release may have another shape: then it is a miss.
    fn parse(&self, json: &[u8]) -> Option<V> {
        serde_json::from_slice(json).inspect_err(|error| tracing::debug!(cache = self.name, %error, "unreadable")).ok()
    }

    async fn offer(&self, values: &[(String, &V)]) {
        let Some(shared) = self.backend.shared() else { return };
        let json = values.iter().filter_map(|(name, value)| Some((name.clone(), serde_json::to_vec(value).ok()?)));
        shared.set(&json.collect::<Vec<_>>(), self.age).await;
    }

    /// Only Redis needs it.
    fn shared_name(&self, place: &(K, Version)) -> String {
        match self.backend.shared() {
            Some(_) => format!("{}:{}:{:x}", self.name, place.0, place.1.0),
            None => String::new(),
        }
    }

    fn count(&self, outcome: &'static str) {
        metrics::counter!("cache_reads_total", "cache" => self.name, "outcome" => outcome).increment(1);
    }
}
