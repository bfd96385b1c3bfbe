//! The demo catalogue: categories, products, pictures.

use std::collections::{HashMap, HashSet};

use database::{Connection, outbox};
use demo_catalogue::{DemoProduct, View};
use events::{CategoryId, CorrelationId, Currency, Draft, Money, ProductId};
use service::Error;

use crate::cached::{CATALOGUE, CATEGORIES};
use crate::model::entry;
use crate::presence::Presence;
use crate::repository::seed::{self as rows, NewProduct};
use crate::{Products, SERVICE};

/// What a seed added; all zero if everything was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeedReport {
    /// Categories.
    pub categories: u64,
    /// Products.
    pub products: u64,
    /// Pictures.
    pub pictures: u64,
}

/// Adds what is missing of the demo catalogue, in one transaction. What an admin changed or took out stays so.
pub async fn seed(service: &Products) -> Result<SeedReport, Error> {
    let presence = Presence::join(&service.database).await?;
    let seeded = add_missing(service).await;
    presence.leave().await?;
    seeded
}

async fn add_missing(service: &Products) -> Result<SeedReport, Error> {
    let pictures = missing_pictures(service).await?;
    let cache = service.cached.backend.clone();
    service
        .database
        .write(move |tx| {
            Box::pin(async move {
                tx.keep_until_end(cache.changing(vec![CATALOGUE, CATEGORIES]).await);
                rows::lock(tx).await?;
                let categories: Vec<_> =
                    demo_catalogue::categories().iter().map(|category| (category.name, category.description)).collect();
                let categories = rows::insert_categories(tx, &categories).await?;
                let products = add_products(tx).await?;
                let pictures = if pictures.is_empty() { 0 } else { rows::insert_pictures(tx, &pictures).await? };
                Ok(SeedReport { categories, products, pictures })
            })
        })
        .await
}

/// Draws the pictures that are not there yet, as (file, SVG).
async fn missing_pictures(service: &Products) -> Result<Vec<(String, String)>, Error> {
    let all = demo_catalogue::products();
    let wanted = |product: &DemoProduct| View::ALL.map(|view| (*product, view));
    let wanted: Vec<(DemoProduct, View)> = all.iter().flat_map(wanted).collect();
    let files: Vec<String> = wanted.iter().map(|(product, view)| product.file_name(*view)).collect();
    let db = service.database.read().await?;
    let known: HashSet<String> = rows::known_pictures(&db, &files).await?.into_iter().collect();
    drop(db);
    let draw = move || {
        let missing = files.into_iter().zip(wanted).filter(|(file, _)| !known.contains(file));
        missing.map(|(file, (product, view))| (file, product.view(view))).collect()
    };
    tokio::task::spawn_blocking(draw).await.map_err(Error::internal)
}

async fn add_products(tx: &Connection) -> Result<u64, Error> {
    let demo = mixed(demo_catalogue::products());
    let skus: Vec<&str> = demo.iter().map(|product| product.sku).collect();
    let known: HashSet<String> = rows::known_skus(tx, &skus).await?.into_iter().collect();
    let missing: Vec<&DemoProduct> = demo.iter().filter(|product| !known.contains(product.sku)).collect();
    if missing.is_empty() {
        return Ok(0);
    }
    let names: Vec<String> = demo_catalogue::categories().iter().map(|category| category.name.to_lowercase()).collect();
    let categories: HashMap<String, CategoryId> = rows::category_ids(tx, &names).await?.into_iter().collect();
    let new = missing.iter().map(|product| new_product(product, &categories)).collect::<Result<Vec<_>, _>>()?;
    let products = rows::insert_products(tx, &new).await?;
    let correlation_id = CorrelationId::new();
    let created = products
        .iter()
        .map(|product| Draft::new(&entry::created_event(product), product.version, correlation_id, SERVICE));
    let created: Vec<Draft> = created.collect();
    outbox::record(tx, &created).await?;
    Ok(created.len() as u64)
}

/// The first of each category, then the second of each, and so on: the newest products are a bit of everything.
fn mixed(products: Vec<DemoProduct>) -> Vec<DemoProduct> {
    let mut seen: HashMap<&str, u32> = HashMap::new();
    let mut ranked: Vec<(u32, DemoProduct)> = Vec::with_capacity(products.len());
    for product in products {
        let rank = seen.entry(product.category).or_default();
        ranked.push((*rank, product));
        *rank += 1;
    }
    ranked.sort_by_key(|(rank, _)| std::cmp::Reverse(*rank));
    ranked.into_iter().map(|(_, product)| product).collect()
}

fn new_product<'a>(
    product: &'a DemoProduct,
    categories: &HashMap<String, CategoryId>,
) -> Result<NewProduct<'a>, Error> {
    let image = |view| format!("/images/{}", product.file_name(view));
    Ok(NewProduct {
        id: ProductId::new(),
        name: product.name,
        sku: product.sku,
        price: Money::parse(product.price, Currency::EUR).map_err(Error::internal)?,
        description: product.description,
        stock_quantity: i32::try_from(product.stock).map_err(Error::internal)?,
        category_id: categories.get(&product.category.to_lowercase()).copied(),
        image_url: image(View::Front),
        images: vec![image(View::Detail), image(View::Served)],
    })
}
