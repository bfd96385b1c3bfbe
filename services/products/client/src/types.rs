//! Requests and answers, as they stand in JSON.

use chrono::{DateTime, Utc};
use events::{CategoryId, Money, ProductId};
use garde::Validate;
use serde::{Deserialize, Deserializer, Serialize};
use service::Page;
use utoipa::ToSchema;
use uuid::Uuid;

/// Further pictures of a product, at most.
pub const MAX_IMAGES: usize = 8;

/// The state of all that a catalogue tells: see [`crate::ProductsApi::version`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CatalogueVersion(pub u128);

/// A product of the catalogue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// Name as shown.
    pub name: String,
    /// What there is to say about it.
    pub description: Option<String>,
    /// Stock keeping unit, unique in the catalogue.
    pub sku: String,
    /// Price of one.
    pub price: Money,
    /// What can be sold now, holds taken off; never negative.
    pub stock_quantity: i32,
    /// Can at least one be sold now?
    pub in_stock: bool,
    /// Its category, if it has one.
    pub category_id: Option<CategoryId>,
    /// Where its picture lies: a path on the gateway, or an https URL.
    pub image_url: Option<String>,
    /// All its pictures: the one of `image_url` first, then further views.
    #[serde(default)]
    pub images: Vec<String>,
    /// Who delivers it, in the shop's own books.
    pub supplier_id: Option<Uuid>,
    /// Counted up by every change of the catalogue entry; stock moves do not count.
    pub version: i64,
    /// When it came into the catalogue.
    pub created_at: DateTime<Utc>,
    /// When its entry or its stock was last changed by hand.
    pub updated_at: DateTime<Utc>,
}

impl Product {
    /// Tells one representation from another: version, and stock after the point.
    ///
    /// As `If-Match` only the version counts: a sale in between does not stand in the way of an edit,
    /// because an edit does not touch the stock, or says what it shall be from then on.
    pub fn etag(&self) -> String {
        format!("\"{}.{}\"", self.version, self.stock_quantity)
    }
}

/// What a write has to find unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precondition {
    /// The product has this version.
    Version(i64),
    /// The product exists (`If-Match: *`): the last writer wins.
    Exists,
}

impl Precondition {
    /// Reads an `If-Match` header; `None` if it names nothing that could ever be current.
    pub fn parse(header: &str) -> Option<Precondition> {
        let header = header.trim();
        if header == "*" {
            return Some(Precondition::Exists);
        }
        let tag = header.strip_prefix('"')?.strip_suffix('"')?;
        tag.split('.').next()?.parse().ok().map(Precondition::Version)
    }

    /// The same as an `If-Match` header.
    pub fn header(self) -> String {
        match self {
            Precondition::Version(version) => format!("\"{version}\""),
            Precondition::Exists => "*".to_owned(),
        }
    }
}

/// A new product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CreateProduct {
    /// Name as shown.
    #[garde(length(chars, max = 200), custom(not_blank))]
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// Stock keeping unit: letters, digits, `.`, `_` and `-`.
    #[garde(custom(is_sku))]
    #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9._-]+$")]
    pub sku: String,
    /// Price of one; not negative.
    #[garde(custom(not_negative))]
    pub price: Money,
    /// What there is to say about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(chars, max = 5000))]
    #[schema(max_length = 5000)]
    pub description: Option<String>,
    /// Units on hand.
    #[serde(default)]
    #[garde(range(min = 0))]
    #[schema(minimum = 0)]
    pub stock_quantity: i32,
    /// Its category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub category_id: Option<CategoryId>,
    /// Where its picture lies: a path on the gateway, or an https URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(inner(custom(is_picture_url)))]
    #[schema(max_length = 2048)]
    pub image_url: Option<String>,
    /// Further pictures, in the order of the gallery.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(length(max = MAX_IMAGES), inner(custom(is_picture_url)))]
    #[schema(max_items = 8)]
    pub images: Vec<String>,
    /// Who delivers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub supplier_id: Option<Uuid>,
}

/// What to change of a product; what is absent stays, `null` takes away.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct UpdateProduct {
    /// Name as shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(chars, max = 200), inner(custom(not_blank)))]
    #[schema(min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// Stock keeping unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(inner(custom(is_sku)))]
    #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9._-]+$")]
    pub sku: Option<String>,
    /// Price of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(inner(custom(not_negative)))]
    pub price: Option<Money>,
    /// What there is to say about it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "named")]
    #[garde(inner(length(chars, max = 5000)))]
    #[schema(value_type = Option<String>, max_length = 5000)]
    pub description: Option<Option<String>>,
    /// Its category.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "named")]
    #[garde(skip)]
    #[schema(value_type = Option<CategoryId>)]
    pub category_id: Option<Option<CategoryId>>,
    /// Where its picture lies.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "named")]
    #[garde(inner(inner(custom(is_picture_url))))]
    #[schema(value_type = Option<String>, max_length = 2048)]
    pub image_url: Option<Option<String>>,
    /// Further pictures, in the order of the gallery: all of them anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(inner(length(max = MAX_IMAGES), inner(custom(is_picture_url))))]
    #[schema(max_items = 8)]
    pub images: Option<Vec<String>>,
    /// Who delivers it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "named")]
    #[garde(skip)]
    #[schema(value_type = Option<Uuid>)]
    pub supplier_id: Option<Option<Uuid>>,
    /// Units that can be sold from now on; what is on hold is not touched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 0))]
    #[schema(minimum = 0)]
    pub stock_quantity: Option<i32>,
}

/// Tells `null` from a field that is absent.
fn named<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A category of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Category {
    /// Its id.
    pub id: CategoryId,
    /// Unique, whatever its case.
    pub name: String,
    /// A sentence or two.
    pub description: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// A new category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CreateCategory {
    /// Unique, whatever its case.
    #[garde(length(chars, max = 100), custom(not_blank))]
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// A sentence or two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(chars, max = 2000))]
    #[schema(max_length = 2000)]
    pub description: Option<String>,
}

/// A page of one category's products.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CategoryProducts {
    /// The category that was asked for.
    pub category_id: CategoryId,
    /// Its products, by name; the cursors are those of the list with `sort=name`.
    pub products: Page<Product>,
}

/// A change of the stock: exactly one of `set` and `adjust`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct StockAdjustment {
    /// What can be sold from now on, e.g. after a stock-take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 0))]
    #[schema(minimum = 0)]
    pub set: Option<i32>,
    /// So many more, or fewer if negative.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub adjust: Option<i32>,
    /// Why, for the history.
    #[garde(length(chars, max = 500), custom(not_blank))]
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
}

impl StockAdjustment {
    /// From now on `quantity` can be sold.
    pub fn set(quantity: i32, reason: impl Into<String>) -> Self {
        Self { set: Some(quantity), adjust: None, reason: reason.into() }
    }

    /// `change` more can be sold; fewer if it is negative.
    pub fn adjust(change: i32, reason: impl Into<String>) -> Self {
        Self { set: None, adjust: Some(change), reason: reason.into() }
    }
}

/// A page of one product's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StockHistory {
    /// The product that was asked for.
    pub product_id: ProductId,
    /// What was received, taken out and corrected, newest first; the cursors are those of the product's own list.
    pub entries: Page<StockEntry>,
}

/// One change of the stock by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StockEntry {
    /// Its id; time-ordered.
    pub id: Uuid,
    /// The product.
    pub product_id: ProductId,
    /// So many more; fewer if negative.
    pub change: i32,
    /// What could be sold after it.
    pub stock_quantity: i32,
    /// Why.
    pub reason: String,
    /// Who: a user's id, or `seed`.
    pub actor: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// Where uploads are served; their file name comes after it.
pub const UPLOADS: &str = "/pictures/";

/// An uploaded picture has at most so many bytes: as much as fits into a GraphQL request.
pub const MAX_PICTURE_BYTES: usize = 700_000;

/// Is this a file name that an upload can have? A SHA-256 in lower case, and an ending.
pub fn is_upload_name(file: &str) -> bool {
    file.split_once('.').is_some_and(|(hash, ending)| {
        let is_hash = hash.len() == 64 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        is_hash && ["png", "jpg", "webp", "avif"].contains(&ending)
    })
}

/// A picture to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPicture {
    /// `image/png`, `image/jpeg`, `image/webp` or `image/avif`.
    pub content_type: String,
    /// The file, at most [`MAX_PICTURE_BYTES`].
    pub bytes: axum::body::Bytes,
}

/// A picture that was stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UploadedPicture {
    /// Its path on the gateway, for a product's `image_url` or `images`.
    pub url: String,
    /// What it is.
    pub content_type: String,
    /// Its bytes.
    pub size: i32,
    /// When it was first stored.
    pub created_at: DateTime<Utc>,
}

/// A picture as it is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// E.g. `image/svg+xml`.
    pub content_type: String,
    /// Strong entity tag with its quotes.
    pub etag: String,
    /// The file.
    pub bytes: axum::body::Bytes,
}

fn not_blank(text: &str, (): &()) -> garde::Result {
    if text.trim().is_empty() { Err(garde::Error::new("must not be blank")) } else { Ok(()) }
}

fn is_sku(sku: &str, (): &()) -> garde::Result {
    let is_plain = sku.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if is_plain && (1..=64).contains(&sku.len()) {
        Ok(())
    } else {
        Err(garde::Error::new("must be 1 to 64 letters, digits, dots, underscores or hyphens"))
    }
}

fn not_negative(price: &Money, (): &()) -> garde::Result {
    if price.is_negative() { Err(garde::Error::new("must not be negative")) } else { Ok(()) }
}

/// No other scheme: the address ends up in pages.
fn is_picture_url(url: &str, (): &()) -> garde::Result {
    let is_local = url.starts_with('/') && !url.starts_with("//");
    let is_clean = url.len() <= 2048 && !url.contains(|c: char| c.is_whitespace() || c.is_control());
    if is_clean && (is_local || url.starts_with("https://")) {
        Ok(())
    } else {
        Err(garde::Error::new("must be a path such as /images/a.svg, or an https URL"))
    }
}

#[cfg(test)]
mod tests {
    use events::Currency;

    use super::*;

    #[test]
    fn null_and_absent_are_told_apart() {
        let change: UpdateProduct = serde_json::from_str(r#"{"description": null, "name": "Tea"}"#).unwrap();
        assert_eq!(change, UpdateProduct { description: Some(None), name: Some("Tea".into()), ..Default::default() });
        assert_eq!(serde_json::to_string(&change).unwrap(), r#"{"name":"Tea","description":null}"#);
    }

    #[test]
    fn an_etag_round_trips_as_a_precondition() {
        assert_eq!(Precondition::parse("\"7.12\""), Some(Precondition::Version(7)));
        assert_eq!(Precondition::parse(" * "), Some(Precondition::Exists));
        for header in ["7", "W/\"7.1\"", "\"abc\"", "\"\"", ""] {
            assert_eq!(Precondition::parse(header), None, "{header}");
        }
        for seen in [Precondition::Version(3), Precondition::Exists] {
            assert_eq!(Precondition::parse(&seen.header()), Some(seen));
        }
    }

    #[test]
    fn values_are_checked() {
        let good = CreateProduct {
            name: "Espresso".into(),
            sku: "COF-1".into(),
            price: Money::parse("9.90", Currency::EUR).unwrap(),
            description: None,
            stock_quantity: 0,
            category_id: None,
            image_url: Some("/images/cof-1.svg".into()),
            images: vec!["/images/cof-1-detail.svg".into()],
            supplier_id: None,
        };
        assert!(good.validate().is_ok());
        let bad = [
            CreateProduct { name: "  ".into(), ..good.clone() },
            CreateProduct { name: "x".repeat(201), ..good.clone() },
            CreateProduct { sku: String::new(), ..good.clone() },
            CreateProduct { sku: "a b".into(), ..good.clone() },
            CreateProduct { price: Money::parse("-0.01", Currency::EUR).unwrap(), ..good.clone() },
            CreateProduct { stock_quantity: -1, ..good.clone() },
            CreateProduct { image_url: Some("javascript:alert(1)".into()), ..good.clone() },
            CreateProduct { image_url: Some("//evil.example/a.png".into()), ..good.clone() },
            CreateProduct { images: vec!["data:text/html,x".into()], ..good.clone() },
            CreateProduct { images: vec!["/a.png".into(); MAX_IMAGES + 1], ..good.clone() },
        ];
        for product in bad {
            assert!(product.validate().is_err(), "{product:?}");
        }
        let blank = UpdateProduct { name: Some(" ".into()), ..Default::default() };
        let long = UpdateProduct { description: Some(Some("x".repeat(5001))), ..Default::default() };
        let script = UpdateProduct { image_url: Some(Some("data:text/html,x".into())), ..Default::default() };
        let scripts = UpdateProduct { images: Some(vec!["javascript:1".into()]), ..Default::default() };
        for change in [blank, long, script, scripts] {
            assert!(change.validate().is_err(), "{change:?}");
        }
    }
}
