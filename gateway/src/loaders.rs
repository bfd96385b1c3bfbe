//! Loads of nested fields in batches: what the fields of one level ask for becomes one call.
//!
//! A batch runs inside the request that asked, not in a task: it ends with the request, in its span. It goes
//! off as soon as every field of the level has asked, without a timer.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{self, Poll, Wake, Waker};

use events::{CategoryId, OrderId, ProductId};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, try_join_all};
use orders_client::TimelineEntry;
use service::{Caller, Error};

use crate::Clients;
use crate::connections::{Connection, PageArguments};
use crate::products::{Category, Product};

/// Ids in one call at most.
const MAX_BATCH: usize = 100;

type Answers<K, V> = Shared<BoxFuture<'static, Result<Arc<HashMap<K, V>>, Error>>>;

/// Gathers the keys that are asked for at the same time, and remembers the answers.
pub struct Batch<K, V>(Mutex<State<K, V>>);

struct State<K, V> {
    asked: HashMap<K, Answers<K, V>>,
    open: Option<(Keys<K>, Answers<K, V>)>,
}

/// The keys of a batch; `None` once it has gone off.
type Keys<K> = Arc<Mutex<Option<Vec<K>>>>;

impl<K, V> Default for Batch<K, V> {
    fn default() -> Self {
        Self(Mutex::new(State { asked: HashMap::new(), open: None }))
    }
}

impl<K, V> Batch<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// The value of a key, `None` if there is none; `fetch` gets all keys of the batch.
    pub async fn load<F>(&self, key: K, fetch: impl FnOnce(Vec<K>) -> F + Send + 'static) -> Result<Option<V>, Error>
    where
        F: Future<Output = Result<HashMap<K, V>, Error>> + Send,
    {
        let answers = self.ask(&key, fetch);
        Ok(answers.await?.get(&key).cloned())
    }

    /// Forgets what was loaded: a mutation may have changed it.
    pub fn clear(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.asked.clear();
        state.open = None;
    }

    fn ask<F>(&self, key: &K, fetch: impl FnOnce(Vec<K>) -> F + Send + 'static) -> Answers<K, V>
    where
        F: Future<Output = Result<HashMap<K, V>, Error>> + Send,
    {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answers) = state.asked.get(key) {
            return answers.clone();
        }
        let answers = match &state.open {
            Some((keys, answers)) if join(keys, key) => answers.clone(),
            _ => {
                let (keys, answers) = open(key.clone(), fetch);
                state.open = Some((keys, answers.clone()));
                answers
            }
        };
        state.asked.insert(key.clone(), answers.clone());
        answers
    }
}

/// Adds a key to a batch that has not gone off and is not full.
fn join<K: Clone>(keys: &Keys<K>, key: &K) -> bool {
    let mut keys = keys.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(keys) = keys.as_mut().filter(|keys| keys.len() < MAX_BATCH) else { return false };
    keys.push(key.clone());
    true
}

fn open<K, V, F>(key: K, fetch: impl FnOnce(Vec<K>) -> F + Send + 'static) -> (Keys<K>, Answers<K, V>)
where
    K: Send + Sync + 'static,
    V: Send + Sync + 'static,
    F: Future<Output = Result<HashMap<K, V>, Error>> + Send,
{
    let keys: Keys<K> = Arc::new(Mutex::new(Some(vec![key])));
    let gathered = keys.clone();
    let answers = async move {
        Turn::default().await; // the other fields of this level ask now
        let keys = gathered.lock().unwrap_or_else(PoisonError::into_inner).take();
        fetch(keys.unwrap_or_default()).await.map(Arc::new)
    };
    (keys, answers.boxed().shared())
}

/// Ends with the runtime's present turn. Unlike a bare `yield_now` it stays pending however often it is polled
/// within that turn, as every field that joins a batch does.
#[derive(Default)]
struct Turn(Option<Arc<Ended>>);

struct Ended {
    has_ended: AtomicBool,
    waker: Waker,
}

impl Wake for Ended {
    fn wake(self: Arc<Self>) {
        self.has_ended.store(true, Ordering::Release);
        self.waker.wake_by_ref();
    }
}

impl Future for Turn {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut task::Context<'_>) -> Poll<()> {
        if let Some(ended) = &self.0 {
            return if ended.has_ended.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending };
        }
        let ended = Arc::new(Ended { has_ended: AtomicBool::new(false), waker: context.waker().clone() });
        self.0 = Some(ended.clone());
        pin!(tokio::task::yield_now()).poll(&mut task::Context::from_waker(&ended.into()))
    }
}

/// The loaders of one request.
#[derive(Default)]
pub struct Loaders {
    products: Batch<ProductId, Product>,
    categories: Batch<CategoryId, Category>,
    category_products: Batch<(CategoryId, PageArguments), Connection<Product>>,
    timelines: Batch<OrderId, Vec<TimelineEntry>>,
}

impl Loaders {
    /// A product; `None` if it is not in the catalogue any more.
    pub async fn product(&self, clients: &Clients, caller: &Caller, id: ProductId) -> Result<Option<Product>, Error> {
        let (products, caller) = (clients.products.clone(), caller.clone());
        let fetch = async move |ids: Vec<ProductId>| {
            let found = products.products_by_ids(&caller, &ids).await?;
            Ok(found.into_iter().map(|product| (product.id, Product::from(product))).collect())
        };
        self.products.load(id, fetch).await
    }

    /// A category; `None` if it is gone.
    pub async fn category(
        &self,
        clients: &Clients,
        caller: &Caller,
        id: CategoryId,
    ) -> Result<Option<Category>, Error> {
        let (products, caller) = (clients.products.clone(), caller.clone());
        let fetch = async move |ids: Vec<CategoryId>| {
            let found = products.categories_by_ids(&caller, &ids).await?;
            Ok(found.into_iter().map(|category| (category.id, Category::from(category))).collect())
        };
        self.categories.load(id, fetch).await
    }

    /// A page of a category's products: one call for all categories that ask for the same page.
    pub async fn products_of_category(
        &self,
        clients: &Clients,
        caller: &Caller,
        id: CategoryId,
        page: PageArguments,
    ) -> Result<Connection<Product>, Error> {
        let (products, caller) = (clients.products.clone(), caller.clone());
        let fetch = async move |keys: Vec<(CategoryId, PageArguments)>| {
            let mut pages: HashMap<PageArguments, Vec<CategoryId>> = HashMap::new();
            for (id, page) in keys {
                pages.entry(page).or_default().push(id);
            }
            let calls = pages.into_iter().map(async |(page, ids)| {
                let found = products.products_by_categories(&caller, &ids, &page.query()).await?;
                let connections = found.into_iter().map(|of_category| {
                    let connection = page.connection(of_category.products, Product::from);
                    ((of_category.category_id, page.clone()), connection)
                });
                Ok::<_, Error>(connections.collect::<Vec<_>>())
            });
            Ok(try_join_all(calls).await?.into_iter().flatten().collect())
        };
        let found = self.category_products.load((id, page.clone()), fetch).await?;
        Ok(found.unwrap_or_else(|| page.nothing()))
    }

    /// What happened to an order, oldest first. Whoever logs in asks after a mutation, which forgets what others asked.
    pub async fn timeline(&self, clients: &Clients, caller: &Caller, id: OrderId) -> Result<Vec<TimelineEntry>, Error> {
        let (orders, caller) = (clients.orders.clone(), caller.clone());
        let fetch = async move |ids: Vec<OrderId>| {
            let found = orders.timelines(&caller, &ids).await?;
            Ok(found.into_iter().map(|timeline| (timeline.order_id, timeline.entries)).collect())
        };
        Ok(self.timelines.load(id, fetch).await?.unwrap_or_default())
    }

    /// Forgets everything: a mutation may have changed it.
    pub fn clear(&self) {
        self.products.clear();
        self.categories.clear();
        self.category_products.clear();
        self.timelines.clear();
    }
}
