//! Changes of the catalogue.

use async_graphql::{Context, Object, Result};
use events::ProductId;
use products_client::{Precondition, UpdateProduct};
use service::Error;

use super::inputs::{
    AdjustStockInput, CreateCategoryInput, CreateProductInput, DeleteProductInput, UpdateProductInput,
    UploadPictureInput,
};
use super::types::{Category, Product};
use crate::errors::payload;
use crate::scalars::id_of;
use crate::scope::Scope;

payload! {
    /// What became of `createProduct`.
    CreateProductPayload {
        /// The new product; null if there are userErrors.
        product: Product
    }
}

payload! {
    /// What became of `updateProduct`.
    UpdateProductPayload {
        /// The product after the change; null if there are userErrors.
        product: Product
    }
}

payload! {
    /// What became of `deleteProduct`.
    DeleteProductPayload {
        /// The product as it was last; null if there are userErrors.
        product: Product
    }
}

payload! {
    /// What became of `adjustStock`.
    AdjustStockPayload {
        /// The product after the change; null if there are userErrors.
        product: Product
    }
}

payload! {
    /// What became of `createCategory`.
    CreateCategoryPayload {
        /// The new category; null if there are userErrors.
        category: Category
    }
}

payload! {
    /// What became of `uploadPicture`.
    UploadPicturePayload {
        /// Its path on this server, for a product's imageUrl or images; null if there are userErrors.
        url: String
    }
}

/// Changes of the catalogue.
#[derive(Default)]
pub struct ProductMutations;

#[Object]
impl ProductMutations {
    /// Brings a product into the catalogue (admin).
    async fn create_product(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The product.")] input: CreateProductInput,
    ) -> Result<CreateProductPayload> {
        let scope = Scope::of_mutation(ctx);
        let create = async {
            scope.caller.admin()?;
            let caller = scope.caller_with_key(input.idempotency_key.as_deref())?;
            scope.clients.products.create_product(&caller, input.product()?).await
        };
        CreateProductPayload::new(create.await.map(Product::from))
    }

    /// Changes a product (admin), all that is named or nothing. Without expectedVersion the last writer wins.
    async fn update_product(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateProductInput,
    ) -> Result<UpdateProductPayload> {
        let scope = Scope::of_mutation(ctx);
        UpdateProductPayload::new(update(scope, input).await.map(Product::from))
    }

    /// Takes a product out of the catalogue (admin). Orders keep their copy; its SKU is free again.
    async fn delete_product(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which product.")] input: DeleteProductInput,
    ) -> Result<DeleteProductPayload> {
        let scope = Scope::of_mutation(ctx);
        let delete = async {
            scope.caller.admin()?;
            let caller = scope.caller_with_key(input.idempotency_key.as_deref())?;
            scope.clients.products.delete_product(&caller, id_of(&input.id, "id")?).await
        };
        DeleteProductPayload::new(delete.await.map(Product::from))
    }

    /// Sets or adjusts what can be sold (admin). What is on hold is not touched.
    async fn adjust_stock(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: AdjustStockInput,
    ) -> Result<AdjustStockPayload> {
        let scope = Scope::of_mutation(ctx);
        let adjust = async {
            scope.caller.admin()?;
            let caller = scope.caller_with_key(input.idempotency_key.as_deref())?;
            let id: ProductId = id_of(&input.product_id, "product_id")?;
            let adjusted = scope.clients.products.adjust_stock(&caller, id, input.adjustment()).await;
            adjusted.map_err(in_words_of_the_input)?;
            scope.clients.products.product(&caller, id).await
        };
        AdjustStockPayload::new(adjust.await.map(Product::from))
    }

    /// Makes a category (admin).
    async fn create_category(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The category.")] input: CreateCategoryInput,
    ) -> Result<CreateCategoryPayload> {
        let scope = Scope::of_mutation(ctx);
        let create = async {
            scope.caller.admin()?;
            let caller = scope.caller_with_key(input.idempotency_key.as_deref())?;
            scope.clients.products.create_category(&caller, input.category()).await
        };
        CreateCategoryPayload::new(create.await.map(Category::from))
    }

    /// Stores a picture for products to show (admin): PNG, JPEG, WebP or AVIF. One that no product shows is taken away
    /// again after a day.
    async fn upload_picture(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The picture.")] input: UploadPictureInput,
    ) -> Result<UploadPicturePayload> {
        let scope = Scope::of_mutation(ctx);
        let upload = async {
            scope.caller.admin()?;
            let caller = scope.caller_with_key(input.idempotency_key.as_deref())?;
            let uploaded = scope.clients.products.upload_picture(&caller, input.picture()?).await;
            uploaded.map_err(in_words_of_the_input)
        };
        UploadPicturePayload::new(upload.await.map(|picture| picture.url))
    }
}

async fn update(scope: &Scope, input: UpdateProductInput) -> Result<products_client::Product, Error> {
    scope.caller.admin()?;
    let products = &scope.clients.products;
    let caller = scope.caller_with_key(input.idempotency_key.as_deref())?;
    let id: ProductId = id_of(&input.id, "id")?;
    let change = input.change()?;
    if change == UpdateProduct::default() && input.seen() == Precondition::Exists {
        return products.product(&caller, id).await;
    }
    products.update_product(&caller, id, input.seen(), change).await
}

/// REST says `set`, `adjust` and `content`; the inputs say `setTo`, `change` and `contentBase64`.
fn in_words_of_the_input(mut error: Error) -> Error {
    for field in &mut error.fields {
        match field.field.as_str() {
            "set" => field.field = "set_to".to_owned(),
            "adjust" => field.field = "change".to_owned(),
            "content" => field.field = "content_base64".to_owned(),
            _ => {}
        }
    }
    error
}
