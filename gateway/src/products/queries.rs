//! Questions about the catalogue.

use async_graphql::{Context, ID, Object, Result};
use events::{CategoryId, ProductId};
use products_client::SuggestionQuery;

use super::list::{ProductConnection, ProductFilter, ProductSort, Whole};
use super::types::{Category, Product};
use crate::connections::{PageArguments, cost};
use crate::errors::{fault, found};
use crate::scope::Scope;

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
    ) -> Result<ProductConnection> {
        let scope = Scope::of(ctx);
        let page = PageArguments::new(ctx, first, after).map_err(fault)?;
        let Some(filter) = filter.unwrap_or_default().service_filter(sort).map_err(fault)? else {
            return Ok(ProductConnection::new(page.nothing(), Whole::Nothing));
        };
        let products = scope.clients.products.products(&scope.caller, &filter, &page.query()).await.map_err(fault)?;
        Ok(ProductConnection::new(page.connection(products, Product::from), Whole::Filter(Box::new(filter))))
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

    /// What somebody may mean who has typed this so far, best first; small spelling mistakes are forgiven.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn suggestions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The text so far.")] q: String,
        #[graphql(default = 8, desc = "How many at most, 1 to 20.")] first: Option<i32>,
    ) -> Result<Vec<Product>> {
        let scope = Scope::of(ctx);
        let query = SuggestionQuery { q, limit: first.map(i64::from) };
        let found = scope.clients.products.suggestions(&scope.caller, &query).await.map_err(fault)?;
        Ok(found.into_iter().map(Product::from).collect())
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
