//! The REST interface: extracts, and calls the operation.

use std::str::FromStr;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use cart_client::{AddItem, Cart, CartApi, CartList, CheckoutCart, ListActiveCarts, ListCarts, UpdateItem, WhoseCart};
use events::{CartCheckoutInitiated, CartId, CartItemId, UserId};
use service::{Caller, Error, ErrorBody, Json, Path, Query, SignedIn};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Carts;
use crate::model::cart_not_found;

type Service = State<Arc<Carts>>;

/// The endpoints of the cart.
pub fn router(service: Arc<Carts>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(create_cart, active_cart))
        .routes(routes!(list_carts))
        .routes(routes!(list_active_carts))
        .routes(routes!(add_item))
        .routes(routes!(update_item, remove_item))
        .routes(routes!(get_cart, delete_cart))
        .routes(routes!(clear_cart))
        .routes(routes!(adopt_cart))
        .routes(routes!(checkout_cart))
        .with_state(service)
}

/// Makes an empty cart.
#[utoipa::path(post, path = "/cart", tag = "cart", responses((status = 201, body = Cart)))]
async fn create_cart(State(carts): Service, caller: Caller) -> Result<(StatusCode, Json<Cart>), Error> {
    Ok((StatusCode::CREATED, Json(carts.create(&caller).await?)))
}

/// The latest active cart of the caller (for admins: of any user).
#[utoipa::path(get, path = "/cart", tag = "cart", params(WhoseCart),
    responses((status = 200, body = Cart), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
async fn active_cart(
    State(carts): Service,
    SignedIn(caller): SignedIn,
    Query(whose): Query<WhoseCart>,
) -> Result<Json<Cart>, Error> {
    let own = caller.user()?.user_id;
    let cart = carts.active_cart_of_user(&caller, whose.user_id.unwrap_or(own)).await?;
    cart.map(Json).ok_or_else(cart_not_found)
}

/// Several carts; those that the caller may not see are left out.
#[utoipa::path(get, path = "/carts", tag = "cart", params(ListCarts),
    responses((status = 200, body = CartList), (status = 400, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn list_carts(
    State(carts): Service,
    caller: Caller,
    Query(query): Query<ListCarts>,
) -> Result<Json<CartList>, Error> {
    let ids: Vec<CartId> = ids(&query.ids)?;
    Ok(Json(CartList { items: carts.carts_by_ids(&caller, &ids).await? }))
}

/// The latest active carts of several users; those that the caller may not see are left out.
#[utoipa::path(get, path = "/carts/active", tag = "cart", params(ListActiveCarts),
    responses((status = 200, body = CartList), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 422, body = ErrorBody)))]
async fn list_active_carts(
    State(carts): Service,
    SignedIn(caller): SignedIn,
    Query(query): Query<ListActiveCarts>,
) -> Result<Json<CartList>, Error> {
    let users: Vec<UserId> = ids(&query.user_ids)?;
    Ok(Json(CartList { items: carts.active_carts_of_users(&caller, &users).await? }))
}

fn ids<I: FromStr>(listed: &str) -> Result<Vec<I>, Error> {
    let ids: Result<Vec<I>, _> = listed.split(',').map(|id| id.trim().parse()).collect();
    ids.map_err(|_| Error::bad_request("invalid_query", "ids must be UUIDs, separated by commas"))
}

/// Puts a product into a cart, or into a new one.
#[utoipa::path(post, path = "/cart/items", tag = "cart", request_body = AddItem,
    responses((status = 201, body = Cart), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody),
        (status = 422, body = ErrorBody)))]
async fn add_item(
    State(carts): Service,
    caller: Caller,
    Json(input): Json<AddItem>,
) -> Result<(StatusCode, Json<Cart>), Error> {
    Ok((StatusCode::CREATED, Json(carts.add_item(&caller, input).await?)))
}

/// Sets the quantity of a line.
#[utoipa::path(patch, path = "/cart/items/{id}", tag = "cart", request_body = UpdateItem, params(("id" = CartItemId, Path)),
    responses((status = 200, body = Cart), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody),
        (status = 422, body = ErrorBody)))]
async fn update_item(
    State(carts): Service,
    caller: Caller,
    Path(item_id): Path<CartItemId>,
    Json(input): Json<UpdateItem>,
) -> Result<Json<Cart>, Error> {
    Ok(Json(carts.update_item(&caller, item_id, input).await?))
}

/// Takes a line out.
#[utoipa::path(delete, path = "/cart/items/{id}", tag = "cart", params(("id" = CartItemId, Path)),
    responses((status = 200, body = Cart), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
async fn remove_item(
    State(carts): Service,
    caller: Caller,
    Path(item_id): Path<CartItemId>,
) -> Result<Json<Cart>, Error> {
    Ok(Json(carts.remove_item(&caller, item_id).await?))
}

/// Reads a cart.
#[utoipa::path(get, path = "/cart/{id}", tag = "cart", params(("id" = CartId, Path)),
    responses((status = 200, body = Cart), (status = 404, body = ErrorBody)))]
async fn get_cart(State(carts): Service, caller: Caller, Path(cart_id): Path<CartId>) -> Result<Json<Cart>, Error> {
    Ok(Json(carts.get(&caller, cart_id).await?))
}

/// Deletes a cart.
#[utoipa::path(delete, path = "/cart/{id}", tag = "cart", params(("id" = CartId, Path)),
    responses((status = 204), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
async fn delete_cart(State(carts): Service, caller: Caller, Path(cart_id): Path<CartId>) -> Result<StatusCode, Error> {
    carts.delete(&caller, cart_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes all lines out.
#[utoipa::path(delete, path = "/cart/{id}/items", tag = "cart", params(("id" = CartId, Path)),
    responses((status = 200, body = Cart), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
async fn clear_cart(State(carts): Service, caller: Caller, Path(cart_id): Path<CartId>) -> Result<Json<Cart>, Error> {
    Ok(Json(carts.clear(&caller, cart_id).await?))
}

/// Gives a cart without an owner to the caller, merged into the latest active cart if there is one.
#[utoipa::path(post, path = "/cart/{id}/adopt", tag = "cart", params(("id" = CartId, Path)),
    responses((status = 200, body = Cart), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody)))]
async fn adopt_cart(
    State(carts): Service,
    SignedIn(caller): SignedIn,
    Path(cart_id): Path<CartId>,
) -> Result<Json<Cart>, Error> {
    Ok(Json(carts.adopt(&caller, cart_id).await?))
}

/// Begins the checkout, exactly once; orders calls it.
#[utoipa::path(post, path = "/cart/{id}/checkout", tag = "cart", request_body = CheckoutCart, params(("id" = CartId, Path)),
    responses((status = 200, body = CartCheckoutInitiated), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn checkout_cart(
    State(carts): Service,
    SignedIn(caller): SignedIn,
    Path(cart_id): Path<CartId>,
    Json(input): Json<CheckoutCart>,
) -> Result<Json<CartCheckoutInitiated>, Error> {
    Ok(Json(carts.checkout(&caller, cart_id, input).await?))
}
