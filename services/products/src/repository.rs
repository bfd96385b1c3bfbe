//! All SQL of the service: functions on a connection, unqualified table names (`search_path` is the schema).

pub mod catalogue;
pub mod facets;
pub mod list;
pub mod pictures;
pub mod presence;
pub mod seed;
mod statement;
pub mod stock;

use database::Row;
use events::{Currency, Money, ProductId};
use products_client::Product;
use service::Error;

use crate::model::entry;

/// Every statement of the service, by name: for the test that prepares them against the real schema.
pub fn statements() -> Vec<(&'static str, &'static str)> {
    let fixed = [catalogue::ALL, pictures::ALL, presence::ALL, seed::ALL, stock::ALL].concat();
    let lists = list::examples().iter().map(|sql| ("LIST", sql.as_str()));
    let facets = facets::examples().iter().map(|sql| ("FACETS", sql.as_str()));
    fixed.into_iter().chain(lists).chain(facets).collect()
}

/// The columns that [`product`] reads.
macro_rules! product_columns {
    () => {
        "p.id, p.name, p.description, p.sku, p.price, p.currency, p.stock_quantity, p.category_id, p.image_url, \
         p.images, p.supplier_id, p.version, p.created_at, p.updated_at"
    };
}
pub(crate) use product_columns;

/// Reads a product from [`product_columns`].
fn product(row: &Row) -> Result<Product, Error> {
    let stock_quantity: i32 = row.get("stock_quantity");
    let image_url: Option<String> = row.get("image_url");
    Ok(Product {
        id: row.get::<_, ProductId>("id"),
        name: row.get("name"),
        description: row.get("description"),
        sku: row.get("sku"),
        price: price(row)?,
        stock_quantity,
        in_stock: stock_quantity > 0,
        category_id: row.get("category_id"),
        images: entry::gallery(image_url.as_deref(), row.get("images")),
        image_url,
        supplier_id: row.get("supplier_id"),
        version: row.get("version"),
        created_at: row.get("created_at"),
        updated_at: row.get("updated_at"),
    })
}

/// Reads `price` and `currency`. Errors: the row holds no money, which no write of ours makes.
fn price(row: &Row) -> Result<Money, Error> {
    let currency: Currency = row.get::<_, &str>("currency").parse().map_err(Error::internal)?;
    Money::from_decimal(row.get("price"), currency).map_err(Error::internal)
}
