//! Copies of what the catalogue's readers ask for: see the crate `cache` for why they are never out of date.
//!
//! A list is kept twice: as the ids on its pages, which only a change of the catalogue touches, and as the pages
//! themselves, which every sale of a product on them touches. So a sale costs a list no SQL.

use std::fmt;
use std::time::Duration;

use cache::{Backend, Cache, Limits, Tag};
use events::{CategoryId, ProductId};
use moka::future::Cache as Pictures;
use products_client::{Category, Picture, Product, ProductFacets, ProductFilter, RelatedQuery, SuggestionQuery};
use serde::{Deserialize, Serialize};
use service::{Error, Page, PageQuery};

/// Which products there are, and all that is said of them; not their stock.
pub const CATALOGUE: Tag = Tag::kind(1);
/// How much there is of anything.
pub const STOCK: Tag = Tag::kind(2);
/// The categories.
pub const CATEGORIES: Tag = Tag::kind(3);
/// All that anybody is told: every change names at least one of them.
pub const EVERYTHING: [Tag; 3] = [CATALOGUE, STOCK, CATEGORIES];

/// Edits by hand, past the service, show after this long.
const AGE: Duration = Duration::from_secs(5);
const PRODUCTS: u64 = 10_000;
/// Distinct lists: filter, order, page.
const LISTS: u64 = 500;
const PICTURE_BYTES: u64 = 16 * 1024 * 1024;
/// A picture is never changed under its name, only added.
const PICTURE_AGE: Duration = Duration::from_secs(60);

/// A product's tag.
pub fn product_tag(id: &ProductId) -> Tag {
    Tag::one(id.0)
}

/// All copies, and how changes are announced to them.
pub struct Cached {
    /// Announces changes.
    pub backend: Backend,
    /// Products by id.
    pub products: Cache<ProductId, Product>,
    /// Categories by id.
    pub categories: Cache<CategoryId, Category>,
    /// Pages of the categories.
    pub category_pages: Cache<CategoryPage, Page<Category>>,
    /// Pictures by file name, weighed by their bytes.
    pub pictures: Pictures<String, Picture>,
    /// What is told of lists as a whole.
    pub facets: Cache<FacetsKey, Vec<ProductFacets>>,
    listings: Cache<ListKey, Listing>,
    lists: Cache<ListKey, Vec<Page<Product>>>,
}

impl Cached {
    /// Nothing is cached yet.
    pub fn new(backend: Backend) -> Cached {
        let limits = |values| Limits { values, age: AGE };
        Cached {
            products: Cache::new("product", &backend, limits(PRODUCTS)),
            categories: Cache::new("category", &backend, limits(LISTS)),
            category_pages: Cache::new("categories", &backend, limits(LISTS)),
            pictures: Pictures::builder()
                .weigher(|_, picture: &Picture| u32::try_from(picture.bytes.len()).unwrap_or(u32::MAX))
                .max_capacity(PICTURE_BYTES)
                .time_to_live(PICTURE_AGE)
                .build(),
            facets: Cache::new("facets", &backend, limits(LISTS)),
            listings: Cache::new("listing", &backend, limits(LISTS)),
            lists: Cache::new("list", &backend, limits(LISTS)),
            backend,
        }
    }

    /// The pages of a list: `list` reads them whole; `find` reads products by id, where only the ids were at hand.
    pub async fn list<L, F>(
        &self,
        key: ListKey,
        list: impl FnOnce() -> L + Send,
        find: impl FnOnce(Vec<ProductId>) -> F + Send,
    ) -> Result<Vec<Page<Product>>, Error>
    where
        L: Future<Output = Result<Vec<Page<Product>>, Error>> + Send,
        F: Future<Output = Result<Vec<(ProductId, Product)>, Error>> + Send,
    {
        if !self.backend.is_trusted() {
            return Box::pin(list()).await;
        }
        let mut tags = key.tags();
        let listing = || async { list().await.map(Listing::of) };
        let listing = self.listings.get_or_load(key.clone(), &tags, listing).await?;
        let ids = || listing.0.iter().flat_map(|page| &page.items);
        tags.extend(ids().map(product_tag));
        let compose = || async {
            let ids: Vec<ProductId> = ids().copied().collect();
            let products = self.products.get_many(&ids, product_tag, find).await?;
            // One that is gone meanwhile is left out; the list that it was on is out of date, and asked for no more.
            let page = |page: &Page<ProductId>| Page {
                items: page
                    .items
                    .iter()
                    .filter_map(|id| products.get(id))
                    .map(|product| Product::clone(product))
                    .collect(),
                next_cursor: page.next_cursor.clone(),
                cursors: page.cursors.clone(),
            };
            Ok::<_, Error>(listing.0.iter().map(page).collect())
        };
        let pages = self.lists.get_or_load(key, &tags, compose).await?;
        Ok(Vec::clone(&pages))
    }
}

/// Which list.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub enum ListKey {
    /// One page of the products that pass a filter.
    Filter(ProductFilter, PageQuery),
    /// The same page by name of several categories.
    Categories(Vec<CategoryId>, PageQuery),
    /// What somebody may mean.
    Suggestions(SuggestionQuery),
    /// For each product those next to it.
    Neighbours(RelatedQuery),
}

impl ListKey {
    fn tags(&self) -> Vec<Tag> {
        match self {
            ListKey::Filter(filter, _) if filter.in_stock.is_some() => vec![CATALOGUE, STOCK],
            ListKey::Filter(..) | ListKey::Categories(..) | ListKey::Suggestions(_) | ListKey::Neighbours(_) => {
                vec![CATALOGUE]
            }
        }
    }
}

impl fmt::Display for ListKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

/// Of which lists the facets are.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub enum FacetsKey {
    /// Of what passes a filter.
    Filter(ProductFilter),
    /// Of each of several categories.
    Categories(Vec<CategoryId>),
}

impl FacetsKey {
    /// What they are made of: some of them count what is in stock.
    pub const TAGS: [Tag; 2] = [CATALOGUE, STOCK];
}

impl fmt::Display for FacetsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

/// Which page of the categories.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CategoryPage(pub PageQuery);

impl fmt::Display for CategoryPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(&self.0).map_err(|_| fmt::Error)?)
    }
}

/// What stands on a list, without what is said of it.
#[derive(Debug, Serialize, Deserialize)]
struct Listing(Vec<Page<ProductId>>);

impl Listing {
    fn of(pages: Vec<Page<Product>>) -> Listing {
        Listing(pages.into_iter().map(|page| page.map(|product| product.id)).collect())
    }
}
