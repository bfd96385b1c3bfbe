//! Who calls, may they, is it acceptable, one transaction, answer. Used by HTTP and in-process clients alike.

use async_trait::async_trait;
use axum::http::StatusCode;
use database::{Connection, outbox};
use events::{CategoryId, Draft, ProductId, ProductUpdated};
use products_client::{
    CatalogueVersion, Category, CategoryFacets, CategoryProducts, CreateCategory, CreateProduct, MAX_IDS, NewPicture,
    Picture, Precondition, Product, ProductFacets, ProductFilter, ProductsApi, RelatedProducts, RelatedQuery,
    StockAdjustment, StockEntry, StockHistory, SuggestionQuery, UpdateProduct, UploadedPicture,
};
use service::idempotency::{self, Operation};
use service::{Caller, Error, Page, PageQuery, validate};

use crate::cached::{CATALOGUE, CATEGORIES, CategoryPage, EVERYTHING, FacetsKey, ListKey, STOCK, product_tag};
use crate::model::entry::{self, StockChange};
use crate::model::list::{PictureFile, Place, Search, no_picture, related};
use crate::model::picture::{Upload, no_upload, uploads};
use crate::model::words::{Matching, Words};
use crate::repository::{catalogue, facets, list, pictures, stock};
use crate::{Products, SERVICE};

/// Neighbours looked at for each related product that is wanted: some are sold out.
const NEIGHBOURS: i64 = 3;

#[async_trait]
impl ProductsApi for Products {
    fn version(&self) -> Option<CatalogueVersion> {
        let version = self.cached.backend.version_at_hand(&EVERYTHING)?;
        Some(CatalogueVersion(version.into()))
    }

    async fn products(
        &self,
        _caller: &Caller,
        filter: &ProductFilter,
        page: &PageQuery,
    ) -> Result<Page<Product>, Error> {
        let search = Search::parse(filter, page)?;
        let list = || async {
            let db = self.database.read().await?;
            let search = lenient(&db, search).await?;
            Ok(vec![search.page(page, list::list(&db, &search).await?)?])
        };
        let key = ListKey::Filter(filter.clone(), page.clone());
        let mut pages = self.cached.list(key, list, |ids| self.find_many(ids)).await?;
        pages.pop().ok_or_else(|| Error::internal("a list of one page has none"))
    }

    async fn facets(&self, _caller: &Caller, filter: &ProductFilter) -> Result<ProductFacets, Error> {
        let filter = ProductFilter { sort: None, ..filter.clone() };
        let search = Search::of_facets(&filter)?;
        let count = || async {
            let db = self.database.read().await?;
            let search = lenient(&db, search).await?;
            facets::facets(&db, &[search]).await
        };
        let found = self.cached.facets.get_or_load(FacetsKey::Filter(filter), &FacetsKey::TAGS, count).await?;
        found.first().cloned().ok_or_else(|| Error::internal("one search has no facets"))
    }

    async fn facets_by_categories(&self, _caller: &Caller, ids: &[CategoryId]) -> Result<Vec<CategoryFacets>, Error> {
        check_count(ids.len())?;
        let of_category = |id| Search::of_facets(&ProductFilter { category: Some(id), ..Default::default() });
        let searches = ids.iter().copied().map(of_category).collect::<Result<Vec<_>, _>>()?;
        let count = || async {
            let db = self.database.read().await?;
            facets::facets(&db, &searches).await
        };
        let key = FacetsKey::Categories(ids.to_vec());
        let found = self.cached.facets.get_or_load(key, &FacetsKey::TAGS, count).await?;
        let of_category = |(category_id, facets): (&CategoryId, &ProductFacets)| CategoryFacets {
            category_id: *category_id,
            facets: facets.clone(),
        };
        Ok(ids.iter().zip(found.iter()).map(of_category).collect())
    }

    async fn suggestions(&self, _caller: &Caller, query: &SuggestionQuery) -> Result<Vec<Product>, Error> {
        let page = PageQuery::first(query.limit()?);
        let Some(words) = Words::parse(&query.q)? else { return Ok(Vec::new()) };
        let list = || async {
            let db = self.database.read().await?;
            let matching = fitting(&db, &words).await?;
            let found = list::suggest(&db, &words, matching, page.limit()?.into()).await?;
            Ok(vec![Page::new(&page, found, |_| ())?.map(|row| row.product)])
        };
        let key = ListKey::Suggestions(query.clone());
        let mut pages = self.cached.list(key, list, |ids| self.find_many(ids)).await?;
        Ok(pages.pop().map(|page| page.items).unwrap_or_default())
    }

    async fn related_products(&self, _caller: &Caller, query: &RelatedQuery) -> Result<Vec<RelatedProducts>, Error> {
        check_count(query.ids.len())?;
        let limit = query.limit()?;
        let list = || async {
            let db = self.database.read().await?;
            catalogue::neighbours(&db, &query.ids, i64::from(limit) * NEIGHBOURS).await
        };
        let pages = self.cached.list(ListKey::Neighbours(query.clone()), list, |ids| self.find_many(ids)).await?;
        let of_product = |(product_id, neighbours): (&ProductId, Page<Product>)| RelatedProducts {
            product_id: *product_id,
            products: related(neighbours.items, limit),
        };
        Ok(query.ids.iter().zip(pages).map(of_product).collect())
    }

    async fn product(&self, _caller: &Caller, id: ProductId) -> Result<Product, Error> {
        let find = || async {
            let db = self.database.read().await?;
            catalogue::find(&db, id).await?.ok_or_else(no_product)
        };
        let product = self.cached.products.get_or_load(id, &[product_tag(&id)], find).await?;
        Ok(Product::clone(&product))
    }

    async fn products_by_ids(&self, _caller: &Caller, ids: &[ProductId]) -> Result<Vec<Product>, Error> {
        check_count(ids.len())?;
        let found = self.cached.products.get_many(ids, product_tag, |ids| self.find_many(ids)).await?;
        Ok(found.into_values().map(|product| Product::clone(&product)).collect())
    }

    async fn products_by_categories(
        &self,
        _caller: &Caller,
        ids: &[CategoryId],
        page: &PageQuery,
    ) -> Result<Vec<CategoryProducts>, Error> {
        check_count(ids.len())?;
        let after = match page.after::<Place>()? {
            None => None,
            Some(Place::Name(name, id)) => Some((name, id)),
            Some(_) => return Err(Error::bad_request("invalid_cursor", "the cursor is of a list in another order")),
        };
        let list = || async {
            let db = self.database.read().await?;
            let found = catalogue::of_categories(&db, ids, page, after).await?;
            Ok(found.into_iter().map(|of_category| of_category.products).collect())
        };
        let key = ListKey::Categories(ids.to_vec(), page.clone());
        let pages = self.cached.list(key, list, |ids| self.find_many(ids)).await?;
        let of_category =
            |(category_id, products): (&CategoryId, _)| CategoryProducts { category_id: *category_id, products };
        Ok(ids.iter().zip(pages).map(of_category).collect())
    }

    async fn create_product(&self, caller: &Caller, new: CreateProduct) -> Result<Product, Error> {
        let actor = caller.admin()?.user_id.to_string();
        validate(&new)?;
        entry::check_units(new.stock_quantity)?;
        let operation = Operation::new(SERVICE, "POST /products", StatusCode::CREATED, caller, None, &new)?;
        let (correlation_id, cache) = (caller.correlation_id, self.cached.backend.clone());
        idempotency::write(&self.database, operation, move |tx| {
            Box::pin(async move {
                use_uploads(tx, new.image_url.iter().chain(&new.images)).await?;
                let product = catalogue::insert(tx, ProductId::new(), &new).await?;
                tx.keep_until_end(cache.changing(vec![CATALOGUE, product_tag(&product.id)]).await);
                if product.stock_quantity > 0 {
                    stock::open(tx, product.id, product.stock_quantity, "initial stock", &actor).await?;
                }
                let created = entry::created_event(&product);
                outbox::record(tx, &[Draft::new(&created, product.version, correlation_id, SERVICE)]).await?;
                Ok(product)
            })
        })
        .await
    }

    async fn update_product(
        &self,
        caller: &Caller,
        id: ProductId,
        seen: Precondition,
        change: UpdateProduct,
    ) -> Result<Product, Error> {
        let actor = caller.admin()?.user_id.to_string();
        validate(&change)?;
        change.stock_quantity.map_or(Ok(()), entry::check_units)?;
        let input = (id, seen.header(), &change);
        let operation = Operation::new(SERVICE, "PATCH /products/{id}", StatusCode::OK, caller, None, &input)?;
        let (correlation_id, cache) = (caller.correlation_id, self.cached.backend.clone());
        idempotency::write(&self.database, operation, move |tx| {
            Box::pin(async move {
                let product = catalogue::find_locked(tx, id).await?.ok_or_else(no_product)?;
                entry::check_unchanged(&product, seen)?;
                let stock = change.stock_quantity.filter(|units| *units != product.stock_quantity);
                let changed = entry::changed(&product, change);
                let is_changed = changed != product;
                if stock.is_none() && !is_changed {
                    return Ok(product);
                }
                let kinds = stock.map(|_| STOCK).into_iter().chain(is_changed.then_some(CATALOGUE));
                tx.keep_until_end(cache.changing(kinds.chain([product_tag(&id)]).collect()).await);
                if let Some(units) = stock {
                    let set = StockChange::Set(units);
                    stock::adjust(tx, id, set, "set with the product", &actor).await?.ok_or_else(no_product)?;
                }
                if !is_changed {
                    return catalogue::find(tx, id).await?.ok_or_else(no_product);
                }
                if changed.images != product.images {
                    use_uploads(tx, &changed.images).await?;
                    pictures::touch(tx, &uploads(product.images.iter().map(String::as_str))?).await?;
                }
                let product = catalogue::update(tx, &changed).await?;
                let updated = entry::updated_event(&product);
                outbox::record(tx, &[Draft::new(&updated, product.version, correlation_id, SERVICE)]).await?;
                Ok(product)
            })
        })
        .await
    }

    async fn delete_product(&self, caller: &Caller, id: ProductId) -> Result<Product, Error> {
        caller.admin()?;
        let operation = Operation::new(SERVICE, "DELETE /products/{id}", StatusCode::NO_CONTENT, caller, None, &id)?;
        let (correlation_id, cache) = (caller.correlation_id, self.cached.backend.clone());
        idempotency::write(&self.database, operation, move |tx| {
            Box::pin(async move {
                let product = catalogue::delete(tx, id).await?.ok_or_else(no_product)?;
                tx.keep_until_end(cache.changing(vec![CATALOGUE, product_tag(&id)]).await);
                let deleted = ProductUpdated { deleted: true, ..entry::updated_event(&product) };
                outbox::record(tx, &[Draft::new(&deleted, product.version, correlation_id, SERVICE)]).await?;
                Ok(product)
            })
        })
        .await
    }

    async fn categories(&self, _caller: &Caller, page: &PageQuery) -> Result<Page<Category>, Error> {
        let read = || async {
            let db = self.database.read().await?;
            catalogue::categories(&db, page).await
        };
        let pages = &self.cached.category_pages;
        let page = pages.get_or_load(CategoryPage(page.clone()), &[CATEGORIES], read).await?;
        Ok(Page::clone(&page))
    }

    async fn category(&self, caller: &Caller, id: CategoryId) -> Result<Category, Error> {
        let found = self.categories_by_ids(caller, &[id]).await?;
        found.into_iter().next().ok_or_else(|| Error::not_found("category_not_found", "there is no such category"))
    }

    async fn categories_by_ids(&self, _caller: &Caller, ids: &[CategoryId]) -> Result<Vec<Category>, Error> {
        check_count(ids.len())?;
        let find = async |ids: Vec<CategoryId>| {
            let db = self.database.read().await?;
            let found = catalogue::find_categories(&db, &ids).await?;
            Ok::<_, Error>(found.into_iter().map(|category| (category.id, category)).collect())
        };
        let found = self.cached.categories.get_many(ids, |_| CATEGORIES, find).await?;
        Ok(found.into_values().map(|category| Category::clone(&category)).collect())
    }

    async fn create_category(&self, caller: &Caller, new: CreateCategory) -> Result<Category, Error> {
        caller.admin()?;
        validate(&new)?;
        let operation = Operation::new(SERVICE, "POST /categories", StatusCode::CREATED, caller, None, &new)?;
        let cache = self.cached.backend.clone();
        idempotency::write(&self.database, operation, move |tx| {
            Box::pin(async move {
                tx.keep_until_end(cache.changing(vec![CATEGORIES]).await);
                catalogue::insert_category(tx, CategoryId::new(), &new).await
            })
        })
        .await
    }

    async fn adjust_stock(
        &self,
        caller: &Caller,
        id: ProductId,
        adjustment: StockAdjustment,
    ) -> Result<StockEntry, Error> {
        let actor = caller.admin()?.user_id.to_string();
        validate(&adjustment)?;
        let change = StockChange::parse(&adjustment)?;
        let input = (id, &adjustment);
        let operation = Operation::new(SERVICE, "POST /products/{id}/stock", StatusCode::OK, caller, None, &input)?;
        let cache = self.cached.backend.clone();
        idempotency::write(&self.database, operation, move |tx| {
            Box::pin(async move {
                tx.keep_until_end(cache.changing(vec![STOCK, product_tag(&id)]).await);
                stock::adjust(tx, id, change, &adjustment.reason, &actor).await?.ok_or_else(no_product)
            })
        })
        .await
    }

    async fn stock_history(&self, caller: &Caller, id: ProductId, page: &PageQuery) -> Result<Page<StockEntry>, Error> {
        caller.admin()?;
        let db = self.database.read().await?;
        catalogue::find(&db, id).await?.ok_or_else(no_product)?;
        stock::history(&db, id, page).await
    }

    async fn stock_histories(
        &self,
        caller: &Caller,
        ids: &[ProductId],
        page: &PageQuery,
    ) -> Result<Vec<StockHistory>, Error> {
        caller.admin()?;
        check_count(ids.len())?;
        let db = self.database.read().await?;
        stock::histories(&db, ids, page).await
    }

    async fn upload_picture(&self, caller: &Caller, picture: NewPicture) -> Result<UploadedPicture, Error> {
        let by = caller.admin()?.user_id;
        let upload = Upload::parse(&picture)?;
        let operation = Operation::new(SERVICE, "POST /pictures", StatusCode::CREATED, caller, None, &upload.file)?;
        idempotency::write(&self.database, operation, move |tx| {
            Box::pin(async move { pictures::store(tx, &upload, &picture, by).await })
        })
        .await
    }

    async fn picture(&self, _caller: &Caller, file: &str) -> Result<Picture, Error> {
        let PictureFile(file) = PictureFile::parse(file)?;
        if let Some(picture) = self.cached.pictures.get(file).await {
            return Ok(picture);
        }
        let read = async {
            let db = self.database.read().await?;
            pictures::find(&db, file).await?.ok_or_else(no_picture)
        };
        let picture = Box::pin(self.cached.pictures.try_get_with(file.to_owned(), read));
        picture.await.map_err(|error| Error::clone(&error))
    }
}

impl Products {
    async fn find_many(&self, ids: Vec<ProductId>) -> Result<Vec<(ProductId, Product)>, Error> {
        let db = self.database.read().await?;
        let found = catalogue::find_many(&db, &ids).await?;
        Ok(found.into_iter().map(|product| (product.id, product)).collect())
    }
}

/// Keeps the uploads that a product is given from being pruned. Errors: 422 if one of them is not there.
async fn use_uploads<'a>(tx: &Connection, images: impl IntoIterator<Item = &'a String>) -> Result<(), Error> {
    let files = uploads(images.into_iter().map(String::as_str))?;
    let found = pictures::touch(tx, &files).await?;
    if found == files.len() as u64 { Ok(()) } else { Err(no_upload()) }
}

/// The search, spelling forgiven if it begins and next to nothing has its words.
async fn lenient(db: &Connection, mut search: Search) -> Result<Search, Error> {
    if let Some(words) = search.doubtful_words() {
        search.matching = fitting(db, words).await?;
    }
    Ok(search)
}

/// Decided by the words alone, whatever else is asked for: so that no filter makes other words of them.
async fn fitting(db: &Connection, words: &Words) -> Result<Matching, Error> {
    let is_enough = !words.can_be_similar() || list::count_exact(db, words).await? >= Words::LITTLE;
    Ok(if is_enough { Matching::Exact } else { Matching::Similar })
}

fn no_product() -> Error {
    Error::not_found("product_not_found", "there is no such product")
}

fn check_count(count: usize) -> Result<(), Error> {
    if count <= MAX_IDS {
        return Ok(());
    }
    Err(Error::invalid("ids", "too_many", format!("at most {MAX_IDS} ids at once")))
}
