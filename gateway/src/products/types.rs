//! Products and categories.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};

use super::list::{ProductConnection, Whole};
use super::stock::StockChange;
use crate::connections::{Connection, PageArguments, cost};
use crate::errors::fault;
use crate::scalars::{DateTime, Money};
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

    /// All its pictures: imageUrl first, then further views.
    async fn images(&self) -> &[String] {
        &self.0.images
    }

    /// Counted up by every change of the entry, stock moves aside; for `updateProduct(expectedVersion)`.
    async fn version(&self) -> Result<i32> {
        Ok(i32::try_from(self.0.version)?)
    }

    /// Its category, if it has one.
    async fn category(&self, ctx: &Context<'_>) -> Result<Option<Category>> {
        let Some(id) = self.0.category_id else { return Ok(None) };
        let scope = Scope::of(ctx);
        scope.loaders.category(&scope.clients, &scope.caller, id).await.map_err(fault)
    }

    /// What goes with it: others of its category, in stock first.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn related(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 4, desc = "How many at most, 1 to 24.")] first: Option<i32>,
    ) -> Result<Vec<Product>> {
        let scope = Scope::of(ctx);
        scope.loaders.related(&scope.clients, &scope.caller, self.0.id, first.map(i64::from)).await.map_err(fault)
    }

    /// What was received, taken out and corrected, newest first (admin).
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn stock_history(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 20, desc = "How many, 0 to 100.")] first: Option<i32>,
        #[graphql(desc = "Continue behind this cursor.")] after: Option<String>,
    ) -> Result<Option<Connection<StockChange>>> {
        let scope = Scope::of(ctx);
        let history = async {
            scope.caller.admin()?;
            let page = PageArguments::new(ctx, first, after)?;
            scope.loaders.stock_history(&scope.clients, &scope.caller, self.0.id, page).await
        };
        // Not as the resolver's own error: with that the field would be left out, not be null.
        let refused = |error| ctx.add_error(ctx.set_error_path(fault(error).into_server_error(ctx.item.pos)));
        Ok(history.await.map_err(refused).ok())
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
    ) -> Result<ProductConnection> {
        let scope = Scope::of(ctx);
        let page = PageArguments::new(ctx, first, after).map_err(fault)?;
        let products = scope.loaders.products_of_category(&scope.clients, &scope.caller, self.0.id, page);
        Ok(ProductConnection::new(products.await.map_err(fault)?, Whole::Category(self.0.id)))
    }
}
