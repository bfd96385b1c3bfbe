//! The same operations over HTTP.

use async_trait::async_trait;
use axum::http::header::{CONTENT_TYPE, ETAG, HeaderMap, HeaderName, IF_MATCH};
use events::{CategoryId, ProductId};
use service::{Caller, ConfigError, Error, HttpClient, Page, PageQuery};

use crate::{
    Category, CategoryFacets, CategoryProducts, CreateCategory, CreateProduct, IdsQuery, NewPicture, Picture,
    Precondition, Product, ProductFacets, ProductFilter, ProductsApi, RelatedProducts, RelatedQuery, StockAdjustment,
    StockEntry, StockHistory, SuggestionQuery, UPLOADS, UpdateProduct, UploadedPicture, is_upload_name,
};

/// RFC 7240: what a client would like.
pub const PREFER: HeaderName = HeaderName::from_static("prefer");
/// Asks a deletion for what it deleted.
pub const REPRESENTATION: &str = "return=representation";

/// Ids per request: keeps the address short enough for any proxy.
const IDS_PER_REQUEST: usize = 100;

/// Asks a products service elsewhere.
#[derive(Debug, Clone)]
pub struct Http {
    client: HttpClient,
}

impl Http {
    /// A client of the service at e.g. `http://127.0.0.1:8081`.
    pub fn new(base_url: &str) -> Result<Http, ConfigError> {
        Ok(Http { client: HttpClient::new("products", base_url)? })
    }
}

#[async_trait]
impl ProductsApi for Http {
    async fn products(
        &self,
        caller: &Caller,
        filter: &ProductFilter,
        page: &PageQuery,
    ) -> Result<Page<Product>, Error> {
        self.client.get(caller, "/products").query(filter).query(page).send().await
    }

    async fn facets(&self, caller: &Caller, filter: &ProductFilter) -> Result<ProductFacets, Error> {
        self.client.get(caller, "/products/facets").query(filter).send().await
    }

    async fn facets_by_categories(&self, caller: &Caller, ids: &[CategoryId]) -> Result<Vec<CategoryFacets>, Error> {
        let mut found = Vec::with_capacity(ids.len());
        for ids in ids.chunks(IDS_PER_REQUEST) {
            let query = IdsQuery { ids: ids.to_vec() };
            found.extend(self.client.get(caller, "/categories/facets").query(&query).send::<Vec<_>>().await?);
        }
        Ok(found)
    }

    async fn suggestions(&self, caller: &Caller, query: &SuggestionQuery) -> Result<Vec<Product>, Error> {
        self.client.get(caller, "/products/suggestions").query(query).send().await
    }

    async fn related_products(&self, caller: &Caller, query: &RelatedQuery) -> Result<Vec<RelatedProducts>, Error> {
        let mut found = Vec::with_capacity(query.ids.len());
        for ids in query.ids.chunks(IDS_PER_REQUEST) {
            let query = RelatedQuery { ids: ids.to_vec(), limit: query.limit };
            found.extend(self.client.get(caller, "/products/related").query(&query).send::<Vec<_>>().await?);
        }
        Ok(found)
    }

    async fn product(&self, caller: &Caller, id: ProductId) -> Result<Product, Error> {
        self.client.get(caller, &format!("/products/{id}")).send().await
    }

    async fn products_by_ids(&self, caller: &Caller, ids: &[ProductId]) -> Result<Vec<Product>, Error> {
        let mut found = Vec::with_capacity(ids.len());
        for ids in ids.chunks(IDS_PER_REQUEST) {
            let query = IdsQuery { ids: ids.to_vec() };
            found.extend(self.client.get(caller, "/products/batch").query(&query).send::<Vec<Product>>().await?);
        }
        Ok(found)
    }

    async fn products_by_categories(
        &self,
        caller: &Caller,
        ids: &[CategoryId],
        page: &PageQuery,
    ) -> Result<Vec<CategoryProducts>, Error> {
        let mut found = Vec::with_capacity(ids.len());
        for ids in ids.chunks(IDS_PER_REQUEST) {
            let query = IdsQuery { ids: ids.to_vec() };
            let request = self.client.get(caller, "/categories/products").query(&query).query(page);
            found.extend(request.send::<Vec<CategoryProducts>>().await?);
        }
        Ok(found)
    }

    async fn create_product(&self, caller: &Caller, product: CreateProduct) -> Result<Product, Error> {
        self.client.post(caller, "/products").json(&product).send().await
    }

    async fn update_product(
        &self,
        caller: &Caller,
        id: ProductId,
        seen: Precondition,
        change: UpdateProduct,
    ) -> Result<Product, Error> {
        let request = self.client.patch(caller, &format!("/products/{id}"));
        request.header(IF_MATCH, &seen.header()).json(&change).send().await
    }

    async fn delete_product(&self, caller: &Caller, id: ProductId) -> Result<Product, Error> {
        let request = self.client.delete(caller, &format!("/products/{id}"));
        request.header(PREFER, REPRESENTATION).send().await
    }

    async fn categories(&self, caller: &Caller, page: &PageQuery) -> Result<Page<Category>, Error> {
        self.client.get(caller, "/categories").query(page).send().await
    }

    async fn category(&self, caller: &Caller, id: CategoryId) -> Result<Category, Error> {
        self.client.get(caller, &format!("/categories/{id}")).send().await
    }

    async fn categories_by_ids(&self, caller: &Caller, ids: &[CategoryId]) -> Result<Vec<Category>, Error> {
        let mut found = Vec::with_capacity(ids.len());
        for ids in ids.chunks(IDS_PER_REQUEST) {
            let query = IdsQuery { ids: ids.to_vec() };
            found.extend(self.client.get(caller, "/categories/batch").query(&query).send::<Vec<Category>>().await?);
        }
        Ok(found)
    }

    async fn create_category(&self, caller: &Caller, category: CreateCategory) -> Result<Category, Error> {
        self.client.post(caller, "/categories").json(&category).send().await
    }

    async fn adjust_stock(
        &self,
        caller: &Caller,
        id: ProductId,
        adjustment: StockAdjustment,
    ) -> Result<StockEntry, Error> {
        self.client.post(caller, &format!("/products/{id}/stock")).json(&adjustment).send().await
    }

    async fn stock_history(&self, caller: &Caller, id: ProductId, page: &PageQuery) -> Result<Page<StockEntry>, Error> {
        self.client.get(caller, &format!("/products/{id}/stock")).query(page).send().await
    }

    async fn stock_histories(
        &self,
        caller: &Caller,
        ids: &[ProductId],
        page: &PageQuery,
    ) -> Result<Vec<StockHistory>, Error> {
        let mut found = Vec::with_capacity(ids.len());
        for ids in ids.chunks(IDS_PER_REQUEST) {
            let query = IdsQuery { ids: ids.to_vec() };
            let request = self.client.get(caller, "/products/stock").query(&query).query(page);
            found.extend(request.send::<Vec<StockHistory>>().await?);
        }
        Ok(found)
    }

    async fn upload_picture(&self, caller: &Caller, picture: NewPicture) -> Result<UploadedPicture, Error> {
        self.client.post(caller, "/pictures").bytes(&picture.content_type, picture.bytes).send().await
    }

    async fn picture(&self, caller: &Caller, file: &str) -> Result<Picture, Error> {
        if !is_file_name(file) {
            return Err(Error::not_found("picture_not_found", "there is no such picture"));
        }
        let path = if is_upload_name(file) { format!("{UPLOADS}{file}") } else { format!("/images/{file}") };
        let (headers, bytes) = self.client.get(caller, &path).send_raw().await?;
        Ok(Picture { content_type: text(&headers, CONTENT_TYPE)?, etag: text(&headers, ETAG)?, bytes })
    }
}

/// Nothing that would mean something in a path.
fn is_file_name(file: &str) -> bool {
    !file.is_empty() && file.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Result<String, Error> {
    let value = headers.get(&name).and_then(|value| value.to_str().ok());
    value.map(str::to_owned).ok_or_else(|| Error::internal(format!("a picture came without {name}")))
}
