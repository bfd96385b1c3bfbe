//! Lists of products: which, in what order, and what is told of them as a whole.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, Result};
use events::CategoryId;
use products_client::CategoryCount;
use service::Error;

use super::types::{Category, Product};
use crate::connections::{Connection, Edge, PageInfo};
use crate::errors::fault;
use crate::scalars::{Decimal, Money};
use crate::scope::Scope;

/// Which products are wanted; all that is given must hold.
#[derive(Debug, Default, InputObject)]
pub struct ProductFilter {
    /// Only of this category.
    category_id: Option<ID>,
    /// Only of these categories, any of them; 100 at most.
    category_ids: Option<Vec<ID>>,
    /// Search in name, description and SKU, the last word perhaps not typed out; understands "quoted phrases", or, and
    /// -without. Where next to nothing is found, words that look alike count, too.
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
    pub(super) fn service_filter(
        self,
        sort: Option<ProductSort>,
    ) -> Result<Option<products_client::ProductFilter>, Error> {
        let category = match self.category_id.map(|id| id.parse()) {
            None => None,
            Some(Ok(id)) => Some(id),
            Some(Err(_)) => return Ok(None),
        };
        let currency = self.currency_code.map(|code| code.parse()).transpose();
        Ok(Some(products_client::ProductFilter {
            category,
            // What is no id is no category either.
            categories: self.category_ids.map(|ids| ids.iter().filter_map(|id| id.parse().ok()).collect()),
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

/// One page of a list of products, and the list as a whole.
pub struct ProductConnection {
    page: Connection<Product>,
    whole: Whole,
}

/// Which products a page is of.
pub enum Whole {
    /// None.
    Nothing,
    /// What passes a filter.
    Filter(Box<products_client::ProductFilter>),
    /// A category's.
    Category(CategoryId),
}

impl ProductConnection {
    /// A page of the whole.
    pub fn new(page: Connection<Product>, whole: Whole) -> Self {
        Self { page, whole }
    }

    /// Asked for once, whichever fields need it.
    async fn told(&self, ctx: &Context<'_>) -> Result<Arc<products_client::ProductFacets>> {
        let scope = Scope::of(ctx);
        let told = match &self.whole {
            Whole::Nothing => Ok(Arc::new(products_client::ProductFacets::nothing())),
            Whole::Filter(filter) => scope.loaders.facets(&scope.clients, &scope.caller, filter).await,
            Whole::Category(id) => scope.loaders.facets_of_category(&scope.clients, &scope.caller, *id).await,
        };
        told.map_err(fault)
    }
}

/// One page of a list of products.
#[Object]
impl ProductConnection {
    /// The items of the page, in the order of the list.
    async fn edges(&self) -> &[Edge<Product>] {
        &self.page.edges
    }

    /// Where the page lies in the list.
    async fn page_info(&self) -> &PageInfo {
        &self.page.page_info
    }

    /// Products on all pages; counted to 10,000.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i32> {
        Ok(self.told(ctx).await?.total_count)
    }

    /// false if there are more than totalCount says.
    async fn total_count_is_exact(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(self.told(ctx).await?.total_count_is_exact)
    }

    /// What another choice of a filter would show.
    async fn facets(&self, ctx: &Context<'_>) -> Result<ProductFacets> {
        self.told(ctx).await.map(ProductFacets)
    }
}

/// What is told of all products of a list.
pub struct ProductFacets(Arc<products_client::ProductFacets>);

/// What is told of all products of a list. Each facet counts with all filters but its own. Of more than 10,000 matches
/// the newest are counted; prices are of all.
#[Object]
impl ProductFacets {
    /// Categories that have products, most first.
    async fn categories(&self, ctx: &Context<'_>) -> Result<Vec<CategoryFacet>> {
        let scope = Scope::of(ctx);
        let facet = async |counted: &CategoryCount| {
            let category = scope.loaders.category(&scope.clients, &scope.caller, counted.category_id).await?;
            Ok(category.map(|category| CategoryFacet { category, count: counted.count }))
        };
        let facets = futures_util::future::try_join_all(self.0.categories.iter().map(facet)).await.map_err(fault)?;
        Ok(facets.into_iter().flatten().collect())
    }

    /// Products that can be sold now.
    async fn in_stock(&self) -> i32 {
        self.0.in_stock
    }

    /// Products that are sold out.
    async fn sold_out(&self) -> i32 {
        self.0.sold_out
    }

    /// The cheapest, in the filter's currency; null if there is none.
    async fn min_price(&self) -> Option<Money> {
        self.0.min_price.map(Money)
    }

    /// The dearest.
    async fn max_price(&self) -> Option<Money> {
        self.0.max_price.map(Money)
    }
}

/// A category and how many products of the list it has.
#[derive(async_graphql::SimpleObject)]
pub struct CategoryFacet {
    /// The category.
    category: Category,
    /// Its products.
    count: i32,
}
