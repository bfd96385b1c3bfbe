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

use events::{CategoryId, OrderId, ProductId, UserId};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, try_join_all};
use orders_client::TimelineEntry;
use payments_client::Payment;
use products_client::{ProductFacets, ProductFilter, RelatedQuery};
use service::{Caller, Error};

use crate::Clients;
use crate::connections::{Connection, PageArguments};
use crate::orders::Order;
use crate::products::{Category, Product, StockChange};

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
    facets: Batch<ProductFilter, Arc<ProductFacets>>,
    category_facets: Batch<CategoryId, Arc<ProductFacets>>,
    related: Batch<(ProductId, Option<i64>), Vec<Product>>,
    stock_histories: Batch<(ProductId, PageArguments), Connection<StockChange>>,
    timelines: Batch<OrderId, Vec<TimelineEntry>>,
    payments: Batch<OrderId, Vec<Payment>>,
    users: Batch<UserId, users_client::User>,
    active_carts: Batch<UserId, cart_client::Cart>,
    user_orders: Batch<(UserId, PageArguments), Connection<Order>>,
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
            let calls = grouped(keys).into_iter().map(async |(page, ids)| {
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

    /// What is told of all products that pass a filter.
    pub async fn facets(
        &self,
        clients: &Clients,
        caller: &Caller,
        filter: &ProductFilter,
    ) -> Result<Arc<ProductFacets>, Error> {
        let (products, caller) = (clients.products.clone(), caller.clone());
        let fetch = async move |filters: Vec<ProductFilter>| {
            let calls = filters.into_iter().map(async |filter| {
                let facets = products.facets(&caller, &filter).await?;
                Ok::<_, Error>((filter, Arc::new(facets)))
            });
            Ok(try_join_all(calls).await?.into_iter().collect())
        };
        let found = self.facets.load(filter.clone(), fetch).await?;
        found.ok_or_else(|| Error::internal("a filter has no facets"))
    }

    /// What is told of all products of a category.
    pub async fn facets_of_category(
        &self,
        clients: &Clients,
        caller: &Caller,
        id: CategoryId,
    ) -> Result<Arc<ProductFacets>, Error> {
        let (products, caller) = (clients.products.clone(), caller.clone());
        let fetch = async move |ids: Vec<CategoryId>| {
            let found = products.facets_by_categories(&caller, &ids).await?;
            Ok(found.into_iter().map(|told| (told.category_id, Arc::new(told.facets))).collect())
        };
        let found = self.category_facets.load(id, fetch).await?;
        found.ok_or_else(|| Error::internal("a category has no facets"))
    }

    /// What goes with a product; one call for all products that ask for as many.
    pub async fn related(
        &self,
        clients: &Clients,
        caller: &Caller,
        id: ProductId,
        first: Option<i64>,
    ) -> Result<Vec<Product>, Error> {
        let (products, caller) = (clients.products.clone(), caller.clone());
        let fetch = async move |keys: Vec<(ProductId, Option<i64>)>| {
            let calls = grouped(keys).into_iter().map(async |(limit, ids)| {
                let found = products.related_products(&caller, &RelatedQuery { ids, limit }).await?;
                let related = found.into_iter().map(|of_product| {
                    let products = of_product.products.into_iter().map(Product::from).collect();
                    ((of_product.product_id, limit), products)
                });
                Ok::<_, Error>(related.collect::<Vec<_>>())
            });
            Ok(try_join_all(calls).await?.into_iter().flatten().collect())
        };
        Ok(self.related.load((id, first), fetch).await?.unwrap_or_default())
    }

    /// A page of how a product's stock came to be; one call for all products that ask for the same page.
    pub async fn stock_history(
        &self,
        clients: &Clients,
        caller: &Caller,
        id: ProductId,
        page: PageArguments,
    ) -> Result<Connection<StockChange>, Error> {
        let (products, caller) = (clients.products.clone(), caller.clone());
        let fetch = async move |keys: Vec<(ProductId, PageArguments)>| {
            let calls = grouped(keys).into_iter().map(async |(page, ids)| {
                let found = products.stock_histories(&caller, &ids, &page.query()).await?;
                let connections = found.into_iter().map(|history| {
                    let connection = page.connection(history.entries, StockChange::from);
                    ((history.product_id, page.clone()), connection)
                });
                Ok::<_, Error>(connections.collect::<Vec<_>>())
            });
            Ok(try_join_all(calls).await?.into_iter().flatten().collect())
        };
        let found = self.stock_histories.load((id, page.clone()), fetch).await?;
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

    /// The payments of an order.
    pub async fn payments(&self, clients: &Clients, caller: &Caller, id: OrderId) -> Result<Vec<Payment>, Error> {
        let (payments, caller) = (clients.payments.clone(), caller.clone());
        let fetch = async move |ids: Vec<OrderId>| {
            let mut of_orders: HashMap<OrderId, Vec<Payment>> = HashMap::new();
            for payment in payments.payments_of_orders(&caller, &ids).await? {
                of_orders.entry(payment.order_id).or_default().push(payment);
            }
            Ok(of_orders)
        };
        Ok(self.payments.load(id, fetch).await?.unwrap_or_default())
    }

    /// An account that the caller may see; `None` if it is gone.
    pub async fn user(
        &self,
        clients: &Clients,
        caller: &Caller,
        id: UserId,
    ) -> Result<Option<users_client::User>, Error> {
        let (users, caller) = (clients.users.clone(), caller.clone());
        let fetch = async move |ids: Vec<UserId>| {
            let found = users.users_by_ids(&caller, &ids).await?;
            Ok(found.into_iter().map(|user| (user.id, user)).collect())
        };
        self.users.load(id, fetch).await
    }

    /// The latest active cart of a user. The account is shown to `caller`, who may just have logged in.
    pub async fn active_cart(
        &self,
        clients: &Clients,
        caller: &Caller,
        id: UserId,
    ) -> Result<Option<cart_client::Cart>, Error> {
        let (carts, caller) = (clients.cart.clone(), caller.clone());
        let fetch = async move |ids: Vec<UserId>| {
            let found = carts.active_carts_of_users(&caller, &ids).await?;
            Ok(found.into_iter().filter_map(|cart| Some((cart.user_id?, cart))).collect())
        };
        self.active_carts.load(id, fetch).await
    }

    /// A page of a user's orders; one call for all users who are asked for the same page.
    pub async fn orders_of_user(
        &self,
        clients: &Clients,
        caller: &Caller,
        id: UserId,
        page: PageArguments,
    ) -> Result<Connection<Order>, Error> {
        let (orders, caller) = (clients.orders.clone(), caller.clone());
        let fetch = async move |keys: Vec<(UserId, PageArguments)>| {
            let calls = grouped(keys).into_iter().map(async |(page, ids)| {
                let found = orders.orders_of_users(&caller, &ids, &page.query()).await?;
                let connections = found.into_iter().map(|of_user| {
                    let connection = page.connection(of_user.orders, |order| Order::new(order, caller.clone()));
                    ((of_user.user_id, page.clone()), connection)
                });
                Ok::<_, Error>(connections.collect::<Vec<_>>())
            });
            Ok(try_join_all(calls).await?.into_iter().flatten().collect())
        };
        let found = self.user_orders.load((id, page.clone()), fetch).await?;
        Ok(found.unwrap_or_else(|| page.nothing()))
    }

    /// Forgets everything: a mutation may have changed it.
    pub fn clear(&self) {
        self.products.clear();
        self.categories.clear();
        self.category_products.clear();
        self.facets.clear();
        self.category_facets.clear();
        self.related.clear();
        self.stock_histories.clear();
        self.timelines.clear();
        self.payments.clear();
        self.users.clear();
        self.active_carts.clear();
        self.user_orders.clear();
    }
}

/// The ids that ask for the same.
fn grouped<I, A: Eq + Hash>(keys: Vec<(I, A)>) -> HashMap<A, Vec<I>> {
    let mut groups: HashMap<A, Vec<I>> = HashMap::new();
    for (id, asked) in keys {
        groups.entry(asked).or_default().push(id);
    }
    groups
}
