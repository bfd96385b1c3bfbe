//! What an entry of the catalogue may look like, and how it changes.

use events::{ProductCreated, ProductUpdated};
use products_client::{Precondition, Product, StockAdjustment, UpdateProduct};
use service::Error;

/// Units of one product at most that an admin may enter: far from where sums would overflow.
const MAX_UNITS: i32 = 1_000_000_000;

/// A change of the stock by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StockChange {
    /// From now on so many can be sold.
    Set(i32),
    /// So many more; fewer if negative.
    Adjust(i32),
}

impl StockChange {
    /// Exactly one of both, within limits.
    pub fn parse(adjustment: &StockAdjustment) -> Result<StockChange, Error> {
        let (field, units, change) = match (adjustment.set, adjustment.adjust) {
            (Some(units), None) => ("set", units, StockChange::Set(units)),
            (None, Some(units)) => ("adjust", units, StockChange::Adjust(units)),
            (Some(_), Some(_)) | (None, None) => {
                return Err(Error::invalid("", "one_of", "give either `set` or `adjust`"));
            }
        };
        if units.unsigned_abs() > MAX_UNITS.unsigned_abs() {
            return Err(Error::invalid(field, "out_of_range", format!("at most {MAX_UNITS} units")));
        }
        Ok(change)
    }
}

/// Refuses an opening stock that no shelf holds.
pub fn check_units(stock_quantity: i32) -> Result<(), Error> {
    if (0..=MAX_UNITS).contains(&stock_quantity) {
        return Ok(());
    }
    Err(Error::invalid("stock_quantity", "out_of_range", format!("between 0 and {MAX_UNITS} units")))
}

/// Is the product still the one that was seen?
pub fn check_unchanged(product: &Product, seen: Precondition) -> Result<(), Error> {
    match seen {
        Precondition::Version(version) if version != product.version => Err(product_changed()),
        Precondition::Version(_) | Precondition::Exists => Ok(()),
    }
}

/// 412.
pub fn product_changed() -> Error {
    Error::new(
        axum::http::StatusCode::PRECONDITION_FAILED,
        "product_changed",
        "the product was changed in the meantime; read it again",
    )
}

/// The product with what `change` names replaced, but its stock: that is moved, not replaced.
pub fn changed(product: &Product, change: UpdateProduct) -> Product {
    let mut changed = product.clone();
    let UpdateProduct { name, sku, price, description, category_id, image_url, images, supplier_id, stock_quantity: _ } =
        change;
    if let Some(name) = name {
        changed.name = name;
    }
    if let Some(sku) = sku {
        changed.sku = sku;
    }
    if let Some(price) = price {
        changed.price = price;
    }
    if let Some(description) = description {
        changed.description = description;
    }
    if let Some(category_id) = category_id {
        changed.category_id = category_id;
    }
    if let Some(image_url) = image_url {
        changed.image_url = image_url;
    }
    let further = images.unwrap_or_else(|| {
        further_images(product.image_url.as_deref(), &product.images).into_iter().map(str::to_owned).collect()
    });
    changed.images = gallery(changed.image_url.as_deref(), further);
    if let Some(supplier_id) = supplier_id {
        changed.supplier_id = supplier_id;
    }
    changed
}

/// All pictures of a product: the main one first, none twice.
pub fn gallery(image_url: Option<&str>, further: Vec<String>) -> Vec<String> {
    let mut gallery: Vec<String> = image_url.map(str::to_owned).into_iter().collect();
    for image in further {
        if !gallery.contains(&image) {
            gallery.push(image);
        }
    }
    gallery
}

/// The pictures of a gallery but the main one.
pub fn further_images<'a>(image_url: Option<&str>, images: &'a [String]) -> Vec<&'a str> {
    images.iter().map(String::as_str).filter(|image| Some(*image) != image_url).collect()
}

/// Says that a product came into the catalogue.
pub fn created_event(product: &Product) -> ProductCreated {
    ProductCreated {
        product_id: product.id,
        sku: product.sku.clone(),
        name: product.name.clone(),
        price: product.price,
        category_id: product.category_id,
        image_url: product.image_url.clone(),
    }
}

/// Says that a product changed.
pub fn updated_event(product: &Product) -> ProductUpdated {
    ProductUpdated {
        product_id: product.id,
        sku: product.sku.clone(),
        name: product.name.clone(),
        price: product.price,
        category_id: product.category_id,
        image_url: product.image_url.clone(),
        deleted: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stock_change_is_one_thing_within_limits() {
        assert_eq!(StockChange::parse(&StockAdjustment::set(5, "count")).unwrap(), StockChange::Set(5));
        assert_eq!(StockChange::parse(&StockAdjustment::adjust(-5, "broken")).unwrap(), StockChange::Adjust(-5));
        let both = StockAdjustment { set: Some(1), adjust: Some(1), reason: "?".into() };
        let none = StockAdjustment { set: None, adjust: None, reason: "?".into() };
        let much = StockAdjustment::adjust(i32::MIN, "?");
        for wrong in [both, none, much] {
            assert_eq!(StockChange::parse(&wrong).unwrap_err().code, "validation_failed", "{wrong:?}");
        }
    }
}
