//! What others may ask of products: the trait, its types, and the client that asks over HTTP.
//!
//! In one process the service itself is the implementation, handed in as `Arc<dyn ProductsApi>`.

mod http;
mod ids;
mod search;
mod types;

use async_trait::async_trait;
use events::{CategoryId, ProductId};
use service::{Caller, Error, Page, PageQuery};

pub use http::{Http, PREFER, REPRESENTATION};
pub use ids::IdsQuery;
pub use search::{
    CategoryCount, CategoryFacets, ProductFacets, ProductFilter, ProductSort, RelatedProducts, RelatedQuery,
    SuggestionQuery,
};
pub use types::{
    CatalogueVersion, Category, CategoryProducts, CreateCategory, CreateProduct, MAX_IMAGES, MAX_PICTURE_BYTES,
    NewPicture, Picture, Precondition, Product, StockAdjustment, StockEntry, StockHistory, UPLOADS, UpdateProduct,
    UploadedPicture, is_upload_name,
};

/// Ids that a batch read takes at most.
pub const MAX_IDS: usize = 1000;

/// The catalogue and its stock. Reads are public unless they say otherwise; writes need the role admin.
#[async_trait]
pub trait ProductsApi: Send + Sync {
    /// The version of all that anybody is told. An answer that was asked for after a version was read holds for as long
    /// as that version is read again. `None` while something changes, and where it cannot be told at once and for
    /// certain: over HTTP, with copies in Redis, beside other processes that write.
    fn version(&self) -> Option<CatalogueVersion> {
        None
    }

    /// A page of the products that pass `filter`, in the order that it names.
    ///
    /// Errors: 400 `invalid_cursor` (also for a cursor of another order), 422 for a limit or price that is none.
    async fn products(&self, caller: &Caller, filter: &ProductFilter, page: &PageQuery)
    -> Result<Page<Product>, Error>;

    /// What is told of all products that pass `filter`, whatever its order.
    ///
    /// Errors: 422 for a price or text that is none.
    async fn facets(&self, caller: &Caller, filter: &ProductFilter) -> Result<ProductFacets, Error>;

    /// The same of each of the categories' products, in one statement. For data loaders.
    async fn facets_by_categories(&self, caller: &Caller, ids: &[CategoryId]) -> Result<Vec<CategoryFacets>, Error>;

    /// What somebody may mean who has typed this so far, best first; small spelling mistakes are forgiven.
    ///
    /// Errors: 422 for a limit or text that is none.
    async fn suggestions(&self, caller: &Caller, query: &SuggestionQuery) -> Result<Vec<Product>, Error>;

    /// What goes with each of these products: others of its category, next by name, in stock first. Products that
    /// do not exist are left out. For data loaders.
    ///
    /// Errors: 422 for a limit that is none.
    async fn related_products(&self, caller: &Caller, query: &RelatedQuery) -> Result<Vec<RelatedProducts>, Error>;

    /// One product; 404 `product_not_found` if there is none, or not any more.
    async fn product(&self, caller: &Caller, id: ProductId) -> Result<Product, Error>;

    /// Those of the products that exist, in no particular order; at most [`MAX_IDS`] at once. For data loaders.
    async fn products_by_ids(&self, caller: &Caller, ids: &[ProductId]) -> Result<Vec<Product>, Error>;

    /// The same page of each of the categories' products, by name, in one statement. For data loaders.
    async fn products_by_categories(
        &self,
        caller: &Caller,
        ids: &[CategoryId],
        page: &PageQuery,
    ) -> Result<Vec<CategoryProducts>, Error>;

    /// Brings a product into the catalogue (admin).
    ///
    /// Errors: 409 `sku_already_exists`, 422 for values that are not acceptable, an unknown category among them.
    async fn create_product(&self, caller: &Caller, product: CreateProduct) -> Result<Product, Error>;

    /// Changes what `change` names (admin), all of it or nothing, if the product is still the one that was seen.
    /// The caller's idempotency key is honoured.
    ///
    /// Errors: 404 `product_not_found`, 412 `product_changed`, and those of [`ProductsApi::create_product`].
    async fn update_product(
        &self,
        caller: &Caller,
        id: ProductId,
        seen: Precondition,
        change: UpdateProduct,
    ) -> Result<Product, Error>;

    /// Takes a product out of the catalogue (admin), and answers it as it was; orders keep their copy, its SKU is
    /// free again. The caller's idempotency key is honoured.
    ///
    /// Errors: 404 `product_not_found`.
    async fn delete_product(&self, caller: &Caller, id: ProductId) -> Result<Product, Error>;

    /// A page of the categories, by name.
    async fn categories(&self, caller: &Caller, page: &PageQuery) -> Result<Page<Category>, Error>;

    /// One category; 404 `category_not_found`.
    async fn category(&self, caller: &Caller, id: CategoryId) -> Result<Category, Error>;

    /// Those of the categories that exist, in no particular order; at most [`MAX_IDS`] at once. For data loaders.
    async fn categories_by_ids(&self, caller: &Caller, ids: &[CategoryId]) -> Result<Vec<Category>, Error>;

    /// Makes a category (admin); 409 `category_name_already_exists`, whatever its case.
    async fn create_category(&self, caller: &Caller, category: CreateCategory) -> Result<Category, Error>;

    /// Sets or adjusts what can be sold (admin). Holds are not touched.
    ///
    /// Errors: 404 `product_not_found`, 409 `insufficient_stock` if it would fall below zero, 422.
    async fn adjust_stock(
        &self,
        caller: &Caller,
        id: ProductId,
        adjustment: StockAdjustment,
    ) -> Result<StockEntry, Error>;

    /// What was received, taken out and corrected (admin), newest first; 404 `product_not_found`.
    async fn stock_history(&self, caller: &Caller, id: ProductId, page: &PageQuery) -> Result<Page<StockEntry>, Error>;

    /// The same page of each of the products' histories (admin), in one statement; empty where there is no product.
    /// For data loaders.
    async fn stock_histories(
        &self,
        caller: &Caller,
        ids: &[ProductId],
        page: &PageQuery,
    ) -> Result<Vec<StockHistory>, Error>;

    /// Stores a picture for products to show (admin). The same bytes are stored once. One that no product shows is
    /// taken away again, a day after it was brought or taken from its last product.
    ///
    /// Errors: 413 `picture_too_large`, 415 `unsupported_picture`, 422 if its bytes are something else.
    async fn upload_picture(&self, caller: &Caller, picture: NewPicture) -> Result<UploadedPicture, Error>;

    /// A picture by file name, of the demo or uploaded; 404 `picture_not_found`.
    async fn picture(&self, caller: &Caller, file: &str) -> Result<Picture, Error>;

    /// Every category, by name: all pages of [`ProductsApi::categories`].
    async fn all_categories(&self, caller: &Caller) -> Result<Vec<Category>, Error> {
        let mut all = Vec::new();
        let mut query = PageQuery::first(service::pagination::MAX_LIMIT);
        loop {
            let page = self.categories(caller, &query).await?;
            all.extend(page.items);
            match page.next_cursor {
                Some(cursor) => query.cursor = Some(cursor),
                None => return Ok(all),
            }
        }
    }
}
