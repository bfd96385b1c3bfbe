//! The catalogue of the shop of the tests.

use async_trait::async_trait;
use events::*;
use products_client::{
    CatalogueVersion, Category, CategoryCount, CategoryFacets, CategoryProducts, CreateCategory, CreateProduct,
    NewPicture, Picture, Precondition, Product, ProductFacets, ProductFilter, ProductsApi, RelatedProducts,
    RelatedQuery, StockAdjustment, StockEntry, StockHistory, SuggestionQuery, UpdateProduct, UploadedPicture,
};
use service::{Caller, Error, Page, PageQuery};

use crate::shop::{Shop, euros, page, time};

impl Shop {
    fn facets_of(&self, products: &[Product]) -> ProductFacets {
        let count = |category: &Category| CategoryCount {
            category_id: category.id,
            count: i32::try_from(products.iter().filter(|p| p.category_id == Some(category.id)).count()).unwrap(),
        };
        let total_count = i32::try_from(products.len()).unwrap();
        ProductFacets {
            total_count,
            in_stock: total_count,
            categories: self.categories.iter().map(count).filter(|count| count.count > 0).collect(),
            min_price: Some(euros("12.50")),
            max_price: Some(euros("12.50")),
            ..ProductFacets::nothing()
        }
    }
}

fn stock_entry(product_id: ProductId, change: i32) -> StockEntry {
    StockEntry {
        id: uuid::Uuid::now_v7(),
        product_id,
        change,
        stock_quantity: 5,
        reason: "count".into(),
        actor: "ann".into(),
        created_at: time(),
    }
}

#[async_trait]
impl ProductsApi for Shop {
    fn version(&self) -> Option<CatalogueVersion> {
        *self.version.lock().unwrap()
    }
    async fn products(&self, caller: &Caller, _: &ProductFilter, query: &PageQuery) -> Result<Page<Product>, Error> {
        self.called(caller, "products")?;
        if let Some(next) = self.next_version.lock().unwrap().take() {
            *self.version.lock().unwrap() = Some(next);
        }
        page(&self.products, query)
    }
    async fn facets(&self, caller: &Caller, _: &ProductFilter) -> Result<ProductFacets, Error> {
        self.called(caller, "facets")?;
        Ok(self.facets_of(&self.products))
    }
    async fn facets_by_categories(&self, caller: &Caller, ids: &[CategoryId]) -> Result<Vec<CategoryFacets>, Error> {
        self.called(caller, "facets_by_categories")?;
        let of_category = |id: &CategoryId| {
            let of: Vec<Product> = self.products.iter().filter(|p| p.category_id == Some(*id)).cloned().collect();
            CategoryFacets { category_id: *id, facets: self.facets_of(&of) }
        };
        Ok(ids.iter().map(of_category).collect())
    }
    async fn suggestions(&self, caller: &Caller, query: &SuggestionQuery) -> Result<Vec<Product>, Error> {
        self.called(caller, "suggestions")?;
        Ok(self.products.iter().take(query.limit()?.into()).cloned().collect())
    }
    async fn related_products(&self, caller: &Caller, query: &RelatedQuery) -> Result<Vec<RelatedProducts>, Error> {
        self.called(caller, "related_products")?;
        let limit = query.limit()?;
        let related = |id: &ProductId| RelatedProducts {
            product_id: *id,
            products: self.products.iter().filter(|p| p.id != *id).take(limit.into()).cloned().collect(),
        };
        Ok(query.ids.iter().map(related).collect())
    }
    async fn product(&self, caller: &Caller, id: ProductId) -> Result<Product, Error> {
        self.called(caller, "product")?;
        let found = self.products.iter().find(|product| product.id == id);
        found.cloned().ok_or_else(|| Error::not_found("product_not_found", "there is no such product"))
    }
    async fn products_by_ids(&self, caller: &Caller, ids: &[ProductId]) -> Result<Vec<Product>, Error> {
        self.called(caller, "products_by_ids")?;
        Ok(self.products.iter().filter(|product| ids.contains(&product.id)).cloned().collect())
    }
    async fn products_by_categories(
        &self,
        caller: &Caller,
        ids: &[CategoryId],
        query: &PageQuery,
    ) -> Result<Vec<CategoryProducts>, Error> {
        self.called(caller, "products_by_categories")?;
        let of_category = |id: &CategoryId| {
            let of: Vec<Product> = self.products.iter().filter(|p| p.category_id == Some(*id)).cloned().collect();
            Ok(CategoryProducts { category_id: *id, products: page(&of, query)? })
        };
        ids.iter().map(of_category).collect()
    }
    async fn create_product(&self, caller: &Caller, product: CreateProduct) -> Result<Product, Error> {
        self.called(caller, "create_product")?;
        Ok(Product { name: product.name, price: product.price, ..self.products[0].clone() })
    }
    async fn update_product(
        &self,
        caller: &Caller,
        _: ProductId,
        _: Precondition,
        change: UpdateProduct,
    ) -> Result<Product, Error> {
        self.called(caller, "update_product")?;
        Ok(Product { description: change.description.unwrap_or_default(), ..self.products[0].clone() })
    }
    async fn delete_product(&self, caller: &Caller, _: ProductId) -> Result<Product, Error> {
        self.called(caller, "delete_product")?;
        Ok(self.products[0].clone())
    }
    async fn categories(&self, caller: &Caller, query: &PageQuery) -> Result<Page<Category>, Error> {
        self.called(caller, "categories")?;
        page(&self.categories, query)
    }
    async fn category(&self, caller: &Caller, id: CategoryId) -> Result<Category, Error> {
        self.called(caller, "category")?;
        let found = self.categories.iter().find(|category| category.id == id);
        found.cloned().ok_or_else(|| Error::not_found("category_not_found", "there is no such category"))
    }
    async fn categories_by_ids(&self, caller: &Caller, ids: &[CategoryId]) -> Result<Vec<Category>, Error> {
        self.called(caller, "categories_by_ids")?;
        Ok(self.categories.iter().filter(|category| ids.contains(&category.id)).cloned().collect())
    }
    async fn create_category(&self, caller: &Caller, new: CreateCategory) -> Result<Category, Error> {
        self.called(caller, "create_category")?;
        Ok(Category { name: new.name, description: new.description, ..self.categories[0].clone() })
    }
    async fn adjust_stock(&self, caller: &Caller, id: ProductId, change: StockAdjustment) -> Result<StockEntry, Error> {
        self.called(caller, "adjust_stock")?;
        Ok(StockEntry { reason: change.reason, ..stock_entry(id, 1) })
    }
    async fn stock_history(
        &self,
        caller: &Caller,
        id: ProductId,
        query: &PageQuery,
    ) -> Result<Page<StockEntry>, Error> {
        self.called(caller, "stock_history")?;
        page(&[stock_entry(id, 3), stock_entry(id, 2)], query)
    }
    async fn stock_histories(
        &self,
        caller: &Caller,
        ids: &[ProductId],
        query: &PageQuery,
    ) -> Result<Vec<StockHistory>, Error> {
        self.called(caller, "stock_histories")?;
        let history = |id: &ProductId| {
            Ok(StockHistory { product_id: *id, entries: page(&[stock_entry(*id, 3), stock_entry(*id, 2)], query)? })
        };
        ids.iter().map(history).collect()
    }
    async fn upload_picture(&self, caller: &Caller, picture: NewPicture) -> Result<UploadedPicture, Error> {
        self.called(caller, "upload_picture")?;
        let url = format!("/pictures/{}.png", "a".repeat(64));
        let size = i32::try_from(picture.bytes.len()).unwrap();
        Ok(UploadedPicture { url, content_type: picture.content_type, size, created_at: time() })
    }
    async fn picture(&self, caller: &Caller, file: &str) -> Result<Picture, Error> {
        self.called(caller, "picture")?;
        if file != "a.svg" && !products_client::is_upload_name(file) {
            return Err(Error::not_found("picture_not_found", "there is no such picture"));
        }
        let bytes = axum::body::Bytes::from_static(b"<svg/>");
        Ok(Picture { content_type: "image/svg+xml".into(), etag: "\"one\"".into(), bytes })
    }
}
