//! Carts.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result};
use cart_client::{AddItem, UpdateItem};
use events::{CartId, CartItemId, ProductId};

use crate::errors::{fault, found, payload};
use crate::products::Product;
use crate::scalars::{Money, id_of};
use crate::scope::Scope;

/// Where a cart stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "cart_client::CartStatus")]
pub enum CartStatus {
    /// Can be shopped with.
    Active,
    /// Its order is being decided; it cannot be changed meanwhile.
    CheckingOut,
    /// Bought.
    Ordered,
    /// Left alone for long; a change makes it active again.
    Abandoned,
}

/// A cart with its lines.
#[derive(Debug)]
pub struct Cart(pub cart_client::Cart);

/// A cart with its lines.
#[Object]
impl Cart {
    /// The cart's id. Whoever holds the id of a cart without an owner may use it.
    async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Where it stands.
    async fn status(&self) -> CartStatus {
        self.0.status.into()
    }

    /// Its lines, in the order in which they were first added.
    async fn items(&self) -> Vec<CartItem<'_>> {
        self.0.items.iter().map(CartItem).collect()
    }

    /// Sum of the lines.
    async fn total(&self) -> Money {
        Money(self.0.total)
    }

    /// Sum of the quantities.
    async fn item_count(&self) -> i64 {
        self.0.item_count
    }
}

/// One line of a cart.
pub struct CartItem<'a>(&'a cart_client::CartItem);

/// One line of a cart.
#[Object]
impl CartItem<'_> {
    /// The line's id.
    async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// The product; null if it is not in the catalogue any more.
    async fn product(&self, ctx: &Context<'_>) -> Result<Option<Product>> {
        let scope = Scope::of(ctx);
        scope.loaders.product(&scope.clients, &scope.caller, self.0.product_id).await.map_err(fault)
    }

    /// The product's name, as the cart last learned it.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// How many.
    async fn quantity(&self) -> i32 {
        self.0.quantity
    }

    /// The price of one that was shown and will be paid.
    async fn unit_price(&self) -> Money {
        Money(self.0.unit_price)
    }

    /// Price of the line.
    async fn line_total(&self) -> Money {
        Money(self.0.line_total)
    }
}

/// Queries about carts.
#[derive(Default)]
pub struct CartQueries;

#[Object]
impl CartQueries {
    /// A cart: one without an owner, or the caller's own; null otherwise.
    async fn cart(&self, ctx: &Context<'_>, #[graphql(desc = "The cart's id.")] id: ID) -> Result<Option<Cart>> {
        let Ok(id) = id.parse::<CartId>() else { return Ok(None) };
        let scope = Scope::of(ctx);
        Ok(found(scope.clients.cart.get(&scope.caller, id).await)?.map(Cart))
    }
}

/// A new cart.
#[derive(Debug, Default, InputObject)]
pub struct CreateCartInput {
    /// Repeating the mutation with the same key has no second effect. Without a login it has to be a random UUID.
    idempotency_key: Option<String>,
}

/// Puts a product into a cart, or more of it.
#[derive(Debug, InputObject)]
pub struct AddToCartInput {
    /// Into which cart; always into a new one if left out.
    cart_id: Option<ID>,
    /// Which product.
    product_id: ID,
    /// How many, 1 to 999.
    #[graphql(default = 1)]
    quantity: i32,
    /// Repeating the mutation with the same key has no second effect. Without login and cart it has to be a random
    /// UUID.
    idempotency_key: Option<String>,
}

/// Sets the quantity of a line.
#[derive(Debug, InputObject)]
pub struct UpdateCartItemInput {
    /// The line.
    item_id: ID,
    /// How many, 1 to 999.
    quantity: i32,
    /// Repeating the mutation with the same key has no second effect.
    idempotency_key: Option<String>,
}

/// Takes a line out of its cart.
#[derive(Debug, InputObject)]
pub struct RemoveFromCartInput {
    /// The line.
    item_id: ID,
    /// Repeating the mutation with the same key has no second effect.
    idempotency_key: Option<String>,
}

/// Takes all lines out of a cart.
#[derive(Debug, InputObject)]
pub struct ClearCartInput {
    /// The cart.
    cart_id: ID,
    /// Repeating the mutation with the same key has no second effect.
    idempotency_key: Option<String>,
}

payload! {
    /// What became of `createCart`.
    CreateCartPayload {
        /// The new cart; null if there are userErrors.
        cart: Cart
    }
}

payload! {
    /// What became of `addToCart`.
    AddToCartPayload {
        /// The cart after it; null if there are userErrors.
        cart: Cart
    }
}

payload! {
    /// What became of `updateCartItem`.
    UpdateCartItemPayload {
        /// The cart after it; null if there are userErrors.
        cart: Cart
    }
}

payload! {
    /// What became of `removeFromCart`.
    RemoveFromCartPayload {
        /// The cart after it; null if there are userErrors.
        cart: Cart
    }
}

payload! {
    /// What became of `clearCart`.
    ClearCartPayload {
        /// The cart after it; null if there are userErrors.
        cart: Cart
    }
}

/// Changes of carts. None of them looks at stock: only the reservation at checkout decides.
#[derive(Default)]
pub struct CartMutations;

#[Object]
impl CartMutations {
    /// Makes an empty cart: the caller's own, or one without an owner.
    async fn create_cart(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "May be left out.")] input: Option<CreateCartInput>,
    ) -> Result<CreateCartPayload> {
        let scope = Scope::of_mutation(ctx);
        let create = async {
            let caller = scope.caller_with_key(input.unwrap_or_default().idempotency_key.as_deref())?;
            scope.clients.cart.create(&caller).await
        };
        CreateCartPayload::new(create.await.map(Cart))
    }

    /// Puts a product into a cart, or more of it; without a cart into a new one.
    async fn add_to_cart(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What, and into which cart.")] input: AddToCartInput,
    ) -> Result<AddToCartPayload> {
        let scope = Scope::of_mutation(ctx);
        let add = async {
            let caller = scope.caller_with_key(input.idempotency_key.as_deref())?;
            let item = AddItem {
                cart_id: input.cart_id.map(|id| id_of::<CartId>(&id, "cart_id")).transpose()?,
                product_id: id_of::<ProductId>(&input.product_id, "product_id")?,
                quantity: input.quantity,
            };
            scope.clients.cart.add_item(&caller, item).await
        };
        AddToCartPayload::new(add.await.map(Cart))
    }

    /// Sets the quantity of a line.
    async fn update_cart_item(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which line, and how many.")] input: UpdateCartItemInput,
    ) -> Result<UpdateCartItemPayload> {
        let scope = Scope::of_mutation(ctx);
        let update = async {
            let caller = scope.caller_with_key(input.idempotency_key.as_deref())?;
            let item: CartItemId = id_of(&input.item_id, "item_id")?;
            scope.clients.cart.update_item(&caller, item, UpdateItem { quantity: input.quantity }).await
        };
        UpdateCartItemPayload::new(update.await.map(Cart))
    }

    /// Takes a line out.
    async fn remove_from_cart(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which line.")] input: RemoveFromCartInput,
    ) -> Result<RemoveFromCartPayload> {
        let scope = Scope::of_mutation(ctx);
        let remove = async {
            let caller = scope.caller_with_key(input.idempotency_key.as_deref())?;
            scope.clients.cart.remove_item(&caller, id_of(&input.item_id, "item_id")?).await
        };
        RemoveFromCartPayload::new(remove.await.map(Cart))
    }

    /// Takes all lines out.
    async fn clear_cart(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which cart.")] input: ClearCartInput,
    ) -> Result<ClearCartPayload> {
        let scope = Scope::of_mutation(ctx);
        let clear = async {
            let caller = scope.caller_with_key(input.idempotency_key.as_deref())?;
            scope.clients.cart.clear(&caller, id_of(&input.cart_id, "cart_id")?).await
        };
        ClearCartPayload::new(clear.await.map(Cart))
    }
}
