//! The REST endpoints of orders: they extract, and call the operations.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use events::{OrderId, UserId};
use orders_client::{
    CancelOrder, ListOfUsers, ListTimelines, Order, OrderFilter, OrdersApi, OrdersOfUser, PlaceOrder, Saga, SagaDetail,
    SagaFilter, Timeline, TimelineEntry,
};
use service::{Admin, Error, ErrorBody, Json, Page, PageQuery, Path, Query, SignedIn};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::Orders;

/// All endpoints.
pub fn router(service: Arc<Orders>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(place, list))
        .routes(routes!(of_users))
        .routes(routes!(get))
        .routes(routes!(cancel))
        .routes(routes!(ship))
        .routes(routes!(deliver))
        .routes(routes!(timeline))
        .routes(routes!(timelines))
        .routes(routes!(sagas))
        .routes(routes!(saga))
        .routes(routes!(retry_saga))
        .with_state(service)
}

type Service = State<Arc<Orders>>;

/// Place an order: starts the saga.
#[utoipa::path(
    post, path = "/orders", request_body = PlaceOrder, security(("bearer" = [])),
    responses(
        (status = 202, body = Order), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)
    )
)]
async fn place(
    State(orders): Service,
    SignedIn(caller): SignedIn,
    Json(input): Json<PlaceOrder>,
) -> Result<(StatusCode, Json<Order>), Error> {
    Ok((StatusCode::ACCEPTED, Json(orders.place(&caller, input).await?)))
}

/// List orders: one's own; an admin's everybody's.
#[utoipa::path(
    get, path = "/orders", params(OrderFilter, PageQuery), security(("bearer" = [])),
    responses((status = 200, body = Page<Order>), (status = 401, body = ErrorBody))
)]
async fn list(
    State(orders): Service,
    SignedIn(caller): SignedIn,
    Query(filter): Query<OrderFilter>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Order>>, Error> {
    orders.orders(&caller, filter, page).await.map(Json)
}

/// The orders of several users. Those whose orders the caller may not see are left out.
#[utoipa::path(
    get, path = "/orders/by-users", params(ListOfUsers, PageQuery), security(("bearer" = [])),
    responses(
        (status = 200, body = Vec<OrdersOfUser>), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 422, body = ErrorBody)
    )
)]
async fn of_users(
    State(orders): Service,
    SignedIn(caller): SignedIn,
    Query(whose): Query<ListOfUsers>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Vec<OrdersOfUser>>, Error> {
    let users: Result<Vec<UserId>, _> = whose.user_ids.split(',').map(|id| id.trim().parse()).collect();
    let users = users.map_err(|_| Error::bad_request("invalid_query", "ids must be UUIDs, separated by commas"))?;
    orders.orders_of_users(&caller, &users, &page).await.map(Json)
}

/// Read an order.
#[utoipa::path(
    get, path = "/orders/{id}", params(("id" = OrderId, Path)), security(("bearer" = [])),
    responses((status = 200, body = Order), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody))
)]
async fn get(
    State(orders): Service,
    SignedIn(caller): SignedIn,
    Path(id): Path<OrderId>,
) -> Result<Json<Order>, Error> {
    orders.order(&caller, id).await.map(Json)
}

/// Cancel an order that is not shipped.
#[utoipa::path(
    post, path = "/orders/{id}/cancel", params(("id" = OrderId, Path)), request_body = Option<CancelOrder>,
    security(("bearer" = [])),
    responses(
        (status = 200, body = Order), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody)
    )
)]
async fn cancel(
    State(orders): Service,
    SignedIn(caller): SignedIn,
    Path(id): Path<OrderId>,
    input: Option<Json<CancelOrder>>,
) -> Result<Json<Order>, Error> {
    let input = input.map(|Json(input)| input).unwrap_or_default();
    orders.cancel(&caller, id, input).await.map(Json)
}

/// Mark a confirmed order as shipped (admin).
#[utoipa::path(
    post, path = "/orders/{id}/ship", params(("id" = OrderId, Path)), security(("bearer" = [])),
    responses(
        (status = 200, body = Order), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 409, body = ErrorBody)
    )
)]
async fn ship(State(orders): Service, Admin(caller): Admin, Path(id): Path<OrderId>) -> Result<Json<Order>, Error> {
    orders.ship(&caller, id).await.map(Json)
}

/// Mark a shipped order as delivered (admin).
#[utoipa::path(
    post, path = "/orders/{id}/deliver", params(("id" = OrderId, Path)), security(("bearer" = [])),
    responses(
        (status = 200, body = Order), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 409, body = ErrorBody)
    )
)]
async fn deliver(State(orders): Service, Admin(caller): Admin, Path(id): Path<OrderId>) -> Result<Json<Order>, Error> {
    orders.deliver(&caller, id).await.map(Json)
}

/// What happened to an order, across services.
#[utoipa::path(
    get, path = "/orders/{id}/timeline", params(("id" = OrderId, Path)), security(("bearer" = [])),
    responses(
        (status = 200, body = Vec<TimelineEntry>), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)
    )
)]
async fn timeline(
    State(orders): Service,
    SignedIn(caller): SignedIn,
    Path(id): Path<OrderId>,
) -> Result<Json<Vec<TimelineEntry>>, Error> {
    orders.timeline(&caller, id).await.map(Json)
}

/// What happened to several orders. Those that the caller may not see are left out.
#[utoipa::path(
    get, path = "/orders/timelines", params(ListTimelines), security(("bearer" = [])),
    responses(
        (status = 200, body = Vec<Timeline>), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 422, body = ErrorBody)
    )
)]
async fn timelines(
    State(orders): Service,
    SignedIn(caller): SignedIn,
    Query(query): Query<ListTimelines>,
) -> Result<Json<Vec<Timeline>>, Error> {
    let ids: Result<Vec<OrderId>, _> = query.ids.split(',').map(|id| id.trim().parse()).collect();
    let ids = ids.map_err(|_| Error::bad_request("invalid_query", "ids must be UUIDs, separated by commas"))?;
    orders.timelines(&caller, &ids).await.map(Json)
}

/// List sagas by state (admin).
#[utoipa::path(
    get, path = "/admin/sagas", params(SagaFilter, PageQuery), security(("bearer" = [])),
    responses((status = 200, body = Page<Saga>), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody))
)]
async fn sagas(
    State(orders): Service,
    Admin(caller): Admin,
    Query(filter): Query<SagaFilter>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Saga>>, Error> {
    orders.sagas(&caller, filter, page).await.map(Json)
}

/// One saga with its timeline and compensations (admin).
#[utoipa::path(
    get, path = "/admin/sagas/{id}", params(("id" = Uuid, Path)), security(("bearer" = [])),
    responses(
        (status = 200, body = SagaDetail), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)
    )
)]
async fn saga(State(orders): Service, Admin(caller): Admin, Path(id): Path<Uuid>) -> Result<Json<SagaDetail>, Error> {
    orders.saga(&caller, id).await.map(Json)
}

/// Set a stuck saga going again (admin).
#[utoipa::path(
    post, path = "/admin/sagas/{id}/retry", params(("id" = Uuid, Path)), security(("bearer" = [])),
    responses(
        (status = 200, body = SagaDetail), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)
    )
)]
async fn retry_saga(
    State(orders): Service,
    Admin(caller): Admin,
    Path(id): Path<Uuid>,
) -> Result<Json<SagaDetail>, Error> {
    orders.retry_saga(&caller, id).await.map(Json)
}
