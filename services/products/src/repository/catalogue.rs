//! Products and categories, one at a time or by ids.

use std::collections::HashMap;

use database::{Connection, Row};
use events::{CategoryId, ProductId};
use products_client::{Category, CategoryProducts, CreateCategory, CreateProduct, Product};
use service::{Error, OnConstraint, Page, PageQuery};

use super::{product, product_columns};
use crate::model::entry;
use crate::model::list::Place;

database::statements! {
    /// One product.
    FIND = concat!("SELECT ", product_columns!(), " FROM products p WHERE p.id = $1 AND p.deleted_at IS NULL");
    /// One product, kept as it is until the end of the transaction.
    FIND_LOCKED = concat!("SELECT ", product_columns!(),
        " FROM products p WHERE p.id = $1 AND p.deleted_at IS NULL FOR NO KEY UPDATE");
    /// Several products.
    FIND_MANY = concat!("SELECT ", product_columns!(),
        " FROM products p WHERE p.id = ANY($1) AND p.deleted_at IS NULL");
    /// A page by name of each category.
    OF_CATEGORIES = concat!("SELECT ", product_columns!(),
        " FROM unnest($1::uuid[]) AS wanted (category_id)
          CROSS JOIN LATERAL (
              SELECT * FROM products
              WHERE category_id = wanted.category_id AND deleted_at IS NULL
                AND ($2::text IS NULL OR (name, id) > ($2, $3))
              ORDER BY name, id LIMIT $4) p
          ORDER BY p.category_id, p.name, p.id");
    /// The neighbours of each product in its category, by name: those behind it, then those from the start.
    NEIGHBOURS = concat!("SELECT one.id AS to_product, ", product_columns!(),
        " FROM products one
          CROSS JOIN LATERAL (
              (SELECT false AS is_before, next.* FROM products next
               WHERE next.category_id = one.category_id AND next.deleted_at IS NULL
                 AND (next.name, next.id) > (one.name, one.id)
               ORDER BY next.name, next.id LIMIT $2)
              UNION ALL
              (SELECT true, first.* FROM products first
               WHERE first.category_id = one.category_id AND first.deleted_at IS NULL
                 AND (first.name, first.id) < (one.name, one.id)
               ORDER BY first.name, first.id LIMIT $2)) p
          WHERE one.id = ANY($1) AND one.deleted_at IS NULL
          ORDER BY one.id, p.is_before, p.name, p.id");
    /// A new product.
    INSERT = concat!("INSERT INTO products AS p
            (id, name, sku, price, currency, description, stock_quantity, category_id, image_url, supplier_id, images)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         RETURNING ", product_columns!());
    /// Writes a changed entry; its stock is not touched.
    UPDATE = concat!("UPDATE products p
         SET name = $2, sku = $3, price = $4, currency = $5, description = $6, category_id = $7, image_url = $8,
             supplier_id = $9, images = $10, version = version + 1, updated_at = now()
         WHERE id = $1
         RETURNING ", product_columns!());
    /// Takes a product out.
    DELETE = concat!("UPDATE products p
         SET deleted_at = now(), updated_at = now(), version = version + 1
         WHERE id = $1 AND deleted_at IS NULL
         RETURNING ", product_columns!());
    /// A page of the categories.
    CATEGORIES = "SELECT id, name, description, created_at, updated_at FROM categories
         WHERE deleted_at IS NULL AND ($1::text IS NULL OR lower(name) > lower($1))
         ORDER BY lower(name) LIMIT $2";
    /// Several categories.
    FIND_CATEGORIES = "SELECT id, name, description, created_at, updated_at FROM categories
         WHERE id = ANY($1) AND deleted_at IS NULL";
    /// A new category.
    INSERT_CATEGORY = "INSERT INTO categories (id, name, description) VALUES ($1, $2, $3)
         RETURNING id, name, description, created_at, updated_at";
}

/// One living product.
pub async fn find(db: &Connection, id: ProductId) -> Result<Option<Product>, Error> {
    db.query_opt(FIND, &[&id]).await?.as_ref().map(product).transpose()
}

/// One living product; nobody else changes it until the transaction ends.
pub async fn find_locked(tx: &Connection, id: ProductId) -> Result<Option<Product>, Error> {
    tx.query_opt(FIND_LOCKED, &[&id]).await?.as_ref().map(product).transpose()
}

/// Those that live.
pub async fn find_many(db: &Connection, ids: &[ProductId]) -> Result<Vec<Product>, Error> {
    db.query(FIND_MANY, &[&ids]).await?.iter().map(product).collect()
}

/// The same page of each category, by name.
pub async fn of_categories(
    db: &Connection,
    ids: &[CategoryId],
    query: &PageQuery,
    after: Option<(String, ProductId)>,
) -> Result<Vec<CategoryProducts>, Error> {
    let (name, id) = after.unzip();
    let rows = db.query(OF_CATEGORIES, &[&ids, &name, &id, &query.rows()?]).await?;
    let mut products = rows.iter().map(product).collect::<Result<Vec<_>, _>>()?;
    ids.iter()
        .map(|id| {
            let rows = products.extract_if(.., |product| product.category_id == Some(*id)).collect();
            Ok(CategoryProducts { category_id: *id, products: Page::new(query, rows, Place::by_name)? })
        })
        .collect()
}

/// For each of the products others of its category: `rows` that are next by name, then `rows` from the start.
pub async fn neighbours(db: &Connection, ids: &[ProductId], rows: i64) -> Result<Vec<Page<Product>>, Error> {
    let mut of_product: HashMap<ProductId, Vec<Product>> = HashMap::new();
    for row in db.query(NEIGHBOURS, &[&ids, &rows]).await? {
        of_product.entry(row.get("to_product")).or_default().push(product(&row)?);
    }
    let page =
        |id| Page { items: of_product.get(id).cloned().unwrap_or_default(), next_cursor: None, cursors: Vec::new() };
    Ok(ids.iter().map(page).collect())
}

/// Errors: 409 `sku_already_exists`, 422 for an unknown category.
pub async fn insert(tx: &Connection, id: ProductId, new: &CreateProduct) -> Result<Product, Error> {
    let row = tx
        .query_one(
            INSERT,
            &[
                &id,
                &new.name.trim(),
                &new.sku,
                &new.price.decimal(),
                &new.price.currency().code(),
                &new.description,
                &new.stock_quantity,
                &new.category_id,
                &new.image_url,
                &new.supplier_id,
                &new.images,
            ],
        )
        .await;
    product(&refused(row)?)
}

/// Writes the entry of a product as it shall be; the version counts up.
///
/// Errors: 409 `sku_already_exists`, 422 for an unknown category.
pub async fn update(tx: &Connection, changed: &Product) -> Result<Product, Error> {
    let row = tx
        .query_one(
            UPDATE,
            &[
                &changed.id,
                &changed.name.trim(),
                &changed.sku,
                &changed.price.decimal(),
                &changed.price.currency().code(),
                &changed.description,
                &changed.category_id,
                &changed.image_url,
                &changed.supplier_id,
                &entry::further_images(changed.image_url.as_deref(), &changed.images),
            ],
        )
        .await;
    product(&refused(row)?)
}

fn refused(row: Result<Row, database::Error>) -> Result<Row, Error> {
    row.on_constraint("products_sku_living", || Error::conflict("sku_already_exists", "another product has this SKU"))
        .on_constraint("products_category", || Error::invalid("category_id", "unknown", "there is no such category"))
}

/// Takes a product out of the catalogue; `None` if it is not there.
pub async fn delete(tx: &Connection, id: ProductId) -> Result<Option<Product>, Error> {
    tx.query_opt(DELETE, &[&id]).await?.as_ref().map(product).transpose()
}

/// A page of the living categories.
pub async fn categories(db: &Connection, query: &PageQuery) -> Result<Page<Category>, Error> {
    let after: Option<String> = query.after()?;
    let rows = db.query(CATEGORIES, &[&after, &query.rows()?]).await?;
    Page::new(query, rows.iter().map(category).collect(), |category| category.name.clone())
}

/// Those that live.
pub async fn find_categories(db: &Connection, ids: &[CategoryId]) -> Result<Vec<Category>, Error> {
    Ok(db.query(FIND_CATEGORIES, &[&ids]).await?.iter().map(category).collect())
}

/// Errors: 409 `category_name_already_exists`.
pub async fn insert_category(tx: &Connection, id: CategoryId, new: &CreateCategory) -> Result<Category, Error> {
    let row = tx
        .query_one(INSERT_CATEGORY, &[&id, &new.name.trim(), &new.description])
        .await
        .on_constraint("categories_name_living", || {
            Error::conflict("category_name_already_exists", "another category has this name")
        })?;
    Ok(category(&row))
}

fn category(row: &Row) -> Category {
    Category {
        id: row.get("id"),
        name: row.get("name"),
        description: row.get("description"),
        created_at: row.get("created_at"),
        updated_at: row.get("updated_at"),
    }
}
