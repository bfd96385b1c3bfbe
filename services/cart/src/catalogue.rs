//! What the cart knows of products: in memory, in its table, and by asking.

use std::sync::Arc;
use std::time::Duration;

use database::{Connection, Database};
use events::ProductId;
use moka::sync::Cache;
use products_client::{Product, ProductsApi};
use service::{Caller, Error};

use crate::model::ProductCopy;
use crate::repository::products;

/// Products kept in memory, at most.
const CACHED: u64 = 10_000;
/// Another process may have learned of a change; whoever writes with a cached copy checks its version.
const CACHED_FOR: Duration = Duration::from_secs(60);

/// The copy of the catalogue. Cheap to clone.
#[derive(Clone)]
pub struct Catalogue {
    database: Database,
    api: Arc<dyn ProductsApi>,
    cache: Cache<ProductId, Arc<ProductCopy>>,
}

impl Catalogue {
    /// A copy in `database`; `api` is asked about what it does not know.
    pub fn new(database: Database, api: Arc<dyn ProductsApi>) -> Catalogue {
        let cache = Cache::builder().max_capacity(CACHED).time_to_live(CACHED_FOR).build();
        Catalogue { database, api, cache }
    }

    /// A product, perhaps in an older version; `None` if there is none, deleted or never there. Not to be
    /// called inside a transaction: it may ask the products service.
    pub async fn find(&self, caller: &Caller, id: ProductId) -> Result<Option<Arc<ProductCopy>>, Error> {
        if let Some(copy) = self.cache.get(&id) {
            return Ok(Some(copy).filter(|copy| !copy.deleted));
        }
        let db = self.database.read().await?;
        let known = self.reread(&db, id).await?;
        drop(db);
        match known {
            Some(copy) => Ok(Some(copy).filter(|copy| !copy.deleted)),
            None => self.ask(caller, id).await,
        }
    }

    /// The newest version that the table knows; deleted products too.
    pub async fn reread(&self, db: &Connection, id: ProductId) -> Result<Option<Arc<ProductCopy>>, Error> {
        let copy = products::find(db, id).await?.map(Arc::new);
        if let Some(copy) = &copy {
            self.cache.insert(id, Arc::clone(copy));
        }
        Ok(copy)
    }

    /// Drops what is in memory of these products.
    pub fn forget(&self, ids: impl IntoIterator<Item = ProductId>) {
        for id in ids {
            self.cache.invalidate(&id);
        }
    }

    async fn ask(&self, caller: &Caller, id: ProductId) -> Result<Option<Arc<ProductCopy>>, Error> {
        let Some(product) = self.api.products_by_ids(caller, &[id]).await?.into_iter().find(|found| found.id == id)
        else {
            return Ok(None);
        };
        let copy = Arc::new(copy_of(product));
        let row = ProductCopy::clone(&copy);
        self.database
            .write_statement(move |db| Box::pin(async move { Ok::<_, Error>(products::put(db, &[row]).await?) }))
            .await?;
        self.cache.insert(id, Arc::clone(&copy));
        Ok(Some(copy))
    }
}

fn copy_of(product: Product) -> ProductCopy {
    ProductCopy {
        id: product.id,
        name: product.name,
        sku: product.sku,
        price: product.price,
        image_url: product.image_url,
        version: product.version,
        deleted: false,
    }
}
