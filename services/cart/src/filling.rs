//! The first line of a new cart: under load many of them in one statement.

use std::sync::Arc;

use cart_client::{AddItem, Cart};
use chrono::{DateTime, Utc};
use database::{Connection, Database, Gathering};
use events::Draft;
use service::{Caller, Error};

use crate::SERVICE;
use crate::catalogue::Catalogue;
use crate::model::{ProductCopy, StoredCart, product_not_found};
use crate::repository::carts::{self, NewCart};

/// A product's price may change between reading and writing it; not that often.
const ATTEMPTS: u32 = 5;

/// New carts of many callers; the answer is when, `None` if the product has changed.
pub type NewCarts = Gathering<NewCart, Option<DateTime<Utc>>, Error>;

/// Gathers new carts for this database.
pub fn gathering(database: Database) -> NewCarts {
    // Nobody holds what is not there yet, so nobody has to be left out.
    Gathering::new(move |new: Vec<NewCart>, _| {
        let database = database.clone();
        Box::pin(async move {
            let store = async move |db: &Connection| {
                let stored = carts::create_with_items(db, &new).await?;
                Ok(new.iter().map(|new| Some(Ok(stored.get(&new.cart.id).copied()))).collect())
            };
            database.write_statement(move |db| Box::pin(async move { store(db).await })).await
        })
    })
}

/// Where a new cart is stored.
pub enum Store<'a> {
    /// With those of others.
    Gathering(&'a NewCarts, &'a Database),
    /// In a transaction that does more.
    Transaction(&'a Connection),
}

impl Store<'_> {
    async fn put(&self, new: NewCart) -> Result<Option<DateTime<Utc>>, Error> {
        match self {
            Store::Gathering(others, _) => others.ask(new).await,
            Store::Transaction(tx) => Ok(carts::create_with_items(tx, &[new]).await?.into_values().next()),
        }
    }

    async fn reread(&self, catalogue: &Catalogue, input: &AddItem) -> Result<Option<Arc<ProductCopy>>, Error> {
        match self {
            Store::Gathering(_, database) => catalogue.reread(&database.read().await?, input.product_id).await,
            Store::Transaction(tx) => catalogue.reread(tx, input.product_id).await,
        }
    }
}

/// One statement, unless the product has changed since it was read.
pub async fn add_to_new_cart(
    store: Store<'_>,
    caller: &Caller,
    catalogue: &Catalogue,
    empty: StoredCart,
    mut product: Option<Arc<ProductCopy>>,
    input: AddItem,
) -> Result<Cart, Error> {
    for _ in 0..ATTEMPTS {
        let present = product.filter(|copy| !copy.deleted).ok_or_else(product_not_found)?;
        let mut stored = empty.clone();
        let item = stored.add(&present, input.quantity)?;
        let added = stored.item_added(&item, input.quantity);
        let draft = Draft::new(&added, stored.version, caller.correlation_id, SERVICE);
        let new = NewCart { cart: stored.cart.clone(), item, product_version: present.version, draft };
        if let Some(created_at) = store.put(new).await? {
            return Ok(Cart { created_at, updated_at: created_at, ..stored.cart });
        }
        product = store.reread(catalogue, &input).await?;
    }
    Err(Error::unavailable("the product kept changing"))
}
