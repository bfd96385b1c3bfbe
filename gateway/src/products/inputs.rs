//! What changes of the catalogue are asked for.

use async_graphql::{ID, InputObject, MaybeUndefined};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use products_client::{CreateCategory, CreateProduct, NewPicture, Precondition, StockAdjustment, UpdateProduct};
use service::Error;

use crate::scalars::{MoneyInput, id_of};

/// A new product.
#[derive(Debug, InputObject)]
pub struct CreateProductInput {
    /// Name as shown, 1 to 200 characters.
    name: String,
    /// Stock keeping unit, unique: letters, digits, dots, underscores, hyphens.
    sku: String,
    /// Price of one; not negative.
    price: MoneyInput,
    /// What there is to say about it.
    description: Option<String>,
    /// Units on hand.
    #[graphql(default = 0)]
    stock_quantity: Option<i32>,
    /// Its category.
    category_id: Option<ID>,
    /// Where its picture lies: a path on this server, or an https URL.
    image_url: Option<String>,
    /// Further pictures, in the order of the gallery; 8 at most.
    images: Option<Vec<String>>,
    /// Repeating the mutation with the same key has no second effect.
    pub idempotency_key: Option<String>,
}

/// What to change of a product; what is left out stays, null takes a description, category or picture away.
#[derive(Debug, InputObject)]
pub struct UpdateProductInput {
    /// The product.
    pub id: ID,
    /// Name as shown, 1 to 200 characters.
    name: Option<String>,
    /// Stock keeping unit, unique: letters, digits, dots, underscores, hyphens.
    sku: Option<String>,
    /// Price of one; not negative.
    price: Option<MoneyInput>,
    /// What there is to say about it.
    description: MaybeUndefined<String>,
    /// Units that can be sold from now on; what is on hold is not touched.
    stock_quantity: Option<i32>,
    /// Its category.
    category_id: MaybeUndefined<ID>,
    /// Where its picture lies: a path on this server, or an https URL.
    image_url: MaybeUndefined<String>,
    /// Further pictures, in the order of the gallery, all of them anew; 8 at most.
    images: Option<Vec<String>>,
    /// The version that was read: if it is another by now, nothing is changed, and the userError is PRODUCT_CHANGED.
    expected_version: Option<i32>,
    /// Repeating the mutation with the same key has no second effect.
    pub idempotency_key: Option<String>,
}

impl CreateProductInput {
    /// The same for the service.
    pub fn product(self) -> Result<CreateProduct, Error> {
        Ok(CreateProduct {
            name: self.name,
            sku: self.sku,
            price: self.price.money("price")?,
            description: self.description,
            stock_quantity: self.stock_quantity.unwrap_or(0),
            category_id: self.category_id.map(|id| id_of(&id, "category_id")).transpose()?,
            image_url: self.image_url,
            images: self.images.unwrap_or_default(),
            supplier_id: None,
        })
    }
}

impl UpdateProductInput {
    /// What must not have changed meanwhile.
    pub fn seen(&self) -> Precondition {
        self.expected_version.map_or(Precondition::Exists, |version| Precondition::Version(version.into()))
    }

    /// The same for the service.
    pub fn change(&self) -> Result<UpdateProduct, Error> {
        let category = match &self.category_id {
            MaybeUndefined::Undefined => None,
            MaybeUndefined::Null => Some(None),
            MaybeUndefined::Value(id) => Some(Some(id_of(id, "category_id")?)),
        };
        Ok(UpdateProduct {
            name: self.name.clone(),
            sku: self.sku.clone(),
            price: self.price.as_ref().map(|price| price.money("price")).transpose()?,
            description: self.description.clone().into(),
            category_id: category,
            image_url: self.image_url.clone().into(),
            images: self.images.clone(),
            supplier_id: None,
            stock_quantity: self.stock_quantity,
        })
    }
}

/// Which product leaves the catalogue.
#[derive(Debug, InputObject)]
pub struct DeleteProductInput {
    /// The product.
    pub id: ID,
    /// Repeating the mutation with the same key has no second effect.
    pub idempotency_key: Option<String>,
}

/// A change of what can be sold: exactly one of change and setTo.
#[derive(Debug, InputObject)]
pub struct AdjustStockInput {
    /// The product.
    pub product_id: ID,
    /// So many more; fewer if negative.
    change: Option<i32>,
    /// What can be sold from now on, e.g. after a stock-take.
    set_to: Option<i32>,
    /// Why, for the history; 1 to 500 characters.
    reason: String,
    /// Repeating the mutation with the same key has no second effect.
    pub idempotency_key: Option<String>,
}

impl AdjustStockInput {
    /// The same for the service.
    pub fn adjustment(self) -> StockAdjustment {
        StockAdjustment { set: self.set_to, adjust: self.change, reason: self.reason }
    }
}

/// A new category.
#[derive(Debug, InputObject)]
pub struct CreateCategoryInput {
    /// Unique, whatever its case; 1 to 100 characters.
    name: String,
    /// A sentence or two.
    description: Option<String>,
    /// Repeating the mutation with the same key has no second effect.
    pub idempotency_key: Option<String>,
}

impl CreateCategoryInput {
    /// The same for the service.
    pub fn category(self) -> CreateCategory {
        CreateCategory { name: self.name, description: self.description }
    }
}

/// A picture for products to show.
#[derive(Debug, InputObject)]
pub struct UploadPictureInput {
    /// The file in Base64, at most 700 kB before it was encoded.
    content_base64: String,
    /// What it is: image/png, image/jpeg, image/webp or image/avif.
    content_type: String,
    /// Repeating the mutation with the same key has no second effect.
    pub idempotency_key: Option<String>,
}

impl UploadPictureInput {
    /// The same for the service.
    pub fn picture(self) -> Result<NewPicture, Error> {
        let not_base64 = |_| Error::invalid("content_base64", "invalid", "this is not Base64");
        let bytes = STANDARD.decode(self.content_base64.as_bytes()).map_err(not_base64)?;
        Ok(NewPicture { content_type: self.content_type, bytes: bytes.into() })
    }
}
