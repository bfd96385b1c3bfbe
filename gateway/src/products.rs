//! The catalogue.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, MaybeUndefined, Object, Result};
use events::{CategoryId, ProductId};
use products_client::{CreateProduct, Precondition, UpdateProduct};
use service::Error;

use crate::connections::{Connection, PageArguments, cost};
use crate::errors::{fault, found, payload};
use crate::scalars::{DateTime, Decimal, Money, MoneyInput, id_of};
use crate::scope::Scope;

/// A product of the catalogue. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Product(Arc<products_client::Product>);

impl From<products_client::Product> for Product {
    fn from(product: products_client::Product) -> Self {
        Self(Arc::new(product))
    }
}

/// A product of the catalogue.
#[Object]
impl Product {
    /// The product's id.
    async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Name as shown.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What there is to say about it.
    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// Stock keeping unit, unique in the catalogue.
    async fn sku(&self) -> &str {
        &self.0.sku
    }

    /// Price of one.
    async fn price(&self) -> Money {
        Money(self.0.price)
    }

    /// What can be sold now, holds taken off.
    async fn stock_quantity(&self) -> i32 {
        self.0.stock_quantity
    }

    /// Can at least one be sold now?
    async fn in_stock(&self) -> bool {
        self.0.in_stock
    }

    /// Where its picture lies: a path on this server, or an https URL.
    async fn image_url(&self) -> Option<&str> {
        self.0.image_url.as_deref()
    }

    /// Its category, if it has one.
    async fn category(&self, ctx: &Context<'_>) -> Result<Option<Category>> {
        let Some(id) = self.0.category_id else { return Ok(None) };
        let scope = Scope::of(ctx);
        scope.loaders.category(&scope.clients, &scope.caller, id).await.map_err(fault)
    }

    /// When it came into the catalogue.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.0.updated_at)
    }
}

/// A category of the catalogue. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Category(Arc<products_client::Category>);

impl From<products_client::Category> for Category {
    fn from(category: products_client::Category) -> Self {
        Self(Arc::new(category))
    }
}

/// A category of the catalogue.
#[Object]
impl Category {
    /// The category's id.
    async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Unique, whatever its case.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// A sentence or two about it.
    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// Its products, by name.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn products(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 20, desc = "How many, 0 to 100.")] first: Option<i32>,
        #[graphql(desc = "Continue behind this cursor.")] after: Option<String>,
    ) -> Result<Connection<Product>> {
        let scope = Scope::of(ctx);
        let page = PageArguments::new(ctx, first, after).map_err(fault)?;
        let products = scope.loaders.products_of_category(&scope.clients, &scope.caller, self.0.id, page);
        products.await.map_err(fault)
    }
}

/// Which products are wanted; all that is given must hold.
#[derive(Debug, Default, InputObject)]
pub struct ProductFilter {
    /// Only of this category.
    category_id: Option<ID>,
    /// Full-text search in name, description and SKU; understands "quoted phrases", or, and -without.
    q: Option<String>,
    /// Only at this price or above.
    min_price: Option<Decimal>,
    /// Only at this price or below.
    max_price: Option<Decimal>,
    /// Currency of both prices; EUR unless told.
    currency_code: Option<String>,
    /// true: only what can be sold now; false: only what is sold out.
    in_stock: Option<bool>,
}

impl ProductFilter {
    /// The same for the service; `None` if nothing can match, because the category's id is none.
    fn service_filter(self, sort: Option<ProductSort>) -> Result<Option<products_client::ProductFilter>, Error> {
        let category = match self.category_id.map(|id| id.parse()) {
            None => None,
            Some(Ok(id)) => Some(id),
            Some(Err(_)) => return Ok(None),
        };
        let currency = self.currency_code.map(|code| code.parse()).transpose();
        Ok(Some(products_client::ProductFilter {
            category,
            q: self.q,
            min_price: self.min_price.map(|price| price.0),
            max_price: self.max_price.map(|price| price.0),
            currency: currency.map_err(|error: events::MoneyError| {
                Error::invalid("filter.currency_code", "invalid", error.to_string())
            })?,
            in_stock: self.in_stock,
            sort: sort.map(Into::into),
        }))
    }
}

/// The order of a list of products.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "products_client::ProductSort")]
pub enum ProductSort {
    /// What came last into the catalogue first. The default without a search.
    Newest,
    /// By name.
    Name,
    /// Cheapest first.
    PriceAsc,
    /// Dearest first.
    PriceDesc,
    /// Best match of the search first. The default of a search.
    Relevance,
}

/// Queries about the catalogue.
#[derive(Default)]
pub struct ProductQueries;

#[Object]
impl ProductQueries {
    /// The catalogue, in pages.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn products(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 20, desc = "How many, 0 to 100.")] first: Option<i32>,
        #[graphql(desc = "Continue behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Which products; all unless told.")] filter: Option<ProductFilter>,
        #[graphql(desc = "In which order; newest first unless told, a search by relevance.")] sort: Option<ProductSort>,
    ) -> Result<Connection<Product>> {
        let scope = Scope::of(ctx);
        let page = PageArguments::new(ctx, first, after).map_err(fault)?;
        let Some(filter) = filter.unwrap_or_default().service_filter(sort).map_err(fault)? else {
            return Ok(page.nothing());
        };
        let products = scope.clients.products.products(&scope.caller, &filter, &page.query()).await.map_err(fault)?;
        Ok(page.connection(products, Product::from))
    }

    /// A product; null if it is not in the catalogue.
    async fn product(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The product's id.")] id: ID,
    ) -> Result<Option<Product>> {
        let Ok(id) = id.parse::<ProductId>() else { return Ok(None) };
        let scope = Scope::of(ctx);
        Ok(found(scope.clients.products.product(&scope.caller, id).await)?.map(Product::from))
    }

    /// Every category, by name.
    async fn categories(&self, ctx: &Context<'_>) -> Result<Vec<Category>> {
        let scope = Scope::of(ctx);
        let categories = scope.clients.products.all_categories(&scope.caller).await.map_err(fault)?;
        Ok(categories.into_iter().map(Category::from).collect())
    }

    /// A category; null if there is none with that id.
    async fn category(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The category's id.")] id: ID,
    ) -> Result<Option<Category>> {
        let Ok(id) = id.parse::<CategoryId>() else { return Ok(None) };
        let scope = Scope::of(ctx);
        Ok(found(scope.clients.products.category(&scope.caller, id).await)?.map(Category::from))
    }
}

/// A new product.
#[derive(Debug, InputObject)]
pub struct CreateProductInput {
    /// Name as shown, 1 to 200 characters.
    name: String,
    /// Stock keeping unit, unique: letters, digits, dots, underscores, hyphens.
    sku: String,
    /// Price of one; not negative.
    price: MoneyInput,
    /// What there is to say about it.
    description: Option<String>,
    /// Units on hand.
    #[graphql(default = 0)]
    stock_quantity: Option<i32>,
    /// Its category.
    category_id: Option<ID>,
    /// Where its picture lies: a path on this server, or an https URL.
    image_url: Option<String>,
    /// Repeating the mutation with the same key has no second effect.
    idempotency_key: Option<String>,
}

/// What to change of a product; what is left out stays, null takes a description, category or picture away.
#[derive(Debug, InputObject)]
pub struct UpdateProductInput {
    /// The product.
    id: ID,
    /// Name as shown, 1 to 200 characters.
    name: Option<String>,
    /// Stock keeping unit, unique: letters, digits, dots, underscores, hyphens.
    sku: Option<String>,
    /// Price of one; not negative.
    price: Option<MoneyInput>,
    /// What there is to say about it.
    description: MaybeUndefined<String>,
    /// Units that can be sold from now on; what is on hold is not touched.
    stock_quantity: Option<i32>,
    /// Its category.
    category_id: MaybeUndefined<ID>,
    /// Where its picture lies: a path on this server, or an https URL.
    image_url: MaybeUndefined<String>,
    /// Repeating the mutation with the same key has no second effect.
    idempotency_key: Option<String>,
}

impl CreateProductInput {
    fn product(self) -> Result<CreateProduct, Error> {
        Ok(CreateProduct {
            name: self.name,
            sku: self.sku,
            price: self.price.money("price")?,
            description: self.description,
            stock_quantity: self.stock_quantity.unwrap_or(0),
            category_id: self.category_id.map(|id| id_of(&id, "category_id")).transpose()?,
            image_url: self.image_url,
            supplier_id: None,
        })
    }
}

impl UpdateProductInput {
    fn change(&self) -> Result<UpdateProduct, Error> {
        let category = match &self.category_id {
            MaybeUndefined::Undefined => None,
            MaybeUndefined::Null => Some(None),
            MaybeUndefined::Value(id) => Some(Some(id_of(id, "category_id")?)),
        };
        Ok(UpdateProduct {
            name: self.name.clone(),
            sku: self.sku.clone(),
            price: self.price.as_ref().map(|price| price.money("price")).transpose()?,
            description: self.description.clone().into(),
            category_id: category,
            image_url: self.image_url.clone().into(),
            supplier_id: None,
            stock_quantity: self.stock_quantity,
        })
    }
}

payload! {
    /// What became of `createProduct`.
    CreateProductPayload {
        /// The new product; null if there are userErrors.
        product: Product
    }
}

payload! {
    /// What became of `updateProduct`.
    UpdateProductPayload {
        /// The product after the change; null if there are userErrors.
        product: Product
    }
}

/// Changes of the catalogue.
#[derive(Default)]
pub struct ProductMutations;

#[Object]
impl ProductMutations {
    /// Brings a product into the catalogue (admin).
    async fn create_product(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The product.")] input: CreateProductInput,
    ) -> Result<CreateProductPayload> {
        let scope = Scope::of_mutation(ctx);
        let create = async {
            scope.caller.admin()?;
            let caller = scope.caller_with_key(input.idempotency_key.as_deref())?;
            scope.clients.products.create_product(&caller, input.product()?).await
        };
        CreateProductPayload::new(create.await.map(Product::from))
    }

    /// Changes a product (admin), all that is named or nothing. The last writer wins; REST knows `If-Match`.
    async fn update_product(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateProductInput,
    ) -> Result<UpdateProductPayload> {
        let scope = Scope::of_mutation(ctx);
        UpdateProductPayload::new(update(scope, input).await.map(Product::from))
    }
}

async fn update(scope: &Scope, input: UpdateProductInput) -> Result<products_client::Product, Error> {
    scope.caller.admin()?;
    let products = &scope.clients.products;
    let caller = scope.caller_with_key(input.idempotency_key.as_deref())?;
    let id: ProductId = id_of(&input.id, "id")?;
    let change = input.change()?;
    if change == UpdateProduct::default() {
        return products.product(&caller, id).await;
    }
    products.update_product(&caller, id, Precondition::Exists, change).await
}
