//! The demo catalogue, in batches.

use database::{Connection, Row};
use events::{CategoryId, Currency, Money, ProductId};
use products_client::Product;
use service::Error;
use uuid::Uuid;

use super::{product, product_columns};

database::statements! {
    /// One seed at a time.
    LOCK = "SELECT pg_advisory_xact_lock(hashtext(current_schema() || '.seed'))";
    /// Which of these are there, or were.
    KNOWN_SKUS = "SELECT sku FROM products WHERE sku = ANY($1)";
    /// Which of these are there.
    KNOWN_PICTURES = "SELECT file FROM pictures WHERE file = ANY($1)";
    /// Categories that are not there.
    CATEGORIES = "INSERT INTO categories (id, name, description)
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[])
        ON CONFLICT (lower(name)) WHERE deleted_at IS NULL DO NOTHING";
    /// The ids of categories by name.
    CATEGORY_IDS = "SELECT id, lower(name) AS name FROM categories
        WHERE lower(name) = ANY($1) AND deleted_at IS NULL";
    /// New products with their opening stock.
    PRODUCTS = concat!("WITH p AS (
            INSERT INTO products (id, name, sku, price, currency, description, stock_quantity, category_id, image_url,
                images)
            SELECT id, name, sku, price, $9, description, stock_quantity, category_id, image_url,
                   string_to_array(images, ' ')
            FROM unnest($1::uuid[], $2::text[], $3::text[], $4::numeric[], $5::text[], $6::int[], $7::uuid[], $8::text[],
                        $11::text[])
                AS fresh (id, name, sku, price, description, stock_quantity, category_id, image_url, images)
            ON CONFLICT (sku) WHERE deleted_at IS NULL DO NOTHING
            RETURNING *),
        opened AS (
            INSERT INTO inventory_history (id, product_id, change, stock_quantity, reason, actor)
            SELECT fresh.history_id, p.id, p.stock_quantity, p.stock_quantity, 'initial stock', 'seed'
            FROM p JOIN unnest($1::uuid[], $10::uuid[]) AS fresh (id, history_id) ON fresh.id = p.id
            WHERE p.stock_quantity > 0)
        SELECT ", product_columns!(), " FROM p");
    /// Pictures that are not there.
    PICTURES = "INSERT INTO pictures (file, content_type, etag, bytes)
        SELECT file, 'image/svg+xml', concat(chr(34), encode(sha256(bytes), 'hex'), chr(34)), bytes
        FROM unnest($1::text[], $2::bytea[]) AS drawn (file, bytes)
        ON CONFLICT (file) DO NOTHING";
}

/// Waits for another seed to end.
pub async fn lock(tx: &Connection) -> Result<(), Error> {
    tx.execute(LOCK, &[]).await?;
    Ok(())
}

/// Those of the SKUs that are taken, by deleted products too: what an admin took out stays out.
pub async fn known_skus(tx: &Connection, skus: &[&str]) -> Result<Vec<String>, Error> {
    Ok(tx.query(KNOWN_SKUS, &[&skus]).await?.iter().map(|row| row.get("sku")).collect())
}

/// Those of the files that are there.
pub async fn known_pictures(db: &Connection, files: &[String]) -> Result<Vec<String>, Error> {
    Ok(db.query(KNOWN_PICTURES, &[&files]).await?.iter().map(|row| row.get("file")).collect())
}

/// Makes the categories that are missing; returns how many.
pub async fn insert_categories(tx: &Connection, categories: &[(&str, &str)]) -> Result<u64, Error> {
    let ids: Vec<CategoryId> = categories.iter().map(|_| CategoryId::new()).collect();
    let (names, descriptions): (Vec<&str>, Vec<&str>) = categories.iter().copied().unzip();
    Ok(tx.execute(CATEGORIES, &[&ids, &names, &descriptions]).await?)
}

/// Ids by name in lower case.
pub async fn category_ids(tx: &Connection, names: &[String]) -> Result<Vec<(String, CategoryId)>, Error> {
    let read = |row: &Row| (row.get("name"), row.get("id"));
    Ok(tx.query(CATEGORY_IDS, &[&names]).await?.iter().map(read).collect())
}

/// A product to be inserted; `None` of its fields is checked again.
pub struct NewProduct<'a> {
    /// Its id.
    pub id: ProductId,
    /// Its name.
    pub name: &'a str,
    /// Its SKU.
    pub sku: &'a str,
    /// Its price, in euros.
    pub price: Money,
    /// Its text.
    pub description: &'a str,
    /// Its opening stock.
    pub stock_quantity: i32,
    /// Its category.
    pub category_id: Option<CategoryId>,
    /// Its picture.
    pub image_url: String,
    /// Further views.
    pub images: Vec<String>,
}

/// Inserts products with their opening stock; returns them.
pub async fn insert_products(tx: &Connection, new: &[NewProduct<'_>]) -> Result<Vec<Product>, Error> {
    let ids: Vec<ProductId> = new.iter().map(|product| product.id).collect();
    let names: Vec<&str> = new.iter().map(|product| product.name).collect();
    let skus: Vec<&str> = new.iter().map(|product| product.sku).collect();
    let prices: Vec<_> = new.iter().map(|product| product.price.decimal()).collect();
    let descriptions: Vec<&str> = new.iter().map(|product| product.description).collect();
    let stock: Vec<i32> = new.iter().map(|product| product.stock_quantity).collect();
    let categories: Vec<_> = new.iter().map(|product| product.category_id).collect();
    let images: Vec<&str> = new.iter().map(|product| product.image_url.as_str()).collect();
    // An array of arrays of one length each would be flattened; no address holds a space.
    let galleries: Vec<String> = new.iter().map(|product| product.images.join(" ")).collect();
    let histories: Vec<Uuid> = new.iter().map(|_| Uuid::now_v7()).collect();
    let currency = Currency::EUR.code();
    let rows = tx
        .query(
            PRODUCTS,
            &[
                &ids,
                &names,
                &skus,
                &prices,
                &descriptions,
                &stock,
                &categories,
                &images,
                &currency,
                &histories,
                &galleries,
            ],
        )
        .await?;
    rows.iter().map(product).collect()
}

/// Stores pictures as (file, SVG), with an entity tag of their content; returns how many were new.
pub async fn insert_pictures(tx: &Connection, pictures: &[(String, String)]) -> Result<u64, Error> {
    let files: Vec<&str> = pictures.iter().map(|(file, _)| file.as_str()).collect();
    let bytes: Vec<&[u8]> = pictures.iter().map(|(_, svg)| svg.as_bytes()).collect();
    Ok(tx.execute(PICTURES, &[&files, &bytes]).await?)
}
