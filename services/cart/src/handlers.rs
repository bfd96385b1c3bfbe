//! The operations: who calls, may they, is the input sound, one transaction, the answer.

use async_trait::async_trait;
use axum::http::StatusCode;
use cart_client::{AddItem, Cart, CartApi, CartItem, CartStatus, CheckoutCart, MAX_CARTS, UpdateItem};
use database::{Connection, outbox, trace};
use events::{CartCheckoutInitiated, CartCleared, CartId, CartItemId, Draft, UserId};
use futures_util::{join, try_join};
use service::idempotency::{self, Operation};
use service::{Caller, Error, validate};

use crate::checkout::{self, Request};
use crate::filling::{Store, add_to_new_cart};
use crate::model::{Adoption, StoredCart, cart_not_found, item_not_found, product_not_found};
use crate::repository::{carts, checkouts, products};
use crate::{Carts, SERVICE};

#[async_trait]
impl CartApi for Carts {
    async fn create(&self, caller: &Caller) -> Result<Cart, Error> {
        let mut stored = StoredCart::new(CartId::new(), caller.user_id(), self.config.default_currency);
        let operation = Operation::new(SERVICE, "POST /cart", StatusCode::CREATED, caller, None, &())?;
        let effect = async move |db: &Connection| {
            carts::create(db, &mut stored).await?;
            Ok(stored.cart)
        };
        match operation.is_keyed() {
            true => idempotency::write(&self.database, operation, |tx| Box::pin(async move { effect(tx).await })).await,
            false => self.database.write_statement(|db| Box::pin(async move { effect(db).await })).await,
        }
    }

    async fn get(&self, caller: &Caller, cart_id: CartId) -> Result<Cart, Error> {
        let db = self.database.read().await?;
        let stored = carts::read(&db, &[cart_id]).await?.pop().ok_or_else(cart_not_found)?;
        stored.check_readable(caller)?;
        Ok(stored.cart)
    }

    async fn carts_by_ids(&self, caller: &Caller, cart_ids: &[CartId]) -> Result<Vec<Cart>, Error> {
        if cart_ids.len() > MAX_CARTS {
            return Err(Error::invalid("ids", "too_many", format!("at most {MAX_CARTS} carts are read at once")));
        }
        let db = self.database.read().await?;
        let stored = carts::read(&db, cart_ids).await?;
        Ok(stored.into_iter().filter(|cart| cart.check_readable(caller).is_ok()).map(|cart| cart.cart).collect())
    }

    async fn active_cart_of_user(&self, caller: &Caller, user_id: UserId) -> Result<Option<Cart>, Error> {
        if caller.user_id() != Some(user_id) && !caller.is_admin() {
            return Ok(None);
        }
        let db = self.database.read().await?;
        Ok(carts::read_latest_of_users(&db, &[user_id]).await?.pop().map(|stored| stored.cart))
    }

    async fn active_carts_of_users(&self, caller: &Caller, user_ids: &[UserId]) -> Result<Vec<Cart>, Error> {
        let own = caller.user()?.user_id;
        if user_ids.len() > MAX_CARTS {
            return Err(Error::invalid("user_ids", "too_many", format!("at most {MAX_CARTS} carts are read at once")));
        }
        let seen: Vec<UserId> = user_ids.iter().copied().filter(|id| *id == own || caller.is_admin()).collect();
        let db = self.database.read().await?;
        Ok(carts::read_latest_of_users(&db, &seen).await?.into_iter().map(|stored| stored.cart).collect())
    }

    async fn add_item(&self, caller: &Caller, input: AddItem) -> Result<Cart, Error> {
        validate(&input)?;
        let action = "POST /cart/items";
        let held = input.cart_id.map(CartId::uuid);
        let operation = Operation::new(SERVICE, action, StatusCode::CREATED, caller, held, &input)?;
        let product = self.catalogue.find(caller, input.product_id).await?;
        let caller = caller.clone();
        let Some(cart_id) = input.cart_id else {
            let empty = StoredCart::new(CartId::new(), caller.user_id(), self.config.default_currency);
            if !operation.is_keyed() {
                let store = Store::Gathering(&self.new_carts, &self.database);
                return add_to_new_cart(store, &caller, &self.catalogue, empty, product, input).await;
            }
            let catalogue = self.catalogue.clone();
            return idempotency::write(&self.database, operation, move |tx| {
                Box::pin(async move {
                    add_to_new_cart(Store::Transaction(tx), &caller, &catalogue, empty, product, input).await
                })
            })
            .await;
        };
        idempotency::write(&self.database, operation, move |tx| {
            Box::pin(async move { add_to_cart(tx, &caller, cart_id, input).await })
        })
        .await
    }

    async fn update_item(&self, caller: &Caller, item_id: CartItemId, input: UpdateItem) -> Result<Cart, Error> {
        validate(&input)?;
        let (action, held) = ("PATCH /cart/items/{id}", Some(item_id.uuid()));
        let operation = Operation::new(SERVICE, action, StatusCode::OK, caller, held, &(item_id, &input))?;
        let caller = caller.clone();
        idempotency::write(&self.database, operation, move |tx| {
            Box::pin(async move {
                let mut stored = lock_by_item(tx, &caller, item_id).await?;
                let item = stored.set_quantity(item_id, input.quantity)?;
                store(tx, &mut stored, &[item], &[]).await?;
                Ok(stored.cart)
            })
        })
        .await
    }

    async fn remove_item(&self, caller: &Caller, item_id: CartItemId) -> Result<Cart, Error> {
        let (action, held) = ("DELETE /cart/items/{id}", Some(item_id.uuid()));
        let operation = Operation::new(SERVICE, action, StatusCode::OK, caller, held, &item_id)?;
        let caller = caller.clone();
        idempotency::write(&self.database, operation, move |tx| {
            Box::pin(async move {
                let mut stored = lock_by_item(tx, &caller, item_id).await?;
                stored.remove(item_id)?;
                carts::drop_other_items(tx, &stored.cart).await?;
                store(tx, &mut stored, &[], &[]).await?;
                Ok(stored.cart)
            })
        })
        .await
    }

    async fn clear(&self, caller: &Caller, cart_id: CartId) -> Result<Cart, Error> {
        let (action, held) = ("DELETE /cart/{id}/items", Some(cart_id.uuid()));
        let operation = Operation::new(SERVICE, action, StatusCode::OK, caller, held, &cart_id)?;
        let caller = caller.clone();
        idempotency::write(&self.database, operation, move |tx| {
            Box::pin(async move {
                let mut stored = lock_for_change(tx, &caller, cart_id).await?;
                let cleared = cleared(&stored, &caller);
                stored.clear()?;
                carts::drop_other_items(tx, &stored.cart).await?;
                store(tx, &mut stored, &[], &cleared).await?;
                Ok(stored.cart)
            })
        })
        .await
    }

    async fn delete(&self, caller: &Caller, cart_id: CartId) -> Result<(), Error> {
        let (action, held) = ("DELETE /cart/{id}", Some(cart_id.uuid()));
        let operation = Operation::new(SERVICE, action, StatusCode::NO_CONTENT, caller, held, &cart_id)?;
        let caller = caller.clone();
        idempotency::write(&self.database, operation, move |tx| {
            Box::pin(async move {
                // Checkouts before carts, everywhere: they outlive the cart, and its end is written to them.
                checkouts::lock_of_cart(tx, cart_id).await?;
                let stored = lock_for_change(tx, &caller, cart_id).await?;
                outbox::record(tx, &cleared(&stored, &caller)).await?;
                carts::delete(tx, cart_id).await
            })
        })
        .await
    }

    async fn adopt(&self, caller: &Caller, cart_id: CartId) -> Result<Cart, Error> {
        let user = caller.user()?.user_id;
        let action = "POST /cart/{id}/adopt";
        let operation = Operation::new(SERVICE, action, StatusCode::OK, caller, Some(cart_id.uuid()), &cart_id)?;
        idempotency::write(&self.database, operation, move |tx| Box::pin(adopt(tx, user, cart_id))).await
    }

    async fn checkout(
        &self,
        caller: &Caller,
        cart_id: CartId,
        input: CheckoutCart,
    ) -> Result<CartCheckoutInitiated, Error> {
        let user = caller.user()?.user_id;
        validate(&input)?;
        let action = "POST /cart/{id}/checkout";
        let held = Some(cart_id.uuid());
        let operation = Operation::new(SERVICE, action, StatusCode::OK, caller, held, &(cart_id, &input))?;
        let request = Request { user, cart_id, input, trace: trace::current() };
        if !operation.is_keyed() {
            return self.checkouts.ask(request).await;
        }
        let overdue_after = self.config.checkout_overdue_after;
        idempotency::write(&self.database, operation, move |tx| {
            Box::pin(async move { checkout::alone(tx, request, overdue_after).await })
        })
        .await
    }
}

/// Locks a cart that the caller may use and that can be changed now.
async fn lock_for_change(tx: &Connection, caller: &Caller, cart_id: CartId) -> Result<StoredCart, Error> {
    let mut stored = carts::lock(tx, &[cart_id]).await?.pop().ok_or_else(cart_not_found)?;
    stored.check_usable(caller)?;
    stored.reopen_for_change()?;
    Ok(stored)
}

/// The same, by one of its lines; for whoever may not use the cart the line does not exist either.
async fn lock_by_item(tx: &Connection, caller: &Caller, item_id: CartItemId) -> Result<StoredCart, Error> {
    let cart_id = carts::of_item(tx, item_id).await?.ok_or_else(item_not_found)?;
    let found = lock_for_change(tx, caller, cart_id).await;
    found.map_err(|error| if error.is_not_found() { item_not_found() } else { error })
}

/// Stores a changed cart, these of its lines, and what is told of it; all statements are on their way at once.
async fn store(tx: &Connection, stored: &mut StoredCart, items: &[CartItem], drafts: &[Draft]) -> Result<(), Error> {
    let put = async {
        match items {
            [] => Ok(()),
            items => carts::put_items(tx, &stored.cart, items).await,
        }
    };
    let record = async { Ok(outbox::record(tx, drafts).await?) };
    let (updated_at, (), ()) = try_join!(carts::save(tx, stored), put, record)?;
    stored.cart.updated_at = updated_at;
    Ok(())
}

/// What is told when all lines are taken out: nothing if there were none.
fn cleared(stored: &StoredCart, caller: &Caller) -> Vec<Draft> {
    let had_items = !stored.cart.items.is_empty();
    let draft = || Draft::new(&CartCleared { cart_id: stored.cart.id }, stored.version, caller.correlation_id, SERVICE);
    had_items.then(draft).into_iter().collect()
}

async fn add_to_cart(tx: &Connection, caller: &Caller, cart_id: CartId, input: AddItem) -> Result<Cart, Error> {
    // Both are awaited to their end: a refusal must not cut off a statement on its way.
    let (stored, product) = join!(lock_for_change(tx, caller, cart_id), products::find(tx, input.product_id));
    let mut stored = stored?;
    let product = product?.filter(|copy| !copy.deleted).ok_or_else(product_not_found)?;
    let item = stored.add(&product, input.quantity)?;
    let added = stored.item_added(&item, input.quantity);
    let draft = Draft::new(&added, stored.version, caller.correlation_id, SERVICE);
    store(tx, &mut stored, &[item], &[draft]).await?;
    Ok(stored.cart)
}

async fn adopt(tx: &Connection, user: UserId, cart_id: CartId) -> Result<Cart, Error> {
    let latest = carts::latest_of_user(tx, user).await?.filter(|latest| *latest != cart_id);
    let ids: Vec<CartId> = latest.into_iter().chain([cart_id]).collect();
    let (mut given, others): (Vec<_>, Vec<_>) =
        carts::lock(tx, &ids).await?.into_iter().partition(|stored| stored.cart.id == cart_id);
    let mut given = given.pop().ok_or_else(cart_not_found)?;
    match given.adoption(user)? {
        Adoption::Own => return Ok(given.cart),
        Adoption::Ownerless => given.reopen_for_change()?,
    }
    // Between finding and locking it, the latest cart may have been checked out.
    let own = others.into_iter().find(|own| own.cart.user_id == Some(user) && own.cart.status == CartStatus::Active);
    let merged = own.map(|own| own.merged_with(&given)).transpose()?.flatten();
    let Some(mut merged) = merged else {
        given.cart.user_id = Some(user);
        store(tx, &mut given, &[], &[]).await?;
        return Ok(given.cart);
    };
    merged.version += 1;
    let items = merged.cart.items.clone();
    carts::delete(tx, cart_id).await?;
    store(tx, &mut merged, &items, &[]).await?;
    Ok(merged.cart)
}
