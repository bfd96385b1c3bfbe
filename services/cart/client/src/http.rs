//! The cart service over the network.

use async_trait::async_trait;
use events::{CartCheckoutInitiated, CartId, CartItemId, UserId};
use service::{Caller, ConfigError, Error, Found, HttpClient};

use crate::{AddItem, Cart, CartApi, CartList, CheckoutCart, ListActiveCarts, ListCarts, UpdateItem, WhoseCart};

/// Calls the cart service's REST interface.
#[derive(Debug, Clone)]
pub struct Http {
    client: HttpClient,
}

impl Http {
    /// A client of the cart service at `base_url`, e.g. `http://127.0.0.1:8082`.
    pub fn new(base_url: &str) -> Result<Http, ConfigError> {
        Ok(Http { client: HttpClient::new("cart", base_url)? })
    }
}

#[async_trait]
impl CartApi for Http {
    async fn create(&self, caller: &Caller) -> Result<Cart, Error> {
        self.client.post(caller, "/cart").send().await
    }

    async fn get(&self, caller: &Caller, cart_id: CartId) -> Result<Cart, Error> {
        self.client.get(caller, &format!("/cart/{cart_id}")).send().await
    }

    async fn carts_by_ids(&self, caller: &Caller, cart_ids: &[CartId]) -> Result<Vec<Cart>, Error> {
        if cart_ids.is_empty() {
            return Ok(Vec::new());
        }
        let ids = cart_ids.iter().map(CartId::to_string).collect::<Vec<_>>().join(",");
        let list: CartList = self.client.get(caller, "/carts").query(&ListCarts { ids }).send().await?;
        Ok(list.items)
    }

    async fn active_cart_of_user(&self, caller: &Caller, user_id: UserId) -> Result<Option<Cart>, Error> {
        self.client.get(caller, "/cart").query(&WhoseCart { user_id: Some(user_id) }).send().await.found()
    }

    async fn active_carts_of_users(&self, caller: &Caller, user_ids: &[UserId]) -> Result<Vec<Cart>, Error> {
        if user_ids.is_empty() {
            return Ok(Vec::new());
        }
        let user_ids = user_ids.iter().map(UserId::to_string).collect::<Vec<_>>().join(",");
        let list: CartList =
            self.client.get(caller, "/carts/active").query(&ListActiveCarts { user_ids }).send().await?;
        Ok(list.items)
    }

    async fn add_item(&self, caller: &Caller, input: AddItem) -> Result<Cart, Error> {
        self.client.post(caller, "/cart/items").json(&input).send().await
    }

    async fn update_item(&self, caller: &Caller, item_id: CartItemId, input: UpdateItem) -> Result<Cart, Error> {
        self.client.patch(caller, &format!("/cart/items/{item_id}")).json(&input).send().await
    }

    async fn remove_item(&self, caller: &Caller, item_id: CartItemId) -> Result<Cart, Error> {
        self.client.delete(caller, &format!("/cart/items/{item_id}")).send().await
    }

    async fn clear(&self, caller: &Caller, cart_id: CartId) -> Result<Cart, Error> {
        self.client.delete(caller, &format!("/cart/{cart_id}/items")).send().await
    }

    async fn delete(&self, caller: &Caller, cart_id: CartId) -> Result<(), Error> {
        self.client.delete(caller, &format!("/cart/{cart_id}")).send().await
    }

    async fn adopt(&self, caller: &Caller, cart_id: CartId) -> Result<Cart, Error> {
        self.client.post(caller, &format!("/cart/{cart_id}/adopt")).send().await
    }

    async fn checkout(
        &self,
        caller: &Caller,
        cart_id: CartId,
        input: CheckoutCart,
    ) -> Result<CartCheckoutInitiated, Error> {
        self.client.post(caller, &format!("/cart/{cart_id}/checkout")).json(&input).send().await
    }
}
