//! The REST endpoints: they read the request, call the authorising function, and shape the answer.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap, IF_MATCH, IF_NONE_MATCH, LOCATION,
};
use axum::response::{IntoResponse, Response};
use events::{CategoryId, ProductId};
use products_client::{
    Category, CategoryFacets, CategoryProducts, CreateCategory, CreateProduct, IdsQuery, NewPicture, PREFER, Picture,
    Precondition, Product, ProductFacets, ProductFilter, ProductsApi, REPRESENTATION, RelatedProducts, RelatedQuery,
    StockAdjustment, StockEntry, StockHistory, SuggestionQuery, UpdateProduct, UploadedPicture, is_upload_name,
};
use service::{Admin, Binary, Caller, Error, ErrorBody, Json, Page, PageQuery, Path, Query};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Products;
use crate::model::entry::product_changed;
use crate::model::list::no_picture;

type Service = State<Arc<Products>>;

/// The service's own endpoints.
pub fn router(service: Arc<Products>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list_products, create_product))
        .routes(routes!(products_by_ids))
        .routes(routes!(facets))
        .routes(routes!(suggestions))
        .routes(routes!(related_products))
        .routes(routes!(get_product, update_product, delete_product))
        .routes(routes!(stock_histories))
        .routes(routes!(stock_history, adjust_stock))
        .routes(routes!(list_categories, create_category))
        .routes(routes!(categories_by_ids))
        .routes(routes!(products_by_categories))
        .routes(routes!(facets_by_categories))
        .routes(routes!(get_category))
        .routes(routes!(get_demo_picture))
        .routes(routes!(get_picture))
        .routes(routes!(upload_picture))
        .with_state(service)
}

/// The products that pass a filter, page by page.
#[utoipa::path(get, path = "/products", tag = "products", params(ProductFilter, PageQuery),
    responses((status = 200, body = Page<Product>), (status = 400, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn list_products(
    State(service): Service,
    caller: Caller,
    Query(filter): Query<ProductFilter>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Product>>, Error> {
    service.products(&caller, &filter, &page).await.map(Json)
}

/// What is told of all products that pass a filter: how many, in which categories, in stock or not, at what prices.
#[utoipa::path(get, path = "/products/facets", tag = "products", params(ProductFilter),
    responses((status = 200, body = ProductFacets), (status = 400, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn facets(
    State(service): Service,
    caller: Caller,
    Query(filter): Query<ProductFilter>,
) -> Result<Json<ProductFacets>, Error> {
    service.facets(&caller, &filter).await.map(Json)
}

/// What somebody may mean who has typed this so far, best first; small spelling mistakes are forgiven.
#[utoipa::path(get, path = "/products/suggestions", tag = "products", params(SuggestionQuery),
    responses((status = 200, body = Vec<Product>), (status = 400, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn suggestions(
    State(service): Service,
    caller: Caller,
    Query(query): Query<SuggestionQuery>,
) -> Result<Json<Vec<Product>>, Error> {
    service.suggestions(&caller, &query).await.map(Json)
}

/// What goes with each of several products: others of its category, in stock first.
#[utoipa::path(get, path = "/products/related", tag = "products",
    params(("ids" = String, Query, description = "ids, separated by commas"),
        ("limit" = Option<i64>, Query, description = "for each so many at most, 1 to 24; 4 unless told")),
    responses((status = 200, body = Vec<RelatedProducts>), (status = 400, body = ErrorBody),
        (status = 422, body = ErrorBody)))]
async fn related_products(
    State(service): Service,
    caller: Caller,
    Query(query): Query<RelatedQuery>,
) -> Result<Json<Vec<RelatedProducts>>, Error> {
    service.related_products(&caller, &query).await.map(Json)
}

/// Several products by id; those that do not exist are left out.
#[utoipa::path(get, path = "/products/batch", tag = "products",
    params(("ids" = String, Query, description = "ids, separated by commas")),
    responses((status = 200, body = Vec<Product>), (status = 400, body = ErrorBody)))]
async fn products_by_ids(
    State(service): Service,
    caller: Caller,
    Query(query): Query<IdsQuery<ProductId>>,
) -> Result<Json<Vec<Product>>, Error> {
    service.products_by_ids(&caller, &query.ids).await.map(Json)
}

/// Brings a product into the catalogue (admin).
#[utoipa::path(post, path = "/products", tag = "products", request_body = CreateProduct,
    responses((status = 201, body = Product), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 409, body = ErrorBody, description = "`sku_already_exists`"), (status = 422, body = ErrorBody)))]
async fn create_product(
    State(service): Service,
    Admin(caller): Admin,
    Json(product): Json<CreateProduct>,
) -> Result<Response, Error> {
    let product = service.create_product(&caller, product).await?;
    let headers = [(LOCATION, format!("/products/{}", product.id)), (ETAG, product.etag())];
    Ok((StatusCode::CREATED, headers, Json(product)).into_response())
}

/// One product. With `If-None-Match`, 304 if it is as it was.
#[utoipa::path(get, path = "/products/{id}", tag = "products", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = Product, headers(("ETag" = String))), (status = 304), (status = 404, body = ErrorBody)))]
async fn get_product(
    State(service): Service,
    caller: Caller,
    Path(id): Path<ProductId>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let product = service.product(&caller, id).await?;
    let etag = product.etag();
    if is_known(&headers, &etag) {
        return Ok((StatusCode::NOT_MODIFIED, [(ETAG, etag)]).into_response());
    }
    Ok(([(ETAG, etag)], Json(product)).into_response())
}

/// Changes an entry (admin). `If-Match` names the product as it was read, or `*`.
///
/// Of the entity tag only the version counts, not the stock after the point: a sale in between is no obstacle.
#[utoipa::path(patch, path = "/products/{id}", tag = "products", request_body = UpdateProduct,
    params(("id" = uuid::Uuid, Path), ("If-Match" = String, Header)),
    responses((status = 200, body = Product, headers(("ETag" = String))), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody),
        (status = 412, body = ErrorBody), (status = 422, body = ErrorBody), (status = 428, body = ErrorBody)))]
async fn update_product(
    State(service): Service,
    Admin(caller): Admin,
    Path(id): Path<ProductId>,
    headers: HeaderMap,
    Json(change): Json<UpdateProduct>,
) -> Result<Response, Error> {
    let seen = precondition(&headers)?;
    let product = service.update_product(&caller, id, seen, change).await?;
    Ok(([(ETAG, product.etag())], Json(product)).into_response())
}

fn precondition(headers: &HeaderMap) -> Result<Precondition, Error> {
    let Some(header) = headers.get(IF_MATCH) else {
        let message = "send If-Match with the ETag of the product as you read it";
        return Err(Error::new(StatusCode::PRECONDITION_REQUIRED, "precondition_required", message));
    };
    header.to_str().ok().and_then(Precondition::parse).ok_or_else(product_changed)
}

/// Takes a product out of the catalogue (admin). Answers it with `Prefer: return=representation`.
#[utoipa::path(delete, path = "/products/{id}", tag = "products",
    params(("id" = uuid::Uuid, Path), ("Prefer" = Option<String>, Header)),
    responses((status = 200, body = Product), (status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn delete_product(
    State(service): Service,
    Admin(caller): Admin,
    Path(id): Path<ProductId>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let product = service.delete_product(&caller, id).await?;
    let is_wanted = headers.get(PREFER).is_some_and(|wish| wish == REPRESENTATION);
    Ok(if is_wanted { Json(product).into_response() } else { StatusCode::NO_CONTENT.into_response() })
}

/// Sets or adjusts what can be sold (admin).
#[utoipa::path(post, path = "/products/{id}/stock", tag = "stock", request_body = StockAdjustment,
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = StockEntry), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody, description = "`insufficient_stock`"),
        (status = 422, body = ErrorBody)))]
async fn adjust_stock(
    State(service): Service,
    Admin(caller): Admin,
    Path(id): Path<ProductId>,
    Json(adjustment): Json<StockAdjustment>,
) -> Result<Json<StockEntry>, Error> {
    service.adjust_stock(&caller, id, adjustment).await.map(Json)
}

/// What was received, taken out and corrected, newest first (admin).
#[utoipa::path(get, path = "/products/{id}/stock", tag = "stock", params(("id" = uuid::Uuid, Path), PageQuery),
    responses((status = 200, body = Page<StockEntry>), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
async fn stock_history(
    State(service): Service,
    Admin(caller): Admin,
    Path(id): Path<ProductId>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<StockEntry>>, Error> {
    service.stock_history(&caller, id, &page).await.map(Json)
}

/// The same page of the histories of several products (admin).
#[utoipa::path(get, path = "/products/stock", tag = "stock",
    params(("ids" = String, Query, description = "ids, separated by commas"), PageQuery),
    responses((status = 200, body = Vec<StockHistory>), (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody)))]
async fn stock_histories(
    State(service): Service,
    Admin(caller): Admin,
    Query(query): Query<IdsQuery<ProductId>>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Vec<StockHistory>>, Error> {
    service.stock_histories(&caller, &query.ids, &page).await.map(Json)
}

/// The categories, by name.
#[utoipa::path(get, path = "/categories", tag = "categories", params(PageQuery),
    responses((status = 200, body = Page<Category>), (status = 400, body = ErrorBody)))]
async fn list_categories(
    State(service): Service,
    caller: Caller,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Category>>, Error> {
    service.categories(&caller, &page).await.map(Json)
}

/// One category.
#[utoipa::path(get, path = "/categories/{id}", tag = "categories", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = Category), (status = 404, body = ErrorBody)))]
async fn get_category(
    State(service): Service,
    caller: Caller,
    Path(id): Path<CategoryId>,
) -> Result<Json<Category>, Error> {
    service.category(&caller, id).await.map(Json)
}

/// Several categories by id; those that do not exist are left out.
#[utoipa::path(get, path = "/categories/batch", tag = "categories",
    params(("ids" = String, Query, description = "ids, separated by commas")),
    responses((status = 200, body = Vec<Category>), (status = 400, body = ErrorBody)))]
async fn categories_by_ids(
    State(service): Service,
    caller: Caller,
    Query(query): Query<IdsQuery<CategoryId>>,
) -> Result<Json<Vec<Category>>, Error> {
    service.categories_by_ids(&caller, &query.ids).await.map(Json)
}

/// The same page, by name, of the products of several categories.
#[utoipa::path(get, path = "/categories/products", tag = "categories",
    params(("ids" = String, Query, description = "ids of categories, separated by commas"), PageQuery),
    responses((status = 200, body = Vec<CategoryProducts>), (status = 400, body = ErrorBody)))]
async fn products_by_categories(
    State(service): Service,
    caller: Caller,
    Query(query): Query<IdsQuery<CategoryId>>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Vec<CategoryProducts>>, Error> {
    service.products_by_categories(&caller, &query.ids, &page).await.map(Json)
}

/// What is told of the products of each of several categories.
#[utoipa::path(get, path = "/categories/facets", tag = "categories",
    params(("ids" = String, Query, description = "ids of categories, separated by commas")),
    responses((status = 200, body = Vec<CategoryFacets>), (status = 400, body = ErrorBody)))]
async fn facets_by_categories(
    State(service): Service,
    caller: Caller,
    Query(query): Query<IdsQuery<CategoryId>>,
) -> Result<Json<Vec<CategoryFacets>>, Error> {
    service.facets_by_categories(&caller, &query.ids).await.map(Json)
}

/// Makes a category (admin).
#[utoipa::path(post, path = "/categories", tag = "categories", request_body = CreateCategory,
    responses((status = 201, body = Category), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 409, body = ErrorBody, description = "`category_name_already_exists`"),
        (status = 422, body = ErrorBody)))]
async fn create_category(
    State(service): Service,
    Admin(caller): Admin,
    Json(category): Json<CreateCategory>,
) -> Result<Response, Error> {
    let category = service.create_category(&caller, category).await?;
    let location = [(LOCATION, format!("/categories/{}", category.id))];
    Ok((StatusCode::CREATED, location, Json(category)).into_response())
}

/// A picture of the demo catalogue. It may be kept for an hour and be asked for anew with `If-None-Match`.
#[utoipa::path(get, path = "/images/{file}", tag = "pictures", params(("file" = String, Path)),
    responses((status = 200, content_type = "image/svg+xml", body = String), (status = 304),
        (status = 404, body = ErrorBody)))]
async fn get_demo_picture(
    State(service): Service,
    caller: Caller,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let picture = service.picture(&caller, &file).await?;
    Ok(served(picture, &headers, "public, max-age=3600"))
}

/// An uploaded picture. It never changes.
#[utoipa::path(get, path = "/pictures/{file}", tag = "pictures", params(("file" = String, Path)),
    responses((status = 200, content_type = "image/*", body = Vec<u8>), (status = 304), (status = 404, body = ErrorBody)))]
async fn get_picture(
    State(service): Service,
    caller: Caller,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    if !is_upload_name(&file) {
        return Err(no_picture());
    }
    let picture = service.picture(&caller, &file).await?;
    Ok(served(picture, &headers, "public, max-age=31536000, immutable"))
}

/// Stores a picture for products to show (admin): PNG, JPEG, WebP or AVIF, at most 700 kB.
#[utoipa::path(post, path = "/pictures", tag = "pictures",
    request_body(content = Vec<u8>, content_type = "image/*"),
    responses((status = 201, body = UploadedPicture), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 413, body = ErrorBody), (status = 415, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn upload_picture(
    State(service): Service,
    Admin(caller): Admin,
    headers: HeaderMap,
    Binary(bytes): Binary,
) -> Result<Response, Error> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let uploaded = service.upload_picture(&caller, NewPicture { content_type, bytes }).await?;
    Ok((StatusCode::CREATED, [(LOCATION, uploaded.url.clone())], Json(uploaded)).into_response())
}

fn served(picture: Picture, headers: &HeaderMap, cache: &'static str) -> Response {
    let is_known = is_known(headers, &picture.etag);
    let caching = [(ETAG, picture.etag), (CACHE_CONTROL, cache.to_owned())];
    if is_known {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    // An SVG that is opened on its own page could otherwise run scripts there.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; sandbox".to_owned();
    let content = [(CONTENT_TYPE, picture.content_type), (CONTENT_SECURITY_POLICY, policy)];
    (caching, content, picture.bytes).into_response()
}

/// Does the client have it in this very state?
fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let tags = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    tags.split(',').map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
}
