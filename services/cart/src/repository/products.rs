//! The copy of the catalogue.

use database::Connection;
use events::{Currency, Money, ProductId};
use rust_decimal::Decimal;
use service::Error;

use crate::model::ProductCopy;

database::statements! {
    FIND = "SELECT product_id, name, sku, price, currency, image_url, version, deleted FROM products WHERE product_id = $1";
    /// Only newer versions are written: events come in any order.
    PUT = "INSERT INTO products (product_id, name, sku, price, currency, image_url, version, deleted)
         SELECT product_id, name, sku, price, currency, image_url, version, deleted
         FROM unnest($1::uuid[], $2::text[], $3::text[], $4::numeric[], $5::text[], $6::text[], $7::bigint[], $8::bool[])
           AS copy (product_id, name, sku, price, currency, image_url, version, deleted)
         ORDER BY product_id
         ON CONFLICT (product_id) DO UPDATE
         SET name = excluded.name, sku = excluded.sku, price = excluded.price, currency = excluded.currency,
             image_url = excluded.image_url, version = excluded.version, deleted = excluded.deleted, updated_at = now()
         WHERE products.version < excluded.version";
}

/// What is known of a product; deleted ones too.
pub async fn find(db: &Connection, id: ProductId) -> Result<Option<ProductCopy>, Error> {
    let Some(row) = db.query_opt(FIND, &[&id]).await? else { return Ok(None) };
    let currency: Currency = row.get::<_, &str>("currency").parse().map_err(Error::internal)?;
    Ok(Some(ProductCopy {
        id,
        name: row.get("name"),
        sku: row.get("sku"),
        price: Money::from_decimal(row.get("price"), currency).map_err(Error::internal)?,
        image_url: row.get("image_url"),
        version: row.get("version"),
        deleted: row.get("deleted"),
    }))
}

/// Writes what is newer than what is known. Each product once.
pub async fn put(db: &Connection, copies: &[ProductCopy]) -> Result<(), database::Error> {
    let ids: Vec<ProductId> = copies.iter().map(|copy| copy.id).collect();
    let names: Vec<&str> = copies.iter().map(|copy| copy.name.as_str()).collect();
    let skus: Vec<&str> = copies.iter().map(|copy| copy.sku.as_str()).collect();
    let prices: Vec<Decimal> = copies.iter().map(|copy| copy.price.decimal()).collect();
    let currencies: Vec<&str> = copies.iter().map(|copy| copy.price.currency().code()).collect();
    let images: Vec<Option<&str>> = copies.iter().map(|copy| copy.image_url.as_deref()).collect();
    let versions: Vec<i64> = copies.iter().map(|copy| copy.version).collect();
    let deleted: Vec<bool> = copies.iter().map(|copy| copy.deleted).collect();
    db.execute(PUT, &[&ids, &names, &skus, &prices, &currencies, &images, &versions, &deleted]).await?;
    Ok(())
}
